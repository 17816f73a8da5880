"""What is said and done in a case, one step at a time.

Knows words and seconds only. Must not know who plays a step or how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from strategies.labels import Text


@dataclass(frozen=True, slots=True)
class SendText:
    """Send one WebSocket text message. Slots in braces, such as `{call.id}`, are filled when it is said."""

    text: Text


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Send one WebSocket message of raw bytes; `opcode` is `text` or `binary`."""

    data: bytes
    opcode: str = "text"


@dataclass(frozen=True, slots=True)
class SendFrames:
    """Write raw bytes below the WebSocket layer, past every library's checks."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """Make a CALL that belongs to the scene and wait for its answer, at most the target's own MessageTimeout.

    Unlike `SendText` it is no hostile message: the answers to it are judged by what the whole scene shows.
    """

    text: Text


@dataclass(frozen=True, slots=True)
class Settle:
    """Wait until the hostile message said last is answered, or known not to be."""


@dataclass(frozen=True, slots=True)
class AnswerNext:
    """Answer the target's next CALL of `action` with `text` instead of the voice's own answer; no text, no answer.

    `{call.id}` is that CALL's messageId. Several for one action are used up in their order.
    """

    action: str
    text: Text = ()


@dataclass(frozen=True, slots=True)
class Expect:
    """Wait until the target has sent a CALL of `action` that no earlier `Expect` took, at most `timeout_s` seconds.

    `where` holds pairs of a JSON pointer into the payload and the text, whole number, `true` or `false` there, all of which
    must fit.
    """

    action: str
    timeout_s: float = 30.0
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Say nothing for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection with `code`; the next step needs a new one.

    Code 1006 cuts it without a close frame. Code 0 leaves it half-open: it stays, and nobody reads it any more, until a
    step finds no other connection to go on with, or the scene ends.
    """

    code: int = 1000


@dataclass(frozen=True, slots=True)
class Operator:
    """Ask the person or relay at the target to do something."""

    event: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class RepeatSteps:
    """Do `steps` `times` times."""

    steps: tuple[Step, ...]
    times: int


@dataclass(frozen=True, slots=True)
class TlsStep:
    """Play the TLS lab's case `id`."""

    id: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Misbehave:
    """Treat the target's next `times` attempts to connect in the way called `how` (a name of `fuzz.transport`)."""

    how: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Gauge:
    """Read the figures of the target's process now, under the name `label`."""

    label: str


Step: TypeAlias = (
    SendText
    | SendBytes
    | SendFrames
    | Ask
    | Settle
    | AnswerNext
    | Expect
    | Wait
    | Disconnect
    | Operator
    | RepeatSteps
    | Misbehave
    | Gauge
    | TlsStep
)
