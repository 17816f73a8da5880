"""Meter values of transactions (J01, J02): told at all, as often as was agreed, and said to be what they are.

Knows settings of SampledDataCtrlr and what meter values say of themselves. Must not know what a register reads (`register`
does), nor who charges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from strategies.labels import JsonObject, JsonValue
from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Event,
    Missed,
    Objection,
    Operated,
    Told,
    Weight,
    moment,
    objects,
    text,
)
from strategies.model.facts import Facts, Transaction
from strategies.model.rule import Rule

_INTERVAL = "SampledDataCtrlr.TxUpdatedInterval"
_ENABLED = "SampledDataCtrlr.Enabled"
_PERIODIC = "MeterValuePeriodic"
_ENERGY = "Energy.Active.Import.Register"
_PROMPT_S = 1.0
"""A CALL that waited longer for its answer may have held up others."""

_SLACK_S = 5.0
_OF_ANYTHING = frozenset({"Other", "Interruption.Begin", "Interruption.End", "Trigger"})
"""Contexts that may stand wherever a cause of their own coincides with the one that is seen."""


@dataclass(slots=True)
class _Run:
    """A transaction that was told from its beginning, with the TxUpdatedInterval that it began under.

    `steady` is false as soon as that may be another. `silent_s` is the longest time that energy flowed undisturbed, from
    when it was told (`since_s`) until something else was done.
    """

    interval_s: int
    steady: bool = True
    since_s: float | None = None
    silent_s: float = 0.0
    periodic: datetime | bool = False
    """Whether a periodic value came, and the time it bears where it has one."""


class Meters(Rule):
    """Follows the meter values of every transaction."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._runs: dict[str, _Run] = {}

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with meter values; after the transaction took note of where they belong."""
        match event:
            case Called(action="TransactionEvent"):
                yield from self._transaction(event)
            case Called(action="MeterValues"):
                yield from _outside(event.payload)
            case Called() | Told():
                pass
            case Answered() if event.proper and not event.error_code and _soon(event):
                pass
            case _:
                self._stirred(event)

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether the values that were agreed on never came, although somebody waited for them while energy flowed."""
        self._pause(end_s)
        waits = [m.timeout_s for m in missed if dict(m.where).get("/triggerReason") == _PERIODIC]
        for run in self._runs.values():
            enough_s = 3 * run.interval_s + _SLACK_S
            silent = any(run.silent_s >= max(wait, enough_s) for wait in waits)
            if run.interval_s and silent and not run.periodic:
                yield Objection(
                    "J02.FR.11",
                    "no periodic meter values",
                    f"TxUpdatedInterval is {run.interval_s}, energy flowed for {run.silent_s:.0f} s, and no"
                    " TransactionEvent told of it",
                )

    # --- time that passes ---------------------------------------------------------------------------------

    def _stirred(self, event: Event) -> None:
        """Whatever is done may change what a meter has to tell; what is lost, what of it is heard."""
        if isinstance(event, Asked | Operated):
            self._pause(event.at_s)
        shifted = isinstance(event, Operated) and event.deed == "shift-clock"
        changed = isinstance(event, Asked) and event.action == "SetVariables"
        for run in self._runs.values():
            run.since_s = None
            run.steady &= not (shifted or changed)

    def _pause(self, at_s: float) -> None:
        for run in self._runs.values():
            if run.since_s is not None and self._facts.outstanding is None:
                run.silent_s = max(run.silent_s, at_s - run.since_s)
            run.since_s = None

    # --- transactions -------------------------------------------------------------------------------------

    def _transaction(self, event: Called) -> Iterator[Objection]:
        found = self._facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        if found is None or found.offline or self._lost(found):
            return
        key, kind = found.id.casefold(), text(event.payload, "eventType")
        if kind == "Started" and (seconds := self._interval_s()) is not None:
            self._runs[key] = _Run(seconds)
        run = self._runs.get(key)
        if run is not None:
            self._flows(run, event, kind)
            if kind == "Updated" and text(event.payload, "triggerReason") == _PERIODIC:
                yield from _in_time(run, event.payload)
        yield from self._unnamed(event.payload, kind, found)
        if found.evse:
            yield from _contexts(event.payload, kind)
            yield from self._register(event.payload, kind)

    def _register(self, payload: JsonValue, kind: str) -> Iterator[Objection]:
        """F03.FR.04, E06: the register is told at both ends, where the station names it among what it measures then."""
        settings = self._facts.settings
        setting, on = settings.of(f"SampledDataCtrlr.Tx{kind}Measurands"), settings.of(_ENABLED)
        if on is not None and on.value.casefold() == "false":
            return
        names = [] if setting is None else [name.strip() for name in setting.value.split(",")]
        told = {text(s, "measurand") or _ENERGY for s in _samples(payload)}
        if kind in _OF_KIND and _ENERGY in names and _ENERGY not in told:
            yield Objection(
                "J02, E01, E06",
                f"{kind} without the energy register",
                f"Tx{kind}Measurands names {_ENERGY}, and the {kind} of a transaction does not tell it",
            )

    def _unnamed(self, payload: JsonValue, kind: str, found: Transaction) -> Iterator[Objection]:
        """J02: of what is sampled for a reason, nothing is told that the list for this reason did not name since the start."""
        periodic = text(payload, "triggerReason") == _PERIODIC
        context = _OF_REASON[_PERIODIC] if periodic else _OF_KIND.get(kind, "")
        setting = self._facts.settings.of(f"SampledDataCtrlr.Tx{kind}Measurands")
        if setting is None or not (context and setting.value) or setting.since_s > found.first_s:
            return
        names = [name.strip() for name in setting.value.split(",")]
        told = {
            text(s, "measurand") or _ENERGY
            for s in _samples(payload)
            # A signature may be over a register that nobody named.
            if (text(s, "context") or "Sample.Periodic") == context and "signedMeterValue" not in s
        }
        # One phase of a measurand alone may be named, too.
        extra = [
            m for m in sorted(told) if not any(f"{name}.".startswith(f"{m}.") for name in names)
        ]
        if extra:
            yield Objection(
                "J02",
                f"{kind} with a measurand that its list does not name",
                f"Tx{kind}Measurands is {setting.value}, and {extra[0]} is told as {context}",
                weight=Weight.LOW,
            )

    def _interval_s(self) -> int | None:
        setting, on = self._facts.settings.of(_INTERVAL), self._facts.settings.of(_ENABLED)
        if on is not None and on.value.casefold() == "false":
            return None
        if setting is None or not (setting.value.isdecimal() and len(setting.value) < 6):
            return None
        return int(setting.value)

    def _lost(self, found: Transaction) -> bool:
        """Whether anything may be missing of it, or was told in another life."""
        whole = found.begun and found.era == self._facts.boots
        return not whole or self._facts.shaken_s >= found.first_s

    def _flows(self, run: _Run, event: Called, kind: str) -> None:
        state = text(event.payload, "transactionInfo", "chargingState")
        if kind == "Ended" or state not in ("", "Charging"):
            self._pause_one(run, event.at_s)
        elif state == "Charging" and run.steady and run.since_s is None:
            run.since_s = event.at_s

    def _pause_one(self, run: _Run, at_s: float) -> None:
        if run.since_s is not None:
            run.silent_s = max(run.silent_s, at_s - run.since_s)
        run.since_s = None


