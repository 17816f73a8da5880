"""The moves of a conversation with a Charging Station: what a CSMS, a tester beside the station, or the network does next.

Knows words only: no network, no case, no verdict. Texts and payloads may hold slots such as `{asked.id}` or `{tx.id}`, which
whoever plays the moves fills.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from strategies.labels import JsonObject


@dataclass(frozen=True, slots=True)
class Ask:
    """Make a CALL and wait for its answer."""

    action: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Tell:
    """Send one message and wait for nothing: an answer that nobody waits for, or a CALL that crosses another."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer the station's next CALL of `action` with `payload`, or with the CALLERROR `error`."""

    action: str
    payload: JsonObject | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class AnswerText:
    """Answer the station's next CALL of `action` with this text; `{call.id}` is that CALL's messageId."""

    action: str
    text: str


@dataclass(frozen=True, slots=True)
class Withhold:
    """Do not answer the station's next CALL of `action`."""

    action: str


@dataclass(frozen=True, slots=True)
class Await:
    """Wait for a CALL of the station in which `where` (JSON pointers and texts) holds, at most `timeout_s`."""

    action: str
    where: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 12.0


@dataclass(frozen=True, slots=True)
class Act:
    """Have something done at the station, in the words of its console: `plug-in 1`, `present-token 04A1B2C3`."""

    words: str

    @property
    def event(self) -> str:
        """The first word."""
        return self.words.partition(" ")[0]

    @property
    def argument(self) -> str:
        """All others."""
        return self.words.partition(" ")[2]


@dataclass(frozen=True, slots=True)
class Pause:
    """Let `seconds` pass, and serve the station meanwhile."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Leave:
    """End the connection with a close code; 1006 cuts it without a close frame (RFC 6455 section 7.1.5).

    Code 0 leaves it half-open: it stays, and nobody reads it any more.
    """

    code: int = 1000


@dataclass(frozen=True, slots=True)
class Again:
    """Do `moves` `times` times."""

    moves: tuple[Move, ...]
    times: int


Move: TypeAlias = (
    "Ask | Tell | Answer | AnswerText | Withhold | Await | Act | Pause | Leave | Again"
)


def flat(moves: Sequence[Move]) -> Iterator[Move]:
    """Every move once, those that are repeated included."""
    for move in moves:
        if isinstance(move, Again):
            yield from flat(move.moves)
        else:
            yield move


def asks(moves: Sequence[Move]) -> frozenset[str]:
    """The actions of the CALLs that are made."""
    return frozenset(move.action for move in flat(moves) if isinstance(move, Ask))


def acts(moves: Sequence[Move]) -> frozenset[str]:
    """The first words of what is done at the station."""
    return frozenset(move.event for move in flat(moves) if isinstance(move, Act))
