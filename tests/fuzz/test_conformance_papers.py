"""Certificates that tests hand out are what they claim, and hash data is what others compute."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from fuzz.conformance import papers
from tlslab.describe import USUAL_KEYS, Description
from tlslab.pki import issue

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "org"),
        x509.NameAttribute(NameOID.COMMON_NAME, "CS-1"),
    ]
)


def csr(key, name=NAME):
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("kind", USUAL_KEYS)
@pytest.mark.parametrize(
    ("name", "algorithm"), [("SHA256", hashes.SHA256()), ("SHA512", hashes.SHA512())]
)
def test_hash_data_is_what_an_ocsp_request_holds(kind, name, algorithm):
    root = issue(Description("root", is_ca=True, key=kind), now=NOW)
    leaf = issue(Description("leaf"), now=NOW, issuer=root)
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf.x509, root.x509, algorithm).build()
    data = papers.hash_data(leaf.x509, root.x509, name)
    assert data["issuerNameHash"] == request.issuer_name_hash.hex()
    assert data["issuerKeyHash"] == request.issuer_key_hash.hex()
    assert int(str(data["serialNumber"]), 16) == request.serial_number


def test_listed_hash_data_is_compared_without_regard_to_case():
    root = papers.new_root("root", NOW).x509
    data = papers.hash_data(root, root, "SHA384")
    assert papers.same_certificate(data, root, root)
    upper = {k: v if k == "hashAlgorithm" else str(v).upper() for k, v in data.items()}
    assert papers.same_certificate(upper, root, root)
    assert not papers.same_certificate({**data, "serialNumber": "0"}, root, root)
    assert not papers.same_certificate({"hashAlgorithm": "MD5"}, root, root)


def test_roots_are_valid_now_or_over_as_they_should():
    assert papers.new_root("root", NOW).x509.not_valid_after_utc > NOW
    old = papers.expired_root("root", NOW).x509
    assert old.not_valid_before_utc < old.not_valid_after_utc < NOW


def test_a_signed_certificate_carries_the_key_and_the_subject_of_its_request():
    request = papers.read_csr(csr(ec.generate_private_key(ec.SECP256R1())))
    assert request is not None
    root = papers.new_root("root", NOW)
    made = x509.load_pem_x509_certificate(papers.sign(request, root, NOW).encode())
    made.verify_directly_issued_by(root.x509)
    assert made.public_key() == request.public_key()
    assert (papers.common_name(made), papers.organization(made)) == ("CS-1", "org")
    assert made.not_valid_before_utc < NOW < made.not_valid_after_utc


def test_a_request_that_is_none_or_does_not_verify_is_no_request():
    good = csr(ec.generate_private_key(ec.SECP256R1()))
    other = csr(ec.generate_private_key(ec.SECP256R1()), x509.Name([]))
    assert papers.read_csr(good) is not None
    assert papers.read_csr("") is None
    assert papers.read_csr(good.replace("REQUEST", "THING")) is None
    assert papers.read_csr(other[: len(other) // 2]) is None


@pytest.mark.parametrize(
    ("key", "strong"),
    [
        (ec.generate_private_key(ec.SECP256R1()), True),
        (ec.generate_private_key(ec.SECP192R1()), False),
        (rsa.generate_private_key(65537, 1024), False),
        (rsa.generate_private_key(65537, 2048), True),
    ],
)
def test_short_keys_are_not_strong(key, strong):
    request = papers.read_csr(csr(key))
    assert request is not None
    assert papers.strong_key(request) is strong


def test_a_subject_without_names_has_none():
    request = papers.read_csr(csr(ec.generate_private_key(ec.SECP256R1()), x509.Name([])))
    assert request is not None
    assert (papers.common_name(request), papers.organization(request)) == ("", "")


def test_server_pairs_lie_on_disk_with_each_kind_of_key_and_their_validity_moves(tmp_path):
    root = papers.new_root("root", NOW)
    pairs = papers.server_pairs(tmp_path, root, NOW + timedelta(days=20), name="a.test")
    read = [x509.load_pem_x509_certificate(c.read_bytes()) for c, _ in pairs]
    assert {type(c.public_key()).__name__ for c in read} == {"ECPublicKey", "RSAPublicKey"}
    assert all(papers.common_name(c) == "a.test" and c.not_valid_before_utc > NOW for c in read)
    assert {key.stat().st_mode & 0o777 for _, key in pairs} == {0o600}


def test_a_root_that_another_vouches_for_is_signed_by_it():
    old = papers.new_root("old", NOW)
    new = papers.new_root("new", NOW, old)
    new.x509.verify_directly_issued_by(old.x509)
    assert papers.same_certificate(
        papers.hash_data(new.x509, old.x509, "SHA256"), new.x509, old.x509
    )
