"""The user's own PKI, from files: a CA that signs for the lab, or only a finished server certificate.

Knows files and certificates. What is wrong with them is a `LabError` that names the file and the next step; no key is
ever part of one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from tlslab.authority import Authority
from tlslab.keys import PrivateKey, pem_of
from tlslab.pki import Credential, Lab, LabError, load_key


def from_lab(lab: Lab, *, now: Callable[[], datetime]) -> Authority:
    """The authority of a lab of ours: its root signs."""
    return Authority(lab.root.read(), now=now)


def from_ca(
    root: Path, key: Path, ca: Path | None = None, *, now: Callable[[], datetime]
) -> Authority:
    """The authority of the user's own CA.

    Args:
        root: the certificate that the Charging Station trusts.
        key: the key of the CA that signs.
        ca: that CA's certificate, followed by those between it and the root; None when the root itself signs.
        now: the moment, for what is expired.

    Raises:
        LabError: a file cannot be used.
    """
    trusted = _certificates(root)[0]
    _check_ca(trusted, root, now())
    if ca is None:
        return Authority(_credential(root, key, [trusted]), now=now)
    found = [c for c in _certificates(ca) if c != trusted]
    if not found:
        return Authority(_credential(root, key, [trusted]), now=now)
    for certificate in found:
        _check_ca(certificate, ca, now())
    _check_links([*found, trusted], ca, root)
    authority = Credential(_pem(trusted), b"")
    return Authority(authority, now=now, issuer=_credential(ca, key, found))


def finished(certificate: Path, key: Path, *, now: Callable[[], datetime]) -> Credential:
    """A server certificate that is there already, with the chain that lies behind it. Raises `LabError`."""
    found = _certificates(certificate)
    _check_times(found[0], certificate, now())
    return _credential(certificate, key, found)


def root(path: Path) -> bytes:
    """The certificates of a file in PEM, to be trusted or shown as they are. Raises `LabError` when there is none."""
    return b"".join(map(_pem, _certificates(path)))


def _credential(path: Path, key_path: Path, found: list[x509.Certificate]) -> Credential:
    key = _key(key_path)
    if not _belongs(key, found[0]):
        raise LabError(
            f"{key_path} is not the key of the first certificate in {path}; give the key that belongs to it"
        )
    first, *chain = map(_pem, found)
    return Credential(first, pem_of(key), tuple(chain))


def _belongs(key: PrivateKey, certificate: x509.Certificate) -> bool:
    try:
        return key.public_key() == certificate.public_key()
    except (
        ValueError,
        UnsupportedAlgorithm,
    ):  # the certificate's is of a kind that nobody can sign with here
        return False


# --- what is wrong ----------------------------------------------------------------------------------------


def _check_ca(certificate: x509.Certificate, path: Path, now: datetime) -> None:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        is_ca = constraints.ca
    except x509.ExtensionNotFound:
        is_ca = False
    except ValueError as exc:
        raise LabError(
            f"{path}: {_name(certificate)} has extensions that cannot be read: {exc}; use another CA"
        ) from exc
    if not is_ca:
        raise LabError(
            f"{path}: {_name(certificate)} is no CA (basicConstraints without cA); give a CA's certificate, "
            "or use this one as a finished server certificate"
        )
    _check_times(certificate, path, now)


def _check_times(certificate: x509.Certificate, path: Path, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        raise LabError(
            f"{path}: {_name(certificate)} expired on {certificate.not_valid_after_utc:%Y-%m-%d}; renew it"
        )
    if now < certificate.not_valid_before_utc:
        raise LabError(
            f"{path}: {_name(certificate)} is valid from {certificate.not_valid_before_utc:%Y-%m-%d} only; "
            "use another, or check the clock"
        )


def _check_links(chain: list[x509.Certificate], ca: Path, root: Path) -> None:
    """Each certificate is signed by the next; the last is the root."""
    for certificate, issuer in pairwise(chain):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as exc:
            raise LabError(
                f"{ca}: {_name(certificate)} is not signed by {_name(issuer)}; put every CA between it and "
                f"{root} into {ca}, each followed by its issuer"
            ) from exc


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "a certificate without a name"


# --- reading ----------------------------------------------------------------------------------------------


def _certificates(path: Path) -> list[x509.Certificate]:
    data = _read(path)
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as exc:
        raise LabError(
            f"{path} holds no certificate in PEM; convert it with `openssl x509 -inform der`"
        ) from exc


def _key(path: Path) -> PrivateKey:
    data = _read(path)
    try:
        return load_key(data)
    except LabError as exc:
        raise LabError(f"{path}: {exc}") from exc
    except TypeError as exc:
        raise LabError(
            f"{path} is an encrypted key; give a decrypted copy that only you can read (`openssl pkey`)"
        ) from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise LabError(
            f"{path} holds no private key in PEM; give the key of the certificate"
        ) from exc


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise LabError(
            f"cannot read {path}: {exc.strerror}; check the path and its permissions"
        ) from exc


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
