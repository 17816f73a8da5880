"""A Heartbeat that does not come for several intervals is missed."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Model, Told

NOW = "2026-01-01T00:00:00Z"
MISSED = "no Heartbeat in its interval"
ITEM = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}


def booted(interval):
    model = Model()
    boot = Called(0.0, "BootNotification", {"reason": "PowerUp"}, "b")
    model.saw(boot)
    answer = {"status": "Accepted", "interval": interval, "currentTime": NOW}
    model.saw(Answered(0.1, boot, answer, proper=False))
    return model


def set_(value, status="Accepted"):
    model = Model()
    asked = Asked(
        0.0, "SetVariables", {"setVariableData": [{**ITEM, "attributeValue": value}]}, "q"
    )
    model.saw(asked)
    model.saw(Told(0.1, asked, {"setVariableResult": [{**ITEM, "attributeStatus": status}]}))
    return model


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (booted(2), True),
        (booted(5), False),
        (booted(0), False),
        (set_("2"), True),
        (set_("300"), False),
        (set_("2", "Rejected"), False),
        (Model(), False),
    ],
)
def test_a_heartbeat_is_missed_where_its_interval_is_short(model, wrong):
    found = [o.name for o in model.over(13.0)]
    assert found == ([MISSED] if wrong else [])


def test_silence_is_found_when_it_ends_and_none_is_where_something_was_said():
    model = booted(2)
    assert [o.name for o in model.saw(Called(13.0, "Heartbeat", {}, "h"))] == [MISSED]
    model = booted(2)
    said = Called(8.0, "StatusNotification", {}, "s")
    model.saw(said)
    model.saw(Answered(8.1, said, {}))
    assert model.over(13.0) == []


def test_a_station_that_is_away_or_waits_for_us_is_not_missed():
    model = booted(2)
    model.saw(Closed(1.0))
    assert model.over(99.0) == []
    model = booted(2)
    model.saw(Called(1.0, "Heartbeat", {}, "h"))
    assert MISSED not in [o.name for o in model.over(99.0)]
