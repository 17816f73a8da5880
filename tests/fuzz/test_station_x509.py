from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, strategies as st

from fuzz.station.x509 import (
    HASH_ALGORITHMS,
    MAX_CHAIN,
    BadCertificate,
    hash_data,
    is_signed_by,
    key_fits,
    load_bundle,
    load_chain,
    load_der,
    load_key,
    new_key,
    signing_request,
    why_no_path,
    why_no_root,
    why_not_now,
    why_not_own,
    why_weak,
)
from tlslab.authority import Authority
from tlslab.describe import Chain, Description, Usage
from tlslab.pki import issue

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def root(mint):
    return mint("root", ca=True)


def look_at_everything(chain):
    """Every check there is; only BadCertificate may come out of any."""
    leaf = chain[0]
    for check in (
        lambda: why_no_root(leaf, NOW),
        lambda: why_weak(leaf),
        lambda: why_not_own(leaf, organization="o", serial="s"),
        lambda: why_no_path(chain, chain, NOW),
        lambda: hash_data(leaf, leaf, "SHA384"),
        lambda: is_signed_by(leaf, leaf),
    ):
        try:
            check()
        except BadCertificate:
            continue


# --- garbage ----------------------------------------------------------------------------------------------


@given(st.text() | st.text().map(lambda t: f"-----BEGIN CERTIFICATE-----\n{t}\n-----END"))
def test_no_text_raises_anything_but_bad_certificate(text):
    with pytest.raises(BadCertificate):
        load_chain(text)


@cache
def _der(mint):
    return mint("root", ca=True, names=(x509.DNSName("a.test"),)).der


@given(st.data())
def test_no_damaged_certificate_raises_anything_but_bad_certificate(mint, data):
    der = bytearray(_der(mint))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    try:
        chain = load_der([bytes(der)])
    except BadCertificate:
        return
    look_at_everything(chain)


def test_a_lone_surrogate_is_no_certificate():
    with pytest.raises(BadCertificate):
        load_chain("\ud800")


def test_a_chain_is_bounded_and_a_file_of_an_operator_is_not(root):
    many = root.pem * (MAX_CHAIN + 1)
    assert len(load_bundle(many)) == MAX_CHAIN + 1
    with pytest.raises(BadCertificate, match="too many"):
        load_chain(many)


def test_a_chain_holds_certificates_and_nothing_else(root):
    for other in (root.key, root.pem.replace("CERTIFICATE", "PKCS7")):
        for text in (root.pem + other, other + root.pem, other):
            with pytest.raises(BadCertificate):
                load_chain(text)
    assert load_chain(root.pem.replace("\n", "\r\n")) == (root.x509,)


def test_a_key_is_read_and_anything_else_is_not():
    assert isinstance(load_key(new_key(elliptic=True)), ec.EllipticCurvePrivateKey)
    for text in ("", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(BadCertificate):
            load_key(text)


# --- single checks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("private", "reason"),
    [
        (rsa.generate_private_key(65537, 1024), "the key is too short"),
        (ec.generate_private_key(ec.SECP192R1()), "the key is too short"),
        (ec.generate_private_key(ec.SECP224R1()), ""),
        (ec.generate_private_key(ec.SECP384R1()), ""),
    ],
)
def test_a_short_key_is_weak(mint, private, reason):
    assert why_weak(mint(private=private).x509) == reason


def test_a_key_that_is_neither_rsa_nor_ec_is_refused(mint, root):
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    assert "neither" in why_weak(mint(public=other, issuer=root).x509)


def test_a_weak_hash_is_weak(mint):
    private = rsa.generate_private_key(65537, 2048)
    assert why_weak(mint(private=private, digest=hashes.SHA224()).x509) == (
        "the signature is made with a weak hash"
    )
    assert why_weak(mint(private=private).x509) == ""


def test_validity_includes_both_of_its_ends(mint):
    leaf = mint(days=(0, 1)).x509
    assert why_not_now(leaf, NOW) == why_not_now(leaf, NOW + timedelta(1)) == ""
    assert why_not_now(leaf, NOW - timedelta(seconds=1)) == "not yet valid"
    assert why_not_now(leaf, NOW + timedelta(1, 1)) == "expired"


# --- roots ------------------------------------------------------------------------------------------------


def test_a_proper_root_can_be_installed(root):
    assert why_no_root(root.x509, NOW) == ""


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"days": (-9, -1)}, "expired"),
        ({"days": (1, 9)}, "not yet valid"),
        ({"ca": False}, "not a CA"),
        ({"signs": False}, "not a CA"),
        ({"digest": hashes.SHA224()}, "the signature is made with a weak hash"),
        (
            {"critical": x509.PolicyConstraints(0, None)},
            "a critical extension is not understood",
        ),
    ],
)
def test_an_improper_root_cannot_be_installed(mint, wrong, reason):
    assert why_no_root(mint("root", **{"ca": True, **wrong}).x509, NOW) == reason


# --- paths ------------------------------------------------------------------------------------------------


def test_paths_of_any_length_lead_to_the_root(mint, root):
    issuer, chain = root, []
    for number in range(4):
        chain.insert(0, mint("leaf", issuer=issuer).x509)
        assert why_no_path(chain, [root.x509], NOW) == ""
        issuer = mint(f"ca {number}", issuer=issuer, ca=True)
        chain[0] = issuer.x509


