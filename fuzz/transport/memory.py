"""Links without a network: a pair of them, and a door, for tests and for targets in the same process.

Knows the seams `Link` and `Door`, and behaves as a WebSocket does wherever messages can tell the difference.
"""

from __future__ import annotations

import asyncio
from collections import deque

from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Close, Handshake, LinkClosed, Side


class MemoryLink:
    """One end of an in-memory connection; implements `Link`."""

    def __init__(self, handshake: Handshake) -> None:
        self._handshake = handshake
        self._messages: deque[str | bytes] = deque()
        self._changed = asyncio.Event()
        self._close: Close | None = None
        self._peer = self

    @property
    def handshake(self) -> Handshake:
        """How the connection came about."""
        return self._handshake

    @property
    def closed(self) -> Close | None:
        """How the connection ended, None while it is open; messages may still wait to be read."""
        return self._close

    async def send_text(self, text: str) -> None:
        """Send one text message. Raises `LinkClosed`; lone surrogates are sent as invalid UTF-8."""
        await self.send_bytes(text.encode("utf-8", "surrogatepass"), opcode="text")

    async def send_bytes(self, data: bytes, *, opcode: str) -> None:
        """Send one message of raw bytes as `text` or `binary`. Raises `LinkClosed`.

        Text that is not UTF-8 makes the other end close with 1007, as RFC 6455 section 8.1 has it.
        """
        if opcode not in ("text", "binary"):
            raise UsageError(f"opcode {opcode!r}; allowed are 'text' and 'binary'")
        if self._close is not None:
            raise LinkClosed(self._close)
        if opcode == "binary":
            self._peer._arrive(data)
            return
        try:
            self._peer._arrive(data.decode("utf-8"))
        except UnicodeDecodeError:
            await self._peer.close(1007, "text is not UTF-8")

    async def send_raw(self, data: bytes) -> None:
        """Impossible here. Raises `UsageError`."""
        raise UsageError("an in-memory link has nothing below its messages; use a WebSocket")

    async def receive(self) -> str | bytes:
        """The next message: str for text, bytes for binary. Raises `LinkClosed`."""
        while not self._messages:
            if self._close is not None:
                raise LinkClosed(self._close)
            self._changed.clear()
            await self._changed.wait()
        return self._messages.popleft()

    def pongs(self) -> tuple[bytes, ...]:
        """None: there are no frames."""
        return ()

    async def ping(self, timeout_s: float) -> bool:
        """True while the connection is open."""
        return self._close is None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close properly; never raises."""
        self._end(Close(code, reason, by_target=False))
        self._peer._end(Close(code, reason, by_target=True))

    async def abort(self) -> None:
        """Cut the connection without a close frame; never raises."""
        await self.close(1006)

    def deafen(self) -> None:
        """Nothing to do: who does not call `receive` hears nothing."""

    def _arrive(self, message: str | bytes) -> None:
        self._messages.append(message)
        self._changed.set()

    def _end(self, close: Close) -> None:
        self._close = self._close or close
        self._changed.set()


def memory_pair(handshake: Handshake | None = None) -> tuple[MemoryLink, MemoryLink]:
    """The two ends of one connection."""
    shared = handshake or Handshake(subprotocol="ocpp", remote="memory")
    one, other = MemoryLink(shared), MemoryLink(shared)
    one._peer, other._peer = other, one
    return one, other


class MemoryDoor:
    """A `Door` to a target in the same process: what `connect` gives to the target comes out of `open`."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._links: asyncio.Queue[MemoryLink] = asyncio.Queue()

    @property
    def side(self) -> Side:
        """Who is on the other side of the door."""
        return self._side

    def connect(self, handshake: Handshake | None = None) -> MemoryLink:
        """The target's end of a new connection; ours waits for `open`."""
        ours, theirs = memory_pair(handshake)
        self._links.put_nowait(ours)
        return theirs

    async def open(self, timeout_s: float) -> MemoryLink:
        """The next link with the target. Raises `TargetUnavailable` with what to check."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._links.get()
        except TimeoutError:
            raise TargetUnavailable(
                f"nobody connected in memory within {timeout_s:g} s; is the target running?"
            ) from None

    async def aclose(self) -> None:
        """Nothing to stop."""
