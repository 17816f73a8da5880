"""Certificates that a test hands to the station or shows it, good and bad ones.

Knows X.509 and the hash data of OCPP (M04). Must not know a test, nor a connection.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from fuzz.transport.contexts import KeyPair
from strategies.labels import JsonObject
from tlslab.describe import USUAL_KEYS, Description, KeyKind
from tlslab.pki import Credential, Files, issue

MIN_RSA_BITS, MIN_EC_BITS = 2048, 224
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}


def new_root(name: str, now: datetime, signed_by: Credential | None = None) -> Credential:
    """A root of its own, or one that another root vouches for (M05.FR.10)."""
    years = timedelta(days=3650)
    return issue(Description(name, is_ca=True, validity=years), now=now, issuer=signed_by)


def expired_root(name: str, now: datetime) -> Credential:
    """A root whose time is over since a day."""
    began = now - timedelta(days=30)
    return issue(Description(name, is_ca=True, validity=timedelta(days=29)), now=began)


def server_pairs(
    folder: Path,
    issuer: Credential,
    now: datetime,
    *,
    name: str = "localhost",
    file: str = "server",
) -> tuple[KeyPair, ...]:
    """CSMS certificates for `name` on disk, one of each kind of key; `now` moves their validity of ten days."""
    return tuple(_server_pair(folder / f"{file}-{k}", issuer, now, name, k) for k in USUAL_KEYS)


def _server_pair(
    path: Path, issuer: Credential, now: datetime, name: str, kind: KeyKind
) -> KeyPair:
    files = Files(path.with_suffix(".pem"), path.with_suffix(".key"))
    description = Description(name, validity=timedelta(days=10), key=kind)
    files.write(issue(description, now=now, issuer=issuer))
    return files.certificate, files.key


def pem(credential: Credential) -> str:
    """The certificate as OCPP carries it."""
    return credential.certificate.decode()


def hash_data(certificate: x509.Certificate, issuer: x509.Certificate, name: str) -> JsonObject:
    """The CertificateHashDataType of a certificate with this hashAlgorithm; a root is its own issuer."""
    algorithm = _HASHES[name]
    key = issuer.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {
        "hashAlgorithm": name,
        "issuerNameHash": _digest(algorithm, certificate.issuer.public_bytes()),
        "issuerKeyHash": _digest(algorithm, _bit_string(key)),
        "serialNumber": f"{certificate.serial_number:x}",
    }


def same_certificate(
    listed: JsonObject, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    """Whether listed hash data is that of a certificate; hexadecimal digits may be upper or lower case."""
    name = listed.get("hashAlgorithm")
    if not isinstance(name, str) or name not in _HASHES:
        return False
    wanted = hash_data(certificate, issuer, name)
    return all(str(listed.get(k)).lower() == str(v).lower() for k, v in wanted.items())


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> str:
    made = hashes.Hash(algorithm)
    made.update(data)
    return made.finalize().hex()


def _bit_string(public_key: bytes) -> bytes:
    """The value of subjectPublicKey, without tag, length and unused bits (RFC 6960 section 4.1.1)."""
    content = _content(public_key)
    algorithm_length = len(content) - len(_after_first(content))
    return _content(content[algorithm_length:])[1:]


def _content(der: bytes) -> bytes:
    start, length = _header(der)
    return der[start : start + length]


def _after_first(der: bytes) -> bytes:
    start, length = _header(der)
    return der[start + length :]


def _header(der: bytes) -> tuple[int, int]:
    """Where the content of the first DER element starts, and its length."""
    if der[1] < 0x80:
        return 2, der[1]
    size = der[1] & 0x7F
    return 2 + size, int.from_bytes(der[2 : 2 + size], "big")


# --- the station's own certificate ------------------------------------------------------------------------


def read_csr(text: str) -> x509.CertificateSigningRequest | None:
    """A certificate signing request, None when it is none that verifies."""
    try:
        request = x509.load_pem_x509_csr(text.encode())
    except ValueError:
        return None
    return request if request.is_signature_valid else None


def strong_key(bearer: x509.CertificateSigningRequest | x509.Certificate) -> bool:
    """Whether the key has the length that A00.FR.502 and 503 ask for."""
    key = bearer.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= MIN_RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= MIN_EC_BITS


def common_name(bearer: x509.CertificateSigningRequest | x509.Certificate) -> str:
    """The commonName of the subject, "" when there is not exactly one."""
    names = bearer.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def organization(bearer: x509.CertificateSigningRequest | x509.Certificate) -> str:
    """The organizationName of the subject, "" when there is not exactly one."""
    names = bearer.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def sign(request: x509.CertificateSigningRequest, issuer: Credential, now: datetime) -> str:
    """The chain that answers a request: the station's certificate, below `issuer`, as one PEM text."""
    key = serialization.load_pem_private_key(issuer.key, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError("the issuer's key cannot sign")
    parent = issuer.x509
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(parent.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=300))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_leaf_usage(), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(request.public_key()), critical=False
        )
        .add_extension(_parent_key(parent), critical=False)
    )
    made = builder.sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _parent_key(parent: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _leaf_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