def test_the_root_itself_may_end_the_chain(mint, root):
    leaf = mint(issuer=root)
    assert why_no_path([leaf.x509, root.x509], [root.x509], NOW) == ""


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"ca": False}, "a certificate of the chain is no CA"),
        ({"days": (-9, -1)}, "expired"),
        ({"digest": hashes.SHA224()}, "the signature is made with a weak hash"),
        (
            {"critical": x509.NameConstraints([x509.DNSName("a")], None)},
            "a critical extension is not understood",
        ),
    ],
)
def test_a_bad_certificate_in_the_middle_breaks_the_path(mint, root, wrong, reason):
    middle = mint("middle", issuer=root, **{"ca": True, **wrong})
    chain = [mint(issuer=middle).x509, middle.x509]
    assert why_no_path(chain, [root.x509], NOW) == reason


def test_a_path_length_counts(mint):
    root = mint("root", ca=True, length=0)
    middle = mint("middle", issuer=root, ca=True)
    leaf = mint(issuer=middle)
    assert why_no_path([mint(issuer=root).x509], [root.x509], NOW) == ""
    assert why_no_path([leaf.x509, middle.x509], [root.x509], NOW) != ""


def test_a_stranger_a_wrong_order_and_a_forgery_lead_nowhere(mint, root):
    middle = mint("middle", issuer=root, ca=True)
    leaf = mint(issuer=middle)
    namesake = mint("root", ca=True)
    assert (
        why_no_path([leaf.x509, middle.x509], [namesake.x509], NOW) == "no installed root signed it"
    )
    assert why_no_path([middle.x509, leaf.x509], [root.x509], NOW) == "the chain is not in order"
    assert why_no_path([leaf.x509], [root.x509], NOW) == "no installed root signed it"
    assert why_no_path([leaf.x509, middle.x509], [], NOW) == "no installed root signed it"


# --- the station's own ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"organization": "other"}, "another organizationName"),
        ({"organization": None}, "another organizationName"),
        ({"name": "other"}, "another commonName"),
        ({"name": None}, "another commonName"),
        ({"ca": True}, "a CA certificate"),
        ({"signs": True}, "a CA certificate"),
    ],
)
def test_the_own_certificate_names_the_owner_and_the_station(mint, root, changes, reason):
    leaf = mint(**{"name": "SN1", "issuer": root, **changes}).x509
    assert why_not_own(leaf, organization="ocppfuzz-lab", serial="SN1") == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"extended": ("clientAuth",)}, ""),
        ({"extended": ("serverAuth", "clientAuth")}, ""),
        ({"extended": ("serverAuth",)}, "not for a TLS client"),
        ({"usage": Usage.ABSENT}, ""),
        ({"usage": Usage.NO_SIGNATURE}, "not for a TLS client"),
    ],
)
def test_the_own_certificate_must_do_for_a_handshake(changes, reason):
    made = issue(Description("SN1", organization="ocppfuzz-lab", is_ca=True), now=NOW)
    leaf = Authority(made, now=lambda: NOW).issue(
        Chain(Description("SN1", organization="ocppfuzz-lab", **changes))
    )
    assert why_not_own(leaf.x509, organization="ocppfuzz-lab", serial="SN1") == reason


@pytest.mark.parametrize("serial", ["10.0.0.1", "::1", "station.example.com", "https://x"])
def test_a_serial_number_like_an_address_is_refused(mint, serial):
    leaf = mint(serial).x509
    assert "format" in why_not_own(leaf, organization="ocppfuzz-lab", serial=serial)


# --- naming and making ------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", HASH_ALGORITHMS)
def test_hash_data_are_those_of_ocsp(mint, root, algorithm):
    leaf = mint(issuer=root, serial=0x0A1).x509
    digest = hashes.Hash(
        {"SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}[algorithm]
    )
    digest.update(root.x509.subject.public_bytes())
    data = hash_data(leaf, root.x509, algorithm)
    assert data["issuerNameHash"] == digest.finalize().hex()
    assert data["serialNumber"] == "a1"
    assert len(data["issuerKeyHash"]) == len(data["issuerNameHash"])


@pytest.mark.parametrize("elliptic", [True, False])
def test_a_signing_request_names_owner_and_station_and_fits_its_key(mint, root, elliptic):
    key = new_key(elliptic=elliptic)
    request = x509.load_pem_x509_csr(signing_request(key, organization="Ö", serial="SN").encode())
    assert request.is_signature_valid
    assert [(n.oid, n.value) for n in request.subject] == [
        (NameOID.ORGANIZATION_NAME, "Ö"),
        (NameOID.COMMON_NAME, "SN"),
    ]
    signed = mint(public=request.public_key(), issuer=root).x509
    assert key_fits(signed, key)
    assert not key_fits(signed, new_key(elliptic=True))
    assert why_weak(signed) == ""


@given(st.text(max_size=70))
def test_an_organization_that_no_name_can_hold_is_told(organization):
    try:
        signing_request(KEY, organization=organization, serial="SN")
    except BadCertificate:
        assert organization != "ocppfuzz-lab"


KEY = new_key(elliptic=True)
