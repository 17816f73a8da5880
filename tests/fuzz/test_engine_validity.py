import json

import pytest

from fuzz.engine.validity import at, call_parts, class_of, hostile_step, keeps_value, same_class
from fuzz.records import AnswerNext, Ask, Case, Disconnect, SendText
from fuzz.testing import VALID, case, mutation, rejected
from strategies.labels import Fault, JsonValue, Position, Repeated, Tier
from strategies.version import version

V = version()
RESET = {"type": "Immediate"}
VARIABLE = {"component": {"name": "C"}, "variable": {"name": "V"}}


@pytest.mark.parametrize(
    ("payload", "broken"),
    [
        (RESET, set()),
        ({}, {("/", "required")}),
        ({"type": "Never"}, {("/type", "enum")}),
        ({**RESET, "extra": 1}, {("/", "additionalProperties")}),
    ],
)
def test_the_class_of_a_payload_is_the_set_of_broken_rules(payload: JsonValue, broken: set) -> None:
    assert class_of(V, "Reset", payload) == broken


def test_list_indices_do_not_part_one_class_from_another() -> None:
    def third_name_is_a_number(before: int) -> JsonValue:
        return {"getVariableData": [*[VARIABLE] * before, {**VARIABLE, "component": {"name": 3}}]}

    assert class_of(V, "GetVariables", third_name_is_a_number(0)) == class_of(
        V, "GetVariables", third_name_is_a_number(2)
    )


def test_rules_that_only_part_2_knows_count_when_the_schema_is_kept() -> None:
    bad_name = {"getVariableData": [{**VARIABLE, "component": {"name": "a b"}}]}
    assert class_of(V, "GetVariables", bad_name) == {
        ("/getVariableData/*/component/name", "identifierString")
    }


def test_an_unknown_action_has_no_class() -> None:
    assert class_of(V, "Nonsense", {}) is None


def broken_reset(payload: JsonValue) -> Case:
    text = json.dumps([2, "{call.id}", "Reset", payload])
    return case(rejected(Tier.SCHEMA), action="Reset", steps=[SendText((text,))])


def test_a_smaller_payload_is_allowed_only_when_it_breaks_the_same_rule() -> None:
    original: JsonValue = {"type": "Never", "evseId": 1}
    allowed = same_class(broken_reset(original), V, original)
    assert allowed({"type": "x"})
    assert not allowed({"type": "OnIdle"})
    assert not allowed({})


def test_a_value_that_is_the_fault_itself_stays_as_it_is() -> None:
    original: JsonValue = {"type": "OnIdle", "evseId": 7, "customData": {"vendorId": "v"}}
    beyond = case(
        rejected(Tier.MODEL, Fault.DEVICE_MODEL), action="Reset", mutations=[mutation("/evseId")]
    )
    assert keeps_value(beyond)
    primitive = case(
        rejected(Tier.PRIMITIVE, Fault.PRIMITIVE), action="Reset", mutations=[mutation("/evseId")]
    )
    allowed = same_class(primitive, V, original)
    assert allowed({"type": "OnIdle", "evseId": 7})
    assert not allowed({"type": "OnIdle", "evseId": 0})
    assert not allowed({"type": "OnIdle"})


def test_a_payload_that_breaks_a_schema_needs_no_frozen_value() -> None:
    assert not keeps_value(broken_reset({}))
    assert not keeps_value(case(VALID))


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", {"a/b": [{"~": 1}]}),
        ("/a~1b", [{"~": 1}]),
        ("/a~1b/0/~0", 1),
        ("/a~1b/1", None),
        ("/x/y", None),
    ],
)
def test_a_pointer_names_what_rfc_6901_says(pointer: str, found: JsonValue) -> None:
    assert at({"a/b": [{"~": 1}]}, pointer) == found


def test_the_parts_of_a_readable_call_are_its_payload_and_its_frame() -> None:
    assert call_parts(case()) == ({}, [2, "{call.id}", "ClearCache", {}])


@pytest.mark.parametrize(
    "text",
    [
        ("{",),
        ("[]",),
        ("[2,3,4]",),
        ('[2,"{call.id}","X",', Repeated("[", 900), Repeated("]", 900), "]"),
        ('[2,"{call.id}","X",', Repeated('{"a":', 100_000)),
        (Repeated(" ", 30_000), '[2,"{call.id}","X",{}]'),
    ],
)
def test_what_is_no_readable_call_has_no_parts(text: tuple) -> None:
    assert call_parts(case(steps=[SendText(text)])) is None


def test_the_one_hostile_text_of_a_scene_has_parts_and_two_have_none() -> None:
    hostile, plain = case().steps[0], Ask(('[2,"{call.id}","Reset",{}]',))
    assert hostile_step(case(steps=[plain, hostile, Disconnect()])) == 1
    assert call_parts(case(steps=[plain, hostile, Disconnect()])) is not None
    assert call_parts(case(steps=[hostile, hostile])) is None
    assert hostile_step(case(steps=[plain])) is None


def test_a_hostile_answer_has_the_parts_of_a_callresult() -> None:
    answer = AnswerNext("Heartbeat", ('[3,"{call.id}",{"currentTime":7}]',))
    parts = call_parts(case(steps=[AnswerNext("Authorize"), answer], position=Position.CALLRESULT))
    assert parts is not None
    assert parts[0] == {"currentTime": 7}
    assert call_parts(case(steps=[AnswerNext("Heartbeat", ('[4,"{call.id}","x","",{}]',))])) is None
