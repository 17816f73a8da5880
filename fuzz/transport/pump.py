"""Moves bytes between an asyncio transport and websockets' sans-IO protocol, and keeps what arrived, within bounds.

Knows WebSocket messages, closing and back-pressure (RFC 6455). Must not know who is on the other side, how the
connection came about, or what a message means. Nothing that a peer sends makes it raise anything but `LinkClosed`.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections import deque
from typing import TypeAlias, cast

from websockets.exceptions import ProtocolError
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Protocol, State

from fuzz.errors import LocalProtocolError
from fuzz.records import Close, LinkClosed
from fuzz.transport.tape import Reel
from strategies.wsframes import FrameReader

Message: TypeAlias = str | bytes

CLOSE_TIMEOUT_S = 2.0
"""How long a peer may take to finish a closing handshake before the connection is cut."""

SEND_TIMEOUT_S = 30.0
"""How long a peer may refuse to read before the connection is cut."""

MAX_SIZE = 16 * 2**20
"""The longest message taken from a peer, after decompression."""

_HIGH_COUNT, _LOW_COUNT = 256, 64
_HIGH_BYTES = MAX_SIZE
_FLOOD_BYTES = 4 * MAX_SIZE
_SLICE = 2**14
_MAX_UNREAD_PONGS = 2**20
_MAX_PONGS = 64
_WRITE_BUFFER = 2**18
_MANY_FRAMES, _MANY_FRAMES_S = 20_000, 10.0
"""Pings, pongs and fragments within so many seconds after which a peer is cut off: it keeps us from everything else."""

_SMALL = (Opcode.PING, Opcode.PONG, Opcode.CONT)

LOG = logging.getLogger("ocppfuzz.transport")
# websockets logs whole frames on DEBUG, secrets included, and prints stack traces for bad handshakes: both stay here.
LOG.addHandler(logging.NullHandler())
LOG.setLevel(logging.WARNING)
LOG.propagate = False


class Pump(asyncio.Protocol):
    """One connection: feed and drain a websockets protocol, queue whole messages, know how it ended.

    Attributes:
        first: resolved with the peer's handshake message, or None when the connection ended before one came.
        first_byte: the very first byte that the peer sent.
    """

    def __init__(self, protocol: Protocol, reel: Reel | None = None) -> None:
        self.protocol = protocol
        self._reel = reel
        self._loop = asyncio.get_running_loop()
        self.first: asyncio.Future[Request | Response | None] = self._loop.create_future()
        self.first_byte = b""
        self._transport: asyncio.Transport | None = None
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._messages: deque[tuple[Message, int]] = deque()
        self._queued = 0
        self._reading_paused = False
        self._receiver: asyncio.Future[None] | None = None
        self._parts: bytearray | None = None
        self._parts_are_text = False
        self._writable: asyncio.Future[None] | None = None
        self._unread_pongs = 0
        self._pings: dict[bytes, asyncio.Future[bool]] = {}
        self._ping_count = 0
        self._pongs: list[bytes] = []
        self._written = FrameReader()
        self._close: Close | None = None
        self._cutter: asyncio.TimerHandle | None = None
        self._given_up = False
        self._small_frames = 0
        self._small_frames_until = 0.0

    # --- asyncio's side -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(_WRITE_BUFFER)
        if self._reel is not None:
            self._reel.place(transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came in; a large piece is taken in slices, so that what it inflates to stays bounded."""
        if self._reel is not None:
            self._reel.record(data, ours=False)
        if not self.first_byte:
            self.first_byte = data[:1]
        if len(data) <= _SLICE:
            self._take(data)
            return
        for start in range(0, len(data), _SLICE):
            self._take(data[start : start + _SLICE])
            if self._queued > _FLOOD_BYTES:
                self._give_up("it sent more in one go than may be kept")
            if self._given_up:
                return

    def _take(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Frame):
                self._on_frame(event)
            else:
                self._open_with(event)
        if self.protocol.handshake_exc is not None:
            self._open_with(None)
        self.flush()
        if self.protocol.state is not State.OPEN:
            self._note_end()

    def eof_received(self) -> None:
        """The peer will send no more; asyncio closes the transport then."""
        self.protocol.receive_eof()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whatever the reason."""
        if self._reel is not None:
            self._reel.end()
        if not self._gone.done():
            self._gone.set_result(None)
        self.protocol.receive_eof()
        self._note_end()
        self._end(Close(1006, by_target=self.protocol.close_sent is None))
        if self._cutter is not None:
            self._cutter.cancel()
        self._open_with(None)
        self.resume_writing()

    def pause_writing(self) -> None:
        """The peer reads slower than we write."""
        if self._writable is None:
            self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._unread_pongs = 0
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # --- what the peer says -------------------------------------------------------------------------------

    def _open_with(self, first: Request | Response | None) -> None:
        if not self.first.done():
            self.first.set_result(first)

    def _on_frame(self, frame: Frame) -> None:
        if not frame.fin or frame.opcode in _SMALL:
            self._on_small_frame()
        if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
            text = frame.opcode is Opcode.TEXT
            if frame.fin:
                self._deliver(frame.data, text=text)
            else:
                self._parts, self._parts_are_text = bytearray(frame.data), text
        elif frame.opcode is Opcode.CONT and self._parts is not None:
            # Joined as they come: a million empty fragments cost nothing.
            self._parts += frame.data
            if frame.fin:
                data, self._parts = self._parts, None
                self._deliver(data, text=self._parts_are_text)
        elif frame.opcode is Opcode.PONG:
            self._on_pong(bytes(frame.data))
        elif frame.opcode is Opcode.PING and (self._writable is not None or self._holds_back):
            self._on_unread_pong(len(frame.data))

    def _on_small_frame(self) -> None:
        now = self._loop.time()
        if now > self._small_frames_until:
            self._small_frames, self._small_frames_until = 0, now + _MANY_FRAMES_S
        self._small_frames += 1
        if self._small_frames > _MANY_FRAMES:
            self._give_up(f"it sent {_MANY_FRAMES:,} pings or fragments in a moment")

    def _deliver(self, data: bytes | bytearray | memoryview, *, text: bool) -> None:
        if self._close is not None:
            return
        try:
            message = str(data, "utf-8") if text else bytes(data)
        except UnicodeDecodeError as exc:
            # RFC 6455 section 8.1.
            reason = f"text is not UTF-8: {exc.reason} at position {exc.start}"
            self.protocol.fail(1007, reason)
            self._end(Close(1007, reason, by_target=False))
            return
        self._messages.append((message, len(data)))
        self._queued += len(data)
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)
        if not self._reading_paused and self._is_full():
            self._reading_paused = True
            if self._transport is not None:
                self._transport.pause_reading()

    def _is_full(self) -> bool:
        return self._queued > _HIGH_BYTES or len(self._messages) > _HIGH_COUNT

    def _on_pong(self, data: bytes) -> None:
        waiter = self._pings.pop(data, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(True)
        elif waiter is None and self._pongs[-1:] != [data] and len(self._pongs) < _MAX_PONGS:
            self._pongs.append(data)

    def pongs(self) -> list[bytes]:
        """What pongs held that no `ping` waits for, since this was asked last; equal ones in a row count as one."""
        taken, self._pongs = self._pongs, []
        return taken

    def _on_unread_pong(self, size: int) -> None:
        """A peer that pings and never reads the answers would fill our memory."""
        self._unread_pongs += size + 16
        if self._unread_pongs > _MAX_UNREAD_PONGS:
            self._give_up("it pings without reading the answers")

    # --- how it ends --------------------------------------------------------------------------------------

    @property
    def close_seen(self) -> Close | None:
        """How the connection ended, None while it is open."""
        return self._close

    def _note_end(self) -> None:
        """A close frame that came, or a rule of RFC 6455 that the peer broke, decides how it ended."""
        received, broken = self.protocol.close_rcvd, self.protocol.parser_exc
        if received is not None:
            by_target = self.protocol.close_rcvd_then_sent is not False
            self._end(Close(int(received.code), received.reason, by_target=by_target))
        elif broken is not None and not isinstance(broken, EOFError):
            sent = self.protocol.close_sent
            code = 1006 if sent is None else int(sent.code)
            self._end(Close(code, str(broken)[:200], by_target=False))

    def _end(self, close: Close) -> None:
        if self._close is not None:
            return
        self._close = close
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)
        for waiter in self._pings.values():
            if not waiter.done():
                waiter.set_result(False)
        self._pings.clear()
        if not self._gone.done():
            self._cutter = self._loop.call_later(CLOSE_TIMEOUT_S, self._cut)

    def _cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _give_up(self, why: str) -> None:
        self._given_up = True
        self._end(Close(1006, f"cut by us: {why}", by_target=False))
        self._cut()

    async def until_gone(self) -> None:
        """The connection is gone; cut when the peer takes too long over it."""
        await asyncio.wait({self._gone}, timeout=CLOSE_TIMEOUT_S)
        if not self._gone.done():
            self._cut()
            await asyncio.wait({self._gone}, timeout=CLOSE_TIMEOUT_S)

    # --- our side -----------------------------------------------------------------------------------------

    @property
    def transport(self) -> asyncio.Transport:
        """What carries the connection."""
        if self._transport is None:
            raise LocalProtocolError("the connection was never made")
        return self._transport

    @property
    def connected(self) -> bool:
        """True when the connection was made, even if it is over by now."""
        return self._transport is not None

    @property
    def _holds_back(self) -> bool:
        """True while raw bytes left a frame or message unfinished: nothing of ours may come into the middle of it."""
        return self._written.unfinished and self.protocol.state is State.OPEN

    def flush(self) -> None:
        """Everything that the protocol wants to say is handed to the transport, as soon as it may be."""
        if self._holds_back:
            return
        waiting = self.protocol.data_to_send()
        # In one piece, because a peer that pings much would cost us as many calls of the system.
        if data := b"".join(waiting):
            self._write(data)
        if b"" in waiting:  # websockets' sign that the connection is to end, always the last one.
            if self.transport.can_write_eof():
                self.transport.write_eof()
            else:
                self.transport.close()

    def _write(self, data: bytes) -> None:
        if self._reel is not None:
            self._reel.record(data, ours=True)
        self.transport.write(data)

    async def receive(self) -> Message:
        """The next whole message. Raises `LinkClosed` after the last one."""
        while not self._messages:
            if self._close is not None:
                raise LinkClosed(self._close)
            await self._arrival()
        message, size = self._messages.popleft()
        self._queued -= size
        if self._reading_paused and len(self._messages) <= _LOW_COUNT and not self._is_full():
            self._reading_paused = False
            self.transport.resume_reading()
        return message

    async def _arrival(self) -> None:
        if self._receiver is not None:
            raise LocalProtocolError("two receivers on one link; a link has one reader")
        self._receiver = self._loop.create_future()
        try:
            await self._receiver
        finally:
            self._receiver = None

    async def send(self, data: bytes, *, text: bool) -> None:
        """One message is on its way. Raises `LinkClosed`."""
        await self._check_open()
        if text:
            self.protocol.send_text(data)
        else:
            self.protocol.send_binary(data)
        self.flush()
        if self._writable is not None:
            await self._drain(self._writable)

    async def send_raw(self, data: bytes) -> None:
        """Bytes are on their way as they are. Raises `LinkClosed`."""
        await self._check_open()
        self._written.feed(data)
        self._forget_context()
        self._write(data)
        self.flush()
        if self._writable is not None:
            await self._drain(self._writable)

    @property
    def takes_over_context(self) -> bool:
        """True when what we compress may build upon what we compressed before (RFC 7692 section 7.1.1)."""
        return any(not e.local_no_context_takeover for e in self._deflates())

    def _forget_context(self) -> None:
        """Raw bytes may have been compressed, which moves the peer's window: build upon nothing from before."""
        for extension in self._deflates():
            if not extension.local_no_context_takeover:
                window = -extension.local_max_window_bits
                extension.encoder = zlib.compressobj(wbits=window, **extension.compress_settings)

    def _deflates(self) -> list[PerMessageDeflate]:
        return [e for e in self.protocol.extensions if isinstance(e, PerMessageDeflate)]

    async def _check_open(self) -> None:
        if self._close is None and self.protocol.state is State.OPEN:
            if not self.transport.is_closing():
                return
            await self.until_gone()
        raise LinkClosed(self._close or Close(1006, by_target=False))

    async def _drain(self, writable: asyncio.Future[None]) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await asyncio.shield(writable)
        except TimeoutError:
            self._give_up(f"it did not read for {SEND_TIMEOUT_S:g} s")
        if self._close is not None:
            raise LinkClosed(self._close)

    async def ping(self, timeout_s: float) -> bool:
        """True when the peer answered a ping in time."""
        if self._close is not None or self.protocol.state is not State.OPEN:
            return False
        self._ping_count += 1
        payload = self._ping_count.to_bytes(4, "big")
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._pings[payload] = waiter
        self.protocol.send_ping(payload)
        self.flush()
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter
        except TimeoutError:
            return False
        finally:
            self._pings.pop(payload, None)

    async def close(self, code: int, reason: str) -> None:
        """The closing handshake is done, or the connection is cut when it takes too long. Never raises."""
        if self._close is None and self.protocol.state is State.OPEN:
            try:
                self.protocol.send_close(code, _short(reason))
                self.flush()
            except ProtocolError:
                # A code that may not stand in a close frame (RFC 6455 section 7.4); raw frames can carry it.
                self._cut()
        await self.until_gone()

    def deafen(self) -> None:
        """Nothing is read any more, though the connection stays: what a network that died silently looks like."""
        self._reading_paused = False  # so that `receive` never goes on with it
        if self._transport is not None:
            self._transport.pause_reading()

    async def abort(self) -> None:
        """The connection is cut without a close frame. Never raises."""
        self._end(Close(1006, by_target=False))
        self._cut()
        await self.until_gone()


def _short(reason: str) -> str:
    """A reason that fits in a control frame (RFC 6455 section 5.5)."""
    return reason.encode("utf-8", "replace")[:123].decode("utf-8", "ignore")
