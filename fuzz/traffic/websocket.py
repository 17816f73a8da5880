"""Reads the two streams of a connection as an HTTP upgrade and WebSocket messages (RFC 6455, RFC 7692).

Knows requests, frames and permessage-deflate. Must not know TCP or TLS. Memory is bounded, whatever lengths are told and
however far a message inflates.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from fuzz.records import Side
from fuzz.traffic.events import MAX_MESSAGE, Closing, Lost, Opened, Said, Secret, Told
from strategies.wsframes import CONTROL_OPCODES, RSV1, Head, Opcode, masked, read_head

MAX_HEADERS = 64 * 2**10
MAX_EARLY = 2**20
"""What a client may say before it is answered, bytes."""

_TAIL = b"\x00\x00\xff\xff"
_END = b"\r\n\r\n"
_LONGEST_HEAD = 14
_NO_CODE = 1005


class _Beyond(Exception):
    """What comes is not read; the reason is its text."""


@dataclass(slots=True)
class _Messages:
    """One direction after the upgrade."""

    deflate: bool
    takeover: bool
    _buffer: bytearray = field(default_factory=bytearray)
    _message: bytearray = field(default_factory=bytearray)
    _opcode: int | None = None
    _squeezed: bool = False
    _inflater: zlib._Decompress = field(default_factory=lambda: zlib.decompressobj(wbits=-15))

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Opcode and payload of the messages and control frames that end here. Raises `_Beyond`."""
        self._buffer += data
        at = 0
        try:
            while True:
                start = self._buffer[at : at + _LONGEST_HEAD]
                head = read_head(start)
                if head is None:
                    return
                if head.length > MAX_MESSAGE:
                    raise _Beyond(f"a frame claims {head.length} bytes")
                begin = at + _size(head, start)
                if len(self._buffer) < begin + head.length:
                    return
                payload = bytes(self._buffer[begin : begin + head.length])
                at = begin + head.length
                whole = self._take(
                    head, payload if head.mask is None else masked(payload, head.mask)
                )
                if whole is not None:
                    yield whole
        finally:
            del self._buffer[:at]

    def _take(self, head: Head, payload: bytes) -> tuple[int, bytes] | None:
        if head.opcode in CONTROL_OPCODES:
            return head.opcode, payload
        if head.opcode != Opcode.CONTINUATION or self._opcode is None:
            self._message.clear()
            self._opcode, self._squeezed = head.opcode, bool(head.rsv & RSV1)
        self._message += payload
        if len(self._message) > MAX_MESSAGE:
            raise _Beyond(f"a message has more than {MAX_MESSAGE} bytes")
        if not head.fin:
            return None
        opcode, whole = self._opcode, bytes(self._message)
        self._opcode = None
        self._message.clear()
        return opcode, self._inflated(whole) if self._squeezed and self.deflate else whole

    def _inflated(self, data: bytes) -> bytes:
        if not self.takeover or self._inflater.eof:
            self._inflater = zlib.decompressobj(wbits=-15)
        try:
            whole = self._inflater.decompress(data + _TAIL, MAX_MESSAGE + 1)
        except zlib.error:
            raise _Beyond("a compressed message cannot be inflated") from None
        if len(whole) > MAX_MESSAGE:
            raise _Beyond(f"a compressed message inflates to more than {MAX_MESSAGE} bytes")
        return whole


def _size(head: Head, start: bytearray) -> int:
    return 2 + {126: 2, 127: 8}.get(start[1] & 0x7F, 0) + (0 if head.mask is None else 4)


