"""One CALL at a time (OCPP-J 4.1.1): an answer belongs to the CALL whose messageId it has, however late it is, and ends it.

Knows messageIds and the order of messages. Must not know what any message is for.
"""

from __future__ import annotations

from collections.abc import Iterator

from strategies.model.events import (
    Answered,
    Called,
    Closed,
    Event,
    Objection,
    Opened,
    Stray,
    Weight,
)
from strategies.model.facts import Facts
from strategies.model.rule import Rule

ARRIVED_S = 3.0
"""How long after an answer was sent nothing of the station can have crossed it."""


class Exchange(Rule):
    """Follows the station's CALL that waits for its answer, answers that came to others, and CALLs that have theirs."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._ids: set[str] = set()
        self._ended: dict[str, Answered] = {}
        self._late = False
        self._stray = False
        self._undisciplined = False

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether the station goes on as if an answer to something else had been the answer to its CALL."""
        waiting = self._facts.outstanding
        match event:
            case Called():
                yield from self._next(event, waiting)
                yield from self._again(event)
                self._late = self._stray = False
                self._ids.add(event.id)
            case Answered() if waiting is not None and event.called is not waiting:
                self._late = True
            case Answered() if event.proper and event.prompt and not event.error_code:
                self._ended[event.called.id] = event
            case Opened() | Closed():
                self._ended.clear()
            case Stray() if waiting is not None and event.id != waiting.id:
                self._late |= event.id in self._ids
                self._stray |= event.id not in self._ids
            case _:
                pass

    def _again(self, event: Called) -> Iterator[Objection]:
        """Errata 2024-09 let a CALL be sent again under its messageId: one without an answer, not one that has it (4.1.4)."""
        answer = self._ended.get(event.id)
        if answer is None or event.at_s - answer.at_s < ARRIVED_S:
            return
        called = answer.called
        if (called.action, called.payload) == (event.action, event.payload):
            yield Objection(
                "Part 4 section 4.1.4",
                "answered CALL sent again",
                f"{event.action} came again with its messageId {event.at_s - answer.at_s:.1f} s after it had been answered",
            )

    def _next(self, event: Called, waiting: Called | None) -> Iterator[Objection]:
        # Half of what the station declares: what it really waits is its own choice (Part 2 section 3.2).
        if waiting is None or event.at_s - waiting.at_s > self._facts.timeout_s / 2:
            return
        if not (self._late or self._stray):
            self._undisciplined = True
        elif not self._undisciplined:
            whose = "late" if self._late else "foreign"
            yield Objection(
                "FR.01",
                f"{whose} answer taken for the next CALL's",
                f"{event.action} was sent while {waiting.action} had no answer; one with the messageId of"
                f" {'an earlier CALL' if self._late else 'no CALL'} was taken for it",
                weight=Weight.HIGH,
            )
