"""The lab's server: Charging Stations under test dial it, and it meets each caller with the offer of the moment.

Knows sockets, offers and how to watch a caller; `engines` terminate TLS, a `Session` speaks OCPP. Whatever a caller
does, the server goes on: its bytes, its time and the number of callers are bounded.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from tlslab import tape
from tlslab.engines import machine, ready
from tlslab.engines.base import Broken, TlsStream
from tlslab.engines.hand import answer
from tlslab.engines.mask import Mask
from tlslab.engines.plain import BAD_REQUEST, decline
from tlslab.engines.raw import Wire
from tlslab.offers import Engine, Offer
from tlslab.records import messages, records
from tlslab.seen import Connection, Stage, Way
from tlslab.session import Session, Stream
from tlslab.suites import suite
from tlslab.watch import Watched
from tlslab.wire import HelloError, NeedMoreData, parse_client_hello

MAX_FIRST = 2**16
"""Bytes that a ClientHello may take, with its records."""
MAX_CALLERS = 32
MAX_KEPT = 200
"""Connections that are remembered; whoever needs an older one has kept it."""
PATH = "/ocpp"

_HTTP = re.compile(rb"[A-Z]{1,16} ")
_NO_FAULT = (0, 90)
"""close_notify and user_canceled end a connection and blame nobody (RFC 8446 6.1)."""

T = TypeVar("T")


class LabServer:
    """Meets callers one by one; every connection is written down in `Connection`."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        session: Session,
        name: str = "localhost",
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
        keep_secrets: bool = False,
    ) -> None:
        """`name` is what callers dial; `port` 0 takes a free one; with `keep_secrets` captures can be decrypted."""
        self._host, self._port, self._name = host, port, name
        self._session = session
        self._monotonic, self._now = monotonic, now
        self._keep_secrets = keep_secrets
        self._offer: Offer | None = None
        self._ready: Offer | None = None
        self._server: asyncio.Server | None = None
        self._callers: dict[Wire, asyncio.Task[None]] = {}
        self._kept: deque[Connection] = deque(maxlen=MAX_KEPT)
        self._count = 0
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Listening. Raises `OSError` when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._caller, self._host, self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def aclose(self) -> None:
        """Every connection is over, nobody listens any more."""
        if self._server is not None:
            self._server.close()
        wires, tasks = list(self._callers), list(self._callers.values())
        for task in tasks:
            task.cancel()
        # A task that had not begun closes nothing.
        for wire in wires:
            wire.abort()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- what is offered ----------------------------------------------------------------------------------

    @property
    def offer(self) -> Offer | None:
        """How callers are met from now on; None, as at the beginning, hangs up on them."""
        return self._offer

    @offer.setter
    def offer(self, offer: Offer | None) -> None:
        """Raises `LabError` for an offer that no engine can carry out."""
        self._ready = None if offer is None else ready(offer)
        self._offer = offer

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def url(self) -> str:
        """What a Charging Station dials, without its identity."""
        plain = self._offer is not None and self._offer.engine is Engine.PLAIN
        host = f"[{self._name}]" if ":" in self._name else self._name
        return f"{'ws' if plain else 'wss'}://{host}:{self._port}{PATH}"

    # --- what was seen ------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many callers there were so far."""
        return self._count

    @property
    def newest(self) -> Connection | None:
        """The latest connection; None before the first."""
        return self._kept[-1] if self._kept else None

    def since(self, first: int) -> Sequence[Connection]:
        """The connections with a number above `first` that are remembered, oldest first."""
        return [c for c in self._kept if c.number > first]

    async def until(self, found: Callable[[], T], *, within: float) -> T | None:
        """The first truthy value of `found`, asked again at every change of any connection; None when time is up."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            changed = self._changed
            if value := found():
                return value
            try:
                async with asyncio.timeout_at(deadline):
                    await changed.wait()
            except TimeoutError:
                return found() or None

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # --- one caller ---------------------------------------------------------------------------------------

    def _caller(self) -> Wire:
        self._count += 1
        began, offer = self._monotonic(), self._ready
        connection = Connection(self._count, began, self._now(), keeps_secrets=self._keep_secrets)
        wire = Wire(connection, self._monotonic, self._begun)
        if offer is not None:
            wire.pace = offer.pace
            wire.mask = Mask(data=any(suite(code).is_null for code in offer.suites))
        return wire

    def _begun(self, wire: Wire) -> None:
        self._make_room()
        self._kept.append(wire.connection)
        self._callers[wire] = asyncio.get_running_loop().create_task(self._meet(wire, self._ready))
        self._tell()

    def _make_room(self) -> None:
        """Whoever has been knocking longest makes room for the next, else whoever is in longest."""
        if len(self._callers) < MAX_CALLERS:
            return
        knocking = (w for w in self._callers if w.connection.stage < Stage.WEBSOCKET)
        next(knocking, next(iter(self._callers))).abort()

    async def _meet(self, wire: Wire, offer: Offer | None) -> None:
        connection = wire.connection
        try:
            if offer is not None:
                await self._greet(wire, offer)
        except Broken as error:
            connection.error = connection.error or str(error)
            await wire.close()
        except Exception as error:  # noqa: BLE001
            # One caller must never end the server; what went wrong stands in the report.
            connection.error = f"lab: {type(error).__name__}: {error}"
        finally:
            wire.abort()
            self._callers.pop(wire, None)
            _conclude(connection, finished=wire.finished)
            connection.ended_s = self._monotonic()
            self._tell()

    async def _greet(self, wire: Wire, offer: Offer) -> None:
        first = await self._first(wire)
        self._tell()
        if not first:
            return
        if wire.connection.hello is None and _HTTP.match(first):
            await self._plain(wire, first, offer)
        elif offer.engine is Engine.HAND:
            await answer(wire, offer)
        elif offer.engine is Engine.PLAIN:
            await decline(wire, offer)
        else:
            await self._tls(wire, first, offer)

    async def _first(self, wire: Wire) -> bytes:
        """What the caller says first, until its ClientHello is there or it is certain that it is none."""
        connection, data = wire.connection, b""
        while len(data) <= MAX_FIRST:
            more = await wire.read()
            data += more
            try:
                connection.hello = parse_client_hello(data)
            except NeedMoreData:
                if more:
                    continue
                return b""
            except HelloError as error:
                if not _HTTP.match(data):
                    connection.error = f"no ClientHello: {error}"
                return data
            connection.hello_bytes = data[: next(messages(records(data))).end]
            return data
        connection.error = f"no ClientHello in {MAX_FIRST} bytes"
        return b""

    async def _tls(self, wire: Wire, first: bytes, offer: Offer) -> None:
        connection = wire.connection
        stream = TlsStream(wire, machine(offer, connection, lambda: wire.at_s))
        await stream.shake_hands(first)
        wire.finished = True
        self._tell()
        await self._serve(stream, connection, offer)

    async def _plain(self, wire: Wire, first: bytes, offer: Offer) -> None:
        """HTTP without TLS: served where that is the offer, else written down and turned away."""
        stream = _Again(first, wire)
        if offer.engine is Engine.PLAIN:
            await self._serve(stream, wire.connection, offer)
        else:
            await _answer(Watched(stream, wire.connection, self._tell), BAD_REQUEST)

    async def _serve(self, stream: Stream, connection: Connection, offer: Offer) -> None:
        watched = Watched(stream, connection, self._tell)
        if offer.http:
            await _answer(watched, offer.http)
        else:
            await self._session.serve(watched, connection)
            await watched.close()


async def _answer(stream: Watched, answer: bytes) -> None:
    """The request is read and answered with these bytes, and that is all."""
    while not stream.headed:
        if not await stream.read():
            return
    await stream.write(answer)
    await stream.close()


class _Again:
    """A stream of which the beginning was read already."""

    def __init__(self, first: bytes, stream: Stream) -> None:
        self._first = first
        self._stream = stream

    async def read(self) -> bytes:
        """The next bytes; b"" at the end."""
        first, self._first = self._first, b""
        return first or await self._stream.read()

    async def write(self, data: bytes) -> None:
        """Say something."""
        await self._stream.write(data)

    async def close(self) -> None:
        """End it."""
        await self._stream.close()


# --- what its bytes tell ----------------------------------------------------------------------------------


def _conclude(connection: Connection, *, finished: bool) -> None:
    """What no engine told is read from the tape, and a connection without HTTP gets its stage."""
    told = tape.facts(connection.tape)
    connection.version = connection.version or told.version
    connection.suite = connection.suite or told.suite
    connection.server_chain = connection.server_chain or told.server_chain
    connection.client_chain = connection.client_chain or told.client_chain
    heard = {(alert.way, alert.number) for alert in connection.alerts}
    connection.alerts += [a for a in told.alerts if (a.way, a.number) not in heard]
    connection.alerts.sort(key=lambda alert: alert.at_s)
    if connection.stage is Stage.NOTHING and (connection.hello is not None or finished):
        connection.reached(_ending(connection, told, finished=finished))


def _ending(connection: Connection, told: tape.TapeFacts, *, finished: bool) -> Stage:
    """How a connection ended that never spoke HTTP."""
    # Of TLS 1.3 the tape guesses by lengths; whoever terminated it knows.
    if finished or (told.client_finished and told.version < 0x0304):
        return Stage.FINISHED
    blamed = [a for a in connection.alerts if a.number not in _NO_FAULT]
    hidden = any(way is Way.PEER for _, way in told.hidden_alerts)
    return Stage.ALERT if blamed or hidden else Stage.CLOSED
