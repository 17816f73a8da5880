"""One end of an OCPP-J conversation: who asked what, what may be asked next, what an answer belongs to (FR.01 to FR.05).

Used by both reference ends. Knows rules of RPC and of payloads; must not know what any action means. Text and a time go
in, one event comes out; the owner moves the bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from fuzz.errors import LocalProtocolError, RemoteProtocolError
from fuzz.ocppj.codec import BrokenAnswer, decode, encode
from fuzz.ocppj.frames import Call, CallError, CallResult, ErrorCode
from fuzz.ocppj.payloads import validate_payload, validate_schema
from strategies.labels import JsonObject, JsonValue, Kind
from strategies.version import Version

Validate: TypeAlias = Callable[[str, Kind, JsonValue, Version], RemoteProtocolError | None]
Gate: TypeAlias = Callable[[], RemoteProtocolError | None]


@dataclass(frozen=True, slots=True)
class CallReceived:
    """The peer asks something proper; the owner answers with `answer` or `refuse`. `size` is in bytes."""

    call: Call
    size: int


@dataclass(frozen=True, slots=True)
class Reply:
    """The peer's message was no proper CALL: send `text` back. `error` says why."""

    text: str
    error: RemoteProtocolError


@dataclass(frozen=True, slots=True)
class Answered:
    """Our CALL was answered with a proper CALLRESULT."""

    call: Call
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Refused:
    """Our CALL was answered with a CALLERROR, or with something that is no proper answer (then `broken`)."""

    call: Call
    code: str
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Our CALL was not answered in time; whatever comes later is ignored."""

    call: Call


@dataclass(frozen=True, slots=True)
class Ignored:
    """An answer to nothing that we asked; it is never answered (Part 4 section 4.2.3)."""

    why: str


_STRAY = Ignored("an answer to nothing that we asked")

PeerEvent: TypeAlias = CallReceived | Reply | Answered | Refused | Ignored


def _open_gate() -> None:
    return None


class Peer:
    """The bookkeeping of one end; outlives connections, since message ids are unique over all of them."""

    def __init__(
        self,
        version: Version,
        *,
        ids: Callable[[], str],
        serves: Collection[str] = (),
        timeout_s: float = 30.0,
        max_queue: int = 256,
        validate: Validate = validate_payload,
        gate: Gate = _open_gate,
    ) -> None:
        """A peer with nothing said yet.

        Args:
            version: the protocol version.
            ids: gives a message id that was never used before.
            serves: the actions that this end answers; other known ones get NotSupported.
            timeout_s: how long an answer may take (Part 2, MessageTimeout).
            max_queue: how many CALLs may wait for their turn; bounds what a silent peer can cost.
            validate: judges payloads of the other end.
            gate: may refuse every CALL for the present, such as before an accepted boot (B03.FR.08).
        """
        self.timeout_s = timeout_s
        self.validate = validate
        self.gate = gate
        self._version = version
        self._serves = frozenset(serves)
        self._ids = ids
        self._max_queue = max_queue
        self._queue: deque[Call] = deque()
        self._outstanding: Call | None = None
        self._expires = 0.0
        self._working: set[str] = set()

    def serve(self, actions: Collection[str]) -> None:
        """Answers `actions` from now on, and no others."""
        self._serves = frozenset(actions)

    @property
    def room(self) -> int:
        """How many more CALLs may be queued."""
        return self._max_queue - len(self._queue)

    @property
    def outstanding(self) -> Call | None:
        """Our CALL that waits for its answer."""
        return self._outstanding

    @property
    def deadline(self) -> float | None:
        """When `expire` has something to say."""
        return self._expires if self._outstanding else None

    def call(self, action: str, payload: JsonObject, *, proper: bool = True) -> Call:
        """Queues a CALL of ours; `pump` says when it goes out. With `proper` False the payload may be anything.

        Raises:
            LocalProtocolError: the payload is not a proper one, or the queue is full.
        """
        wrong = validate_schema(action, Kind.REQUEST, payload, self._version) if proper else None
        if wrong:
            raise LocalProtocolError(f"our own {action} is wrong: {wrong.text}")
        if self.room <= 0:
            raise LocalProtocolError(f"more than {self._max_queue} CALLs wait; look at room first")
        call = Call(self._ids(), action, payload)
        self._queue.append(call)
        return call

    def pump(self, now: float) -> str | None:
        """The next text to send, None while an earlier CALL of ours waits for its answer (FR.01)."""
        if self._outstanding or not self._queue:
            return None
        self._outstanding = self._queue.popleft()
        self._expires = now + self.timeout_s
        return encode(self._outstanding)

    def hear(self, text: str) -> PeerEvent:
        """What one text message of the peer means. Never raises, whatever the text."""
        try:
            frame = decode(text, self._version)
        except BrokenAnswer as error:
            asked = self._settle(error.message_id)
            return Refused(asked, error.code, broken=True) if asked else _STRAY
        except RemoteProtocolError as error:
            # A new one: what was caught holds on to the whole text, in a circle with whoever is given it.
            return self._reply(
                RemoteProtocolError(error.code, error.text, message_id=error.message_id)
            )
        match frame:
            case Call():
                return self._judge(frame, text)
            case CallResult():
                asked = self._settle(frame.id)
                return self._read_result(asked, frame.payload) if asked else _STRAY
            case CallError():
                asked = self._settle(frame.id)
                return Refused(asked, frame.code) if asked else _STRAY
            case _:
                assert_never(frame)

    def hear_bytes(self) -> PeerEvent:
        """What a binary message means: OCPP-J is text only (Part 4 section 3)."""
        return self._reply(
            RemoteProtocolError(ErrorCode.RPC_FRAMEWORK_ERROR, "the message is binary")
        )

    def answer(self, call: Call, payload: JsonObject) -> str:
        """The CALLRESULT for a received CALL."""
        self._working.discard(call.id)
        return encode(CallResult(call.id, payload))

    def refuse(self, call: Call, error: RemoteProtocolError) -> str:
        """The CALLERROR for a received CALL."""
        self._working.discard(call.id)
        return self._error_text(error, call.id)

    def expire(self, now: float) -> Unanswered | None:
        """The CALL of ours whose time is over, once."""
        call = self._outstanding
        if call is None or now < self._expires:
            return None
        self._outstanding = None
        return Unanswered(call)

    def forget(self) -> tuple[Call, ...]:
        """Drops what the lost connection left open; returns our CALLs that nobody will answer, oldest first."""
        lost = (*([self._outstanding] if self._outstanding else []), *self._queue)
        self._outstanding = None
        self._queue.clear()
        self._working.clear()
        return lost

    def _judge(self, call: Call, text: str) -> PeerEvent:
        error = self._fault(call)
        if error is not None:
            return self._reply(error, call.id)
        self._working.add(call.id)
        return CallReceived(call, len(text) if text.isascii() else len(text.encode()))

    def _fault(self, call: Call) -> RemoteProtocolError | None:
        if call.id in self._working:
            return RemoteProtocolError(
                ErrorCode.RPC_FRAMEWORK_ERROR, "a CALL with this messageId is being handled"
            )
        if closed := self.gate():
            return closed
        if call.action not in self._version.actions:
            return RemoteProtocolError(ErrorCode.NOT_IMPLEMENTED, "the action is not known")
        if call.action not in self._serves:
            return RemoteProtocolError(ErrorCode.NOT_SUPPORTED, "the action is not supported here")
        return self.validate(call.action, Kind.REQUEST, call.payload, self._version)

    def _read_result(self, call: Call, payload: JsonObject) -> Answered | Refused:
        wrong = self.validate(call.action, Kind.RESPONSE, payload, self._version)
        return Refused(call, wrong.code, broken=True) if wrong else Answered(call, payload)

    def _settle(self, message_id: str) -> Call | None:
        """Our outstanding CALL, no longer outstanding, if this is its answer."""
        call = self._outstanding
        if call is None or call.id != message_id:
            return None
        self._outstanding = None
        return call

    def _reply(self, error: RemoteProtocolError, message_id: str | None = None) -> Reply:
        id_ = error.message_id if message_id is None else message_id
        return Reply(self._error_text(error, id_), error)

    def _error_text(self, error: RemoteProtocolError, message_id: str) -> str:
        limit = self._version.max_error_description
        return encode(CallError(message_id, error.code, error.text[:limit]))
