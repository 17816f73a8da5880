import json

import pytest

from fuzz.station.bench import Bench
from fuzz.station.events import ClearFault, Connected, Fault, Persist, PlugIn, PresentToken, Unplug


@pytest.fixture
def bench():
    return Bench().boot()


def change(bench, word, *place):
    request = {"operationalStatus": word}
    if place:
        request["evse"] = dict(zip(("id", "connectorId"), place, strict=False))
    return bench.ask("ChangeAvailability", request)[2]


def told(frames):
    return [
        (f[3]["evseId"], f[3]["connectorId"], f[3]["connectorStatus"])
        for f in frames
        if f[0] == 2 and f[2] == "StatusNotification"
    ]


def test_the_whole_station_goes_and_comes_back(bench):
    bench.said.clear()
    assert change(bench, "Inoperative") == {"status": "Accepted"}
    bench.settle()
    assert told(bench.said) == [(1, 1, "Unavailable"), (2, 1, "Unavailable")]
    bench.said.clear()
    change(bench, "Operative")
    bench.settle()
    assert told(bench.said) == [(1, 1, "Available"), (2, 1, "Available")]


def test_a_change_that_is_none_is_accepted_in_silence(bench):
    bench.said.clear()
    assert change(bench, "Operative", 1) == {"status": "Accepted"}
    assert told(bench.settle()) == []


def test_levels_keep_their_own_state(bench):
    change(bench, "Inoperative", 1, 1)
    change(bench, "Inoperative")
    bench.settle()
    bench.said.clear()
    change(bench, "Operative")
    bench.settle()
    assert told(bench.said) == [(2, 1, "Available")]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ((0,), "UnknownEvse"),
        ((3,), "UnknownEvse"),
        ((-1,), "UnknownEvse"),
        ((2**31 - 1, 1), "UnknownEvse"),
        ((1, 0), "UnknownConnectorId"),
        ((1, 2), "UnknownConnectorId"),
    ],
)
def test_a_place_that_does_not_exist_is_rejected(bench, place, reason):
    assert change(bench, "Inoperative", *place) == {
        "status": "Rejected",
        "statusInfo": {"reasonCode": reason},
    }


def test_availability_survives_a_new_start(bench):
    request = {"operationalStatus": "Inoperative", "evse": {"id": 2}}
    kept = bench.hear(json.dumps([2, "q", "ChangeAvailability", request]))[0]
    assert isinstance(kept, Persist)
    again = Bench(lasting=kept.state).boot()
    assert told(again.said) == [(1, 1, "Available"), (2, 1, "Unavailable")]


@pytest.mark.parametrize("stored", [None, 5, [[1]], [["a", "b"]], [[9, 9]], [[{}, []]]])
def test_nonsense_in_a_stored_state_is_left_out(stored):
    assert told(Bench(lasting={"inoperative": stored}).boot().said)[0] == (1, 1, "Available")


def test_after_a_short_absence_only_changes_are_told_and_after_a_long_one_everything(bench):
    for absence, expected in ((299, []), (301, [(1, 1, "Available"), (2, 1, "Available")])):
        bench.lose()
        bench.wait(absence)
        bench.said.clear()
        bench.do(Connected())
        bench.settle()
        assert told(bench.said) == expected


def test_the_status_of_one_connector_can_be_asked_for(bench):
    request = {"requestedMessage": "StatusNotification", "evse": {"id": 2, "connectorId": 1}}
    bench.said.clear()
    assert bench.ask("TriggerMessage", request)[2] == {"status": "Accepted"}
    assert told(bench.said) == [(2, 1, "Available")]


@pytest.mark.parametrize("evse", [{}, {"evse": {"id": 1}}, {"evse": {"id": 3, "connectorId": 1}}])
def test_the_status_of_no_connector_cannot_be_asked_for(bench, evse):
    answer = bench.ask("TriggerMessage", {"requestedMessage": "StatusNotification", **evse})
    assert answer[2]["status"] == "Rejected"


START = {"remoteStartId": 7, "idToken": {"idToken": "AA01", "type": "Central"}}


def connectors(bench):
    return [
        (frame[3]["evseId"], frame[3]["connectorStatus"])
        for frame in bench.said
        if frame[2:3] == ["StatusNotification"]
    ]


@pytest.fixture
def charging(bench):
    bench.do(PlugIn(1))
    bench.ask("RequestStartTransaction", {**START, "evseId": 1})
    bench.settle()
    bench.said.clear()
    return bench


def test_a_plug_makes_a_connector_occupied_until_it_is_taken_out(bench):
    bench.said.clear()
    for event in (PlugIn(2), Unplug(2), Fault(2), ClearFault(2)):
        bench.do(event)
        bench.settle()
    states = ["Occupied", "Available", "Faulted", "Available"]
    assert connectors(bench) == [(2, state) for state in states]


@pytest.mark.parametrize("place", [(), (1,), (1, 1)])
def test_what_is_busy_becomes_inoperative_after_its_transaction(charging, place):
    assert change(charging, "Inoperative", *place) == {"status": "Scheduled"}
    assert change(charging, "Inoperative", *place) == {"status": "Scheduled"}
    charging.settle()
    idle = [] if place else [(2, "Unavailable")]
    assert connectors(charging) == idle
    charging.do(PresentToken("AA01", "Central"))
    charging.settle()
    assert connectors(charging) == [*idle, (1, "Unavailable")]


def test_an_idle_evse_changes_at_once_while_another_charges(charging):
    assert change(charging, "Inoperative", 2) == {"status": "Accepted"}
    charging.settle()
    assert connectors(charging) == [(2, "Unavailable")]


def test_a_plug_at_an_inoperative_evse_changes_nothing_and_starts_nothing(bench):
    change(bench, "Inoperative", 1)
    bench.settle()
    bench.said.clear()
    bench.do(PlugIn(1))
    bench.do(PresentToken("AA01"))
    bench.answer({"idTokenInfo": {"status": "Accepted"}})
    bench.settle()
    assert [frame[2] for frame in bench.said if frame[0] == 2] == ["Authorize"]


def test_a_status_that_was_lost_on_the_way_is_told_after_the_reconnect():
    bench = Bench().boot()
    bench.do(PlugIn(1))
    assert bench.asked[3]["connectorStatus"] == "Occupied"
    bench.lose()
    bench.wait(60)
    bench.do(Connected())
    bench.settle()
    told = [said[3] for said in bench.said if said[0] == 2 and said[2] == "StatusNotification"]
    occupied = [payload for payload in told if payload["connectorStatus"] == "Occupied"]
    assert [payload["evseId"] for payload in occupied] == [1, 1]
