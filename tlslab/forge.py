"""Builds the DER of a certificate from its description, however wrong that is (RFC 5280 section 4.1).

`cryptography` encodes most extensions and signs, but its builder refuses much of what a lab is for: MD5, an end before
the beginning, odd serial numbers and names. A proper description gives byte for byte what that builder would give.
Must not know chains, files or who trusts whom.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from tlslab import der
from tlslab.describe import Description, Digest, Usage
from tlslab.keys import PrivateKey, PublicKey, sign

COMMON_NAME, ORGANIZATION = "2.5.4.3", "2.5.4.10"
SUBJECT_ALT_NAME = "2.5.29.17"
UNKNOWN = "1.3.6.1.3.20201"
"""An extension that nobody knows, under the arc for experiments (RFC 1155)."""

PADDING_SIZE = 200

_RSA: Mapping[Digest, str] = {
    Digest.MD5: "1.2.840.113549.1.1.4",
    Digest.SHA1: "1.2.840.113549.1.1.5",
    Digest.SHA256: "1.2.840.113549.1.1.11",
    Digest.SHA384: "1.2.840.113549.1.1.12",
}
_ECDSA: Mapping[Digest, str] = {
    Digest.SHA1: "1.2.840.10045.4.1",
    Digest.SHA256: "1.2.840.10045.4.3.2",
    Digest.SHA384: "1.2.840.10045.4.3.3",
}
_ED25519 = "1.3.101.112"

_PURPOSES: Mapping[str, x509.ObjectIdentifier] = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING,
    "anyExtendedKeyUsage": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}


class Undescribable(ValueError):
    """There is no such certificate; the text says why."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: the name and key identifier that a certificate says, and the key, which need not belong to them."""

    name: bytes
    identifier: bytes
    key: PrivateKey


def certificate(
    description: Description,
    public: PublicKey,
    *,
    by: Signer,
    now: datetime,
    issues: bool,
    name: bytes | None = None,
    identifier: bytes | None = None,
) -> bytes:
    """The DER of this certificate for this key.

    Args:
        description: what it says.
        public: whose key it is.
        by: who signs it.
        now: the moment from which its times count.
        issues: whether others will hang under it, which decides what its keyUsage needs.
        name: the DER of a subject that takes the described one's place.
        identifier: a subjectKeyIdentifier other than the key's own.

    Raises:
        Undescribable: the signer's kind of key knows no signature with that digest.
    """
    algorithm = _algorithm(by.key, description.digest)
    tbs = der.tlv(
        der.SEQUENCE,
        der.tlv(0xA0, der.integer(2)),
        der.integer(_serial_number(description)),
        algorithm,
        by.name,
        _validity(description, now),
        subject(description) if name is None else name,
        _public_info(public),
        _extensions(description, public, by, identifier or key_identifier(public), issues=issues),
    )
    signature = sign(by.key, tbs, description.digest)
    if description.broken:
        # The last byte belongs to a number in RSA, ECDSA and Ed25519 alike, so that it stays well-formed.
        signature = signature[:-1] + bytes((signature[-1] ^ 1,))
    return der.tlv(der.SEQUENCE, tbs, algorithm, der.bit_string(signature))


def subject(description: Description) -> bytes:
    """The DER of the described name; a field that is None is not there."""
    fields = ((ORGANIZATION, description.organization), (COMMON_NAME, description.common_name))
    return der.tlv(
        der.SEQUENCE, *(_attribute(kind, text) for kind, text in fields if text is not None)
    )


def subject_of(certificate: bytes) -> bytes:
    """The DER of the subject of a DER certificate, as it stands there."""
    return _fields(certificate)[4]


def issuer_of(certificate: bytes) -> bytes:
    """The DER of the issuer's name in a DER certificate, as it stands there."""
    return _fields(certificate)[2]


def key_of(certificate: bytes) -> bytes:
    """The DER of the SubjectPublicKeyInfo of a DER certificate."""
    return _fields(certificate)[5]


def _fields(certificate: bytes) -> list[bytes]:
    """The fields of a certificate from its serial number on; the oldest kind names no version before it."""
    fields = der.inside(der.inside(certificate)[0])
    return fields[1:] if fields[0][0] == 0xA0 else fields


def key_identifier(public: PublicKey) -> bytes:
    """The usual identifier of this key (RFC 5280 section 4.2.1.2, method 1)."""
    return x509.SubjectKeyIdentifier.from_public_key(public).digest


def _attribute(kind: str, text: str) -> bytes:
    value = der.tlv(der.UTF8, text.encode("utf-8"))
    return der.tlv(der.SET, der.tlv(der.SEQUENCE, der.oid(kind), value))


def _serial_number(description: Description) -> int:
    if description.serial_number is None:
        return x509.random_serial_number()
    return description.serial_number


def _algorithm(key: PrivateKey, digest: Digest) -> bytes:
    match key:
        case rsa.RSAPrivateKey():
            return der.tlv(der.SEQUENCE, der.oid(_RSA[digest]), der.tlv(der.NULL))
        case ec.EllipticCurvePrivateKey():
            if digest not in _ECDSA:
                raise Undescribable(f"ECDSA has no signature with {digest}; let an RSA CA sign")
            return der.tlv(der.SEQUENCE, der.oid(_ECDSA[digest]))
        case _:
            return der.tlv(der.SEQUENCE, der.oid(_ED25519))


