"""Reset(OnIdle): it waits until no transaction runs, and then it comes (B12).

Knows which transactions ran when it was agreed to, and what may have ended them. Must not know Reset(Immediate), whose
transactions are `debts`, nor a station that is reset at once and stays away, which is `keeping`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Died,
    Event,
    Missed,
    Objection,
    Operated,
    Stray,
    Told,
    Topic,
    Unread,
    Weight,
    text,
)
from strategies.model.facts import NEVER, REFUSALS, Facts, Transaction
from strategies.model.keeping import LEAST_WAIT_S
from strategies.model.rule import Rule

_BY_RESET = frozenset({"RemoteReset", "ScheduledReset"})
_RESET_ENDS = frozenset({"ResetCommand", "ImmediateReset"})
_HARMLESS = frozenset({"GetTransactionStatus", "GetVariables", "GetBaseReport", "GetReport"})
_TELLS = frozenset({"StatusNotification", "Heartbeat"})
"""What may be triggered, and leaves everything else as it is."""

_NETWORK = ("cut-network", "restore-network")
"""Deeds that end a connection, and no transaction: what waits for one waits on."""


class Resets(Rule):
    """Follows one Reset(OnIdle) that was agreed to."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._waits: set[str] = set()
        """The transactions, by id, that it must wait for; gone from here are those that may have ended."""
        self._pending: set[str] = set()
        """Those whose Ended has not come."""
        self._due_s = NEVER

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether the station did not wait; after transactions took note of the event."""
        match event:
            case Told(asked=Asked(action="Reset")):
                self._agreed(event)
            case Called(action="TransactionEvent"):
                yield from self._transaction(event)
            case Called(action="BootNotification"):
                if self._waits and text(event.payload, "reason") in _BY_RESET:
                    yield _did_not_wait()
                self._forget()
            case Operated(deed="unplug"):
                at = [t for t in self._running() if t.evse == event.evse]
                self._waits -= {t.id.casefold() for t in at}
            case Operated() if event.deed in _NETWORK:
                pass
            case Operated() | Died() | Stray() | Unread():
                self._forget()
            case Asked() if not _is_harmless(event):
                self._forget()
            case Answered() if text(event.payload, "idTokenInfo", "status") in REFUSALS:
                self._forget()
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether it never came although nothing ran any more."""
        facts = self._facts
        waits = [m.timeout_s for m in missed if m.action == "BootNotification"]
        held_up = facts.away or facts.outstanding is not None or facts.interrupted_s > self._due_s
        if self._due_s == NEVER or not waits or held_up:
            return
        if end_s - self._due_s >= max(LEAST_WAIT_S, *waits):
            yield Objection(
                "B12",
                "Reset(OnIdle) agreed to and not carried out",
                "Reset(OnIdle) was agreed to while a transaction ran, all have ended, and the station was not reset",
                Topic.LOST,
                Weight.HIGH,
            )

    def _running(self) -> list[Transaction]:
        found = (self._facts.transaction(id_) for id_ in self._waits)
        return [t for t in found if t is not None]

    def _agreed(self, event: Told) -> None:
        facts, asked = self._facts, event.asked.payload
        whole = isinstance(asked, dict) and "evseId" not in asked
        self._forget()
        on_idle = text(asked, "type") == "OnIdle" and event.status in ("Accepted", "Scheduled")
        if not (whole and on_idle) or facts.outstanding is not None:
            return
        for t in facts.transactions.values():
            certain = not t.offline and t.last_s > facts.shaken_s and t.evse in facts.plugged
            if t.open and certain:
                self._waits.add(t.id.casefold())
        self._pending = set(self._waits)

    def _transaction(self, event: Called) -> Iterator[Objection]:
        id_ = text(event.payload, "transactionInfo", "transactionId").casefold()
        info = text(event.payload, "transactionInfo", "stoppedReason")
        if text(event.payload, "eventType") != "Ended":
            return
        if id_ in self._waits and _RESET_ENDS & {info, text(event.payload, "triggerReason")}:
            yield _did_not_wait()
            self._forget()
        self._waits.discard(id_)
        if id_ in self._pending:
            self._pending.discard(id_)
            idle = not any(t.ended_seq is None for t in self._facts.transactions.values())
            self._due_s = event.at_s if idle and not self._pending else NEVER

    def _forget(self) -> None:
        self._waits.clear()
        self._pending.clear()
        self._due_s = NEVER


def _is_harmless(asked: Asked) -> bool:
    if asked.action == "TriggerMessage":
        return text(asked.payload, "requestedMessage") in _TELLS
    return asked.action in _HARMLESS


def _did_not_wait() -> Objection:
    return Objection(
        "B12",
        "Reset(OnIdle) did not wait for a transaction",
        "Reset(OnIdle) was agreed to while a transaction ran, and carried out before that one had ended",
        weight=Weight.HIGH,
    )
