"""A TLS client by Python's ssl: any chain with its own key, old versions and weak suites, resumption.

Nothing of the server is verified here: its certificates are written down and reviewed by cases.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable

from tlslab.engines.base import Unable, certificates_of, tell_alert, tell_note
from tlslab.engines.stdlib import _VERSIONS, StdlibMachine, _show
from tlslab.knock import Knock, Ticket
from tlslab.seen import Connection, Way
from tlslab.suites import openssl_name

_ALERT, _HANDSHAKE, _CERTIFICATE, _CERTIFICATE_REQUEST = 21, 22, 11, 13
ASKED = "the CSMS asked for a client certificate"


def machine(knock: Knock, connection: Connection, elapsed: Callable[[], float]) -> ClientMachine:
    """A client end for this knock. Raises `Unable`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context = knock.ticket.context if knock.ticket else _context(knock)
            return ClientMachine(context, knock, connection, elapsed)
    except (ssl.SSLError, ValueError, OSError) as error:
        raise Unable(str(error)) from error


def _context(knock: Knock) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    names = [n for n in map(openssl_name, knock.suites) if n]
    # The level comes first: it decides which keys and hashes may be loaded at all.
    context.set_ciphers(":".join([*(names or ["ALL"]), "@SECLEVEL=0"]))
    context.minimum_version = _VERSIONS[knock.lowest]
    context.maximum_version = _VERSIONS[knock.highest]
    if knock.credential is not None:
        _show(context, knock.credential)
    return context


class ClientMachine(StdlibMachine):
    """The server's machine, turned round."""

    def __init__(
        self,
        context: ssl.SSLContext,
        knock: Knock,
        connection: Connection,
        elapsed: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._elapsed = elapsed
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._context = context
        context._msg_callback = self._heard  # type: ignore[attr-defined]
        self._tls = context.wrap_bio(
            self._in,
            self._out,
            server_hostname=knock.server_name or None,
            session=knock.ticket.session if knock.ticket else None,
        )

    def handshake(self) -> bool:
        """Whether the handshake is done; False asks for more bytes. Raises `Broken`."""
        done = super().handshake()
        if done and self._tls.session_reused:
            tell_note(self._connection, "the session was resumed")
        return done

    @property
    def ticket(self) -> Ticket | None:
        """What resumes this session; in TLS 1.3 there is none before the CSMS has said something."""
        session = self._tls.session
        return None if session is None else Ticket(self._context, session)

    def _heard(
        self, _tls: object, way: str, version: int, content: int, _kind: int, data: bytes
    ) -> None:
        who = Way.PEER if way == "read" else Way.LAB
        if content == _ALERT and len(data) == 2:
            tell_alert(self._connection, self._elapsed(), who, data[0], data[1])
        if content != _HANDSHAKE:
            return
        if data[:1] == bytes([_CERTIFICATE]):
            chain = certificates_of(data, int(version))
            if who is Way.PEER:
                self._connection.server_chain = chain
            else:
                self._connection.client_chain = chain
        elif data[:1] == bytes([_CERTIFICATE_REQUEST]) and who is Way.PEER:
            tell_note(self._connection, ASKED)
