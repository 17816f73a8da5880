import pytest

from fuzz.station.bench import Bench
from fuzz.station.events import CutNetwork, PlugIn, PowerCycle, PresentToken, Unplug

GROUP = {"idToken": "G", "type": "Central"}


def show(bench, token="AA01", status="Accepted", **info):
    bench.do(PresentToken(token))
    bench.answer({"idTokenInfo": {"status": status, **info}})
    bench.settle()


def actions(bench):
    return [frame[2] for frame in bench.said if frame[0] == 2]


def events(bench):
    return [frame[3]["eventType"] for frame in bench.said if frame[2:3] == ["TransactionEvent"]]


def write(bench, name, value):
    data = {
        "attributeValue": value,
        "component": {"name": "AuthCtrlr"},
        "variable": {"name": name},
    }
    bench.ask("SetVariables", {"setVariableData": [data]})


def plugged(*evses):
    bench = Bench().boot()
    for evse in evses:
        bench.do(PlugIn(evse))
    bench.settle()
    bench.said.clear()
    return bench


@pytest.mark.parametrize("status", ["Invalid", "Blocked", "Expired", "Unknown", "NoCredit"])
def test_only_an_accepted_token_may_charge(status):
    bench = plugged(1)
    show(bench, status=status)
    assert actions(bench) == ["Authorize"]


def test_an_authorisation_that_is_not_answered_is_none():
    bench = plugged(1)
    bench.do(PresentToken("AA01"))
    bench.wait(120)
    assert events(bench) == []


def test_one_token_is_judged_after_the_other():
    bench = plugged(1)
    bench.do(PresentToken("AA01"))
    bench.do(PresentToken("BB02"))
    bench.answer({"idTokenInfo": {"status": "Accepted"}})
    bench.settle()
    assert actions(bench) == ["Authorize", "TransactionEvent"]


def test_another_token_does_not_touch_a_running_transaction():
    bench = plugged(1)
    show(bench)
    show(bench, "BB02")
    assert events(bench) == ["Started"]


def test_an_accepted_token_of_the_same_group_stops_the_transaction():
    bench = plugged(1)
    show(bench, groupIdToken=GROUP)
    show(bench, "BB02", groupIdToken=GROUP)
    assert events(bench) == ["Started", "Ended"]
    ended = bench.said[-1][3]
    assert ended["triggerReason"] == "StopAuthorized"
    assert ended["idToken"] == {"idToken": "BB02", "type": "ISO14443"}


def test_a_token_of_the_same_group_that_is_invalid_stops_nothing():
    bench = plugged(1)
    show(bench, groupIdToken=GROUP)
    show(bench, "BB02", "Invalid", groupIdToken=GROUP)
    assert events(bench) == ["Started"]


@pytest.mark.parametrize(("limits", "evse"), [([1], 1), ([2], 2), ([1, 2], 2)])
def test_a_token_serves_an_evse_that_it_is_limited_to(limits, evse):
    bench = plugged(1, 2)
    show(bench, evseId=limits)
    assert bench.asked[3]["evse"]["id"] == evse


def test_a_token_for_another_evse_waits_for_that_one():
    bench = plugged(1)
    show(bench, evseId=[2])
    assert events(bench) == []
    bench.do(PlugIn(2))
    bench.settle()
    assert bench.said[-1][3]["evse"]["id"] == 2


@pytest.mark.parametrize(
    ("unknown", "external", "told"),
    [
        ("true", "true", ["Started"]),
        ("false", "true", []),
        ("true", "false", []),
    ],
)
def test_offline_an_unknown_token_may_charge_if_both_variables_allow_it(unknown, external, told):
    bench = plugged(1)
    write(bench, "OfflineTxForUnknownIdEnabled", unknown)
    write(bench, "CP_OfflineTxForExternalIdEnabled", external)
    bench.do(CutNetwork())
    bench.lose()
    bench.do(PresentToken("AA01"))
    assert [w.payload["eventType"] for w in waiting(bench)] == told


def waiting(bench):
    return bench.station._context.outboxes["transaction"].waiting


@pytest.mark.parametrize(
    "event", [PresentToken(""), PresentToken("x" * 37), PresentToken("A", "none")]
)
def test_what_is_no_token_is_not_asked_about(event):
    bench = plugged(1)
    bench.do(event)
    assert bench.said == []


def test_a_station_that_is_not_accepted_yet_reads_no_token():
    bench = Bench().boot("Pending")
    bench.do(PresentToken("AA01"))
    assert actions(bench) == ["BootNotification"]


def test_a_token_shown_twice_before_the_plug_in_is_withdrawn():
    bench = plugged()
    show(bench)
    bench.do(PresentToken("AA01"))
    bench.do(PlugIn(1))
    bench.settle()
    assert events(bench) == []


def test_a_restart_forgets_the_token_that_was_asked_about():
    bench = plugged()
    bench.do(PresentToken("AA01"))
    bench.do(PowerCycle())
    bench.lose()
    bench.boot()
    bench.do(PlugIn(1))
    bench.do(Unplug(1))
    bench.settle()
    assert events(bench) == []
