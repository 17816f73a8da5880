import json

import pytest
from hypothesis import given, strategies as st

from fuzz.errors import UsageError
from fuzz.station.keystore import CSMS_ROOT, KeyStore, Own
from fuzz.station.x509 import HASH_ALGORITHMS, hash_data, new_key

MANUFACTURER = "ManufacturerRootCertificate"


@pytest.fixture(scope="module")
def roots(mint):
    return [mint(f"root {number}", ca=True) for number in range(3)]


NONE = Own()


def store(roots, own=NONE):
    return KeyStore(own, [(CSMS_ROOT, root.pem) for root in roots])


def test_a_file_of_several_roots_is_several_roots(roots):
    keys = KeyStore(Own(), [(CSMS_ROOT, "".join(root.pem for root in roots))])
    assert keys.of(CSMS_ROOT) == [root.x509 for root in roots]
    assert keys.of(MANUFACTURER) == []
    assert keys.trusted() == tuple(root.pem for root in roots)


def test_a_root_that_cannot_be_read_is_a_usage_error():
    with pytest.raises(UsageError, match="PEM"):
        KeyStore(Own(), [(CSMS_ROOT, "none")])


def test_installing_the_same_again_changes_nothing_but_another_use_is_another_entry(roots):
    keys, root = store(roots[:1]), roots[0].x509
    keys.install(CSMS_ROOT, root, root)
    assert len(keys.roots) == 1
    keys.install(MANUFACTURER, root, root)
    assert len(keys.roots) == 2
    keys.remove(MANUFACTURER, root)
    assert keys.of(CSMS_ROOT) == [root]


@pytest.mark.parametrize("algorithm", HASH_ALGORITHMS)
def test_a_root_is_found_by_all_members_of_its_hash_data_together(roots, algorithm):
    keys, root = store(roots), roots[1].x509
    asked = hash_data(root, root, algorithm)
    assert [found.certificate for found in keys.find(asked)] == [root]
    louder = {name: str(value).upper() for name, value in asked.items()}
    assert len(keys.find(louder | {"serialNumber": "00" + louder["serialNumber"]})) == 1
    for name in ("issuerNameHash", "issuerKeyHash", "serialNumber"):
        assert keys.find(asked | {name: "0"}) == []


hexes = st.text("0123456789abcdefABCDEF", max_size=40) | st.text(max_size=4)


@given(st.sampled_from(HASH_ALGORITHMS), hexes, hexes, hexes)
def test_no_other_hash_data_find_anything(roots, algorithm, name, key, serial):
    keys = store(roots, Own(roots[0].pem, "key"))
    asked = {
        "hashAlgorithm": algorithm,
        "issuerNameHash": name,
        "issuerKeyHash": key,
        "serialNumber": serial,
    }
    assert keys.find(asked) == []
    assert not keys.is_own(asked)


def test_the_own_certificate_and_its_chain_are_known_as_own(mint, roots):
    middle = mint("middle", issuer=roots[0], ca=True)
    leaf = mint(issuer=middle)
    keys = store(roots, Own(leaf.pem + middle.pem, leaf.key))
    assert keys.is_own(hash_data(leaf.x509, middle.x509, "SHA512"))
    assert keys.is_own(hash_data(middle.x509, roots[0].x509, "SHA256"))
    assert not keys.is_own(hash_data(mint(issuer=middle).x509, middle.x509, "SHA256"))


def test_a_new_certificate_leaves_the_one_that_worked_as_the_way_back():
    keys = KeyStore(Own("first", "k1"), [])
    keys.replace_own(Own("second", "k2"))
    keys.replace_own(Own("third", "k3"))
    assert (keys.own, keys.previous) == (Own("third", "k3"), Own("first", "k1"))
    keys.go_back()
    assert (keys.own, keys.previous) == (Own("first", "k1"), None)
    keys.go_back()
    assert keys.own == Own("first", "k1")


def test_pending_keys_are_few_and_told_apart_by_the_certificate(mint):
    keys = KeyStore(Own(), [])
    leaf = mint()
    keys.hold_key(leaf.key)
    assert keys.key_for(leaf.x509) == leaf.key
    assert keys.key_for(mint().x509) == ""
    for _ in range(3):
        keys.hold_key(new_key(elliptic=True))
    assert keys.key_for(leaf.x509) == ""
    assert len(keys.pending) == 3
    keys.hold_key(keys.pending[0])
    assert len(set(keys.pending)) == 3


def test_while_one_root_replaces_another_one_alone_is_trusted(roots):
    keys = store(roots[:2])
    keys.replaced = roots[0].x509
    assert keys.trusted() == (roots[1].pem,)
    keys.back_to_replaced = True
    assert keys.trusted() == (roots[0].pem,)
    keys.remove(CSMS_ROOT, roots[0].x509)
    assert keys.replaced is None
    assert keys.trusted() == (roots[1].pem,)


def test_what_lasts_comes_back(mint, roots):
    own, new, upcoming = (mint(name, issuer=roots[0]).pem for name in ("own", "new", "upcoming"))
    keys = store(roots[:2], Own(own, "key"))
    signed = mint("signed", issuer=roots[0], ca=True)
    keys.install(CSMS_ROOT, signed.x509, roots[0].x509)
    keys.replaced = roots[0].x509
    keys.replace_own(Own(new, "new key"))
    keys.upcoming = Own(upcoming, "upcoming key")
    keys.hold_key("pending")
    again = KeyStore(Own("factory", "factory"), [(CSMS_ROOT, roots[2].pem)])
    again.restore(json.loads(json.dumps(keys.lasting())))
    assert again.lasting() == keys.lasting()
    assert again.roots == keys.roots
    assert (again.own, again.previous) == (keys.own, keys.previous)


values = st.none() | st.integers() | st.text(max_size=5)


@pytest.mark.parametrize("chain", ["", "chain", "-----BEGIN CERTIFICATE-----"])
@given(
    st.dictionaries(
        st.sampled_from(["roots", "chain", "key", "pending", "previousChain", "upcomingKey"]),
        values
        | st.lists(values | st.dictionaries(st.sampled_from(["use", "certificate"]), values)),
    )
)
def test_a_broken_state_leaves_a_store_that_works(mint, chain, kept):
    factory = Own(mint("factory").pem, "key")
    keys = KeyStore(factory, [])
    keys.restore({"chain": chain, "key": "k", "upcomingChain": chain, "upcomingKey": "k", **kept})
    json.dumps(keys.lasting())
    assert keys.own == factory
    assert keys.upcoming is None
    assert not keys.is_own(
        {"hashAlgorithm": "SHA256", "issuerNameHash": "", "issuerKeyHash": "", "serialNumber": "1"}
    )
