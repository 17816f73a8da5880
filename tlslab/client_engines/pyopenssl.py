"""A TLS client by pyOpenSSL that asks for a renegotiation once the handshake is done (TLS 1.2 and below)."""

from __future__ import annotations

from collections.abc import Callable

from OpenSSL import SSL

from tlslab.engines.base import Broken, Unable, tell_note
from tlslab.engines.pyopenssl import RENEGOTIATION_S, OpenSslMachine, _der, _show, _words
from tlslab.knock import Knock
from tlslab.seen import Connection
from tlslab.suites import code_of, openssl_name


def machine(knock: Knock, connection: Connection, elapsed: Callable[[], float]) -> Renegotiating:
    """A client end for this knock. Raises `Unable`."""
    try:
        return Renegotiating(knock, connection, elapsed)
    except (SSL.Error, ValueError, OSError) as error:
        raise Unable(_words(error)) from error


class Renegotiating(OpenSslMachine):
    """The server's machine, turned round."""

    def __init__(self, knock: Knock, connection: Connection, elapsed: Callable[[], float]) -> None:
        context = _context(knock)
        context.set_info_callback(self._heard)
        self._connection = connection
        self._elapsed = elapsed
        self._handshakes = 0
        self._asked = False
        self._waived = not knock.renegotiate
        self._held = bytearray()
        self._tls = SSL.Connection(context, None)
        if knock.server_name:
            self._tls.set_tlsext_host_name(knock.server_name.encode())
        self._tls.set_connect_state()

    def _ask_again(self) -> None:
        self._tls.renegotiate()
        self._handshakes = 0
        self.grace_s = RENEGOTIATION_S
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            tell_note(self._connection, "renegotiation: refused")
            raise Broken(_words(error)) from error

    def _told(self) -> None:
        connection, tls = self._connection, self._tls
        connection.version = tls.get_protocol_version()
        connection.suite = code_of(tls.get_cipher_name() or "") or 0
        connection.server_chain = _der(tls.get_peer_cert_chain() or [])
        own = tls.get_certificate()
        connection.client_chain = () if own is None else _der([own])


def _context(knock: Knock) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    names = [n for n in map(openssl_name, knock.suites) if n]
    context.set_cipher_list(":".join([*(names or ["ALL"]), "@SECLEVEL=0"]).encode())
    context.set_min_proto_version(knock.lowest)
    context.set_max_proto_version(
        min(knock.highest, 0x0303) if knock.renegotiate else knock.highest
    )
    context.set_verify(SSL.VERIFY_NONE, lambda *_: True)
    if knock.credential is not None:
        _show(context, knock.credential)
    return context
