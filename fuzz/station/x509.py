"""Whether a certificate is what OCPP 2.0.1 asks for (Part 2, A00.FR.501-514, A02.FR.06, M05.FR.07): pure checks.

Knows X.509; no clock, no message, no file. A check gives "" when all is well and the reason otherwise; nothing a peer
sends as a certificate makes one raise anything but `BadCertificate`.
"""

from __future__ import annotations

import ipaddress
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeAlias, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier

from strategies.labels import JsonObject

Certificate: TypeAlias = x509.Certificate
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

MAX_CHAIN = 10
"""Longest chain that is looked at; RFC 5280 sets no limit, a peer must not set one either."""

_MIN_RSA_BITS = 2048  # A00.FR.502
_MIN_EC_BITS = 224  # A00.FR.503
_STRONG = ("sha256", "sha384", "sha512")  # A00.FR.504, FR.506
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
HASH_ALGORITHMS = tuple(_HASHES)
"""HashAlgorithmEnumType."""

_BROKEN = (
    ValueError,
    TypeError,
    OverflowError,
    NotImplementedError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
)
_UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
}
_CLIENT_USES = frozenset(
    {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
)
_LABEL = re.compile(r"-----BEGIN ([^-]*)-----")
_LOOKS_LIKE_A_NAME = re.compile(r".*://.*|.+\.[A-Za-z]{2,}")


class BadCertificate(Exception):
    """The text or the bytes are no certificate, or one that cannot be understood; holds no byte of them."""


@contextmanager
def reading() -> Iterator[None]:
    """Whatever the library raises at a hostile certificate becomes BadCertificate."""
    # The library parses late, so that any look at a hostile certificate may be the one that fails; it also warns of
    # what it will not read some day, which is nothing that the station's log is for.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except _BROKEN as error:
        raise BadCertificate(f"unreadable: {type(error).__name__}") from None


# --- reading ----------------------------------------------------------------------------------------------


def load_chain(pem: str) -> tuple[Certificate, ...]:
    """The certificates of a PEM text, in its order. Raises BadCertificate when there is none or one is broken."""
    if any(label != "CERTIFICATE" for label in _LABEL.findall(pem)):
        raise BadCertificate("something else than certificates")
    chain = load_bundle(pem)
    if len(chain) > MAX_CHAIN:
        raise BadCertificate("too many certificates")
    return chain


def load_bundle(pem: str) -> tuple[Certificate, ...]:
    """The certificates of an operator's file, however many. Raises BadCertificate when there is none."""
    with reading():
        return tuple(x509.load_pem_x509_certificates(pem.encode()))


def load_der(chain: Sequence[bytes]) -> tuple[Certificate, ...]:
    """The certificates of a handshake, leaf first. Raises BadCertificate when one is broken."""
    with reading():
        return tuple(x509.load_der_x509_certificate(der) for der in chain)


def to_pem(certificate: Certificate) -> str:
    """The certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


# --- single checks ----------------------------------------------------------------------------------------


def why_weak_key(certificate: Certificate) -> str:
    """Why the key is too weak (A00.FR.501 to FR.503); "" when it is strong enough."""
    with reading():
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            strong = key.key_size >= _MIN_RSA_BITS
        elif isinstance(key, ec.EllipticCurvePublicKey):
            strong = key.key_size >= _MIN_EC_BITS
        else:
            return "the key is neither RSA nor EC"
    return "" if strong else "the key is too short"


def why_weak_hash(certificate: Certificate) -> str:
    """Why the signature is too weak (A00.FR.504, FR.506); "" when it is strong enough."""
    with reading():
        algorithm = certificate.signature_hash_algorithm
    strong = algorithm is not None and algorithm.name in _STRONG
    return "" if strong else "the signature is made with a weak hash"


def why_weak(certificate: Certificate) -> str:
    """Why the key or the signature is too weak (A00.FR.501 to FR.506); "" when it is strong enough."""
    return why_weak_key(certificate) or why_weak_hash(certificate)


def why_not_now(certificate: Certificate, now: datetime) -> str:
    """Why the certificate is not valid at `now`; "" when it is."""
    with reading():
        if now > certificate.not_valid_after_utc:
            return "expired"
        return "not yet valid" if now < certificate.not_valid_before_utc else ""


def is_ca(certificate: Certificate) -> bool:
    """Whether the certificate may sign others: basicConstraints, and keyUsage if there is one (RFC 5280 6.1.4)."""
    with reading():
        basic = extension_of(certificate, x509.BasicConstraints)
        usage = extension_of(certificate, x509.KeyUsage)
        return basic is not None and basic.ca and (usage is None or usage.key_cert_sign)


def is_signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether `issuer` is named as issuer and made the signature."""
    with reading():
        try:
            certificate.verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True


def names_of(certificate: Certificate, oid: ObjectIdentifier) -> list[str]:
    """The values of one kind of attribute in the subject."""
    with reading():
        return [str(name.value) for name in certificate.subject.get_attributes_for_oid(oid)]


def key_fits(certificate: Certificate, key_pem: str) -> bool:
    """Whether the certificate is for this private key."""
    with reading():
        return certificate.public_key() == load_key(key_pem).public_key()


# --- whole checks -----------------------------------------------------------------------------------------


def why_no_root(certificate: Certificate, now: datetime) -> str:
    """Why the certificate cannot be installed as a root (M05.FR.07); "" when it can."""
    if reason := why_not_now(certificate, now) or why_weak(certificate):
        return reason
    with reading():
        nameable = 0 < certificate.serial_number < 1 << 160  # CertificateHashDataType
    if not is_ca(certificate) or not nameable:
        return "not a CA" if nameable else "no proper serial number"
    return _unknown_extension(certificate)


def why_no_path(chain: Sequence[Certificate], roots: Sequence[Certificate], now: datetime) -> str:
    """Why the chain, leaf first, does not lead to one of the roots (RFC 5280 section 6.1); "" when it does.

    The leaf's own validity is judged by whoever asks; names and policies are not part of OCPP's hierarchies.
    """
    if reason := _unknown_extension(chain[0]):
        return reason
    for depth, issuer in enumerate(chain[1:]):
        if not is_signed_by(chain[depth], issuer):
            return "the chain is not in order"
        if reason := _why_no_issuer(issuer, depth, now):
            return reason
    last = chain[-1]
    if any(last == root for root in roots):
        return why_not_now(last, now)
    below = len(chain) - 1
    for root in roots:
        if is_signed_by(last, root) and not _why_no_issuer(root, below, now):
            return ""
    return "no installed root signed it"


def _why_no_issuer(issuer: Certificate, below: int, now: datetime) -> str:
    if not is_ca(issuer):
        return "a certificate of the chain is no CA"
    with reading():
        basic = extension_of(issuer, x509.BasicConstraints)
        length = None if basic is None else basic.path_length
    if length is not None and below > length:
        return "the chain is longer than a CA allows"
    return why_not_now(issuer, now) or why_weak(issuer) or _unknown_extension(issuer)


def understands(certificate: Certificate, *, also: Collection[ObjectIdentifier] = ()) -> bool:
    """Whether every critical extension is one that is looked at here, or by whoever asks."""
    with reading():
        critical = [one.oid for one in certificate.extensions if one.critical]
    return all(oid in _UNDERSTOOD or oid in also for oid in critical)


def _unknown_extension(certificate: Certificate) -> str:
    return "" if understands(certificate) else "a critical extension is not understood"


def why_not_own(leaf: Certificate, *, organization: str, serial: str) -> str:
    """Why the leaf cannot be this station's certificate (A00.FR.508 to FR.511); "" when it can."""
    with reading():
        if leaf.serial_number <= 0:
            return "no serial number"
    if organization not in names_of(leaf, NameOID.ORGANIZATION_NAME):
        return "another organizationName"
    if names_of(leaf, NameOID.COMMON_NAME) != [serial]:
        return "another commonName"
    if _is_address(serial) or _LOOKS_LIKE_A_NAME.fullmatch(serial):
        return "a commonName in URL or IP format"
    if _claims_ca(leaf):
        return "a CA certificate"
    return "" if _is_for_a_client(leaf) else "not for a TLS client"


def _is_for_a_client(leaf: Certificate) -> bool:
    """Whether it may sign a handshake (RFC 5246 section 7.4.8); no use named is any (A00.FR.512, FR.514)."""
    usage, uses = extension_of(leaf, x509.KeyUsage), extension_of(leaf, x509.ExtendedKeyUsage)
    signs = usage is None or usage.digital_signature
    return signs and (uses is None or not _CLIENT_USES.isdisjoint(uses))


def _claims_ca(leaf: Certificate) -> bool:
    with reading():
        basic = extension_of(leaf, x509.BasicConstraints)
        usage = extension_of(leaf, x509.KeyUsage)
    return (basic is not None and basic.ca) or (usage is not None and usage.key_cert_sign)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def extension_of(certificate: Certificate, kind: type[_Extension]) -> _Extension | None:
    """The extension of this kind, None when there is none. Raises BadCertificate."""
    with reading():
        try:
            return certificate.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None


# --- making and naming ------------------------------------------------------------------------------------


def hash_data(certificate: Certificate, issuer: Certificate, algorithm: str) -> JsonObject:
    """What OCPP calls a certificate by, CertificateHashDataType: the names of RFC 6960 section 4.1.1 in hex."""
    with reading():
        builder = ocsp.OCSPRequestBuilder()
        request = builder.add_certificate(certificate, issuer, _HASHES[algorithm]()).build()
        return {
            "hashAlgorithm": algorithm,
            "issuerNameHash": request.issuer_name_hash.hex(),
            "issuerKeyHash": request.issuer_key_hash.hex(),
            "serialNumber": f"{certificate.serial_number:x}",
        }


def new_key(*, elliptic: bool) -> str:
    """A new private key as PEM: ECDSA P-256 or RSA-2048."""
    key: PrivateKey = (
        ec.generate_private_key(ec.SECP256R1())
        if elliptic
        else rsa.generate_private_key(public_exponent=65537, key_size=_MIN_RSA_BITS)
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def load_key(pem: str) -> PrivateKey:
    """The private key of a PEM text. Raises BadCertificate for anything but an RSA or EC key."""
    with reading():
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise BadCertificate("neither an RSA nor an EC key")
    return key


def signing_request(key_pem: str, *, organization: str, serial: str) -> str:
    """A PKCS#10 request, PEM, for a certificate as A00.FR.509 and FR.511 want it (A02.FR.03)."""
    with reading():
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
                x509.NameAttribute(NameOID.COMMON_NAME, serial),
            ]
        )
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        request = builder.sign(load_key(key_pem), hashes.SHA256())
        return request.public_bytes(serialization.Encoding.PEM).decode()
