"""Finds the TCP segment in a captured packet (Ethernet, cooked Linux captures, loopback, raw IP).

Knows headers and their lengths. Must not know streams. Whatever the bytes, it gives a segment or None, never an exception.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

End: TypeAlias = tuple[bytes, int]
"""Address and port."""

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

_TCP = 6
_IPV4, _IPV6 = 0x0800, 0x86DD
_VLANS = frozenset({0x8100, 0x88A8, 0x9100})
_COOKED = {113: (14, 16), 276: (0, 20)}
_ETHERNET, _RAW = 1, frozenset({12, 14, 101, 228, 229})
_LOOPBACK = frozenset({0, 108})
_OPTIONS = frozenset({0, 43, 60})
"""IPv6 extension headers that may stand before TCP (RFC 8200 section 4.1); fragments are passed over."""

_LENGTHS: Mapping[int, int] = {4: 20, 6: 40}


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment; `cut` when the capture holds less of its data than was sent."""

    source: End
    target: End
    number: int
    flags: int
    data: bytes
    cut: bool = False


def segment(link: int, data: bytes) -> Segment | None:
    """The TCP segment of a packet, None when there is none that we read."""
    try:
        start = _network(link, data)
        if start is None or not data[start:]:
            return None
        return _ip(data[start:])
    except (struct.error, IndexError):
        return None


def _network(link: int, data: bytes) -> int | None:
    """Where IP begins."""
    if link == _ETHERNET:
        at = 12
        kind = struct.unpack_from(">H", data, at)[0]
        while kind in _VLANS and at < 28:
            at += 4
            kind = struct.unpack_from(">H", data, at)[0]
        return at + 2 if kind in (_IPV4, _IPV6) else None
    if link in _COOKED:
        at, size = _COOKED[link]
        return size if struct.unpack_from(">H", data, at)[0] in (_IPV4, _IPV6) else None
    if link in _LOOPBACK:
        return 4
    return 0 if link in _RAW else None


def _ip(data: bytes) -> Segment | None:
    match data[0] >> 4:
        case 4:
            return _ip4(data)
        case 6:
            return _ip6(data)
        case _:
            return None


def _ip4(data: bytes) -> Segment | None:
    head, whole = (data[0] & 0xF) * 4, struct.unpack_from(">H", data, 2)[0]
    fragment = struct.unpack_from(">H", data, 6)[0] & 0x3FFF
    if data[9] != _TCP or fragment or head < _LENGTHS[4]:
        return None
    # The network card splits big segments later; the length is not known to the capture then.
    length = (whole or len(data)) - head
    return _tcp(data[head : head + length], length, data[12:16], data[16:20])


def _ip6(data: bytes) -> Segment | None:
    kind, at = data[6], _LENGTHS[6]
    end = at + (struct.unpack_from(">H", data, 4)[0] or len(data) - at)
    while kind in _OPTIONS and at < 512:
        kind, at = data[at], at + 8 + data[at + 1] * 8
    if kind != _TCP:
        return None
    return _tcp(data[at:end], end - at, data[8:24], data[24:40])


def _tcp(data: bytes, length: int, source: bytes, target: bytes) -> Segment | None:
    from_port, to_port, number = struct.unpack_from(">HHI", data, 0)
    head, flags = (data[12] >> 4) * 4, data[13]
    if head < 20:
        return None
    return Segment(
        (source, from_port), (target, to_port), number, flags, data[head:], len(data) < length
    )
