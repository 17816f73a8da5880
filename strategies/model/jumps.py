"""What time it is (Part 2 section 2.1.4): instants go on as time does, whatever the time zone of a station's display is.

Knows when TransactionEvents came and when they say that they were. Must not know what time it really is: a clock may be
wrong, as long as nobody sets it between two events.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Event,
    Objection,
    Operated,
    Unread,
    member,
    moment,
    objects,
    text,
)
from strategies.model.facts import NEVER, Facts, Transaction
from strategies.model.rule import Rule

_SETS_CLOCK = frozenset({"BootNotification", "Heartbeat"})
"""CALLs whose answers tell the time."""

_AT_MOST_S = 1700.0
"""As far as any event may have been held up, or a clock be off; time zones are half an hour apart at least."""


class Jumps(Rule):
    """Follows two events at a time: how far apart they came, and how far apart they say that they were."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._before: tuple[float, datetime] | None = None
        self._set_s = NEVER

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether time jumped; after the transaction took note of the event."""
        match event:
            case Called(action="TransactionEvent"):
                yield from self._event(event)
            case Called(action="BootNotification") | Unread():
                self._forget(event.at_s)
            case Answered(called=Called(action=action)) if action in _SETS_CLOCK:
                self._forget(event.at_s)
            case Asked(action="SetVariables") if _sets_clock(event):
                self._forget(event.at_s)
            case Operated(deed="shift-clock"):
                self._forget(event.at_s)
            case _:
                pass

    def _forget(self, at_s: float) -> None:
        self._before, self._set_s = None, at_s

    def _event(self, event: Called) -> Iterator[Objection]:
        found = self._facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        stamp = moment(event.payload, "timestamp")
        offline = member(event.payload, "offline") is True
        if found is None or stamp is None or offline or found.offline or not found.begun:
            return
        if max(self._set_s, self._facts.shaken_s, self._facts.booted_s) < found.first_s:
            yield from _values(event, found, stamp)
        shaken_s = max(self._facts.shaken_s, self._facts.booted_s)
        before, self._before = self._before, (event.at_s, stamp)
        if before is None or shaken_s >= min(before[0], found.first_s):
            # What waited to be sent tells of a time before.
            return
        jump_s = (stamp - before[1]).total_seconds() - (event.at_s - before[0])
        if abs(jump_s) > _AT_MOST_S:
            yield Objection(
                "Part 2 section 2.1.4",
                "time jumps between two events",
                f"the timestamps of two TransactionEvents are {abs(jump_s) / 3600:.1f} h further apart than the events, and"
                " nobody set the clock",
            )


def _values(event: Called, found: Transaction, stamp: datetime) -> Iterator[Objection]:
    """J02: what an event tells was measured between the beginning of its transaction and the event itself."""
    began = moment(found.told.get(min(found.told, default=0)), "timestamp")
    at = [moment(value, "timestamp") for value in objects(event.payload, "meterValue")]
    ahead_s = max([(t - stamp).total_seconds() for t in at if t is not None], default=0.0)
    before_s = max([(began - t).total_seconds() for t in at if t and began], default=0.0)
    if max(ahead_s, before_s) > _AT_MOST_S:
        yield Objection(
            "J02.FR.10",
            "meter values of another time than their event",
            f"a TransactionEvent has meter values of {max(ahead_s, before_s) / 3600:.1f} h after it, or before its"
            " transaction began",
        )


def _sets_clock(event: Asked) -> bool:
    """Whether a SetVariables is about the clock itself, and not merely about the zone that is shown."""
    named = [
        (text(item, "component", "name").casefold(), text(item, "variable", "name").casefold())
        for item in objects(event.payload, "setVariableData")
    ]
    return any(component == "clockctrlr" and name != "timezone" for component, name in named)
