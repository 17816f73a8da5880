import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa

from tlslab import own
from tlslab.describe import DAY, Chain, Description, KeyKind
from tlslab.pki import Credential, Files, Lab, LabError, issue, load_key

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LEAF = Description("csms.test")
CA = Description("theirs", is_ca=True)
ROOT = issue(Description("root", is_ca=True, validity=3650 * DAY), now=NOW)
UPPER = issue(replace(CA, common_name="upper"), now=NOW, issuer=ROOT)
LOWER = issue(replace(CA, common_name="lower"), now=NOW, issuer=UPPER)
SERVER = issue(LEAF, now=NOW, issuer=LOWER)


def now():
    return NOW


@pytest.fixture
def put(tmp_path):
    """Puts a credential on disk as a user would have it: what is presented, and the key."""

    def write(name, credential):
        files = Files(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        files.write(credential)
        return files

    return write


@pytest.fixture
def root(put):
    return put("root", ROOT)


@pytest.fixture
def refused():
    """The complaint about these files, which names the file and holds no key."""

    def complain(what, *files, **others):
        with pytest.raises(LabError) as caught:
            what(*files, **others, now=now)
        text = str(caught.value)
        assert "PRIVATE" not in text
        assert any(str(file) in text for file in (*files, *others.values()))
        return text

    return complain


def test_a_root_with_its_key_signs(root):
    authority = own.from_ca(root.certificate, root.key, now=now)
    made = authority.issue(Chain(LEAF))
    assert made.chain == ()
    made.x509.verify_directly_issued_by(ROOT.x509)
    assert authority.root.certificate == ROOT.certificate


def test_an_issuing_ca_signs_and_is_shown_with_those_above_it(root, put):
    files = put("ca", LOWER)
    authority = own.from_ca(root.certificate, files.key, files.certificate, now=now)
    made = authority.issue(Chain(LEAF))
    assert made.chain == (LOWER.certificate, UPPER.certificate)
    assert authority.root == Credential(ROOT.certificate, b"")


def test_a_root_within_the_file_of_the_ca_is_not_shown(root, put):
    files = put("ca", replace(LOWER, chain=(*LOWER.chain, ROOT.certificate)))
    authority = own.from_ca(root.certificate, files.key, files.certificate, now=now)
    assert authority.issue(Chain(LEAF)).chain == (LOWER.certificate, UPPER.certificate)
    same = own.from_ca(root.certificate, root.key, root.certificate, now=now)
    assert same.issue(Chain(LEAF)).chain == ()


@pytest.mark.parametrize("kind", [KeyKind.EC_P256, KeyKind.RSA_2048])
def test_a_finished_certificate_is_taken_with_its_chain(put, kind):
    server = issue(replace(LEAF, key=kind), now=NOW, issuer=LOWER)
    files = put("server", server)
    taken = own.finished(files.certificate, files.key, now=now)
    assert taken.presented == server.presented
    assert load_key(taken.key).public_key() == server.x509.public_key()
    assert taken.elliptic is (kind is KeyKind.EC_P256)
    assert "PRIVATE" not in repr(taken)


def test_a_lab_of_ours_signs_with_its_root(tmp_path):
    lab = Lab.create(tmp_path / "lab", now=NOW)
    made = own.from_lab(lab, now=now).issue(Chain(LEAF))
    made.x509.verify_directly_issued_by(lab.root.read().x509)


# --- what is wrong ----------------------------------------------------------------------------------------


def test_a_key_of_another_certificate_is_refused(root, put, refused):
    other = put("other", UPPER)
    assert "not the key" in refused(own.finished, root.certificate, other.key)
    assert "not the key" in refused(own.from_ca, root.certificate, other.key)


def test_an_encrypted_key_is_refused_with_the_way_out(root, refused):
    encrypted = load_key(ROOT.key).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a password"),
    )
    root.key.write_bytes(encrypted)
    text = refused(own.from_ca, root.certificate, root.key)
    assert "encrypted" in text
    assert "decrypted copy" in text
    with pytest.raises(LabError, match="root"):
        root.read()


@pytest.mark.parametrize(
    ("description", "complaint"),
    [
        (replace(CA, validity=-DAY, begins=-2 * DAY), "expired on 2026-04-30; renew it"),
        (replace(CA, begins=DAY), "valid from 2026-05-02 only"),
        (replace(CA, is_ca=False), "is no CA"),
        (replace(CA, is_ca=None), "is no CA"),
    ],
)
def test_a_ca_that_cannot_sign_now_is_refused(root, put, refused, description, complaint):
    alone = put("alone", issue(description, now=NOW))
    assert complaint in refused(own.from_ca, alone.certificate, alone.key)
    files = put("ca", issue(description, now=NOW, issuer=ROOT))
    assert complaint in refused(own.from_ca, root.certificate, files.key, ca=files.certificate)


def test_an_expired_server_certificate_is_refused(put, refused):
    files = put("server", issue(replace(LEAF, validity=-DAY, begins=-2 * DAY), now=NOW))
    assert "expired" in refused(own.finished, files.certificate, files.key)


def test_a_ca_that_does_not_lead_to_the_root_is_refused(root, put, refused):
    files = put("ca", replace(LOWER, chain=()))
    text = refused(own.from_ca, root.certificate, files.key, ca=files.certificate)
    assert re.search("CN=lower.* is not signed by CN=root", text)
    stranger = put("ca", issue(CA, now=NOW))
    text = refused(own.from_ca, root.certificate, stranger.key, ca=stranger.certificate)
    assert "not signed by CN=root" in text


def test_a_file_that_is_not_there_or_no_pem_is_refused(root, tmp_path, refused):
    missing, garbage = tmp_path / "missing", tmp_path / "garbage"
    garbage.write_bytes(ROOT.der)
    assert "cannot read" in refused(own.finished, missing, root.key)
    assert "cannot read" in refused(own.finished, root.certificate, missing)
    assert "no certificate in PEM" in refused(own.finished, garbage, root.key)
    assert "no private key in PEM" in refused(own.finished, root.certificate, garbage)


def test_a_key_of_a_kind_that_tls_does_not_use_is_refused(root, refused):
    key = dsa.generate_private_key(1024)
    root.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    assert "DSA" in refused(own.finished, root.certificate, root.key)


def test_a_certificate_file_that_begins_with_the_key_is_read_all_the_same(tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes(SERVER.key + SERVER.presented)
    assert own.finished(both, both, now=now).presented == SERVER.presented
    assert x509.load_pem_x509_certificates(both.read_bytes())[0] == SERVER.x509
