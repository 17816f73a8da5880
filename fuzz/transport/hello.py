"""A relay that notes what each caller says first, TLS ClientHello or HTTP, and passes everything on.

Used by `doctor`: it listens on the public port, the real listener on an inner one. Knows bytes and hellos; must not
know what the connection is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from fuzz.errors import UsageError
from fuzz.transport.link import address
from tlslab.wire import ClientHello, HelloError, NeedMoreData, parse_client_hello

MAX_FIRST = 2**16
MAX_CALLERS = 64
MAX_KEPT = 100
FIRST_TIMEOUT_S = 10.0
_CHUNK = 2**16
_INNER_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Tapped:
    """What one caller said first: a ClientHello, or the first line of an HTTP request, or neither."""

    remote: str
    hello: ClientHello | None = None
    request_line: str = ""
    problem: str = ""

    @property
    def summary(self) -> str:
        """What it spoke, in a few words."""
        if self.hello is not None:
            return f"TLS ({', '.join(self.hello.version_names)})"
        return f"HTTP: {self.request_line}" if self.request_line else self.problem


class ClientHelloTap:
    """Listens on `host`:`port`, notes the first words of every caller, and relays to 127.0.0.1:`inner_port`.

    Attributes:
        seen: what was noted, the latest ones, oldest first.
        inner_port: where the real listener must listen; 0 means: chosen by `start`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        inner_port: int = 0,
        on_caller: Callable[[Tapped], None] | None = None,
    ) -> None:
        self._place = host, port
        self.inner_port = inner_port
        self._on_caller = on_caller
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.seen: deque[Tapped] = deque(maxlen=MAX_KEPT)

    @property
    def port(self) -> int:
        """The public port; the real one once started, where 0 was asked for."""
        if self._server is None:
            return self._place[1]
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises `UsageError` when the port or the address cannot be had."""
        host, port = self._place
        try:
            self._server = await asyncio.start_server(self._called, host, port)
        except OSError as exc:
            raise UsageError(
                f"cannot listen on {host}:{port}: {exc.strerror or exc}; choose another port"
            ) from exc
        self.inner_port = self.inner_port or _free_port()

    async def aclose(self) -> None:
        """Stop listening and cut every relayed connection."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= MAX_CALLERS:
            writer.close()
            return
        self._tasks.add(task)
        try:
            await self._relay(reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # A caller that leaves, or our own end: nothing to be done but to hang up.
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, tapped = await _first_words(reader, address(writer.get_extra_info("peername")))
        self.seen.append(tapped)
        if self._on_caller is not None:
            self._on_caller(tapped)
        inner_reader, inner_writer = await asyncio.open_connection(_INNER_HOST, self.inner_port)
        try:
            inner_writer.write(first)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pipe(reader, inner_writer))
                group.create_task(_pipe(inner_reader, writer))
        except* OSError:
            pass
        finally:
            inner_writer.close()


def _free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server((_INNER_HOST, 0)) as probe:
        return int(probe.getsockname()[1])


async def _first_words(reader: asyncio.StreamReader, remote: str) -> tuple[bytes, Tapped]:
    """The bytes read so far, and what they are; as many as that takes, within bounds."""
    first = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_TIMEOUT_S):
            while len(first) < MAX_FIRST:
                chunk = await reader.read(_CHUNK)
                first += chunk
                tapped = _understand(first, remote)
                if tapped is not None:
                    return first, tapped
                if not chunk:
                    break
    problem = "it said nothing" if not first else "it stopped in the middle of its first words"
    return first, Tapped(remote, problem=problem)


def _understand(first: bytes, remote: str) -> Tapped | None:
    """What the first bytes are; None when more are needed to know."""
    try:
        return Tapped(remote, hello=parse_client_hello(first))
    except NeedMoreData:
        return None
    except HelloError as exc:
        if not first[:1].isalpha():
            return Tapped(remote, problem=str(exc))
    if b"\r\n" not in first:
        return None
    line = first.partition(b"\r\n")[0][:200]
    return Tapped(remote, request_line=line.decode("ascii", "backslashreplace"))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything that comes out of one end goes into the other, with back-pressure; then that end is closed."""
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
