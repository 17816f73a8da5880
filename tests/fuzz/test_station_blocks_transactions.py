"""Sequences of TransactionEvents as the tests of Part 6 expect them."""

import json

import pytest

from fuzz.station.bench import Bench
from fuzz.station.events import (
    Connected,
    CutNetwork,
    Fault,
    PlugIn,
    PowerCycle,
    PresentToken,
    StartPower,
    StopPower,
    Unplug,
)

TOKEN = {"idToken": "AA01", "type": "ISO14443"}


def booted(start="PowerPathClosed", stop="EVConnected,Authorized", **values):
    bench = Bench().boot()
    for name, value in {"TxStartPoint": start, "TxStopPoint": stop, **values}.items():
        data = {
            "attributeValue": value,
            "component": {"name": "TxCtrlr"},
            "variable": {"name": name},
        }
        bench.ask("SetVariables", {"setVariableData": [data]})
    bench.said.clear()
    return bench


def accept(bench, status="Accepted", **info):
    bench.answer({"idTokenInfo": {"status": status, **info}})
    bench.settle()


def show(bench, token="AA01", **info):
    bench.do(PresentToken(token))
    if bench.asked[2] == "Authorize":
        accept(bench, **info)
    bench.settle()


def do(bench, *events):
    for event in events:
        bench.do(event)
        bench.settle()


def payloads(bench):
    return [frame[3] for frame in bench.said if frame[2:3] == ["TransactionEvent"]]


def told(bench):
    """Each event in short: type, trigger, charging state, stopped reason."""
    return [
        (
            event["eventType"],
            event["triggerReason"],
            event["transactionInfo"].get("chargingState", ""),
            event["transactionInfo"].get("stoppedReason", ""),
        )
        for event in payloads(bench)
    ]


AUTHORIZED = ("Started", "Authorized", "EVConnected", "")
CHARGING = ("Updated", "ChargingStateChanged", "Charging", "")


def charging(start="PowerPathClosed", stop="EVConnected,Authorized", **values):
    bench = booted(start, stop, **values)
    do(bench, PlugIn(1))
    show(bench)
    do(bench, StartPower(1))
    return bench


def test_an_ev_is_plugged_in_authorised_charged_stopped_and_unplugged():
    bench = charging()
    do(bench, StopPower(1), StartPower(1), PresentToken("aa01"), Unplug(1))
    assert told(bench) == [
        AUTHORIZED,
        CHARGING,
        ("Updated", "ChargingStateChanged", "SuspendedEV", ""),
        CHARGING,
        ("Ended", "StopAuthorized", "EVConnected", "Local"),
    ]
    events = payloads(bench)
    assert [event["seqNo"] for event in events] == [0, 1, 2, 3, 4]
    assert [event.get("idToken") for event in events] == [
        *(TOKEN, None, None, None),
        {"idToken": "aa01", "type": "ISO14443"},
    ]
    assert [event.get("evse") for event in events] == [{"id": 1, "connectorId": 1}, *[None] * 4]
    assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
    assert [frame[2] for frame in bench.said if frame[0] == 2].count("Authorize") == 1


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("EVConnected", ("Started", "CablePluggedIn", "EVConnected", "")),
        ("Authorized", AUTHORIZED),
        ("PowerPathClosed", AUTHORIZED),
        ("EnergyTransfer", ("Started", "ChargingStateChanged", "Charging", "")),
    ],
)
def test_a_transaction_starts_at_its_start_point(start, first):
    bench = charging(start)
    assert told(bench)[0] == first
    assert told(bench)[-1][2] == "Charging"


def test_authorised_before_the_evse_is_known_it_is_named_with_its_first_values_at_the_plug_in():
    bench = booted("Authorized")
    show(bench)
    do(bench, PlugIn(2))
    started, plugged = payloads(bench)
    assert "evse" not in started
    assert "meterValue" not in started
    assert plugged["evse"] == {"id": 2, "connectorId": 1}
    assert plugged["meterValue"][0]["sampledValue"][0]["context"] == "Transaction.Begin"
    assert told(bench) == [
        ("Started", "Authorized", "", ""),
        ("Updated", "CablePluggedIn", "EVConnected", ""),
    ]


def test_without_a_plug_in_the_authorisation_ends_in_time_and_counts_no_more():
    bench = booted("Authorized")
    show(bench)
    bench.wait(61)
    bench.settle()
    assert told(bench)[1:] == [("Ended", "EVConnectTimeout", "Idle", "Timeout")]
    do(bench, PlugIn(1), StartPower(1))
    assert len(payloads(bench)) == 2


def test_without_a_transaction_the_authorisation_ends_silently():
    bench = booted()
    show(bench)
    bench.wait(61)
    do(bench, PlugIn(1), StartPower(1))
    assert payloads(bench) == []


@pytest.mark.parametrize("stop", ["EVConnected", "Authorized", "PowerPathClosed"])
def test_an_ev_that_is_unplugged_ends_the_transaction(stop):
    bench = charging(stop=stop)
    do(bench, Unplug(1))
    assert told(bench)[-1] == ("Ended", "EVCommunicationLost", "Idle", "EVDisconnected")
    states = [f[3]["connectorStatus"] for f in bench.said if f[2:3] == ["StatusNotification"]]
    assert states == ["Occupied", "Available"]


