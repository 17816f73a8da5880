import math
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from fuzz.station.bench import Bench
from fuzz.station.defects import defects
from fuzz.station.events import (
    CloseConnection,
    Connect,
    DropConnection,
    Exit,
    Later,
    Note,
    Persist,
    Reboot,
    SendText,
)
from fuzz.station.timing import (
    BENCH_BACKOFF_S,
    RESPONSE,
    TRIGGERED,
    Measured,
    closes_on_unparsable,
    realistic_timing,
    stays_dead,
)

SHARES = st.floats(0, 1, exclude_max=True)
ANSWER, CALL = SendText('[3,"q",{}]'), SendText('[2,"s","Heartbeat",{}]')
REALISTIC = st.sampled_from([ANSWER, CALL, Persist({}), Note("x"), Reboot(), CloseConnection()])


@given(SHARES)
def test_drawn_times_stay_between_what_was_measured(share):
    assert RESPONSE.least_s <= RESPONSE.draw(share) <= RESPONSE.most_s


def test_drawn_times_have_the_measured_average():
    drawn = [RESPONSE.draw(index / 10_000) for index in range(10_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(RESPONSE.average_s, abs=0.002)


def test_an_answer_comes_later_and_what_follows_it_later_still():
    manner = realistic_timing(lambda: 0.0)
    assert manner([Persist({}), ANSWER, CALL], 100.0) == [
        Persist({}),
        Later(pytest.approx(0.15), (ANSWER,)),
        Later(pytest.approx(0.34), (CALL,)),
    ]


def test_a_reboot_waits_for_the_answer_that_announces_it():
    manner = realistic_timing(lambda: 0.0)
    assert manner([ANSWER, Note("x"), Reboot()], 0.0) == [
        Later(0.15, (ANSWER,)),
        Note("x"),
        Later(0.15, (Reboot(),)),
    ]


def test_what_the_station_says_by_itself_is_not_slowed():
    manner = realistic_timing(lambda: 0.0)
    assert manner([CALL, Connect()], 5.0) == [CALL, Connect()]


@given(st.lists(st.tuples(st.floats(0, 1), st.lists(REALISTIC, max_size=4))), SHARES)
def test_nothing_is_lost_and_messages_keep_their_order(batches, share):
    manner = realistic_timing(lambda: share)
    now, sent, wanted = 0.0, [], []
    for pause, commands in batches:
        now += pause
        wanted += [command for command in commands if isinstance(command, SendText)]
        for command in manner(commands, now):
            when, one = (
                (now + command.delay_s, command.commands[0])
                if isinstance(command, Later)
                else (now, command)
            )
            if isinstance(one, SendText):
                sent.append((when, one))
    assert [one for _, one in sent] == wanted
    moments = [when for when, _ in sent]
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(moments))


def test_on_a_virtual_clock_a_trigger_is_answered_and_then_done():
    bench = Bench(manners=[realistic_timing(lambda: 0.5)]).boot()
    bench.said.clear()
    bench.ask("TriggerMessage", {"requestedMessage": "Heartbeat"})
    assert bench.said == []
    bench.wait(RESPONSE.draw(0.5))
    assert [frame[0] for frame in bench.said] == [3]
    bench.wait(TRIGGERED.draw(0.5))
    assert [frame[2] for frame in bench.said[1:]] == ["Heartbeat"]


def test_what_was_put_off_is_not_said_on_the_next_connection():
    bench = Bench(manners=[realistic_timing(lambda: 0.5)]).boot()
    bench.said.clear()
    bench.ask("ClearCache", {})
    bench.lose()
    bench.wait(20.0)
    assert bench.said == []


@pytest.mark.parametrize("message", [b"\x00", "", "{", "[" * 100_000, "nonsense"])
def test_on_a_bench_garbage_ends_the_connection(message):
    bench = Bench(closes_on_unparsable).boot()
    assert bench.hear(message) == [CloseConnection(1002)]


@pytest.mark.parametrize("message", ['[2,"q","Nonsense",{}]', "[]", "1"])
def test_on_a_bench_readable_messages_are_answered_as_ever(message):
    assert Bench(closes_on_unparsable).boot().hear(message) == Bench().boot().hear(message)


def test_on_a_bench_a_planted_death_is_for_good():
    kills = '[2,"q","Reset",{"type":"OnIdle","evseId":3}]'
    plant = defects()["evse-index"].plant
    assert any(isinstance(command, Exit) for command in Bench(plant).boot().hear(kills))
    dead = Bench(plant, manners=[stays_dead]).boot().hear(kills)
    assert [c for c in dead if isinstance(c, Exit | Reboot)] == [Reboot(math.inf, abrupt=True)]


def test_on_a_bench_the_station_dials_again_after_30_60_120_seconds():
    bench = Bench(backoff_min_s=BENCH_BACKOFF_S, backoff_range_s=0.0).boot()
    bench.lose()
    for wait_s in (30.0, 60.0, 120.0):
        before = bench.wait(wait_s - 0.1)
        assert not any(isinstance(command, Connect) for command in before)
        assert any(isinstance(command, Connect) for command in bench.wait(0.1))
        bench.lose()


def test_a_measured_time_of_one_value_is_that_value():
    assert Measured(1.0, 1.0, 1.0).draw(0.9) == 1.0


def test_the_bench_itself_plays_scripts_and_time():
    bench = Bench().boot()
    begin = bench.now
    bench.play("plug-in 1\nwait 5\nstatus\n")
    assert bench.now == begin + 5
    assert [line[:6] for line in bench.station.describe_evses()] == ["EVSE 1", "EVSE 2"]
    assert any(isinstance(c, DropConnection) for c in bench.play("cut-network"))
