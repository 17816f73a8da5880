"""Scenarios of somebody charging while the station is configured otherwise than it was found."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.moves import Act, Move, Pause
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, late_scenario, scenarios_over
from strategies.sequences.steps import (
    GLANCE_S,
    charge,
    leave,
    other_values,
    present,
    set_variable,
    tell_status,
    with_variable,
)

_COMPONENTS = ("AuthCtrlr", "TxCtrlr", "AuthCacheCtrlr", "LocalAuthListCtrlr", "SampledDataCtrlr")
"""What decides who may charge, and what is told of it."""


@scenarios_over
def charging_with(place: Place) -> Iterable[tuple[str, Script]]:
    """Somebody plugs in, takes energy and shows a token while one variable has another value."""
    for v in place.pool.variables:
        written = v.mutability == "ReadWrite" and v.value is not None
        known = v.component in _COMPONENTS and v.data_type in ("boolean", "integer")
        for value in other_values(v)[:1] if written and known else ():
            yield f"{v.name}={value}", partial(_session, v.name, value)


def _session(name: str, value: str, place: Place) -> Iterable[Move]:
    n = place.evses[0]
    moves: list[Move] = [
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        present(place.tokens[0]),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        Pause(GLANCE_S),
    ]
    return with_variable(place, name, value, [*moves, *tell_status(place)])


_ZONE = "Asia/Kolkata"
"""A zone that is far from most others, and from UTC by half an hour, too."""


@late_scenario
def time_zone_while_charging(place: Place) -> Iterable[Move]:
    """Another time zone is to be shown while somebody charges, which changes no instant that is told."""
    found = place.variable("ClockCtrlr.TimeZone")
    if found is None or found.value in ("", _ZONE) or (found.values and _ZONE not in found.values):
        return []
    back = set_variable(found, found.value or "")
    return [*charge(place), set_variable(found, _ZONE), Pause(GLANCE_S), *leave(place), back]
