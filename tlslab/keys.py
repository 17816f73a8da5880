"""Private keys of every kind, also of those that are too weak for anything but a lab.

Knows keys and their PEM. Must not know what a key is for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import TypeAlias

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from tlslab.describe import Digest, KeyKind

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

_EXPONENT = 65537
_HASHES: Mapping[Digest, Callable[[], hashes.HashAlgorithm]] = {
    Digest.MD5: hashes.MD5,
    Digest.SHA1: hashes.SHA1,
    Digest.SHA256: hashes.SHA256,
    Digest.SHA384: hashes.SHA384,
}
_KINDS: Mapping[tuple[str, int], KeyKind] = {
    ("ec", 192): KeyKind.EC_P192,
    ("ec", 224): KeyKind.EC_P224,
    ("ec", 256): KeyKind.EC_P256,
    ("ec", 384): KeyKind.EC_P384,
    ("rsa", 512): KeyKind.RSA_512,
    ("rsa", 1024): KeyKind.RSA_1024,
    ("rsa", 2048): KeyKind.RSA_2048,
    ("rsa", 3072): KeyKind.RSA_3072,
}


def new_key(kind: KeyKind) -> PrivateKey:
    """A fresh key of this kind."""
    match kind:
        case KeyKind.EC_P192:
            return ec.generate_private_key(ec.SECP192R1())
        case KeyKind.EC_P224:
            return ec.generate_private_key(ec.SECP224R1())
        case KeyKind.EC_P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.EC_P384:
            return ec.generate_private_key(ec.SECP384R1())
        case KeyKind.RSA_512:
            return _rsa_512()
        case KeyKind.RSA_1024:
            return rsa.generate_private_key(_EXPONENT, 1024)
        case KeyKind.RSA_2048:
            return rsa.generate_private_key(_EXPONENT, 2048)
        case KeyKind.RSA_3072:
            return rsa.generate_private_key(_EXPONENT, 3072)
        case KeyKind.ED25519:
            return ed25519.Ed25519PrivateKey.generate()


def kind_of(key: PublicKey) -> KeyKind:
    """The kind of this key; of a size that no kind names, the usual kind of its family."""
    match key:
        case ed25519.Ed25519PublicKey():
            return KeyKind.ED25519
        case rsa.RSAPublicKey():
            return _KINDS.get(("rsa", key.key_size), KeyKind.RSA_2048)
        case _:
            return _KINDS.get(("ec", key.key_size), KeyKind.EC_P256)


def sign(key: PrivateKey, data: bytes, digest: Digest) -> bytes:
    """The signature as certificates hold it: PKCS #1 v1.5, ECDSA, or Ed25519, which has a hash of its own."""
    match key:
        case ed25519.Ed25519PrivateKey():
            return key.sign(data)
        case rsa.RSAPrivateKey():
            return key.sign(data, padding.PKCS1v15(), _HASHES[digest]())
        case _:
            return key.sign(data, ec.ECDSA(_HASHES[digest]()))


def pem_of(key: PrivateKey) -> bytes:
    """The key as PKCS #8, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _rsa_512() -> rsa.RSAPrivateKey:
    """An RSA key as it was broken in 1999. `cryptography` generates none this small, but uses one that is there."""
    p, q = _prime(256), _prime(256)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(_EXPONENT, p * q),
    ).private_key()


def _prime(bits: int) -> int:
    """A random number that is prime for a lab's purposes (Fermat), its two highest bits set."""
    while True:
        n = secrets.randbits(bits) | 0b11 << (bits - 2) | 1
        if n % _EXPONENT != 1 and all(pow(base, n - 1, n) == 1 for base in (2, 3, 5, 7, 11)):
            return n
