"""Instants go on as time does, unless somebody sets the clock or an event was held up."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Model, Opened, Operated, Unread

JUMP = ["time jumps between two events"]
OF_ANOTHER_TIME = ["meter values of another time than their event"]


def event(model, at_s, seq, timestamp, **more):
    payload = {
        "eventType": "Updated" if seq else "Started",
        "seqNo": seq,
        "timestamp": timestamp,
        "triggerReason": "ChargingStateChanged",
        "transactionInfo": {"transactionId": "t"},
        "evse": {"id": 1, "connectorId": 1},
        **more,
    }
    called = Called(at_s, "TransactionEvent", payload, f"e{at_s}")
    found = [o.name for o in model.saw(called)]
    model.saw(Answered(at_s, called, {}))
    return [name for name in found if name in JUMP + OF_ANOTHER_TIME]


def zone(model, at_s=2.0, name="TimeZone"):
    item = {
        "component": {"name": "ClockCtrlr"},
        "variable": {"name": name},
        "attributeValue": "Asia/Kolkata",
    }
    model.saw(Asked(at_s, "SetVariables", {"setVariableData": [item]}, f"z{at_s}"))


def told(*deeds, first="2026-01-01T00:00:00Z", then="2026-01-01T05:30:02Z", **more):
    model = Model()
    event(model, 1.0, 0, first)
    for deed in deeds:
        deed(model)
    return event(model, 3.0, 1, then, **more)


@pytest.mark.parametrize("then", ["2026-01-01T05:30:02Z", "2025-12-31T12:00:00Z"])
def test_a_time_that_jumps_is_found(then):
    assert told(then=then) == JUMP
    assert told(zone, then=then) == JUMP


@pytest.mark.parametrize(
    ("deeds", "more"),
    [
        ([], {"then": "2026-01-01T00:00:02Z"}),
        ([], {"then": "2026-01-01T05:30:02+05:30"}),
        ([], {"then": "2026-01-01T00:20:00Z"}),
        ([], {"then": "some day"}),
        ([], {"offline": True}),
        ([lambda m: zone(m, name="TimeSource")], {}),
        ([lambda m: m.saw(Operated(2.0, "shift-clock 9"))], {}),
        ([lambda m: m.saw(Unread(2.0))], {}),
        ([lambda m: m.saw(Closed(2.0)), lambda m: m.saw(Opened(2.1))], {}),
        ([lambda m: m.saw(Called(2.0, "BootNotification", {"reason": "Watchdog"}, "b"))], {}),
        ([lambda m: m.saw(Answered(2.0, Called(1.5, "Heartbeat", {}, "h"), {}))], {}),
    ],
)
def test_a_time_may_jump_where_a_clock_was_set_or_an_event_waited(deeds, more):
    assert told(*deeds, **more) == []


def metered(*deeds, at, **more):
    """What is said of an event at second 3 with a meter value of this time, in a transaction that began at second 1."""
    model = Model()
    for deed in deeds:
        deed(model)
    event(model, 1.0, 0, "2026-01-01T12:00:01Z")
    values = [{"timestamp": "2026-01-01T12:00:02Z"}, {"timestamp": at}]
    return event(model, 3.0, 1, "2026-01-01T12:00:03Z", meterValue=values, **more)


@pytest.mark.parametrize("at", ["2026-01-01T14:00:02Z", "2026-01-01T11:00:02Z"])
def test_values_of_another_time_are_found(at):
    assert metered(at=at) == OF_ANOTHER_TIME


@pytest.mark.parametrize(
    ("deeds", "more"),
    [
        ([], {"at": "2026-01-01T12:00:02Z"}),
        ([], {"at": "2026-01-01T14:00:02+02:00"}),
        ([], {"at": "2026-01-01T11:45:00Z"}),
        ([], {"at": "soon"}),
        ([], {"at": "2026-01-01T14:00:02Z", "offline": True}),
        ([lambda m: m.saw(Closed(2.0))], {"at": "2026-01-01T14:00:02Z"}),
        ([lambda m: m.saw(Operated(2.0, "shift-clock 9"))], {"at": "2026-01-01T14:00:02Z"}),
    ],
)
def test_values_may_be_of_another_time_where_a_clock_was_set_or_they_waited(deeds, more):
    assert metered(*deeds, **more) == []
