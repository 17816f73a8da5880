from __future__ import annotations

import pytest

from tlslab.suites import (
    OLDER_SUITES,
    SIGNALS,
    SUITES,
    TLS_1_3_SUITES,
    code_of,
    forbidden,
    legacy,
    openssl_name,
    openssl_names,
    suite,
    suite_name,
)

OCPP = (0xC02B, 0xC02C, 0x009C, 0x009D)


def test_there_is_one_name_for_each_number() -> None:
    assert len(SUITES) > 340
    assert len(set(SUITES.values())) == len(SUITES)
    assert list(SUITES) == sorted(SUITES)


def test_signals_are_no_suites_but_have_names() -> None:
    assert not set(SIGNALS) & set(SUITES)
    assert suite_name(0x5600) == "TLS_FALLBACK_SCSV"


def test_no_probe_list_holds_a_signal() -> None:
    assert not {*TLS_1_3_SUITES, *OLDER_SUITES} & set(SIGNALS)
    assert TLS_1_3_SUITES == (0x1301, 0x1302, 0x1303, 0x1304, 0x1305)


def test_what_is_not_known_is_shown_as_a_number() -> None:
    assert suite_name(0xC0FF) == suite(0xC0FF).name == "0xC0FF"
    assert forbidden(0xC0FF) == legacy(0xC0FF) == ""
    assert not suite(0xC0FF).is_tls13


@pytest.mark.parametrize("code", OCPP)
def test_the_suites_of_ocpp_are_fit_for_use(code: int) -> None:
    assert forbidden(code) == legacy(code) == ""


@pytest.mark.parametrize(
    ("code", "name", "facts"),
    [
        (0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", {"forward_secret", "ecdsa"}),
        (0x009C, "TLS_RSA_WITH_AES_128_GCM_SHA256", {"is_static_rsa", "rsa"}),
        (0x0005, "TLS_RSA_WITH_RC4_128_SHA", {"is_static_rsa", "is_rc4", "rsa"}),
        (0x0004, "TLS_RSA_WITH_RC4_128_MD5", {"is_static_rsa", "is_rc4", "is_md5", "rsa"}),
        (0x003B, "TLS_RSA_WITH_NULL_SHA256", {"is_static_rsa", "is_null", "rsa"}),
        (0x0009, "TLS_RSA_WITH_DES_CBC_SHA", {"is_static_rsa", "is_des", "is_cbc_sha1", "rsa"}),
        (0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", {"is_static_rsa", "is_3des", "is_cbc_sha1", "rsa"}),
        (0x0014, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", {"is_export", "is_des", "is_cbc_sha1", "forward_secret", "rsa"}),
        (0x0018, "TLS_DH_anon_WITH_RC4_128_MD5", {"is_anonymous", "is_rc4", "is_md5", "forward_secret", "none"}),
        (0xC018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", {"is_anonymous", "is_cbc_sha1", "forward_secret", "none"}),
        (0xC004, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", {"is_static_dh", "is_cbc_sha1", "ecdsa"}),
        (0x0031, "TLS_DH_RSA_WITH_AES_128_CBC_SHA", {"is_static_dh", "is_cbc_sha1", "rsa"}),
        (0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", {"is_cbc_sha1", "forward_secret", "dss"}),
        (0x0094, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA", {"is_static_rsa", "is_cbc_sha1", "psk"}),
        (0x001E, "TLS_KRB5_WITH_DES_CBC_SHA", {"is_des", "is_cbc_sha1", "krb5"}),
        (0x1301, "TLS_AES_128_GCM_SHA256", {"is_tls13", "forward_secret", "any"}),
        (0xC0B4, "TLS_SHA256_SHA256", {"is_tls13", "is_null", "forward_secret", "any"}),
        (0xC0AE, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", {"forward_secret", "ecdsa"}),
    ],
)  # fmt: skip
def test_facts_of_a_suite_are_read_from_its_name(code: int, name: str, facts: set[str]) -> None:
    found = suite(code)
    flags = {n for n in dir(found) if n.startswith("is_") or n == "forward_secret"}
    assert found.name == name
    assert {n for n in flags if getattr(found, n)} | {found.auth} == facts


def test_every_older_suite_says_how_the_server_proves_itself() -> None:
    assert [suite(c).name for c in OLDER_SUITES if not suite(c).auth] == []


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (0x003B, "encrypts nothing"),
        (0xC018, "not authenticated"),
        (0x0014, "export"),
        (0x0005, "RC4"),
        (0x0009, "DES"),
        (0x0022, "DES"),
        (0x0025, "MD5"),
        (0x0000, "encrypts nothing"),
    ],
)
def test_unfit_suites_say_why(code: int, why: str) -> None:
    assert why in forbidden(code)
    assert legacy(code) == ""


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (0x000A, "3DES"),
        (0xC004, "never changes"),
        (0xC013, "SHA-1"),
        (0x003C, "no forward secrecy"),
    ],
)
def test_old_suites_say_why(code: int, why: str) -> None:
    assert forbidden(code) == ""
    assert why in legacy(code)


def test_names_go_both_ways() -> None:
    assert openssl_name(0xC02B) == "ECDHE-ECDSA-AES128-GCM-SHA256"
    assert openssl_name(0x0005) is None
    for code, name in openssl_names().items():
        assert code_of(name) == code_of(suite_name(code)) == code
    assert code_of("nonsense") is None


def test_scapy_has_the_same_names() -> None:
    from scapy.layers.tls.crypto.suites import _tls_cipher_suites as theirs

    # Its names of the first four are not IANA's; the others are drafts that RFC 7905 gave other numbers.
    odd = {0x0026, 0x0029, 0xC0AA, 0xC0AB, 0xCC13, 0xCC14, 0xCC15}
    shared = (theirs.keys() & SUITES.keys()) - odd
    assert len(shared) > 250
    assert {code: SUITES[code] for code in shared} == {code: theirs[code] for code in shared}
