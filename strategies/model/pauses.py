"""EVs that pause (E01.FR.18, E02.FR.13): a change of chargingState is told by itself, and told whole.

Knows EVs that stop taking energy while their transaction charges. Must not know what else a transaction tells, nor who
ends it. Which of the other states it is said to be in is not judged: EVs differ in what they show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strategies.model.events import (
    PROMPT_S,
    Answered,
    Asked,
    Called,
    Event,
    Objection,
    Operated,
    Told,
    Weight,
    member,
    text,
)
from strategies.model.facts import Facts
from strategies.model.rule import Rule

_ALONE_S = 1.0
"""How long after anything else was done at the station a pause is a matter of its own."""

_SLOW_S = 0.5
_HARMLESS = frozenset({"GetTransactionStatus", "GetVariables"})


@dataclass(slots=True)
class _Paused:
    """A transaction whose EV takes no energy any more, and since when."""

    id: str
    at_s: float


class Pauses(Rule):
    """Follows one EV that pauses."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._paused: _Paused | None = None
        self._done_s = float("-inf")

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether an EV that paused long ago goes on, or goes, and nobody was told; after transactions took note."""
        match event:
            case Operated():
                yield from self._untold(event.at_s)
                self._paused = self._at(event) if event.deed == "stop-power" else None
                self._done_s = event.at_s
            case Asked() if event.action not in _HARMLESS:
                self._paused = None
            case Told():
                self._done_s = event.at_s
            case Called(action="TransactionEvent"):
                self._told(event)
                yield from _states(event)
            case Answered() if self._paused and event.at_s - event.called.at_s > _SLOW_S:
                # What it had to say waited for that.
                self._paused.at_s = event.at_s
            case _:
                pass

    def _at(self, event: Operated) -> _Paused | None:
        facts = self._facts
        mine = [t for t in facts.transactions.values() if t.open and t.evse == event.evse]
        able = facts.outstanding is None and not facts.away and event.evse in facts.plugged
        if len(mine) != 1 or not able or event.at_s - self._done_s < _ALONE_S:
            return None
        found = mine[0]
        charges = found.state == "Charging" and not found.offline
        return _Paused(found.id, event.at_s) if charges and found.last_s > facts.shaken_s else None

    def _told(self, event: Called) -> None:
        paused, info = self._paused, "transactionInfo"
        if paused is None or text(event.payload, info, "transactionId") != paused.id:
            return
        ends = text(event.payload, "eventType") == "Ended"
        if ends or text(event.payload, info, "chargingState") not in ("", "Charging"):
            self._paused = None

    def _untold(self, at_s: float) -> Iterator[Objection]:
        paused, facts = self._paused, self._facts
        able = facts.outstanding is None and not facts.away
        if paused is None or not able or facts.shaken_s > paused.at_s:
            return
        if at_s - paused.at_s >= PROMPT_S:
            yield Objection(
                "E01.FR.18, E02.FR.13",
                "change of chargingState never told",
                "an EV stopped taking energy during a transaction, and no event said that it does not charge any more",
            )


def _states(event: Called) -> Iterator[Objection]:
    """TransactionType: chargingState is required when it has changed."""
    changed = text(event.payload, "triggerReason") == "ChargingStateChanged"
    if changed and member(event.payload, "transactionInfo", "chargingState") is None:
        yield Objection(
            "E01.FR.18, TransactionType",
            "ChargingStateChanged without a chargingState",
            "a transaction event says that the chargingState has changed, and not to what",
            weight=Weight.LOW,
        )
