import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from hypothesis import given, strategies as st

from fuzz.station.verifying import Fault, Shown, faults_of, faults_of_name, why_untrusted
from tlslab.authority import Authority
from tlslab.describe import DAY, Chain, Description, Digest, KeyKind, Order, Root, Usage
from tlslab.pki import issue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "csms.example.com"
LEAF = Description(HOST)
CA = Description("intermediate", is_ca=True)
RSA_CA = replace(CA, key=KeyKind.RSA_2048)
RSA = replace(LEAF, key=KeyKind.RSA_2048)


@pytest.fixture(scope="module")
def authority():
    root = issue(Description("root", is_ca=True, validity=3650 * DAY), now=NOW)
    return Authority(root, now=lambda: NOW)


@pytest.fixture(scope="module")
def shown(authority):
    """What a CSMS of this chain shows to a station that trusts the authority."""

    def show(described, **changes):
        given = {
            "chain": ders(authority.issue(described).presented),
            "host": HOST,
            "roots": (authority.root.certificate.decode(),),
            "now": NOW,
        }
        return Shown(**(given | changes))

    return show


def ders(pem):
    found = x509.load_pem_x509_certificates(pem)
    return tuple(one.public_bytes(serialization.Encoding.DER) for one in found)


def of(leaf=LEAF, *cas, **options):
    return Chain(leaf, cas, **options)


def altered(**changes):
    return of(replace(LEAF, **changes))


# --- who is trusted ---------------------------------------------------------------------------------------

PROPER = {
    "directly under the root": of(),
    "below an intermediate": of(LEAF, CA),
    "ten deep": of(LEAF, *(replace(CA, common_name=f"ca {n}") for n in range(9))),
    "within its path length": of(LEAF, replace(CA, path_length=0)),
    "with an RSA key": of(RSA),
    "with a larger curve": altered(key=KeyKind.EC_P384),
    "with its root": of(LEAF, CA, order=Order.WITH_ROOT),
    "with unrelated certificates": of(LEAF, CA, order=Order.WITH_STRANGERS),
    "of any purpose": altered(extended=("serverAuth", "clientAuth")),
    "without a key usage": altered(usage=Usage.ABSENT),
    "with the host among a thousand names": altered(names=(HOST,), padding=1000),
    "with a name that its CA may certify": of(LEAF, replace(CA, permitted=("example.com",))),
    "with a name that its CA may still certify": of(LEAF, replace(CA, excluded=("other.com",))),
    "with both names": altered(names=(HOST,)),
}


@pytest.mark.parametrize("chain", PROPER.values(), ids=PROPER)
def test_a_proper_csms_has_no_fault(shown, chain):
    assert list(faults_of(shown(chain))) == []


FAULTY = {
    "expired": (altered(begins=-9 * DAY, validity=-2 * DAY), {Fault.EXPIRED}),
    "not yet valid": (altered(begins=2 * DAY), {Fault.NOT_YET_VALID}),
    "expired CA": (of(LEAF, replace(CA, begins=-9 * DAY, validity=-DAY)), {Fault.EXPIRED}),
    "self-signed": (of(root=Root.NONE), {Fault.SELF_SIGNED}),
    "of a stranger": (of(root=Root.STRANGER), {Fault.NO_ROOT}),
    "of a namesake": (of(root=Root.NAMESAKE), {Fault.NAMESAKE}),
    "with a broken signature": (altered(broken=True), {Fault.NAMESAKE}),
    "without its intermediate": (of(LEAF, CA, order=Order.INCOMPLETE), {Fault.NO_ROOT}),
    "below a CA without basicConstraints": (of(LEAF, replace(CA, is_ca=None)), {Fault.NO_CA}),
    "below what is no CA": (of(LEAF, replace(CA, is_ca=False)), {Fault.NO_CA}),
    "below a leaf": (of(leaf_signs=True), {Fault.NO_CA}),
    "too deep": (
        of(LEAF, replace(CA, path_length=0), replace(CA, common_name="second")),
        {Fault.TOO_LONG},
    ),
    "named as its CA may not": (
        of(LEAF, replace(CA, permitted=("other.com",))),
        {Fault.NOT_ALLOWED},
    ),
    "named as its CA must not": (
        of(LEAF, replace(CA, excluded=("example.com",))),
        {Fault.NOT_ALLOWED},
    ),
    "not understood": (altered(unknown_critical=True), {Fault.NOT_UNDERSTOOD}),
    "for clients": (altered(extended=("clientAuth",)), {Fault.PURPOSE}),
    "for signing certificates": (altered(usage=Usage.CERT_SIGN_ONLY), {Fault.PURPOSE}),
    "weak": (altered(key=KeyKind.RSA_1024), {Fault.SHORT_KEY}),
    "weak on a curve": (altered(key=KeyKind.EC_P192), {Fault.SHORT_KEY}),
    "below a weak CA": (of(LEAF, replace(CA, key=KeyKind.RSA_1024)), {Fault.SHORT_KEY}),
    "signed with SHA-1": (altered(digest=Digest.SHA1), {Fault.WEAK_HASH}),
    "signed with MD5": (of(replace(LEAF, digest=Digest.MD5), RSA_CA), {Fault.WEAK_HASH}),
    "below a CA signed with MD5": (
        of(LEAF, RSA_CA, replace(CA, common_name="md5", digest=Digest.MD5)),
        {Fault.WEAK_HASH},
    ),
    "another host": (altered(common_name="other.com"), {Fault.OTHER_NAME}),
    "without a name": (altered(common_name=None), {Fault.OTHER_NAME}),
    "a wildcard": (altered(common_name="*.example.com"), {Fault.WILDCARD}),
}  # fmt: skip


