from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from tlslab.authority import Authority
from tlslab.describe import Chain, Description, KeyKind
from tlslab.pki import issue

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
KINDS = (KeyKind.EC_P256, KeyKind.RSA_2048, KeyKind.ED25519)


@pytest.fixture(params=KINDS)
def authority(request):
    root = issue(Description("root", is_ca=True, key=request.param), now=NOW)
    return Authority(root, now=lambda: NOW)


@pytest.fixture
def leaf(authority):
    return authority.issue(Chain(Description("SN-7")))


def test_a_crl_lists_what_was_revoked_and_is_signed_by_the_ca(authority, leaf):
    other = authority.issue(Chain(Description("SN-8"))).x509
    read = x509.load_der_x509_crl(authority.revoked([leaf.certificate]))
    assert read.is_signature_valid(authority.root.x509.public_key())
    assert read.issuer == authority.root.x509.subject
    assert [entry.serial_number for entry in read] == [leaf.x509.serial_number]
    assert read.get_revoked_certificate_by_serial_number(other.serial_number) is None
    assert read.last_update_utc < NOW < read.next_update_utc


@pytest.mark.parametrize(
    ("revoked", "status"),
    [(True, ocsp.OCSPCertStatus.REVOKED), (False, ocsp.OCSPCertStatus.GOOD)],
)
def test_an_ocsp_response_says_whether_a_certificate_is_revoked(authority, leaf, revoked, status):
    read = ocsp.load_der_ocsp_response(authority.stapled(leaf.certificate, revoked=revoked))
    assert read.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    assert read.certificate_status is status
    assert read.serial_number == leaf.x509.serial_number
    assert read.this_update_utc < NOW < read.next_update_utc
