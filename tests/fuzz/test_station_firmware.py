import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given, settings, strategies as st

from fuzz.station.firmware import is_signed, is_version, version_of, why_not_signer
from tlslab.describe import USUAL_KEYS, Description, KeyKind
from tlslab.firmware import firmware_image, sign_firmware
from tlslab.pki import issue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VERSIONS = st.from_regex(r"[A-Za-z0-9._+-]{1,50}", fullmatch=True)


@pytest.fixture(scope="module")
def root():
    return issue(Description("manufacturer root", is_ca=True), now=NOW)


@pytest.fixture(scope="module")
def signers(root):
    return {kind: issue(Description("s", key=kind), now=NOW, issuer=root) for kind in USUAL_KEYS}


@given(version=VERSIONS)
def test_an_image_has_the_version_that_it_was_made_with(version):
    assert version_of(firmware_image(version)) == version
    assert is_version(version)


@given(content=st.binary(max_size=80))
def test_what_is_no_image_has_no_version(content):
    assert version_of(content) == ""


@pytest.mark.parametrize("version", ["", "a b", "x" * 51, "1.0 ", "é"])
def test_a_version_is_a_short_word(version):
    assert not is_version(version)
    assert version_of(b"ocppfuzz-firmware " + version.encode() + b"\n") == ""


@pytest.mark.parametrize("kind", USUAL_KEYS)
def test_a_signature_counts_for_its_own_file_and_certificate_only(signers, kind):
    image, signer = firmware_image("2.0.0"), signers[kind]
    signature = sign_firmware(signer.key, image)
    pem = signer.certificate.decode()
    others = [other for other in signers.values() if other is not signer]
    assert is_signed(pem, signature, image)
    assert is_signed(pem, signature[:40] + "\n" + signature[40:], image)
    assert not is_signed(pem, signature, image[:-1])
    assert not is_signed(others[0].certificate.decode(), signature, image)


def test_an_rsa_signature_of_the_older_scheme_is_taken_too(signers):
    signer = signers[KeyKind.RSA_2048]
    key = serialization.load_pem_private_key(signer.key, password=None)
    made = key.sign(b"file", padding.PKCS1v15(), hashes.SHA256())
    weak = key.sign(b"file", padding.PKCS1v15(), hashes.SHA384())
    pem = signer.certificate.decode()
    assert is_signed(pem, base64.b64encode(made).decode(), b"file")
    assert not is_signed(pem, base64.b64encode(weak).decode(), b"file")


@settings(deadline=None)
@given(signature=st.text(max_size=40) | st.binary().map(lambda b: base64.b64encode(b).decode()))
@pytest.mark.parametrize("kind", USUAL_KEYS)
def test_no_other_text_is_a_signature(signers, kind, signature):
    assert not is_signed(signers[kind].certificate.decode(), signature, b"file")


def test_a_signature_by_no_certificate_does_not_count():
    assert not is_signed("no certificate", "AAAA", b"file")


def test_a_signer_of_an_installed_root_may_sign_within_its_validity(root, signers):
    pem = signers[KeyKind.EC_P256].certificate.decode()
    assert why_not_signer(pem, [root.x509], NOW) == ""
    assert why_not_signer(pem, [root.x509], NOW + timedelta(days=366)) == "expired"
    assert why_not_signer(pem, [root.x509], NOW - timedelta(days=1)) == "not yet valid"


def test_a_signer_of_no_installed_root_may_not_sign(root, signers):
    other = issue(Description("another root", is_ca=True), now=NOW)
    pem = signers[KeyKind.EC_P256].certificate.decode()
    assert "no installed root" in why_not_signer(pem, [other.x509], NOW)
    assert "no installed root" in why_not_signer(pem, [], NOW)


@given(
    pem=st.text()
    | st.text().map(lambda t: f"-----BEGIN CERTIFICATE-----\n{t}\n-----END CERTIFICATE-----")
)
def test_what_is_no_certificate_may_not_sign(root, pem):
    assert why_not_signer(pem, [root.x509], NOW) != ""
