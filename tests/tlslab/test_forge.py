from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from hypothesis import given, settings, strategies as st

from tlslab import der, forge
from tlslab.describe import DAY, SKEW, Description, Digest, KeyKind, Usage
from tlslab.forge import Signer, Undescribable
from tlslab.keys import new_key

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
RSA_KEY = new_key(KeyKind.RSA_2048)
EC_KEY = new_key(KeyKind.EC_P256)
LEAF_KEYS = {kind: new_key(kind) for kind in (KeyKind.EC_P256, KeyKind.RSA_2048)}
ROOT = Description("root", is_ca=True)
PROPER = Description("csms.test", names=("csms.test",), serial_number=7)
NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=16)
HOSTS = st.from_regex(r"[a-z]{1,20}(\.[a-z]{1,20}){0,2}", fullmatch=True)

FIELDS = ("version", "serial", "algorithm", "issuer", "validity", "subject", "key")
EXTENSIONS = {
    "2.5.29.14": "key identifier",
    "2.5.29.15": "keyUsage",
    "2.5.29.17": "subjectAltName",
    "2.5.29.19": "basicConstraints",
    "2.5.29.30": "nameConstraints",
    "2.5.29.31": "CRL",
    "2.5.29.35": "issuer's key identifier",
    "2.5.29.37": "extendedKeyUsage",
    "1.3.6.1.5.5.7.1.1": "OCSP",
    forge.UNKNOWN: "unknown",
}
BY_OID = {der.oid(dotted): name for dotted, name in EXTENSIONS.items()}

FAULTS = {
    "common_name": ("\0", {"subject"}),
    "organization": (None, {"subject"}),
    "key": (KeyKind.RSA_2048, {"key", "key identifier", "keyUsage"}),
    "is_ca": (None, {"basicConstraints"}),
    "names": ((), {"subjectAltName"}),
    "validity": (-2 * DAY, {"not after"}),
    "serial_number": (-7, {"serial"}),
    "begins": (2 * DAY, {"not before"}),
    "path_length": (0, {"basicConstraints"}),
    "usage": (Usage.ABSENT, {"keyUsage"}),
    "extended": (("clientAuth",), {"extendedKeyUsage"}),
    "digest": (Digest.SHA1, {"algorithm"}),
    "permitted": (("other.test",), {"nameConstraints"}),
    "excluded": (("csms.test",), {"nameConstraints"}),
    "unknown_critical": (True, {"unknown"}),
    "padding": (3, {"subjectAltName"}),
    "broken": (True, set()),
    "crl": ("http://crl.test", {"CRL"}),
    "ocsp": ("http://ocsp.test", {"OCSP"}),
}


def signer(key):
    return Signer(forge.subject(ROOT), forge.key_identifier(key.public_key()), key)


def made(description, key=EC_KEY, *, issues=False):
    public = LEAF_KEYS[description.key].public_key()
    return forge.certificate(description, public, by=signer(key), now=NOW, issues=issues)


def parts(certificate):
    """A certificate, field by field, without its signature."""
    tbs, algorithm, _ = der.inside(certificate)
    *first, extensions = der.inside(tbs)
    found = dict(zip(FIELDS, first, strict=True))
    found["not before"], found["not after"] = der.inside(found.pop("validity"))
    assert found["algorithm"] == algorithm
    for extension in der.inside(der.inside(extensions)[0]):
        found[BY_OID[der.inside(extension)[0]]] = extension
    return found


def differing(one, other):
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def test_a_fault_is_known_for_every_field_of_a_description():
    assert FAULTS.keys() == {f.name for f in fields(Description)}


@pytest.mark.parametrize("field", FAULTS)
def test_a_faulty_description_differs_from_the_proper_one_in_that_field_only(field):
    proper = replace(PROPER, is_ca=True) if field == "path_length" else PROPER
    value, expected = FAULTS[field]
    bad = made(replace(proper, **{field: value}))
    assert differing(parts(bad), parts(made(proper))) == expected


