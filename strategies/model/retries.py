"""How often a TransactionEvent that was refused is sent (E13): as often as MessageAttempts says, no more and no less.

Knows CALLERRORs and the two variables, where this scene has shown them. Must not know how long the pauses are at least
(O22 does), nor what becomes of an event that a lost connection took along.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Closed,
    Died,
    Event,
    Missed,
    Objection,
    Opened,
    Operated,
    Stray,
    Topic,
    Unread,
    number,
    text,
)
from strategies.model.facts import Facts
from strategies.model.rule import Rule

_ATTEMPTS = "OCPPCommCtrlr.MessageAttempts/TransactionEvent"
_INTERVAL = "OCPPCommCtrlr.MessageAttemptInterval/TransactionEvent"
_LATE_S = 3.0
_Key: TypeAlias = tuple[str, int]


@dataclass(slots=True)
class _Sent:
    """One event: its eventType, what was known of attempts when it was first sent, how often it was sent and refused, and when last."""

    kind: str
    attempts: int | None
    interval: int | None
    times: int = 0
    refused: int = 0
    refused_s: float = 0.0


class Retries(Rule):
    """Counts how often each event was sent on one connection."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._sent: dict[_Key, _Sent] = {}

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether an event is sent although it was refused as often as it may be sent."""
        match event:
            case Called(action="TransactionEvent"):
                yield from self._called(event)
            case Answered(called=Called(action="TransactionEvent")):
                self._answered(event)
            case (
                Opened()
                | Closed()
                | Died()
                | Stray()
                | Unread()
                | Called(action="BootNotification")
            ):
                self._sent.clear()
            case Asked(action="SetVariables"):
                self._changed(event.at_s)
            case Operated(deed="power-cycle" | "cut-network" | "restore-network"):
                self._sent.clear()
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether an event that was refused, and may be sent again, was waited for in vain."""
        if self._facts.away or self._facts.outstanding is not None:
            return
        for sent in self._sent.values():
            waits = [m.timeout_s for m in missed if _waits_for(m, sent.kind)]
            if _is_due(sent, end_s) and any(end_s - sent.refused_s >= wait for wait in waits):
                yield Objection(
                    "E13.FR.01 to FR.04",
                    "TransactionEvent given up too soon",
                    f"a TransactionEvent was refused with a CALLERROR and sent {sent.times} times;"
                    f" MessageAttempts is {sent.attempts}",
                    Topic.LOST,
                )

    def _called(self, event: Called) -> Iterator[Objection]:
        seq = number(event.payload, "seqNo")
        id_ = text(event.payload, "transactionInfo", "transactionId").casefold()
        if seq is None or not id_:
            return
        sent = self._sent.get((id_, seq))
        if sent is None:
            kind = text(event.payload, "eventType")
            sent = _Sent(kind, self._setting(_ATTEMPTS), self._setting(_INTERVAL))
            self._sent[id_, seq] = sent
        if sent.attempts and sent.refused == sent.times >= sent.attempts:
            yield Objection(
                "E13.FR.01 to FR.04",
                "TransactionEvent sent more often than MessageAttempts",
                f"a TransactionEvent was refused with a CALLERROR {sent.times} times, which is all"
                " that MessageAttempts allows, and sent again",
                Topic.AGAIN,
            )
        sent.times += 1

    def _changed(self, at_s: float) -> None:
        """Whatever is not overdue when variables are set may follow the new ones."""
        for sent in self._sent.values():
            if not _is_due(sent, at_s):
                sent.attempts = None

    def _answered(self, event: Answered) -> None:
        payload = event.called.payload
        id_ = text(payload, "transactionInfo", "transactionId").casefold()
        sent = self._sent.get((id_, number(payload, "seqNo") or 0))
        if sent is not None and event.error_code and event.prompt:
            sent.refused, sent.refused_s = sent.refused + 1, event.at_s

    def _setting(self, name: str) -> int | None:
        found = self._facts.settings.of(name)
        value = "" if found is None else found.value
        return int(value) if value.isdecimal() and value.isascii() and len(value) < 6 else None


def _is_due(sent: _Sent, at_s: float) -> bool:
    """Whether it should have been sent again by then."""
    if sent.attempts is None or sent.interval is None:
        return False
    due_s = sent.refused_s + sent.interval * sent.refused + _LATE_S
    return 0 < sent.refused == sent.times < sent.attempts and at_s >= due_s


def _waits_for(missed: Missed, kind: str) -> bool:
    """Whether a wait in vain was one for an event of this eventType, or of any."""
    wanted = dict(missed.where).get("/eventType", kind)
    return missed.action == "TransactionEvent" and wanted == kind and len(missed.where) < 2
