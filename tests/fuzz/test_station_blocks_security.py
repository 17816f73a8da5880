from fuzz.station.bench import Bench
from fuzz.station.events import Connected


def events(bench):
    return [f[3]["type"] for f in bench.said if f[0] == 2 and f[2] == "SecurityEventNotification"]


def test_an_event_that_was_not_confirmed_is_told_again_on_the_next_connection():
    bench = Bench().start()
    bench.answer({"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300})
    bench.answer({})
    bench.answer({})
    assert events(bench) == ["StartupOfTheDevice"]
    bench.lose()
    bench.do(Connected())
    bench.settle()
    assert events(bench) == ["StartupOfTheDevice"] * 2


def test_an_event_that_was_refused_is_not_told_again():
    bench = Bench().start()
    bench.answer({"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300})
    bench.answer({})
    bench.answer({})
    bench.hear(f'[4,"{bench.asked[1]}","NotSupported","",{{}}]')
    bench.lose()
    bench.do(Connected())
    bench.settle()
    assert events(bench) == ["StartupOfTheDevice"]


def test_a_jump_of_the_clock_is_an_event_and_a_small_step_is_not():
    for moment, expected in (("2026-01-01T00:00:19Z", 1), ("2026-01-02T00:00:00Z", 2)):
        bench = Bench().start()
        bench.answer({"status": "Accepted", "currentTime": moment, "interval": 300})
        bench.settle()
        assert len(events(bench)) == expected
