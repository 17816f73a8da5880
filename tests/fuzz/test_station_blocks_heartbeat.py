import pytest

from fuzz.station.bench import Bench

STATUS = {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}


def beats(bench):
    return [frame for frame in bench.said if frame[0] == 2 and frame[2] == "Heartbeat"]


def test_heartbeats_follow_the_interval_of_the_boot():
    bench = Bench().boot(interval=60)
    bench.wait(59)
    assert beats(bench) == []
    bench.wait(1)
    bench.settle()
    bench.wait(60)
    assert len(beats(bench)) == 2


def test_an_interval_that_is_out_of_range_changes_nothing():
    bench = Bench().boot(interval=0)
    bench.wait(299)
    assert beats(bench) == []
    bench.wait(1)
    assert len(beats(bench)) == 1


def test_a_heartbeat_without_an_answer_delays_the_next_but_stops_nothing():
    bench = Bench().boot(interval=1)
    bench.wait(200)
    assert 5 <= len(beats(bench)) <= 10


def test_the_time_in_the_answer_sets_the_clock():
    bench = Bench().boot(interval=60)
    bench.wait(60)
    bench.answer({"currentTime": "2026-01-01T00:01:10Z"})
    asked = {
        "getVariableData": [{"component": {"name": "ClockCtrlr"}, "variable": {"name": "DateTime"}}]
    }
    (result,) = bench.ask("GetVariables", asked)[2]["getVariableResult"]
    assert result["attributeValue"] == "2026-01-01T00:01:10.000Z"


def test_any_other_message_begins_the_interval_anew():
    bench = Bench().boot(interval=60)
    bench.wait(40)
    bench.ask("TriggerMessage", STATUS)
    bench.settle()
    bench.wait(59)
    assert beats(bench) == []
    bench.wait(1)
    assert len(beats(bench)) == 1


def test_the_time_is_asked_for_once_a_day_however_much_is_said():
    bench = Bench().boot(interval=7200)
    for _ in range(25):
        bench.ask("TriggerMessage", STATUS)
        bench.settle()
        bench.wait(3600)
        bench.settle()
    assert len(beats(bench)) == 1


def test_a_station_that_is_cut_off_for_days_does_not_spin():
    bench = Bench().boot(interval=60)
    bench.lose()
    bench.wait(2)
    context = bench.station._context
    context.now += 3 * 86_400
    context.run_timers()
    assert context.next_timer() >= context.now + 1


@pytest.mark.parametrize(
    ("variable", "value", "status"),
    [
        ({"name": "TimeZone"}, "Europe/Amsterdam", "Accepted"),
        ({"name": "TimeZone"}, "America/Argentina/Buenos_Aires", "Accepted"),
        ({"name": "TimeZone"}, "UTC", "Accepted"),
        ({"name": "TimeZone"}, "Nowhere", "Rejected"),
        ({"name": "TimeZone"}, "../etc/passwd", "Rejected"),
        ({"name": "TimeZone"}, "", "Rejected"),
        ({"name": "NtpServerUri", "instance": "1"}, "time.example.org", "Accepted"),
        ({"name": "NtpServerUri", "instance": "1"}, "two words", "Rejected"),
        ({"name": "TimeSource"}, "Heartbeat", "Accepted"),
        ({"name": "TimeSource"}, "GPS", "Rejected"),
    ],
)
def test_the_settings_of_the_clock_must_make_sense(variable, value, status):
    item = {"component": {"name": "ClockCtrlr"}, "variable": variable, "attributeValue": value}
    answer = Bench().boot().ask("SetVariables", {"setVariableData": [item]})
    assert answer[2]["setVariableResult"][0]["attributeStatus"] == status


def test_a_clock_that_follows_another_source_ignores_the_heartbeat():
    bench = Bench().boot(interval=60)
    names = {"component": {"name": "ClockCtrlr"}, "variable": {"name": "TimeSource"}}
    bench.ask("SetVariables", {"setVariableData": [{**names, "attributeValue": "NTP"}]})
    bench.wait(60)
    bench.answer({"currentTime": "2026-01-01T10:00:00Z"})
    assert bench.station._context.timestamp() == "2026-01-01T00:01:00.000Z"
