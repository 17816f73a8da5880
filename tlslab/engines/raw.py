"""One caller's socket: bounded in bytes and time, paced as an offer says, everything of it on the connection's tape.

Knows asyncio and `Connection`. Must not know TLS beyond its record types, nor what the bytes mean.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from tlslab.engines.mask import Mask
from tlslab.offers import Pace
from tlslab.seen import Connection, Stage, Way

PATIENCE_S = 10.0
"""How long a caller may say nothing while it has no WebSocket open."""
OPENING_S = 60.0
"""How long it may take until it has one, not counting the pauses that the lab itself makes."""
LINGER_S = 1.0
MAX_OPENING = 2**20
MAX_BYTES = 2**26
"""Bytes of one caller, before and after its WebSocket is open."""
_HIGH = 2**18

Clock = Callable[[], float]


class Wire(asyncio.Protocol):
    """The raw bytes of one caller; a `Stream` for those who speak without TLS.

    Attributes:
        connection: what is seen of it.
        pace: how what we say is cut, until the WebSocket is open.
        patience_s: how long it may say nothing until the WebSocket is open.
        mask: hides on the tape what would be readable there and must not.
        finished: whether a TLS handshake over it was done.
    """

    def __init__(
        self, connection: Connection, monotonic: Clock, begun: Callable[[Wire], None]
    ) -> None:
        self.connection = connection
        self.pace = Pace()
        self.patience_s = PATIENCE_S
        self.mask = Mask()
        self.finished = False
        self._monotonic = monotonic
        self._begun = begun
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + OPENING_S
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._bytes = 0
        self._news = asyncio.Event()
        self._gone = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._writing = asyncio.Lock()
        self._stalled = False

    # --- what asyncio calls -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.connection.ours = _address(transport.get_extra_info("sockname"))
        self.connection.theirs = _address(transport.get_extra_info("peername"))
        self._begun(self)

    def data_received(self, data: bytes) -> None:
        """The caller said something."""
        self.connection.record(self._monotonic(), Way.PEER, self.mask.hide(data))
        self._bytes += len(data)
        if self._bytes > (limit := MAX_BYTES if self._open else MAX_OPENING):
            return self._give_up(f"more than {limit} bytes came")
        self._buffer += data
        self._news.set()
        if len(self._buffer) > _HIGH and self._transport is not None:
            self._transport.pause_reading()
        return None

    def eof_received(self) -> bool:
        """The caller says no more; what we still say may reach it."""
        self._gone.set()
        self._news.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._transport = None
        self._room.set()
        self.eof_received()

    def pause_writing(self) -> None:
        """The caller does not read."""
        self._room.clear()

    def resume_writing(self) -> None:
        """The caller reads again."""
        self._room.set()

    # --- what the lab does --------------------------------------------------------------------------------

    @property
    def at_s(self) -> float:
        """Seconds since the connection began."""
        return self._monotonic() - self.connection.began_s

    async def read(self) -> bytes:
        """The next bytes; b"" at the end, or when the caller has tried our patience."""
        while not self._buffer and not self._gone.is_set():
            self._news.clear()
            try:
                async with asyncio.timeout_at(self._until()):
                    await self._news.wait()
            except TimeoutError:
                # The WebSocket may have come about meanwhile, which takes the limit away.
                if self._until() is not None:
                    self._give_up("it took too long")
        data = bytes(self._buffer)
        self._buffer.clear()
        if self._transport is not None:
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Say something at the pace of the offer; lost when the caller is gone."""
        async with self._writing:
            if data and not self._stalled:
                self._stalled = True
                await self._pause(self.pace.stall_s)
            for number, piece in enumerate(_pieces(data, 0 if self._open else self.pace.piece)):
                if number and not self._open:
                    await self._pause(self.pace.pause_s)
                await self._say(piece)

    async def close(self) -> None:
        """Say no more, and hear the caller out for a moment."""
        if self._transport is None:
            return
        with contextlib.suppress(OSError, RuntimeError):
            self._transport.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while not self._gone.is_set():
                    self._buffer.clear()
                    self._transport.resume_reading()
                    await self._gone.wait()
        self.abort()

    def abort(self) -> None:
        """The socket is closed at once."""
        if self._transport is not None:
            self._transport.abort()
        self._gone.set()
        self._news.set()

    async def gone(self) -> None:
        """Returns when the caller says no more."""
        await self._gone.wait()

    @property
    def _open(self) -> bool:
        return self.connection.stage >= Stage.WEBSOCKET

    def _until(self) -> float | None:
        if self._open:
            return None
        return min(self._deadline, self._loop.time() + self.patience_s)

    def _give_up(self, why: str) -> None:
        self.connection.error = self.connection.error or why
        self._buffer.clear()
        self.abort()

    async def _say(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing() or not data:
            return
        self.connection.record(self._monotonic(), Way.LAB, data)
        self._transport.write(data)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._room.wait()
        except TimeoutError:
            self._give_up("it reads nothing")

    async def _pause(self, seconds: float) -> None:
        """Nothing is said for so long, unless the caller goes."""
        if seconds <= 0:
            return
        self._deadline += seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._gone.wait()


def _pieces(data: bytes, size: int) -> list[bytes]:
    size = size or len(data) or 1
    return [data[at : at + size] for at in range(0, len(data), size)]


def _address(told: object) -> tuple[str, int]:
    match told:
        case (str(host), int(port), *_):
            return host, port
        case _:
            return "", 0
