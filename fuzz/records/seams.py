"""The seams between the rooms: what a `Link`, a `Voice`, a `Door`, a `Target` and a `Catcher` must offer.

Knows what goes through them. Must not know how any of them is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from fuzz.records.case import Side
from fuzz.records.observation import Caught, Figures
from fuzz.records.transcript import ProcessEnd, Tape
from strategies.labels import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Handshake:
    """What is known of a connection before its first message; empty strings and None mean: not known.

    `host` is whom a caller means to call, as its Host header tells (RFC 9110 section 7.2).
    `context_takeover` tells whether our compressed messages may build upon earlier ones (RFC 7692 section 7.1.1).
    `password` tells which password a caller gave, never the password itself: 0 is the configured one, n the n-th of
    those that it was told since. `secret` is what stands for it in transcripts.
    `peer_certificate` is the verified certificate of the peer, DER.
    """

    identity: str = ""
    path: str = ""
    host: str = ""
    subprotocol: str = ""
    offered_subprotocols: tuple[str, ...] = ()
    remote: str = ""
    tls_version: str = ""
    cipher_suite: str = ""
    peer_common_name: str = ""
    basic_user: str = ""
    password: int | None = None
    secret: str = ""
    compression: bool = False
    context_takeover: bool = False
    peer_certificate: bytes = b""


class Link(Protocol):
    """One open connection that moves whole messages and knows no meaning."""

    @property
    def handshake(self) -> Handshake:
        """How the connection came about."""
        ...

    async def send_text(self, text: str) -> None:
        """Send one text message. Raises `LinkClosed`; lone surrogates are sent as invalid UTF-8."""
        ...

    async def send_bytes(self, data: bytes, *, opcode: str) -> None:
        """Send one message of raw bytes as `text` or `binary`. Raises `LinkClosed`."""
        ...

    async def send_raw(self, data: bytes) -> None:
        """Write bytes below the WebSocket layer. Raises `LinkClosed`, `UsageError` where it cannot."""
        ...

    async def receive(self) -> str | bytes:
        """The next message: str for text, bytes for binary. Raises `LinkClosed`."""
        ...

    def pongs(self) -> Sequence[bytes]:
        """What pongs held that no `ping` waits for, since this was asked last; empty where there are no frames."""
        ...

    async def ping(self, timeout_s: float) -> bool:
        """True when a WebSocket pong came back in time."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close properly; never raises."""
        ...

    async def abort(self) -> None:
        """Cut the connection without a close frame; never raises."""
        ...


class Door(Protocol):
    """Where links come from: a listener that waits for a station, or a dialler that calls a CSMS."""

    @property
    def side(self) -> Side:
        """Who is on the other side of the door."""
        ...

    async def open(self, timeout_s: float) -> Link:
        """The next link with the target. Raises `TargetUnavailable` with what to check."""
        ...

    async def aclose(self) -> None:
        """Stop listening or dialling."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A voice's answer to a CALL of the target: a payload, or an error code with a description."""

    payload: JsonObject | None = None
    error_code: str = ""
    description: str = ""


class Voice(Protocol):
    """Our proper end of the conversation: keeps the target in the wanted state while it is attacked. Sans-IO."""

    def opening(self) -> Sequence[tuple[str, JsonObject]]:
        """The CALLs (action, payload) to make, one after another, on a fresh connection before it counts as booted."""
        ...

    def answer(self, action: str, payload: JsonValue) -> Answer:
        """The proper answer to the target's CALL; takes note of what it says."""
        ...

    def learned(self, action: str, payload: JsonValue, answer: JsonValue) -> None:
        """Take note of the target's answer to a CALL that we made properly."""
        ...

    @property
    def booted(self) -> bool:
        """True when the target may be sent ordinary CALLs on the present connection."""
        ...


class Ability(StrEnum):
    """What a target adapter can do; every absence is reported."""

    START = "start"
    STOP = "stop"
    KILL = "kill"
    ALIVE = "alive"
    OPERATOR = "operator"
    MEMORY = "memory"
    FIGURES = "figures"
    LOG = "log"


class Target(Protocol):
    """Our hold on the thing under test; everything is optional and `abilities` says what there is."""

    @property
    def name(self) -> str:
        """For people: `embedded station`, `command: ./run.sh`."""
        ...

    @property
    def owned(self) -> bool:
        """True when we started it, so that every effect is allowed."""
        ...

    @property
    def abilities(self) -> frozenset[Ability]:
        """What this adapter can do."""
        ...

    async def start(self) -> None:
        """Start or restart it. Raises `TargetUnavailable`."""
        ...

    async def stop(self) -> None:
        """Stop it gently, then firmly."""
        ...

    async def kill(self) -> None:
        """Stop it at once, as a power cut would."""
        ...

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        """How the process ended, waiting at most `timeout_s`; None while it runs or when it cannot be known."""
        ...

    async def operator(self, event: str, argument: str = "") -> bool:
        """Have something done at the target; False when nobody can."""
        ...

    def memory(self) -> int | None:
        """Resident bytes, None when not known."""
        ...

    def figures(self) -> Figures | None:
        """What its process uses now, None when not known."""
        ...

    def log_lines(self) -> Sequence[str]:
        """The last lines that the target wrote, newest last."""
        ...

    def log_since(self, mark: int) -> tuple[int, Sequence[str]]:
        """How many lines it wrote so far, and those after the first `mark` that are still kept."""
        ...


class Catcher(Protocol):
    """Waits on this machine for whoever follows the addresses that our messages tell."""

    def slots(self) -> Mapping[str, str]:
        """The values of its slots, such as `canary.url`; fresh ones for every play."""
        ...

    def caught(self) -> Sequence[Caught]:
        """What came since `slots` was called last; `at_s` counts from then."""
        ...

    def late(self) -> Sequence[str]:
        """The values of `canary.token` in earlier plays that somebody followed since this was asked last."""
        ...


@runtime_checkable
class Deafening(Protocol):
    """A link that can be left open without anybody reading it."""

    def deafen(self) -> None:
        """Read nothing any more, and answer nothing, not even a ping; `abort` ends it."""
        ...


@runtime_checkable
class TapingDoor(Protocol):
    """A door that writes down the bytes of its connections."""

    @property
    def recorder(self) -> Recorder:
        """Where they are written down."""
        ...


class Recorder(Protocol):
    """The tapes of a door."""

    def rewind(self) -> None:
        """What counts begins now."""
        ...

    def tapes(self) -> tuple[Tape, ...]:
        """Every connection on which anything was said since then, each with its opening handshake."""
        ...


@runtime_checkable
class HostileDoor(Protocol):
    """A door that can also receive callers badly."""

    def misbehave(self, how: str, times: int, told: Callable[[str], None] | None = None) -> None:
        """Treat the next `times` callers in this way, and tell of each; 0 times: properly again.

        Raises `UsageError` for an unknown way.
        """
        ...

    @property
    def keeping(self) -> bool:
        """True while somebody who called is received badly, and so cannot come again yet."""
        ...
