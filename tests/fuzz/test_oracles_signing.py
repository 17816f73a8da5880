"""A CSR that no CA may sign is found, whichever kind of key it has."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fuzz.records import Side
from fuzz.testing import case, heard, observation, spoken

PEM = serialization.Encoding.PEM


def csr(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "station")])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(PEM).decode()


def said(text, side=Side.STATION):
    call = heard([2, "s", "SignCertificate", {"csr": text}])
    found = spoken(observation(case(side=side), calls=(call,)))
    return [line for line in found if "SignCertificate with" in line]


SHORT = rsa.generate_private_key(65537, 1024)
LONG = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (csr(SHORT), "a key of less than 2048 bits"),
        (csr(ec.generate_private_key(ec.SECP192R1())), "an EC key of less than 224 bits"),
        ("no request", "nothing that a CA can read"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",) * 2,
    ],
)
def test_what_no_ca_may_sign_is_found(text, wrong):
    wrong = "nothing that a CA can read" if wrong == text else wrong
    assert said(text) == [f"O11 A02 SignCertificate with {wrong}"]


@pytest.mark.parametrize("key", [LONG, ec.generate_private_key(ec.SECP256R1())])
def test_what_can_be_signed_is_right(key):
    assert said(csr(key)) == []
    assert said(None) == []
