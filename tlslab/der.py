"""Writes and reads DER (X.690), as little as certificates need; it does not care whether what it writes is wise.

Knows bytes only.
"""

from __future__ import annotations

from datetime import UTC, datetime

SEQUENCE, SET, INTEGER, BOOLEAN = 0x30, 0x31, 0x02, 0x01
BIT_STRING, OCTET_STRING, OID, NULL = 0x03, 0x04, 0x06, 0x05
UTF8, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x17, 0x18


def tlv(tag: int, *parts: bytes) -> bytes:
    """One element: its tag, the length, and its parts one after the other."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def integer(number: int) -> bytes:
    """An INTEGER in as few bytes as it takes, negative ones too."""
    size = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return tlv(INTEGER, number.to_bytes(size, "big", signed=True))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return tlv(OID, *(_base128(arc) for arc in (40 * first + second, *rest)))


def _base128(arc: int) -> bytes:
    septets = [arc & 0x7F]
    while arc := arc >> 7:
        septets.append(0x80 | arc & 0x7F)
    return bytes(reversed(septets))


def bit_string(data: bytes) -> bytes:
    """A BIT STRING of whole bytes."""
    return tlv(BIT_STRING, b"\0", data)


def moment(when: datetime) -> bytes:
    """A time to the second, as RFC 5280 section 4.1.2.5 wants it: UTCTime through 2049."""
    when = when.astimezone(UTC)
    if 1950 <= when.year < 2050:
        return tlv(UTC_TIME, f"{when:%y%m%d%H%M%S}Z".encode())
    return tlv(GENERALIZED_TIME, f"{when.year:04}{when:%m%d%H%M%S}Z".encode())


def elements(data: bytes) -> list[bytes]:
    """The elements that lie one after the other in `data`, each whole. Raises `ValueError` for what is no DER."""
    found = []
    while data:
        _, end = _extent(data)
        found.append(data[:end])
        data = data[end:]
    return found


def inside(element: bytes) -> list[bytes]:
    """The elements within one constructed element."""
    start, end = _extent(element)
    return elements(element[start:end])


def _extent(data: bytes) -> tuple[int, int]:
    """Where the body of the first element begins and ends."""
    if len(data) < 2:
        raise ValueError("DER ends within an element")
    start, length = 2, data[1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise ValueError("DER ends within an element")
    return start, start + length
