"""Whether a downloaded file is firmware, and whether the manufacturer signed it (Part 2, L01): pure checks.

Knows X.509 keys, signatures and the form of an image; no message, no clock. Nothing hostile makes a check raise.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from fuzz.station.x509 import (
    BadCertificate,
    Certificate,
    load_chain,
    why_no_path,
    why_not_now,
    why_weak,
)

Verifier: TypeAlias = Callable[[str, str, bytes], bool]
"""Whether the key of a signing certificate, PEM, made a signature, base64, over a whole file."""

# The form that `tlslab.firmware` makes; 50 characters are what BootNotification can tell of a version.
_IMAGE = re.compile(rb"ocppfuzz-firmware ([A-Za-z0-9._+-]{1,50})\n")
_VERSION = re.compile(r"[A-Za-z0-9._+-]{1,50}")
_SHA256 = hashes.SHA256()
_BROKEN = (BadCertificate, InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError)


def version_of(content: bytes) -> str:
    """The version that a firmware image brings; "" when the file is none."""
    found = _IMAGE.match(content)
    return found[1].decode() if found else ""


def is_version(text: object) -> bool:
    """Whether `text` can be the version of an image."""
    return isinstance(text, str) and bool(_VERSION.fullmatch(text))


def why_not_signer(pem: str, roots: Sequence[Certificate], now: datetime) -> str:
    """Why a certificate may not sign firmware (L01.FR.01, FR.02); "" when it may.

    `roots` are the installed ManufacturerRootCertificates; without one nothing is trusted.
    """
    try:
        chain = load_chain(pem)
        return why_not_now(chain[0], now) or why_weak(chain[0]) or why_no_path(chain, roots, now)
    except BadCertificate as bad:
        return str(bad)


def is_signed(pem: str, signature: str, content: bytes) -> bool:
    """Whether `signature` is one over the whole file by the key of the certificate (L01.FR.04).

    L01.FR.04 names RSA-PSS and ECSchnorr. Nobody's tools make ECSchnorr, what is used with EC keys is ECDSA. RSA with
    PKCS#1 v1.5 is taken, too: it is what most vendors' signing tools make, and no weaker against forgery with SHA-256.
    """
    try:
        made = base64.b64decode("".join(signature.split()), validate=True)
        key = load_chain(pem)[0].public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(made, content, ec.ECDSA(_SHA256))
            return True
        return isinstance(key, rsa.RSAPublicKey) and _is_signed_with_rsa(key, made, content)
    except _BROKEN:
        return False


def _is_signed_with_rsa(key: rsa.RSAPublicKey, made: bytes, content: bytes) -> bool:
    pss = padding.PSS(padding.MGF1(_SHA256), padding.PSS.AUTO)
    for scheme in (pss, padding.PKCS1v15()):
        try:
            key.verify(made, content, scheme, _SHA256)
        except InvalidSignature:
            continue
        return True
    return False
