"""TLS by pyOpenSSL: any client certificate is taken, renegotiation is asked for, CA names and OCSP are as told.

Sessions are never resumed. A renegotiation belongs to the handshake: what the caller says meanwhile is held back, so
that HTTP counts only once it is settled.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from OpenSSL import SSL, crypto

from tlslab.engines.base import Broken, Machine, Unable, chain_of, tell_alert, tell_note
from tlslab.engines.stdlib import cipher_list
from tlslab.offers import ClientAuth, Offer
from tlslab.pki import Credential
from tlslab.seen import RENEGOTIATED, Connection, Way
from tlslab.suites import code_of, openssl_name, suite_name

RENEGOTIATION_S = 2.0
"""How long a caller may take to answer a HelloRequest before it counts as ignored."""
_MAX_READ = 2**16
_MAX_HELD = 2**18
_READ_ALERT, _WRITE_ALERT, _DONE = 0x4004, 0x4008, 0x20
_NO_RENEGOTIATION = 100
_TIME_ERRORS = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED: whoever reads the chain judges that, by the station's clock."""


def machine(offer: Offer, connection: Connection, elapsed: Callable[[], float]) -> OpenSslMachine:
    """A server end for this offer. Raises `Unable`."""
    try:
        return OpenSslMachine(offer, connection, elapsed)
    except (SSL.Error, ValueError, OSError) as error:
        raise Unable(_words(error)) from error


def _context(offer: Offer) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    # The level comes first: it decides which keys and hashes may be loaded at all.
    context.set_cipher_list(cipher_list(offer, openssl_name).encode())
    if newer := [suite_name(code) for code in offer.suites if code >> 8 == 0x13]:
        context.set_tls13_ciphersuites(":".join(newer).encode())
    context.set_min_proto_version(offer.lowest)
    context.set_max_proto_version(
        min(offer.highest, 0x0303) if offer.renegotiate else offer.highest
    )
    context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    _show(context, *(c for c in (offer.credential, offer.second) if c is not None))
    if offer.staple:
        context.set_ocsp_server_callback(lambda _connection, _data: offer.staple)
    if offer.client_auth is not ClientAuth.NONE:
        _ask(context, offer)
    return context


def _show(context: SSL.Context, *credentials: Credential) -> None:
    # Read from files, so that OpenSSL parses them and nobody stricter.
    for credential in credentials:
        with _file(credential.presented) as name:
            context.use_certificate_chain_file(name)
        with _file(credential.key) as name:
            context.use_privatekey_file(name)


def _ask(context: SSL.Context, offer: Offer) -> None:
    told = offer.client_roots if offer.told_roots is None else offer.told_roots
    if told:
        with _file(b"".join(told)) as name:
            context.load_client_ca(name.encode())
    if offer.client_auth is ClientAuth.ANY:
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        return
    if offer.client_roots:
        with _file(b"".join(offer.client_roots)) as name:
            context.load_verify_locations(name)
    required = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
    context.set_verify(required, lambda _c, _x, error, _d, ok: bool(ok) or error in _TIME_ERRORS)


