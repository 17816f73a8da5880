"""Waits on one port for whoever follows an address that only our messages told, over HTTP or plain TCP.

Knows sockets, as much of HTTP (RFC 9112) as fetching and uploading a file needs, and the one LDAP answer (RFC 4511)
that makes a client name what it looks for. Must not know cases, nor what a visit proves. Visitors are hostile until
shown otherwise: everything they send is bounded in length, number and time, and nothing they do raises.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fuzz.clock import Clock, SystemClock
from fuzz.errors import UsageError
from fuzz.records import Caught

MAX_CONNECTIONS = 64
MAX_VISITS = 64
"""Visits kept of one play."""

MAX_EARLIER = 256
"""Plays for which somebody may still come late."""

MAX_HEAD = 16 * 2**10
MAX_BODY = 16 * 2**20
MAX_KEPT = 256 * 2**10
MAX_REQUESTS = 8
"""Requests on one connection: more than one shows when a line break in a location split a request in two."""

PATIENCE_S = 60.0
"""Longest that one visitor is served."""

_PIECE = 16 * 2**10
_METHOD = re.compile(rb"[A-Z]{3,12} ")
_PERHAPS_METHOD = re.compile(rb"[A-Z]{1,12}")
_REQUEST = re.compile(rb"([A-Z]{3,12}) (\S{1,8192})(?: [^\r\n]*)?\r?\n")
_AUTHORITY = re.compile(r"(?i)^https?://[^/]*")
_FIELD = re.compile(rb"(?im)^([a-z0-9-]{1,64}):[ \t]*([^\r\n]*?)[ \t]*\r?$")
_BIND = re.compile(rb"\x30[^\x00]\x02\x01(.)\x60", re.DOTALL)
_UPLOADS = frozenset({"PUT", "POST"})
_BODY = b"nothing but a canary\n"


@dataclass(slots=True)
class _Visit:
    """One visit while it goes on; `data` grows."""

    at_s: float
    kind: str
    method: str = ""
    path: str = ""
    data: bytearray = field(default_factory=bytearray)

    def keep(self, data: bytes) -> None:
        """Keep as much of the data as there is room for."""
        self.data += data[: MAX_KEPT - len(self.data)]

    def follows(self, token: str) -> bool:
        """True when the visitor was told the token, and so stood where it alone stands."""
        if not self.path:
            return token.encode() in self.data
        return self.path.startswith((f"/hit/{token}", f"/{token}"))

    def caught(self, token: str) -> Caught:
        """The visit as far as it has come; whoever tells the token alone has the path of a hit, too."""
        path = self.path
        if self.follows(token) and not path.startswith("/hit/"):
            path = f"/hit/{token}"
        return Caught(self.at_s, self.kind, path, self.method, bytes(self.data))


class CatchingServer:
    """A catcher that listens on `host`; a port of 0 stands for a free one. Bound to this machine unless told otherwise.

    A visit counts for the play whose tokens it tells and for no other. Of who comes late only the token is kept, of who
    comes by chance nothing.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, clock: Clock | None = None
    ) -> None:
        """Not listening yet."""
        self._host = host
        self._port = port
        self._clock = clock or SystemClock()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._visits: list[_Visit] = []
        self._tokens = ("", "")
        self._earlier: dict[str, bool] = {}
        self._began = 0.0

    @property
    def address(self) -> str:
        """HOST:PORT as it stands in a URL."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises `UsageError` when the address cannot be had."""
        try:
            self._server = await asyncio.start_server(
                self._serve, self._host, self._port, limit=_PIECE
            )
        except OSError as error:
            raise UsageError(
                f"cannot catch visitors on {self.address}: {error.strerror}; give another --catcher"
            ) from None
        self._port = self._server.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._server is not None:
            self._server.close()
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def slots(self) -> Mapping[str, str]:
        """Addresses that nobody was told before; what came until now is forgotten.

        `canary.url` may be fetched and uploaded to. `canary.hit`, and `canary.token` at `canary.address` for where there
        is little room, must stand inside injections only.
        """
        self._sort_out()
        if self._tokens[1]:
            self._earlier[self._tokens[1]] = False
        while len(self._earlier) > MAX_EARLIER:
            del self._earlier[next(iter(self._earlier))]
        lawful, hit = _token(), _token()
        self._tokens, self._visits, self._began = (lawful, hit), [], self._clock.monotonic()
        return {
            "canary.url": f"http://{self.address}/ok/{lawful}",
            "canary.hit": f"http://{self.address}/hit/{hit}",
            "canary.address": self.address,
            "canary.host": self._host,
            "canary.port": str(self._port),
            "canary.token": hit,
        }

    def caught(self) -> Sequence[Caught]:
        """The visits since `slots` that tell one of its tokens."""
        seen = [visit.caught(self._tokens[1]) for visit in self._visits]
        return [c for c in seen if any(token in c.path for token in self._tokens)]

    def late(self) -> Sequence[str]:
        """The values of `canary.token` in earlier plays that somebody followed since this was asked last."""
        self._sort_out()
        found = [token for token, followed in self._earlier.items() if followed]
        for token in found:
            del self._earlier[token]
        return found

    def _sort_out(self) -> None:
        """Tell late visitors from the ones of this play."""
        for visit in self._visits:
            for token in self._earlier:
                if visit.follows(token):
                    self._earlier[token] = True

    # --- one visitor --------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._serving) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        self._serving.add(task)
        try:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._receive(_Inflow(reader), writer)
        finally:
            self._serving.discard(task)
            writer.close()

    async def _receive(self, inflow: _Inflow, writer: asyncio.StreamWriter) -> None:
        for _ in range(MAX_REQUESTS):
            if not await inflow.begins():
                return
            if _METHOD.match(inflow.held) is None:
                await self._plain(inflow, writer)
                return
            if not await self._request(inflow, writer):
                return

    async def _request(self, inflow: _Inflow, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether another may follow."""
        head = await inflow.head()
        line = _REQUEST.match(head)
        if line is None:
            return False
        fields = {n.lower(): v.lower() for n, v in _FIELD.findall(head)}
        method, target = line[1].decode(), line[2].decode("latin-1")
        visit = self._visit("http", method, _AUTHORITY.sub("", target, count=1))
        if fields.get(b"expect") == b"100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        whole = head.endswith((b"\n\r\n", b"\n\n")) and await _body(inflow, fields, visit)
        writer.write(_response(method, whole=whole))
        await writer.drain()
        return whole and fields.get(b"connection") != b"close"

    async def _plain(self, inflow: _Inflow, writer: asyncio.StreamWriter) -> None:
        visit = self._visit("tcp")
        while (inflow.held or await inflow.more()) and len(visit.data) < MAX_KEPT:
            piece = inflow.take(_PIECE)
            visit.keep(piece)
            if bind := _BIND.match(piece):
                # "Success": only then does the client tell the name that it was made to look up.
                writer.write(b"\x30\x0c\x02\x01%b\x61\x07\x0a\x01\x00\x04\x00\x04\x00" % bind[1])
                await writer.drain()

    def _visit(self, kind: str, method: str = "", path: str = "") -> _Visit:
        visit = _Visit(self._clock.monotonic() - self._began, kind, method, path)
        if len(self._visits) < MAX_VISITS:
            self._visits.append(visit)
        return visit


class _Inflow:
    """What a visitor sends, piece by piece; never more than a few pieces are held."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.held = bytearray()

    async def more(self) -> bool:
        """Read on; False at the end."""
        piece = await self._reader.read(_PIECE)
        self.held += piece
        return bool(piece)

    async def begins(self) -> bool:
        """Wait until it can be told what comes next; False when nothing does."""
        while not self.held or _PERHAPS_METHOD.fullmatch(self.held):
            if not await self.more():
                break
        return bool(self.held)

    def take(self, most: int) -> bytes:
        """At most so many of the bytes at hand."""
        piece = bytes(self.held[:most])
        del self.held[:most]
        return piece

    async def head(self) -> bytes:
        """Everything up to and including the next empty line, or what there is of it."""
        while (end := re.search(rb"\r?\n\r?\n", self.held)) is None:
            if len(self.held) > MAX_HEAD or not await self.more():
                return self.take(len(self.held))
        return self.take(end.end())

    async def line(self) -> bytes:
        """The next line, a short one."""
        while b"\n" not in self.held:
            if len(self.held) > 1024 or not await self.more():
                return b""
        return self.take(self.held.index(b"\n") + 1)

    async def into(self, visit: _Visit, length: int) -> bool:
        """Give so many bytes to a visit; False when they do not come."""
        while length > 0:
            if not self.held and not await self.more():
                return False
            piece = self.take(length)
            visit.keep(piece)
            length -= len(piece)
        return True


async def _body(inflow: _Inflow, fields: Mapping[bytes, bytes], visit: _Visit) -> bool:
    """Read the body of a request (RFC 9112 section 6.3); False when it is broken or too long."""
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return await _chunks(inflow, visit)
    length = _number(fields.get(b"content-length", b"0"), 10)
    return length is not None and await inflow.into(visit, length)


async def _chunks(inflow: _Inflow, visit: _Visit) -> bool:
    total = 0
    while True:
        length = _number((await inflow.line()).partition(b";")[0].strip(), 16)
        if length is None or (total := total + length) > MAX_BODY:
            return False
        if not await inflow.into(visit, length):
            return False
        if not length:
            return await _trailers(inflow)
        await inflow.line()


async def _trailers(inflow: _Inflow) -> bool:
    for _ in range(MAX_REQUESTS):
        line = await inflow.line()
        if not line.strip():
            return bool(line)
    return False


def _token() -> str:
    """Short, and unlike any date or number that a visitor may tell by chance."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(6))


def _number(text: bytes, base: int) -> int | None:
    """A length within bounds."""
    if not re.fullmatch(rb"[0-9A-Fa-f]{1,9}", text):
        return None
    with contextlib.suppress(ValueError):
        number = int(text, base)
        return number if number <= MAX_BODY else None
    return None


def _response(method: str, *, whole: bool) -> bytes:
    status = "400 Bad Request" if not whole else "201 Created" if method in _UPLOADS else "200 OK"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(_BODY)}\r\n"
    end = "\r\n" if whole else "Connection: close\r\n\r\n"
    return (head + end).encode() + (b"" if method == "HEAD" else _BODY)
