"""What every TLS library looks like to the lab server, and the driver that moves bytes between it and a socket.

A machine does no I/O: raw bytes in, raw bytes out. Must not know which library is behind it.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Protocol

from tlslab.engines.raw import Wire
from tlslab.records import HelloError, Reader
from tlslab.seen import Alert, Connection, Way

MAX_ALERTS = 100
MAX_CERTIFICATES = 200
MAX_NOTES = 50


class Unable(Exception):
    """This library cannot make such an offer; the text is the library's."""


class Broken(Exception):
    """The handshake or the connection failed; the text is the library's."""


class Machine(Protocol):
    """A server end of TLS without a socket. It writes version, suite, chains and alerts into its `Connection`.

    Attributes:
        grace_s: how long the handshake waits for more before `waive` is called; None waits as long as the wire does.
    """

    grace_s: float | None = None

    def waive(self) -> None:
        """The handshake does without what did not come."""
        return

    def feed(self, data: bytes) -> None:
        """Raw bytes of the caller; b"" says that no more come."""
        ...

    def take(self) -> bytes:
        """Raw bytes for the caller that were not taken yet."""
        ...

    def handshake(self) -> bool:
        """Whether the handshake is done; False asks for more bytes. Raises `Broken`."""
        ...

    def read(self) -> bytes | None:
        """Decrypted bytes; None asks for more raw ones, b"" is the end. Raises `Broken`."""
        ...

    def write(self, data: bytes) -> None:
        """Encrypt. Raises `Broken`."""
        ...

    def close(self) -> None:
        """Say close_notify, as far as possible. Never raises."""
        ...


class TlsStream:
    """A machine on a wire: `tlslab.session.Stream` once the handshake is done."""

    def __init__(self, wire: Wire, machine: Machine) -> None:
        self._wire = wire
        self._machine = machine
        self._writing = asyncio.Lock()
        self._ended = False

    async def shake_hands(self, first: bytes) -> None:
        """The handshake, from the bytes that came already; a client begins with none. Raises `Broken`."""
        if first:
            self._machine.feed(first)
        while not await self._step():
            try:
                async with asyncio.timeout(self._machine.grace_s):
                    data = await self._wire.read()
            except TimeoutError:
                self._machine.waive()
                continue
            if not data:
                raise Broken(self._wire.connection.error or "the caller ended it")
            self._machine.feed(data)

    async def _step(self) -> bool:
        try:
            return self._machine.handshake()
        finally:
            await self._flush()

    async def read(self) -> bytes:
        """The next decrypted bytes; b"" at the end, for whatever reason."""
        while not self._ended:
            try:
                data = self._machine.read()
            except Broken as error:
                self._end(str(error))
                data = b""
            await self._flush()
            if data is not None:
                self._ended |= not data
                return data
            raw = await self._wire.read()
            self._machine.feed(raw)
            if not raw:
                return self._rest()
        return b""

    def _rest(self) -> bytes:
        """What is left to decrypt once no more comes."""
        self._ended = True
        try:
            return self._machine.read() or b""
        except Broken as error:
            self._end(str(error))
            return b""

    async def write(self, data: bytes) -> None:
        """Say something; lost when the caller is gone."""
        try:
            self._machine.write(data)
        except Broken as error:
            self._end(str(error))
        await self._flush()

    async def close(self) -> None:
        """close_notify, then the socket's end."""
        self._machine.close()
        await self._flush()
        await self._wire.close()

    async def _flush(self) -> None:
        # Taken and written under one lock: records must not overtake each other.
        async with self._writing:
            if data := self._machine.take():
                await self._wire.write(data)

    def _end(self, why: str) -> None:
        self._ended = True
        connection = self._wire.connection
        connection.error = connection.error or why


# --- what machines tell -----------------------------------------------------------------------------------


def tell_alert(connection: Connection, at_s: float, way: Way, level: int, number: int) -> None:
    """An alert was seen."""
    if len(connection.alerts) < MAX_ALERTS:
        connection.alerts.append(Alert(at_s, way, number, level))


def tell_note(connection: Connection, text: str) -> None:
    """Something worth knowing happened."""
    if len(connection.notes) < MAX_NOTES:
        connection.notes.append(text)


def certificates_of(message: bytes, version: int) -> tuple[bytes, ...]:
    """The chain in a whole Certificate message of any version; () when it cannot be read.

    From TLS 1.3 on a context stands before the list, and extensions behind each certificate (RFC 8446 4.4.2).
    """
    newer = version >= 0x0304
    found: list[bytes] = []
    try:
        body = Reader(Reader(message[1:]).vector(3))
        if newer:
            body.vector(1)
        chain = Reader(body.vector(3))
        while chain.rest and len(found) < MAX_CERTIFICATES:
            found.append(chain.vector(3))
            if newer:
                chain.vector(2)
    except HelloError:
        return ()
    return tuple(found)


def chain_of(presented: bytes) -> tuple[bytes, ...]:
    """The certificates of a PEM file, DER, unread: they may be garbage."""
    parts = presented.decode("ascii", "replace").split(ssl.PEM_FOOTER)[:-1]
    return tuple(ssl.PEM_cert_to_DER_cert(p.strip() + "\n" + ssl.PEM_FOOTER) for p in parts)
