"""Where a station under test dials: a gate that notes every attempt, and behind it the listener of the day.

Knows sockets, TLS material and who may come in. Must not know messages. The gate can also turn callers away, or say
something that no TLS library would say.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from fuzz.clock import Clock
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Link
from fuzz.transport.contexts import KeyPair, server_context
from fuzz.transport.listen import Listener
from tlslab.wire import ClientHello, HelloError, NeedMoreData, parse_client_hello

MAX_FIRST = 2**16
MAX_KEPT = 200
_FIRST_TIMEOUT_S = 10.0
_REPLY_TIMEOUT_S = 2.0
_CHUNK = 2**16

Arrived: TypeAlias = "Callable[[Link, Port], Awaitable[None]]"


@dataclass(frozen=True, slots=True)
class Terms:
    """Who may come in and what is shown to callers: TLS when there are certificates, mutual with a `client_ca`.

    `passwords` maps an identity to its Basic password; None lets anybody in.
    """

    certificates: tuple[KeyPair, ...] = ()
    client_ca: Path | None = None
    passwords: Mapping[str, str | None] | None = None
    identities: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One TCP connection of the station; `hello` when it spoke TLS."""

    at: float
    hello: ClientHello | None = None


class Port:
    """One address of the scripted CSMS.

    Attributes:
        attempts: every connection that was tried, the latest ones, oldest first.
        closed: True hangs up on every caller.
        says: when set, what every caller is told instead of TLS or HTTP; then it is hung up.
        replies: what those callers said to that.
    """

    def __init__(
        self, host: str, number: int, clock: Clock, arrived: Arrived, *, name: str = "localhost"
    ) -> None:
        self._host, self._number, self._name = host, number, name
        self._clock = clock
        self._arrived = arrived
        self._server: asyncio.Server | None = None
        self._listener: Listener | None = None
        self._listeners: list[Listener] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.tls = False
        self.attempts: deque[Attempt] = deque(maxlen=MAX_KEPT)
        self.closed = False
        self.says: bytes | None = None
        self.replies: list[bytes] = []

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return self._host

    @property
    def name(self) -> str:
        """The host name that the station dials."""
        return self._name

    @property
    def number(self) -> int:
        """The port number that is dialled."""
        return (
            self._number if self._server is None else int(self._server.sockets[0].getsockname()[1])
        )

    @property
    def url(self) -> str:
        """What a station dials, without its identity."""
        return f"{'wss' if self.tls else 'ws'}://{self._name}:{self.number}/ocpp"

    async def start(self, terms: Terms) -> None:
        """Listen on these terms. Raises `UsageError` when the port cannot be had."""
        try:
            self._server = await asyncio.start_server(self._called, self._host, self._number)
        except OSError as exc:
            raise UsageError(
                f"cannot listen on {self._host}:{self._number}: {exc.strerror}"
            ) from exc
        await self.offer(terms)

    async def offer(self, terms: Terms) -> None:
        """From now on callers meet these terms; open connections stay as they are."""
        tls = None
        if terms.certificates:
            tls = server_context(certificates=terms.certificates, client_ca=terms.client_ca)
        listener = Listener(
            "127.0.0.1", 0, identities=terms.identities, tls=tls, basic=terms.passwords
        )
        await listener.start()
        self.tls = tls is not None
        self._listener = listener
        self._listeners.append(listener)
        self._spawn(self._welcome(listener))

    @property
    def refusals(self) -> Sequence[str]:
        """Why callers were turned away or failed in TLS, in plain words."""
        said = [str(r) for listener in self._listeners for r in listener.refused]
        return said + [str(f) for listener in self._listeners for f in listener.handshake_failures]

    async def aclose(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for listener in self._listeners:
            await listener.aclose()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _welcome(self, listener: Listener) -> None:
        while True:
            with contextlib.suppress(TargetUnavailable):
                await self._arrived(await listener.open(3600.0), self)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await self._greet(reader, writer)
        except* (OSError, TimeoutError, asyncio.CancelledError):
            pass  # a caller that leaves, or our own end
        finally:
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at = self._clock.monotonic()
        if self.closed:
            self.attempts.append(Attempt(at))
            return
        first, hello = await _first_words(reader)
        self.attempts.append(Attempt(at, hello))
        if self.says is not None:
            writer.write(self.says)
            await writer.drain()
            self.replies.append(await _reply(reader))
            return
        if self._listener is not None:
            await _relay(first, reader, writer, self._listener.port)


async def _first_words(reader: asyncio.StreamReader) -> tuple[bytes, ClientHello | None]:
    """The bytes read so far, and the ClientHello that they are, if any."""
    first = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_TIMEOUT_S):
            while len(first) < MAX_FIRST and (chunk := await reader.read(_CHUNK)):
                first += chunk
                try:
                    return first, parse_client_hello(first)
                except NeedMoreData:
                    continue
                except HelloError:
                    return first, None
    return first, None


async def _reply(reader: asyncio.StreamReader) -> bytes:
    """What a caller says next, b"" when it hangs up or says nothing in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_REPLY_TIMEOUT_S):
            return await reader.read(_CHUNK)
    return b""


async def _relay(
    first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
) -> None:
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    inner_writer.write(first)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_pipe(reader, inner_writer))
            group.create_task(_pipe(inner_reader, writer))
    finally:
        inner_writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything that comes out of one end goes into the other; a cut is passed on as one."""
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
