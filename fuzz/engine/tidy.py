"""What a scene leaves behind at the target, and what undoes it.

Knows histories and the words of an operator. Must not know how any of it is done.
"""

from __future__ import annotations

from dataclasses import dataclass

from fuzz.ocppj.history import Deed, Happening, History
from strategies.labels import JsonValue

_UNDONE_BY = {"plug-in": "unplug", "fault": "clear-fault", "cut-network": "restore-network"}


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What has to be undone: words for the operator, transactions to stop; `unready` when the last boot was refused.

    A boot that the case itself answered is taken for refused until the target sends something else than
    BootNotification: an answer may say Accepted and be broken all the same.
    `floating` is true when somebody was let in and no transaction came of it: the next scene's EV would charge for it.
    `queued` is true when messages may still wait to be sent, because the target was offline or was answered badly.
    `stalled` is true when the case itself gave the last answer to a TransactionEvent, and nothing came behind it: a
    station that waits to send it again ends no transaction meanwhile (E13.FR.02).
    """

    words: tuple[tuple[str, str], ...] = ()
    transactions: tuple[str, ...] = ()
    unready: bool = False
    stalled: bool = False
    queued: bool = False
    floating: bool = False

    def __bool__(self) -> bool:
        """True when anything has to be undone, or waited for."""
        undone = self.words or self.transactions or self.unready
        return bool(undone or self.queued or self.floating)


def leftovers(happened: History) -> Leftovers:
    """What a scene left behind, the network first."""
    words: dict[tuple[str, str], None] = {}
    open_: dict[str, None] = {}
    unready = doubtful = stalled = queued = floating = False
    for h in happened:
        floating = _floats(happened, h, before=floating)
        queued |= h.deed in (Deed.OPENED, Deed.CLOSED)
        if h.deed is Deed.OPERATED:
            _operated(h, words)
        elif h.deed is Deed.CALLED and h.action == "BootNotification":
            answer = happened.partner(h)
            unready = answer is None or _member(answer.payload, "status") != "Accepted"
            doubtful = answer is not None and answer.case
        elif h.deed is Deed.CALLED:
            doubtful = False
        if h.deed is Deed.CALLED and h.action == "TransactionEvent":
            _transaction(h, open_)
            told = happened.partner(h)
            stalled = told is not None and told.case
            queued |= stalled
    ordered = sorted(words, key=lambda word: word[0] != "restore-network")
    late = stalled and bool(open_)
    return Leftovers(tuple(ordered), tuple(open_), unready or doubtful, late, queued, floating)


def _floats(happened: History, h: Happening, *, before: bool) -> bool:
    """Whether somebody may be let in for a transaction that is still to come."""
    if h.deed is Deed.OPERATED:
        return before or h.text.startswith("present-token")
    if h.deed is Deed.TOLD and h.action == "RequestStartTransaction":
        return before or _member(h.payload, "status") == "Accepted"
    if h.deed is Deed.CALLED and h.action in ("BootNotification", "TransactionEvent"):
        begins = _member(h.payload, "eventType") in ("Started", "Ended")
        return before and not (begins or h.action == "BootNotification")
    if h.deed is Deed.ANSWERED and h.action == "Authorize":
        status = _member(_member(h.payload, "idTokenInfo"), "status")
        return before and status == "Accepted"
    return before


def _operated(h: Happening, words: dict[tuple[str, str], None]) -> None:
    event, _, argument = h.text.partition(" ")
    if event in _UNDONE_BY:
        words[_UNDONE_BY[event], argument] = None
    words.pop((event, argument), None)


def _transaction(h: Happening, open_: dict[str, None]) -> None:
    id_ = _member(_member(h.payload, "transactionInfo"), "transactionId")
    if not isinstance(id_, str):
        return
    if _member(h.payload, "eventType") == "Ended":
        open_.pop(id_, None)
    else:
        open_[id_] = None


def _member(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, dict) else None
