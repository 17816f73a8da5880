from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from strategies.labels import JsonObject, JsonValue, Kind
from strategies.payloads import payloads
from strategies.pool import MAX_VARIABLES, CertificateHash, Pool, PoolVariable
from strategies.primitives import IDENTIFIER
from strategies.variables import variable_breaks


def entry(**changes: JsonValue) -> JsonObject:
    return {
        "component": {"name": "EVSE", "instance": "left", "evse": {"id": 1, "connectorId": 2}},
        "variable": {"name": "Power", "instance": "max"},
        "variableAttribute": [
            {"type": "Target", "value": "9", "mutability": "ReadOnly"},
            {"type": "Actual", "value": "5", "mutability": "ReadWrite"},
        ],
        "variableCharacteristics": {
            "dataType": "OptionList",
            "supportsMonitoring": False,
            "minLimit": 1,
            "maxLimit": 9.5,
            "valuesList": "a, b,,b",
        },
        **changes,
    }


ANY_JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
# An entry in which one part is garbage.
ODD_ENTRIES: st.SearchStrategy[JsonValue] = st.builds(
    lambda key, sub, junk: (
        entry(**{key: junk}) if sub is None else entry(**{key: {"name": "A", sub: junk}})
    ),
    st.sampled_from(["component", "variable", "variableAttribute", "variableCharacteristics"]),
    st.sampled_from([None, "name", "instance", "evse", "maxLimit", "valuesList", "dataType"]),
    ANY_JSON,
)


def test_an_entry_becomes_a_variable() -> None:
    pool = Pool.from_report([entry()])
    assert pool.variables == (
        PoolVariable(
            "EVSE",
            "Power",
            "left",
            "max",
            1,
            2,
            data_type="OptionList",
            mutability="ReadWrite",
            min_limit=1,
            max_limit=9.5,
            values=("a", "b"),
            value="5",
        ),
    )
    assert pool.evse_ids == (1,)
    assert pool.connector_ids == (2,)


def test_a_variable_is_named_as_the_target_named_it() -> None:
    known = Pool.from_report([entry()]).variables[0]
    assert known.component_json() == entry()["component"]
    assert known.variable_json() == entry()["variable"]
    assert known.name == "EVSE/left[1,2].Power/max"


def test_a_plain_variable_has_no_instance_and_no_evse() -> None:
    known = PoolVariable("ClockCtrlr", "DateTime")
    assert known.component_json() == {"name": "ClockCtrlr"}
    assert known.variable_json() == {"name": "DateTime"}
    assert PoolVariable("C", "V", evse_id=1).component_json() == {"name": "C", "evse": {"id": 1}}


def test_an_attribute_without_type_and_mutability_is_actual_and_writable() -> None:
    known = Pool.from_report([entry(variableAttribute=[{"value": "7"}])]).variables[0]
    assert (known.value, known.mutability) == ("7", "ReadWrite")


def test_without_an_actual_attribute_nothing_may_be_written() -> None:
    known = Pool.from_report([entry(variableAttribute=[{"type": "Target", "value": "7"}])])
    assert (known.variables[0].value, known.variables[0].mutability) == (None, "ReadOnly")


def test_a_variable_that_is_reported_twice_counts_once() -> None:
    assert (
        len(
            Pool.from_report(
                [entry(), entry(variable={"name": "POWER", "instance": "max"})]
            ).variables
        )
        == 1
    )


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        3,
        {},
        entry(component=None),
        entry(component={"name": ""}),
        entry(component={"name": "x" * 51}),
        entry(component={"name": "not an identifier"}),
        entry(component={"name": 7}),
        entry(component={"name": "A", "evse": {"id": "1"}}),
        entry(component={"name": "A", "evse": {"id": -1}}),
        entry(component={"name": "A", "evse": {"id": True}}),
        entry(component={"name": "A", "evse": 1}),
        entry(variable={"name": "V", "instance": []}),
    ],
)
def test_what_cannot_be_named_again_is_skipped(garbage: JsonValue) -> None:
    assert len(Pool.from_report([garbage, entry()]).variables) == 1


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), 10**400, True, "9", None])
def test_limits_that_say_nothing_are_left_out(limit: JsonValue) -> None:
    pool = Pool.from_report([entry(variableCharacteristics={"maxLimit": limit})])
    assert pool.variables[0].max_limit is None


def test_sizes_are_bounded() -> None:
    many = [entry(variable={"name": f"V{i}"}) for i in range(MAX_VARIABLES + 9)]
    assert len(Pool.from_report(many).variables) == MAX_VARIABLES
    ids = [entry(component={"name": "E", "evse": {"id": i}}) for i in range(1, 200)]
    assert len(Pool.from_report(ids).evse_ids) == 64
    long = entry(variableAttribute=[{"value": "x" * 2501}])
    assert Pool.from_report([long]).variables[0].value is None


@pytest.mark.slow
@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(ANY_JSON | ODD_ENTRIES, max_size=4))
def test_no_report_can_hurt_and_what_is_kept_is_proper(report: list[JsonValue]) -> None:
    pool = Pool.from_report(report)
    variable_breaks(pool)
    payloads("SetVariables", Kind.REQUEST, pool=pool)
    for known in pool.variables:
        names = (known.component, known.variable, known.component_instance, known.variable_instance)
        assert all(IDENTIFIER.broken(n) is None and len(n) <= 50 for n in names)
        assert known.component
        assert known.variable


def test_a_certificate_hash_is_written_as_the_schema_names_it() -> None:
    assert CertificateHash("SHA256", "a", "b", "c").json() == {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "a",
        "issuerKeyHash": "b",
        "serialNumber": "c",
    }
