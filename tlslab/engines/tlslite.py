"""TLS by tlslite-ng: what OpenSSL speaks no more, any client certificate, and handshakes signed with a wrong key.

SSL 3.0, RC4, 3DES, NULL and anonymous suites; chains that no other library would load. Slow, and in memory only.
"""

from __future__ import annotations

import errno
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from tlslab.engines.base import Broken, Machine, Unable, chain_of, tell_alert
from tlslab.offers import ClientAuth, Offer
from tlslab.seen import Connection, Way
from tlslab.suites import suite

with warnings.catch_warnings():
    # tlslite-ng 0.8.2 imports it for a mixin that is not used here.
    warnings.filterwarnings("ignore", "The asyncore module", DeprecationWarning)
    from tlslite.api import (
        X509,
        HandshakeSettings,
        TLSConnection,
        X509CertChain,
        parsePEMKey,
    )
    from tlslite.errors import TLSLocalAlert, TLSRemoteAlert

_CHUNK = 2**14
_VERSIONS = ((3, 0), (3, 1), (3, 2), (3, 3), (3, 4))


def machine(offer: Offer, connection: Connection, elapsed: Callable[[], float]) -> TlsliteMachine:
    """A server end for this offer. Raises `Unable`."""
    try:
        return TlsliteMachine(offer, connection, elapsed)
    except Exception as error:
        # The library raises whatever it stumbles over.
        raise Unable(f"{type(error).__name__}: {error}") from error


class _Pipe:
    """A socket as tlslite-ng wants one, in memory; it would block where there is nothing to read."""

    def __init__(self) -> None:
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.ended = False

    def recv(self, size: int) -> bytes:
        if not self.incoming and not self.ended:
            raise OSError(errno.EWOULDBLOCK, "nothing to read yet")
        data = bytes(self.incoming[:size])
        del self.incoming[:size]
        return data

    def send(self, data: bytes) -> int:
        self.outgoing += data
        return len(data)

    def sendall(self, data: bytes) -> None:
        self.outgoing += data

    def close(self) -> None:
        self.ended = True


class _Choosy(TLSConnection):  # type: ignore[misc]
    """A connection that speaks exactly the suites of the offer."""

    def __init__(self, pipe: _Pipe, suites: tuple[int, ...]) -> None:
        super().__init__(pipe)
        self._suites = suites
        self.ignoreAbruptClose = True

    def _server_select_certificate(
        self, settings: Any, client_hello: Any, cipher_suites: Any, *rest: Any
    ) -> Any:
        able = set(cipher_suites)
        wanted = [code for code in self._suites if code in able]
        newer = [code for code in cipher_suites if code >> 8 == 0x13 and code not in wanted]
        return super()._server_select_certificate(settings, client_hello, newer + wanted, *rest)


