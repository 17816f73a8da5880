"""A `Link` over a WebSocket, whoever dialled.

Knows the seam `Link`, how text becomes bytes, and what can be read off an open connection. Must not know who let
it in, nor what is said on it.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence

from websockets.http11 import Request

from fuzz.errors import UsageError
from fuzz.records import Close, Handshake
from fuzz.transport.pump import Message, Pump
from tlslab.wire import suite_name


class WebSocketLink:
    """One open WebSocket connection; implements `Link`. One reader at a time."""

    def __init__(self, pump: Pump, handshake: Handshake) -> None:
        self._pump = pump
        self._handshake = handshake

    @property
    def handshake(self) -> Handshake:
        """How the connection came about."""
        return self._handshake

    @property
    def closed(self) -> Close | None:
        """How the connection ended, None while it is open; messages may still wait to be read."""
        return self._pump.close_seen

    async def receive(self) -> Message:
        """The next message: str for text, bytes for binary. Raises `LinkClosed`."""
        return await self._pump.receive()

    async def send_text(self, text: str) -> None:
        """Send one text message. Raises `LinkClosed`; lone surrogates are sent as invalid UTF-8."""
        await self._pump.send(text.encode("utf-8", "surrogatepass"), text=True)

    async def send_bytes(self, data: bytes, *, opcode: str) -> None:
        """Send one message of raw bytes as `text` or `binary`. Raises `LinkClosed`."""
        if opcode not in ("text", "binary"):
            raise UsageError(f"opcode {opcode!r}; allowed are 'text' and 'binary'")
        await self._pump.send(data, text=opcode == "text")

    async def send_raw(self, data: bytes) -> None:
        """Write bytes below the WebSocket layer. Raises `LinkClosed`."""
        await self._pump.send_raw(data)

    def pongs(self) -> Sequence[bytes]:
        """What pongs held that no `ping` waits for, since this was asked last; equal ones in a row count as one."""
        return self._pump.pongs()

    async def ping(self, timeout_s: float) -> bool:
        """True when a WebSocket pong came back in time."""
        return await self._pump.ping(timeout_s)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close properly, cut when the peer takes too long over it; never raises."""
        await self._pump.close(code, reason)

    async def abort(self) -> None:
        """Cut the connection without a close frame; never raises."""
        await self._pump.abort()

    def deafen(self) -> None:
        """Read nothing any more, and answer nothing, not even a ping; `abort` ends it."""
        self._pump.deafen()


def describe(
    pump: Pump,
    request: Request,
    *,
    identity: str,
    basic_user: str = "",
    password: int | None = None,
    suites: Mapping[str, str],
) -> Handshake:
    """What is known of a connection whose opening handshake is over.

    `suites` turns the TLS library's suite names into IANA's (`iana_names`).
    """
    tls = pump.transport.get_extra_info("ssl_object")
    cipher = tls.cipher() if tls else None
    return Handshake(
        identity=identity,
        path=_plain(request.path),
        host=_plain(",".join(request.headers.get_all("Host"))),
        subprotocol=pump.protocol.subprotocol or "",
        offered_subprotocols=offered_subprotocols(request),
        remote=address(pump.transport.get_extra_info("peername")),
        tls_version=(tls.version() or "") if tls else "",
        cipher_suite=suites.get(cipher[0], cipher[0]) if cipher else "",
        peer_common_name=_common_name(tls.getpeercert()) if tls else "",
        basic_user=basic_user,
        password=password,
        compression=bool(pump.protocol.extensions),
        context_takeover=pump.takes_over_context,
        peer_certificate=(tls.getpeercert(binary_form=True) or b"") if tls else b"",
    )


def offered_subprotocols(request: Request) -> tuple[str, ...]:
    """The subprotocols of a request, in the client's order of preference (RFC 6455 section 4.1)."""
    values = _plain(",".join(request.headers.get_all("Sec-WebSocket-Protocol")))
    return tuple(name for name in map(str.strip, values.split(",")) if name)


def _plain(text: str) -> str:
    """Text from a request with every raw byte spelt out, so that files and terminals take it."""
    return text.encode("utf-8", "backslashreplace").decode()


def address(peer: object) -> str:
    """A socket address as people write it."""
    if not isinstance(peer, tuple) or len(peer) < 2:
        return ""
    host, port = peer[0], peer[1]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def iana_names(context: ssl.SSLContext | None) -> Mapping[str, str]:
    """The IANA name of each suite of a context, by the TLS library's own name."""
    if context is None:
        return {}
    return {c["name"]: suite_name(c["id"] & 0xFFFF) for c in context.get_ciphers()}


def _common_name(certificate: Mapping[str, object] | None) -> str:
    """The commonName of a verified certificate, as `ssl` gives it; "" without one."""
    subject = (certificate or {}).get("subject", ())
    if not isinstance(subject, tuple):
        return ""
    return next((value for rdn in subject for name, value in rdn if name == "commonName"), "")
