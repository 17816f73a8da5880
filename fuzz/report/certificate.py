"""A certificate in words, for `ocppfuzz pki show`: what a station or CSMS would look at.

Knows X.509; must not judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fuzz.errors import UsageError
from fuzz.report.safe import safe


def certificate_facts(path: Path) -> list[tuple[str, str]]:
    """The facts of every certificate in a PEM file, in order. Raises `UsageError` when there is none."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; check the path") from None
    except ValueError:
        raise UsageError(f"{path} holds no PEM certificate; give a certificate or chain") from None
    return [fact for certificate in found for fact in _facts(certificate)]


def _facts(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    yield "subject", safe(certificate.subject.rfc4514_string())
    yield "issuer", safe(certificate.issuer.rfc4514_string())
    yield "serial number", f"{certificate.serial_number:x}"
    yield "valid from", f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC"
    yield "valid until", f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC"
    yield "key", _key(certificate)
    yield "signature", certificate.signature_algorithm_oid._name
    for extension in certificate.extensions:
        critical = ", critical" if extension.critical else ""
        yield f"{extension.oid._name}{critical}", _extension(extension.value)
    yield "SHA-256", certificate.fingerprint(hashes.SHA256()).hex()


def _key(certificate: x509.Certificate) -> str:
    match certificate.public_key():
        case ec.EllipticCurvePublicKey() as key:
            return f"EC {key.curve.name}"
        case rsa.RSAPublicKey() as key:
            return f"RSA {key.key_size} bit"
        case key:
            return type(key).__name__


def _extension(value: x509.ExtensionType) -> str:
    match value:
        case x509.BasicConstraints():
            return "CA" if value.ca else "no CA"
        case x509.SubjectAlternativeName():
            return ", ".join(safe(str(name.value), 100) for name in value)
        case x509.ExtendedKeyUsage():
            return ", ".join(usage._name for usage in value)
        case x509.KeyUsage():
            return ", ".join(_usages(value))
        case x509.SubjectKeyIdentifier():
            return value.digest.hex()
        case x509.AuthorityKeyIdentifier():
            return (value.key_identifier or b"").hex()
        case _:
            return safe(str(value), 200)


def _usages(usage: x509.KeyUsage) -> Iterator[str]:
    for name in (
        "digital_signature",
        "key_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
    ):
        if getattr(usage, name):
            yield name.replace("_", " ")