@pytest.mark.parametrize(("chain", "faults"), FAULTY.values(), ids=FAULTY)
def test_each_fault_is_seen_and_is_the_only_one(shown, chain, faults):
    assert set(faults_of(shown(chain))) == faults


@pytest.mark.parametrize(("chain", "faults"), FAULTY.values(), ids=FAULTY)
def test_whoever_overlooks_its_fault_trusts_a_csms_and_nobody_else_does(shown, chain, faults):
    assert why_untrusted(shown(chain)) in faults
    assert why_untrusted(shown(chain), overlooked=faults) == ""
    assert why_untrusted(shown(chain), overlooked=set(Fault) - faults) in faults


def test_the_clock_of_the_station_decides(shown):
    later = shown(of(), now=NOW + timedelta(days=366))
    assert why_untrusted(later) == Fault.EXPIRED


def test_a_certificate_that_is_installed_itself_is_trusted(shown, authority):
    pinned = authority.issue(of()).certificate.decode()
    assert why_untrusted(shown(of(), roots=(pinned,))) == ""


def test_a_root_may_be_signed_in_any_way_but_not_be_expired(mint):
    weak = mint("root", ca=True, digest=hashes.SHA224())
    leaf = mint(HOST, issuer=weak)
    assert why_untrusted(Shown((leaf.der, weak.der), HOST, (weak.pem,), NOW)) == ""
    old = mint("root", ca=True, days=(-9, -1))
    leaf = mint(HOST, issuer=old)
    assert why_untrusted(Shown((leaf.der,), HOST, (old.pem,), NOW)) == Fault.EXPIRED


def test_without_a_certificate_or_a_root_nobody_is_trusted(shown):
    assert why_untrusted(shown(of(), chain=())) == Fault.NO_CERTIFICATE
    assert why_untrusted(shown(of(), roots=())) == Fault.NO_ROOT


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=3))
def test_garbage_is_not_trusted(shown, garbage):
    assert why_untrusted(shown(of(), chain=tuple(garbage))) != ""


@given(st.data())
def test_a_damaged_chain_is_not_trusted(shown, data):
    whole = shown(of())
    der = bytearray(whole.chain[0])
    place = data.draw(st.integers(0, len(der) - 1))
    der[place] ^= data.draw(st.integers(1, 255))
    assert why_untrusted(replace(whole, chain=(bytes(der),))) != ""


def test_a_hundred_certificates_of_one_name_do_not_take_for_ever(mint):
    many = [mint("one", ca=True, serial=secrets.randbelow(2**60) + 1) for _ in range(100)]
    looked = Shown(tuple(one.der for one in many), "one", (), NOW)
    assert why_untrusted(looked) != ""


# --- the name ---------------------------------------------------------------------------------------------

DNS, IP = x509.DNSName, x509.IPAddress
OTHER, NOT_THERE, WILD = Fault.OTHER_NAME, Fault.NOT_AN_ALTERNATIVE, Fault.WILDCARD


@pytest.mark.parametrize(
    ("name", "names", "host", "faults"),
    [
        ("csms.test", (), "csms.test", []),
        ("CSMS.test", (), "csms.TEST.", []),
        ("csms.test", (DNS("csms.test"),), "csms.test", []),
        ("other.test", (), "csms.test", [OTHER]),
        ("other.test", (DNS("csms.test"),), "csms.test", [OTHER]),
        ("csms.test", (DNS("other.test"),), "csms.test", [NOT_THERE]),
        ("localhost", (DNS("localhost"), IP(ip_address("127.0.0.1"))), "127.0.0.1", []),
        (None, (DNS("csms.test"),), "csms.test", [OTHER]),
        ("*.test", (), "csms.test", [WILD]),
        ("*", (), "csms.test", [WILD, OTHER]),
        ("c*.test", (), "csms.test", [WILD, OTHER]),
        ("*.*", (), "csms.test", [WILD, OTHER]),
        ("csms.test", (DNS("csms.test"), DNS("*.test")), "csms.test", [WILD]),
        ("csms.test\0.evil.test", (), "csms.test", [OTHER]),
        ("csms.test.", (), "csms.test", [OTHER]),
        ("csms.test.evil.test", (), "csms.test", [OTHER]),
        ("evil-csms.test", (), "csms.test", [OTHER]),
        ("OCPPFUZZ0001", (), "csms.test", [OTHER]),
    ],
)
def test_the_csms_is_known_by_its_common_name(mint, name, names, host, faults):
    assert list(faults_of_name(mint(name, names=names).x509, host)) == faults


@pytest.mark.parametrize(
    ("host", "fits"), [("a.csms.test", True), ("a.b.csms.test", False), ("csms.test", False)]
)
def test_a_wildcard_is_taken_for_one_label_where_it_is_allowed(mint, host, fits):
    leaf = mint("*.csms.test").x509
    assert (list(faults_of_name(leaf, host, allow_wildcards=True)) == []) is fits