@contextmanager
def _file(data: bytes) -> Iterator[str]:
    """A file with this content that only we can read, and that is gone afterwards."""
    handle, name = tempfile.mkstemp(prefix=".lab-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        yield name
    finally:
        Path(name).unlink()


class OpenSslMachine(Machine):
    """Implements `Machine`."""

    def __init__(self, offer: Offer, connection: Connection, elapsed: Callable[[], float]) -> None:
        context = _context(offer)
        context.set_info_callback(self._heard)
        if connection.keeps_secrets:
            context.set_keylog_callback(self._keep)
        self._offer = offer
        self._connection = connection
        self._elapsed = elapsed
        self._handshakes = 0
        self._asked = False
        self._waived = not offer.renegotiate
        self._held = bytearray()
        self._tls = SSL.Connection(context, None)
        self._tls.set_accept_state()

    def _keep(self, _connection: SSL.Connection, line: bytes) -> None:
        if self._connection.keeps_secrets:
            self._connection.secrets += line.decode("ascii") + "\n"

    def feed(self, data: bytes) -> None:
        """Raw bytes of the caller; b"" says that no more come."""
        if data:
            self._tls.bio_write(data)
        else:
            self._tls.bio_shutdown()

    def take(self) -> bytes:
        """Raw bytes for the caller that were not taken yet."""
        found = bytearray()
        try:
            while True:
                found += self._tls.bio_read(_MAX_READ)
        except SSL.Error:
            return bytes(found)

    def handshake(self) -> bool:
        """Whether the handshake is done, and with it a renegotiation; False asks for more bytes. Raises `Broken`."""
        if not self._asked:
            if not self._shaken():
                return False
            self._told()
            self._asked = True
            if self._waived:
                return True
            self._ask_again()
        return self._waived or self._settled()

    def _shaken(self) -> bool:
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise Broken(_words(error)) from error
        return True

    def read(self) -> bytes | None:
        """Decrypted bytes; None asks for more raw ones, b"" is the end. Raises `Broken`."""
        if self._held:
            data = bytes(self._held)
            self._held.clear()
            return data
        try:
            return self._tls.recv(_MAX_READ)
        except SSL.WantReadError:
            return None
        except (SSL.ZeroReturnError, SSL.SysCallError):
            return b""
        except SSL.Error as error:
            raise Broken(_words(error)) from error

    def write(self, data: bytes) -> None:
        """Encrypt. Raises `Broken`."""
        try:
            if data:
                self._tls.sendall(data)
        except SSL.Error as error:
            raise Broken(_words(error)) from error

    def close(self) -> None:
        """Say close_notify, as far as possible."""
        try:
            self._tls.shutdown()
        except SSL.Error:
            return

    # --- renegotiation ------------------------------------------------------------------------------------

    def _ask_again(self) -> None:
        """Say HelloRequest (RFC 5246 7.4.1.1), as somebody else when the offer says so."""
        if self._offer.renegotiate_as is not None:
            other = SSL.Context(SSL.TLS_SERVER_METHOD)
            other.set_cipher_list(b"ALL:@SECLEVEL=0")
            other.set_info_callback(self._heard)
            _show(other, self._offer.renegotiate_as)
            self._tls.set_context(other)
        self._tls.renegotiate()
        self._shaken()
        # Saying HelloRequest counts as a handshake to OpenSSL; the next one is the caller's.
        self._handshakes = 0
        self.grace_s = RENEGOTIATION_S

    def _settled(self) -> bool:
        """Whether the renegotiation came to an end; what the caller says meanwhile is held back."""
        try:
            while len(self._held) < _MAX_HELD:
                self._held += self._tls.recv(_MAX_READ)
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self._refused()
            raise Broken(_words(error)) from error
        if not self._handshakes:
            return False
        tell_note(self._connection, RENEGOTIATED)
        self._waived = True
        return True

    def _refused(self) -> None:
        told = any(a.number == _NO_RENEGOTIATION for a in self._connection.alerts)
        how = "refused with no_renegotiation" if told else "refused"
        tell_note(self._connection, f"renegotiation: {how}")
        if self._held:
            tell_note(self._connection, "renegotiation: HTTP was spoken before it was settled")

    def waive(self) -> None:
        """The caller ignores the HelloRequest."""
        tell_note(self._connection, "renegotiation: ignored")
        self._waived = True

    # --- what is seen -------------------------------------------------------------------------------------

    def _heard(self, _tls: SSL.Connection, where: int, told: int) -> None:
        if where in (_READ_ALERT, _WRITE_ALERT):
            way = Way.PEER if where == _READ_ALERT else Way.LAB
            tell_alert(self._connection, self._elapsed(), way, told >> 8, told & 0xFF)
        elif where & _DONE:
            self._handshakes += 1

    def _told(self) -> None:
        connection, tls = self._connection, self._tls
        connection.version = tls.get_protocol_version()
        connection.suite = code_of(tls.get_cipher_name() or "") or 0
        connection.server_chain = self._shown()
        # A server is told of the chain without its first certificate. Nothing here is parsed: it is a stranger's.
        first = tls.get_peer_certificate()
        leaf = _der([first]) if first is not None else ()
        rest = _der(tls.get_peer_cert_chain() or [])
        connection.client_chain = rest if rest[:1] == leaf else (*leaf, *rest)

    def _shown(self) -> tuple[bytes, ...]:
        """Which of the offer's chains OpenSSL chose."""
        own = self._tls.get_certificate()
        chains = [chain_of(c.presented) for c in (self._offer.credential, self._offer.second) if c]
        return next((c for c in chains if own is not None and c[:1] == _der([own])), ())


def _der(certificates: Sequence[crypto.X509]) -> tuple[bytes, ...]:
    return tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, c) for c in certificates)


def _words(error: Exception) -> str:
    match error.args:
        case ([*told],) if told:
            return ", ".join(str(one[-1]) for one in told if isinstance(one, tuple))
        case _:
            return str(error) or type(error).__name__
