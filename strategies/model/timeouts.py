"""Nobody plugs in (E03.FR.05): a transaction that began with a token ends when EVConnectionTimeOut is over.

Knows that variable and TxStartPoint, where this scene has shown them. Must not know what becomes of the authorization
(`energy` does).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Event,
    Missed,
    Objection,
    Operated,
    Weight,
    member,
    text,
)
from strategies.model.facts import Facts
from strategies.model.rule import Rule

_LATE_S = 5.0
_SLOW_S = 0.5
_LONGEST_S = 60
_HARMLESS = frozenset({"GetTransactionStatus", "GetVariables"})


class Timeouts(Rule):
    """Follows one transaction that waits for its EV."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._waits = ""
        """The transaction that should end by itself, "" for none."""
        self._since_s = 0.0
        self._least_s = 0.0

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with the end of a transaction whose EV never came; after transactions took note of it."""
        match event:
            case Called(action="TransactionEvent"):
                yield from self._transaction(event)
            case Answered() if event.at_s - event.called.at_s > _SLOW_S:
                # What it had to say waited for that.
                self._since_s = max(self._since_s, event.at_s)
            case Operated() | Asked() if not self._overdue(event):
                self._waits = ""
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether it never ended, and somebody waited for that."""
        facts = self._facts
        ends = [m.timeout_s for m in missed if dict(m.where).get("/eventType") == "Ended"]
        held_up = facts.away or facts.outstanding is not None or facts.shaken_s > self._since_s
        if not self._waits or held_up or not ends:
            return
        if end_s - self._since_s >= max(self._least_s, *ends):
            yield Objection(
                "E03.FR.05",
                "transaction goes on although nobody plugged in",
                "EVConnectionTimeOut was over, no EV had come, and the transaction that its token began did not end",
            )

    def _overdue(self, event: Operated | Asked) -> bool:
        harmless = isinstance(event, Asked) and event.action in _HARMLESS
        return harmless or event.at_s - self._since_s >= self._least_s

    def _transaction(self, event: Called) -> Iterator[Objection]:
        facts, info = self._facts, "transactionInfo"
        id_, kind = text(event.payload, info, "transactionId"), text(event.payload, "eventType")
        if kind == "Started":
            self._begun(event, id_)
        elif kind == "Ended" and id_ == self._waits:
            self._waits = ""
            reason = text(event.payload, "triggerReason")
            if reason in _OF_OTHERS and facts.shaken_s < self._since_s:
                yield Objection(
                    "E03.FR.05",
                    "transaction without an EV ended for another reason",
                    f"nobody plugged in, nothing else happened, and the transaction says that it ended by {reason}",
                    weight=Weight.LOW,
                )

    def _begun(self, event: Called, id_: str) -> None:
        facts = self._facts
        point = facts.settings.of("TxCtrlr.TxStartPoint")
        limit = facts.settings.of("TxCtrlr.EVConnectionTimeOut")
        alone = point is not None and point.value.strip() == "Authorized" and facts.operated
        self._waits = ""
        if limit is None or not alone or facts.plugged or member(event.payload, "offline") is True:
            return
        if limit.value.isdecimal() and 0 < int(limit.value[:9]) <= _LONGEST_S:
            self._waits, self._since_s = id_, event.at_s
            self._least_s = int(limit.value) * 1.1 + _LATE_S


_OF_OTHERS = frozenset(
    {"EVCommunicationLost", "EVDeparted", "RemoteStop", "StopAuthorized", "Deauthorized"}
)
"""Causes that take somebody who does something."""
