"""The status of every connector is told after a long time offline, whether or not it changed."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Operated, Told

PLACE = (("/evseId", "1"), ("/connectorId", "1"))

LONG = "no status of a connector after a long time offline"


def put(model, at_s, value, status="Accepted"):
    names = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}
    data = {"setVariableData": [{**names, "attributeValue": value}]}
    asked = Asked(at_s, "SetVariables", data, f"v{at_s}")
    model.saw(asked)
    model.saw(Told(at_s, asked, {"setVariableResult": [{**names, "attributeStatus": status}]}))


def back(*deeds, value="1", status="Accepted", opened_s=9.0, end_s=30.0):
    """What is said of a station that was closed off at 5.0 and is back, whose first connector was waited for."""
    model = Model()
    put(model, 1.0, value, status)
    model.saw(Closed(5.0))
    model.saw(Opened(opened_s))
    for deed in deeds:
        deed(model)
    # What it was before is set again at the end.
    put(model, end_s, "300")
    return [o.name for o in model.over(end_s, [Missed("StatusNotification", 12.0, PLACE)])]


def heard(at_s, action, payload):
    return lambda model: model.saw(Called(at_s, action, payload, f"n{at_s}"))


def answered(model):
    model.saw(Answered(10.1, model.facts.outstanding, {}))


def test_a_status_that_never_comes_after_a_long_time_offline_is_found():
    assert back() == [LONG]
    other = heard(10.0, "StatusNotification", {"evseId": 2, "connectorId": 1})
    assert back(other, answered) == [LONG]


@pytest.mark.parametrize(
    ("deeds", "more"),
    [
        ([heard(10.0, "StatusNotification", {"evseId": 1, "connectorId": 1}), answered], {}),
        ([heard(10.0, "NotifyEvent", {}), answered], {}),
        ([heard(10.0, "BootNotification", {"reason": "Watchdog"}), answered], {}),
        ([lambda m: m.saw(Operated(10.0, "power-cycle"))], {}),
        ([heard(10.0, "Heartbeat", {})], {}),
        ([lambda m: m.saw(Closed(10.0))], {}),
        ([], {"value": "3"}),
        ([], {"status": "RebootRequired"}),
        ([], {"opened_s": 7.5}),
        ([], {"end_s": 20.0}),
    ],
)
def test_a_status_is_not_missed_where_it_came_or_need_not(deeds, more):
    assert back(*deeds, **more) == []
