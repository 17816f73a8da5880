"""Reads what a CSR asks for (PKCS #10), whoever wrote it.

Knows bytes and descriptions. Must not know who signs, nor judge what was asked.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from tlslab.describe import Description
from tlslab.keys import PublicKey, kind_of
from tlslab.pki import LabError


@dataclass(frozen=True, slots=True)
class Request:
    """A CSR: its names (None when it says none), its key, and whether its signature was made with that key."""

    common_name: str | None
    organization: str | None
    public: PublicKey
    self_signed: bool


def request(csr: str | bytes) -> Request:
    """The CSR, read. Raises `LabError` for whatever is none, or holds a key that certificates here do not."""
    data = csr.encode("utf-8", "replace") if isinstance(csr, str) else csr
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of names that are too long: whoever asked will hear of it
            read = x509.load_pem_x509_csr(data)
            names = {a.oid: _text(a.value) for a in reversed(list(read.subject))}
        public = read.public_key()
        valid = read.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
        raise LabError(f"the CSR cannot be read: {exc}; expected PKCS #10 in PEM") from exc
    if not isinstance(public, PublicKey):
        raise LabError(f"the CSR holds a key of {type(public).__name__}; EC, RSA or Ed25519 works")
    return Request(
        names.get(NameOID.COMMON_NAME), names.get(NameOID.ORGANIZATION_NAME), public, valid
    )


def requested(csr: str | bytes) -> Description:
    """The certificate that a CSR asks for, proper in all that it does not say. Raises `LabError` as `request` does."""
    read = request(csr)
    return Description(read.common_name, read.organization, key=kind_of(read.public))


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
