"""The CSMS's I/O: listens, does TLS, moves messages, keeps time, listens to its operator.

Owns asyncio, sockets and the clock; must not know what any message means. Every connection is bounded in size, time
and number.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import sys
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from fuzz.clock import Clock, SystemClock
from fuzz.csms.authority import issuing, issuing_all
from fuzz.csms.console import HELP, parse
from fuzz.csms.core import Csms
from fuzz.csms.defects import plant, rewire
from fuzz.csms.events import (
    Admitted,
    BytesReceived,
    Close,
    Command,
    Event,
    Lost,
    Note,
    Opened,
    Refused,
    Revoke,
    SendText,
    TextReceived,
    Tick,
    Upgrade,
)
from fuzz.csms.hooks import Hooks
from fuzz.csms.keyboard import typed_lines
from fuzz.csms.options import CsmsOptions, Listener
from fuzz.csms.station import Rules
from fuzz.csms.tls import Material, server_context, shown
from fuzz.errors import UsageError
from strategies.version import version

MAX_CONNECTIONS = 512
"""So many callers at once, those that are still in TLS included; more are hung up on."""

MAX_MESSAGE = 2**20
HANDSHAKE_TIMEOUT_S = 10.0
"""For TLS, and again for the request to upgrade."""

Ports: TypeAlias = Sequence[Mapping[str, object]]
"""Every port: `security_profile`, `host`, `port`, and the `url` to dial, without an identity."""

_SEND_TIMEOUT_S = 30.0
_PING_S = 60.0
_CLOSE_TIMEOUT_S = 2.0
_LINES_A_SECOND = 100
_TLS_RECORD = b"\x16"
_ACCEPT_PAUSE_S = 0.1


async def serve_csms(options: CsmsOptions, *, ready: Callable[[Ports], None] | None = None) -> None:
    """Runs one CSMS until the task is cancelled; `ready` hears of its ports once it listens.

    Raises:
        UsageError: a port cannot be had, a certificate cannot be used, or a defect is not known.
    """
    shell = _Shell(options)
    try:
        ports = shell.listen()
        (ready or announce)(ports)
        await shell.run()
    finally:
        await shell.aclose()


async def serve_until_told(
    options: CsmsOptions, *, ready: Callable[[Ports], None] | None = None
) -> None:
    """Runs one CSMS until SIGTERM or SIGINT, which end the process with 0. Raises UsageError as `serve_csms`."""
    task = asyncio.ensure_future(serve_csms(options, ready=ready))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        sys.stderr.flush()
        os._exit(0)


def announce(ports: Ports) -> None:
    """The first line on standard output: where stations may dial, as JSON."""
    sys.stdout.write(json.dumps({"csms": list(ports)}) + "\n")
    sys.stdout.flush()


def _rules(options: CsmsOptions) -> Rules:
    return Rules(
        options.interval_s,
        options.retry_s,
        options.material.organizations,
        signs=options.material.issuer is not None,
    )


def _hooks(material: Material, clock: Clock) -> Hooks:
    """The healthy hooks with the CA behind them, if there is one."""
    if material.issuer is None:
        return Hooks()
    return Hooks(issuing(material.issuer, clock.now), issuing_all(material.issuer, clock.now))


class _Door:
    """One listening socket; what `websockets` wants to see of a server besides."""

    def __init__(self, listener: Listener, context: ssl.SSLContext | None) -> None:
        self.listener = listener
        self.context = context
        self.socket = _listening(listener.host, listener.port)
        self.handler_tasks: set[asyncio.Task[None]] = set()

    def is_serving(self) -> bool:
        """Whether upgrades are still granted."""
        return self.socket.fileno() >= 0

    async def handler(self, _connection: ServerConnection) -> None:
        """Nothing: the shell looks after its connections itself."""
        task = asyncio.current_task()
        if task is not None:
            self.handler_tasks.discard(task)


class _Shell:
    def __init__(self, options: CsmsOptions) -> None:
        self._options = options
        self._clock = SystemClock()
        self._version = version()
        self._csms = self._core()
        self._doors: list[_Door] = []
        self._plain_too = False
        self._connections: dict[int, ServerConnection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._callers = 0
        self._number = 0
        self._woken = asyncio.Event()
        self._second = (0, 0)

    def _core(self) -> Csms:
        options, material = self._options, self._options.material
        csms = Csms(
            options.enrolled,
            rules=_rules(options),
            hooks=plant(_hooks(material, self._clock), options.defects),
            clock=self._clock,
            version=self._version,
            ids=lambda: str(uuid.uuid4()),
        )
        for what in options.revoked:
            csms.handle(Revoke(what))
        return csms

    # --- coming and going ---------------------------------------------------------------------------------

    def listen(self) -> list[Mapping[str, object]]:
        """Every port is open. Raises UsageError when one cannot be had."""
        wire = rewire(self._options.defects)
        any_time = any(one.allow_expired for one in self._options.enrolled)
        for listener in self._options.listeners:
            profile, context = listener.security_profile, None
            if profile > 1:
                made = server_context(
                    self._options.material, security_profile=profile, any_time=any_time
                )
                context = wire.tls(made, self._options.material, profile)
            self._doors.append(_Door(listener, context))
        self._plain_too = wire.plain_too
        return [_port(door, self._options.name) for door in self._doors]

    async def run(self) -> None:
        """Everything goes on until it is cancelled."""
        for door in self._doors:
            self._spawn(self._accept(door))
        if self._options.console:
            self._spawn(self._operate())
        await self._keep_time()

    async def aclose(self) -> None:
        """Nothing listens, nobody is connected."""
        for door in self._doors:
            door.socket.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _keep_time(self) -> None:
        """The core hears when one of its deadlines has come."""
        while True:
            deadline = self._csms.deadline
            wait_s = None if deadline is None else max(0.0, deadline - self._clock.monotonic())
            self._woken.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            except TimeoutError:
                await self._react(Tick())

    async def _operate(self) -> None:
        """One line of the operator after the other."""
        async for line in typed_lines():
            if line.strip() == "help":
                for text in HELP:
                    self._log(text)
                continue
            try:
                event = parse(line)
            except UsageError as error:
                self._log(f"{error}")
                continue
            if event is not None:
                await self._react(event)

    # --- callers ------------------------------------------------------------------------------------------

    async def _accept(self, door: _Door) -> None:
        loop = asyncio.get_running_loop()
        while door.is_serving():
            try:
                caller, _ = await loop.sock_accept(door.socket)
                caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                # Out of descriptors, or the caller was gone before we looked: neither may end the listening.
                await asyncio.sleep(_ACCEPT_PAUSE_S)
                continue
            if self._callers >= MAX_CONNECTIONS:
                caller.close()
                continue
            self._callers += 1
            self._spawn(self._serve(door, caller)).add_done_callback(self._gone)

    def _gone(self, _task: asyncio.Task[None]) -> None:
        self._callers -= 1

    async def _serve(self, door: _Door, caller: socket.socket) -> None:
        """One caller from its first byte to its last."""
        address = _address(caller)
        connection = None
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                context = await self._context(door, caller)
                _, connection = await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: self._protocol(door), caller, ssl=context
                )
            await self._greet(door, connection, address)
        except (OSError, TimeoutError) as error:
            self._log(f"{address}: {_words(error)}")
        except Exception as error:  # noqa: BLE001
            # Whatever a caller makes go wrong ends its own connection and no other.
            self._log(f"{address}: our own fault: {type(error).__name__}: {error}")
        finally:
            if connection is None:
                caller.close()
            else:
                connection.transport.abort()

    async def _context(self, door: _Door, caller: socket.socket) -> ssl.SSLContext | None:
        """The context for this caller; healthy ones do TLS on every TLS port (A00.FR.312, FR.415)."""
        if door.context is None or not self._plain_too:
            return door.context
        first = b""
        while not first:
            with contextlib.suppress(BlockingIOError):
                first = caller.recv(1, socket.MSG_PEEK)
                break
            await asyncio.sleep(0.01)
        return door.context if first in (b"", _TLS_RECORD) else None

    def _protocol(self, door: _Door) -> ServerConnection:
        wanted = self._version.subprotocol
        protocol = ServerProtocol(
            extensions=[ServerPerMessageDeflateFactory()],
            select_subprotocol=lambda _, offered: (
                Subprotocol(wanted) if wanted in offered else None
            ),
            max_size=MAX_MESSAGE,
        )
        return ServerConnection(
            protocol,
            cast(Server, door),
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            close_timeout=_CLOSE_TIMEOUT_S,
        )

    async def _greet(self, door: _Door, connection: ServerConnection, address: str) -> None:
        profile = door.listener.security_profile
        tls = connection.transport.get_extra_info("ssl_object")
        chain = shown(tls) if tls is not None and profile == 3 else ()
        if profile == 3:
            reason = self._csms.vouch(chain)
            if reason:
                # Before a byte of HTTP (A00.FR.407).
                self._log(f"{address}: refused in TLS: {reason}")
                await _hang_up(connection)
                return
        decisions: list[Admitted | Refused] = []

        def decide(_: ServerConnection, request: Request) -> Response | None:
            upgrade = _upgrade(request, address, profile, chain)
            decision = self._csms.admit(upgrade)
            decisions.append(decision)
            return _refusal(connection, decision) if isinstance(decision, Refused) else None

        async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
            await connection.handshake(decide, server_header=None)
        for decision in decisions:
            await self._decided(connection, decision, address, profile, chain)

    async def _decided(
        self,
        connection: ServerConnection,
        decision: Admitted | Refused,
        address: str,
        profile: int,
        chain: tuple[bytes, ...],
    ) -> None:
        if isinstance(decision, Refused):
            self._log(
                f"{address}: refused {decision.identity!a} with HTTP {decision.status}: {decision.reason}"
            )
            await _hang_up(connection)
            return
        if connection.protocol.state is not State.OPEN:
            return
        if connection.subprotocol is None:
            # Part 4 section 3.2: without a subprotocol in common the handshake is finished and the connection closed.
            await connection.close(1002, "no subprotocol in common")
            return
        await self._talk(connection, Opened(self._next(), decision.identity, profile, chain))

    async def _talk(self, connection: ServerConnection, opened: Opened) -> None:
        """One station from its upgrade to the end of its connection."""
        number = opened.connection
        self._connections[number] = connection
        connection.start_keepalive()
        try:
            await self._react(opened)
            while True:
                message = await connection.recv()
                if self._options.verbose:
                    self._log(f"{opened.identity} says {message[:200]!a}")
                if isinstance(message, str):
                    await self._react(TextReceived(number, message))
                else:
                    await self._react(BytesReceived(number))
        except ConnectionClosed:
            pass
        finally:
            del self._connections[number]
            await self._react(Lost(number))

    def _next(self) -> int:
        self._number += 1
        return self._number

    # --- what the core wants done -------------------------------------------------------------------------

    async def _react(self, event: Event) -> None:
        commands = self._csms.handle(event)
        self._woken.set()
        for command in commands:
            await self._do(command)

    async def _do(self, command: Command) -> None:
        match command:
            case SendText(number, text):
                await self._send(self._connections.get(number), text)
            case Close(number, code, reason):
                connection = self._connections.get(number)
                if connection is not None:
                    # Not awaited: a peer that does not answer the close must not hold up anybody else.
                    self._spawn(connection.close(code, reason))
            case Note(text):
                self._log(text)

    async def _send(self, connection: ServerConnection | None, text: str) -> None:
        if connection is None:
            return
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await connection.send(text)
        except (ConnectionClosed, TimeoutError):
            # A peer that does not read is cut off; its own task notices.
            connection.transport.abort()

    def _log(self, line: str) -> None:
        """One line for people, so many a second at most: callers decide how many there would be."""
        second, lines = self._second
        now = int(time.monotonic())
        lines = lines + 1 if second == now else 1
        self._second = (now, lines)
        if lines <= _LINES_A_SECOND:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


# --- pieces -----------------------------------------------------------------------------------------------


def _upgrade(request: Request, address: str, profile: int, chain: tuple[bytes, ...]) -> Upgrade:
    return Upgrade(request.path, tuple(request.headers.raw_items()), address, profile, chain)


def _refusal(connection: ServerConnection, refused: Refused) -> Response:
    response = connection.respond(refused.status, f"{HTTPStatus(refused.status).phrase}\n")
    if refused.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
    if refused.status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = "10"
    return response


async def _hang_up(connection: ServerConnection) -> None:
    """The connection is over once what was said has left, or after a moment."""
    connection.transport.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await asyncio.shield(connection.connection_lost_waiter)


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=MAX_CONNECTIONS)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error}; choose another port") from None
    made.settimeout(0)
    return made


def _port(door: _Door, name: str) -> Mapping[str, object]:
    """One port as it is announced."""
    port = door.socket.getsockname()[1]
    profile = door.listener.security_profile
    host = name if profile > 1 else door.listener.host
    url = f"{'wss' if profile > 1 else 'ws'}://{host}:{port}/ocpp"
    return {"security_profile": profile, "host": door.listener.host, "port": port, "url": url}


def _address(caller: socket.socket) -> str:
    try:
        return str(caller.getpeername()[0])
    except OSError:
        return "somebody"


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"refused in TLS: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'no reason').lower().replace('_', ' ')}"
    return "no complete handshake in time" if isinstance(error, TimeoutError) else "went away"
