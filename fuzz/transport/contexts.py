"""Builds the TLS contexts of our ends, once, and says in plain words why a handshake failed.

Knows files, suites and OpenSSL's reasons. Must not know links or who is attacked; hostile TLS is the lab's business.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from fuzz.errors import UsageError

KeyPair: TypeAlias = tuple[Path, Path]
"""A certificate file, chain included, and its key file."""

OCPP_SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
)
"""The four suites that a CSMS must serve (A00.FR.318), as OpenSSL calls them; TLS 1.3 has its own."""


def server_context(
    *, certificates: Sequence[KeyPair], client_ca: Path | None = None
) -> ssl.SSLContext:
    """A CSMS's context: TLS 1.2 or above, the four suites of A00.FR.318.

    Args:
        certificates: ours; an ECDSA and an RSA one serve all four suites.
        client_ca: the root that client certificates must lead to. Its presence makes security profile 3: a client
            without a valid certificate is refused (A00.FR.407). Without it profile 2: none is asked for.

    Raises:
        UsageError: a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _common(context, certificates)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        _trust(context, client_ca)
    return context


def client_context(
    *, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """A station's context: TLS 1.2 or above, the CSMS verified against `ca`, `certificate` shown when it asks.

    Without `ca` the machine's own roots are trusted. Raises `UsageError` when a file is missing or cannot be used.
    """
    if (certificate is None) != (key is None):
        raise UsageError("a client certificate and its key belong together; give both or neither")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _common(context, [(certificate, key)] if certificate and key else [])
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _trust(context, ca)
    return context


def _common(context: ssl.SSLContext, pairs: Sequence[KeyPair]) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(OCPP_SUITES))
    for certificate, key in pairs:
        try:
            # An encrypted key must be an error, not a question on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ValueError) as exc:
            raise UsageError(
                f"cannot use certificate {certificate} with key {key}: {_why(exc)}; "
                "give an unencrypted PEM certificate and the key that belongs to it"
            ) from exc


def _trust(context: ssl.SSLContext, ca: Path) -> None:
    try:
        context.load_verify_locations(ca)
    except (OSError, ValueError) as exc:
        raise UsageError(f"cannot use CA file {ca}: {_why(exc)}; give a PEM file") from exc


def _why(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLError):
        return _words(exc.reason or "not readable as PEM")
    return (exc.strerror if isinstance(exc, OSError) else None) or str(exc)


# --- why a handshake failed -------------------------------------------------------------------------------

_REASONS = {
    "NO_SHARED_CIPHER": "the peer offers no suite that we serve",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the peer sent no client certificate",
    "UNSUPPORTED_PROTOCOL": "the peer has no TLS version from 1.2 on",
    "WRONG_VERSION_NUMBER": "the peer does not speak TLS",
    "HTTP_REQUEST": "the peer spoke plain HTTP to a TLS port: its URL needs wss://",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "the peer takes no signature that our certificate can make",
    "TLSV1_ALERT_UNKNOWN_CA": "the peer does not trust our certificate's root (alert unknown_ca)",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer finds our certificate expired, or its clock is wrong"
    " (alert certificate_expired)",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the peer refuses our certificate, often its name (alert bad_certificate)",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer found no common ground (alert handshake_failure)",
}
_ALERTS = ("TLSV1_ALERT_", "SSLV3_ALERT_", "TLSV13_ALERT_")


def tls_failure(exc: BaseException) -> str:
    """Why a TLS handshake failed, in a few words for people."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"the peer's certificate is not valid: {exc.verify_message}"
    if isinstance(exc, ssl.SSLError):
        reason = exc.reason or ""
        return _REASONS.get(reason) or _alert(reason) or _words(reason) or "TLS error"
    if isinstance(exc, ConnectionAbortedError | TimeoutError):
        return "the peer did not finish the handshake in time"
    if isinstance(exc, OSError):
        return (
            "the peer closed the connection during the handshake, without an alert; "
            "most do so when they do not trust our certificate"
        )
    return f"{type(exc).__name__}"


def _alert(reason: str) -> str:
    for prefix in _ALERTS:
        if reason.startswith(prefix):
            return f"the peer refused with alert {reason.removeprefix(prefix).lower()}"
    return ""


def _words(reason: str) -> str:
    return reason.lower().replace("_", " ")
