from __future__ import annotations

import pytest

from strategies.labels import Fault, Kind, Stance, Tier
from strategies.pool import Pool, PoolVariable
from strategies.primitives import primitive_faults
from strategies.variables import farthest_value, other_value, variable_breaks
from strategies.version import version


def of(**known: object) -> dict[str, Stance]:
    """What the cases of one variable are called and what they expect."""
    variable = PoolVariable("C", "V", **{"value": "present", **known})  # type: ignore[arg-type]
    return {
        b.id.partition("#")[2]: b.expectation.stance for b in variable_breaks(Pool((variable,)))
    }


EVERY_TYPE = Pool(
    (
        PoolVariable("A", "B", data_type="boolean", value="true"),
        PoolVariable("A", "I", data_type="integer", value="5", min_limit=1, max_limit=9),
        PoolVariable("A", "D", data_type="decimal", value="5.0", min_limit=0.5, max_limit=9),
        PoolVariable("A", "T", data_type="dateTime", value="2026-01-01T00:00:00Z"),
        PoolVariable("A", "O", data_type="OptionList", value="x", values=("x", "y")),
        PoolVariable("A", "M", data_type="MemberList", value="x", values=("x", "y")),
        PoolVariable("A", "S", data_type="string", value="x", max_limit=40),
        PoolVariable("E", "W", evse_id=1, connector_id=2, data_type="boolean", value="true"),
    )
)


def test_every_case_and_control_is_valid_but_for_the_device_model() -> None:
    validator = version().validator("SetVariables", Kind.REQUEST)
    for b in variable_breaks(EVERY_TYPE):
        for payload in (b.payload, b.control):
            validator.validate(payload)
            assert primitive_faults("SetVariables", Kind.REQUEST, payload) == []
        assert b.payload != b.control
        assert b.expectation.tier is Tier.MODEL
        assert b.expectation.fault is Fault.DEVICE_MODEL


def test_ids_are_unique_and_name_the_variable() -> None:
    ids = [b.id for b in variable_breaks(EVERY_TYPE)]
    assert len(ids) == len(set(ids))
    assert "SetVariables.req/A.B#dataType:text" in ids
    assert "SetVariables.req/E[1,2].W#dataType:text" in ids


def test_the_control_sets_the_value_that_the_variable_has() -> None:
    known = PoolVariable("A", "B", evse_id=1, data_type="boolean", value="true")
    assert variable_breaks(Pool((known,)))[0].control == {
        "setVariableData": [
            {
                "component": {"name": "A", "evse": {"id": 1}},
                "variable": {"name": "B"},
                "attributeValue": "true",
            }
        ]
    }


def test_disputed_spellings_are_expected_neither_way() -> None:
    stances = of(data_type="integer")
    assert stances["dataType:text-after"] is Stance.REJECT
    assert stances["dataType:leading-zero"] is Stance.UNSPECIFIED
    assert of(data_type="boolean")["dataType:upper-case"] is Stance.UNSPECIFIED


def test_limits_are_passed_by_one() -> None:
    values = {
        b.mutation.operator: b.mutation.after
        for b in variable_breaks(Pool((EVERY_TYPE.variables[1],)))
        if "Limit" in b.mutation.keyword
    }
    assert values == {"below": '"0"', "above": '"10"'}


def test_an_option_list_takes_one_member_and_a_member_list_only_known_ones() -> None:
    assert "valuesList:two-options" in of(data_type="OptionList", values=("x", "y"))
    assert "valuesList:two-options" not in of(data_type="OptionList", values=("x",))
    assert of(data_type="MemberList", values=("x", "y"))["valuesList:listed-and-unlisted"]


def test_strings_are_made_longer_than_their_limit() -> None:
    assert set(of(data_type="string", max_limit=40)) == {"maxLimit:one-more", "maxLimit:far-more"}
    assert set(of(data_type="string", max_limit=999)) == {"maxLimit:one-more"}
    assert of(data_type="string", max_limit=1000) == {}


@pytest.mark.parametrize(
    "known",
    [
        {"data_type": "boolean", "mutability": "ReadOnly"},
        {"data_type": "boolean", "mutability": "WriteOnly"},
        {"data_type": "boolean", "value": None},
        {"data_type": "boolean", "value": "x" * 1001},
        {"data_type": "OptionList"},
        {"data_type": "string"},
        {"data_type": "nonsense"},
    ],
)
def test_nothing_is_said_of_what_cannot_be_judged_or_undone(known: dict[str, object]) -> None:
    assert of(**known) == {}


def test_an_empty_pool_has_no_cases() -> None:
    assert variable_breaks(Pool()) == ()


@pytest.mark.parametrize(
    ("known", "other"),
    [
        ({"data_type": "boolean", "value": "True"}, "false"),
        ({"data_type": "boolean", "value": "maybe"}, None),
        ({"data_type": "integer", "value": "3"}, "4"),
        ({"data_type": "integer", "value": "3", "max_limit": 3}, "2"),
        ({"data_type": "integer", "value": "3", "min_limit": 3, "max_limit": 3}, None),
        ({"data_type": "integer", "value": "12abc"}, None),
        ({"data_type": "decimal", "value": "1.5"}, None),
        ({"data_type": "OptionList", "value": "a", "values": ("a", "b")}, "b"),
        ({"data_type": "OptionList", "value": "a", "values": ("a",)}, None),
        ({"data_type": "MemberList", "value": "a", "values": ("a", "b")}, "b"),
        ({"data_type": "SequenceList", "value": "a, b", "values": ("a", "b")}, "a"),
        ({"data_type": "string", "value": "ab"}, "abx"),
        ({"data_type": "string", "value": "ab", "max_limit": 2}, None),
        ({"data_type": "dateTime", "value": "2026-01-01T00:00:00Z"}, None),
        ({"data_type": "integer", "value": None}, None),
    ],
)
def test_another_valid_value_keeps_type_limits_and_list(
    known: dict[str, object], other: str | None
) -> None:
    assert other_value(PoolVariable("Ctrlr", "Any", **known)) == other  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "farthest"),
    [
        ({"data_type": "integer", "value": "3", "max_limit": 9}, "9"),
        ({"data_type": "integer", "value": "3"}, None),
        ({"data_type": "string", "value": "ab", "max_limit": 4}, "xxxx"),
        ({"data_type": "string", "value": "ab", "max_limit": 5_000}, "x" * 1_000),
        ({"data_type": "boolean", "value": "true", "max_limit": 1}, None),
        ({"data_type": "integer", "value": None, "max_limit": 9}, None),
    ],
)
def test_the_farthest_value_is_at_the_limit(known: dict[str, object], farthest: str | None) -> None:
    assert farthest_value(PoolVariable("Ctrlr", "Any", **known)) == farthest  # type: ignore[arg-type]
