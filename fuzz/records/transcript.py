"""What went over a connection, line by line, and how a connection or a process ended.

Knows what was seen, read as leniently as possible. Must not know what was expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from strategies.labels import JsonValue


class Who(StrEnum):
    """Who did what a transcript entry tells."""

    US = "us"
    TARGET = "target"
    HARNESS = "harness"


WENT_ON, LEFT_OPEN = "it went on all the same", "it called again, and left the connection open"
"""What is told behind the way in which a caller was received badly, and a colon, of one that made something of it."""

ENDED_TO_RESTART = "instead of restarting by itself the process ended with "
"""What a note tells before the symptom of a process that was asked to restart, and that we started again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a transcript.

    `at_s` is seconds since the case began. `kind` is `text`, `bytes`, `frames`, `pong`, `caller`, `open`, `close`,
    `process`, `operator` or `note`. `text` of `bytes`, `frames` and `pong` is base64, of `caller` the way in which one
    was received badly. Secrets stay slots.
    """

    at_s: float
    who: Who
    kind: str
    text: str


class FrameKind(StrEnum):
    """What a message from the target claims to be."""

    CALL = "CALL"
    CALLRESULT = "CALLRESULT"
    CALLERROR = "CALLERROR"
    OTHER = "other"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class Heard:
    """One message from the target, read as leniently as possible so that oracles can judge its shape.

    `items` are the elements of the outer array, () when it is not one. `kind` is CALL, CALLRESULT or CALLERROR by
    the first element alone; OTHER for other JSON; GARBAGE when it is not JSON or not text.
    """

    at_s: float
    text: str
    kind: FrameKind
    items: tuple[JsonValue, ...] = ()
    binary: bool = False

    @property
    def message_id(self) -> JsonValue:
        """The second element, whatever its type; None when absent."""
        return self.items[1] if len(self.items) > 1 else None

    @property
    def action(self) -> JsonValue:
        """The third element of a CALL; None otherwise."""
        return self.items[2] if self.kind is FrameKind.CALL and len(self.items) > 2 else None

    @property
    def payload(self) -> JsonValue:
        """The payload of a CALL or CALLRESULT; None when absent."""
        index = {FrameKind.CALL: 3, FrameKind.CALLRESULT: 2}.get(self.kind)
        return self.items[index] if index is not None and len(self.items) > index else None

    @property
    def error_code(self) -> JsonValue:
        """The errorCode of a CALLERROR; None otherwise."""
        return self.items[2] if self.kind is FrameKind.CALLERROR and len(self.items) > 2 else None


@dataclass(frozen=True, slots=True)
class Close:
    """How a connection ended. `code` 1006 means: without a close frame."""

    code: int
    reason: str = ""
    by_target: bool = True


class LinkClosed(Exception):
    """The connection is gone; carries how."""

    def __init__(self, close: Close) -> None:
        super().__init__(f"connection closed {close.code}")
        self.close = close


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """The end of a process that we own: exit code, or the signal that killed it (then `code` is negative)."""

    code: int

    @property
    def symptom(self) -> str:
        """Short and stable: `exit 1`, `signal 11`."""
        return f"signal {-self.code}" if self.code < 0 else f"exit {self.code}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as they went over a connection, `at_s` seconds after it began; `ours` when we said them."""

    at_s: float
    ours: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Tape:
    """The bytes of one connection: its opening handshake, and what the case has to do with.

    `ours` and `theirs` are addresses as (host, port), ("", 0) when not known. `ended_s` is None while it is open.
    """

    began: datetime
    ours: tuple[str, int]
    theirs: tuple[str, int]
    chunks: tuple[Chunk, ...]
    ended_s: float | None = None
