"""A Heartbeat comes whenever nothing was said for the interval that was set, unless pings may stand for it."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Operated, Told

NEVER = "no Heartbeat at the interval that was set"


def put(model, at_s, name, value, status="Accepted"):
    names = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": name}}
    asked = Asked(
        at_s, "SetVariables", {"setVariableData": [{**names, "attributeValue": value}]}, f"{at_s}"
    )
    model.saw(asked)
    result = {**names, "attributeStatus": status, "attributeType": "Actual"}
    model.saw(Told(at_s + 0.1, asked, {"setVariableResult": [result]}))


def beat(model, at_s):
    called = Called(at_s, "Heartbeat", {}, f"h{at_s}")
    model.saw(called)
    model.saw(Answered(at_s, called, {"currentTime": "2026-01-01T00:00:00Z"}))


def waited(*deeds, value="2", status="Accepted", pings="0", end_s=12.0, timeout_s=9.0):
    model = Model()
    put(model, 1.0, "WebSocketPingInterval", pings)
    put(model, 2.0, "HeartbeatInterval", value, status)
    for deed in deeds:
        deed(model)
    put(model, end_s, "HeartbeatInterval", "300")
    return [o.name for o in model.over(60.0, [Missed("Heartbeat", timeout_s)])]


def test_heartbeats_that_never_come_are_found():
    assert waited() == [NEVER]
    assert waited(lambda m: beat(m, 2.5)) == [NEVER]


@pytest.mark.parametrize(
    ("deeds", "more"),
    [
        ([lambda m: beat(m, 6.0)], {}),
        ([lambda m: m.saw(Asked(6.0, "ClearCache", {}, "c"))], {}),
        ([lambda m: m.saw(Operated(6.0, "plug-in 1"))], {}),
        ([lambda m: m.saw(Closed(3.0))], {}),
        ([lambda m: m.saw(Closed(2.3)), lambda m: m.saw(Opened(2.4))], {}),
        ([lambda m: m.saw(Called(3.0, "Authorize", {}, "a"))], {}),
        ([lambda m: m.saw(Asked(2.5, "Reset", {"type": "OnIdle"}, "r"))], {}),
        ([], {"pings": "60"}),
        ([], {"value": "4"}),
        ([], {"value": "0"}),
        ([], {"status": "Rejected"}),
        ([], {"status": "RebootRequired"}),
        ([], {"timeout_s": 11.0}),
    ],
)
def test_heartbeats_are_not_missed_where_they_came_or_need_not(deeds, more):
    assert waited(*deeds, **more) == []
