import base64
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding

from tlslab.describe import USUAL_KEYS, Description, KeyKind
from tlslab.firmware import firmware_image, sign_firmware
from tlslab.pki import LabError, issue

SHA256 = hashes.SHA256()


@pytest.fixture(scope="module")
def signers():
    now = datetime.now(UTC)
    return {kind: issue(Description("signer", key=kind), now=now) for kind in USUAL_KEYS}


def check(signer, kind, signature, content):
    key = signer.x509.public_key()
    if kind is KeyKind.EC_P256:
        key.verify(signature, content, ec.ECDSA(SHA256))
    else:
        key.verify(signature, content, padding.PSS(padding.MGF1(SHA256), 32), SHA256)


@pytest.mark.parametrize("kind", USUAL_KEYS)
def test_a_signature_is_over_the_whole_file(signers, kind):
    image = firmware_image("2.0.0")
    signature = base64.b64decode(sign_firmware(signers[kind].key, image), validate=True)
    check(signers[kind], kind, signature, image)
    with pytest.raises(InvalidSignature):
        check(signers[kind], kind, signature, image + b"\0")


@pytest.mark.parametrize("kind", USUAL_KEYS)
def test_a_signature_fits_into_update_firmware(signers, kind):
    assert len(sign_firmware(signers[kind].key, b"x")) <= 800


def test_another_kind_of_key_is_refused():
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(LabError, match="RSA or EC"):
        sign_firmware(key, b"x")


@pytest.mark.parametrize(("size", "length"), [(0, 24), (100, 100)])
def test_an_image_begins_with_its_version_and_is_as_long_as_wanted(size, length):
    image = firmware_image("2.0.0", size=size)
    assert image.startswith(b"ocppfuzz-firmware 2.0.0\n")
    assert len(image) == length
