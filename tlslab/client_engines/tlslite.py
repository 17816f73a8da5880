"""A TLS client by tlslite-ng: a handshake signed with another key than the certificate's, garbage in the chain."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from tlslab.engines.base import Unable, chain_of
from tlslab.engines.tlslite import TlsliteMachine, _certificates, _Pipe
from tlslab.knock import Knock
from tlslab.offers import TLS_1_3
from tlslab.seen import Connection

with warnings.catch_warnings():
    # tlslite-ng 0.8.2 imports it for a mixin that is not used here.
    warnings.filterwarnings("ignore", "The asyncore module", DeprecationWarning)
    from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey


def machine(knock: Knock, connection: Connection, elapsed: Callable[[], float]) -> LiteClient:
    """A client end for this knock. Raises `Unable`."""
    try:
        return LiteClient(knock, connection, elapsed)
    except Exception as error:
        # The library raises whatever it stumbles over.
        raise Unable(f"{type(error).__name__}: {error}") from error


class LiteClient(TlsliteMachine):
    """The server's machine, turned round."""

    def __init__(self, knock: Knock, connection: Connection, elapsed: Callable[[], float]) -> None:
        self._connection = connection
        self._elapsed = elapsed
        self._pipe = _Pipe()
        self._tls = TLSConnection(self._pipe)
        self._tls.ignoreAbruptClose = True
        self._reading: Iterator[Any] | None = None
        self._chain = _shown(knock)
        self._steps = self._tls.handshakeClientCert(
            **_own(knock, self._chain),
            settings=_settings(knock).validate(),
            serverName=knock.server_name or None,
            async_=True,
        )

    def handshake(self) -> bool:
        """Whether the handshake is done; False asks for more bytes. Raises `Broken`."""
        if self._run(self._steps) == 0:
            return False
        major, minor = self._tls.version
        connection, session = self._connection, self._tls.session
        connection.version = major << 8 | minor
        connection.suite = session.cipherSuite
        shown, own = session.serverCertChain, session.clientCertChain
        connection.server_chain = tuple(bytes(c.bytes) for c in shown.x509List) if shown else ()
        connection.client_chain = self._chain if own else ()
        return True


def _shown(knock: Knock) -> tuple[bytes, ...]:
    if knock.credential is None:
        return ()
    return (*chain_of(knock.credential.presented), *([knock.garbage] if knock.garbage else []))


def _own(knock: Knock, chain: tuple[bytes, ...]) -> dict[str, Any]:
    if knock.credential is None:
        return {"certChain": None, "privateKey": None}
    own = parsePEMKey(knock.credential.key.decode(), private=True)
    key = parsePEMKey(knock.sign_with.decode(), private=True) if knock.sign_with else own
    return {"certChain": X509CertChain(_certificates(chain, own)), "privateKey": key}


def _settings(knock: Knock) -> Any:
    settings = HandshakeSettings()
    settings.minVersion = divmod(knock.lowest, 0x100)
    settings.maxVersion = divmod(knock.highest, 0x100)
    settings.versions = [
        v for v in ((3, 4), (3, 3)) if settings.minVersion <= v <= settings.maxVersion
    ]
    settings.certificate_compression_send = []
    if knock.lowest == TLS_1_3:
        settings.eccCurves = [c for c in settings.eccCurves if "brainpool" not in c]
    return settings
