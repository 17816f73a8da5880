"""Receives callers badly: refuses them, answers nonsense, or never, in the middle of TCP, TLS or the opening handshake.

Knows HTTP upgrades and how each way differs from a proper one (RFC 6455 section 4). Must not know who calls. Every way
ends by itself within seconds: whoever calls again is the next caller.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fuzz.records import LEFT_OPEN, WENT_ON
from strategies.version import version
from strategies.wsframes import FrameReader, Opcode, frame

UNCOMPRESSED = "uncompressed"
"""The way that is a proper one, but for permessage-deflate, which is not granted."""

HOLD_S = 3.0
"""How long a caller is kept waiting by the ways that do not answer."""

LOOK_S = 1.0
"""How long it is looked whether a caller that called again still closes what it had before."""

_SHAKE_S = 10.0
_MAX_REQUEST = 65_536
_MAX_PATHS = 64
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"^sec-websocket-key:[ \t]*([^\r\n]{1,200}?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)  # fmt: skip
_HOST = re.compile(rb"^host:[ \t]*([\w.:\[\]-]{1,200})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)

Answer = Callable[[bytes], bytes]


def _status(line: str, *headers: str) -> Answer:
    return lambda _: _head(f"HTTP/1.1 {line}", "Content-Length: 0", "Connection: close", *headers)


def _head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _upgrade(
    *headers: str, subprotocol: str | None = None, accept: str | None = None
) -> Callable[[bytes], bytes]:
    """A 101 that is proper but for what is given."""

    def answer(request: bytes) -> bytes:
        name = version().subprotocol if subprotocol is None else subprotocol
        chosen = [f"Sec-WebSocket-Protocol: {name}"] if name else []
        return _head(
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {accept or accept_of(request)}",
            *chosen,
            *headers,
        )

    return answer


def accept_of(request: bytes) -> str:
    """The Sec-WebSocket-Accept that a request asks for (RFC 6455 section 4.2.2)."""
    found = _KEY.search(request)
    key = found.group(1).decode("latin-1") if found else ""
    return base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode()).digest()).decode()


def _redirect(request: bytes) -> bytes:
    found = _HOST.search(request)
    host = found.group(1).decode() if found else "localhost"
    # To ourselves, where nobody of that name is let in: who follows is seen among the refused.
    return _head(
        "HTTP/1.1 301 Moved Permanently",
        f"Location: ws://{host}/elsewhere/ocppfuzz-redirected",
        "Content-Length: 0",
        "Connection: close",
    )


_ANSWERS: Mapping[str, Answer] = {
    "503": _status("503 Service Unavailable"),
    "503-retry-after": _status("503 Service Unavailable", "Retry-After: 1"),
    "401": _status("401 Unauthorized", 'WWW-Authenticate: Basic realm="OCPP"'),
    "404": _status("404 Not Found"),
    "200": _status("200 OK"),
    "redirect": _redirect,
    "101-nonsense": _upgrade(accept="bm9uc2Vuc2Ugbm9uc2Vuc2U="),
    "101-other-subprotocol": _upgrade(subprotocol="ocpp1.6"),
    "101-no-subprotocol": _upgrade(subprotocol=""),
    "101-extension": _upgrade("Sec-WebSocket-Extensions: x-never-offered"),
    "101-silent": _upgrade(),
    "101-long-header": _upgrade("X-Padding: " + "x" * 60_000),
    "http-garbage": lambda _: bytes(range(256)) * 4 + b"\r\n\r\n",
    "cut-in-101": lambda request: _upgrade()(request)[:60],
}
"""What is answered to a request that came, by way; the connection ends behind it."""

_SAMPLE_KEY, _SAMPLE_HOST = "AAAAAAAAAAAAAAAAAAAAAA==", "host.invalid"


def stored_answer(how: str) -> bytes | None:
    """The bytes of a way's answer, with `{accept}` and `{host}` where it depends on the request; None without any."""
    if how not in _ANSWERS:
        return None
    request = f"GET / HTTP/1.1\r\nHost: {_SAMPLE_HOST}\r\nSec-WebSocket-Key: {_SAMPLE_KEY}\r\n\r\n"
    asked = request.encode()
    told = _ANSWERS[how](asked).replace(accept_of(asked).encode(), b"{accept}")
    return told.replace(_SAMPLE_HOST.encode(), b"{host}")


_MUST_FAIL = frozenset({"101-nonsense", "101-other-subprotocol", "101-extension"})
"""The answers after which there must be no connection (RFC 6455 section 4.1)."""

_MAY_STAY = frozenset({"101-no-subprotocol"})
"""The answers after which there may be a connection, or none: a client chooses, and closes what it does not want."""

_ASKED, _ASKED_LATER = b"", b"still there"
"""What is in our pings: the first as short as can be, the second as no pong has it that nobody asked for."""

