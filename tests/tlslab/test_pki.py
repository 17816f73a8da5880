from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)
from hypothesis import given, settings, strategies as st

from tlslab.describe import USUAL_KEYS, Description, KeyKind
from tlslab.keys import pem_of
from tlslab.pki import Credential, Files, Lab, LabError, issue, secure_write

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ROOT = issue(Description("root", is_ca=True), now=NOW)
TEXT = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=16)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("pki") / "lab"
    return Lab.create(folder, now=NOW, csms_names=("localhost", "127.0.0.1"), serial="SN-7")


def _common_name(certificate: x509.Certificate) -> str | bytes:
    return certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


@settings(max_examples=25)
@given(
    common_name=TEXT,
    organization=TEXT,
    days=st.integers(1, 4000),
    serial_number=st.none() | st.integers(1, 2**100),
)
def test_a_described_leaf_says_what_was_described_and_its_issuer_signed_it(
    common_name: str, organization: str, days: int, serial_number: int
) -> None:
    described = Description(
        common_name,
        organization=organization,
        validity=timedelta(days=days),
        serial_number=serial_number,
    )
    made = issue(described, now=NOW, issuer=ROOT)
    made.x509.verify_directly_issued_by(ROOT.x509)
    assert _common_name(made.x509) == common_name
    assert (
        made.x509.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == organization
    )
    assert made.x509.not_valid_before_utc < NOW < made.x509.not_valid_after_utc
    assert made.x509.not_valid_after_utc == NOW + timedelta(days=days)
    assert serial_number in (None, made.x509.serial_number)
    assert made.x509.serial_number > 0


@pytest.mark.parametrize("kind", USUAL_KEYS)
def test_a_leaf_follows_the_check_list_of_the_specification(kind: KeyKind) -> None:
    leaf = issue(Description("csms.test", key=kind), now=NOW, issuer=ROOT).x509
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    key = leaf.public_key()
    assert usage.digital_signature
    assert not usage.key_cert_sign
    assert leaf.signature_hash_algorithm is not None
    assert leaf.signature_hash_algorithm.name == "sha256"
    with pytest.raises(x509.ExtensionNotFound):
        leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    with pytest.raises(x509.ExtensionNotFound):
        leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    assert usage.key_encipherment is isinstance(key, rsa.RSAPublicKey)


def test_a_verifier_accepts_both_csms_certificates_for_each_of_their_names(lab: Lab) -> None:
    builder = PolicyBuilder().store(Store([lab.root.read().x509])).time(NOW)
    for files in (lab.csms, lab.csms_rsa):
        for subject in (x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))):
            chain = builder.build_server_verifier(subject).verify(files.read().x509, [])
            assert [_common_name(c) for c in chain] == ["localhost", "ocppfuzz lab root"]


def test_a_verifier_accepts_the_station_certificate_as_a_client_and_no_stranger(lab: Lab) -> None:
    builder = PolicyBuilder().store(Store([lab.root.read().x509])).time(NOW)
    verifier = builder.extension_policies(
        ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
    ).build_client_verifier()
    assert _common_name(verifier.verify(lab.station.read().x509, []).chain[0]) == "SN-7"
    stranger = issue(Description("SN-7"), now=NOW, issuer=ROOT)
    with pytest.raises(VerificationError):
        verifier.verify(stranger.x509, [])


def test_what_a_sub_authority_issues_is_presented_with_the_sub_authority_but_not_the_root() -> None:
    middle = issue(Description("middle", is_ca=True), now=NOW, issuer=ROOT)
    leaf = issue(Description("leaf"), now=NOW, issuer=middle)
    assert leaf.presented == leaf.certificate + middle.certificate
    assert middle.chain == ()


def test_a_lab_with_one_host_name_puts_it_in_the_common_name_alone(tmp_path: Path) -> None:
    made = Lab.create(tmp_path / "lab", now=NOW).csms.read().x509
    assert _common_name(made) == "localhost"
    with pytest.raises(x509.ExtensionNotFound):
        made.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_a_lab_is_readable_by_its_owner_only(lab: Lab) -> None:
    assert stat.S_IMODE(lab.folder.stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in lab.folder.iterdir()}
    assert modes == {0o600}
    assert len(list(lab.folder.iterdir())) == 8


def test_a_lab_that_was_created_can_be_loaded(lab: Lab) -> None:
    assert Lab.load(lab.folder) == lab
    assert isinstance(lab.station.read(), Credential)


def test_a_lab_with_a_missing_or_broken_file_is_refused_by_name(tmp_path: Path) -> None:
    lab = Lab.create(tmp_path, now=NOW)
    lab.station.certificate.write_text("nonsense")
    with pytest.raises(LabError, match=r"station\.pem"):
        Lab.load(tmp_path)
    lab.station.certificate.unlink()
    with pytest.raises(LabError, match=r"station\.pem"):
        Lab.load(tmp_path)


def test_a_lab_knows_when_it_is_out_of_date(lab: Lab) -> None:
    assert lab.valid_at(NOW)
    assert not lab.valid_at(NOW + timedelta(days=366))
    assert not lab.valid_at(NOW - timedelta(days=1))


@given(data=st.binary(max_size=300))
def test_secure_write_replaces_the_whole_file(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("secure") / "secret"
    secure_write(path, b"something older and longer than what comes next" * 10)
    secure_write(path, data)
    assert path.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_secure_write_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(OSError, match="taken"):
        secure_write(target, b"data")
    assert list(tmp_path.iterdir()) == [target]


def test_no_key_is_part_of_what_is_printed_of_a_credential(lab: Lab) -> None:
    for files in lab.credentials:
        credential = files.read()
        body = credential.key.splitlines()[1].decode()
        assert body not in repr(credential)
        assert "PRIVATE" not in repr(credential)


@pytest.mark.parametrize("kind", [k for k in KeyKind if k is not KeyKind.RSA_3072])
def test_a_credential_of_any_key_survives_the_disk(kind: KeyKind, tmp_path: Path) -> None:
    made = issue(Description("leaf", key=kind), now=NOW, issuer=ROOT)
    files = Files(tmp_path / "leaf.pem", tmp_path / "leaf.key")
    files.write(made)
    assert files.read() == made
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_root_without_a_key_identifier_still_issues() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bare")])
    bare = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    leaf = issue(Description("leaf"), now=NOW, issuer=Credential(bare, pem_of(key))).x509
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(bare))
    named = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    assert named.key_identifier == own.digest


@pytest.mark.parametrize("credential", [ROOT, issue(Description("leaf"), now=NOW, issuer=ROOT)])
def test_the_bytes_of_a_credential_are_those_of_its_certificate(credential: Credential) -> None:
    assert credential.der == credential.x509.public_bytes(serialization.Encoding.DER)
    assert credential.self_signed is (credential is ROOT)
