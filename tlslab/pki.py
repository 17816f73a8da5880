"""Makes the lab's certificates from plain descriptions: one root, the CSMS's two, the station's.

Knows what a proper OCPP 2.0.1 certificate looks like (Part 2, A00.FR.501-514) and how a key is put on disk.
Must not know who uses it: no sockets, no TLS, nothing of `fuzz`.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import os
import secrets
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tlslab import forge
from tlslab.describe import OWNER, Description, KeyKind
from tlslab.keys import PrivateKey, PublicKey, new_key, pem_of


class LabError(Exception):
    """The lab's files cannot be read; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate with its key, in PEM; `chain` holds the certificates between it and its root."""

    certificate: bytes
    key: bytes = field(repr=False)
    chain: tuple[bytes, ...] = ()

    @property
    def presented(self) -> bytes:
        """What its owner shows in a handshake: the certificate, then the chain."""
        return b"".join((self.certificate, *self.chain))

    @property
    def x509(self) -> x509.Certificate:
        """The certificate, parsed; `cryptography` warns of what is odd in it, or refuses it."""
        return x509.load_pem_x509_certificate(self.certificate)

    @property
    def der(self) -> bytes:
        """The certificate's bytes."""
        _, _, body, *_ = self.certificate.split(b"-----")
        return base64.b64decode(body)

    @property
    def elliptic(self) -> bool:
        """Whether it signs for the ECDSA suites."""
        key = serialization.load_der_public_key(forge.key_of(self.der))
        return isinstance(key, ec.EllipticCurvePublicKey)

    @property
    def self_signed(self) -> bool:
        """Whether it names itself as its issuer."""
        return forge.subject_of(self.der) == forge.issuer_of(self.der)


# --- issuing ----------------------------------------------------------------------------------------------


def issue(
    description: Description, *, now: datetime, issuer: Credential | None = None
) -> Credential:
    """A fresh key and its certificate, signed by `issuer`, or by itself when there is none.

    For a CA of its own, with its memory and its faults, see `authority`.
    """
    key = new_key(description.key)
    by = signer(issuer) if issuer else own_signer(description, key)
    issues = bool(description.is_ca)
    made = forge.certificate(description, key.public_key(), by=by, now=now, issues=issues)
    above = () if issuer is None or issuer.self_signed else (issuer.certificate, *issuer.chain)
    return Credential(pem(made), pem_of(key), above)


def signer(issuer: Credential) -> forge.Signer:
    """`issuer` as it signs others."""
    return forge.Signer(
        forge.subject_of(issuer.der), key_identifier(issuer.x509), load_key(issuer.key)
    )


def own_signer(description: Description, key: PrivateKey) -> forge.Signer:
    """Who signs itself."""
    return forge.Signer(forge.subject(description), forge.key_identifier(key.public_key()), key)


def key_identifier(certificate: x509.Certificate) -> bytes:
    """What those whom it signed call its key (RFC 5280 section 4.2.1.1)."""
    try:
        return certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        ).value.digest
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(public_key(certificate)).digest


def public_key(certificate: x509.Certificate) -> PublicKey:
    """The key of a certificate. Raises `LabError` for a kind that the lab does not know."""
    key = certificate.public_key()
    if not isinstance(key, PublicKey):
        raise LabError(f"a certificate holds a key of {type(key).__name__}; use EC, RSA or Ed25519")
    return key


def pem(certificate: bytes) -> bytes:
    """A DER certificate as PEM."""
    lines = textwrap.wrap(base64.b64encode(certificate).decode(), 64)
    return "\n".join(
        ("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", "")
    ).encode()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def load_key(pem: bytes) -> PrivateKey:
    """The key of an unencrypted PEM. Raises `LabError` for a kind that the lab does not know, else `ValueError`."""
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, PrivateKey):
        raise LabError(f"the key is of {type(key).__name__}; use an EC, RSA or Ed25519 key")
    return key


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
            key = pem_of(load_key(self.key.read_bytes()))
        except (OSError, TypeError, ValueError) as exc:
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
        owner: str = OWNER,
        station_key: KeyKind = KeyKind.EC_P256,
        validity: timedelta = timedelta(days=365),
    ) -> Lab:
        """A new lab in `folder` (0700), over whatever lay there.

        The first of `csms_names` becomes the commonName, which must be the name that the station dials
        (A00.FR.510). A single host name stays without subjectAltName, as A00.FR.511 prefers; several names or an
        address need one. Some TLS stacks read subjectAltName only: give such a station's CSMS two names.
        `serial` is the station's commonName (A00.FR.511), `owner` its organizationName (A00.FR.509). `validity` holds
        for all but the root.
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
        station = Description(serial, organization=owner, validity=validity, key=station_key)
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