class TlsliteMachine(Machine):
    """Implements `Machine`."""

    def __init__(self, offer: Offer, connection: Connection, elapsed: Callable[[], float]) -> None:
        self._offer = offer
        self._connection = connection
        self._elapsed = elapsed
        self._pipe = _Pipe()
        self._tls = _Choosy(self._pipe, offer.suites)
        self._reading: Iterator[Any] | None = None
        anonymous = all(suite(code).is_anonymous for code in offer.suites)
        self._chain = () if anonymous else chain_of(offer.credential.presented)
        self._steps = self._tls.handshakeServerAsync(**self._terms())

    def _terms(self) -> dict[str, Any]:
        offer = self._offer
        own = parsePEMKey(offer.credential.key.decode(), private=True)
        key = parsePEMKey(offer.sign_with.decode(), private=True) if offer.sign_with else own
        told = offer.client_roots if offer.told_roots is None else offer.told_roots
        asks = offer.client_auth is not ClientAuth.NONE
        return {
            "certChain": X509CertChain(_certificates(self._chain, own)) if self._chain else None,
            "privateKey": key if self._chain else None,
            "settings": _settings(offer).validate(),
            "anon": not self._chain,
            "reqCert": asks,
            "reqCAs": [_name(root) for root in told] if asks and told else None,
        }

    def feed(self, data: bytes) -> None:
        """Raw bytes of the caller; b"" says that no more come."""
        self._pipe.incoming += data
        self._pipe.ended |= not data

    def take(self) -> bytes:
        """Raw bytes for the caller that were not taken yet."""
        data = bytes(self._pipe.outgoing)
        self._pipe.outgoing.clear()
        return data

    def handshake(self) -> bool:
        """Whether the handshake is done; False asks for more bytes. Raises `Broken`."""
        if self._run(self._steps) == 0:
            return False
        major, minor = self._tls.version
        self._connection.version = major << 8 | minor
        self._connection.suite = self._tls.session.cipherSuite
        self._connection.server_chain = self._chain
        shown = self._tls.session.clientCertChain
        if shown is not None:
            self._connection.client_chain = tuple(bytes(c.bytes) for c in shown.x509List)
        return True

    def read(self) -> bytes | None:
        """Decrypted bytes; None asks for more raw ones, b"" is the end. Raises `Broken`."""
        if self._reading is None:
            self._reading = self._tls.readAsync(_CHUNK, 1)
        came = self._run(self._reading)
        if came == 0 and isinstance(came, int):
            return None
        self._reading = None
        return bytes(came or b"")

    def write(self, data: bytes) -> None:
        """Encrypt. Raises `Broken`."""
        self._run(self._tls.writeAsync(data))

    def close(self) -> None:
        """Say close_notify, as far as possible."""
        try:
            self._run(self._tls.closeAsync())
        except Broken:
            return

    def _run(self, steps: Iterator[Any]) -> Any:
        """0 when more bytes are needed, what came, or None when it is done. Raises `Broken`."""
        try:
            for step in steps:
                if step != 1 or not isinstance(step, int):
                    return step
        except (TLSLocalAlert, TLSRemoteAlert) as alert:
            way = Way.LAB if isinstance(alert, TLSLocalAlert) else Way.PEER
            tell_alert(self._connection, self._elapsed(), way, alert.level, alert.description)
            raise Broken(str(alert)) from alert
        except Exception as error:
            # Whatever a caller says may make the library stumble.
            raise Broken(f"{type(error).__name__}: {error}") from error
        return None


# --- offers in its words ----------------------------------------------------------------------------------


def _certificates(chain: tuple[bytes, ...], key: Any) -> list[Any]:
    """The chain as it is, unread but for the first; when that cannot be read either, the key says what it is."""
    found = []
    for der in chain:
        shown = X509()
        shown.bytes = bytearray(der)
        found.append(shown)
    try:
        found[0].parseBinary(bytearray(chain[0]))
    except Exception:  # noqa: BLE001 - a certificate that cannot be read is the point of such an offer
        found[0].publicKey = key
        found[0].certAlg = key.key_type
    return found


def _name(root: bytes) -> bytearray:
    shown = X509()
    shown.parse(root.decode())
    return bytearray(shown.subject)


def _settings(offer: Offer) -> Any:
    """What lets through every suite of the offer; which of them are spoken is chosen later."""
    settings = HandshakeSettings()
    low, high = (divmod(code, 0x100) for code in (offer.lowest, offer.highest))
    settings.minVersion, settings.maxVersion = low, high
    settings.versions = [v for v in reversed(_VERSIONS) if low <= v <= high]
    settings.minKeySize = 512
    settings.cipherNames = _CIPHERS
    settings.macNames = ["sha", "sha256", "sha384", "aead", "md5"]
    settings.rsaSigHashes = [*settings.rsaSigHashes]
    settings.ticket_count = 0
    settings.certificate_compression_send = []
    return settings


_CIPHERS = [
    "chacha20-poly1305",
    "aes256gcm",
    "aes128gcm",
    "aes256ccm",
    "aes128ccm",
    "aes256",
    "aes128",
    "3des",
    "rc4",
    "null",
]
