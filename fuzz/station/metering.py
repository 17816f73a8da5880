"""What the meters of the station show, as MeterValueType (Part 2, J01 and J02).

Knows physics and measurands; must not know when a value is taken nor which message carries it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fuzz.station.hardware import Evse
from strategies.labels import JsonObject

_DAY_S = 86_400
_TOLERANCE_S = 0.001
_PHASES = ("L1", "L2", "L3")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one meter shows at one moment; None is what it does not measure. `phases` is 0 for DC.

    With several phases `voltage_v` is that of one phase against neutral.
    """

    energy_wh: float
    power_w: float
    voltage_v: float | None = None
    soc: float | None = None
    phases: int = 0
    location: str = "Outlet"


@dataclass(frozen=True, slots=True)
class _Shown:
    """One value of a measurand; `phase` is "" for the whole."""

    value: float
    unit: str = ""
    phase: str = ""
    location: str = ""


_Show: TypeAlias = Callable[[Reading], list[_Shown]]


def read_evse(evse: Evse, now: float) -> Reading:
    """The meter at the outlet of an EVSE; the state of charge is known of DC only, where the EV tells it."""
    evse.advance(now)
    soc = None if evse.phases else evse.soc
    return Reading(evse.register_wh, evse.present_power_w, evse.voltage_v, soc, evse.phases)


def read_grid(readings: Iterable[Reading]) -> Reading:
    """The meter between the grid and the station, evseId 0: the sum of all EVSEs."""
    each = tuple(readings)
    energy_wh = sum(reading.energy_wh for reading in each)
    return Reading(energy_wh, sum(reading.power_w for reading in each), location="Inlet")


def meter_value(
    reading: Reading, measurands: Iterable[str], context: str, timestamp: str
) -> list[JsonObject]:
    """One MeterValueType with exactly these measurands, in their order; [] when the meter shows none of them."""
    sampled: list[JsonObject] = [
        _sampled(reading, measurand, shown, context)
        for measurand in measurands
        if measurand in _SHOWS
        for shown in _SHOWS[measurand](reading)
    ]
    return [{"timestamp": timestamp, "sampledValue": [*sampled]}] if sampled else []


def seconds_to_next(wall: float, interval_s: int) -> float:
    """How long until the next multiple of `interval_s` since midnight; midnight itself is one (J01)."""
    today = wall % _DAY_S
    multiple = (math.floor((today + _TOLERANCE_S) / interval_s) + 1) * interval_s
    return min(multiple, _DAY_S) - today if today < _DAY_S - _TOLERANCE_S else float(interval_s)


def _sampled(reading: Reading, measurand: str, shown: _Shown, context: str) -> JsonObject:
    sampled: JsonObject = {
        "value": round(shown.value, 3),
        "context": context,
        "measurand": measurand,
        "location": shown.location or reading.location,
    }
    if shown.phase:
        sampled["phase"] = shown.phase
    if shown.unit:
        sampled["unitOfMeasure"] = {"unit": shown.unit}
    return sampled


def _energy(reading: Reading) -> list[_Shown]:
    return [_Shown(reading.energy_wh, "Wh")]


def _power(reading: Reading) -> list[_Shown]:
    phases = _PHASES[: reading.phases]
    each = [_Shown(reading.power_w / len(phases), "W", phase) for phase in phases]
    return [_Shown(reading.power_w, "W"), *each]


def _voltage(reading: Reading) -> list[_Shown]:
    if reading.voltage_v is None:
        return []
    phases = [f"{phase}-N" for phase in _PHASES[: reading.phases]] or [""]
    return [_Shown(reading.voltage_v, "V", phase) for phase in phases]


def _current(reading: Reading) -> list[_Shown]:
    if not reading.voltage_v:
        return []
    phases = _PHASES[: reading.phases] or ("",)
    current_a = reading.power_w / reading.voltage_v / len(phases)
    return [_Shown(current_a, "A", phase) for phase in phases]


def _power_factor(reading: Reading) -> list[_Shown]:
    return [_Shown(1.0)]


def _soc(reading: Reading) -> list[_Shown]:
    return [] if reading.soc is None else [_Shown(reading.soc, "Percent", location="EV")]


_SHOWS: Mapping[str, _Show] = {
    "Current.Import": _current,
    "Energy.Active.Import.Register": _energy,
    "Power.Active.Import": _power,
    "Power.Factor": _power_factor,
    "SoC": _soc,
    "Voltage": _voltage,
}
