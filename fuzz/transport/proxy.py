"""Stands between Charging Stations and their CSMS: bytes go through as they came, and somebody may listen.

Knows sockets, TLS on both sides, and of HTTP only the request line, `Host` and where an answer ends. Must not know frames
or messages: whatever a station and its CSMS agree on - subprotocol, compression, pings, close codes, fragments - is
theirs.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.exceptions import SecurityError
from websockets.http11 import Response
from websockets.streams import StreamReader as Parsed

from fuzz.errors import UsageError
from fuzz.records import Side
from fuzz.transport.admission import identity_of
from fuzz.transport.contexts import tls_failure
from fuzz.transport.link import address
from fuzz.transport.listen import bind
from fuzz.transport.relay import CHUNK, Ended, Pipe, StreamPipe, Tap, Why, relay

MAX_CONNECTIONS = 256
"""Stations at one time; who comes beyond is answered with HTTP 503."""

MAX_HEAD = 64 * 2**10
"""The longest request or answer that opens a connection, bytes."""

OPENING_S = 10.0
"""How long TLS, a request, a dial and an answer may take, each."""

_END = b"\r\n\r\n"
_ACCEPT_PAUSE_S = 0.1
_PLACE = b"{identity}"


@dataclass(frozen=True, slots=True)
class Caller:
    """A station that called: its identity as it claims, decoded, and its address."""

    identity: str
    remote: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the CSMS is: a ws or wss URL, in whose path `{identity}` stands for who called."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None = None

    def request(self, head: bytes) -> bytes:
        """The station's request with path and Host as the CSMS needs them; no other byte is touched."""
        first, *lines = head.split(b"\r\n")
        method, _, rest = first.partition(b" ")
        old, _, protocol = rest.rpartition(b" ")
        plain, mark, query = old.partition(b"?")
        before, _, after = self.path.encode("ascii").partition(_PLACE)
        path = before + plain.rpartition(b"/")[2] + after
        start = b" ".join((method, path + mark + query, protocol))
        host = b"Host: " + self.authority.encode("ascii")
        changed = [host if _name(line) == b"host" else line for line in lines]
        return b"\r\n".join((start, *changed))

    @property
    def authority(self) -> str:
        """As a `Host` header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.tls else 80
        return host if self.port == usual else f"{host}:{self.port}"


def upstream(url: str, tls: Callable[[], ssl.SSLContext]) -> Upstream:
    """The CSMS at `url`; `tls` is asked for wss only. Raises `UsageError` for what is no such URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        url.encode("ascii")
    except ValueError:
        raise UsageError(
            f"target {url!r} is no URL; write such as wss://host/ocpp/{{identity}}"
        ) from None
    if parts.scheme not in ("ws", "wss") or not host or any(c.isspace() for c in url):
        raise UsageError(
            f"target {url!r} is no ws or wss URL; write such as wss://host/ocpp/{{identity}}"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError(
            f"target of host {host!r} holds more than a path; the stations' own credentials and query go through"
        )
    place = _PLACE.decode()
    path = parts.path if place in parts.path else f"{parts.path.rstrip('/')}/{place}"
    secure = parts.scheme == "wss"
    return Upstream(host, port or (443 if secure else 80), path, tls() if secure else None)


class Proxy:
    """Listens for stations, dials the CSMS for each, and passes on what they say.

    Args:
        place: host and port to listen on; port 0 finds a free one.
        tls: our context towards stations; None for ws.
        target: where the CSMS is.
        tap: makes the listener of each caller.
        failed: hears of callers that never said who they are: their address, and why.
    """

    def __init__(
        self,
        place: tuple[str, int],
        target: Upstream,
        tap: Callable[[Caller], Tap],
        *,
        tls: ssl.SSLContext | None = None,
        failed: Callable[[str, str], None] = lambda _remote, _why: None,
    ) -> None:
        self._place, self._target, self._tap = place, target, tap
        self._tls, self._failed = tls, failed
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._callers = 0

    @property
    def url(self) -> str:
        """What a station dials, without path and identity; the real port once started."""
        host, port = self._place
        if self._sockets:
            port = self._sockets[0].getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        return f"{'wss' if self._tls else 'ws'}://{shown}:{port}"

    async def start(self) -> None:
        """Listen. Raises `UsageError` when the port or the address cannot be had."""
        self._sockets = await bind(*self._place)
        for sock in self._sockets:
            self._spawn(self._accept(sock))

    async def aclose(self) -> None:
        """Stop listening, and cut whatever is open."""
        for sock in self._sockets:
            sock.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accept(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while sock.fileno() >= 0:
            try:
                caller, _ = await loop.sock_accept(sock)
                caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            except OSError:
                # Out of descriptors, or the caller was gone before we looked: neither may end the listening.
                await asyncio.sleep(_ACCEPT_PAUSE_S)
                continue
            self._callers += 1
            self._spawn(self._receive(caller)).add_done_callback(partial(self._left, caller))

    def _left(self, caller: socket.socket, task: asyncio.Task[None]) -> None:
        self._callers -= 1
        caller.close()

    async def _receive(self, caller: socket.socket) -> None:
        remote = _remote(caller)
        try:
            async with asyncio.timeout(OPENING_S):
                near = await _welcomed(caller, self._tls)
        except (OSError, TimeoutError) as exc:
            self._failed(remote, tls_failure(exc))
            return
        try:
            await self._meet(near, remote)
        finally:
            near.abort()

    async def _meet(self, near: StreamPipe, remote: str) -> None:
        try:
            async with asyncio.timeout(OPENING_S):
                head, early = await _head(near)
        except (OSError, TimeoutError, ValueError):
            self._failed(remote, "no HTTP request that can be read, or none in time")
            return
        identity = identity_of(_path(head))
        why = _unfit(head) if identity else (404, "the path does not end in an identity")
        tap = self._tap(Caller(identity or "", remote))
        if self._callers > MAX_CONNECTIONS:
            why = 503, f"more than {MAX_CONNECTIONS} connections at one time"
        if why is not None or identity is None:
            await _refuse(near, tap, *(why or (404, "")))
            return
        await self._forward(near, tap, self._target.request(head), early)

    async def _forward(self, near: StreamPipe, tap: Tap, request: bytes, early: bytes) -> None:
        try:
            async with asyncio.timeout(OPENING_S):
                far = await _dialled(self._target)
        except TimeoutError:
            await _refuse(near, tap, 504, f"{self._target.authority} did not answer in time")
            return
        except OSError as exc:
            await _refuse(near, tap, 502, _unreached(self._target, exc))
            return
        try:
            await self._open(near, far, tap, request, early)
        finally:
            far.abort()

    async def _open(
        self, near: StreamPipe, far: StreamPipe, tap: Tap, request: bytes, early: bytes
    ) -> None:
        far.write(request + early)
        try:
            async with asyncio.timeout(OPENING_S):
                response, rest = await _head(far)
        except TimeoutError:
            await _refuse(near, tap, 504, f"{self._target.authority} did not answer in time")
            return
        except (OSError, ValueError) as exc:
            await _refuse(near, tap, 502, _unreached(self._target, exc))
            return
        if _status(response) != HTTPStatus.SWITCHING_PROTOCOLS:
            tap.failed(_status(response), "", by_us=False)
            await _pass_refusal(near, far, response + rest)
            return
        near.write(response + rest)
        tap.opened(request, response)
        for data, sender in ((early, Side.STATION), (rest, Side.CSMS)):
            if data:
                tap.passed(data, sender)
        await self._relay(near, far, tap)

    async def _relay(self, near: StreamPipe, far: StreamPipe, tap: Tap) -> None:
        how = Ended(None, Why.STOPPED)
        try:
            how = await relay(near, far, tap)
        finally:
            tap.ended(how)
        if how.why is Why.END:
            await asyncio.gather(near.gone(), far.gone())


async def _welcomed(caller: socket.socket, tls: ssl.SSLContext | None) -> StreamPipe:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=CHUNK)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, caller, ssl=tls)
    return StreamPipe(reader, asyncio.StreamWriter(transport, protocol, reader, loop))


