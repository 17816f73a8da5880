"""What is asked of a station's certificate, and of a request for one."""

import warnings
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, strategies as st

from fuzz.csms import papers
from tlslab.describe import Description, Digest, KeyKind, Usage
from tlslab.pki import issue

NOW = datetime(2026, 5, 1, tzinfo=UTC)
OWNER = "ocppfuzz lab"


def leaf(**changes):
    made = issue(Description("CS-1", **changes), now=NOW)
    found = papers.load(made.der)
    assert found is not None
    return found


def csr(key=None, *, names=(("CN", "CS-1"), ("O", OWNER)), digest=hashes.SHA256):
    key = key or ec.generate_private_key(ec.SECP256R1())
    oids = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME}
    subject = x509.Name([x509.NameAttribute(oids[kind], value) for kind, value in names])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else digest()
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, algorithm)
    return request.public_bytes(serialization.Encoding.PEM).decode()


def test_a_proper_certificate_has_nothing_against_it():
    proper = leaf()
    assert papers.why_weak(proper) == ""
    assert papers.why_not_client(proper) == ""
    assert papers.why_not_organization(proper, [OWNER]) == ""
    assert papers.why_not_now(proper, NOW) == ""
    assert papers.common_names(proper) == ["CS-1"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"key": KeyKind.RSA_1024}, "too short"),
        ({"key": KeyKind.EC_P192}, "too short"),
        ({"digest": Digest.SHA1}, "weak hash"),
        ({"key": KeyKind.ED25519}, "weak hash"),
    ],
)
def test_a_weak_certificate_is_told_of(changes, told):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert told in papers.why_weak(leaf(**changes))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"is_ca": True}, "a CA certificate"),
        ({"extended": ("serverAuth",)}, "a certificate of a server"),
        ({"usage": Usage.CERT_SIGN_ONLY}, "not for signing"),
    ],
)
def test_a_certificate_for_something_else_is_told_of(changes, told):
    assert told in papers.why_not_client(leaf(**changes))


@pytest.mark.parametrize("changes", [{"extended": ("clientAuth",)}, {"usage": Usage.ABSENT}])
def test_a_certificate_that_leaves_its_use_open_or_names_clients_is_taken(changes):
    assert papers.why_not_client(leaf(**changes)) == ""


def test_the_time_is_looked_at_from_both_ends():
    made = leaf(validity=timedelta(days=1))
    assert papers.why_not_now(made, NOW + timedelta(days=2)) == papers.EXPIRED
    assert papers.why_not_now(made, NOW - timedelta(days=2)) == "not yet valid"


def test_another_owner_is_told_of():
    assert papers.why_not_organization(leaf(organization="Somebody"), [OWNER])
    assert papers.why_not_organization(leaf(organization=None), [OWNER])


@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_certificate_are_none(data):
    assert papers.load(data) is None
    assert papers.path_of([data]) == []


def test_a_proper_request_has_nothing_against_it():
    for key in (None, rsa.generate_private_key(public_exponent=65537, key_size=2048)):
        assert papers.why_not_request(csr(key), "CS-1", [OWNER]) == ""


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (lambda: csr(names=(("CN", "CS-2"), ("O", OWNER))), "commonName"),
        (lambda: csr(names=(("CN", "CS-1"), ("CN", "CS-2"), ("O", OWNER))), "commonName"),
        (lambda: csr(names=(("CN", "CS-1"), ("O", "Other"))), "organizationName"),
        (lambda: csr(names=(("CN", "CS-1"),)), "organizationName"),
        (lambda: csr(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "too short"),
        (lambda: csr(ec.generate_private_key(ec.SECP192R1())), "too short"),
        (lambda: csr(ed25519.Ed25519PrivateKey.generate()), "neither RSA nor EC"),
        (lambda: csr() + csr(), "no PKCS#10"),
        (lambda: "x" + csr(), "no PKCS#10"),
        (lambda: csr() + " " * 6000, "no PKCS#10"),
        (lambda: "", "no PKCS#10"),
    ],
)
def test_a_request_that_cannot_be_certified_is_told_of(request_, told):
    assert told in papers.why_not_request(request_(), "CS-1", [OWNER])


def test_a_request_whose_signature_is_broken_is_told_of():
    der = bytearray(x509.load_pem_x509_csr(csr().encode()).public_bytes(serialization.Encoding.DER))
    der[-3] ^= 1
    pem = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM).decode()
    assert papers.why_not_request(pem, "CS-1", [OWNER]) == "its signature is not made with its key"


@given(text=st.text(max_size=200))
def test_no_text_makes_the_check_of_a_request_raise(text):
    begun = f"-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----"
    assert papers.why_not_request(text, "CS-1", [OWNER])
    assert papers.why_not_request(begun, "CS-1", [OWNER])


def test_the_path_leaves_strangers_out():
    root = issue(Description("root", is_ca=True), now=NOW)
    station = issue(Description("CS-1"), now=NOW, issuer=root)
    stranger = issue(Description("stranger", is_ca=True), now=NOW)
    path = papers.path_of([station.der, stranger.der, root.der])
    assert [papers.common_names(found) for found in path] == [["CS-1"], ["root"]]
