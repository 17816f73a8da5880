"""TLS records, the handshake messages inside them, and plain-text alerts, read from a stream of bytes.

Lenient about what a hostile peer may do to records, strict on lengths inside a message (RFC 5246 6.2.1, RFC 8446 5.1).
Must not know what a message means; `wire` and `flight` do.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CHANGE_CIPHER_SPEC = 20
ALERT_RECORD = 21
HANDSHAKE_RECORD = 22
DATA_RECORD = 23
MAX_RECORD = 2**14
MAX_MESSAGE = 2**20
"""Handshake messages beyond this are not put together; bounds what a hostile peer makes us keep."""


class HelloError(ValueError):
    """The bytes are not what they were read as, and more of them will not change that."""


class NeedMoreData(HelloError):
    """The bytes are the beginning of it; call again with more."""


class Reader:
    """Takes numbers and length-prefixed vectors (RFC 5246 section 4) from a message that is complete."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def rest(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        """The next so many bytes. Raises `HelloError` when there are less."""
        if size > self.rest:
            raise HelloError(f"{size} bytes announced, {self.rest} left")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        """A number of so many bytes. Raises `HelloError`."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, prefix: int) -> bytes:
        """A vector whose length stands before it in so many bytes. Raises `HelloError`."""
        return self.take(self.number(prefix))

    def codes(self, prefix: int) -> tuple[int, ...]:
        """A vector of two-byte numbers. Raises `HelloError`."""
        data = self.vector(prefix)
        if len(data) % 2:
            raise HelloError(f"{len(data)} bytes are no list of two-byte codes")
        return struct.unpack(f">{len(data) // 2}H", data)

    def extensions(self) -> dict[int, bytes]:
        """The extensions up to the end, raw, by number; {} when there are none. Raises `HelloError`."""
        found: dict[int, bytes] = {}
        inner = Reader(self.vector(2)) if self.rest else self
        while inner.rest:
            number = inner.number(2)
            found[number] = inner.vector(2)
        return found


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it went over the socket; `end` is where the next one begins in the stream."""

    type: int
    version: int
    body: bytes
    end: int


@dataclass(frozen=True, slots=True)
class Message:
    """One handshake message; `end` is where in the stream the record ended that completed it."""

    type: int
    body: bytes
    end: int


def records(data: bytes, at: int = 0) -> Iterator[Record]:
    """The complete records from `at` on, up to where the bytes are no TLS any more. Never raises."""
    while at + 5 <= len(data) and data[at + 1] == 3:
        end = at + 5 + int.from_bytes(data[at + 3 : at + 5], "big")
        if end > len(data):
            return
        yield Record(data[at], 0x0300 | data[at + 2], data[at + 5 : end], end)
        at = end


def messages(stream: Iterable[Record]) -> Iterator[Message]:
    """The handshake messages in plain text: those before ChangeCipherSpec, or before data in TLS 1.3. Never raises."""
    joined = bytearray()
    for record in stream:
        if record.type in (CHANGE_CIPHER_SPEC, DATA_RECORD):
            return
        if record.type != HANDSHAKE_RECORD:
            continue
        joined += record.body
        at = 0
        while at + 4 <= len(joined):
            end = at + 4 + int.from_bytes(joined[at + 1 : at + 4], "big")
            if end - at > MAX_MESSAGE:
                return
            if end > len(joined):
                break
            yield Message(joined[at], bytes(joined[at + 4 : end]), record.end)
            at = end
        del joined[:at]


def plain_alert(record: Record) -> tuple[int, int] | None:
    """Level and number of an alert that is not encrypted, None for any other record."""
    if record.type == ALERT_RECORD and len(record.body) == 2 and record.body[0] in (1, 2):
        return record.body[0], record.body[1]
    return None