async def _dialled(target: Upstream) -> StreamPipe:
    reader, writer = await asyncio.open_connection(
        target.host,
        target.port,
        ssl=target.tls,
        server_hostname=target.host if target.tls else None,
        limit=CHUNK,
    )
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return StreamPipe(reader, writer)


def _remote(caller: socket.socket) -> str:
    try:
        return address(caller.getpeername())
    except OSError:
        return ""


# --- as much of HTTP as is needed -------------------------------------------------------------------------


async def _head(pipe: Pipe) -> tuple[bytes, bytes]:
    """The head of an HTTP message with its empty line, and what came behind it. Raises `OSError`, `ValueError`."""
    seen = b""
    while _END not in seen:
        if len(seen) > MAX_HEAD:
            raise ValueError(f"an opening of more than {MAX_HEAD} bytes")
        data = await pipe.read()
        if not data:
            raise ConnectionResetError("closed before the opening was complete")
        seen += data
    head, end, rest = seen.partition(_END)
    return head + end, rest


def _path(head: bytes) -> str:
    """The path of a request; raw bytes are kept as lone surrogates, which are no identity."""
    return b"".join(head.split(b" ", 2)[1:2]).decode("ascii", "surrogateescape")


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].strip().lower()


def _unfit(head: bytes) -> tuple[int, str] | None:
    """Why a request cannot be one for a WebSocket, as status and words; None when it may be."""
    first, *lines = head.split(b"\r\n")
    if not first.startswith(b"GET ") or not first.endswith(b" HTTP/1.1"):
        return 400, "no GET request of HTTP/1.1"
    upgrades = (line.partition(b":")[2] for line in lines if _name(line) == b"upgrade")
    if not any(b"websocket" in value.lower() for value in upgrades):
        return 426, "no request for a WebSocket"
    return None


