"""Behind a connection that was cut a station waits, as long as it was told to."""

import pytest

from fuzz.ocppj.history import arrival
from fuzz.records import Entry, Who
from fuzz.testing import note, scene, spoken, target, us

TOO_SOON = ["O29 back too soon"]
ITEM = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "RetryBackOffWaitMinimum"}}


def set_to(value="3", status="Accepted"):
    item = {**ITEM, "attributeValue": value}
    asked = us(1, [2, "s", "SetVariables", {"setVariableData": [item]}])
    result = [3, "s", {"setVariableResult": [{**ITEM, "attributeStatus": status}]}]
    return [asked, target(1.1, result)] if status else [asked]


def read(value="3"):
    asked = us(1, [2, "g", "GetVariables", {"getVariableData": [ITEM]}])
    result = {**ITEM, "attributeStatus": "Accepted", "attributeValue": value}
    return [asked, target(1.1, [3, "g", {"getVariableResult": [result]}])]


def ask(action, payload, status="Accepted"):
    return [us(1.5, [2, "a", action, payload]), target(1.6, [3, "a", {"status": status}])]


def closed(who, code):
    return [Entry(2, who, "close", code)]


def cut(code="1006"):
    return closed(Who.US, code)


def back(at_s, action="Heartbeat", **payload):
    said = target(at_s + 0.1, [2, "c", action, payload])
    return [note(at_s, "open", arrival("/ocpp/CS-1", "")), said, us(at_s + 0.2, [3, "c", {}])]


def o29(*parts):
    entries = [entry for part in parts for entry in part]
    return [line for line in spoken(scene(*entries)) if line.startswith("O29")]


@pytest.mark.parametrize("known", [set_to(), read()])
def test_a_station_waits_before_it_comes_back(known):
    assert o29(known, cut(), back(2.5)) == TOO_SOON
    assert o29(known, cut(), back(4.2)) == []
    assert o29(known, cut(), back(5.5)) == []


@pytest.mark.parametrize(
    "known",
    [
        [],
        set_to("0"),
        set_to(status="Rejected"),
        set_to(status="RebootRequired"),
        set_to(status=""),
        [*set_to(), *set_to("0")],
        [*set_to(), *ask("Reset", {"type": "OnIdle"})],
        [*set_to(), note(1.7, "operator", "restore-network")],
    ],
)
def test_what_was_not_agreed_is_not_waited_for(known):
    assert o29(known, cut(), back(2.5)) == []


def test_only_a_cut_begins_the_wait():
    assert o29(set_to(), cut("1000"), back(2.5)) == []
    assert o29(set_to(), closed(Who.TARGET, "1006"), back(2.5)) == []


def test_a_station_that_starts_anew_comes_at_once():
    assert o29(set_to(), cut(), back(2.5, "BootNotification", reason="PowerUp")) == []
    assert o29(set_to(), cut(), back(2.5, "BootNotification", reason="Triggered")) == TOO_SOON
