"""How the station gets a WebSocket connection: TCP, TLS, a look at the CSMS, and only then the opening handshake.

Knows websockets and ssl; must not know what is said over the connection.
"""

from __future__ import annotations

import base64
import functools
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from fuzz.errors import UsageError
from fuzz.station.events import Failure
from fuzz.station.keystore import Credentials
from fuzz.station.tls import client_context, failure_of
from fuzz.station.verifying import Shown
from fuzz.station.wire import HEALTHY, Trusts, Wire

MAX_MESSAGE = 64 * 2**20
"""Longest message that is read, unpacked; a longer one closes the connection with 1009."""

_MAX_WAITING = 4
_OPEN_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 2.0
_CLOCK_TOLERANCE_S = 60.0
"""Up to so much the station's clock counts as that of the machine, by which OpenSSL judges during the handshake."""


@dataclass(frozen=True, slots=True)
class Route:
    """One attempt: where to dial, who to be, whom to trust.

    `url` goes without the identity; no ping for 0 s. `clock_shift_s` is what the station's clock is ahead of that of
    the machine.
    """

    url: str
    identity: str
    security_profile: int
    subprotocol: str
    cipher_suites: Sequence[str]
    allow_wildcards: bool = False
    ping_s: int = 0
    clock_shift_s: float = 0.0

    @property
    def full_url(self) -> str:
        """The connection URL: the identity is its last part, percent-encoded (Part 4 section 3.1.1)."""
        return f"{self.url.rstrip('/')}/{quote(self.identity, safe='')}"


class NotConnected(Exception):
    """No connection came about because of `failure`; the text says why, in one line."""

    def __init__(self, failure: Failure, text: str) -> None:
        super().__init__(text)
        self.failure = failure


class _Untrusted(Exception):
    """The CSMS is not who it should be, although TLS succeeded."""


async def dial(route: Route, credentials: Credentials, wire: Wire = HEALTHY) -> ClientConnection:
    """An open connection. Raises NotConnected; cancelling it leaves nothing open."""
    try:
        return await _dial(route, credentials, wire)
    except NotConnected as error:
        wire.failed(error.failure)
        raise


async def _dial(route: Route, credentials: Credentials, wire: Wire) -> ClientConnection:
    try:
        connection = await _connecting(route, credentials, wire)
    except _Untrusted as error:
        raise _not_connected(route, Failure.CSMS_CERTIFICATE, str(error)) from None
    except (
        OSError,
        InvalidHandshake,
        InvalidURI,
        TimeoutError,
        EOFError,
        UsageError,
        ValueError,
    ) as error:
        why = f"{type(error).__name__}: {error}"
        raise _not_connected(route, failure_of(error), why) from None
    if connection.subprotocol != route.subprotocol:
        # RFC 6455 section 4.1: without the subprotocol there is nothing to say.
        await connection.close(1002)
        raise _not_connected(route, Failure.REFUSED, "the CSMS chose no subprotocol")
    return connection


def _not_connected(route: Route, failure: Failure, why: str) -> NotConnected:
    return NotConnected(failure, f"cannot connect to {route.full_url}: {why}")


class _Direct(connect):
    """A connection without redirects: the Basic password goes to the configured CSMS and nowhere else."""

    def __init__(self, url: str, wire: Wire, **options: Any) -> None:
        super().__init__(url, **options)
        self._wire = wire

    def process_redirect(self, exc: Exception) -> Exception | str:
        return self._wire.redirected(self, exc)


def _connecting(route: Route, credentials: Credentials, wire: Wire) -> _Direct:
    tls: dict[str, Any] = {}
    connection = ClientConnection
    if route.url.startswith("wss:"):
        made = _context(
            credentials,
            tuple(route.cipher_suites),
            route.security_profile,
            own_clock=abs(route.clock_shift_s) > _CLOCK_TOLERANCE_S,
        )
        tls["ssl"] = wire.tls(made)
        connection = _looking(wire.trusts, route, credentials.roots)
    return _Direct(
        route.full_url,
        wire,
        subprotocols=[Subprotocol(route.subprotocol)],
        additional_headers=_authorization(route, credentials),
        proxy=None,
        open_timeout=_OPEN_TIMEOUT_S,
        close_timeout=_CLOSE_TIMEOUT_S,
        ping_interval=route.ping_s or None,
        max_size=MAX_MESSAGE,
        max_queue=_MAX_WAITING,
        create_connection=wire.connection(connection),
        **tls,
    )


@functools.lru_cache(maxsize=1)
def _context(
    credentials: Credentials,
    cipher_suites: tuple[str, ...],
    security_profile: int,
    *,
    own_clock: bool,
) -> ssl.SSLContext:
    """The context of the last attempt while nothing has changed: keys and roots take long to load."""
    return client_context(
        credentials,
        cipher_suites=cipher_suites,
        security_profile=security_profile,
        own_clock=own_clock,
    )


def _looking(trusts: Trusts, route: Route, roots: tuple[str, ...]) -> type[ClientConnection]:
    """Connections that look at the certificates of the CSMS before a byte of ours is sent (A00.FR.411)."""

    class Looking(ClientConnection):
        async def handshake(self, *headers: Any, **options: Any) -> None:
            tls = self.transport.get_extra_info("ssl_object")
            shown = Shown(
                () if tls is None else tuple(_shown(tls)),
                urlsplit(route.url).hostname or "",
                roots,
                datetime.now(UTC) + timedelta(seconds=route.clock_shift_s),
                allow_wildcards=route.allow_wildcards,
            )
            if why := trusts(shown):
                raise _Untrusted(why)
            await super().handshake(*headers, **options)

    return Looking


def _shown(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates that the peer sent, its own first, DER."""
    if hasattr(tls, "get_unverified_chain"):  # Python 3.13
        return list(tls.get_unverified_chain())
    # Before, ssl has the call but does not show it; 2 asks for DER.
    return [one.public_bytes(2) for one in tls._sslobj.get_unverified_chain()]  # type: ignore[attr-defined]


def _authorization(route: Route, credentials: Credentials) -> dict[str, str]:
    """The Basic credentials of security profiles 1 and 2 (A00.FR.202, A00.FR.301)."""
    if route.security_profile == 3 or not credentials.password:
        return {}
    pair = f"{route.identity}:{credentials.password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