def test_a_transaction_that_stops_with_the_plug_alone_outlives_its_authorisation():
    bench = charging(stop="EVConnected")
    show(bench)
    do(bench, Unplug(1))
    assert told(bench)[2:] == [
        ("Updated", "StopAuthorized", "", ""),
        ("Updated", "ChargingStateChanged", "EVConnected", ""),
        ("Ended", "EVCommunicationLost", "Idle", "EVDisconnected"),
    ]


def test_a_fault_ends_the_transaction():
    bench = charging()
    do(bench, Fault(1))
    assert told(bench)[-1] == ("Ended", "AbnormalCondition", "EVConnected", "Other")
    states = [f[3]["connectorStatus"] for f in bench.said if f[2:3] == ["StatusNotification"]]
    assert states == ["Occupied", "Faulted"]


@pytest.mark.parametrize(
    ("stop_invalid", "stop", "last"),
    [
        ("true", "Authorized", [("Ended", "Deauthorized", "EVConnected", "DeAuthorized")]),
        ("true", "EVConnected", [("Updated", "Deauthorized", "EVConnected", "")]),
        ("false", "Authorized", [("Updated", "ChargingStateChanged", "SuspendedEVSE", "")]),
    ],
)
def test_a_token_that_is_taken_back_gets_no_more_energy(stop_invalid, stop, last):
    bench = booted(stop=stop, StopTxOnInvalidId=stop_invalid)
    do(bench, PlugIn(1))
    bench.do(PresentToken("AA01"))
    bench.answer({"idTokenInfo": {"status": "Accepted"}})
    bench.do(StartPower(1))
    accept(bench, "Invalid")
    assert told(bench) == [AUTHORIZED, CHARGING, *last]
    assert "0 kW" in bench.station.describe_evses()[0]


def test_what_happens_offline_is_told_later_and_says_so():
    bench = booted()
    bench.do(CutNetwork())
    bench.lose()
    do(bench, PlugIn(1), PresentToken("AA01"), StartPower(1), PresentToken("AA01"))
    assert payloads(bench) == []
    bench.do(Connected())
    bench.settle()
    assert [event[0] for event in told(bench)] == ["Started", "Updated", "Ended"]
    assert all(event["offline"] for event in payloads(bench))


def test_after_a_loss_of_power_the_transaction_is_ended():
    bench = charging()
    bench.do(PowerCycle())
    bench.lose()
    bench.said.clear()
    bench.boot()
    bench.settle()
    assert told(bench) == [("Ended", "AbnormalCondition", "EVConnected", "PowerLoss")]
    assert payloads(bench)[0]["seqNo"] == 2


def test_after_a_kill_the_next_process_ends_the_transaction_with_the_next_number():
    before = charging()
    bench = Bench(lasting=json.loads(json.dumps(before.kept))).boot()
    bench.settle()
    assert told(bench) == [("Ended", "AbnormalCondition", "Idle", "PowerLoss")]
    ended, begun = payloads(bench)[0], payloads(before)[0]
    assert ended["seqNo"] == 2
    assert ended["transactionInfo"]["transactionId"] == begun["transactionInfo"]["transactionId"]


@pytest.mark.parametrize(
    "stored", [None, [], {}, [1], [{}], [{"transaction": "x", "seqNo": -1, "evse": 1}], "x"]
)
def test_a_broken_state_is_no_transaction(stored):
    bench = Bench(lasting={"transactions": stored}).boot()
    assert payloads(bench) == []


def test_the_status_of_transactions_says_what_runs_and_what_waits():
    bench = charging()
    running = payloads(bench)[0]["transactionInfo"]["transactionId"]
    ask = bench.ask
    none, quiet = {"ongoingIndicator": False, "messagesInQueue": False}, {"messagesInQueue": False}
    assert ask("GetTransactionStatus", {"transactionId": "none"})[2] == none
    assert ask("GetTransactionStatus", {})[2] == quiet
    assert ask("GetTransactionStatus", {"transactionId": running})[2] == {
        **none,
        "ongoingIndicator": True,
    }
    bench.do(PresentToken("AA01"))
    assert ask("GetTransactionStatus", {"transactionId": running})[2] == {
        **none,
        "messagesInQueue": True,
    }
    assert ask("GetTransactionStatus", {})[2] == {"messagesInQueue": True}


def test_where_nobody_needs_an_authorisation_the_plug_starts_charging():
    bench = booted()
    data = {
        "attributeValue": "false",
        "component": {"name": "AuthCtrlr"},
        "variable": {"name": "Enabled"},
    }
    bench.ask("SetVariables", {"setVariableData": [data]})
    do(bench, PlugIn(1), StartPower(1))
    assert told(bench) == [("Started", "CablePluggedIn", "EVConnected", ""), CHARGING]
    assert payloads(bench)[0]["idToken"] == {"idToken": "", "type": "NoAuthorization"}


def test_an_ev_that_stays_plugged_in_begins_nothing_by_itself():
    bench = charging("EVConnected")
    show(bench)
    do(bench, StopPower(1), StartPower(1), PlugIn(2))
    assert [event["eventType"] for event in payloads(bench)][-2:] == ["Ended", "Started"]
    assert payloads(bench)[-1]["evse"]["id"] == 2
    show(bench)
    assert payloads(bench)[-1]["triggerReason"] == "Authorized"


def test_an_ev_that_stayed_plugged_in_charges_again_for_the_next_token():
    bench = charging()
    show(bench)
    show(bench, "BB02")
    assert told(bench)[3:] == [AUTHORIZED, CHARGING]
