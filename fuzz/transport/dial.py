"""The door towards a CSMS: dials it, finishes TLS and the opening handshake, hands out links.

Knows URLs and why a dial fails. Must not know OCPP messages.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import cast
from urllib.parse import unquote, urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.extensions.permessage_deflate import enable_client_permessage_deflate
from websockets.headers import build_authorization_basic
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Side
from fuzz.transport.contexts import tls_failure
from fuzz.transport.link import WebSocketLink, describe, iana_names
from fuzz.transport.misbehaving import UNCOMPRESSED
from fuzz.transport.pump import LOG, MAX_SIZE, Pump
from fuzz.transport.tape import Reels
from strategies.version import version

_RETRY_PAUSE_S = 0.2


class Dialler:
    """A `Door` that dials a CSMS at `url`, identity included: `wss://host:port/ocpp/CS001`.

    A CSMS that chooses no subprotocol is let through with an empty one in its `Handshake`: what to think of it is
    not decided here.

    Args:
        url: where to dial; ws or wss.
        tls: the context for wss; the machine's own roots where it is missing.
        subprotocols: offered, in order of preference.
        basic: user and password (A00.FR.202, A00.FR.301).
        headers: further request headers.
        max_size: the longest message taken.
        compression: whether permessage-deflate is offered.
    """

    def __init__(
        self,
        url: str,
        *,
        tls: ssl.SSLContext | None = None,
        subprotocols: Sequence[str] = (),
        basic: tuple[str, str] | None = None,
        headers: Sequence[tuple[str, str]] = (),
        max_size: int = MAX_SIZE,
        compression: bool = True,
    ) -> None:
        self._uri = _parse(url)
        self._url = url
        if tls is not None and not self._uri.secure:
            raise UsageError(f"{url} is not encrypted but a TLS context was given; use wss://")
        self._tls = tls or (ssl.create_default_context() if self._uri.secure else None)
        self._suites = iana_names(self._tls)
        names = tuple(subprotocols) or (version().subprotocol,)
        self._subprotocols = [Subprotocol(name) for name in names]
        self._basic = basic
        self._headers = tuple(headers)
        self._max_size = max_size
        self._compression = compression
        self._uncompressed = 0
        self.recorder = Reels()

    @property
    def side(self) -> Side:
        """A CSMS is on the other side."""
        return Side.CSMS

    @property
    def url(self) -> str:
        """Where we dial."""
        return self._url

    def misbehave(self, how: str, times: int, told: Callable[[str], None] | None = None) -> None:
        """Offer no compression the next `times` times, which is all that a caller can do; 0 times: offer it again.

        `told` never hears of it: nobody called us. Raises `UsageError` for any way but `UNCOMPRESSED`.
        """
        if how != UNCOMPRESSED:
            raise UsageError(f"{how!r} is for callers; whoever dials knows {UNCOMPRESSED!r} only")
        self._uncompressed = times

    @property
    def keeping(self) -> bool:
        """Never: nobody called us."""
        return False

    async def open(self, timeout_s: float) -> WebSocketLink:
        """A fresh link; a CSMS that is not there yet is dialled again until the time is over.

        Raises:
            TargetUnavailable: it could not be reached, or refused us, and why.
        """
        pump: Pump | None = None
        try:
            async with asyncio.timeout(timeout_s):
                pump = await self._connect_patiently()
                await self._shake_hands(pump)
                return self._link(pump)
        except TimeoutError:
            await _drop(pump)
            raise TargetUnavailable(
                f"{self._url} did not answer within {round(timeout_s, 2):g} s; check address, port and firewall"
            ) from None
        except TargetUnavailable:
            await _drop(pump)
            # Whoever refuses us is not to be hammered by a caller that tries again at once.
            await asyncio.sleep(_RETRY_PAUSE_S)
            raise
        except BaseException:
            await _drop(pump)
            raise

    async def aclose(self) -> None:
        """Nothing to stop: a dialler holds nothing between two links."""

    async def _connect_patiently(self) -> Pump:
        while True:
            try:
                return await self._connect()
            except ConnectionRefusedError:
                await asyncio.sleep(_RETRY_PAUSE_S)

    async def _connect(self) -> Pump:
        compression = self._compression and not self._uncompressed
        pump = Pump(self._new_protocol(compression=compression), self.recorder.begin())
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: pump,
                self._uri.host,
                self._uri.port,
                ssl=self._tls,
                server_hostname=self._uri.host if self._tls else None,
            )
        except (ConnectionRefusedError, TimeoutError):
            raise
        except socket.gaierror as exc:
            raise TargetUnavailable(
                f"cannot resolve {self._uri.host!r}; check the host name"
            ) from exc
        except (ssl.SSLError, ConnectionResetError) as exc:
            raise TargetUnavailable(
                f"TLS handshake with {self._url} failed: {tls_failure(exc)}"
            ) from exc
        except OSError as exc:
            raise TargetUnavailable(
                f"cannot reach {self._url}: {exc.strerror or exc}; check address and route"
            ) from exc
        return pump

    async def _shake_hands(self, pump: Pump) -> None:
        protocol = cast(ClientProtocol, pump.protocol)
        request = protocol.connect()
        for name, value in self._request_headers():
            request.headers[name] = value
        protocol.send_request(request)
        pump.flush()
        response = await pump.first
        if isinstance(response, Response) and protocol.handshake_exc is None:
            return
        raise TargetUnavailable(f"{self._url} {_why(protocol.handshake_exc)}")

    def _request_headers(self) -> Sequence[tuple[str, str]]:
        if self._basic is None:
            return self._headers
        return (("Authorization", build_authorization_basic(*self._basic)), *self._headers)

    def _link(self, pump: Pump) -> WebSocketLink:
        protocol = cast(ClientProtocol, pump.protocol)
        identity = unquote(urlsplit(self._url).path.rpartition("/")[2], errors="replace")
        self._uncompressed = max(0, self._uncompressed - 1)
        handshake = describe(
            pump,
            protocol.connect(),
            identity=identity,
            basic_user=self._basic[0] if self._basic else "",
            suites=self._suites,
        )
        return WebSocketLink(pump, handshake)

    def _new_protocol(self, *, compression: bool) -> ClientProtocol:
        return ClientProtocol(
            self._uri,
            extensions=enable_client_permessage_deflate(None) if compression else None,
            subprotocols=self._subprotocols,
            max_size=self._max_size,
            logger=LOG,
        )


def _parse(url: str) -> WebSocketURI:
    try:
        uri = parse_uri(url)
    except (InvalidURI, ValueError) as exc:
        raise UsageError(
            f"{url!r} is no WebSocket URL; expected such as wss://host:443/CS001"
        ) from exc
    if uri.user_info is not None:
        raise UsageError("a URL must not hold a password; give the Basic credentials apart from it")
    return uri


def _why(exc: Exception | None) -> str:
    """Why the opening handshake failed, in plain words."""
    match exc:
        case InvalidStatus() if exc.response.status_code == 401:
            return "refused us with HTTP 401; check identity and password"
        case InvalidStatus() if exc.response.status_code == 404:
            return "refused us with HTTP 404; check the path and whether it knows the identity"
        case InvalidStatus():
            return f"refused us with HTTP {exc.response.status_code}"
        case InvalidHandshake():
            return f"does not finish the WebSocket handshake: {ascii(str(exc))[1:-1][:120]}"
        case _:
            return "closed the connection before its answer"


async def _drop(pump: Pump | None) -> None:
    if pump is not None:
        await pump.abort()
