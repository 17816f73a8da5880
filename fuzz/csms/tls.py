"""TLS as a CSMS must do it (Part 2, A00.FR.306-322 and FR.409-426): contexts, and what the caller showed.

Knows ssl and the lab's certificates; opens no connection.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.errors import UsageError
from tlslab.pki import Credential

SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
)
"""The four suites that a CSMS serves (A00.FR.318, FR.421), as OpenSSL calls them; TLS 1.3 has its own."""

NO_CHECK_TIME = 0x200000
"""X509_V_FLAGNO_CHECK_TIME of OpenSSL, which Python has no name for."""


@dataclass(frozen=True, slots=True)
class Material:
    """What the CSMS shows, whom it trusts, and who signs for it.

    `certificates` are its own, an ECDSA and an RSA one for all four suites; `roots` (PEM) those of stations; `issuer`
    the CA that certifies stations, whose organisation `organizations` are trusted owners (A00.FR.404).
    """

    certificates: tuple[Credential, ...] = field(default=(), repr=False)
    roots: tuple[bytes, ...] = ()
    issuer: Credential | None = field(default=None, repr=False)
    organizations: tuple[str, ...] = ()


def server_context(
    material: Material, *, security_profile: int, any_time: bool = False
) -> ssl.SSLContext:
    """TLS 1.2 or above, the four suites, no compression, renegotiation or tickets; client certificates in profile 3.

    `any_time` leaves the times of client certificates to whoever asks (A00.FR.429). A session may be resumed by its
    id: what was proved then is looked at again, as for a new one. Raises UsageError for certificates that do not work.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.num_tickets = 0
    # Level 2 refuses keys and hashes below 112 bits (A00.FR.501), in CAs as well.
    context.set_ciphers(f"{':'.join(SUITES)}:@SECLEVEL=2")
    try:
        for credential in material.certificates:
            show(context, credential)
        if security_profile == 3:
            _ask(context, material.roots, any_time=any_time)
    except (OSError, ValueError) as error:
        raise UsageError(f"certificates or keys cannot be used: {error}") from None
    return context


def _ask(context: ssl.SSLContext, roots: Sequence[bytes], *, any_time: bool) -> None:
    if not roots:
        raise ValueError("security profile 3 needs a root of stations")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=b"".join(roots).decode("ascii"))
    if any_time:
        context.verify_flags = ssl.VerifyFlags(context.verify_flags | NO_CHECK_TIME)


def shown(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """The certificates that the caller sent, its own first, DER; none when it sent none."""
    if hasattr(tls, "get_unverified_chain"):  # Python 3.13
        return tuple(tls.get_unverified_chain() or ())
    # Before, ssl has the call but does not show it; 2 asks for DER.
    chain = tls._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
    # A server's chain begins with the caller's own certificate, None when there is none.
    return tuple(one.public_bytes(2) for one in chain or () if one is not None)


def show(context: ssl.SSLContext, credential: Credential) -> None:
    """The context shows this credential to whom its key fits."""
    # The ssl module reads own certificates from files only; this one is readable by its owner, and gone at once.
    handle, name = tempfile.mkstemp(prefix=".csms-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(credential.key + credential.presented)
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()
