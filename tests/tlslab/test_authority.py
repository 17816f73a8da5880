from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from hypothesis import given, settings, strategies as st

from tlslab.authority import Authority
from tlslab.describe import DAY, Chain, Description, KeyKind, Order, Root
from tlslab.forge import Undescribable
from tlslab.pki import Credential, LabError, issue, load_key
from tlslab.request import requested

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOST = "csms.test"
LEAF = Description(HOST, names=(HOST,))
UPPER, LOWER = Description("upper", is_ca=True), Description("lower", is_ca=True)
ROOT = issue(Description("root", is_ca=True, validity=3650 * DAY), now=NOW)
AUTHORITY = Authority(ROOT, now=lambda: NOW)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.time = NOW

    def __call__(self):
        return self.time


def names(*certificates):
    """The commonName of each."""
    read = [x509.load_pem_x509_certificate(c) for c in certificates]
    return [c.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value for c in read]


def public(certificate):
    """The key of a certificate, as bytes."""
    return (
        x509.load_pem_x509_certificate(certificate)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def shown(credential):
    return names(credential.certificate, *credential.chain)


def trusted(credential, root=ROOT):
    """Whether a verifier that nobody here wrote takes it."""
    verifier = (
        PolicyBuilder()
        .store(Store([root.x509]))
        .time(NOW)
        .max_chain_depth(20)
        .build_server_verifier(x509.DNSName(HOST))
    )
    between = [x509.load_pem_x509_certificate(c) for c in credential.chain]
    try:
        verifier.verify(credential.x509, between)
    except VerificationError:
        return False
    return True


def csr(key, *, common_name="SN-7", organization="CSO"):
    fields = (
        (NameOID.ORGANIZATION_NAME, organization),
        (NameOID.COMMON_NAME, common_name),
    )
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in fields if text])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.PROPER, [HOST, "lower", "upper"]),
        (Order.REVERSED, [HOST, "root", "upper", "lower"]),
        (Order.WITH_ROOT, [HOST, "lower", "upper", "root"]),
        (Order.WITH_STRANGERS, [HOST, "lower", "upper", "ocppfuzz unknown root"]),
        (Order.INCOMPLETE, [HOST]),
        (Order.DOUBLED, [HOST, HOST, "lower", "upper"]),
        (Order.LEAF_LAST, ["upper", "lower", HOST]),
        (Order.NO_LEAF, ["lower", "upper"]),
    ],
)
def test_what_is_shown_comes_in_the_described_order(order, expected):
    made = AUTHORITY.issue(Chain(LEAF, (UPPER, LOWER), order=order))
    assert shown(made) == expected
    assert made.presented == b"".join((made.certificate, *made.chain))


@pytest.mark.parametrize(
    ("chain", "accepted"),
    [
        (Chain(LEAF), True),
        (Chain(LEAF, (UPPER, LOWER)), True),
        (Chain(LEAF, (UPPER, LOWER), order=Order.WITH_ROOT), True),
        (Chain(LEAF, (UPPER, LOWER), order=Order.INCOMPLETE), False),
        (Chain(LEAF, (replace(UPPER, path_length=1), LOWER)), True),
        (Chain(LEAF, (replace(UPPER, path_length=0), LOWER)), False),
        (Chain(LEAF, (replace(UPPER, is_ca=False),)), False),
        (Chain(LEAF, (replace(UPPER, permitted=(HOST,)),)), True),
        (Chain(LEAF, (replace(UPPER, permitted=("other.test",)),)), False),
        (Chain(LEAF, (replace(UPPER, excluded=(HOST,)),)), False),
        (Chain(LEAF, (replace(UPPER, broken=True),)), False),
        (Chain(LEAF, leaf_signs=True), False),
        (Chain(LEAF, root=Root.STRANGER), False),
        (Chain(LEAF, root=Root.NAMESAKE), False),
        (Chain(LEAF, root=Root.NONE), False),
        (Chain(replace(LEAF, validity=-2 * DAY, begins=-3 * DAY)), False),
        (Chain(replace(LEAF, unknown_critical=True)), False),
    ],
)
def test_a_foreign_verifier_takes_the_proper_chains_only(chain, accepted):
    assert trusted(AUTHORITY.issue(chain)) is accepted


def test_ten_cas_below_each_other_are_a_proper_chain():
    cas = tuple(Description(f"ca {number}", is_ca=True) for number in range(10))
    made = AUTHORITY.issue(Chain(LEAF, cas))
    assert shown(made) == [HOST, *(f"ca {number}" for number in reversed(range(10)))]
    assert trusted(made)


def test_a_chain_can_be_larger_than_100_kb():
    made = AUTHORITY.issue(Chain(replace(LEAF, padding=500)))
    assert 100_000 < len(made.der) < 120_000
    assert trusted(made)


