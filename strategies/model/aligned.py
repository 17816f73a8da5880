"""Clock-aligned meter values (J01): of every EVSE on which nobody charges, at the interval that was set, none where it is 0.

Knows AlignedDataCtrlr.Interval and MeterValues. Must not know at which moments values are due: about that texts and stations
disagree. Only an interval that was set in the scene counts. Beside a transaction the values of other EVSEs are missed only
where the station said that it has no SendDuringIdle, or that it is false (J01.FR.19).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from strategies.labels import JsonObject
from strategies.model.events import (
    Asked,
    Called,
    Closed,
    Died,
    Event,
    Missed,
    Objection,
    Opened,
    Operated,
    Told,
    Weight,
    number,
    objects,
    text,
)
from strategies.model.facts import NEVER, Facts
from strategies.model.rule import Rule

_INTERVAL = "AlignedDataCtrlr.Interval"
_MEASURANDS = "AlignedDataCtrlr.Measurands"
_DURING_IDLE = "AlignedDataCtrlr.SendDuringIdle"
_NOT_THERE = ("UnknownComponent", "UnknownVariable")
_SLACK_S = 5.0
_LATE_S = 2.0
"""How long values that were taken before may be on their way."""


@dataclass(slots=True)
class _Period:
    """A time in which an interval was in force, and the EVSEs whose values came."""

    seconds: int
    since_s: float
    before: int | None = None
    """The interval that was set before it, None where it is not known."""
    until_s: float | None = None
    told: set[int] = field(default_factory=set)


class Aligned(Rule):
    """Follows the interval, and who tells values at it."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._periods: list[_Period] = []
        self._booted = False
        self._busy: set[int] = set()
        """The EVSEs of all transactions that were told of; 0 for one of which nobody knows where it is."""
        self._always = False
        self._asked = ""

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether values come that were turned off."""
        match event:
            case Asked(action="SetVariables"):
                self._asked = event.id
                self._end(event.at_s)
            case Asked(action="Reset"):
                self._end(event.at_s)
            case Told(asked=Asked(action="SetVariables")) if event.asked.id == self._asked:
                self._set(event)
            case Called(action="MeterValues"):
                yield from self._values(event)
            case Called(action="TransactionEvent"):
                known = self._facts.transaction(
                    text(event.payload, "transactionInfo", "transactionId")
                )
                named = number(event.payload, "evse", "id")
                self._busy.add(named or (0 if known is None else known.evse))
            case Called(action="BootNotification"):
                self._booted = True
            case Told(asked=Asked(action="GetVariables")):
                self._read(event)
            case Operated() | Opened() | Closed() | Died():
                self._end(event.at_s)
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether somebody waited for the values of an EVSE in vain, for longer than two intervals."""
        facts = self._facts
        if self._booted or facts.outstanding is not None or facts.shaken_s > NEVER:
            return
        self._end(end_s)
        for wait in missed:
            evse = dict(wait.where).get("/evseId", "")
            if wait.action != "MeterValues" or not evse.isdecimal() or int(evse) < 1:
                continue
            if self._busy and (not self._always or {0, int(evse)} & self._busy):
                continue
            for period in self._periods:
                lasted_s = (period.until_s or end_s) - period.since_s
                enough_s = max(wait.timeout_s, 2 * period.seconds + _SLACK_S)
                if period.seconds and int(evse) not in period.told and lasted_s >= enough_s:
                    yield Objection(
                        "J01.FR.14",
                        "no clock-aligned meter values",
                        f"AlignedDataCtrlr.Interval was set to {period.seconds}, and no MeterValues of EVSE {evse} came"
                        f" within {lasted_s:.0f} s",
                        weight=Weight.LOW if period.told else Weight.MEDIUM,
                    )

    def _read(self, event: Told) -> None:
        for result in objects(event.payload, "getVariableResult"):
            name = f"{text(result, 'component', 'name')}.{text(result, 'variable', 'name')}"
            if name.casefold() == _DURING_IDLE.casefold():
                off = text(result, "attributeValue").casefold() == "false"
                self._always = off or text(result, "attributeStatus") in _NOT_THERE

    def _set(self, event: Told) -> None:
        """An interval is in force as soon as it alone was accepted."""
        items = objects(event.asked.payload, "setVariableData")
        results = objects(event.payload, "setVariableResult")
        if len(items) != 1 or len(results) != 1:
            return
        name = f"{text(items[0], 'component', 'name')}.{text(items[0], 'variable', 'name')}"
        value = text(items[0], "attributeValue")
        accepted = text(results[0], "attributeStatus") == "Accepted"
        plain = text(items[0], "attributeType") in ("", "Actual") and "instance" not in str(
            items[0]
        )
        if name.casefold() == _INTERVAL.casefold() and accepted and plain and value.isdecimal():
            before = self._periods[-1].seconds if self._periods else None
            self._periods.append(_Period(min(int(value), 10**6), event.at_s, before))

    def _end(self, at_s: float) -> None:
        if self._periods and self._periods[-1].until_s is None:
            self._periods[-1].until_s = at_s

    def _values(self, event: Called) -> Iterator[Objection]:
        evse = number(event.payload, "evseId")
        samples = [
            s for v in objects(event.payload, "meterValue") for s in objects(v, "sampledValue")
        ]
        clocked = any(text(s, "context") == "Sample.Clock" for s in samples)
        if not self._periods or self._periods[-1].until_s is not None:
            return
        period, facts = self._periods[-1], self._facts
        if evse is not None and clocked:
            period.told.add(evse)
        # Implementation's choice: whether a timer that runs goes on until it is over.
        late = period.before is not None and event.at_s - period.since_s > period.before + _LATE_S
        quiet = facts.shaken_s < period.since_s and facts.outstanding is None
        if clocked and period.seconds and quiet:
            yield from self._measurands(samples, period)
        if clocked and not period.seconds and late and quiet:
            yield Objection(
                "J01",
                "clock-aligned meter values although they are off",
                "AlignedDataCtrlr.Interval was set to 0, and MeterValues of the clock came all the same",
            )

    def _measurands(self, samples: list[JsonObject], period: _Period) -> Iterator[Objection]:
        """J01: what is measured by the clock is what AlignedDataCtrlr.Measurands names since before the interval was set."""
        setting = self._facts.settings.of(_MEASURANDS)
        if setting is None or not setting.value or setting.since_s > period.since_s:
            return
        names = [name.strip() for name in setting.value.split(",")]
        # A signature may be over a register that nobody named.
        plain = [s for s in samples if "signedMeterValue" not in s]
        of_clock = [s for s in plain if text(s, "context") == "Sample.Clock"]
        told = {text(s, "measurand") or "Energy.Active.Import.Register" for s in of_clock}
        # One phase of a measurand alone may be named, too.
        extra = [
            m for m in sorted(told) if not any(f"{name}.".startswith(f"{m}.") for name in names)
        ]
        if extra:
            yield Objection(
                "J01",
                "clock-aligned measurand that the list does not name",
                f"AlignedDataCtrlr.Measurands is {setting.value}, and {extra[0]} is told as Sample.Clock",
                weight=Weight.LOW,
            )
