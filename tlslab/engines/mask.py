"""Hides on a tape what would be readable there: HTTP without TLS, and data under a suite that encrypts nothing.

A password that a Charging Station sends where it must not is seen by the lab, never stored (A00.FR.301, FR.312).
Knows record headers only.
"""

from __future__ import annotations

from tlslab.records import DATA_RECORD

_HEADER = 5
_TYPES = range(20, 25)


class Mask:
    """Bytes of one direction, of the same length, with `*` in the place of whatever is not in a record.

    With `data` True the inside of data records is hidden too, for suites that do not encrypt.
    """

    def __init__(self, *, data: bool = False) -> None:
        self._data = data
        self._header = bytearray()
        self._left = 0
        self._hides = False
        self._lost = False

    def hide(self, data: bytes) -> bytes:
        """The next bytes as they may be kept."""
        told = bytearray()
        at = 0
        while at < len(data):
            if self._lost:
                return bytes(told) + b"*" * (len(data) - at)
            size = min(self._left or _HEADER - len(self._header), len(data) - at)
            told += self._inside(data[at : at + size])
            at += size
        return bytes(told)

    def _inside(self, part: bytes) -> bytes:
        if self._left:
            self._left -= len(part)
            return b"*" * len(part) if self._hides else part
        self._header += part
        if not self._is_record():
            self._lost = True
            return b"*" * len(part)
        if len(self._header) == _HEADER:
            self._left = int.from_bytes(self._header[3:], "big")
            self._hides = self._data and self._header[0] == DATA_RECORD
            self._header.clear()
        return part

    def _is_record(self) -> bool:
        return self._header[0] in _TYPES and (len(self._header) < 2 or self._header[1] == 3)