def _status(response: bytes) -> int:
    word = b"".join(response.split(b" ", 2)[1:2])
    return int(word) if len(word) == 3 and word.isdigit() else 0


async def _refuse(near: StreamPipe, tap: Tap, status: int, reason: str) -> None:
    """Answer for the CSMS, which cannot."""
    tap.failed(status, reason, by_us=True)
    phrase = HTTPStatus(status).phrase
    near.write(
        f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain\r\nContent-Length: {len(phrase) + 1}\r\n"
        f"Connection: close\r\n\r\n{phrase}\n".encode("ascii")
    )
    await near.gone()


async def _pass_refusal(near: StreamPipe, far: StreamPipe, data: bytes) -> None:
    """The CSMS's answer as it is, to its end; what a station says after that has nobody to hear it."""
    parser = Parsed()
    reading = Response.parse(parser.read_line, parser.read_exact, parser.read_to_eof)
    try:
        async with asyncio.timeout(OPENING_S):
            while data:
                near.write(data)
                await near.drain()
                parser.feed_data(data)
                if _is_whole(reading):
                    break
                data = await far.read()
    except (OSError, TimeoutError):
        pass
    await near.gone()


def _is_whole(reading: Generator[None, None, Response]) -> bool:
    """True when an answer has ended, or is none of which anybody knows where it ends."""
    try:
        next(reading)
    except (StopIteration, ValueError, LookupError, EOFError, NotImplementedError, SecurityError):
        return True
    return False


_OWN_KEY = (
    "; where the CSMS wants a client certificate (security profile 3), the station's key cannot be used, because it never "
    "leaves the station: give an identity of its own with --upstream-cert and --upstream-key"
)


def _unreached(target: Upstream, exc: Exception) -> str:
    """Why the CSMS could not be had, and what to check."""
    where = target.authority
    match exc:
        case ssl.SSLCertVerificationError():
            return f"TLS with {where}: {tls_failure(exc)}; --upstream-ca names its root"
        case ssl.SSLError() | ConnectionResetError() if target.tls is not None:
            return f"TLS with {where}: {tls_failure(exc)}{_OWN_KEY}"
        case socket.gaierror():
            return f"cannot resolve {target.host}; check the host name"
        case ConnectionRefusedError():
            return f"nobody listens at {where}; check address and port"
        case ConnectionResetError():
            return f"{where} closed the connection before its answer"
        case OSError():
            return f"cannot reach {where}: {exc.strerror or exc}"
        case _:
            return f"{where} does not answer as an HTTP server"