@dataclass(slots=True)
class Socket:
    """One connection from its first byte; only what speaks `subprotocol` is read.

    Implements `fuzz.traffic.tcp.Reader`. Who opened the connection is the Charging Station.
    """

    talk: str
    subprotocol: str
    _asked: bytearray = field(default_factory=bytearray)
    _answered: bytearray = field(default_factory=bytearray)
    _halves: tuple[_Messages, _Messages] | None = None
    _over: list[bool] = field(default_factory=lambda: [False, False])

    def feed(self, data: bytes, *, by_opener: bool) -> Iterator[Told]:
        """What these bytes tell."""
        if self._over[not by_opener]:
            return
        if self._halves is not None:
            yield from self._said(data, by_opener=by_opener)
            return
        try:
            yield from self._open(data, by_opener=by_opener)
        except _Beyond as why:
            self._over = [True, True]
            yield Lost(str(why))

    def end(self) -> Iterator[Told]:
        """A connection that never became a WebSocket is told."""
        if self._halves is None and not all(self._over) and (self._asked or self._answered):
            yield Lost("a connection without a whole WebSocket handshake")

    def _open(self, data: bytes, *, by_opener: bool) -> Iterator[Told]:
        if by_opener:
            self._asked += data
        else:
            self._answered += data
        if not b"GET ".startswith(self._asked[:4]) or len(self._asked) > MAX_HEADERS + MAX_EARLY:
            raise _Beyond("a connection that is no WebSocket, or whose beginning is missing")
        if len(self._answered) > MAX_HEADERS and _END not in self._answered[:MAX_HEADERS]:
            raise _Beyond("a connection whose HTTP answer does not end")
        if _END not in self._asked or _END not in self._answered:
            return
        request, _, early = bytes(self._asked).partition(_END)
        response, _, rest = bytes(self._answered).partition(_END)
        self._asked.clear()
        self._answered.clear()
        self._halves = self._agreed(response)
        yield Opened(self.talk, _secrets(request))
        yield from self._said(early, by_opener=True)
        yield from self._said(rest, by_opener=False)

    def _agreed(self, response: bytes) -> tuple[_Messages, _Messages]:
        """Both directions, as the answer says. Raises `_Beyond`."""
        status, headers = _headers(response)
        if status.split(b" ")[1:2] != [b"101"]:
            raise _Beyond("a connection that was not upgraded to WebSocket")
        agreed = headers.get(b"sec-websocket-protocol", b"").decode("ascii", "replace")
        if agreed != self.subprotocol:
            raise _Beyond("a WebSocket of another protocol or version")
        extensions = headers.get(b"sec-websocket-extensions", b"").lower()
        deflate = b"permessage-deflate" in extensions
        return (
            _Messages(deflate, b"client_no_context_takeover" not in extensions),
            _Messages(deflate, b"server_no_context_takeover" not in extensions),
        )

    def _said(self, data: bytes, *, by_opener: bool) -> Iterator[Told]:
        assert self._halves is not None
        sender = Side.STATION if by_opener else Side.CSMS
        try:
            for opcode, payload in self._halves[not by_opener].feed(data):
                if opcode == Opcode.CLOSE:
                    yield _closing(self.talk, sender, payload)
                elif opcode not in CONTROL_OPCODES:
                    yield _message(self.talk, sender, opcode, payload)
        except _Beyond as why:
            self._over[not by_opener] = True
            yield Lost(f"{why}; the rest of its direction is not read")


def _message(talk: str, sender: Side, opcode: int, payload: bytes) -> Told:
    if opcode != Opcode.TEXT:
        return Said(talk, sender, payload, binary=True)
    try:
        return Said(talk, sender, payload.decode("utf-8"))
    except UnicodeDecodeError:
        return Said(talk, sender, payload)


def _closing(talk: str, sender: Side, payload: bytes) -> Closing:
    code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else _NO_CODE
    return Closing(talk, sender, code, payload[2:].decode("utf-8", "replace"))


def _headers(head: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    first, *lines = head[:MAX_HEADERS].split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    return first, {name.strip().lower(): value.strip() for name, _, value in pairs}


def _secrets(request: bytes) -> tuple[tuple[Secret, str], ...]:
    """What the request tells of who calls: its identity, and what Basic authentication tells (RFC 7617)."""
    first, headers = _headers(request)
    path = (first.split(b" ")[1:2] or [b""])[0].partition(b"?")[0].decode("ascii", "replace")
    found = [(Secret.IDENTITY, unquote(path.rsplit("/", 1)[-1]))]
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"basic":
        try:
            user, _, password = base64.b64decode(token).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            user, password = "", ""
        found += [(Secret.IDENTITY, user), (Secret.SECRET, password)]
    return tuple((kind, text) for kind, text in found if text)