@given(
    common_name=NAMES,
    organization=NAMES,
    hosts=st.lists(HOSTS, max_size=3),
    begins=st.integers(-5000, 0),
    days=st.integers(1, 12_000),
    serial_number=st.integers(1, 2**159 - 1),
    kind=st.sampled_from(sorted(LEAF_KEYS)),
    is_ca=st.booleans(),
)
@settings(max_examples=40)
def test_a_proper_description_gives_what_the_builder_of_cryptography_gives(
    common_name, organization, hosts, begins, days, serial_number, kind, is_ca
):
    description = Description(
        common_name,
        organization,
        kind,
        is_ca=is_ca,
        names=tuple(hosts),
        begins=begins * DAY,
        validity=days * DAY,
        serial_number=serial_number,
    )
    public = LEAF_KEYS[kind].public_key()
    usage = ["key_cert_sign", "crl_sign"] if is_ca else ["digital_signature"]
    if kind is KeyKind.RSA_2048 and not is_ca:
        usage.append("key_encipherment")
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(organization, common_name))
        .issuer_name(_name("ocppfuzz lab", "root"))
        .public_key(public)
        .serial_number(serial_number)
        .not_valid_before(NOW + begins * DAY)
        .not_valid_after(NOW + days * DAY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(_usage(usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(RSA_KEY.public_key()), critical=False
        )
    )
    if hosts:
        names = [x509.DNSName(host) for host in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    expected = builder.sign(RSA_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    assert made(description, RSA_KEY, issues=is_ca) == expected


def _name(organization, common_name):
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(bits):
    words = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{word: word in bits for word in words})


def test_a_certificate_of_the_oldest_kind_is_read_too():
    issuer = forge.certificate(ROOT, EC_KEY.public_key(), by=signer(EC_KEY), now=NOW, issues=True)
    tbs, *rest = der.inside(issuer)
    bare = der.tlv(der.SEQUENCE, der.tlv(der.SEQUENCE, *der.inside(tbs)[1:7]), *rest)
    for read in (forge.subject_of, forge.issuer_of, forge.key_of):
        assert read(bare) == read(issuer)
    assert forge.subject_of(issuer) == forge.subject(ROOT)
    assert forge.issuer_of(made(PROPER)) == forge.subject(ROOT)


@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY], ids=["rsa", "ec"])
@pytest.mark.parametrize("broken", [False, True])
def test_only_a_broken_signature_does_not_verify(key, broken):
    issuer = forge.certificate(ROOT, key.public_key(), by=signer(key), now=NOW, issues=True)
    leaf = x509.load_der_x509_certificate(made(replace(PROPER, broken=broken), key))
    if broken:
        with pytest.raises(InvalidSignature):
            leaf.verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
    else:
        leaf.verify_directly_issued_by(x509.load_der_x509_certificate(issuer))


@pytest.mark.parametrize(
    ("digest", "expected"), [(Digest.MD5, "md5"), (Digest.SHA1, "sha1"), (Digest.SHA384, "sha384")]
)
def test_a_weak_or_stronger_hash_is_what_the_certificate_says(digest, expected):
    read = x509.load_der_x509_certificate(made(replace(PROPER, digest=digest), RSA_KEY))
    assert read.signature_hash_algorithm.name == expected


def test_there_is_no_ecdsa_with_md5():
    with pytest.raises(Undescribable, match="RSA CA"):
        made(replace(PROPER, digest=Digest.MD5), EC_KEY)


def test_a_name_may_be_whatever_is_described():
    hidden = made(
        replace(PROPER, common_name="csms.test\0.evil.test", names=("csms.test\0.evil.test",))
    )
    found = parts(hidden)
    assert b"csms.test\0.evil.test" in found["subject"]
    assert b"csms.test\0.evil.test" in found["subjectAltName"]
    empty = parts(made(replace(PROPER, common_name=None, organization=None)))
    assert empty["subject"] == b"\x30\x00"
    long = parts(made(replace(PROPER, common_name="x" * 10_000)))
    assert len(long["subject"]) > 10_000


def test_an_address_becomes_an_ip_address():
    read = x509.load_der_x509_certificate(
        made(replace(PROPER, names=("192.0.2.1", "::1", "a.test")))
    )
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1", "::1"]
    assert names.get_values_for_type(x509.DNSName) == ["a.test"]


def test_padding_is_names_of_200_characters_that_leave_the_own_name_in_place():
    read = x509.load_der_x509_certificate(made(replace(PROPER, names=(), padding=1000)))
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    first, *rest = names.get_values_for_type(x509.DNSName)
    assert first == "csms.test"
    assert len(set(rest)) == 1000
    assert {len(name) for name in rest} == {200}
    assert max(len(label) for name in rest for label in name.split(".")) <= 63


def test_validity_may_end_before_it_begins():
    never = parts(made(replace(PROPER, begins=2 * DAY, validity=-2 * DAY)))
    assert never["not before"] == der.moment(NOW + 2 * DAY)
    assert never["not after"] == der.moment(NOW - 2 * DAY)


@pytest.mark.parametrize(
    ("usage", "issues", "expected"),
    [
        (Usage.PROPER, False, {"digital_signature", "key_encipherment"}),
        (Usage.PROPER, True, {"key_cert_sign", "crl_sign"}),
        (Usage.NO_SIGNATURE, False, {"key_encipherment"}),
        (Usage.NO_ENCIPHERMENT, False, {"digital_signature"}),
        (Usage.CERT_SIGN_ONLY, False, {"key_cert_sign"}),
        (Usage.NO_CERT_SIGN, True, {"crl_sign"}),
    ],
)
def test_the_key_usage_of_an_rsa_key_is_the_described_one(usage, issues, expected):
    certificate = made(replace(PROPER, key=KeyKind.RSA_2048, usage=usage), issues=issues)
    read = x509.load_der_x509_certificate(certificate).extensions
    found = read.get_extension_for_class(x509.KeyUsage).value
    assert found == _usage(expected)


def test_a_default_begins_a_little_in_the_past():
    assert parts(made(PROPER))["not before"] == der.moment(NOW - SKEW)
    assert timedelta(0) < SKEW < DAY