WAYS = ("refuse-tcp", "silent", "tls-abort", *_ANSWERS)
"""Every way to receive a caller so that no connection comes about that is worth anything."""


class Callers:
    """Who asks for what at a door, and whether somebody asks for the same again."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, asyncio.Event] = {}

    def came(self, path: bytes) -> asyncio.Event:
        """Take note of a caller that asks for this path; set once another one does."""
        again = asyncio.Event()
        if earlier := self._waiting.pop(path, None):
            earlier.set()
        self._waiting[path] = again
        while len(self._waiting) > _MAX_PATHS:
            del self._waiting[next(iter(self._waiting))]
        return again


async def receive_badly(
    how: str, caller: socket.socket, tls: ssl.SSLContext | None, callers: Callers
) -> str:
    """Treat one caller in the way called `how`, one of `WAYS`; it is gone afterwards. Never raises `OSError`.

    `WENT_ON` when the caller took a connection for one that RFC 6455 section 4.1 told it to fail, `LEFT_OPEN` when it
    called again and did not close a connection that it might have kept; else "".
    """
    # What a caller does to a door that treats it badly is no news.
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        match how:
            case "refuse-tcp":
                _reset(caller)
            case "silent":
                await asyncio.sleep(HOLD_S)
                _reset(caller)
            case "tls-abort":
                await _abort_tls(caller)
            case _:
                return await _answer(how, caller, tls, callers)
    return ""


def _reset(caller: socket.socket) -> None:
    """The connection is reset: no proper end of TCP."""
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.close()


async def _abort_tls(caller: socket.socket) -> None:
    """Hang up once the ClientHello, or whatever a caller says first, has begun."""
    try:
        async with asyncio.timeout(_SHAKE_S):
            await asyncio.get_running_loop().sock_recv(caller, 1)
    finally:
        _reset(caller)


async def _answer(
    how: str, caller: socket.socket, tls: ssl.SSLContext | None, callers: Callers
) -> str:
    reader = asyncio.StreamReader(limit=_MAX_REQUEST)
    async with asyncio.timeout(_SHAKE_S):
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(reader), caller, ssl=tls
        )
    try:
        async with asyncio.timeout(_SHAKE_S):
            request = await reader.readuntil(b"\r\n\r\n")
        again = callers.came(path_of(request))
        transport.write(_ANSWERS[how](request))
        if not how.startswith("101-"):
            transport.close()
        heard = _Heard(reader)
        if how in _MUST_FAIL:
            transport.write(frame(_ASKED, Opcode.PING, mask=None))
            return WENT_ON if await heard.pong(_ASKED, HOLD_S) else ""
        if how in _MAY_STAY:
            return LEFT_OPEN if await _left_open(heard, transport, again) else ""
        await heard.end(HOLD_S)
    except asyncio.LimitOverrunError:
        return ""
    finally:
        transport.abort()
    return ""


def path_of(request: bytes) -> bytes:
    """What a request asks for, as it stands there; empty when it asks for nothing (RFC 9112 section 3)."""
    words = request.partition(b"\r\n")[0].split()
    return words[1] if len(words) > 1 else b""


async def _left_open(heard: _Heard, transport: asyncio.Transport, again: asyncio.Event) -> bool:
    """True when a caller called again, and neither closed this connection then nor for a while, and answers pings on it.

    One that stays on this connection alone may do so: no subprotocol is no reason to fail it (RFC 6455 section 4.1).
    """
    reading = asyncio.ensure_future(heard.end(HOLD_S))
    called = asyncio.ensure_future(again.wait())
    try:
        await asyncio.wait({reading, called}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        reading.cancel()
        called.cancel()
        await asyncio.wait({reading, called})
    if not again.is_set() or heard.over:
        return False
    transport.write(frame(_ASKED_LATER, Opcode.PING, mask=None))
    return await heard.pong(_ASKED_LATER, HOLD_S) and not await heard.end(LOOK_S)


@dataclass(slots=True)
class _Heard:
    """What a caller says behind our answer; `over` once it said that it goes, or went."""

    reader: asyncio.StreamReader
    over: bool = False
    _frames: FrameReader = field(default_factory=FrameReader)

    async def pong(self, data: bytes, seconds: float) -> bool:
        """Listen until a pong with this data came, at most so long; True when it did and the caller means to stay."""
        await self._listen(seconds, lambda: self._frames.pong == data)
        return self._frames.pong == data and not self.over

    async def end(self, seconds: float) -> bool:
        """Listen until the caller goes, at most so long; True when it did."""
        await self._listen(seconds, lambda: False)
        return self.over

    async def _listen(self, seconds: float, enough: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not (self.over or enough()):
                    piece = await self.reader.read(_MAX_REQUEST)
                    self._frames.feed(piece)
                    self.over = not piece or self._frames.closing
        except TimeoutError:
            pass
        except OSError:
            self.over = True
