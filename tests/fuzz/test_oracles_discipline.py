import pytest

from fuzz.records import Probes, SendText, Settle, Settled
from fuzz.testing import (
    case,
    note,
    observation,
    rejected,
    scene,
    spoken,
    target,
    us,
    voice,
)
from strategies.labels import Fault, Tier

BEAT = target(1.0, [2, "t1", "Heartbeat", {}])
BEAT_ANSWERED = voice(1.1, [3, "t1", {"currentTime": "2026-01-01T00:00:00Z"}])
STUCK = ["O28 crossing CALL unanswered"]
TWO = ["O28 two CALLs at once"]


def status(at_s, id_="t2"):
    return target(at_s, [2, id_, "Authorize", {"idToken": {"idToken": "A", "type": "Central"}}])


def ask(at_s, id_="a"):
    return us(at_s, [2, id_, "ClearCache", {}])


def told(at_s, id_="a"):
    return target(at_s, [3, id_, {"status": "Accepted"}])


def o28(obs):
    return [line for line in spoken(obs) if line.startswith("O28")]


# --- one CALL at a time ---------------------------------------------------------------------------------------


def test_a_second_call_while_the_first_is_open_breaks_the_rule():
    assert o28(scene(BEAT, status(1.05), BEAT_ANSWERED)) == TWO
    assert o28(scene(BEAT, status(2.0))) == TWO


def test_a_second_call_is_seen_in_a_case_of_one_message_too():
    assert o28(scene(BEAT, status(1.05), played=case())) == TWO


@pytest.mark.parametrize(
    "between",
    [
        [BEAT_ANSWERED],
        [note(1.1, "close", "1006"), note(1.2, "open")],
        [us(1.1, [4, "t1", "InternalError", "", {}])],
        [us(1.1, [3, "t1"])],
        [us(1.1, "[3,")],
        [us(1.1, [3, "other", {}])],
    ],
    ids=["answered", "new-connection", "refused", "broken", "no-json", "foreign"],
)
def test_what_may_have_closed_the_first_is_no_violation(between):
    assert o28(scene(BEAT, *between, status(1.5))) == []


def test_a_first_call_that_may_have_timed_out_is_none():
    assert o28(scene(BEAT, status(7.0))) == []


def test_an_answer_of_the_target_in_between_is_none():
    assert o28(scene(BEAT, ask(1.01), told(1.02), BEAT_ANSWERED, status(1.5))) == []


def test_where_nothing_is_served_any_more_that_is_the_finding():
    obs = scene(BEAT, status(1.05), probes=Probes(same_connection=False))
    assert spoken(obs) == ["O5 CALL unserved"]


# --- crossing CALLs -------------------------------------------------------------------------------------------


def test_a_call_that_crossed_the_targets_own_and_was_never_answered_is_a_deadlock():
    assert o28(scene(BEAT, ask(1.1), voice(31.5, [2, "p", "X", {}]), told(31.6, "p"))) == STUCK


def test_calls_that_met_on_the_way_crossed_too():
    late = target(1.1, [2, "t9", "Heartbeat", {}])
    answered = voice(1.1, [3, "t9", {"currentTime": "2026-01-01T00:00:00Z"}])
    assert o28(scene(ask(1.0), late, answered, target(40, "x"))) == STUCK
    assert o28(scene(ask(0.0), late, answered, target(40, "x"))) == []


def test_a_deaf_target_that_goes_on_calling_is_no_deadlock():
    calls = [target(1.1 + n, [2, f"t{n}", "Heartbeat", {}]) for n in range(40)]
    answers = [voice(1.1 + n, [3, f"t{n}", {}]) for n in range(40)]
    talk = [entry for pair in zip(calls, answers, strict=True) for entry in pair]
    obs = scene(ask(1.0), *talk, probes=Probes(same_connection=False))
    assert spoken(obs) == ["O5 CALL unserved"]


def test_a_deadlock_for_good_is_named_by_what_led_to_it():
    obs = scene(BEAT, ask(1.1), probes=Probes(same_connection=False))
    assert spoken(obs) == STUCK


def test_a_deadlock_that_a_new_connection_ended_is_one_all_the_same():
    after = [note(32, "close", "1006"), note(33, "open"), ask(34, "b"), told(35, "b")]
    assert o28(scene(BEAT, ask(1.1), target(31.5, "x"), *after)) == STUCK


@pytest.mark.parametrize(
    "entries",
    [
        [BEAT, ask(1.1), told(1.2)],
        [BEAT, BEAT_ANSWERED, ask(1.2), target(40, "x")],
        [BEAT, ask(1.1), told(29.0)],
        [BEAT, ask(1.1), note(5, "close", "1006")],
        [ask(0.5, "b"), BEAT, ask(1.1), target(40, "x")],
        [BEAT, us(1.05, "[3,"), ask(1.1), target(40, "x")],
    ],
    ids=["answered", "not-crossing", "slow", "cut-short", "deaf-before", "bad-answer"],
)
def test_other_silences_are_no_deadlock(entries):
    assert o28(scene(*entries)) == []


def test_a_broken_call_may_be_dropped_whatever_it_crossed():
    played = case(rejected(Tier.SCHEMA, Fault.EXTRA), steps=[SendText(("x",)), Settle()])
    assert o28(scene(BEAT, ask(1.1), target(40, "x"), played=played)) == []


def test_a_deadlock_is_not_told_as_a_missing_answer_as_well():
    played = case(steps=[SendText(("x",)), Settle()])
    obs = scene(
        BEAT, ask(1.1), target(40, "x"), played=played, settled=Settled.BY_CLOCK, call_id="a"
    )
    assert spoken(obs) == STUCK


def test_a_case_without_calls_of_the_target_is_not_looked_into():
    assert o28(observation()) == []


# --- what breaks down in a crossing ---------------------------------------------------------------------------

BROKEN = target(1.6, [4, "b", "InternalError", "locked", {}])


def test_a_call_that_is_served_alone_and_breaks_down_in_a_crossing_is_found():
    alone, crossing = [ask(0.1), told(0.2)], [BEAT, ask(1.5, "b"), BROKEN, BEAT_ANSWERED]
    assert o28(scene(*alone, *crossing)) == ["O28 crossing CALL breaks down"]


@pytest.mark.parametrize(
    "entries",
    [
        [BEAT, ask(1.5, "b"), BROKEN],
        [ask(0.1), told(0.2), ask(1.5, "b"), BROKEN],
        [ask(0.1), told(0.2), BEAT, BEAT_ANSWERED, ask(1.5, "b"), BROKEN],
        [ask(0.1), told(0.2), BEAT, ask(1.5, "b"), told(1.6, "b")],
        [ask(0.1), told(0.2), BEAT, us(1.5, [2, "b", "Reset", {}]), BROKEN],
        [ask(0.1), target(0.2, [4, "a", "InternalError", "", {}]), BEAT, ask(1.5, "b"), BROKEN],
    ],
    ids=["never-served", "no-crossing", "answered-before", "served", "another", "always"],
)
def test_other_breakdowns_are_not_blamed_on_a_crossing(entries):
    assert "O28 crossing CALL breaks down" not in o28(scene(*entries))
