"""Meter values: when they are taken and who tells them (Part 2, J01 and J02).

Knows the variables of SampledDataCtrlr and AlignedDataCtrlr; what a meter shows is in `station/metering.py`, and the
events of a transaction are told by TransactionsBlock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from fuzz.ocppj.payloads import validate_schema
from fuzz.station.blocks.base import Block, member, whole
from fuzz.station.context import Context, Trigger
from fuzz.station.device_model import Variable
from fuzz.station.hardware import Evse
from fuzz.station.metering import Reading, meter_value, read_evse, read_grid, seconds_to_next
from strategies.labels import JsonObject, JsonValue, Kind
from strategies.version import version

MAX_SAMPLES = 100
"""Samples kept for the last event of a transaction; of more, every second one is dropped."""

_SAMPLED, _ALIGNED = "SampledDataCtrlr", "AlignedDataCtrlr"
_ROOM = 128
_EARLY_S = 0.5


@dataclass(slots=True)
class _Session:
    """What is kept of a transaction for its last event: how it began, and the samples since."""

    begin: list[JsonObject]
    samples: list[JsonObject] = field(default_factory=list)


class MeteringBlock(Block):
    """Takes meter values for transactions, and at fixed times of the day for the whole station."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._sessions: dict[int, _Session] = {}
        context.meter = self
        for evse in context.evses.values():
            power = context.model.named("EVSE", "Power", evse=evse.number)
            context.model.live[power.key] = partial(_present_power, evse)
        context.changed_listeners.append(self._changed)
        context.clock_listeners.append(self._plan_aligned)

    def triggers(self) -> Mapping[str, Trigger]:
        """MeterValues of one EVSE or of all can be asked for."""
        return {"MeterValues": self._triggered}

    # --- what TransactionsBlock asks ----------------------------------------------------------------------

    def begin(self, evse: int) -> list[JsonObject]:
        """A transaction begins: the values of TxStartedMeasurands, Transaction.Begin; sampling starts."""
        if evse not in self.context.evses:
            return []
        self._sessions[evse] = _Session(
            self._take(evse, _SAMPLED, "TxEndedMeasurands", "Transaction.Begin")
        )
        self._plan_session(evse)
        return self._take(evse, _SAMPLED, "TxStartedMeasurands", "Transaction.Begin")

    def end(self, evse: int) -> list[JsonObject]:
        """A transaction ends: all samples for its last event from Transaction.Begin to Transaction.End."""
        if evse not in self.context.evses:
            return []
        session = self._sessions.pop(evse, _Session([]))
        self.context.cancel(_timers(evse))
        last = self._take(evse, _SAMPLED, "TxEndedMeasurands", "Transaction.End")
        return [*session.begin, *session.samples, *last]

    # --- life ---------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """The timers are set anew; the registers go on where they were (J02.FR.16)."""
        self._plan_aligned()
        for evse in self._sessions:
            self._plan_session(evse)

    def lasting(self) -> JsonObject:
        """The registers, and what each transaction began with."""
        evses = self.context.evses
        registers: JsonObject = {str(number): evses[number].register_wh for number in evses}
        begun: JsonObject = {str(n): [*session.begin] for n, session in self._sessions.items()}
        return {"registers": registers, "metering": begun}

    def restore(self, lasting: Mapping[str, JsonValue]) -> None:
        """Takes over registers and beginnings of EVSEs that exist."""
        registers, begun = lasting.get("registers"), lasting.get("metering")
        for number, evse in self.context.evses.items():
            wh = registers.get(str(number)) if isinstance(registers, dict) else None
            if isinstance(wh, int | float) and 0 <= wh < 1e12:
                evse.restore(float(wh))
            if isinstance(begun, dict) and str(number) in begun:
                self._sessions[number] = _Session(_meter_values(begun[str(number)]))

    # --- in a transaction ---------------------------------------------------------------------------------

    def _plan_session(self, evse: int) -> None:
        updated, ended, aligned = _timers(evse)
        self._every(updated, _SAMPLED, "TxUpdatedInterval", partial(self._update, evse))
        keep = partial(self._keep, evse, _SAMPLED, "Sample.Periodic")
        self._every(ended, _SAMPLED, "TxEndedInterval", keep)
        keep = partial(self._keep, evse, _ALIGNED, "Sample.Clock")
        self._each_multiple(aligned, "TxEndedInterval", keep)

    def _update(self, evse: int) -> None:
        values = self._take(evse, _SAMPLED, "TxUpdatedMeasurands", "Sample.Periodic")
        if values:
            self.context.transactions.sampled(evse, "MeterValuePeriodic", values)

    def _keep(self, evse: int, controller: str, context: str) -> None:
        session = self._sessions.get(evse)
        if session is None:
            return
        session.samples += self._take(evse, controller, "TxEndedMeasurands", context)
        if len(session.samples) > MAX_SAMPLES:
            del session.samples[1::2]

    # --- at fixed times of the day ------------------------------------------------------------------------

    def _plan_aligned(self) -> None:
        self._each_multiple("meter aligned", "Interval", self._tell_aligned)
        for evse in self._sessions:
            self._plan_session(evse)

    def _tell_aligned(self) -> None:
        """MeterValues of every EVSE and of the grid meter (J01); not kept while offline (C-21)."""
        if self.context.peer.room < _ROOM or not self._is_on(_ALIGNED):
            return
        readings = {number: self._read(number) for number in self.context.evses}
        for number, reading in {0: read_grid(readings.values()), **readings}.items():
            self._tell(number, reading, "Sample.Clock", triggered=False)

    def _triggered(self, request: JsonObject) -> bool:
        evse = whole(member(request, "evse").get("id"))
        numbers = [evse] if evse else [*self.context.evses]
        if not all(number in self.context.evses for number in numbers):
            return False
        told = [self._tell(n, self._read(n), "Trigger", triggered=True) for n in numbers]
        return all(told)

    def _tell(self, evse: int, reading: Reading, context: str, *, triggered: bool) -> bool:
        values = self._show(reading, _ALIGNED, "Measurands", context)
        payload: JsonObject = {"evseId": evse, "meterValue": [*values]}
        return bool(values) and self.context.ask("MeterValues", payload, triggered=triggered)

    # --- timers -------------------------------------------------------------------------------------------

    def _changed(self, variable: Variable) -> None:
        # A new interval counts from now on, for what is running, too.
        if variable.component in (_SAMPLED, _ALIGNED) and "Interval" in variable.name:
            self._plan_aligned()

    def _every(self, timer: str, controller: str, name: str, do: Callable[[], None]) -> None:
        interval_s = self.context.model.number(controller, name)
        if interval_s <= 0:
            self.context.cancel([timer])
            return

        def due() -> None:
            self._every(timer, controller, name, do)
            do()

        self.context.at(timer, self.context.now + interval_s, due)

    def _each_multiple(self, timer: str, name: str, do: Callable[[], None]) -> None:
        interval_s = self.context.model.number(_ALIGNED, name)
        if interval_s <= 0:
            self.context.cancel([timer])
            return
        wall = self.context.wall()
        multiple = wall + seconds_to_next(wall, interval_s)

        def due() -> None:
            # The clock may have been set back a little meanwhile; then it is not time yet.
            early = self.context.wall() < multiple - _EARLY_S
            self._each_multiple(timer, name, do)
            if not early:
                do()

        self.context.at(timer, self.context.now + multiple - wall, due)

    # --- readings -----------------------------------------------------------------------------------------

    def _take(self, evse: int, controller: str, name: str, context: str) -> list[JsonObject]:
        if not self._is_on(controller):
            return []
        return self._show(self._read(evse), controller, name, context)

    def _read(self, evse: int) -> Reading:
        # What was told once must not be undercut after a restart.
        self.context.dirty = True
        return read_evse(self.context.evses[evse], self.context.now)

    def _show(self, reading: Reading, controller: str, name: str, context: str) -> list[JsonObject]:
        model = self.context.model
        measurands = model.read(model.named(controller, name)).split(",")
        return meter_value(reading, measurands, context, self.context.timestamp())

    def _is_on(self, controller: str) -> bool:
        model = self.context.model
        return model.read(model.named(controller, "Enabled")) == "true"


def _present_power(evse: Evse) -> str:
    return f"{evse.present_power_w:.0f}"


def _timers(evse: int) -> tuple[str, str, str]:
    return (f"meter updated {evse}", f"meter ended {evse}", f"meter ended aligned {evse}")


def _meter_values(stored: JsonValue) -> list[JsonObject]:
    payload: JsonObject = {"evseId": 1, "meterValue": stored}
    if validate_schema("MeterValues", Kind.REQUEST, payload, version()):
        return []
    return (
        [value for value in stored if isinstance(value, dict)] if isinstance(stored, list) else []
    )
