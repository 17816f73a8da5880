"""Transactions as they are told (E01 to E14): one beginning, one end, nothing missing, nothing after it.

Knows TransactionEvent and GetTransactionStatus; fills in `Facts.transactions`. Must not know who may charge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strategies.labels import JsonObject, JsonValue
from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Event,
    Missed,
    Objection,
    Told,
    Topic,
    Weight,
    member,
    number,
    text,
)
from strategies.model.facts import NEVER, Facts, Transaction
from strategies.model.rule import Rule

_KINDS = frozenset({"Started", "Updated", "Ended"})


class Telling(Rule):
    """Follows every transaction by its events."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._numbers: dict[int, str] = {}
        self._headless: dict[str, tuple[bool, bool]] = {}
        self._open_when_asked: dict[str, bool] = {}
        self._named: set[str] = set()
        """What answers to remote starts called transactions (F01.FR.13)."""
        self._strangers: set[str] = set()
        """Which transactions are said to go on, of those that nobody has told of."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with an event, by what was told of transactions before."""
        match event:
            case Called(action="TransactionEvent"):
                yield from self._event(event)
            case Answered(called=Called(action="TransactionEvent")):
                self._acknowledged(event)
            case Asked(action="GetTransactionStatus"):
                found = self._facts.transaction(text(event.payload, "transactionId"))
                self._open_when_asked[event.id] = bool(found and self._facts.surely_open(found))
            case Told(asked=Asked(action="RequestStartTransaction")):
                self._named.add(text(event.payload, "transactionId").casefold())
            case Told(asked=Asked(action="GetTransactionStatus")) if not event.error_code:
                yield from self._status(event)
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """What is wrong with the whole: transactions whose beginning never came, or of which nothing ever came."""
        if any(self._facts.transaction(id_) is None for id_ in self._strangers):
            yield Objection(
                "E14",
                "unknown transaction goes on",
                "GetTransactionStatus says that a transaction goes on of which nothing was ever told",
            )
        for id_, (evident, interrupted) in self._headless.items():
            found = self._facts.transactions[id_]
            if not evident or found.begun:
                continue
            if interrupted:
                yield Objection(
                    "E04",
                    "beginning of a transaction lost",
                    "the first event that came of a transaction is not its Started, which waited to be sent",
                    Topic.LOST,
                    Weight.HIGH,
                )
            else:
                yield Objection(
                    "E01",
                    "transaction without Started",
                    "a transaction was told of whose Started never came",
                )

    # --- one event ----------------------------------------------------------------------------------------

    def _event(self, event: Called) -> Iterator[Objection]:
        kind, seq = text(event.payload, "eventType"), number(event.payload, "seqNo")
        id_ = text(event.payload, "transactionInfo", "transactionId")
        if kind not in _KINDS or seq is None or not id_:
            return
        found = self._facts.transaction(id_)
        told = _without_offline(event.payload)
        if found is not None and found.told.get(seq) == told:
            yield from self._retold(event, found, seq)
            return
        if found is None:
            found = self._first(event, id_)
        elif self._renumbered(found, seq, kind, told):
            yield Objection(
                "E13",
                "TransactionEvent told again as a new one",
                f"{kind} came again as seqNo {seq}; what was not acknowledged is sent again as it was",
                Topic.AGAIN,
            )
        elif kind == "Started":
            yield from self._started_again(found)
            found = self._first(event, id_) if found.begun else found
        else:
            yield from self._next(event, found, kind, seq)
        yield from self._place(event, found)
        self._keep(event, found, kind, seq, told)

    def _first(self, event: Called, id_: str) -> Transaction:
        facts, key = self._facts, id_.casefold()
        made = Transaction(id_, facts.boots, first_s=event.at_s)
        facts.transactions[key] = made
        if text(event.payload, "eventType") != "Started":
            self._headless[key] = self._evidence(event)
        return made

    def _evidence(self, event: Called) -> tuple[bool, bool]:
        """Whether this transaction began within what was seen, and whether anything was interrupted meanwhile.

        A scene begins idle; an EV that came during the scene belongs to no earlier transaction, unless one was open.
        """
        facts = self._facts
        evse = number(event.payload, "evse", "id")
        plugs = [at for n, at in facts.plugged.items() if evse is None or n == evse]
        others = [t for t in facts.transactions.values() if t.id.casefold() in self._headless]
        if not plugs or others or facts.unread_s > NEVER:
            return False, False
        return True, facts.interrupted_s > min(plugs)

    def _retold(self, event: Called, found: Transaction, seq: int) -> Iterator[Objection]:
        # E13: told again because it was not acknowledged, or because that was lost on the way.
        facts = self._facts
        if seq in found.taken and facts.shaken_s < found.last_s:
            yield Objection(
                "E13",
                "acknowledged TransactionEvent told again",
                f"a TransactionEvent (seqNo {seq}) came again although it had been acknowledged",
                Topic.AGAIN,
                Weight.LOW,
            )

    def _renumbered(self, found: Transaction, seq: int, kind: str, told: JsonObject) -> bool:
        """Whether an event that was not acknowledged comes as a new one, so that a CSMS counts it twice.

        Two changes in the midst of a transaction may be alike, on and off and on within a second, but never two in a row.
        """
        if kind == "Updated" and self._facts.shaken_s <= found.last_s:
            return False
        before = [seq - 1] if kind == "Updated" else [n for n in found.told if n < seq]
        waiting = [found.told[n] for n in before if n in found.told and n not in found.taken]
        return any(_without_number(earlier) == _without_number(told) for earlier in waiting)

    def _started_again(self, found: Transaction) -> Iterator[Objection]:
        if not found.begun:
            yield Objection(
                "E01",
                "Started after other events",
                "the Started of a transaction came after later events of it",
            )
        elif found.ended_seq is not None or found.era != self._facts.boots:
            yield Objection(
                "E01",
                "transactionId used again",
                "a new transaction has the transactionId of an earlier one; it must never be used again",
                Topic.AGAIN,
                Weight.HIGH,
            )
        else:
            yield Objection(
                "E01", "Started twice", "a transaction that runs was told to have started again"
            )

    def _next(self, event: Called, found: Transaction, kind: str, seq: int) -> Iterator[Objection]:
        facts = self._facts
        if seq in found.told:
            yield Objection(
                "E01",
                "seqNo used twice",
                f"two different events of one transaction have the seqNo {seq}",
            )
        elif found.ended_seq is not None and seq > found.ended_seq:
            name = "Ended twice" if kind == "Ended" else "event after Ended"
            yield Objection("E06", name, f"{kind} (seqNo {seq}) came after the Ended")
        elif seq < found.last_seq and facts.failed_s < found.first_s:
            # Implementation's choice: whether an event that was not acknowledged holds up the ones after it.
            yield Objection(
                "E01",
                "events out of order",
                f"seqNo {seq} came after {found.last_seq}",
                weight=Weight.LOW,
            )
        elif seq > found.last_seq + 1 and self._nothing_between(found, seq):
            yield Objection(
                "E01",
                "gap in seqNo",
                f"seqNo {seq} follows {found.last_seq} although nothing was interrupted",
            )

    def _nothing_between(self, found: Transaction, seq: int) -> bool:
        """True when no event can have been left out with good reason (thinned offline, given up, counted elsewhere)."""
        if self._facts.shaken_s > found.last_s:
            return False
        between = range(found.last_seq + 1, min(seq, found.last_seq + 1000))
        # Implementation's choice: one counter for all transactions.
        return not any(self._numbers.get(n, found.id) != found.id for n in between)

    def _place(self, event: Called, found: Transaction) -> Iterator[Objection]:
        evse = number(event.payload, "evse", "id")
        if evse is not None and evse != found.evse:
            yield from self._moved(found, evse)
            found.evse = evse
            found.connector = number(event.payload, "evse", "connectorId") or 0
        state = text(event.payload, "transactionInfo", "chargingState")
        if state == "Charging" and found.begun and not found.evse and not self._shaken(found):
            yield Objection(
                "E01.FR.16",
                "Charging on an EVSE that was never named",
                "a transaction charges whose events never named the EVSE",
                weight=Weight.LOW,
            )

    def _moved(self, found: Transaction, evse: int) -> Iterator[Objection]:
        if found.evse:
            yield Objection(
                "E01.FR.16",
                "transaction moved to another EVSE",
                f"a transaction on EVSE {found.evse} goes on on EVSE {evse}",
            )
        rivals = [
            t
            for t in self._facts.transactions.values()
            if t is not found and t.open and t.evse == evse
        ]
        if any(t.last_s > self._facts.shaken_s for t in rivals):
            yield Objection(
                "E01.FR.14",
                "two transactions on one EVSE",
                f"a transaction on EVSE {evse} while another one there has not ended",
                weight=Weight.HIGH,
            )

    def _shaken(self, found: Transaction) -> bool:
        return self._facts.shaken_s > found.first_s

    def _keep(
        self, event: Called, found: Transaction, kind: str, seq: int, told: JsonObject
    ) -> None:
        found.begun |= kind == "Started"
        found.ended_seq = seq if kind == "Ended" else found.ended_seq
        found.told[seq] = told
        found.last_seq, found.last_s = max(seq, found.last_seq), event.at_s
        found.state = text(event.payload, "transactionInfo", "chargingState") or found.state
        found.offline |= member(event.payload, "offline") is True
        token = text(event.payload, "idToken", "idToken"), text(event.payload, "idToken", "type")
        if any(token):
            found.token = found.token or token
        remote_start = number(event.payload, "transactionInfo", "remoteStartId")
        if remote_start is not None:
            found.remote_starts.add(remote_start)
        self._numbers[seq] = found.id

    def _acknowledged(self, event: Answered) -> None:
        payload = event.called.payload
        found = self._facts.transaction(text(payload, "transactionInfo", "transactionId"))
        seq = number(payload, "seqNo")
        good = event.proper and event.prompt and not event.error_code
        if found is not None and seq is not None and good:
            found.taken.add(seq)

    # --- E14 ----------------------------------------------------------------------------------------------

    def _status(self, event: Told) -> Iterator[Objection]:
        id_ = text(event.asked.payload, "transactionId")
        ongoing = member(event.payload, "ongoingIndicator")
        queued = member(event.payload, "messagesInQueue")
        if not isinstance(event.asked.payload, dict):
            return
        if "transactionId" not in event.asked.payload:
            if ongoing is not None:
                yield Objection(
                    "E14",
                    "ongoingIndicator about no transaction",
                    "GetTransactionStatus named no transaction, and the answer says whether one goes on",
                    weight=Weight.LOW,
                )
            return
        found = self._facts.transaction(id_)
        if found is None:
            self._stranger(id_, ongoing)
            return
        if ongoing is None and found.begun:
            yield Objection(
                "E14",
                "nothing said of a transaction that was asked about",
                "GetTransactionStatus named a transaction, and the answer does not say whether it goes on",
                weight=Weight.LOW,
            )
        if ongoing is True and found.ended_seq in found.taken:
            yield Objection(
                "E14",
                "ended transaction goes on",
                "GetTransactionStatus says that a transaction goes on whose Ended was acknowledged",
            )
        was_open = self._open_when_asked.get(event.asked.id, False)
        if ongoing is False and queued is False and was_open and self._facts.surely_open(found):
            yield Objection(
                "E14",
                "running transaction unknown",
                "GetTransactionStatus says that a transaction is over whose Ended never came",
            )

    def _stranger(self, id_: str, ongoing: JsonValue) -> None:
        """An id that nobody ever told cannot be known to the CSMS unless it is of before, and that is over."""
        unseen = self._headless or max(self._facts.unread_s, self._facts.interrupted_s) > NEVER
        known = id_.casefold() in self._named or self._facts.outstanding is not None
        if ongoing is True and id_ and not known and not unseen:
            self._strangers.add(id_)


def _without_offline(payload: JsonValue) -> JsonObject:
    """The event without what may change while it waits (E11.FR.07)."""
    whole = payload if isinstance(payload, dict) else {}
    return {key: value for key, value in whole.items() if key != "offline"}


def _without_number(event: JsonObject) -> JsonObject:
    return {key: value for key, value in event.items() if key != "seqNo"}
