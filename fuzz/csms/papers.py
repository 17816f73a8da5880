"""Whether a certificate or a request for one is what OCPP 2.0.1 asks of a station (A00.FR.403-405, FR.501-511, A02).

Knows X.509; no clock, no message, no file. The path to the root is verified by TLS; here is what TLS leaves out. A
check gives "" when all is well and the reason otherwise; nothing a peer sends makes one raise.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

Certificate: TypeAlias = x509.Certificate
Request: TypeAlias = x509.CertificateSigningRequest
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_P = ParamSpec("_P")

UNREADABLE = "unreadable"
OF_SERVER = "a certificate of a server"
MAX_CSR = 5500
"""Longest request that SignCertificate carries, in characters."""

MAX_CHAIN = 10
_MIN_RSA_BITS = 2048  # A00.FR.502
_MIN_EC_BITS = 224  # A00.FR.503
_STRONG = ("sha256", "sha384", "sha512")  # A00.FR.504, FR.506
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


def _reading(check: Callable[_P, str]) -> Callable[_P, str]:
    """A check that gives a reason, too, where the library fails: it parses late, at any look."""

    @wraps(check)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return check(*args, **kwargs)
        except _BROKEN:
            return UNREADABLE

    return checked


# --- the certificate of a station -------------------------------------------------------------------------


def load(der: bytes) -> Certificate | None:
    """The certificate; None when it is none."""
    try:
        return x509.load_der_x509_certificate(der)
    except _BROKEN:
        return None


def fingerprint(der: bytes) -> str:
    """What tells one certificate from all others."""
    return hashlib.sha256(der).hexdigest()


def key_of(holder: Certificate | Request) -> str:
    """What tells one public key from all others; "" when it cannot be read."""
    try:
        spki = holder.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except _BROKEN:
        return ""
    return hashlib.sha256(spki).hexdigest()


def serial_number(certificate: Certificate) -> str:
    """The serial number in lower-case hex, as an operator writes it."""
    return f"{certificate.serial_number:x}"


def common_names(certificate: Certificate) -> list[str]:
    """Every commonName of the subject; empty when it cannot be read."""
    return _names(certificate.subject, NameOID.COMMON_NAME)


def alternative_names(certificate: Certificate) -> list[str]:
    """Every dNSName of subjectAltName; a station is never known by one."""
    try:
        found = _extension(certificate, x509.SubjectAlternativeName)
        return [] if found is None else found.get_values_for_type(x509.DNSName)
    except _BROKEN:
        return []


@_reading
def why_not_organization(certificate: Certificate, organizations: Collection[str]) -> str:
    """Why the owner is none that is trusted here (A00.FR.404); "" when it is."""
    shown = _names(certificate.subject, NameOID.ORGANIZATION_NAME)
    return "" if set(shown) & set(organizations) else "another organizationName"


@_reading
def why_weak(certificate: Certificate) -> str:
    """Why the key or the signature is too weak (A00.FR.501 to FR.506); "" when it is strong enough."""
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name not in _STRONG:
        return "the signature is made with a weak hash"
    return _why_weak_key(certificate.public_key())


@_reading
def why_not_client(certificate: Certificate) -> str:
    """Why the certificate is for something else than for a station (A00.FR.511); "" when it is not."""
    basic = _extension(certificate, x509.BasicConstraints)
    if basic is not None and basic.ca:
        return "a CA certificate"
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        return "not for signing a handshake"
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    return "" if extended is None or _CLIENT & set(extended) else OF_SERVER


_CLIENT = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


@_reading
def why_not_now(certificate: Certificate, now: datetime) -> str:
    """Why the certificate is not valid at `now`; "" when it is."""
    if now < certificate.not_valid_before_utc:
        return "not yet valid"
    return EXPIRED if now > certificate.not_valid_after_utc else ""


EXPIRED = "expired"


def path_of(chain: Sequence[bytes]) -> list[Certificate]:
    """The certificates that lead upwards from the first one; strangers among them are left out."""
    known = [found for found in map(load, chain[:MAX_CHAIN]) if found is not None]
    path = known[:1]
    for certificate in known[1:]:
        try:
            linked = path[-1].issuer == certificate.subject
        except _BROKEN:
            linked = False
        if linked:
            path.append(certificate)
    return path


# --- a request for one ------------------------------------------------------------------------------------


def load_request(pem: str) -> Request | None:
    """The PKCS#10 request of a PEM text (A02.FR.03); None when there is none in it, or more than that."""
    text = pem.strip()
    whole = text.startswith("-----BEGIN") and text.count("-----BEGIN") == 1
    if len(pem) > MAX_CSR or not whole:
        return None
    try:
        return x509.load_pem_x509_csr(text.encode())
    except _BROKEN:
        return None


def why_not_request(pem: str, serial: str, organizations: Collection[str]) -> str:
    """Why no certificate can be made of the request (A02.FR.12); "" when one can."""
    request = load_request(pem)
    if request is None:
        return "no PKCS#10 request in PEM"
    return _why_not(request, serial, organizations)


@_reading
def _why_not(request: Request, serial: str, organizations: Collection[str]) -> str:
    if reason := _why_weak_key(request.public_key()):
        return reason
    if not request.is_signature_valid:
        return "its signature is not made with its key"
    algorithm = request.signature_hash_algorithm
    if algorithm is None or algorithm.name not in _STRONG:
        return "the signature is made with a weak hash"
    if _names(request.subject, NameOID.COMMON_NAME) != [serial]:
        return "another commonName"
    shown = _names(request.subject, NameOID.ORGANIZATION_NAME)
    return "" if len(shown) == 1 and shown[0] in organizations else "another organizationName"


def request_names(request: Request) -> list[str]:
    """Every commonName that a request asks for."""
    return _names(request.subject, NameOID.COMMON_NAME)


def extensions_asked(pem: str) -> tuple[bool, tuple[str, ...]]:
    """Whether a request asks to be a CA, and for which dNSNames; a healthy CA heeds neither."""
    request = load_request(pem)
    try:
        found = [] if request is None else list(request.extensions)
    except _BROKEN:
        found = []
    values = [extension.value for extension in found]
    is_ca = any(isinstance(value, x509.BasicConstraints) and value.ca for value in values)
    names = [value for value in values if isinstance(value, x509.SubjectAlternativeName)]
    return is_ca, tuple(name for value in names for name in value.get_values_for_type(x509.DNSName))


def organization_of(pem: str) -> str:
    """The organizationName that a request asks for, "" when it asks for none."""
    request = load_request(pem)
    names = [] if request is None else _names(request.subject, NameOID.ORGANIZATION_NAME)
    return names[0] if names else ""


# --- pieces -----------------------------------------------------------------------------------------------


def _why_weak_key(key: object) -> str:
    match key:
        case rsa.RSAPublicKey():
            strong = key.key_size >= _MIN_RSA_BITS
        case ec.EllipticCurvePublicKey():
            strong = key.key_size >= _MIN_EC_BITS
        case _:
            return "the key is neither RSA nor EC"
    return "" if strong else "the key is too short"


def _names(name: x509.Name, oid: ObjectIdentifier) -> list[str]:
    try:
        return [str(found.value) for found in name.get_attributes_for_oid(oid)]
    except _BROKEN:
        return []


def _extension(certificate: Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def first_fingerprint(pem: str) -> str:
    """The fingerprint of the first certificate of a PEM text; "" when there is none."""
    try:
        first = x509.load_pem_x509_certificates(pem.encode())[0]
    except (*_BROKEN, IndexError):
        return ""
    return fingerprint(first.public_bytes(serialization.Encoding.DER))
