"""Makes the lab's certificates from plain descriptions: one root, the CSMS's two, the station's.

Knows what a proper OCPP 2.0.1 certificate looks like (Part 2, A00.FR.501-514) and how a key is put on disk.
Must not know who uses it: no sockets, no TLS, nothing of `fuzz`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tlslab.describe import SKEW, Description, KeyKind

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class LabError(Exception):
    """The lab's files cannot be read; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate with its key, in PEM; `chain` holds the certificates between it and its root."""

    certificate: bytes
    key: bytes
    chain: tuple[bytes, ...] = ()

    @property
    def presented(self) -> bytes:
        """What its owner shows in a handshake: the certificate, then the chain."""
        return b"".join((self.certificate, *self.chain))

    @property
    def x509(self) -> x509.Certificate:
        """The certificate, parsed."""
        return x509.load_pem_x509_certificate(self.certificate)


# --- issuing ----------------------------------------------------------------------------------------------


def issue(
    description: Description, *, now: datetime, issuer: Credential | None = None
) -> Credential:
    """A fresh key and its certificate, signed by `issuer`, or by itself when there is none."""
    key = _new_key(description.key)
    signer, parent = (key, None) if issuer is None else (_load_key(issuer.key), issuer.x509)
    subject = _subject(description)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent.subject if parent else subject)
        .public_key(key.public_key())
        .serial_number(description.serial_number or x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + description.validity)
    )
    for extension, critical in _extensions(description, key, parent):
        builder = builder.add_extension(extension, critical=critical)
    certificate = builder.sign(signer, hashes.SHA256())
    return Credential(
        certificate.public_bytes(serialization.Encoding.PEM),
        _pem(key),
        ()
        if issuer is None or _is_self_signed(issuer.x509)
        else (issuer.certificate, *issuer.chain),
    )


def _subject(description: Description) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, description.organization or ""),
            x509.NameAttribute(NameOID.COMMON_NAME, description.common_name or ""),
        ]
    )


def _extensions(
    description: Description, key: PrivateKey, parent: x509.Certificate | None
) -> list[tuple[x509.ExtensionType, bool]]:
    """The extensions, each with whether it is critical; key identifiers because strict verifiers ask for them."""
    public = key.public_key()
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=bool(description.is_ca), path_length=None), True),
        (_key_usage(description), True),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (_authority(parent, public), False),
    ]
    if description.names:
        found.append((x509.SubjectAlternativeName([_general(n) for n in description.names]), False))
    return found


def _key_usage(description: Description) -> x509.KeyUsage:
    # TLS_RSA suites encrypt to the certificate's key (RFC 5246 7.4.7.1); ECDHE only ever signs.
    leaf = not description.is_ca
    return x509.KeyUsage(
        digital_signature=leaf,
        content_commitment=False,
        key_encipherment=leaf and description.key is KeyKind.RSA_2048,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=bool(description.is_ca),
        crl_sign=bool(description.is_ca),
        encipher_only=False,
        decipher_only=False,
    )


def _authority(
    parent: x509.Certificate | None, own: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
) -> x509.AuthorityKeyIdentifier:
    if parent is None:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(own)
    identifier = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_address(name: str) -> bool:
    return isinstance(_general(name), x509.IPAddress)


def _is_self_signed(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer


def _new_key(kind: KeyKind) -> PrivateKey:
    if kind is KeyKind.RSA_2048:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _load_key(pem: bytes) -> PrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise LabError(f"the issuer's key is {type(key).__name__}; expected an EC or RSA key")
    return key


def _pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


# --- on disk ----------------------------------------------------------------------------------------------


def secure_write(path: Path, data: bytes) -> None:
    """The file holds `data`, readable by its owner only, and survives a power cut; readers never see half of it.

    A secret is written this way before it leaves us (design 2.7).
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """The folder's own entries are on disk: a rename is lost with the power otherwise."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Files:
    """Where one credential lies: the certificate with its chain, and the key."""

    certificate: Path
    key: Path

    def read(self) -> Credential:
        """The credential as it lies on disk. Raises `LabError` when a file is missing or broken."""
        try:
            certificates = x509.load_pem_x509_certificates(self.certificate.read_bytes())
            key = _pem(_load_key(self.key.read_bytes()))
        except (OSError, ValueError) as exc:
            raise LabError(f"cannot read {self.certificate}: {exc}; make the lab anew") from exc
        first, *chain = (c.public_bytes(serialization.Encoding.PEM) for c in certificates)
        return Credential(first, key, tuple(chain))

    def write(self, credential: Credential) -> None:
        """The credential is on disk, the key first."""
        secure_write(self.key, credential.key)
        secure_write(self.certificate, credential.presented)


@dataclass(frozen=True, slots=True)
class Lab:
    """The files of one lab: a root, the CSMS's ECDSA and RSA certificates, and one station's certificate.

    The CSMS needs both kinds to serve all four suites of A00.FR.318.
    """

    folder: Path

    @property
    def root(self) -> Files:
        """The root that issued all others; its certificate is what a peer must trust."""
        return self._files("root")

    @property
    def csms(self) -> Files:
        """The CSMS certificate with an EC key."""
        return self._files("csms-ecdsa")

    @property
    def csms_rsa(self) -> Files:
        """The CSMS certificate with an RSA key."""
        return self._files("csms-rsa")

    @property
    def station(self) -> Files:
        """The Charging Station certificate."""
        return self._files("station")

    def _files(self, name: str) -> Files:
        return Files(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    @property
    def credentials(self) -> tuple[Files, ...]:
        """All that a lab consists of."""
        return (self.root, self.csms, self.csms_rsa, self.station)

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        now: datetime,
        csms_names: Sequence[str] = ("localhost",),
        serial: str = "OCPPFUZZ0001",
        station_key: KeyKind = KeyKind.EC_P256,
        validity: timedelta = timedelta(days=365),
    ) -> Lab:
        """A new lab in `folder` (0700), over whatever lay there.

        The first of `csms_names` becomes the commonName, which must be the name that the station dials
        (A00.FR.510). A single host name stays without subjectAltName, as A00.FR.511 prefers; several names or an
        address need one. Some TLS stacks read subjectAltName only: give such a station's CSMS two names.
        `serial` is the station's commonName (A00.FR.511). `validity` holds for all but the root.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        lab = cls(folder)
        root = issue(
            Description("ocppfuzz lab root", is_ca=True, validity=timedelta(days=3650)), now=now
        )
        names = tuple(csms_names)
        sans = names if len(names) > 1 or _is_address(names[0]) else ()
        csms = Description(names[0], names=sans, validity=validity)
        rsa_csms = Description(names[0], names=sans, validity=validity, key=KeyKind.RSA_2048)
        lab.root.write(root)
        lab.csms.write(issue(csms, now=now, issuer=root))
        lab.csms_rsa.write(issue(rsa_csms, now=now, issuer=root))
        station = Description(serial, validity=validity, key=station_key)
        lab.station.write(issue(station, now=now, issuer=root))
        return lab

    @classmethod
    def load(cls, folder: Path) -> Lab:
        """The lab that lies in `folder`. Raises `LabError` when it is incomplete."""
        lab = cls(folder)
        for files in lab.credentials:
            files.read()
        return lab

    def valid_at(self, moment: datetime) -> bool:
        """True when no certificate of the lab is expired or not yet valid at `moment`."""
        return all(
            c.not_valid_before_utc <= moment <= c.not_valid_after_utc
            for c in (files.read().x509 for files in self.credentials)
        )