def test_a_namesake_differs_from_the_trusted_root_in_its_key_alone():
    shown_root = AUTHORITY.issue(Chain(LEAF, root=Root.NAMESAKE, order=Order.WITH_ROOT)).chain[-1]
    namesake = x509.load_pem_x509_certificate(shown_root)
    identifier = x509.SubjectKeyIdentifier
    same = [
        (c.subject, c.issuer, c.extensions.get_extension_for_class(identifier).value)
        for c in (namesake, ROOT.x509)
    ]
    assert same[0] == same[1]
    assert namesake.public_key() != ROOT.x509.public_key()
    namesake.verify_directly_issued_by(namesake)
    with pytest.raises(InvalidSignature):
        namesake.verify_directly_issued_by(ROOT.x509)


def test_a_leaf_that_signs_itself_is_shown_alone():
    made = AUTHORITY.issue(Chain(LEAF, (UPPER,), root=Root.NONE))
    assert made.chain == ()
    made.x509.verify_directly_issued_by(made.x509)


@pytest.mark.parametrize("root", Root)
def test_no_two_certificates_of_a_chain_share_a_key(root):
    chain = Chain(LEAF, (UPPER, LOWER), root, Order.WITH_ROOT, leaf_signs=True)
    made = AUTHORITY.issue(chain)
    certificates = (made.certificate, *made.chain)
    assert len({public(c) for c in certificates}) == len(certificates)


@pytest.mark.parametrize(
    "other",
    [
        Chain(LEAF, (replace(UPPER, is_ca=False),)),
        Chain(LEAF, (UPPER, UPPER)),
        Chain(LEAF, (UPPER,), Root.STRANGER),
        Chain(LEAF, (UPPER,), Root.NAMESAKE),
    ],
)
def test_a_faulty_ca_shares_no_key_with_a_proper_one(other):
    proper, faulty = AUTHORITY.issue(Chain(LEAF, (UPPER,))), AUTHORITY.issue(other)
    assert public(proper.chain[0]) != public(faulty.chain[0])


def test_the_key_is_the_leaf_s_and_is_not_told():
    made = AUTHORITY.issue(Chain(LEAF))
    assert load_key(made.key).public_key() == made.x509.public_key()
    assert made.key.decode() not in repr(made)
    assert "PRIVATE" not in repr(made)


@pytest.mark.parametrize(
    ("kind", "elliptic"),
    [(KeyKind.EC_P384, True), (KeyKind.RSA_1024, False), (KeyKind.ED25519, False)],
)
def test_a_credential_knows_whether_it_signs_for_ecdsa(kind, elliptic):
    assert AUTHORITY.issue(Chain(replace(LEAF, key=kind))).elliptic is elliptic


@pytest.mark.parametrize(
    "odd", [{"serial_number": 0}, {"serial_number": -1}, {"common_name": "x" * 10_000}]
)
def test_an_odd_certificate_is_handled_without_a_warning(odd):
    made = AUTHORITY.issue(Chain(replace(LEAF, **odd)))
    assert made.elliptic
    assert not made.self_signed
    assert AUTHORITY.issue(Chain(replace(LEAF, **odd), root=Root.NONE)).self_signed


def test_md5_needs_an_rsa_ca():
    leaf = replace(LEAF, digest="md5")
    with pytest.raises(Undescribable, match="RSA CA"):
        AUTHORITY.issue(Chain(leaf))
    made = AUTHORITY.issue(Chain(leaf, (replace(UPPER, key=KeyKind.RSA_1024),)))
    assert made.x509.signature_hash_algorithm.name == "md5"


# --- memory -----------------------------------------------------------------------------------------------


def test_equal_chains_give_the_same_credential_and_others_do_not():
    authority = Authority(ROOT, now=lambda: NOW)
    first = authority.issue(Chain(LEAF, (UPPER,)))
    assert authority.issue(Chain(replace(LEAF), (replace(UPPER),))) is first
    other = authority.issue(Chain(replace(LEAF, broken=True), (UPPER,)))
    assert other.certificate != first.certificate
    assert other.key == first.key


@settings(max_examples=30)
@given(
    begins=st.integers(-3000, 3000),
    validity=st.integers(1, 30_000),
    later=st.integers(-100, 40_000),
)
def test_a_kept_chain_is_on_the_described_side_of_its_moments(begins, validity, later):
    clock = Clock()
    authority = Authority(ROOT, now=clock)
    minute = timedelta(minutes=1)
    chain = Chain(replace(LEAF, begins=begins * minute, validity=validity * minute))
    authority.issue(chain)
    clock.time = NOW + later * minute
    made = authority.issue(chain).x509
    assert (made.not_valid_before_utc > clock.time) is (begins > 0)
    assert made.not_valid_after_utc > clock.time


def test_a_clock_that_is_set_back_makes_a_kept_chain_void():
    clock = Clock()
    authority = Authority(ROOT, now=clock)
    first = authority.issue(Chain(LEAF))
    clock.time = NOW - 10 * DAY
    assert authority.issue(Chain(LEAF)) is not first


# --- a CA below the root ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def below():
    upper = issue(UPPER, now=NOW, issuer=ROOT)
    lower = issue(LOWER, now=NOW, issuer=upper)
    return Authority(Credential(ROOT.certificate, b""), now=lambda: NOW, issuer=lower)


