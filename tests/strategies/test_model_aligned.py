"""Meter values by the clock come from every EVSE at the interval that was set, and no more once it is 0."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Operated, Told

NEVER, OFF = "no clock-aligned meter values", "clock-aligned meter values although they are off"
NAMES = {"component": {"name": "AlignedDataCtrlr"}, "variable": {"name": "Interval"}}


def put(model, at_s, value, status="Accepted"):
    data = {"setVariableData": [{**NAMES, "attributeValue": value}]}
    asked = Asked(at_s, "SetVariables", data, f"q{at_s}")
    model.saw(asked)
    model.saw(Told(at_s, asked, {"setVariableResult": [{**NAMES, "attributeStatus": status}]}))


def values(model, at_s, evse=1, context="Sample.Clock"):
    sample = {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"context": context}]}
    called = Called(at_s, "MeterValues", {"evseId": evse, "meterValue": [sample]}, f"m{at_s}")
    found = model.saw(called)
    model.saw(Answered(at_s, called, {}))
    return [o.name for o in found]


def waited(*deeds, value="2", status="Accepted", evse=1, end_s=15.0):
    model = Model()
    put(model, 1.0, value, status)
    for deed in deeds:
        deed(model)
    put(model, end_s, "900")
    where = (("/evseId", str(evse)),)
    return [o.name for o in model.over(40.0, [Missed("MeterValues", 11.0, where)])]


def test_values_that_never_come_are_found():
    assert waited() == [NEVER]
    assert waited(lambda m: values(m, 5.0, 1), evse=2) == [NEVER]
    assert waited(lambda m: values(m, 5.0, context="Trigger")) == [NEVER]


@pytest.mark.parametrize(
    ("deeds", "more"),
    [
        ([lambda m: values(m, 5.0)], {}),
        ([lambda m: m.saw(Operated(5.0, "plug-in 1"))], {}),
        ([lambda m: m.saw(Called(5.0, "TransactionEvent", {}, "t"))], {}),
        ([lambda m: m.saw(Closed(5.0))], {}),
        ([], {"value": "0"}),
        ([], {"value": "6"}),
        ([], {"status": "RebootRequired"}),
        ([], {"evse": 0}),
        ([], {"end_s": 11.0}),
    ],
)
def test_values_are_not_missed_where_they_came_or_need_not(deeds, more):
    assert waited(*deeds, **more) == []


IDLE = {"component": {"name": "AlignedDataCtrlr"}, "variable": {"name": "SendDuringIdle"}}


def during_idle(model, status, value=""):
    asked = Asked(1.2, "GetVariables", {"getVariableData": [IDLE]}, "i")
    model.saw(asked)
    result = {**IDLE, "attributeStatus": status, "attributeValue": value}
    model.saw(Told(1.2, asked, {"getVariableResult": [result]}))


def charges(model, evse):
    payload = {"transactionInfo": {"transactionId": "t"}, "eventType": "Updated"}
    where = {"evse": {"id": evse}} if evse else {}
    called = Called(1.3, "TransactionEvent", {**payload, **where}, "t")
    model.saw(called)
    model.saw(Answered(1.3, called, {}))


@pytest.mark.parametrize(
    ("status", "value", "where", "wrong"),
    [
        ("UnknownVariable", "", 2, [NEVER]),
        ("Accepted", "false", 2, [NEVER]),
        ("Accepted", "true", 2, []),
        ("Rejected", "", 2, []),
        ("UnknownVariable", "", 1, []),
        ("UnknownVariable", "", 0, []),
    ],
)
def test_beside_a_transaction_values_are_due_unless_they_come_during_idle(
    status, value, where, wrong
):
    deeds = (lambda m: during_idle(m, status, value), lambda m: charges(m, where))
    assert waited(*deeds) == wrong


@pytest.mark.parametrize(
    ("at_s", "context", "status", "wrong"),
    [
        (15.0, "Sample.Clock", "Accepted", 1),
        (13.0, "Sample.Clock", "Accepted", 0),
        (15.0, "Trigger", "Accepted", 0),
        (15.0, "Sample.Clock", "Rejected", 0),
    ],
)
def test_values_that_were_turned_off_and_come_all_the_same_are_found(at_s, context, status, wrong):
    model = Model()
    put(model, 1.0, "2")
    put(model, 10.0, "0", status)
    assert values(model, at_s, context=context) == [OFF] * wrong


def listed(model, at_s, value):
    names = {"component": {"name": "AlignedDataCtrlr"}, "variable": {"name": "Measurands"}}
    asked = Asked(at_s, "GetVariables", {"getVariableData": [names]}, f"g{at_s}")
    model.saw(asked)
    result = {**names, "attributeStatus": "Accepted", "attributeValue": value}
    model.saw(Told(at_s, asked, {"getVariableResult": [result]}))


@pytest.mark.parametrize(
    ("value", "context", "seconds", "wrong"),
    [
        ("Voltage", "Sample.Clock", "2", 1),
        ("Voltage", "Trigger", "2", 0),
        ("Voltage,Energy.Active.Import.Register", "Sample.Clock", "2", 0),
        ("", "Sample.Clock", "2", 0),
        ("Voltage", "Sample.Clock", "0", 0),
    ],
)
def test_a_measurand_that_the_list_does_not_name_is_found(value, context, seconds, wrong):
    model = Model()
    listed(model, 1.0, value)
    put(model, 2.0, seconds)
    found = values(model, 4.5, context=context)
    assert found == ["clock-aligned measurand that the list does not name"] * wrong
