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

from strategies.version import version
from strategies.wsframes import Opcode, frame

UNCOMPRESSED = "uncompressed"
"""The way that is a proper one, but for permessage-deflate, which is not granted."""

HOLD_S = 3.0
"""How long a caller is kept waiting by the ways that do not answer."""

_SHAKE_S = 10.0
_MAX_REQUEST = 65_536
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

_PING = frame(b"", Opcode.PING, mask=None)
_PONG = bytes([0x80 | Opcode.PONG, 0x80])
"""How a client's empty pong begins: it is masked (RFC 6455 section 5.1)."""

WAYS = ("refuse-tcp", "silent", "tls-abort", *_ANSWERS)
"""Every way to receive a caller so that no connection comes about that is worth anything."""


async def receive_badly(how: str, caller: socket.socket, tls: ssl.SSLContext | None) -> bool:
    """Treat one caller in the way called `how`, one of `WAYS`; it is gone afterwards. Never raises `OSError`.

    True when the caller took a connection for one that RFC 6455 section 4.1 told it to fail.
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
                return await _answer(how, caller, tls)
    return False


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


async def _answer(how: str, caller: socket.socket, tls: ssl.SSLContext | None) -> bool:
    reader = asyncio.StreamReader(limit=_MAX_REQUEST)
    async with asyncio.timeout(_SHAKE_S):
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(reader), caller, ssl=tls
        )
    try:
        async with asyncio.timeout(_SHAKE_S):
            request = await reader.readuntil(b"\r\n\r\n")
        transport.write(_ANSWERS[how](request))
        if how in _MUST_FAIL:
            transport.write(_PING)
        if not how.startswith("101-"):
            transport.close()
        return await _outwait(reader) and how in _MUST_FAIL
    except asyncio.LimitOverrunError:
        return False
    finally:
        transport.abort()


async def _outwait(reader: asyncio.StreamReader) -> bool:
    """Keep whoever does not hang up by itself for a while; True when it answered our ping, and so means to stay."""
    start = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HOLD_S):
            while piece := await reader.read(_MAX_REQUEST):
                start = (start + piece)[:_MAX_REQUEST]
                if _PONG in start:
                    return True
    return False
