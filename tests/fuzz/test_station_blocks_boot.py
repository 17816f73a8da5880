import pytest

from fuzz.station.bench import Bench
from fuzz.station.events import Connected
from fuzz.station.states import Registration


def test_an_accepted_boot_is_followed_by_every_connectors_status_and_the_startup_event():
    bench = Bench().boot()
    assert [(f[2], f[3].get("evseId") or f[3].get("type")) for f in bench.said if f[0] == 2] == [
        ("BootNotification", None),
        ("StatusNotification", 1),
        ("StatusNotification", 2),
        ("SecurityEventNotification", "StartupOfTheDevice"),
    ]


def test_the_boot_names_vendor_model_and_reason():
    assert Bench().start().asked[3] == {
        "reason": "PowerUp",
        "chargingStation": {
            "vendorName": "ocppfuzz-lab",
            "model": "dc-2evse-ccs1",
            "serialNumber": "OCPPFUZZ0001",
            "firmwareVersion": "1.0.0",
        },
    }


def test_a_pending_station_answers_and_says_only_what_it_was_asked_for():
    bench = Bench().boot("Pending", interval=1000)
    assert bench.station.registration is Registration.PENDING
    assert bench.ask("ClearCache", {})[0] == 3
    bench.said.clear()
    bench.wait(999)
    assert bench.said == []
    assert bench.ask("TriggerMessage", {"requestedMessage": "Heartbeat"})[2] == {
        "status": "Accepted"
    }
    assert bench.asked[2] == "Heartbeat"


def test_a_pending_station_boots_again_after_the_interval():
    bench = Bench().boot("Pending", interval=1000)
    bench.said.clear()
    bench.wait(1000)
    assert [frame[2] for frame in bench.said] == ["BootNotification"]


def test_a_pending_station_boots_at_once_when_asked_to():
    bench = Bench().boot("Pending", interval=1000)
    assert bench.ask("TriggerMessage", {"requestedMessage": "BootNotification"})[2] == {
        "status": "Accepted"
    }
    assert (bench.asked[2], bench.asked[3]["reason"]) == ("BootNotification", "Triggered")


def test_an_accepted_station_does_not_boot_because_it_is_asked_to():
    answer = Bench().boot().ask("TriggerMessage", {"requestedMessage": "BootNotification"})
    assert answer[2]["status"] == "Rejected"


def test_a_rejected_station_is_silent_and_answers_security_error_until_the_interval_is_over():
    bench = Bench().boot("Rejected", interval=500)
    assert bench.ask("ClearCache", {})[2] == "SecurityError"
    assert bench.ask("TriggerMessage", {"requestedMessage": "Heartbeat"})[2] == "SecurityError"
    bench.said.clear()
    bench.wait(499)
    assert bench.said == []
    bench.wait(1)
    assert bench.asked[2] == "BootNotification"


@pytest.mark.parametrize("interval", [0, -1, -(2**31)])
def test_an_interval_that_is_none_does_not_make_a_storm(interval):
    bench = Bench().boot("Pending", interval=interval)
    bench.said.clear()
    bench.wait(9.9)
    assert bench.said == []


@pytest.mark.parametrize(
    "answer",
    [
        '[4,"{id}","InternalError","",{{}}]',
        '[3,"{id}",{{}}]',
        '[3,"{id}",{{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":9007199254740992}}]',
        '[3,"{id}",{{"status":"Maybe","currentTime":"2026-01-01T00:00:00Z","interval":1}}]',
        '[3,"{id}",{{"status":"Accepted","currentTime":"now","interval":1}}]',
        '[3,"{id}",{{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":"abc"}}]',
    ],
)
def test_an_improper_boot_answer_is_none_and_the_boot_is_repeated_in_peace(answer):
    bench = Bench().start()
    bench.hear(answer.format(id=bench.asked[1]))
    assert bench.station.registration is Registration.BOOTING
    bench.said.clear()
    bench.wait(9.9)
    assert bench.said == []
    bench.wait(0.1)
    assert bench.asked[2] == "BootNotification"


def test_a_boot_without_an_answer_is_repeated_after_the_timeout():
    bench = Bench().start()
    bench.wait(41)
    assert [frame[2] for frame in bench.said] == ["BootNotification", "BootNotification"]


def test_an_interval_is_remembered_over_a_lost_connection():
    bench = Bench().boot("Pending", interval=1000)
    bench.lose()
    bench.wait(100)
    bench.do(Connected())
    bench.said.clear()
    bench.wait(899)
    assert bench.said == []
    bench.wait(1)
    assert bench.asked[2] == "BootNotification"


@pytest.mark.parametrize(
    "moment", ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2016-12-31T23:59:60Z"]
)
def test_a_time_that_no_clock_can_show_is_left_alone(moment):
    bench = Bench().start()
    bench.answer({"status": "Accepted", "currentTime": moment, "interval": 5})
    assert bench.asked[3]["timestamp"] == "2026-01-01T00:00:00.000Z"
