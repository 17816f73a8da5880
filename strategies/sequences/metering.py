"""Scenarios of metering (J01, J02): how often meter values come, and what they must tell."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from strategies.moves import Await, Move, Pause
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import Script, late_scenario, scenarios_over, slow_scenario
from strategies.sequences.steps import (
    charge,
    charge_on,
    event,
    get_variable,
    leave,
    samples,
    set_variable,
    stop_remotely,
    with_variable,
)

_UPDATED = "SampledDataCtrlr.TxUpdatedMeasurands"
_INTERVAL = "SampledDataCtrlr.TxUpdatedInterval"
_ALIGNED = "AlignedDataCtrlr.Interval"
_LONGEST_S = 10
"""As long an interval is waited for."""

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


@late_scenario
def metered_by_one_measurand(place: Place) -> Iterable[Move]:
    """Somebody charges while one measurand alone is to be told of it, which was one of several before (J02)."""
    name, power, energy = _UPDATED, "Power.Active.Import", "Energy.Active.Import.Register"
    found = place.variable(name)
    offered = [m for m in (power, energy) if found is not None and m in found.values]
    if found is None or not offered or found.value == offered[0]:
        return []
    moves = charge_on(place, [])
    return with_variable(place, name, offered[0], moves) if moves else []


@slow_scenario
def aligned(place: Place) -> Iterable[Move]:
    """Meter values come by the clock from every EVSE while nobody charges, until they are turned off."""
    found = place.variable(_ALIGNED)
    seconds = _aligned_s(place)
    if found is None or not seconds:
        return []
    told = [_of_evse(n, seconds) for n in place.evses]
    # What is on the list is read before, as what comes must be on it.
    listed = [get_variable(PoolVariable("AlignedDataCtrlr", "Measurands"))]
    off: list[Move] = [set_variable(found, "0"), Pause(2.0 * seconds + 3.0)]
    return [*listed, *with_variable(place, _ALIGNED, str(seconds), [*told, *off])]


@slow_scenario
def aligned_beside_a_transaction(place: Place) -> Iterable[Move]:
    """Somebody charges, and meter values come by the clock from every other EVSE."""
    seconds = _aligned_s(place)
    others = [_of_evse(n, seconds) for n in place.evses if n != place.evses[0]]
    if not seconds or not others:
        return []
    idle = get_variable(PoolVariable("AlignedDataCtrlr", "SendDuringIdle"))
    beside = with_variable(place, _ALIGNED, str(seconds), others)
    return [idle, *charge(place), *beside, *leave(place)]


def _aligned_s(place: Place) -> int:
    """An interval of the clock to set at a place, 0 where none can be waited for."""
    found = place.variable(_ALIGNED)
    on = place.value("AlignedDataCtrlr.Enabled", "true").casefold() != "false"
    if found is None or not on or not place.value("AlignedDataCtrlr.Measurands", "any").strip():
        return 0
    seconds = max(2, int(found.min_limit or 0))
    return 0 if seconds > _LONGEST_S or str(seconds) == found.value else seconds


def _of_evse(evse: int, seconds: int) -> Await:
    return Await("MeterValues", (("/evseId", str(evse)),), 3.0 * seconds + 5.0)


@slow_scenario
def remote_stop_without_an_end(place: Place) -> Iterable[Move]:
    """Somebody who has been charging for a while is stopped remotely where only the EV that leaves ends a transaction."""
    name, value = "TxCtrlr.TxStopPoint", "EVConnected"
    found = place.variable(name)
    if found is None or value not in (*found.values, found.value):
        return []
    moves = charge_on(place, [stop_remotely(), event(triggerReason="RemoteStop"), Pause(4.5)])
    return with_variable(place, name, value, moves) if moves else []
