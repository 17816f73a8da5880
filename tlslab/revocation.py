"""Says which certificates are revoked: as a list (CRL, RFC 5280 section 5) and one by one (OCSP, RFC 6960).

Knows one CA and certificates. Must not know how the word gets around.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509 import ocsp as _ocsp

from tlslab.describe import DAY, SKEW
from tlslab.keys import PrivateKey
from tlslab.pki import Credential, load_key


def crl(issuer: Credential, revoked: Iterable[bytes], *, now: datetime) -> bytes:
    """The issuer's CRL in DER, good for a week, with these PEM certificates on it."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.x509.subject)
        .last_update(now - SKEW)
        .next_update(now + 7 * DAY)
        .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
    )
    for certificate in revoked:
        builder = builder.add_revoked_certificate(_entry(certificate, now))
    key = load_key(issuer.key)
    return builder.sign(key, _digest(key)).public_bytes(serialization.Encoding.DER)


def _entry(certificate: bytes, now: datetime) -> x509.RevokedCertificate:
    number = x509.load_pem_x509_certificate(certificate).serial_number
    builder = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(now - SKEW)
    return builder.build()


def ocsp(issuer: Credential, certificate: bytes, *, now: datetime, revoked: bool) -> bytes:
    """The issuer's OCSP response in DER for a PEM certificate of its own, good for a day."""
    builder = (
        _ocsp.OCSPResponseBuilder()
        .add_response(
            cert=x509.load_pem_x509_certificate(certificate),
            issuer=issuer.x509,
            # No signature, only how the certificate is looked up; the one hash that all clients know (RFC 5019 2.1.1).
            algorithm=hashes.SHA1(),
            cert_status=_ocsp.OCSPCertStatus.REVOKED if revoked else _ocsp.OCSPCertStatus.GOOD,
            this_update=now - SKEW,
            next_update=now + DAY,
            revocation_time=now - SKEW if revoked else None,
            revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
        )
        .responder_id(_ocsp.OCSPResponderEncoding.HASH, issuer.x509)
    )
    key = load_key(issuer.key)
    return builder.sign(key, _digest(key)).public_bytes(serialization.Encoding.DER)


def _digest(key: PrivateKey) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