def test_an_issuing_ca_is_shown_with_all_that_lies_above_it(below):
    made = below.issue(Chain(LEAF, (Description("mine", is_ca=True),)))
    assert shown(made) == [HOST, "mine", "lower", "upper"]
    assert trusted(made)
    assert not trusted(below.issue(Chain(LEAF, order=Order.INCOMPLETE)))


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        (Root.NAMESAKE, [HOST, "lower", "upper", "root"]),
        (Root.STRANGER, [HOST, "lower", "upper", "ocppfuzz unknown root"]),
    ],
)
def test_a_false_root_has_false_cas_of_the_same_names_below_it(below, root, expected):
    made = below.issue(Chain(LEAF, root=root, order=Order.WITH_ROOT))
    assert shown(made) == expected
    assert not trusted(made)
    top = Credential(made.chain[-1], b"")
    assert trusted(replace(made, chain=made.chain[:-1]), top)


def test_it_is_known_how_many_cas_may_lie_below(below):
    assert below.path_length is None
    upper = issue(replace(UPPER, path_length=2), now=NOW, issuer=ROOT)
    assert Authority(ROOT, now=lambda: NOW, issuer=upper).path_length == 2
    lower = issue(LOWER, now=NOW, issuer=upper)
    assert Authority(ROOT, now=lambda: NOW, issuer=lower).path_length == 1
    lowest = issue(replace(LOWER, path_length=0), now=NOW, issuer=upper)
    assert Authority(ROOT, now=lambda: NOW, issuer=lowest).path_length == 0


def test_without_any_key_nobody_can_sign():
    with pytest.raises(LabError, match="issuing CA with its key"):
        Authority(Credential(ROOT.certificate, b""), now=lambda: NOW)


# --- CSRs -------------------------------------------------------------------------------------------------

STATION_KEY = ec.generate_private_key(ec.SECP256R1())
CSR = csr(STATION_KEY)


def test_a_csr_is_signed_as_asked():
    (certificate,) = AUTHORITY.sign(CSR.decode())
    read = x509.load_pem_x509_certificate(certificate)
    read.verify_directly_issued_by(ROOT.x509)
    assert read.public_key() == STATION_KEY.public_key()
    assert read.subject.rfc4514_string() == "CN=SN-7,O=CSO"


def test_a_csr_is_signed_with_one_thing_wrong():
    proper = requested(CSR)
    (other,) = AUTHORITY.sign(CSR, Chain(replace(proper, common_name="SN-8")))
    assert x509.load_pem_x509_certificate(other).subject.rfc4514_string() == "CN=SN-8,O=CSO"
    (over,) = AUTHORITY.sign(CSR, Chain(replace(proper, begins=-3 * DAY, validity=-DAY)))
    assert x509.load_pem_x509_certificate(over).not_valid_after_utc == NOW - DAY
    (nameless,) = AUTHORITY.sign(CSR, Chain(replace(proper, common_name=None, organization=None)))
    assert x509.load_pem_x509_certificate(nameless).subject.rfc4514_string() == ""


def test_a_csr_is_signed_for_another_key():
    (certificate,) = AUTHORITY.sign(CSR, key=KeyKind.EC_P256)
    read = x509.load_pem_x509_certificate(certificate)
    read.verify_directly_issued_by(ROOT.x509)
    assert read.public_key() != STATION_KEY.public_key()
    assert read.subject.rfc4514_string() == "CN=SN-7,O=CSO"


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.PROPER, ["SN-7", "upper"]),
        (Order.LEAF_LAST, ["upper", "SN-7"]),
        (Order.NO_LEAF, ["upper"]),
        (Order.DOUBLED, ["SN-7", "SN-7", "upper"]),
        (Order.WITH_ROOT, ["SN-7", "upper", "root"]),
    ],
)
def test_a_signed_csr_comes_with_its_chain_in_the_described_order(order, expected):
    assert names(*AUTHORITY.sign(CSR, Chain(requested(CSR), (UPPER,), order=order))) == expected


def test_a_csr_cannot_be_signed_with_its_own_key():
    with pytest.raises(LabError, match="private key"):
        AUTHORITY.sign(CSR, Chain(requested(CSR), root=Root.NONE))
    (made,) = AUTHORITY.sign(CSR, Chain(requested(CSR), root=Root.NONE), key=KeyKind.EC_P256)
    read = x509.load_pem_x509_certificate(made)
    read.verify_directly_issued_by(read)


def test_a_ca_of_every_kind_of_key_can_sign():
    for kind in (KeyKind.RSA_2048, KeyKind.EC_P384, KeyKind.ED25519):
        root = issue(Description("root", is_ca=True, key=kind), now=NOW)
        authority = Authority(root, now=lambda: NOW)
        assert authority.issuer is root
        (made,) = authority.sign(CSR)
        x509.load_pem_x509_certificate(made).verify_directly_issued_by(root.x509)
