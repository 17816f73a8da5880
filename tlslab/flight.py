"""Reads what a TLS server says in plain text: ServerHello, its certificates, key exchange and CertificateRequest.

Strict on lengths. Must not know sockets, nor whether what it says is wise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tlslab.codes import (
    EXTENDED_MASTER_SECRET,
    KEY_SHARE,
    RENEGOTIATION_INFO,
    SUPPORTED_VERSIONS,
)
from tlslab.records import HelloError, Reader
from tlslab.suites import suite

SERVER_HELLO = 2
CERTIFICATE = 11
SERVER_KEY_EXCHANGE = 12
CERTIFICATE_REQUEST = 13
SERVER_HELLO_DONE = 14

MAX_CERTIFICATES = 200
"""Certificates read of one chain."""

RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a HelloRetryRequest (RFC 8446 4.1.3)."""

SENTINELS = {b"DOWNGRD\x01": 0x0303, b"DOWNGRD\x00": 0x0302}
"""The end of the random of a server that could do better, and the version it went down to (RFC 8446 4.1.3)."""


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What a TLS server chose; `extensions` maps each extension's code to its raw body."""

    legacy_version: int
    random: bytes
    session_id: bytes
    cipher_suite: int
    compression_method: int
    extensions: dict[int, bytes] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """The version chosen, which from TLS 1.3 on stands in an extension."""
        selected = self.extensions.get(SUPPORTED_VERSIONS, b"")
        return int.from_bytes(selected, "big") if len(selected) == 2 else self.legacy_version

    @property
    def is_retry(self) -> bool:
        """It asks for another ClientHello (RFC 8446 4.1.4)."""
        return self.random == RETRY_RANDOM

    @property
    def downgraded_to(self) -> int:
        """The version that it went down to though it could do better, by its own word; 0 when it says nothing."""
        return SENTINELS.get(self.random[-8:], 0)

    @property
    def has_renegotiation_info(self) -> bool:
        """It knows of secure renegotiation (RFC 5746)."""
        return RENEGOTIATION_INFO in self.extensions

    @property
    def has_extended_master_secret(self) -> bool:
        """It binds the master secret to the whole handshake (RFC 7627)."""
        return EXTENDED_MASTER_SECRET in self.extensions

    @property
    def group(self) -> int:
        """The group of its key share in TLS 1.3; 0 without."""
        return int.from_bytes(self.extensions.get(KEY_SHARE, b"")[:2], "big")


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What a server of up to TLS 1.2 wants of a client certificate; `names` are its CAs', DER."""

    types: tuple[int, ...]
    schemes: tuple[int, ...]
    names: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KeyExchange:
    """What a server of up to TLS 1.2 exchanges keys with: a named curve, or a prime of so many bits; 0 otherwise."""

    group: int = 0
    prime_bits: int = 0


def read_server_hello(body: bytes) -> ServerHello:
    """The ServerHello of this handshake message. Raises `HelloError`."""
    reader = Reader(body)
    return ServerHello(
        legacy_version=reader.number(2),
        random=reader.take(32),
        session_id=reader.vector(1),
        cipher_suite=reader.number(2),
        compression_method=reader.number(1),
        extensions=reader.extensions(),
    )


def read_certificates(body: bytes) -> tuple[bytes, ...]:
    """The chain of a Certificate message of up to TLS 1.2, DER, its owner's first. Raises `HelloError`."""
    reader = Reader(Reader(body).vector(3))
    found: list[bytes] = []
    while reader.rest and len(found) < MAX_CERTIFICATES:
        found.append(reader.vector(3))
    return tuple(found)


def read_certificate_request(body: bytes, version: int = 0x0303) -> CertificateRequest:
    """The CertificateRequest of this message; signature schemes came with TLS 1.2. Raises `HelloError`."""
    reader = Reader(body)
    types = tuple(reader.vector(1))
    schemes = reader.codes(2) if version >= 0x0303 else ()
    inner = Reader(reader.vector(2))
    names: list[bytes] = []
    while inner.rest and len(names) < MAX_CERTIFICATES:
        names.append(inner.vector(2))
    return CertificateRequest(types, schemes, tuple(names))


def read_key_exchange(body: bytes, code: int) -> KeyExchange:
    """What the ServerKeyExchange under this suite exchanges keys with. Raises `HelloError`."""
    exchange = suite(code).key_exchange
    reader = Reader(body)
    if "PSK" in exchange:
        reader.vector(2)
    if exchange.startswith(("ECDHE", "ECDH_anon")):
        kind = reader.number(1)
        return KeyExchange(group=reader.number(2)) if kind == 3 else KeyExchange()
    if exchange.startswith(("DHE", "DH_anon")):
        return KeyExchange(prime_bits=int.from_bytes(reader.vector(2), "big").bit_length())
    raise HelloError(f"{suite(code).name} has no ServerKeyExchange that is known")
