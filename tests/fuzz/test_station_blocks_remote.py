import pytest

from fuzz.station.bench import Bench
from fuzz.station.events import Fault, PlugIn, PresentToken

TOKEN = {"idToken": "AA01", "type": "Central"}


def start(bench, **more):
    request = {"remoteStartId": 7, "idToken": TOKEN, **more}
    answer = bench.ask("RequestStartTransaction", request)
    bench.settle()
    return answer[2]


def events(bench):
    return [frame[3] for frame in bench.said if frame[2:3] == ["TransactionEvent"]]


def write(bench, name, value):
    data = {"attributeValue": value, "component": {"name": "TxCtrlr"}, "variable": {"name": name}}
    bench.ask("SetVariables", {"setVariableData": [data]})


def reason(answer):
    return answer["status"], answer.get("statusInfo", {}).get("reasonCode")


@pytest.mark.parametrize("chosen", [{}, {"evseId": 1}])
def test_an_ev_that_is_plugged_in_charges_without_an_authorize(chosen):
    bench = Bench().boot()
    bench.do(PlugIn(1))
    bench.settle()
    assert start(bench, **chosen) == {"status": "Accepted"}
    (event,) = events(bench)
    assert (event["eventType"], event["triggerReason"]) == ("Started", "RemoteStart")
    assert event["transactionInfo"]["remoteStartId"] == 7
    assert event["idToken"] == TOKEN
    assert not [frame for frame in bench.said if frame[2:3] == ["Authorize"]]


@pytest.mark.parametrize("chosen", [{}, {"evseId": 1}])
def test_a_plug_in_after_the_request_begins_the_transaction(chosen):
    bench = Bench().boot()
    assert start(bench, **chosen) == {"status": "Accepted"}
    assert events(bench) == []
    bench.do(PlugIn(1))
    bench.settle()
    (event,) = events(bench)
    assert event["triggerReason"] == "RemoteStart"
    assert event["transactionInfo"]["remoteStartId"] == 7


def test_a_transaction_that_runs_without_an_authorisation_is_named_in_the_answer():
    bench = Bench().boot()
    write(bench, "TxStartPoint", "EVConnected")
    bench.do(PlugIn(1))
    bench.settle()
    (begun,) = events(bench)
    answer = start(bench, evseId=1)
    assert answer["transactionId"] == begun["transactionInfo"]["transactionId"]
    assert [event["eventType"] for event in events(bench)] == ["Started", "Updated"]


def test_nobody_plugs_in_and_the_evse_can_be_used_again():
    bench = Bench().boot()
    write(bench, "TxStartPoint", "Authorized")
    start(bench, evseId=1)
    bench.wait(61)
    bench.settle()
    ended = events(bench)[-1]
    assert ended["triggerReason"] == "EVConnectTimeout"
    assert ended["transactionInfo"]["stoppedReason"] == "Timeout"
    assert start(bench, evseId=1)["status"] == "Accepted"


@pytest.mark.parametrize("evse", [0, 3, -1])
def test_an_evse_that_does_not_exist_is_refused(evse):
    assert reason(start(Bench().boot(), evseId=evse)) == ("Rejected", "UnknownEvse")


def test_an_evse_in_use_is_refused():
    bench = Bench().boot()
    start(bench, evseId=1)
    assert reason(start(bench, evseId=1)) == ("Rejected", "TxInProgress")


def test_an_evse_with_a_fault_is_refused():
    bench = Bench().boot()
    bench.do(Fault(1))
    assert reason(start(bench, evseId=1)) == ("Rejected", "NotEnabled")


def test_an_inoperative_evse_is_refused():
    bench = Bench().boot()
    bench.ask("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    assert reason(start(bench, evseId=1)) == ("Rejected", "NotEnabled")


def test_who_was_let_in_does_not_charge_at_an_evse_that_was_made_inoperative_since():
    bench = Bench().boot()
    write(bench, "TxStartPoint", "PowerPathClosed")
    assert start(bench, evseId=1) == {"status": "Accepted"}
    place = {"operationalStatus": "Inoperative", "evse": {"id": 1}}
    assert bench.ask("ChangeAvailability", place)[2] == {"status": "Accepted"}
    bench.settle()
    bench.do(PlugIn(1))
    bench.settle()
    assert events(bench) == []
    bench.ask("ChangeAvailability", {**place, "operationalStatus": "Operative"})
    bench.settle()
    assert events(bench) == []


def test_a_pending_station_refuses_both():
    bench = Bench().boot("Pending")
    refused = ("Rejected", "CSNotAccepted")
    assert reason(start(bench)) == refused
    answer = bench.ask("RequestStopTransaction", {"transactionId": "x"})
    assert reason(answer[2]) == refused


def test_a_charging_profile_is_ignored():
    schedule = {
        "id": 1,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1.0}],
    }
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    assert start(Bench().boot(), chargingProfile=profile) == {"status": "Accepted"}


def test_a_stop_is_answered_then_the_transaction_ends():
    bench = Bench().boot()
    bench.do(PlugIn(1))
    bench.do(PresentToken("BB02"))
    bench.settle()
    start(bench, evseId=1)
    running = events(bench)[0]["transactionInfo"]["transactionId"]
    begin = len(bench.said)
    answer = bench.ask("RequestStopTransaction", {"transactionId": running})
    bench.settle()
    assert bench.said[begin] == answer == [3, "q", {"status": "Accepted"}]
    ended = events(bench)[-1]
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", "RemoteStop")
    assert ended["transactionInfo"]["stoppedReason"] == "Remote"
    answer = bench.ask("RequestStopTransaction", {"transactionId": running})
    assert reason(answer[2]) == ("Rejected", "TxNotFound")
