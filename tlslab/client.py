"""The lab as a client: dials a CSMS under test, speaks TLS with the engine that a knock names, writes down the rest.

Knows sockets and engines. Must not know OCPP, nor what an answer is worth.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tlslab import tape
from tlslab.client_engines import pyopenssl, stdlib, tlslite
from tlslab.engines.base import Broken, Machine, TlsStream, Unable, tell_note
from tlslab.engines.raw import Wire
from tlslab.knock import Knock, Ticket
from tlslab.offers import Engine
from tlslab.pki import LabError
from tlslab.records import HelloError
from tlslab.seen import Connection, Stage, Way
from tlslab.session import Stream
from tlslab.wire import parse_client_hello

CONNECT_S = 5.0
PATIENCE_S = 10.0
SILENT = "the CSMS said nothing"
CHOSE = "the CSMS answered with a ServerHello"

MACHINES = {
    Engine.STDLIB: stdlib.machine,
    Engine.PYOPENSSL: pyopenssl.machine,
    Engine.TLSLITE: tlslite.machine,
}


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of dialling; `stream` is None when nothing can be said over it."""

    connection: Connection
    stream: Stream | None = None
    machine: Machine | None = None

    @property
    def ticket(self) -> Ticket | None:
        """What resumes this session; None when the engine or the CSMS gave nothing."""
        return self.machine.ticket if isinstance(self.machine, stdlib.ClientMachine) else None


class LabClient:
    """Dials one CSMS, as often as it is told to."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.host = host
        self.port = port
        self.count = 0
        self._monotonic = monotonic
        self._now = now
        self._patience_s = patience_s

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One bare TCP connection, for probes. Raises OSError."""
        return await asyncio.open_connection(self.host, self.port)

    async def open(self, knock: Knock) -> Opened:
        """The connection that this knock asks for, as far as it goes. Raises `LabError` when no engine can do it."""
        self.count += 1
        connection = Connection(self.count, self._monotonic(), self._now())
        machine = self._machine(knock, connection)
        wire = await self._dialled(connection)
        if wire is None:
            return Opened(connection)
        if knock.engine is Engine.PLAIN:
            return Opened(connection, wire)
        if machine is None:
            await self._say(wire, knock.hello)
            return Opened(connection)
        return await self._shaken(wire, machine)

    def _machine(self, knock: Knock, connection: Connection) -> Machine | None:
        if knock.engine not in MACHINES:
            return None
        began = connection.began_s
        try:
            return MACHINES[knock.engine](knock, connection, lambda: self._monotonic() - began)
        except Unable as why:
            raise LabError(f"{knock.engine} cannot do this: {why}") from why

    async def _dialled(self, connection: Connection) -> Wire | None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                _, wire = await loop.create_connection(
                    lambda: Wire(connection, self._monotonic, lambda _: None), self.host, self.port
                )
        except (OSError, TimeoutError) as error:
            connection.error = f"not reachable: {str(error) or type(error).__name__}"
            self._over(connection)
            return None
        wire.patience_s = self._patience_s
        return wire

    async def _shaken(self, wire: Wire, machine: Machine) -> Opened:
        connection, stream = wire.connection, TlsStream(wire, machine)
        try:
            await stream.shake_hands(b"")
        except Broken as why:
            connection.error = connection.error or str(why)
            await wire.close()
            self.judge(connection)
            if connection.hello is None:
                # What our own library did not even begin says nothing of the CSMS.
                connection.stage = Stage.NOTHING
            return Opened(connection)
        wire.finished = True
        connection.reached(Stage.FINISHED)
        self._read_hello(connection)
        return Opened(connection, stream, machine)

    async def _say(self, wire: Wire, hello: bytes) -> None:
        """Hand-built bytes, and what comes back until an alert, the end, or a ServerHello."""
        await wire.write(hello)
        said = False
        while data := await wire.read():
            said |= bool(data)
            facts = tape.facts(wire.connection.tape)
            if facts.server_hello is not None:
                tell_note(wire.connection, CHOSE)
                break
            if any(a.way is Way.PEER for a in facts.alerts):
                break
        wire.abort()
        self.judge(wire.connection)

    def judge(self, connection: Connection) -> None:
        """How far a connection went that is over, from its alerts and bytes."""
        self._read_hello(connection)
        known = {(a.way, a.number) for a in connection.alerts}
        plain = tape.facts(connection.tape).alerts
        connection.alerts += [a for a in plain if (a.way, a.number) not in known]
        fatal = any(a.way is Way.PEER and a.level == 2 for a in connection.alerts)
        if connection.stage < Stage.UPGRADE:
            silent = connection.error == "it took too long"
            if fatal:
                connection.stage = Stage.ALERT
            elif connection.stage < Stage.FINISHED and not silent:
                connection.stage = Stage.CLOSED
            if silent:
                connection.error = SILENT
        self._over(connection)

    def _read_hello(self, connection: Connection) -> None:
        said = b"".join(c.data for c in connection.tape if c.way is Way.LAB)
        if connection.hello is None and said[:1] == b"\x16":
            with contextlib.suppress(HelloError):
                connection.hello = parse_client_hello(said)
                connection.hello_bytes = said[: 2**16]

    def _over(self, connection: Connection) -> None:
        if connection.ended_s is None:
            connection.ended_s = self._monotonic()
