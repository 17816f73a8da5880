"""Scenarios of somebody charging while the station is configured otherwise than it was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from strategies.moves import Act, Move, Pause
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenarios_over
from strategies.sequences.steps import GLANCE_S, present, tell_status, with_variable

_COMPONENTS = ("AuthCtrlr", "TxCtrlr", "AuthCacheCtrlr", "LocalAuthListCtrlr", "SampledDataCtrlr")
"""What decides who may charge, and what is told of it."""

_OWN_SCENARIOS = frozenset({"TxStartPoint", "TxStopPoint"})


@scenarios_over
def charging_with(place: Place) -> Iterable[tuple[str, Script]]:
    """Somebody plugs in, takes energy and shows a token while one variable has another value."""
    for variable, value in _other_values(place):
        yield f"{variable.name}={value}", partial(_session, variable.name, value)


def _other_values(place: Place) -> Iterator[tuple[PoolVariable, str]]:
    """One other value for each switch, and the least for each number."""
    for v in place.pool.variables:
        written = v.mutability == "ReadWrite" and v.value is not None
        if not written or v.component not in _COMPONENTS or v.variable in _OWN_SCENARIOS:
            continue
        if v.data_type == "boolean":
            yield v, "false" if v.value == "true" else "true"
        elif v.data_type == "integer" and v.min_limit is not None and v.value != f"{v.min_limit:g}":
            yield v, f"{v.min_limit:g}"


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
