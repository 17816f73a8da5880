import json

import pytest

from fuzz.station.bench import Bench
from fuzz.station.events import PlugIn, Reboot, StartPower, Unplug
from fuzz.station.states import Registration

START = {"remoteStartId": 7, "idToken": {"idToken": "AA01", "type": "Central"}}


@pytest.mark.parametrize("kind", ["Immediate", "OnIdle"])
def test_a_reset_is_answered_then_the_station_boots_with_that_reason(kind):
    bench = Bench().boot()
    commands = bench.hear(json.dumps([2, "q", "Reset", {"type": kind}]))
    assert json.loads(commands[0].text) == [3, "q", {"status": "Accepted"}]
    assert Reboot() in commands
    assert bench.station.registration is Registration.OFF
    bench.lose()
    bench.said.clear()
    bench.boot()
    assert bench.said[0][3]["reason"] == "RemoteReset"
    events = [frame[3]["type"] for frame in bench.said if frame[2] == "SecurityEventNotification"]
    assert events == ["ResetOrReboot"]


@pytest.mark.parametrize("evse_id", [1, 2, 0, 3, -1])
def test_one_evse_alone_is_never_reset(evse_id):
    answer = Bench().boot().ask("Reset", {"type": "Immediate", "evseId": evse_id})
    assert answer[2]["status"] == "Rejected"


def test_availability_survives_a_reset():
    bench = Bench().boot()
    bench.ask("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    bench.settle()
    bench.ask("Reset", {"type": "Immediate"})
    bench.lose()
    bench.said.clear()
    bench.boot()
    states = [f[3]["connectorStatus"] for f in bench.said if f[2] == "StatusNotification"]
    assert states == ["Unavailable", "Available"]


def charging(*evses):
    bench = Bench().boot()
    for evse in evses:
        bench.do(PlugIn(evse))
        bench.do(StartPower(evse))
        bench.ask("RequestStartTransaction", {**START, "evseId": evse})
        bench.settle()
    bench.said.clear()
    return bench


def events(bench):
    return [frame[3] for frame in bench.said if frame[2:3] == ["TransactionEvent"]]


def test_an_immediate_reset_ends_the_transaction_and_boots_when_that_is_told():
    bench = charging(1)
    assert bench.ask("Reset", {"type": "Immediate"})[2] == {"status": "Accepted"}
    (ended,) = events(bench)
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", "ResetCommand")
    assert ended["transactionInfo"]["stoppedReason"] == "ImmediateReset"
    assert ended["transactionInfo"]["chargingState"] == "EVConnected"
    assert "idToken" not in ended
    assert Reboot() not in bench.wait(2)
    bench.settle()
    assert Reboot() in bench.wait(1)
    bench.lose()
    bench.said.clear()
    bench.boot()
    assert bench.said[0][3]["reason"] == "RemoteReset"
    states = [f[3]["connectorStatus"] for f in bench.said if f[2] == "StatusNotification"]
    assert states == ["Occupied", "Available"]


def test_what_the_csms_does_not_answer_in_time_is_told_after_the_boot():
    bench = charging(1)
    bench.ask("Reset", {"type": "Immediate"})
    assert Reboot() in bench.wait(11)
    bench.lose()
    bench.said.clear()
    bench.boot()
    assert [event["eventType"] for event in events(bench)] == ["Ended"]


def test_a_reset_on_idle_waits_for_the_last_transaction():
    bench = charging(1, 2)
    assert bench.ask("Reset", {"type": "OnIdle"})[2] == {"status": "Scheduled"}
    bench.do(Unplug(1))
    bench.settle()
    assert Reboot() not in bench.wait(20)
    refused = bench.ask("RequestStartTransaction", {**START, "evseId": 1})
    assert refused[2]["status"] == "Rejected"
    bench.do(Unplug(2))
    bench.settle()
    assert Reboot() in bench.wait(1)


def test_one_evse_alone_is_not_reset_while_it_charges_either():
    bench = charging(1)
    answer = bench.ask("Reset", {"type": "OnIdle", "evseId": 1})
    assert answer[2]["status"] == "Rejected"
    assert events(bench) == []
