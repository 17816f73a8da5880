from dataclasses import fields, replace
from datetime import timedelta

import pytest

from tlslab.describe import DAY, Chain, Description, KeyKind, Order, Root, Usage

LEAF = Description("csms.test")
CA = Description("ca", is_ca=True)
OTHERS = {
    "common_name": None,
    "organization": "CSO",
    "key": KeyKind.RSA_1024,
    "is_ca": None,
    "names": ("a", "b"),
    "validity": -2 * DAY,
    "serial_number": 0,
    "begins": timedelta(0),
    "path_length": 0,
    "usage": Usage.ABSENT,
    "extended": ("clientAuth",),
    "digest": "md5",
    "permitted": ("a",),
    "excluded": ("a",),
    "unknown_critical": True,
    "padding": 1,
    "broken": True,
    "crl": "http://a",
    "ocsp": "http://a",
}


def test_another_value_is_known_for_every_field():
    assert OTHERS.keys() == {f.name for f in fields(Description)}


@pytest.mark.parametrize("field", OTHERS)
def test_descriptions_that_differ_in_a_field_differ_in_that_fact(field):
    good, bad = LEAF.facts("leaf"), replace(LEAF, **{field: OTHERS[field]}).facts("leaf")
    assert {name for name in good if good[name] != bad[name]} == {f"leaf.{field}"}


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"leaf": replace(LEAF, broken=True)}, "leaf.broken"),
        ({"cas": (replace(CA, is_ca=False),)}, "ca1.is_ca"),
        ({"root": Root.STRANGER}, "chain.root"),
        ({"order": Order.REVERSED}, "chain.order"),
        ({"leaf_signs": True}, "chain.issuer"),
    ],
)
def test_chains_that_differ_in_one_thing_differ_in_one_fact(change, fact):
    proper = Chain(LEAF, (CA,))
    good, bad = proper.facts(), replace(proper, **change).facts()
    assert {name for name in good if good[name] != bad[name]} == {fact}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("validity", -2 * DAY, "now - 2 days"),
        ("begins", timedelta(minutes=-30), "now - 30 min"),
        ("serial_number", None, "random"),
        ("serial_number", 0, "0"),
        ("is_ca", None, "absent"),
        ("is_ca", True, "yes"),
        ("names", (), "none"),
        ("names", ("a", "b"), "a, b"),
    ],
)
def test_a_fact_is_put_into_words(field, value, words):
    assert replace(LEAF, **{field: value}).facts("x")[f"x.{field}"] == words


def test_the_kinds_of_key_know_whether_they_sign_for_ecdsa():
    elliptic = {kind for kind in KeyKind if kind.elliptic}
    assert elliptic == {KeyKind.EC_P192, KeyKind.EC_P224, KeyKind.EC_P256, KeyKind.EC_P384}
