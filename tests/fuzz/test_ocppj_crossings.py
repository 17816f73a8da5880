"""Tells CALLs that crossed from CALLs that only went unanswered."""

import json

import pytest
from hypothesis import given, strategies as st

from fuzz.ocppj.crossings import EVER_S, unanswered_crossing
from fuzz.ocppj.history import Deed, history
from fuzz.records import Entry, Who
from fuzz.testing import note, target, us, voice


@st.composite
def talks(draw: st.DrawFn) -> list[Entry]:
    """One CALL after the other, of either end, each answered at once or not at all."""
    told: list[Entry] = []
    for number, (ours, answered) in enumerate(
        draw(st.lists(st.tuples(st.booleans(), st.booleans())))
    ):
        call = [2, f"c{number}", "Heartbeat" if not ours else "ClearCache", {}]
        told.append((us if ours else target)(float(number), call))
        if answered:
            told.append((target if ours else voice)(number + 0.1, [3, f"c{number}", {}]))
    return told


def without_answers(told: list[Entry], *, by: Who) -> list[Entry]:
    return [e for e in told if not (e.who is by and json.loads(e.text)[0] == 3)]


def with_answers(told: list[Entry], *, by: Who) -> list[Entry]:
    asks = Who.TARGET if by is Who.HARNESS else Who.US
    whole = []
    for entry in without_answers(told, by=by):
        whole.append(entry)
        if entry.who is asks and (call := json.loads(entry.text))[0] == 2:
            whole.append(Entry(entry.at_s + 0.1, by, "text", json.dumps([3, call[1], {}])))
    return whole


@given(talks())
def test_where_all_of_ours_is_answered_nothing_crossed_in_vain(told: list[Entry]) -> None:
    assert unanswered_crossing(history(with_answers(told, by=Who.TARGET)), EVER_S) is None


@given(talks())
def test_where_all_of_theirs_is_answered_in_between_nothing_crossed(told: list[Entry]) -> None:
    assert unanswered_crossing(history(with_answers(told, by=Who.HARNESS)), EVER_S) is None


@given(talks(), st.floats(0.0, 5.0))
def test_what_crossed_is_ours_unanswered_and_theirs_open_or_on_its_way(
    told: list[Entry], within_s: float
) -> None:
    seen = history(told)
    found = unanswered_crossing(seen, within_s)
    if found is not None:
        ours, theirs = seen.happenings[found[0]], found[1]
        assert (ours.deed, ours.partner, theirs.deed) == (Deed.ASKED, -1, Deed.CALLED)
        assert abs(ours.at_s - theirs.at_s) <= max(within_s, 0.3)


BEAT = target(1.0, [2, "t", "Heartbeat", {}])
BEAT_ANSWERED = voice(1.0, [3, "t", {}])
ASKED = us(1.0, [2, "a", "ClearCache", {}])


def test_calls_that_were_sent_at_the_same_time_crossed_although_each_is_heard_at_once() -> None:
    found = unanswered_crossing(history([ASKED, BEAT, BEAT_ANSWERED]), EVER_S)
    assert found is not None
    assert (found[0], found[1].action) == (0, "Heartbeat")


def test_a_new_connection_between_them_leaves_nothing_open() -> None:
    assert unanswered_crossing(history([BEAT, note(1.0, "open"), ASKED]), EVER_S) is None


@pytest.mark.parametrize(
    ("next_at_s", "crossed"), [(2.0, False), (26.9, False), (29.0, True)], ids=str
)
def test_a_target_that_goes_on_calling_met_us_by_chance_and_is_silent_for_another_reason(
    next_at_s: float, crossed: bool
) -> None:
    another = target(next_at_s, [2, "t2", "Heartbeat", {}])
    found = unanswered_crossing(history([ASKED, BEAT, BEAT_ANSWERED, another]), 30.0)
    assert (found is not None) is crossed
