"""Scenarios of metering (J02): how often meter values come while somebody charges, and what they must tell."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.moves import Move, Pause
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, scenario, scenarios_over
from strategies.sequences.steps import (
    charge,
    charge_on,
    get_variable,
    leave,
    samples,
    stop_remotely,
    with_variable,
)

_INTERVAL = "SampledDataCtrlr.TxUpdatedInterval"
_LOOKS_S = {"0": 2.5, "2": 6.5}
"""How long somebody charges at an interval: long enough for three values, or for one that must not come."""


@scenarios_over
def metered(place: Place) -> Iterable[tuple[str, Script]]:
    """Somebody charges while values are turned off, or come every two seconds; what is told at both ends is read before."""
    found = place.variable(_INTERVAL)
    for value, seconds in _LOOKS_S.items():
        if found is not None and samples(place) and value != found.value:
            yield f"interval-{value}", partial(_metered, value, seconds)


def _metered(value: str, seconds: float, place: Place) -> Iterable[Move]:
    names = (f"SampledDataCtrlr.Tx{end}Measurands" for end in ("Started", "Ended"))
    lists = [get_variable(v) for v in map(place.variable, names) if v is not None]
    charged: list[Move] = [*lists, *charge(place), Pause(seconds), *leave(place)]
    return with_variable(place, _INTERVAL, value, charged)


@scenario
def remote_stop_without_an_end(place: Place) -> Iterable[Move]:
    """Somebody who has been charging for a while is stopped remotely where only the EV that leaves ends a transaction."""
    name, value = "TxCtrlr.TxStopPoint", "EVConnected"
    found = place.variable(name)
    if found is None or value not in (*found.values, found.value):
        return []
    moves = charge_on(place, [stop_remotely(), Pause(4.5)])
    return with_variable(place, name, value, moves) if moves else []
