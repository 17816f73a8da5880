"""TLS by Python's ssl on the system's OpenSSL: TLS 1.0 to 1.3, every suite it still has, weak keys and hashes too.

Sessions are never resumed, so that every connection shows its certificates: each gets a context of its own, whose
ticket keys nobody knows.
"""

from __future__ import annotations

import os
import ssl
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from tlslab.engines.base import Broken, Machine, Unable, certificates_of, tell_alert
from tlslab.offers import ClientAuth, Offer
from tlslab.pki import Credential
from tlslab.seen import Connection, Way
from tlslab.suites import code_of, openssl_name

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME: whether a client certificate is in time is judged by its reader, by the station's clock."""
_MAX_READ = 2**16
_ALERT, _HANDSHAKE, _CERTIFICATE = 21, 22, 11
_VERSIONS = {
    0x0300: ssl.TLSVersion.SSLv3,
    0x0301: ssl.TLSVersion.TLSv1,
    0x0302: ssl.TLSVersion.TLSv1_1,
    0x0303: ssl.TLSVersion.TLSv1_2,
    0x0304: ssl.TLSVersion.TLSv1_3,
}


def machine(offer: Offer, connection: Connection, elapsed: Callable[[], float]) -> StdlibMachine:
    """A server end for this offer. Raises `Unable`."""
    try:
        with warnings.catch_warnings():
            # Old versions are the point here; ssl warns of them, and the interpreter of ssl's own constants.
            warnings.simplefilter("ignore", DeprecationWarning)
            return StdlibMachine(_context(offer), connection, elapsed)
    except (ssl.SSLError, ValueError, OSError) as error:
        raise Unable(str(error)) from error


def _context(offer: Offer) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The level comes first: it decides which keys and hashes may be loaded at all.
    context.set_ciphers(cipher_list(offer, openssl_name))
    context.minimum_version = _VERSIONS[offer.lowest]
    context.maximum_version = _VERSIONS[offer.highest]
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    for credential in (offer.credential, offer.second):
        if credential is not None:
            _show(context, credential)
    if offer.client_auth is not ClientAuth.NONE:
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
        if offer.client_roots:
            context.load_verify_locations(cadata="\n".join(r.decode() for r in offer.client_roots))
    return context


def cipher_list(offer: Offer, name_of: Callable[[int], str | None]) -> str:
    """The suites of an offer as OpenSSL reads them. Raises `Unable` when there is none that it speaks."""
    older = [code for code in offer.suites if code >> 8 != 0x13]
    names = [name for name in map(name_of, older) if name]
    if older and not names:
        raise Unable(f"it speaks none of {', '.join(f'0x{code:04X}' for code in older)}")
    return ":".join([*(names or ["ALL"]), "@SECLEVEL=0"])


def _show(context: ssl.SSLContext, credential: Credential) -> None:
    # The ssl module reads own certificates from files only; this one is readable by its owner, and gone at once.
    handle, name = tempfile.mkstemp(prefix=".lab-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(credential.key.strip() + b"\n" + credential.presented)
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()


class StdlibMachine(Machine):
    """Implements `Machine`."""

    def __init__(
        self, context: ssl.SSLContext, connection: Connection, elapsed: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._elapsed = elapsed
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        # The one way to see what went over encrypted: alerts, and chains in TLS 1.3. Only OpenSSL's messages come here.
        context._msg_callback = self._heard  # type: ignore[attr-defined]
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)

    def feed(self, data: bytes) -> None:
        """Raw bytes of the caller; b"" says that no more come."""
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()

    def take(self) -> bytes:
        """Raw bytes for the caller that were not taken yet."""
        return self._out.read()

    def handshake(self) -> bool:
        """Whether the handshake is done; False asks for more bytes. Raises `Broken`."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except (ssl.SSLError, OSError) as error:
            raise Broken(_words(error)) from error
        self._connection.version = _code_of_version(self._tls.version())
        cipher = self._tls.cipher()
        self._connection.suite = (code_of(cipher[0]) or 0) if cipher else 0
        return True

    def read(self) -> bytes | None:
        """Decrypted bytes; None asks for more raw ones, b"" is the end. Raises `Broken`."""
        try:
            return self._tls.read(_MAX_READ)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except (ssl.SSLError, OSError) as error:
            raise Broken(_words(error)) from error

    def write(self, data: bytes) -> None:
        """Encrypt. Raises `Broken`."""
        try:
            self._tls.write(data)
        except (ssl.SSLError, OSError) as error:
            raise Broken(_words(error)) from error

    def close(self) -> None:
        """Say close_notify, as far as possible."""
        try:
            self._tls.unwrap()
        except (ssl.SSLError, OSError, ValueError):
            return

    def _heard(
        self, _tls: object, way: str, version: int, content: int, _kind: int, data: bytes
    ) -> None:
        who = Way.PEER if way == "read" else Way.LAB
        if content == _ALERT and len(data) == 2:
            tell_alert(self._connection, self._elapsed(), who, data[0], data[1])
        if content == _HANDSHAKE and data[:1] == bytes([_CERTIFICATE]):
            chain = certificates_of(data, int(version))
            if who is Way.PEER:
                self._connection.client_chain = chain
            else:
                self._connection.server_chain = chain


def _code_of_version(name: str | None) -> int:
    names = {"SSLv3": 0x0300, "TLSv1": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303}
    return {**names, "TLSv1.3": 0x0304}.get(name or "", 0)


def _words(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    detail = getattr(error, "verify_message", "")
    return ": ".join(str(part) for part in (reason or error, detail) if part)
