"""WebSocket frames as bytes: written right or wrong, and read back as leniently as any peer might (RFC 6455 section 5).

Knows frame layout, masks and permessage-deflate (RFC 7692). Must not know what is said in a frame, nor any network.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from enum import IntEnum

RSV1, RSV2, RSV3 = 0b100, 0b010, 0b001

KEY = bytes.fromhex("37fa213d")
"""The mask of every masked frame: a case must be the same bytes each time."""

MAX_CONTROL = 125
"""Longest payload of a control frame (RFC 6455 section 5.5)."""

KEPT = 65_536
"""What is kept of one message that is read back, bytes."""

_TAIL = b"\x00\x00\xff\xff"
_WIDTHS = {16: (126, 2), 64: (127, 8)}


class Opcode(IntEnum):
    """The six opcodes that have a meaning (RFC 6455 section 11.8)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


CONTROL_OPCODES = range(0x8, 0x10)
RESERVED_OPCODES = (*range(0x3, 0x8), *range(0xB, 0x10))


def frame(
    payload: bytes = b"",
    opcode: int = Opcode.TEXT,
    *,
    mask: bytes | None,
    fin: bool = True,
    rsv: int = 0,
    width: int | None = None,
    told: int | None = None,
) -> bytes:
    """One frame, whether or not RFC 6455 allows it.

    Args:
        payload: what it carries, not masked yet.
        opcode: any of sixteen.
        mask: four bytes; None leaves the frame unmasked, as a server must send it.
        fin: whether the message ends here.
        rsv: the three reserved bits, `RSV1` being the highest.
        width: bits of the length field, 7, 16 or 64; the shortest that fits when None.
        told: the length that is told, when it is not the right one.
    """
    head = bytes([fin << 7 | rsv << 4 | opcode])
    length = len(payload) if told is None else told
    flag = 0 if mask is None else 0x80
    if mask is None:
        return head + _length(length, width, flag) + payload
    return head + _length(length, width, flag) + mask + masked(payload, mask)


def _length(length: int, width: int | None, flag: int) -> bytes:
    if width is None:
        width = 7 if length < 126 else 16 if length < 2**16 else 64
    if width == 7:
        return bytes([flag | length])
    code, size = _WIDTHS[width]
    return bytes([flag | code]) + length.to_bytes(size, "big")


def masked(payload: bytes, mask: bytes, offset: int = 0) -> bytes:
    """The payload masked, or unmasked again (RFC 6455 section 5.3); `offset` bytes of it came before."""
    if not payload:
        return b""
    turned = mask[offset % 4 :] + mask[: offset % 4]
    key = (turned * (len(payload) // 4 + 1))[: len(payload)]
    size = len(payload)
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def deflater(*, level: int = -1) -> zlib._Compress:
    """A compressor for permessage-deflate whose window is the smallest, so that every negotiated one can follow."""
    return zlib.compressobj(level, wbits=-9)


def deflated(message: bytes, by: zlib._Compress) -> bytes:
    """The payload of a compressed message (RFC 7692 section 7.2.1); `by` keeps the context for the next one."""
    squeezed = by.compress(message) + by.flush(zlib.Z_SYNC_FLUSH)
    return squeezed.removesuffix(_TAIL)


# --- reading back -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a frame; `length` is what it tells, `mask` None when it has none."""

    fin: bool
    rsv: int
    opcode: int
    mask: bytes | None
    length: int


def read_head(data: bytearray) -> Head | None:
    """The head of a frame, None while bytes of it are missing."""
    if len(data) < 2:
        return None
    size = {126: 2, 127: 8}.get(data[1] & 0x7F, 0)
    has_mask = bool(data[1] & 0x80)
    if len(data) < 2 + size + 4 * has_mask:
        return None
    length = int.from_bytes(data[2 : 2 + size], "big") if size else data[1] & 0x7F
    mask = bytes(data[2 + size : 6 + size]) if has_mask else None
    return Head(bool(data[0] & 0x80), data[0] >> 4 & 0b111, data[0] & 0xF, mask, length)


@dataclass(slots=True)
class FrameReader:
    """Reads written frames back piece by piece, and takes every message for one that a lenient peer might serve.

    `ping` is the payload of the last proper ping, None before one, and `pong` that of the last pong. `closing` tells
    whether a close frame was written.
    Memory is bounded, whatever length a frame tells.
    """

    ping: bytes | None = None
    closing: bool = False
    pong: bytes | None = None
    _start: bytearray = field(default_factory=bytearray)
    _head: Head | None = None
    _left: int = 0
    _payload: bytearray = field(default_factory=bytearray)
    _parts: bytearray | None = None
    _squeezed: bool = False
    _inflater: zlib._Decompress = field(default_factory=lambda: zlib.decompressobj(wbits=-15))

    @property
    def unfinished(self) -> bool:
        """True in the middle of a frame or of a message: no other message may be sent now."""
        return bool(self._start) or self._head is not None or self._parts is not None

    def feed(self, data: bytes) -> list[str]:
        """The messages that end in these bytes, long ones cut; what is no UTF-8 is replaced."""
        found: list[str] = []
        at = 0
        while at < len(data):
            if self._head is None:
                self._start.append(data[at])
                at += 1
                self._begin()
            else:
                at += self._carry(data, at)
            if self._head is not None and not self._left:
                head, self._head = self._head, None
                found += self._end(head, bytes(self._payload))
        return found

    def _begin(self) -> None:
        self._head = read_head(self._start)
        if self._head is not None:
            self._left = self._head.length
            self._start.clear()
            self._payload.clear()

    def _carry(self, data: bytes, at: int) -> int:
        assert self._head is not None
        taken = min(self._left, len(data) - at)
        piece = data[at : at + min(taken, KEPT - len(self._payload))]
        if self._head.mask is not None:
            piece = masked(piece, self._head.mask, len(self._payload))
        self._payload += piece
        self._left -= taken
        return taken

    def _end(self, head: Head, payload: bytes) -> list[str]:
        if head.opcode in CONTROL_OPCODES:
            self._control(head, payload)
            return []
        if head.opcode != Opcode.CONTINUATION or self._parts is None:
            self._parts, self._squeezed = bytearray(), bool(head.rsv & RSV1)
        self._parts += payload[: KEPT - len(self._parts)]
        if not head.fin:
            return []
        whole, self._parts = bytes(self._parts), None
        return [(self._inflated(whole) if self._squeezed else whole).decode("utf-8", "replace")]

    def _control(self, head: Head, payload: bytes) -> None:
        if head.opcode == Opcode.CLOSE:
            self.closing = True
        elif head.opcode == Opcode.PONG:
            self.pong = payload
        elif head.opcode == Opcode.PING and head.fin and not head.rsv:
            self.ping = payload if head.length <= MAX_CONTROL else self.ping

    def _inflated(self, data: bytes) -> bytes:
        if self._inflater.eof:
            self._inflater = zlib.decompressobj(wbits=-15)
        try:
            return self._inflater.decompress(data + _TAIL, KEPT)
        except zlib.error:
            self._inflater = zlib.decompressobj(wbits=-15)
            return data
