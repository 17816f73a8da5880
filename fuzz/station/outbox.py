"""Messages that must arrive: kept over lost connections and reboots, sent one after the other in order.

Knows when to send and when to send again (E13, A04.FR.02) and which messages may be left out when memory is short;
must not know how a message comes about.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from fuzz.ocppj.payloads import validate_schema
from fuzz.ocppj.peer import Answered, Refused
from fuzz.station.states import Registration
from strategies.labels import JsonObject, JsonValue, Kind
from strategies.version import version

if TYPE_CHECKING:
    from fuzz.station.context import Context, Outcome

Heard: TypeAlias = "Callable[[JsonObject, Outcome], None]"

MAX_WAITING = 1_000
"""More letters than these are thinned: a CSMS that never answers must not cost all memory."""

_TRANSACTION = "TransactionEvent"
_RETRY_S = 60.0
_ROOM_S = 1.0


@dataclass(slots=True)
class Letter:
    """One message on its way; `failures` counts the sends that were answered with a CALLERROR or not at all."""

    action: str
    payload: JsonObject
    failures: int = 0


class Outbox:
    """A queue of messages of one action with guaranteed delivery.

    `heard` is called with the payload and the last outcome once a message is delivered or given up. An outbox that is
    in `context.outboxes` is pumped, kept and restored by OutboxesBlock; its owner only puts.
    """

    def __init__(self, context: Context, heard: Heard, *, max_waiting: int = MAX_WAITING) -> None:
        self._context = context
        self._heard = heard
        self._max_waiting = max_waiting
        self._letters: deque[Letter] = deque()
        self._under_way: Letter | None = None
        self._not_before = 0.0

    @property
    def waiting(self) -> tuple[Letter, ...]:
        """What is not delivered yet, oldest first, the one under way included."""
        return tuple(self._letters)

    @property
    def full(self) -> bool:
        """Whether so much waits that nothing new should be begun; what is put all the same is still kept."""
        return len(self._letters) >= self._max_waiting

    def put(self, action: str, payload: JsonObject) -> None:
        """Queues a message; goes out at once when the connection allows."""
        letter = Letter(action, payload)
        if not self._context.connected:
            _mark_offline(letter)
        self._letters.append(letter)
        if len(self._letters) > self._max_waiting:
            self._thin()
        self._context.dirty = True
        self.pump()

    def pump(self) -> None:
        """Sends the oldest message, if it may be sent and none is under way."""
        if self._under_way is not None or not self._letters or not self._linked:
            return
        letter = self._letters[0]
        if self._context.now < self._not_before:
            self._later(self._not_before)
        elif self._context.ask(letter.action, letter.payload, then=self._hear):
            self._under_way = letter
        else:
            self._later(self._context.now + _ROOM_S)

    def link_lost(self) -> None:
        """Whatever waits now will have been sent offline (E11.FR.07)."""
        for letter in self._letters:
            _mark_offline(letter)
            self._context.dirty = True

    def lasting(self) -> list[JsonValue]:
        """All that waits, as JSON; the one under way is sent again after a restart."""
        return [
            {"action": letter.action, "payload": letter.payload, "failures": letter.failures}
            for letter in self._letters
        ]

    def restore(self, stored: JsonValue) -> None:
        """Takes over what `lasting` gave once; what is no proper message is left out."""
        listed = stored if isinstance(stored, list) else []
        self._letters = deque(letter for item in listed if (letter := _letter(item)) is not None)

    @property
    def _linked(self) -> bool:
        # Only an accepted station may talk (B01.FR.08, B02.FR.02).
        context = self._context
        return context.connected and context.registration is Registration.ACCEPTED

    def _later(self, when: float) -> None:
        self._context.at(f"outbox {self._letters[0].action}", when, self.pump)

    def _hear(self, outcome: Outcome) -> None:
        letter, self._under_way = self._under_way, None
        if letter is None or not self._linked:
            # The link was lost: no attempt has failed, and the letter waits for the next connection.
            return
        if self._is_to_be_repeated(letter, outcome):
            self._not_before = self._context.now + self._wait_s(letter)
        else:
            self._letters.popleft()
            self._heard(letter.payload, outcome)
        self._context.dirty = True
        self.pump()

    def _is_to_be_repeated(self, letter: Letter, outcome: Outcome) -> bool:
        if isinstance(outcome, Answered):
            return False
        if letter.action != _TRANSACTION:
            # A CALLERROR is an answer, too: to say the same again would not change it.
            return not isinstance(outcome, Refused)
        letter.failures += 1
        # E13.FR.01, FR.03 and FR.04: so many sends in all, then it is given up and the next one goes.
        return letter.failures < self._setting("MessageAttempts")

    def _wait_s(self, letter: Letter) -> float:
        if letter.action != _TRANSACTION:
            return _RETRY_S
        return self._setting("MessageAttemptInterval") * letter.failures  # E13.FR.02

    def _setting(self, name: str) -> int:
        return self._context.model.number("OCPPCommCtrlr", name, _TRANSACTION)

    def _thin(self) -> None:
        """Drops the 2nd, 4th ... intermediate event, never the first letter, a beginning or an end.

        Of other messages the oldest that is not under way makes room.
        """
        if self._letters[0].action != _TRANSACTION:
            del self._letters[1]
            return
        between = [letter for letter in list(self._letters)[1:] if _is_intermediate(letter)]
        dropped = {id(letter) for letter in between[1::2]}
        self._letters = deque(letter for letter in self._letters if id(letter) not in dropped)


def _mark_offline(letter: Letter) -> None:
    if letter.action == _TRANSACTION:
        letter.payload = {**letter.payload, "offline": True}


def _is_intermediate(letter: Letter) -> bool:
    return letter.payload.get("eventType") == "Updated"


def _letter(item: JsonValue) -> Letter | None:
    stored = item if isinstance(item, dict) else {}
    action, payload, failures = (stored.get(key) for key in ("action", "payload", "failures"))
    if not isinstance(action, str) or not isinstance(payload, dict):
        return None
    if action not in version().actions or validate_schema(action, Kind.REQUEST, payload, version()):
        return None
    return Letter(action, payload, max(0, failures) if type(failures) is int else 0)
