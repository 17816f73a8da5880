"""Every item has its result, in whatever order and case; what is not certain is not asked for."""

import json
from dataclasses import replace

import pytest

from fuzz.records import Ask
from fuzz.testing import case, error, observation, rejected, result, scene, spoken, target, us
from strategies.labels import Expectation, Fault, Stance, Tier

MISSING = ["O35 a result is missing"]
SURPLUS = ["O35 more results than items"]
OTHER = ["O35 a result of another variable"]
TYPE = ["O35 a result of another attributeType"]


def item(name, **more):
    component = {"name": "Ctrlr", **({"evse": more.pop("evse")} if "evse" in more else {})}
    return {"component": component, "variable": {"name": name}, **more}


def told(*items):
    return {"getVariableResult": [{"attributeStatus": "Rejected", **i} for i in items]}


def seen(asked, answer, expectation=None, **more):
    whole = (
        case(action="GetVariables")
        if expectation is None
        else case(expectation, action="GetVariables")
    )
    said = json.dumps([2, "c1", "GetVariables", {"getVariableData": list(asked)}])
    replies = [answer if not isinstance(answer, dict) else result(answer)]
    return observation(whole, said=[said], replies=replies, **more)


def says(obs):
    return [line for line in spoken(obs) if line.startswith("O35")]


A, B = item("A"), item("B")
TARGET = {"attributeType": "Target"}


@pytest.mark.parametrize(
    ("asked", "results"),
    [
        ([A, B], [A, B]),
        ([A, B], [B, A]),
        ([item("abc")], [item("ABC")]),
        ([A], [item("A", attributeType="Actual")]),
        ([item("A", **TARGET)], [item("A", **TARGET)]),
        ([A, item("A", **TARGET)], [item("A", **TARGET), A]),
        ([item("A", evse={"id": 1})], [item("A", evse={"id": 1})]),
    ],
)
def test_a_result_for_every_item_is_right(asked, results):
    assert says(seen(asked, told(*results))) == []


@pytest.mark.parametrize(
    ("asked", "results", "spoke"),
    [
        ([A, B], [A], MISSING),
        ([A], [A, A], SURPLUS),
        ([A, B], [A, A], OTHER),
        ([A], [B], OTHER),
        ([item("A", evse={"id": 1})], [item("A", evse={"id": 2})], OTHER),
        ([item("A", evse={"id": 1})], [A], OTHER),
        ([item("A", **TARGET)], [A], TYPE),
        ([A], [item("A", **TARGET)], TYPE),
    ],
)
def test_what_is_missing_too_much_or_of_something_else_is_found(asked, results, spoke):
    assert says(seen(asked, told(*results))) == spoke


def test_the_clause_is_that_of_the_action():
    whole = case(action="SetVariables")
    data = {"setVariableData": [item("A", attributeValue="1"), item("B", attributeValue="1")]}
    obs = observation(
        whole,
        said=[json.dumps([2, "c1", "SetVariables", data])],
        replies=[result({"setVariableResult": [{"attributeStatus": "Accepted", **A}]})],
    )
    assert says(obs) == MISSING


@pytest.mark.parametrize(
    "obs",
    [
        seen([A, A], told(A)),
        seen([item("ä"), B], told(B)),
        seen([item("A", evse={"id": 1.0}), B], told(B)),
        seen([A, B], told(A), items_per_message={"GetVariables": 1}),
        seen([A, B], told(A), bytes_per_message={"GetVariables": 20}),
        seen([A, B], told(A), rejected(Tier.SCHEMA, Fault.EXTRA)),
        seen([A, B], told(A), Expectation(Stance.ACCEPT, Tier.MODEL, None, "drafts")),
        seen([A, B], {"getVariableResult": []}),
        seen([A, B], error("OccurrenceConstraintViolation")),
        seen([{**A, "more": 1}, B], told(A)),
        replace(seen([A, B], told(A)), replies=()),
        replace(seen([A, B], told(A)), said=("[2,", '[2,"c1"')),
        seen([A, B], result(told(A), id_="other")),
    ],
    ids=[
        "twice",
        "unicode",
        "float",
        "items",
        "bytes",
        "broken",
        "disputed",
        "empty",
        "error",
        "extra",
        "silent",
        "several",
        "id",
    ],
)
def test_what_is_not_certain_is_not_asked_for(obs):
    assert says(obs) == []


def test_what_the_device_model_refuses_has_its_result_too():
    assert says(seen([A, B], told(A), rejected(Tier.MODEL, Fault.DEVICE_MODEL))) == MISSING


def test_every_exchange_of_a_scene_is_looked_at():
    played = case(Expectation(Stance.UNSPECIFIED, Tier.MODEL), action="", steps=[Ask(("x",))])
    ask = [2, "a", "GetVariables", {"getVariableData": [A, B]}]
    assert says(scene(us(0, ask), target(1, [3, "a", told(A)]), played=played)) == MISSING
    assert says(scene(us(0, ask), target(1, [3, "a", told(B, A)]), played=played)) == []
    assert says(scene(us(0, ask), target(1, [4, "a", "GenericError", "", {}]), played=played)) == []
    assert says(scene(us(0, ask), played=played)) == []
