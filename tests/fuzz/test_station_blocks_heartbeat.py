from fuzz.station.bench import Bench


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
