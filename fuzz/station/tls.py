"""TLS as a Charging Station must do it (Part 2, A00.FR.308-323 and FR.411-426): contexts, and what an error means.

Knows ssl; opens no connection, and leaves to `verifying` what Python's ssl does not check. The sans-IO core must not import
this.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path

from websockets.exceptions import InvalidStatus

from fuzz.errors import UsageError
from fuzz.station.events import Failure
from fuzz.station.keystore import Credentials

_TLS_VERSION = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"})
# A refusal of all suites arrives as handshake_failure, which has other causes as well; nothing tells them apart.
_CIPHER_SUITE = frozenset(
    {
        "UNKNOWN_CIPHER_RETURNED",
        "WRONG_CIPHER_RETURNED",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        "DH_KEY_TOO_SMALL",
        "WRONG_SIGNATURE_TYPE",
        "WRONG_CURVE",
    }
)
_CSMS_CERTIFICATE = frozenset(
    {
        "CERTIFICATE_VERIFY_FAILED",
        "EE_KEY_TOO_SMALL",
        "CA_KEY_TOO_SMALL",
        "CA_MD_TOO_WEAK",
        "WRONG_CERTIFICATE_TYPE",
        "BAD_ECC_CERT",  # keyUsage without digitalSignature
    }
)
_REFUSED = frozenset(
    {
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_NO_CERTIFICATE",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_ACCESS_DENIED",
        "TLSV1_ALERT_DECRYPT_ERROR",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    }
)
_BY_REASON = {
    **dict.fromkeys(_TLS_VERSION, Failure.TLS_VERSION),
    **dict.fromkeys(_CIPHER_SUITE, Failure.CIPHER_SUITE),
    **dict.fromkeys(_CSMS_CERTIFICATE, Failure.CSMS_CERTIFICATE),
    **dict.fromkeys(_REFUSED, Failure.REFUSED),
}
_MAX_CAUSES = 8
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which the ssl module does not name


def client_context(
    credentials: Credentials,
    *,
    cipher_suites: Sequence[str],
    security_profile: int,
    own_clock: bool = False,
) -> ssl.SSLContext:
    """TLS 1.2 with exactly the given suites (C-41); the CSMS is verified always (A00.FR.309, FR.412).

    Only the installed roots are trusted, without one no CSMS at all. The own certificate is shown with security
    profile 3 only. With `own_clock` validity is left to whoever knows the station's clock, since OpenSSL knows that of
    the machine alone. Raises UsageError when something in `credentials` is broken.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    # Whoever is at the other end is looked at once; it must not become somebody else (RFC 5746 section 5).
    context.options |= ssl.OP_NO_RENEGOTIATION
    if own_clock:
        context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    # What is installed is trusted, be it signed by an older root (M05.FR.09 to FR.16).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_ciphers(":".join(cipher_suites))
    try:
        if credentials.roots:
            context.load_verify_locations(cadata="\n".join(credentials.roots))
        if security_profile == 3 and credentials.chain:
            _show(context, credentials)
    except (OSError, ValueError) as error:
        raise UsageError(f"certificates or key cannot be loaded: {error}") from None
    return context


def failure_of(error: BaseException) -> Failure:
    """What a failed attempt to connect was due to, as far as the error, or one that caused it, tells."""
    cause: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        match cause:
            case None:
                break
            case ssl.SSLCertVerificationError():
                return Failure.CSMS_CERTIFICATE
            case ssl.SSLError(reason=str(reason)) if reason in _BY_REASON:
                return _BY_REASON[reason]
            case InvalidStatus(response=response) if response.status_code in (401, 403):
                return Failure.REFUSED
            case _:
                cause = cause.__cause__ or cause.__context__
    return Failure.UNREACHABLE


def _show(context: ssl.SSLContext, credentials: Credentials) -> None:
    # The ssl module reads own certificates from files only; this one is readable by its owner, and gone at once.
    handle, name = tempfile.mkstemp(prefix=".station-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{credentials.key.strip()}\n{credentials.chain.strip()}\n")
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()
