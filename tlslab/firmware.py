"""Makes firmware files as the reference station takes them, and signs them (Part 2, L01.FR.04).

Knows the form of the file and of a signature. Must not know who uses it: nothing of `fuzz`.
"""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tlslab.pki import LabError


def firmware_image(version: str, *, size: int = 256) -> bytes:
    """A firmware image of at least `size` bytes that makes its station have `version`: the first line says so."""
    return f"ocppfuzz-firmware {version}\n".encode().ljust(size, b"\0")


def sign_firmware(key: bytes, content: bytes) -> str:
    """The signature over a whole file as UpdateFirmware carries it: SHA-256, RSA-PSS or ECDSA, base64.

    `key` is a private key in PEM. Raises LabError when it is neither RSA nor EC.
    """
    private = serialization.load_pem_private_key(key, password=None)
    match private:
        case rsa.RSAPrivateKey():
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            signature = private.sign(content, pss, hashes.SHA256())
        case ec.EllipticCurvePrivateKey():
            signature = private.sign(content, ec.ECDSA(hashes.SHA256()))
        case _:
            raise LabError("a firmware signing key must be RSA or EC")
    return base64.b64encode(signature).decode()