def _validity(description: Description, now: datetime) -> bytes:
    ends = (_moment(now, description.begins), _moment(now, description.validity))
    return der.tlv(der.SEQUENCE, *ends)


def _moment(now: datetime, span: timedelta) -> bytes:
    return der.moment(now + span)


def _public_info(public: PublicKey) -> bytes:
    return public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


# --- extensions -------------------------------------------------------------------------------------------


def _extensions(
    description: Description, public: PublicKey, by: Signer, identifier: bytes, *, issues: bool
) -> bytes:
    """The extensions, with the key identifiers that strict verifiers ask for."""
    known = (
        _basic_constraints(description),
        _key_usage(description, public, issues=issues),
        (x509.SubjectKeyIdentifier(identifier), False),
        (x509.AuthorityKeyIdentifier(by.identifier, None, None), False),
        _extended_key_usage(description),
        _name_constraints(description),
        _crl(description),
        _ocsp(description),
    )
    found = [
        _extension(e[0].oid.dotted_string, e[0].public_bytes(), critical=e[1]) for e in known if e
    ]
    if names := _names(description):
        value = der.tlv(der.SEQUENCE, *map(_general_name, names))
        found.append(_extension(SUBJECT_ALT_NAME, value, critical=False))
    if description.unknown_critical:
        found.append(_extension(UNKNOWN, der.tlv(der.NULL), critical=True))
    return der.tlv(0xA3, der.tlv(der.SEQUENCE, *found))


def _extension(kind: str, value: bytes, *, critical: bool) -> bytes:
    flag = der.tlv(der.BOOLEAN, b"\xff") if critical else b""
    return der.tlv(der.SEQUENCE, der.oid(kind), flag, der.tlv(der.OCTET_STRING, value))


def _basic_constraints(description: Description) -> tuple[x509.ExtensionType, bool] | None:
    if description.is_ca is None:
        return None
    length = description.path_length if description.is_ca else None
    return x509.BasicConstraints(ca=description.is_ca, path_length=length), True


def _key_usage(
    description: Description, public: PublicKey, *, issues: bool
) -> tuple[x509.ExtensionType, bool] | None:
    is_rsa = isinstance(public, rsa.RSAPublicKey)
    match description.usage:
        case Usage.ABSENT:
            return None
        case Usage.CERT_SIGN_ONLY:
            bits = {"key_cert_sign"}
        case Usage.NO_CERT_SIGN:
            bits = {"crl_sign"}
        case Usage.NO_SIGNATURE:
            bits = {"key_encipherment" if is_rsa else "key_agreement"}
        case Usage.NO_ENCIPHERMENT:
            bits = {"digital_signature"}
        case Usage.PROPER if issues:
            bits = {"key_cert_sign", "crl_sign"}
        case Usage.PROPER:
            # TLS_RSA suites encrypt to the certificate's key (RFC 5246 7.4.7.1); ECDHE only ever signs.
            bits = {"digital_signature", "key_encipherment"} if is_rsa else {"digital_signature"}
    return _usage(bits), True


def _usage(bits: set[str]) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature="digital_signature" in bits,
        content_commitment=False,
        key_encipherment="key_encipherment" in bits,
        data_encipherment=False,
        key_agreement="key_agreement" in bits,
        key_cert_sign="key_cert_sign" in bits,
        crl_sign="crl_sign" in bits,
        encipher_only=False,
        decipher_only=False,
    )


def _extended_key_usage(description: Description) -> tuple[x509.ExtensionType, bool] | None:
    if not description.extended:
        return None
    purposes = [_PURPOSES.get(p) or x509.ObjectIdentifier(p) for p in description.extended]
    return x509.ExtendedKeyUsage(purposes), False


def _name_constraints(description: Description) -> tuple[x509.ExtensionType, bool] | None:
    permitted = [x509.DNSName(name) for name in description.permitted] or None
    excluded = [x509.DNSName(name) for name in description.excluded] or None
    if permitted is None and excluded is None:
        return None
    return x509.NameConstraints(permitted, excluded), True


def _crl(description: Description) -> tuple[x509.ExtensionType, bool] | None:
    if not description.crl:
        return None
    address = [x509.UniformResourceIdentifier(description.crl)]
    point = x509.DistributionPoint(address, None, None, None)
    return x509.CRLDistributionPoints([point]), False


def _ocsp(description: Description) -> tuple[x509.ExtensionType, bool] | None:
    if not description.ocsp:
        return None
    address = x509.UniformResourceIdentifier(description.ocsp)
    access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, address)
    return x509.AuthorityInformationAccess([access]), False


def _names(description: Description) -> tuple[str, ...]:
    """All names of subjectAltName; padding alone would take the commonName's place (RFC 2818), so it comes along."""
    names = description.names
    if description.padding and not names and description.common_name:
        names = (description.common_name,)
    return (*names, *(_pad(number) for number in range(description.padding)))


def _pad(number: int) -> str:
    labels = f"pad-{number:06}." + f"{'x' * 60}." * 3
    return f"{labels[:-1]}.invalid"[:PADDING_SIZE].ljust(PADDING_SIZE, "x")


def _general_name(name: str) -> bytes:
    try:
        return der.tlv(0x87, ipaddress.ip_address(name).packed)
    except ValueError:
        return der.tlv(0x82, name.encode("utf-8"))
