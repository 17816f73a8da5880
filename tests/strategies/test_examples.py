from __future__ import annotations

import jsonschema
import pytest

from strategies.examples import example, example_with, sample
from strategies.labels import JsonValue, Kind
from strategies.primitives import primitive_faults
from strategies.schema import MessageSchema, Path, message_schema, node_at, places, pointer_of
from strategies.version import version

MESSAGES = [(a, k) for a in version().actions for k in Kind]


def at(value: JsonValue, path: Path) -> JsonValue:
    for step in path:
        value = value[step]  # type: ignore[index, call-overload]
    return value


def request(action: str) -> MessageSchema:
    return message_schema(action, Kind.REQUEST)


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
def test_the_example_along_every_path_is_valid_at_every_tier(action: str, kind: Kind) -> None:
    schema = message_schema(action, kind)
    independent = jsonschema.Draft4Validator(version().raw_schema(action, kind))
    for place in places(schema):
        payload = example(schema, pointer_of(place.path))
        at(payload, place.path)
        version().validator(action, kind).validate(payload)
        assert independent.is_valid(payload)
        assert primitive_faults(action, kind, payload) == []


def test_only_what_is_required_is_there() -> None:
    assert example(request("SetVariables")) == {
        "setVariableData": [
            {"attributeValue": "lab", "component": {"name": "Lab"}, "variable": {"name": "Lab"}}
        ]
    }


def test_what_lies_on_the_path_is_there_too() -> None:
    assert example(request("ChangeAvailability"), "/evse/connectorId") == {
        "evse": {"id": 1, "connectorId": 1},
        "operationalStatus": "Operative",
    }


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Reset", {"type": "OnIdle"}),
        ("ChangeAvailability", {"operationalStatus": "Operative"}),
        ("TriggerMessage", {"requestedMessage": "Heartbeat"}),
        ("GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"}),
        ("ClearCache", {}),
    ],
)
def test_the_most_harmless_form_is_chosen(action: str, payload: JsonValue) -> None:
    assert example(request(action)) == payload


def test_a_customer_is_named_in_exactly_one_way() -> None:
    names = {"idToken", "customerCertificate", "customerIdentifier"}
    plain = example(request("CustomerInformation"))
    by_token = example(request("CustomerInformation"), "/idToken/idToken")
    assert names & set(plain) == {"customerIdentifier"}
    assert names & set(by_token) == {"idToken"}


def test_a_second_language_comes_with_a_first_that_differs() -> None:
    payload = example(message_schema("Authorize", Kind.RESPONSE), "/idTokenInfo/language2")
    info = payload["idTokenInfo"]
    assert isinstance(info, dict)
    assert info["language1"] != info["language2"]


def test_each_call_makes_a_fresh_value() -> None:
    schema = request("GetVariables")
    example(schema)["getVariableData"].clear()  # type: ignore[union-attr]
    assert example(schema)["getVariableData"] != []


def test_a_value_is_put_where_the_path_says() -> None:
    payload = example_with(request("ChangeAvailability"), ("evse", "id"), 7)
    assert payload == {"evse": {"id": 7}, "operationalStatus": "Operative"}


def test_the_sample_of_a_node_stands_alone() -> None:
    node = node_at(request("ChangeAvailability"), ("evse",))
    assert node is not None
    assert sample(node) == {"id": 1}
