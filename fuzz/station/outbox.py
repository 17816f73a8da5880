"""Messages that must arrive: kept over lost connections and reboots, sent one after the other in order.

Knows when to send and when to send again (E13, A04.FR.02); must not know what a message means.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from fuzz.ocppj.peer import Unanswered
from fuzz.station.states import Registration
from strategies.labels import JsonObject

if TYPE_CHECKING:
    from fuzz.station.context import Context, Outcome

Heard: TypeAlias = "Callable[[JsonObject, Outcome], None]"


@dataclass(slots=True)
class Letter:
    """One message on its way; `tries` counts how often it was sent."""

    action: str
    payload: JsonObject
    tries: int = 0


class Outbox:
    """A queue of messages of one kind with guaranteed delivery.

    `heard` is called with the payload and the last outcome once a message is delivered or given up.
    """

    def __init__(self, context: Context, heard: Heard) -> None:
        self._context = context
        self._heard = heard
        self._letters: deque[Letter] = deque()
        self._under_way: Letter | None = None

    @property
    def waiting(self) -> tuple[Letter, ...]:
        """What is not delivered yet, oldest first, the one under way included."""
        return tuple(self._letters)

    def put(self, action: str, payload: JsonObject) -> None:
        """Queues a message; goes out at once when the connection allows."""
        self._letters.append(Letter(action, payload))
        self._context.dirty = True
        self.pump()

    def pump(self) -> None:
        """Sends the oldest message, if it may be sent and none is under way."""
        if self._under_way is not None or not self._letters:
            return
        if self._context.registration is not Registration.ACCEPTED:
            return
        letter = self._letters[0]
        if self._context.ask(letter.action, letter.payload, then=self._hear):
            letter.tries += 1
            self._under_way = letter

    def _hear(self, outcome: Outcome) -> None:
        letter, self._under_way = self._under_way, None
        if letter is None or (isinstance(outcome, Unanswered) and not self._context.connected):
            return
        self._letters.popleft()
        self._context.dirty = True
        self._heard(letter.payload, outcome)
        self.pump()
