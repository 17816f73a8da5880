import base64
import contextlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.x509.oid import NameOID
from hypothesis import given, strategies as st

from tlslab import der, forge
from tlslab.describe import Description, KeyKind
from tlslab.keys import PublicKey, new_key
from tlslab.pki import LabError
from tlslab.request import request, requested

KEY = ec.generate_private_key(ec.SECP384R1())
TEXT = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=16)


def csr(key, *fields):
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in fields])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


BEGIN, END = b"-----BEGIN CERTIFICATE REQUEST-----\n", b"-----END CERTIFICATE REQUEST-----\n"
CSR = x509.load_pem_x509_csr(csr(KEY)).public_bytes(serialization.Encoding.DER)


@given(common_name=TEXT, organization=TEXT)
def test_the_names_of_a_csr_are_those_that_it_says(common_name, organization):
    pem = csr(KEY, (NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common_name))
    read = request(pem)
    assert (read.common_name, read.organization) == (common_name, organization)
    assert read.public == KEY.public_key()
    assert read.self_signed
    assert requested(pem.decode()) == Description(common_name, organization, key=KeyKind.EC_P384)


def test_what_a_csr_does_not_say_is_not_there():
    assert requested(csr(KEY)) == Description(None, None, key=KeyKind.EC_P384)


def test_a_name_that_is_far_too_long_is_read_without_a_word():
    name = forge.subject(Description("x" * 10_000, None))
    info = der.inside(der.inside(CSR)[0])
    body = der.tlv(der.SEQUENCE, info[0], name, *info[2:])
    made = der.tlv(der.SEQUENCE, body, *der.inside(CSR)[1:])
    read = request(b"".join((BEGIN, base64.encodebytes(made), END)))
    assert read.common_name == "x" * 10_000
    assert not read.self_signed


def test_of_two_common_names_the_first_counts():
    pem = csr(KEY, (NameOID.COMMON_NAME, "first"), (NameOID.COMMON_NAME, "second"))
    assert request(pem).common_name == "first"


def test_a_csr_that_its_key_did_not_sign_is_read_and_says_so():
    der = x509.load_pem_x509_csr(csr(KEY)).public_bytes(serialization.Encoding.DER)
    turned = x509.load_der_x509_csr(der[:-1] + bytes((der[-1] ^ 1,)))
    assert not request(turned.public_bytes(serialization.Encoding.PEM)).self_signed


def test_a_weak_key_is_read_too():
    weak = new_key(KeyKind.RSA_1024)
    assert requested(csr(weak)).key is KeyKind.RSA_1024


def test_a_key_that_no_certificate_here_has_is_refused():
    with pytest.raises(LabError, match="DSA"):
        request(csr(dsa.generate_private_key(1024)))


@given(garbage=st.text() | st.binary(max_size=200))
def test_garbage_is_refused_whatever_it_is(garbage):
    with pytest.raises(LabError, match="the CSR cannot be read"):
        request(garbage)


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_damaged_csr_is_read_or_refused(at, byte):
    damaged = bytearray(CSR)
    damaged[at % len(damaged)] = byte
    armoured = base64.encodebytes(bytes(damaged))
    with contextlib.suppress(LabError):
        read = request(b"".join((BEGIN, armoured, END)))
        assert isinstance(read.public, PublicKey)
