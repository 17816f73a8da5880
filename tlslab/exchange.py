"""Builds a TLS 1.2 server's first flight by hand: ServerHello, Certificate, signed ServerKeyExchange, ServerHelloDone.

For servers that no library plays: a tiny Diffie-Hellman group, a key exchange signed with another key. The lab's own
keys of the exchange are fixed, since nothing is ever said under them. Must not know why a flight is wanted.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519

from tlslab.build import (
    SECURE_RENEGOTIATION,
    SOME_RANDOM,
    Extensions,
    flight,
    handshake,
    server_hello,
    vector,
)
from tlslab.flight import CERTIFICATE, SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE
from tlslab.pki import Credential
from tlslab.suites import suite
from tlslab.wire import ClientHello

PRIMES = {
    512: int(
        "f712cfdd093992bcf13a11b926ad24e145394eec00a3d1647c633d3ded43b6ad"
        "83aa48d79cd17a0e0d7e481d177335134a29be3912ba37a9ba4819a1df7cc73f",
        16,
    ),
    # The second Oakley group (RFC 2409 6.2).
    1024: int(
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
        "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
        "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff",
        16,
    ),
}
"""Safe primes by their bits, generator 2: shorter than A00.FR.501 allows."""

_SECRET = int.from_bytes(bytes(range(1, 33)), "big")
_USUAL = {"ECDHE": {"ecdsa": 0xC02B, "rsa": 0xC02F}, "DHE": {"rsa": 0x009E}}


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a flight; the defaults are nothing.

    Attributes:
        prime_bits: DHE with a prime of so many bits (see `PRIMES`) instead of ECDHE.
        signer: PEM of the key that signs the key exchange instead of the certificate's own; it may be of another kind.
        random: the server's random, such as one with the sentinel of RFC 8446 4.1.3.
        extensions: those of the ServerHello.
    """

    prime_bits: int = 0
    signer: bytes = b""
    random: bytes = SOME_RANDOM
    extensions: Extensions = SECURE_RENEGOTIATION


def offered_suite(hello: ClientHello, credential: Credential, *, exchange: str = "ECDHE") -> int:
    """The first suite of this key exchange that the client offers and the certificate fits; 0 when there is none."""
    fitting = (
        code
        for code in hello.suites
        if suite(code).key_exchange.startswith(f"{exchange}_")
        and suite(code).auth == _auth(credential)
        and "PSK" not in suite(code).key_exchange
    )
    return next(fitting, 0)


def full_flight(hello: ClientHello, credential: Credential, faults: Faults | None = None) -> bytes:
    """All that a TLS 1.2 server says before the client's turn.

    Without a fitting suite on offer it takes one that is not offered: look with `offered_suite` beforehand.
    """
    wrong = faults or Faults()
    exchange = "DHE" if wrong.prime_bits else "ECDHE"
    code = offered_suite(hello, credential, exchange=exchange)
    code = code or _USUAL[exchange].get(_auth(credential), 0x009E)
    params = _finite(wrong.prime_bits) if wrong.prime_bits else _elliptic(hello)
    signed = params + _signature(hello, params, wrong, credential)
    return flight(
        server_hello(suite=code, random=wrong.random, extensions=wrong.extensions),
        certificate_message(credential),
        handshake(SERVER_KEY_EXCHANGE, signed),
        handshake(SERVER_HELLO_DONE, b""),
    )


def certificate_message(credential: Credential) -> bytes:
    """The Certificate message of TLS 1.2 with the whole chain."""
    pems = (credential.certificate, *credential.chain)
    ders = (ssl.PEM_cert_to_DER_cert(pem.decode()) for pem in pems)
    return handshake(CERTIFICATE, vector(b"".join(vector(der, 3) for der in ders), 3))


def _auth(credential: Credential) -> str:
    return "ecdsa" if isinstance(_load(credential.key), ec.EllipticCurvePrivateKey) else "rsa"


def _load(pem: bytes) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError(f"{type(key).__name__} signs no key exchange; expected an EC or RSA key")
    return key


def _finite(bits: int) -> bytes:
    prime = PRIMES[bits]
    public = pow(2, _SECRET, prime)
    size = bits // 8
    return b"".join(vector(n, 2) for n in (prime.to_bytes(size), b"\x02", public.to_bytes(size)))


def _elliptic(hello: ClientHello) -> bytes:
    group = next((g for g in hello.groups if g in (23, 29)), 23)
    return b"\x03" + group.to_bytes(2, "big") + vector(_public(group), 1)


def _public(group: int) -> bytes:
    if group == 29:
        own = x25519.X25519PrivateKey.from_private_bytes(_SECRET.to_bytes(32))
        return own.public_key().public_bytes_raw()
    return (
        ec.derive_private_key(_SECRET, ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )


def _signature(hello: ClientHello, params: bytes, faults: Faults, credential: Credential) -> bytes:
    """Over both randoms and the parameters (RFC 5246 7.4.3), with the scheme before it."""
    key = _load(faults.signer or credential.key)
    signed = hello.random + faults.random + params
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return b"\x04\x03" + vector(key.sign(signed, ec.ECDSA(hashes.SHA256())), 2)
    return b"\x04\x01" + vector(key.sign(signed, padding.PKCS1v15(), hashes.SHA256()), 2)
