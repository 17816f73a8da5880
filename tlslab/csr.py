"""Certificate signing requests as a Charging Station sends them, proper or asking for too much (A02.FR.02, FR.03)."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from tlslab.keys import PrivateKey


@dataclass(frozen=True, slots=True)
class Wish:
    """What a CSR asks for; the defaults beside the names are what OCPP asks for.

    `is_ca` asks for basicConstraints cA, `names` for a subjectAltName; `broken` turns one bit of the signature.
    """

    common_name: str
    organization: str
    is_ca: bool = False
    names: tuple[str, ...] = ()
    broken: bool = False


def csr(wish: Wish, key: PrivateKey) -> str:
    """PKCS #10 in PEM (RFC 2986)."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, wish.common_name),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, wish.organization),
            ]
        )
    )
    if wish.is_ca:
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)  # noqa: FBT003
    if wish.names:
        names = x509.SubjectAlternativeName([x509.DNSName(n) for n in wish.names])
        builder = builder.add_extension(names, critical=False)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made = builder.sign(key, digest).public_bytes(serialization.Encoding.DER)
    if wish.broken:
        made = made[:-1] + bytes([made[-1] ^ 1])
    return _pem(made)


def _pem(der: bytes) -> str:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n"
