"""Writes down what goes over the connections of a door, as evidence for whoever doubts a finding.

Knows bytes, ways and times. Must not know what they mean, but for the one header that holds a password: it is hidden
before anybody sees it. Of a connection with TLS it holds what was inside.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from fuzz.clock import SystemClock
from fuzz.records import Chunk, Tape

MAX_TAPE = 512 * 1024
"""Bytes kept of one connection after its opening, in both directions together."""

MAX_HEAD = 64 * 1024
"""The longest opening handshake that is looked through for a password."""

MAX_REELS = 32
"""Connections that are remembered; the latest ones."""

_END = b"\r\n\r\n"
_SECRET = re.compile(rb"(?im)^((?:proxy-)?authorization:[ \t]*)([^\r\n]*)")


class Reel:
    """What goes over one connection: its opening handshake, and what came after it was rewound last."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._began = SystemClock().now()
        self._ours = self._theirs = ("", 0)
        self._opening: list[Chunk] = []
        self._heads = {True: b"", False: b""}
        self._said: list[Chunk] = []
        self._room = MAX_TAPE
        self._ended_s: float | None = None

    @property
    def ended(self) -> bool:
        """True once the connection is over."""
        return self._ended_s is not None

    def place(self, transport: asyncio.BaseTransport) -> None:
        """Note who is at both ends."""
        self._ours = _address(transport.get_extra_info("sockname"))
        self._theirs = _address(transport.get_extra_info("peername"))

    def record(self, data: bytes, *, ours: bool) -> None:
        """Keep what was said; the head of an HTTP message is kept whole, without its password."""
        if ours not in self._heads:
            self._keep(data, ours=ours)
            return
        held = self._heads[ours] + data
        if _END not in held and len(held) < MAX_HEAD:
            self._heads[ours] = held
            return
        del self._heads[ours]
        head, end, rest = held.partition(_END)
        hidden = _SECRET.sub(lambda m: m[1] + b"*" * len(m[2]), head) + end
        self._opening.append(Chunk(self._now_s(), ours, hidden))
        self._keep(rest, ours=ours)

    def _keep(self, data: bytes, *, ours: bool) -> None:
        if data and self._room > 0:
            self._said.append(Chunk(self._now_s(), ours, data[: self._room]))
            self._room -= len(data)

    def _now_s(self) -> float:
        return self._loop.time() - self._began_s

    def end(self) -> None:
        """The connection is over."""
        if self._ended_s is None:
            self._ended_s = self._now_s()

    def rewind(self) -> None:
        """Forget what was said after the opening."""
        self._said, self._room = [], MAX_TAPE

    def tape(self) -> Tape:
        """What is on it now."""
        chunks = (*self._opening, *self._said)
        return Tape(self._began, self._ours, self._theirs, chunks, self._ended_s)


class Reels:
    """The reels of a door; implements `Recorder`."""

    def __init__(self) -> None:
        self._reels: list[Reel] = []

    def begin(self) -> Reel:
        """A reel for a new connection."""
        self._reels = [*self._reels[1 - MAX_REELS :], Reel()]
        return self._reels[-1]

    def rewind(self) -> None:
        """What counts begins now: ended connections are forgotten, of open ones only the opening is kept."""
        self._reels = [reel for reel in self._reels if not reel.ended]
        for reel in self._reels:
            reel.rewind()

    def tapes(self) -> tuple[Tape, ...]:
        """Every connection since `rewind` on which anything was said, in the order in which they began."""
        return tuple(tape for tape in (reel.tape() for reel in self._reels) if tape.chunks)


def _address(place: Any) -> tuple[str, int]:
    return (
        (str(place[0]), int(place[1])) if isinstance(place, tuple) and len(place) > 1 else ("", 0)
    )
