"""A clock that has the CSMS as its only source has the time of the boot that was accepted."""

from datetime import UTC, datetime, timedelta

import pytest

from strategies.model import Answered, Asked, Called, Model, Operated, Told

NAME = "clock does not follow the CSMS"


def stamp(at_s):
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=at_s)).isoformat()


def told(off_s, *between, source="Heartbeat", status="Accepted", asked_s=5.0, before=()):
    """A status whose timestamp is so far off, after a boot; what is wrong with it."""
    model = Model()
    named = {"component": {"name": "ClockCtrlr"}, "variable": {"name": "TimeSource"}}
    read = Asked(0.1, "GetVariables", {"getVariableData": [named]}, "g")
    result = {**named, "attributeStatus": "Accepted", "attributeValue": source}
    boot = Called(1.0, "BootNotification", {"reason": "RemoteReset"}, "b")
    now = {"status": status, "interval": 60, "currentTime": stamp(1.1)}
    asked = Asked(asked_s, "TriggerMessage", {"requestedMessage": "StatusNotification"}, "t")
    for event in (
        read,
        Told(0.2, read, {"getVariableResult": [result]}),
        *before,
        boot,
        Answered(1.1, boot, now),
        *between,
        asked,
        Told(asked_s + 0.1, asked, {"status": "Accepted"}),
    ):
        model.saw(event)
    at_s = asked_s + 0.2
    called = Called(at_s, "StatusNotification", {"timestamp": stamp(at_s + off_s)}, "s")
    return [o.name for o in model.saw(called) if o.name == NAME]


@pytest.mark.parametrize("off_s", [-7200, 61, 10**9])
def test_a_clock_that_does_not_follow_is_found(off_s):
    assert told(off_s) == [NAME]


@pytest.mark.parametrize("off_s", [-59, 0, 59])
def test_a_clock_that_follows_is_right(off_s):
    assert told(off_s) == []


@pytest.mark.parametrize(
    "more",
    [
        {"source": "NTP,Heartbeat"},
        {"source": ""},
        {"status": "Pending"},
        {"asked_s": 1.5},
    ],
    ids=str,
)
def test_a_clock_that_need_not_follow_yet_or_at_all_is_not_judged(more):
    assert told(7200, **more) == []


@pytest.mark.parametrize(
    "between", [Operated(2.0, "shift-clock 7200"), Asked(2.0, "SetVariables", {}, "q")], ids=str
)
def test_a_clock_that_was_set_since_is_not_judged(between):
    assert told(7200, between) == []


MOVED = Operated(0.3, "shift-clock 7200")


def test_a_clock_that_somebody_moves_while_the_station_boots_is_not_judged():
    assert told(7200, before=(MOVED,)) == []


def test_one_that_was_moved_before_something_else_was_asked_for_is():
    asked = Asked(0.4, "Reset", {"type": "Immediate"}, "r")
    assert told(7200, before=(MOVED, asked, Told(0.5, asked, {"status": "Accepted"}))) == [NAME]
