"""The hardware of the EVSEs as plain facts: cable, fault, readiness of the EV, energy.

Knows physics and nothing of OCPP; blocks decide what the facts mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fuzz.pics.answers import Pics
from fuzz.station.events import (
    ClearFault,
    Fault,
    OperatorEvent,
    PlugIn,
    StartPower,
    StopPower,
    Unplug,
)

AC_VOLTAGE, AC_CURRENT = 230.0, 32.0
_WH = 3600.0


@dataclass(slots=True)
class Evse:
    """One EVSE. Times are seconds, power is watts, `register_wh` never decreases (J02.FR.16).

    `closed` is what the station did: the contactor. Energy flows while the contactor is closed and the EV is `ready`.
    """

    number: int
    connectors: int
    power_w: float = 50_000.0
    voltage_v: float = 400.0
    phases: int = 0
    plugged: int = 0
    """The connector that an EV is plugged into, 0 when there is none."""
    faulted: set[int] = field(default_factory=set)
    ready: bool = False
    closed: bool = False
    soc: float = 20.0
    _wh: float = 0.0
    _since: float = 0.0

    @property
    def flowing(self) -> bool:
        """Whether energy flows."""
        return self.closed and self.ready and bool(self.plugged)

    @property
    def present_power_w(self) -> float:
        """The power that is drawn now."""
        return self.power_w if self.flowing else 0.0

    @property
    def register_wh(self) -> float:
        """Energy.Active.Import.Register as of the last `advance`."""
        return self._wh

    @property
    def words(self) -> str:
        """How it is, for an operator."""
        cable = "plugged in" if self.plugged else "unplugged"
        fault = ", fault" if self.faulted else ""
        return (
            f"{cable}{fault}, {self.present_power_w / 1000:g} kW, {self.register_wh / 1000:.3f} kWh"
        )

    def advance(self, now: float) -> None:
        """Lets time pass; call it before any fact is changed and before a reading."""
        if self.flowing:
            self._wh += self.power_w * max(0.0, now - self._since) / _WH
        self._since = max(now, self._since)

    def restore(self, wh: float) -> None:
        """Sets the register to what it was before the power was lost."""
        self._wh = max(self._wh, wh)


def evses_of(pics: Pics) -> dict[int, Evse]:
    """The EVSEs of a PICS file, by number, with nothing plugged in."""
    return {number: _evse(number, pics) for number in pics.evses}


def _evse(number: int, pics: Pics) -> Evse:
    outlet = pics.outlet(number)
    evse = Evse(number, pics.connectors[number - 1])
    if outlet.phases:
        evse.phases, evse.voltage_v = outlet.phases, AC_VOLTAGE
        evse.power_w = AC_VOLTAGE * AC_CURRENT * outlet.phases
    return evse


def take_place(evses: Mapping[int, Evse], event: OperatorEvent) -> None:
    """Changes the facts as an event does; one at a place that does not exist changes nothing."""
    match event:
        case PlugIn(number, connector) if _exists(evses, number, connector):
            evses[number].plugged = evses[number].plugged or connector
        case Unplug(number, connector) if _exists(evses, number, connector):
            if evses[number].plugged == connector:
                evses[number].plugged, evses[number].ready = 0, False
        case StartPower(number) | StopPower(number) if number in evses:
            evses[number].ready = isinstance(event, StartPower)
        case Fault(number, connector) if _exists(evses, number, connector):
            evses[number].faulted.add(connector)
        case ClearFault(number, connector) if number in evses:
            evses[number].faulted.discard(connector)
        case _:
            pass


def _exists(evses: Mapping[int, Evse], number: int, connector: int) -> bool:
    return number in evses and 1 <= connector <= evses[number].connectors