def _in_time(run: _Run, payload: JsonValue) -> Iterator[Objection]:
    """J02: 0 turns periodic values off; else they come at the interval, in one message or, with one time, in several (FR.14)."""
    before, now = run.periodic, moment(payload, "timestamp")
    run.periodic = now or True
    if not run.steady:
        return
    if not run.interval_s:
        yield Objection(
            "J02",
            "periodic meter values although they are off",
            "TxUpdatedInterval is 0, and a TransactionEvent says MeterValuePeriodic",
        )
    elif isinstance(before, datetime) and now is not None and run.interval_s > 1:
        apart_s = (now - before).total_seconds()
        if 0 < apart_s < run.interval_s / 2:
            yield Objection(
                "J02.FR.11",
                "periodic meter values too often",
                f"TxUpdatedInterval is {run.interval_s}, and two MeterValuePeriodic are {apart_s:g} s apart",
                weight=Weight.LOW,
            )


# --- what values say of themselves (ReadingContextEnumType) ---------------------------------------------------


def _contexts(payload: JsonValue, kind: str) -> Iterator[Objection]:
    """At least one value is what the event is there for: of several causes at once each may have its own."""
    reason = text(payload, "triggerReason")
    wanted = _OF_KIND.get(kind, _OF_REASON.get(reason, ""))
    found = _contexts_in(payload)
    if kind in _OF_KIND:
        # Clock-aligned values may come along (AlignedDataCtrlr.TxEndedMeasurands), and be all that there is.
        found -= {"Sample.Clock"}
    else:
        # TC_J_08: what could not be told before the EVSE was known is told in the first event after that.
        found -= {"Transaction.Begin"}
    if not wanted or not found or found & (_OF_ANYTHING | {wanted}):
        return
    what = kind if kind in _OF_KIND else reason
    yield Objection(
        "J02",
        f"{what} without {wanted}",
        f"a TransactionEvent ({what}) has meter values, and none of them is {wanted}",
        weight=Weight.LOW,
    )


_OF_KIND = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}
_OF_REASON = {_PERIODIC: "Sample.Periodic", "MeterValueClock": "Sample.Clock"}


def _outside(payload: JsonValue) -> Iterator[Objection]:
    """MeterValues tells of no transaction."""
    wrong = _contexts_in(payload) & set(_OF_KIND.values())
    if wrong:
        yield Objection(
            "J02",
            "values of a transaction in MeterValues",
            f"MeterValues has values of {' and '.join(sorted(wrong))}, which TransactionEvents tell",
            weight=Weight.LOW,
        )


def _contexts_in(payload: JsonValue) -> set[str]:
    return {text(sample, "context") or "Sample.Periodic" for sample in _samples(payload)}


def _samples(payload: JsonValue) -> list[JsonObject]:
    return [s for v in objects(payload, "meterValue") for s in objects(v, "sampledValue")]


def _soon(event: Answered) -> bool:
    return event.at_s - event.called.at_s < _PROMPT_S
