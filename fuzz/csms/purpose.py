"""TLS that does not ask what a client certificate is for, which Python's ssl cannot do; for a planted defect only.

Knows pyOpenSSL, and as much of an `ssl.SSLContext` as asyncio's transports look at.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from typing import TypeVar, cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL, crypto

from fuzz.csms.tls import SUITES, Material

_T = TypeVar("_T")
_INVALID_PURPOSE = 26
"""X509_V_ERR_INVALID_PURPOSE of OpenSSL."""

_CHUNK = 2**16


def purpose_blind(material: Material) -> ssl.SSLContext:
    """A context for security profile 3 that verifies all of a client certificate but its Extended Key Usage."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(f"{':'.join(SUITES)}:@SECLEVEL=2".encode())
    for credential in material.certificates:
        context.use_certificate(credential.x509)
        key = serialization.load_pem_private_key(credential.key, password=None)
        context.use_privatekey(crypto.PKey.from_cryptography_key(key))  # type: ignore[arg-type]
    store = context.get_cert_store()
    for root in material.roots:
        for found in x509.load_pem_x509_certificates(root):
            assert store is not None
            store.add_cert(crypto.X509.from_cryptography(found))
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _takes)
    return cast(ssl.SSLContext, _Context(context))


def _takes(_c: SSL.Connection, _x: crypto.X509, error: int, _depth: int, ok: int) -> bool:
    return bool(ok) or error == _INVALID_PURPOSE


class _Context:
    """What asyncio asks of a context."""

    def __init__(self, context: SSL.Context) -> None:
        self._context = context

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = True,  # noqa: FBT001, FBT002 (the name and place that ssl gives it)
        server_hostname: str | None = None,
    ) -> _Object:
        """One connection between two buffers."""
        return _Object(self._context, incoming, outgoing)


class _Object:
    """What asyncio asks of an `ssl.SSLObject`."""

    def __init__(
        self, context: SSL.Context, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
    ) -> None:
        self._connection = SSL.Connection(context, None)
        self._connection.set_accept_state()
        self._incoming, self._outgoing = incoming, outgoing

    def do_handshake(self) -> None:
        """As far as it goes with what has come."""
        self._do(self._connection.do_handshake)

    def read(self, length: int = 1024, buffer: memoryview | None = None) -> bytes | int:
        """What has come, in clear."""
        data = self._do(lambda: self._connection.recv(length), b"")
        if buffer is None:
            return data
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: bytes) -> int:
        """Sends it."""
        return self._do(lambda: self._connection.send(bytes(data)))

    def unwrap(self) -> None:
        """The end, politely."""
        self._do(self._connection.shutdown)

    def get_unverified_chain(self) -> list[bytes]:
        """What the caller showed, DER."""
        leaf = self._connection.get_peer_certificate(as_cryptography=True)
        # For a server the chain is without its first certificate.
        above = self._connection.get_peer_cert_chain(as_cryptography=True) or []
        shown = above if leaf is None or leaf in above[:1] else [leaf, *above]
        return [one.public_bytes(serialization.Encoding.DER) for one in shown]

    def getpeercert(self) -> None:
        """Nothing that asyncio needs."""

    cipher = compression = getpeercert

    def _do(self, work: Callable[[], _T], at_end: _T | None = None) -> _T:
        while data := self._incoming.read(_CHUNK):
            self._connection.bio_write(data)
        with self._as_ssl():
            try:
                return work()
            except SSL.ZeroReturnError:
                if at_end is None:
                    raise
                return at_end

    @contextlib.contextmanager
    def _as_ssl(self) -> Iterator[None]:
        """Errors are those of ssl; what is to be sent is in the buffer."""
        try:
            yield
        except SSL.WantReadError:
            raise ssl.SSLWantReadError from None
        except SSL.Error as error:
            raise ssl.SSLError(str(error)) from None
        finally:
            with contextlib.suppress(SSL.Error):
                while data := self._connection.bio_read(_CHUNK):
                    self._outgoing.write(data)
