"""How variables are named, compared and shown."""

from hypothesis import given, strategies as st

from fuzz.ocppj.variables import MAX_NAME, describe, folded, items_of, named, number_of
from strategies.labels import JsonObject, JsonValue

ITEM: JsonObject = {
    "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}},
    "variable": {"name": "Power", "instance": "L1"},
    "attributeType": "Target",
}

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["component", "variable", "evse", "id", "name", "instance"]), inner
        )
    ),
    max_leaves=12,
)


def test_a_name_tells_place_instance_and_attribute() -> None:
    assert describe(ITEM) == "Connector[1,2].Power[L1] (Target)"
    assert (
        describe({"component": {"name": "A", "instance": "B"}, "variable": {"name": "C"}})
        == "A/B.C"
    )
    whole_evse: JsonObject = {"component": {"name": "E", "evse": {"id": 3}}}
    assert (
        describe({**whole_evse, "variable": {"name": "P"}, "attributeType": "Actual"}) == "E[3].P"
    )


def test_names_are_equal_whatever_their_case() -> None:
    lower: JsonObject = {
        "component": {"name": "connector", "evse": {"id": 1, "connectorId": 2}},
        "variable": {"name": "power", "instance": "l1"},
    }
    assert folded(ITEM) == folded(lower)
    assert folded(ITEM) != folded({**lower, "component": {"name": "connector", "evse": {"id": 1}}})


def test_nothing_but_names_and_numbers_is_kept() -> None:
    long: JsonObject = {
        "component": {"name": "x" * 1000, "evse": {"id": 2**40, "connectorId": True}, "more": []},
        "variable": {"name": 3},
        "value": "secret",
    }
    assert named(long) == {"component": {"name": "x" * MAX_NAME}, "variable": {}}


@given(ANYTHING)
def test_anything_can_be_named_and_what_is_kept_names_the_same(item: JsonValue) -> None:
    kept = named(item)
    assert named(kept) == kept
    assert isinstance(describe(kept), str)


def test_only_objects_count_as_items_and_only_whole_numbers_as_numbers() -> None:
    assert items_of({"data": [1, {"a": 1}, None]}, "data") == [{"a": 1}]
    assert items_of({"data": {"a": 1}}, "data") == []
    assert items_of(None, "data") == []
    assert [number_of({"n": n}, "n") for n in (7, True, 1.0, "7", 2**31)] == [
        7,
        None,
        None,
        None,
        None,
    ]
