"""What a station asks to have signed (A02, A00.FR.502, FR.503, FR.507): a PKCS #10 in PEM, with a key that is long enough.

Knows the CSR in SignCertificate. Must not know who signs, nor what its subject should be (`ocppfuzz tls` looks at that).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from fuzz.oracles.registry import violation
from fuzz.records import Basis, Observation, Severity, Side, Violation
from strategies.labels import JsonValue

_LONGEST = 20_000
_RSA_BITS, _EC_BITS = 2048, 224
_UNREADABLE = "nothing that a CA can read"


def poor_requests(obs: Observation) -> Iterator[Violation]:
    """The first CSR of a station that no CA may sign."""
    asked = (h.payload for h in obs.calls if h.action == "SignCertificate")
    if obs.facts.side is not Side.STATION:
        return
    wrong = next(filter(None, map(_wrong, asked)), "")
    if wrong:
        yield violation(
            "O11",
            Basis.SHALL,
            Severity.MEDIUM,
            f"A02 SignCertificate with {wrong}",
            f"SignCertificate asks for a certificate with {wrong}",
            clause="A02; A00.FR.502; A00.FR.503; A00.FR.507",
            cwe="CWE-326",
        )


def _wrong(payload: JsonValue) -> str:
    """What is wrong with the CSR, "" where nothing is; a message without one is judged by others."""
    csr = payload.get("csr") if isinstance(payload, dict) else None
    if not isinstance(csr, str) or len(csr) > _LONGEST:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # names that are too long are not judged here
            key = x509.load_pem_x509_csr(csr.encode("utf-8", "replace")).public_key()
    except UnsupportedAlgorithm:
        return ""
    except (ValueError, TypeError, x509.InvalidVersion):
        return _UNREADABLE
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) and key.key_size < _RSA_BITS:
        return f"a key of less than {_RSA_BITS} bits"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < _EC_BITS:
        return f"an EC key of less than {_EC_BITS} bits"
    return ""
