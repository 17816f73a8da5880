"""The door through which stations come in: listens, finishes TLS and the opening handshake, hands out links.

Knows sockets and who was turned away, and why. Must not know OCPP messages. Nothing that a caller does ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, assert_never, cast

from websockets.extensions.permessage_deflate import enable_server_permessage_deflate
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Side
from fuzz.transport.admission import Admitted, Refused, Rules, admit, shown
from fuzz.transport.contexts import tls_failure
from fuzz.transport.link import (
    WebSocketLink,
    address,
    describe,
    iana_names,
    offered_subprotocols,
)
from fuzz.transport.misbehaving import UNCOMPRESSED, WAYS, Callers, receive_badly
from fuzz.transport.pump import LOG, MAX_SIZE, Pump
from fuzz.transport.tape import Reels
from strategies.version import version
from tlslab.wire import HANDSHAKE_RECORD

HANDSHAKE_TIMEOUT_S = 10.0
MAX_CALLERS = 64
MAX_PENDING = 16
MAX_KEPT = 100
_ACCEPT_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class HandshakeFailure:
    """A caller that did not get through TLS, or spoke no HTTP: its address, and why in plain words."""

    remote: str
    reason: str

    def __str__(self) -> str:
        """As one line for people."""
        return f"{self.remote or 'unknown address'}: {self.reason}"


class Listener:
    """A `Door` that stations dial; only `identities` get in, all of them when it is None.

    Where a station offers no subprotocol of ours, the handshake is finished without one and the connection closed
    at once: that is the MUST of Part 4 section 3.2. (A later test case expects a refused upgrade instead; a station
    copes with both, and with the first it learns of a reason.)

    Attributes:
        refused: callers that were turned away, each once.
        handshake_failures: callers that failed in TLS or spoke no HTTP, the latest ones, oldest first.
        recorder: what was said on every connection.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        identities: frozenset[str] | None,
        tls: ssl.SSLContext | None = None,
        subprotocols: Sequence[str] = (),
        basic: Mapping[str, str | None] | None = None,
        max_size: int = MAX_SIZE,
        compression: bool = True,
        max_pending: int = MAX_PENDING,
        on_refused: Callable[[Refused], None] | None = None,
        on_failure: Callable[[HandshakeFailure], None] | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._tls = tls
        self._suites = iana_names(tls)
        names = tuple(subprotocols) or (version().subprotocol,)
        self._rules = Rules(identities, names, basic or {})
        self._max_size = max_size
        self._compression = compression
        self._max_pending = max_pending
        self._on_refused = on_refused
        self._on_failure = on_failure
        self.recorder = Reels()
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._callers = 0
        self._pending: dict[str, WebSocketLink] = {}
        self._arrived = asyncio.Event()
        self._badly: deque[str] = deque()
        self._kept = 0
        self._told: Callable[[str], None] | None = None
        self._who = Callers()
        self.refused: list[Refused] = []
        self.handshake_failures: deque[HandshakeFailure] = deque(maxlen=MAX_KEPT)

    @property
    def side(self) -> Side:
        """Stations are on the other side."""
        return Side.STATION

    @property
    def port(self) -> int:
        """The port that is listened on; the real one once started, where 0 was asked for."""
        return self._sockets[0].getsockname()[1] if self._sockets else self._port

    @property
    def url(self) -> str:
        """What a station must dial, without its identity."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'wss' if self._tls else 'ws'}://{host}:{self.port}"

    # --- coming and going ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen. Raises `UsageError` when the port or the address cannot be had."""
        if self._sockets:
            return
        self._sockets = await bind(self._host, self._port)
        for sock in self._sockets:
            self._spawn(self._accept(sock))

    def learn(self, *, passwords: Sequence[str], identities: Sequence[str]) -> None:
        """Let these in as well as the configured ones; empty ones take that back."""
        self._rules = replace(
            self._rules,
            further_passwords=tuple(passwords),
            further_identities=tuple(identities),
        )

    def misbehave(self, how: str, times: int, told: Callable[[str], None] | None = None) -> None:
        """Treat the next `times` callers in this way, one of `WAYS` or `UNCOMPRESSED`; 0 times: properly again.

        `told` hears of each of them as it comes, and again, behind a colon, of what it made of it that no client may.
        Raises `UsageError` for an unknown way.
        """
        if how not in (*WAYS, UNCOMPRESSED):
            known = ", ".join((*WAYS, UNCOMPRESSED))
            raise UsageError(f"no way to receive a caller is called {how!r}; known: {known}")
        self._badly = deque([how] * times)
        self._told = told

    @property
    def keeping(self) -> bool:
        """True while somebody who called is received badly, and so cannot come again yet."""
        return self._kept > 0

    async def open(self, timeout_s: float) -> WebSocketLink:
        """The newest link that is still open. Raises `TargetUnavailable` with what to check."""
        await self.start()
        try:
            async with asyncio.timeout(timeout_s):
                while (link := self._newest()) is None:
                    self._arrived.clear()
                    await self._arrived.wait()
                return link
        except TimeoutError:
            raise TargetUnavailable(self._nobody(timeout_s)) from None

    async def aclose(self) -> None:
        """Stop listening; links that nobody took are cut, links that were handed out stay."""
        for sock in self._sockets:
            sock.close()
        self._sockets = []
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        links, self._pending = list(self._pending.values()), {}
        for link in links:
            await link.abort()

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _newest(self) -> WebSocketLink | None:
        while self._pending:
            _, link = self._pending.popitem()
            if link.closed is None:
                return link
        return None

    def _nobody(self, timeout_s: float) -> str:
        """What happened instead of a connection, and what to check."""
        seen = [f"refused {refused}" for refused in self.refused[-3:]]
        if self.handshake_failures:
            seen.append(f"handshake failed with {self.handshake_failures[-1]}")
        if self._callers:
            seen.append("somebody called, and has not finished the handshake")
        advice = "; ".join(seen) or (
            "nobody called; check that the station's CSMS URL is this one and that it can reach this machine"
        )
        return f"no station connected to {self.url} within {round(timeout_s, 2):g} s: {advice}"

    # --- one caller ---------------------------------------------------------------------------------------

    async def _accept(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while sock.fileno() >= 0:
            try:
                caller, _ = await loop.sock_accept(sock)
                # asyncio does it only for sockets that say IPPROTO_TCP, which accepted ones do not; without it two
                # short messages in a row wait 40 ms for each other.
                caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                # Out of descriptors, or the caller was gone before we looked: neither may end the listening.
                await asyncio.sleep(_ACCEPT_PAUSE_S)
                continue
            if self._callers >= MAX_CALLERS:
                caller.close()
                continue
            self._callers += 1
            self._spawn(self._receive(caller)).add_done_callback(partial(self._greeted, caller))

    def _greeted(self, caller: socket.socket, task: asyncio.Task[None]) -> None:
        self._callers -= 1
        if task.cancelled():
            caller.close()

    async def _receive(self, caller: socket.socket) -> None:
        how = self._badly.popleft() if self._badly else ""
        told = self._told
        if how and told is not None:
            told(how)
        if how in WAYS:
            made_of_it = await self._receive_badly(how, caller)
            if made_of_it and told is not None:
                told(f"{how}: {made_of_it}")
        else:
            await self._greet(caller, compression=self._compression and how != UNCOMPRESSED)

    async def _receive_badly(self, how: str, caller: socket.socket) -> str:
        self._kept += 1
        try:
            return await receive_badly(how, caller, self._tls, self._who)
        finally:
            self._kept -= 1

    async def _greet(self, caller: socket.socket, *, compression: bool) -> None:
        """One caller is through the handshake and waits for `open`, or was turned away and is gone."""
        pump = Pump(self._new_protocol(compression=compression), self.recorder.begin())
        remote = _remote(caller)
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: pump, caller, ssl=self._tls
                )
                request = await pump.first
        except (OSError, TimeoutError) as exc:
            self._note_failure(remote, tls_failure(exc) if self._tls else "no request in time")
        else:
            if isinstance(request, Request) and pump.connected:
                self._who.came(request.path.encode("utf-8", "surrogateescape"))
                await self._answer(pump, request, remote)
                return
            self._note_failure(remote, _no_request(pump))
        if pump.connected:
            await pump.abort()

    async def _answer(self, pump: Pump, request: Request, remote: str) -> None:
        decision = admit(request, self._rules)
        match decision:
            case Refused():
                await self._turn_away(pump, replace(decision, remote=remote))
            case Admitted():
                await self._let_in(pump, request, decision, remote)
            case _:
                assert_never(decision)

    async def _turn_away(self, pump: Pump, refused: Refused) -> None:
        self._note_refused(refused)
        protocol = cast(ServerProtocol, pump.protocol)
        response = protocol.reject(refused.status, f"{HTTPStatus(refused.status).phrase}\n")
        if refused.status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
        protocol.send_response(response)
        pump.flush()
        await pump.until_gone()

    async def _let_in(self, pump: Pump, request: Request, admitted: Admitted, remote: str) -> None:
        protocol = cast(ServerProtocol, pump.protocol)
        name = shown(admitted.identity)
        response = protocol.accept(request)
        protocol.send_response(response)
        pump.flush()
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            why = shown(str(protocol.handshake_exc))
            self._note_refused(Refused(name, response.status_code, why, remote))
            await pump.until_gone()
        elif not protocol.subprotocol:
            offered = ", ".join(offered_subprotocols(request)) or "no subprotocol"
            needed = ", ".join(self._rules.subprotocols)
            self._note_refused(
                Refused(name, 101, f"it offers {shown(offered)}; needed is {needed}", remote)
            )
            await pump.close(1002, "no common subprotocol")
        else:
            self._queue(
                WebSocketLink(
                    pump,
                    describe(
                        pump,
                        request,
                        identity=admitted.identity,
                        basic_user=admitted.basic_user,
                        password=admitted.password,
                        suites=self._suites,
                    ),
                )
            )

    def _queue(self, link: WebSocketLink) -> None:
        """The link waits for `open`; an older one of the same identity, or one too many, is cut."""
        identity = link.handshake.identity
        stale = self._pending.pop(identity, None)
        if stale is None and len(self._pending) >= self._max_pending:
            stale = self._pending.pop(next(iter(self._pending)))
        if stale is not None:
            self._spawn(stale.abort())
        self._pending[identity] = link
        self._arrived.set()

    def _new_protocol(self, *, compression: bool) -> ServerProtocol:
        return ServerProtocol(
            extensions=enable_server_permessage_deflate(None) if compression else None,
            # websockets binds the function to its protocol, so a method of ours would lose an argument.
            select_subprotocol=lambda _, offered: self._select(offered),
            max_size=self._max_size,
            logger=LOG,
        )

    def _select(self, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return next((Subprotocol(n) for n in self._rules.subprotocols if n in offered), None)

    def _note_refused(self, refused: Refused) -> None:
        known = {(r.identity, r.status, r.reason) for r in self.refused}
        if len(known) >= MAX_KEPT or (refused.identity, refused.status, refused.reason) in known:
            return
        self.refused.append(refused)
        if self._on_refused is not None:
            self._on_refused(refused)

    def _note_failure(self, remote: str, reason: str) -> None:
        failure = HandshakeFailure(remote, reason)
        self.handshake_failures.append(failure)
        if self._on_failure is not None:
            self._on_failure(failure)


def _remote(caller: socket.socket) -> str:
    try:
        return address(caller.getpeername())
    except OSError:
        return ""


def _no_request(pump: Pump) -> str:
    """Why no HTTP request came, as far as the first byte tells."""
    if not pump.first_byte:
        return "the peer closed the connection before its request"
    if pump.first_byte == bytes([HANDSHAKE_RECORD]):
        return "the peer spoke TLS to a plain port: its URL needs ws://, or this end a certificate"
    return "the peer sent no HTTP request"


# --- binding ----------------------------------------------------------------------------------------------


async def bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on every address of `host`. Raises `UsageError` when there is none to be had."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as exc:
        raise UsageError(f"cannot resolve {host!r}; give an address of this machine") from exc
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, place in dict.fromkeys(found):
            # With port 0 the first address chooses and the others follow.
            chosen = sockets[0].getsockname()[1] if sockets else place[1]
            with _secondary(sockets):
                sockets.append(_listening(family, (place[0], chosen, *place[2:])))
    except OSError as exc:
        for sock in sockets:
            sock.close()
        raise UsageError(_cannot_listen(host, port, exc)) from exc
    return sockets


@contextlib.contextmanager
def _secondary(sockets: list[socket.socket]) -> Iterator[None]:
    """An address of a second family that this machine does not have is no reason to give up."""
    try:
        yield
    except OSError as exc:
        if not sockets or exc.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            raise


def _listening(family: int, place: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(place)
        sock.listen(MAX_CALLERS)
    except BaseException:
        sock.close()
        raise
    return sock


def _cannot_listen(host: str, port: int, exc: OSError) -> str:
    place = f"{host}:{port}"
    match exc.errno:
        case errno.EADDRINUSE:
            return f"{place} is in use; stop the program that listens there or choose another port"
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine; use one of its own, or 0.0.0.0 for all"
        case errno.EACCES | errno.EPERM:
            return f"not allowed to listen on {place}; choose a port from 1024 on"
        case _:
            return f"cannot listen on {place}: {exc.strerror or exc}; choose another port"
