from __future__ import annotations

import pytest

from tlslab.codes import (
    ALERTS,
    ECDSA_SCHEMES,
    GROUPS,
    RSA_SCHEMES,
    SCHEMES,
    alert_name,
    group_name,
    is_grease,
    is_md5_scheme,
    is_sha1_scheme,
    is_weak_group,
    scheme_name,
    version_name,
)


def test_what_is_known_has_its_name() -> None:
    assert version_name(0x0304) == "TLSv1.3"
    assert alert_name(48) == "unknown_ca"
    assert group_name(29) == "x25519"
    assert scheme_name(0x0401) == "rsa_pkcs1_sha256"
    assert scheme_name(0x0101) == "rsa_pkcs1_md5"


def test_what_is_not_known_is_shown_as_a_number() -> None:
    assert version_name(0x0305) == "0x0305"
    assert alert_name(255) == "255"
    assert group_name(0xABCD) == "0xABCD"
    assert scheme_name(0xABCD) == "0xABCD"


@pytest.mark.parametrize("table", [ALERTS, SCHEMES, {c: n for c, (n, _) in GROUPS.items()}])
def test_no_two_numbers_share_a_name(table: dict[int, str]) -> None:
    assert len(set(table.values())) == len(table)


@pytest.mark.parametrize(
    ("code", "weak"),
    [(19, True), (1, True), (21, False), (23, False), (29, False), (256, False), (0x0A0A, False)],
)
def test_groups_below_224_bits_are_weak(code: int, weak: bool) -> None:
    assert is_weak_group(code) is weak


def test_old_hashes_are_told_apart() -> None:
    assert [c for c in SCHEMES if is_md5_scheme(c)] == [0x0101, 0x0102, 0x0103]
    assert [c for c in SCHEMES if is_sha1_scheme(c)] == [0x0201, 0x0202, 0x0203]


def test_schemes_of_each_kind_of_key_are_named_after_it() -> None:
    assert all(scheme_name(c).startswith("ecdsa") for c in ECDSA_SCHEMES)
    assert all(scheme_name(c).startswith("rsa") for c in RSA_SCHEMES)


def test_reserved_values_are_known() -> None:
    assert [c for c in range(0x10000) if is_grease(c)] == [0x0A0A + 0x1010 * n for n in range(16)]
