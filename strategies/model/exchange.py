"""One CALL at a time (OCPP-J 4.1.1): an answer belongs to the CALL whose messageId it has, however late it is.

Knows messageIds and the order of messages. Must not know what any message is for.
"""

from __future__ import annotations

from collections.abc import Iterator

from strategies.model.events import Answered, Called, Event, Objection, Stray, Weight
from strategies.model.facts import Facts
from strategies.model.rule import Rule


class Exchange(Rule):
    """Follows the station's CALL that waits for its answer, and answers that came to others."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._ids: set[str] = set()
        self._late = False
        self._stray = False
        self._undisciplined = False

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether the station goes on as if an answer to something else had been the answer to its CALL."""
        waiting = self._facts.outstanding
        match event:
            case Called():
                yield from self._next(event, waiting)
                self._late = self._stray = False
                self._ids.add(event.id)
            case Answered() if waiting is not None and event.called is not waiting:
                self._late = True
            case Stray() if waiting is not None and event.id != waiting.id:
                self._late |= event.id in self._ids
                self._stray |= event.id not in self._ids
            case _:
                pass

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
