"""Puts TCP segments into the order in which they were meant (RFC 9293): two streams of bytes a connection.

Knows sequence numbers. Must not know what the bytes mean. Memory is bounded: what waits for a missing piece, and how many
connections are open at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from fuzz.traffic.events import Lost, Told
from fuzz.traffic.network import ACK, FIN, RST, SYN, End, Segment

MAX_WAITING = 4 * 2**20
"""Bytes of one direction that wait for a missing piece."""

MAX_PIECES = 4_096
MAX_CONNECTIONS = 10_000

_ROUND = 2**32


class Reader(Protocol):
    """Whoever reads the two streams of a connection."""

    def feed(self, data: bytes, *, by_opener: bool) -> Iterator[Told]:
        """What these bytes tell."""
        ...

    def end(self) -> Iterator[Told]:
        """What is left when no more bytes come."""
        ...


@dataclass(slots=True)
class _Half:
    """One direction: the number that comes next, None before any, and what came too early."""

    next: int | None = None
    waiting: dict[int, bytes] = field(default_factory=dict)
    held: int = 0
    broken: bool = False

    def take(self, number: int, data: bytes) -> bytes:
        """The bytes that are in order now."""
        if self.next is None:
            self.next = number
        ahead = (number - self.next) % _ROUND
        if ahead >= _ROUND // 2:
            # Said before; the end of it may be new.
            data, ahead = data[_ROUND - ahead :], 0
        if ahead:
            self._wait(number, data)
            return b""
        joined = bytearray(data)
        self.next = (self.next + len(data)) % _ROUND
        while self.waiting and (more := self._fitting()) is not None:
            joined += more
            self.next = (self.next + len(more)) % _ROUND
        return bytes(joined)

    def _wait(self, number: int, data: bytes) -> None:
        if len(data) > len(self.waiting.get(number, b"")):
            self.held += len(data) - len(self.waiting.get(number, b""))
            self.waiting[number] = data
        if self.held > MAX_WAITING or len(self.waiting) > MAX_PIECES:
            self.broken = True
            self.waiting.clear()

    def _fitting(self) -> bytes | None:
        """What waits and goes on where the stream is now; what was said meanwhile is dropped."""
        assert self.next is not None
        likely = [self.next] if self.next in self.waiting else list(self.waiting)
        for number in likely:
            behind = (self.next - number) % _ROUND
            if behind >= _ROUND // 2:
                continue
            data = self.waiting.pop(number)
            self.held -= len(data)
            if behind < len(data):
                return data[behind:]
        return None


@dataclass(slots=True)
class _Connection:
    reader: Reader
    opener: End
    halves: tuple[_Half, _Half] = field(default_factory=lambda: (_Half(), _Half()))
    told: bool = False

    def take(self, piece: Segment) -> Iterator[Told]:
        by_opener = piece.source == self.opener
        half = self.halves[0 if by_opener else 1]
        if piece.flags & SYN:
            half.next = (piece.number + 1) % _ROUND
            return
        if half.broken or not piece.data:
            return
        data = half.take(piece.number, piece.data)
        if piece.cut:
            half.broken = True
        if data:
            yield from self.reader.feed(data, by_opener=by_opener)
        if half.broken and not self.told:
            self.told = True
            yield Lost(
                "a connection of which the capture misses pieces; the rest of it is not read"
            )


@dataclass(slots=True)
class Streams:
    """All connections of a capture; `reader` makes one of whoever reads a connection, which gets its name."""

    reader: Callable[[str], Reader]
    _open: OrderedDict[frozenset[End], _Connection] = field(default_factory=OrderedDict)
    _count: int = 0

    def take(self, piece: Segment) -> Iterator[Told]:
        """What one more segment tells."""
        key = frozenset((piece.source, piece.target))
        known = self._open.get(key)
        begins = bool(piece.flags & SYN) and not piece.flags & ACK
        if known is None or (begins and any(h.next is not None for h in known.halves)):
            if known is not None and _said_before(known, piece):
                return
            if known is None and piece.flags & (RST | FIN) and not piece.data:
                return
            yield from self._close(key)
            known = self._begin(key, piece)
        yield from known.take(piece)
        self._open.move_to_end(key)
        if piece.flags & RST:
            yield from self._close(key)
        if len(self._open) > MAX_CONNECTIONS:
            yield from self._close(next(iter(self._open)))

    def end(self) -> Iterator[Told]:
        """What is left when the capture is over."""
        for key in list(self._open):
            yield from self._close(key)

    def _begin(self, key: frozenset[End], piece: Segment) -> _Connection:
        self._count += 1
        answers = bool(piece.flags & SYN) and bool(piece.flags & ACK)
        made = _Connection(
            self.reader(f"stream {self._count}"), piece.target if answers else piece.source
        )
        self._open[key] = made
        return made

    def _close(self, key: frozenset[End]) -> Iterator[Told]:
        known = self._open.pop(key, None)
        if known is None:
            return
        if any(h.waiting for h in known.halves) and not known.told:
            yield Lost(
                "a connection of which the capture misses pieces; the rest of it is not read"
            )
        yield from known.reader.end()


def _said_before(known: _Connection, piece: Segment) -> bool:
    """True for a SYN that was sent twice."""
    first = known.halves[0].next
    return first == (piece.number + 1) % _ROUND and piece.source == known.opener
