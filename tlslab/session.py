"""What OCPP must offer so that the lab can work: to take a decrypted stream, to ask, to wait, to tell of events.

Knows shapes only; `fuzz` implements them. The lab itself knows no OCPP message but by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from tlslab.seen import Connection

Payload: TypeAlias = Mapping[str, Any]
"""The payload of an OCPP message; its shape is OCPP's business."""

Where: TypeAlias = "Mapping[str, object] | Callable[[Payload], object] | None"
"""Which messages count: those with these members, or for which the function holds."""


class SessionError(Exception):
    """The conversation did not go on; the text says what was wanted and what came."""


class NotAnswered(SessionError):
    """No answer came in time, or the connection ended instead."""


class AnsweredWithError(SessionError):
    """The answer was a CALLERROR with this code, or no proper answer, for which it would be the code (`broken`)."""

    def __init__(self, action: str, code: str, *, broken: bool = False) -> None:
        what = f"something that is no proper answer ({code})" if broken else f"CALLERROR {code}"
        super().__init__(f"{action} was answered with {what}")
        self.code = code
        self.broken = broken


class NotSeen(SessionError):
    """What was waited for did not come."""


class Stream(Protocol):
    """Decrypted bytes in both directions."""

    async def read(self) -> bytes:
        """The next bytes; b"" at the end. Never raises."""
        ...

    async def write(self, data: bytes) -> None:
        """Say something; silently lost when the other end is gone."""
        ...

    async def close(self) -> None:
        """End it, properly as far as possible."""
        ...


class Session(Protocol):
    """Our CSMS end of the conversation with a Charging Station under test."""

    async def serve(self, stream: Stream, connection: Connection) -> None:
        """Speak HTTP, WebSocket and OCPP on a decrypted stream until it ends."""
        ...

    @property
    def connected(self) -> bool:
        """Whether a WebSocket with the Charging Station is open."""
        ...

    @property
    def booted(self) -> int:
        """How many BootNotifications came so far."""
        ...

    async def drop(self) -> None:
        """Close every connection with the Charging Station."""
        ...

    async def call(self, action: str, payload: Payload, *, within: float | None = None) -> Payload:
        """The payload of the CALLRESULT. Raises `NotAnswered` or `AnsweredWithError`."""
        ...

    async def wait_for(self, action: str, where: Where = None, *, within: float) -> Payload:
        """The next CALL of the Charging Station like this that nobody took yet. Raises `NotSeen`."""
        ...

    def heard(self, action: str, where: Where = None) -> Sequence[Payload]:
        """CALLs like this that nobody took, oldest first; they stay."""
        ...

    def forget(self, *actions: str) -> None:
        """CALLs of these actions, or all, that came so far count no more."""
        ...

    def answer(self, action: str, payload: Payload, *, times: int = 1_000_000) -> None:
        """The next so many CALLs of this action are answered with this payload instead of the usual one."""
        ...

    def answer_properly(self, *actions: str) -> None:
        """CALLs of these actions, or all, are answered as usual again."""
        ...

    def mute(self, action: str) -> None:
        """CALLs of this action get no answer at all, until `answer_properly`."""
        ...

    def events(self) -> Sequence[tuple[str, str]]:
        """(type, techInfo) of every SecurityEventNotification of this session so far, oldest first."""
        ...

    async def operator(self, event: str, argument: str = "") -> bool:
        """Have something done at the Charging Station, such as `power-cycle`; False when nobody can."""
        ...

    async def get_variable(self, component: str, name: str) -> str | None:
        """The actual value; None when it cannot be read. Raises `SessionError`."""
        ...

    async def set_variable(self, component: str, name: str, value: str) -> str:
        """The attributeStatus that came. What was set is set back after the lab. Raises `SessionError`."""
        ...


class Dialogue(Protocol):
    """One conversation as a Charging Station with a CSMS under test, over one connection."""

    @property
    def status(self) -> int:
        """The HTTP status of the upgrade; 0 when no answer came."""
        ...

    @property
    def open(self) -> bool:
        """Whether the WebSocket is open."""
        ...

    async def call(self, action: str, payload: Payload, *, within: float = 10.0) -> Payload:
        """The payload of the CALLRESULT. Raises `NotAnswered` or `AnsweredWithError`."""
        ...

    async def wait_for(self, action: str, where: Where = None, *, within: float) -> Payload:
        """The next CALL of the CSMS like this; it is answered properly. Raises `NotSeen`."""
        ...

    def answer(self, action: str, payload: Payload) -> None:
        """The CSMS's CALLs of this action are answered with this payload."""
        ...

    async def close(self) -> None:
        """End the conversation; never raises."""
        ...


class Caller(Protocol):
    """Our Charging Station end: opens the WebSocket over a stream that the lab has made."""

    async def dial(
        self,
        stream: Stream,
        *,
        host: str,
        path: str,
        headers: Sequence[tuple[str, str]] = (),
        basic: tuple[str, str] | None = None,
        subprotocol: str | None = None,
    ) -> Dialogue:
        """The conversation; `status` tells whether it came about. Never raises for what the CSMS does.

        `subprotocol` is offered in the place of OCPP's; "" offers none.
        """
        ...
