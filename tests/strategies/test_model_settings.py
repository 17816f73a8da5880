"""Settings are known where the station said what they are, and unknown wherever it might be otherwise."""

import pytest

from strategies.model.events import Asked, Told
from strategies.model.settings import Settings

NAME = "SampledDataCtrlr.TxUpdatedInterval"
ITEM = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}


def asked(settings, action, at_s, *items):
    data = "setVariableData" if action == "SetVariables" else "getVariableData"
    event = Asked(at_s, action, {data: list(items)}, f"q{at_s}")
    settings.note(event)
    return event


def answered(settings, event, at_s, status, value=None, **more):
    result = {
        **ITEM,
        "attributeStatus": status,
        **more,
        **({"attributeValue": value} if value else {}),
    }
    name = "setVariableResult" if event.action == "SetVariables" else "getVariableResult"
    settings.note(Told(at_s, event, {name: [result]}))


def put(settings, at_s, value, status="Accepted"):
    event = asked(settings, "SetVariables", at_s, {**ITEM, "attributeValue": value})
    answered(settings, event, at_s + 0.1, status)


def read(settings, at_s, value, status="Accepted", **more):
    answered(
        settings, asked(settings, "GetVariables", at_s, ITEM), at_s + 0.1, status, value, **more
    )


def value(settings):
    found = settings.of(NAME)
    return None if found is None else found.value


def test_what_is_set_or_read_is_known_since_then():
    settings = Settings()
    read(settings, 1.0, "60")
    assert settings.of(NAME.lower()).since_s == 1.1
    put(settings, 2.0, "1")
    read(settings, 3.0, "1")
    assert settings.of(NAME).value == "1"
    assert settings.of(NAME).since_s == 2.1


@pytest.mark.parametrize("status", ["RebootRequired", "Rejected", "NotSupportedAttributeType"])
def test_what_was_not_accepted_at_once_is_unknown(status):
    settings = Settings()
    put(settings, 1.0, "1")
    put(settings, 2.0, "2", status)
    assert value(settings) is None


def test_what_is_asked_for_and_not_answered_is_unknown_whatever_is_read():
    settings = Settings()
    put(settings, 1.0, "1")
    asked(settings, "SetVariables", 2.0, {**ITEM, "attributeValue": "2"})
    read(settings, 3.0, "1")
    assert value(settings) is None


def test_of_two_that_are_under_way_the_later_one_counts():
    settings = Settings()
    first = asked(settings, "SetVariables", 1.0, {**ITEM, "attributeValue": "1"})
    second = asked(settings, "SetVariables", 1.1, {**ITEM, "attributeValue": "2"})
    answered(settings, second, 1.2, "Accepted")
    answered(settings, first, 1.3, "Accepted")
    assert value(settings) == "2"


def test_one_name_twice_in_a_request_is_unknown():
    settings = Settings()
    items = [{**ITEM, "attributeValue": "1"}, {**ITEM, "attributeValue": "2"}]
    answered(settings, asked(settings, "SetVariables", 1.0, *items), 1.1, "Accepted")
    assert value(settings) is None


@pytest.mark.parametrize(
    "more",
    [
        {"attributeType": "Target"},
        {"component": {"name": "SampledDataCtrlr", "evse": {"id": 1}}},
        {"component": {"name": "SampledDataCtrlr", "instance": "a"}},
    ],
    ids=str,
)
def test_other_attributes_and_components_are_not_the_setting(more):
    settings = Settings()
    read(settings, 1.0, "5", **more)
    assert value(settings) is None
