"""What waits to be sent (E04, E11, E14): what the station says of its queue, and which events it says happened offline.

Knows TransactionEvents and the network. Must not know whether anything got lost (`transactions` does).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
    Told,
    Weight,
    member,
    number,
    text,
)
from strategies.model.facts import NEVER, Facts
from strategies.model.rule import Rule

_QUIET_S = 1.0
"""How long no transaction event may have come before and after an answer that says that some wait."""

_NOTICED_S = 0.05
"""How long after its connection was closed a station must know of it."""


@dataclass(slots=True)
class _Claim:
    """An answer that says that messages wait, when nothing could."""

    at_s: float


class Backlog(Rule):
    """Follows the queue of transaction events from outside."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._stirred_s = NEVER
        self._acknowledged = False
        self._clear_when_asked: set[str] = set()
        self._claims: list[_Claim] = []
        self._cut_s = NEVER
        self._came_offline: set[int] = set()
        self._all_offline: set[int] = set()
        """Where an EV came and left while the network was cut, and none came since."""
        self._from_before: set[int] = set()
        """Where an EV was when the network was cut: what is told of it may have begun with the network."""
        self._back = False
        """Whether there was a new connection since: what comes over the old one was told before that was gone."""
        self._down_s = self._up_s = NEVER
        """When the connection was last lost to a cut, and when there was one again; the other one is over then."""
        self._cycled = False
        """Whether the power was lost: what ended by that is told of late, and nobody knows when it happened."""
        self._left: dict[str, bool] = {}
        """Transactions whose EV surely went without a connection (True) or with one, by id."""
        self._denied = False
        """Whether the station said on this connection that nothing waits, and nothing was done since."""
        self._waited: set[tuple[str, int]] = set()
        """What happened offline and was told since then."""
        self._online = True
        """Whether nothing that was seen has ever taken the connection away."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with an event, or with what was claimed a while ago."""
        if self._facts.outstanding is not None:
            # Whatever came up since waits for our answer.
            self._claims.clear()
        yield from self._confirmed(event.at_s)
        match event:
            case Asked(action="GetTransactionStatus") if self._clear(event.at_s):
                self._clear_when_asked.add(event.id)
            case Told(asked=Asked(action="GetTransactionStatus")):
                self._status(event)
                self._deny(event)
            case Called(action="TransactionEvent"):
                self._claims.clear()
                self._stirred_s = event.at_s
                yield from self._event(event)
                yield from self._in_spite_of(event)
            case Answered(called=Called(action="TransactionEvent")):
                self._acknowledged |= event.proper and not event.error_code
            case Operated():
                self._denied = False
                self._operated(event)
            case Closed() | Opened() | Died():
                self._online = self._denied = False
                self._back |= isinstance(event, Opened)
                self._turned(event)
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """What is wrong with what was claimed last."""
        yield from self._confirmed(end_s)

    # --- E14 ----------------------------------------------------------------------------------------------

    def _clear(self, at_s: float) -> bool:
        """Whether nothing can wait: what came last was acknowledged, as was all before it (E13)."""
        facts = self._facts
        shaken = facts.shaken_s > NEVER or facts.outstanding is not None
        return self._acknowledged and not shaken and at_s - self._stirred_s > _QUIET_S

    def _status(self, event: Told) -> None:
        waits = member(event.payload, "messagesInQueue") is True
        if waits and event.asked.id in self._clear_when_asked:
            self._claims.append(_Claim(event.at_s))

    def _deny(self, event: Told) -> None:
        of_all = (
            isinstance(event.asked.payload, dict) and "transactionId" not in event.asked.payload
        )
        if of_all and member(event.payload, "messagesInQueue") is False:
            self._denied, self._waited = self._back, set()

    def _in_spite_of(self, event: Called) -> Iterator[Objection]:
        """E14: of two events that happened offline and come now, one at least still waited; the other may have been under way."""
        id_ = text(event.payload, "transactionInfo", "transactionId")
        found, seq = self._facts.transaction(id_), number(event.payload, "seqNo")
        if not self._denied or seq is None or member(event.payload, "offline") is not True:
            return
        self._waited.add((id_.casefold(), seq))
        if len(self._waited) > 1 and found is not None:
            self._denied = False
            yield Objection(
                "E14",
                "messages that wait are denied",
                "GetTransactionStatus says that no message waits, and events that happened offline follow",
                weight=Weight.LOW,
            )

    def _confirmed(self, at_s: float) -> Iterator[Objection]:
        if self._claims and at_s - self._claims[0].at_s > _QUIET_S:
            self._claims.clear()
            yield Objection(
                "E14",
                "messages in queue that never come",
                "GetTransactionStatus says that messages wait, all that came were acknowledged, and none followed",
            )

    # --- offline ------------------------------------------------------------------------------------------

    def _operated(self, event: Operated) -> None:
        self._stirred_s = event.at_s
        self._claims.clear()
        match event.deed:
            case "cut-network":
                self._cut_s, self._online, self._back = event.at_s, False, False
                self._from_before = set(self._facts.plugged)
            case "restore-network":
                self._cut_s = NEVER
            case "power-cycle":
                self._online = False
                self._cycled = True
                self._left.clear()
            case "plug-in":
                self._all_offline.discard(event.evse)
                if self._cut_s > NEVER:
                    self._came_offline.add(event.evse)
            case "unplug":
                self._unplugged(event)
                if self._cut_s > NEVER and event.evse in self._came_offline:
                    self._all_offline.add(event.evse)
                self._came_offline.discard(event.evse)
            case _:
                pass

    def _turned(self, event: Closed | Opened | Died) -> None:
        idle = self._facts.outstanding is None
        cut = isinstance(event, Closed) and self._cut_s > NEVER
        self._down_s = event.at_s if cut and idle else NEVER
        self._up_s = event.at_s if isinstance(event, Opened) else NEVER
        # What went under way with a connection, and was lost with it, may be told in either way.
        self._left = {id_: gone for id_, gone in self._left.items() if gone}

    def _unplugged(self, event: Operated) -> None:
        facts = self._facts
        mine = [t for t in facts.transactions.values() if t.open and t.evse == event.evse]
        doubtful = self._cycled or event.evse in self._came_offline or facts.outstanding is not None
        if len(mine) != 1 or doubtful or event.evse not in facts.plugged:
            return
        if self._down_s > NEVER and event.at_s - self._down_s >= _NOTICED_S:
            self._left[mine[0].id.casefold()] = True
        elif self._up_s > NEVER and event.at_s - self._up_s >= _QUIET_S and self._cut_s == NEVER:
            self._left[mine[0].id.casefold()] = False

    def _flag(self, event: Called) -> Iterator[Objection]:
        """Whether the end that an EV brought about by going says rightly if there was a connection."""
        id_ = text(event.payload, "transactionInfo", "transactionId").casefold()
        ended = text(event.payload, "transactionInfo", "stoppedReason") == "EVDisconnected"
        gone = ended or text(event.payload, "triggerReason") == "EVCommunicationLost"
        offline = member(event.payload, "offline") is True
        if id_ not in self._left or not gone:
            return
        without = self._left.pop(id_)
        if without and not offline:
            yield Objection(
                "E04, E11.FR.07",
                "offline event told as if online",
                "an EV went while the network was cut, and the event that tells of it does not say offline",
                weight=Weight.LOW,
            )
        if offline and not without:
            yield Objection(
                "E04, E11.FR.07",
                "online event told as if offline",
                "an EV went while the station was connected again, and the event that tells of it says offline",
                weight=Weight.LOW,
            )

    def _event(self, event: Called) -> Iterator[Objection]:
        yield from self._flag(event)
        offline = member(event.payload, "offline")
        found = self._facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        if offline is True and self._online and found is not None and found.begun:
            yield Objection(
                "E04",
                "offline although connected",
                "a transaction event says that it happened offline, and nothing was interrupted since the scene began",
                weight=Weight.LOW,
            )
        if offline is not True and text(event.payload, "eventType") == "Started":
            evse = number(event.payload, "evse", "id")
            offline_alone = self._all_offline - self._from_before
            if evse in offline_alone and self._back and self._cut_s == NEVER:
                yield Objection(
                    "E04, E11.FR.07",
                    "offline event told as if online",
                    "a transaction took place while the network was cut, and its Started does not say offline",
                    weight=Weight.LOW,
                )
