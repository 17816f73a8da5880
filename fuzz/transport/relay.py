"""Passes bytes both ways between two pipes, as they came, and lets somebody listen.

Must not know what the bytes are, nor how either pipe was opened. What one side does the other sees: an end is passed on
as an end, a cut as a cut. Memory is flat: nothing is read from one side while the other is slow to take it.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fuzz.records import Side

LINGER_S = 10.0
"""How long one direction may go on after the other has ended."""

CHUNK = 2**16
"""Bytes that are read at once."""


class Pipe(Protocol):
    """One side's bytes, both ways."""

    async def read(self) -> bytes:
        """What came, b"" at the end. Raises `OSError` when it was cut."""
        ...

    def write(self, data: bytes) -> None:
        """Bytes are on their way, in order."""
        ...

    async def drain(self) -> None:
        """The other end has taken enough for more to be read. Raises `OSError` when it was cut."""
        ...

    def finish(self) -> None:
        """Nothing more will be written; what was, still arrives."""
        ...

    def abort(self) -> None:
        """Cut it."""
        ...


class StreamPipe:
    """A `Pipe` over an asyncio stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self) -> bytes:
        """What came, b"" at the end. Raises `OSError` when it was cut."""
        return await self._reader.read(CHUNK)

    def write(self, data: bytes) -> None:
        """Bytes are on their way, in order."""
        self._writer.write(data)

    async def drain(self) -> None:
        """The other end has taken enough. Raises `OSError` when it was cut."""
        await self._writer.drain()

    def finish(self) -> None:
        """End our direction; TLS knows no half of a connection, so there it ends as a whole."""
        with contextlib.suppress(OSError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
            else:
                self._writer.close()

    def abort(self) -> None:
        """Cut it."""
        self._writer.transport.abort()

    async def gone(self) -> None:
        """End it for good; what was written still arrives, within `LINGER_S`."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(LINGER_S):
                await self._writer.wait_closed()
        self.abort()


class Why(StrEnum):
    """How a direction ended."""

    END = "ended"
    CUT = "cut"
    STOPPED = "stopped by us"


@dataclass(frozen=True, slots=True)
class Ended:
    """Which side ended a connection first, and how."""

    side: Side | None
    why: Why


class Tap(Protocol):
    """Who listens to one connection; nothing in here may raise."""

    def opened(self, request: bytes, response: bytes) -> None:
        """Both ends agreed; `request` and `response` are whole heads of HTTP, credentials included."""
        ...

    def passed(self, data: bytes, sender: Side) -> None:
        """Bytes went through, after the opening."""
        ...

    def failed(self, status: int, reason: str, *, by_us: bool) -> None:
        """The connection was refused with an HTTP status, by the CSMS or by us, and why."""
        ...

    def ended(self, how: Ended) -> None:
        """An open connection is over."""
        ...


async def relay(station: Pipe, csms: Pipe, tap: Tap) -> Ended:
    """Passes bytes both ways until both directions have ended; who ended first, and how."""
    ends: list[Ended] = []
    ways = [
        asyncio.create_task(_carry(station, csms, tap, Side.STATION, ends)),
        asyncio.create_task(_carry(csms, station, tap, Side.CSMS, ends)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(ways, timeout=LINGER_S)
        return ends[0]
    finally:
        for task in ways:
            task.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _carry(source: Pipe, sink: Pipe, tap: Tap, sender: Side, ends: list[Ended]) -> None:
    """One direction; `ends` is told who ended it: whoever says no more, or whoever takes no more."""
    reading = True
    try:
        while data := await source.read():
            reading = False
            sink.write(data)
            # Written first, so that listening costs the other end nothing; heard before anything is waited for, so
            # that nobody hears an answer before its question.
            tap.passed(data, sender)
            await sink.drain()
            reading = True
    except OSError:
        other = Side.CSMS if sender is Side.STATION else Side.STATION
        ends.append(Ended(sender if reading else other, Why.CUT))
        (sink if reading else source).abort()
    else:
        ends.append(Ended(sender, Why.END))
        sink.finish()
