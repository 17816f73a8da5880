"""What a line reads out of what a target says of itself."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given, strategies as st

from fuzz.engine.conversation import Take
from fuzz.engine.line import ENOUGH, Line, Pace
from fuzz.records import Entry, Who

NOW = datetime(2026, 1, 2, 3, 0, 10, tzinfo=UTC)


def offset(*entries: Entry) -> float | None:
    """The clock offset that a take of ten seconds shows, which ends at `NOW`."""
    line = SimpleNamespace(_clock=SimpleNamespace(monotonic=lambda: 60.0, now=lambda: NOW))
    return Line.clock_offset_s(line, Take(50.0, list(entries)))


def told(at_s: float, second: str, who: Who = Who.TARGET) -> Entry:
    text = f'[2,"1","StatusNotification",{{"timestamp":"2026-01-02T03:00:{second}Z"}}]'
    return Entry(at_s, who, "text", text)


@pytest.mark.parametrize(
    ("entries", "seconds"),
    [
        ([told(4.0, "04.000")], 0.0),
        ([told(4.0, "34.000")], 30.0),
        ([told(4.0, "01.500")], -2.5),
        ([told(4.0, "01.000"), told(5.0, "04.000")], -1.0),
        ([told(4.0, "34.000", Who.HARNESS)], None),
        ([Entry(1.0, Who.TARGET, "close", "1006")], None),
        ([], None),
    ],
    ids=[
        "equal",
        "ahead",
        "behind",
        "the latest counts",
        "ours do not count",
        "no message",
        "none",
    ],
)
def test_how_far_a_clock_is_ahead_is_read_out_of_moments(entries, seconds):
    assert offset(*entries) == seconds


# --- how long is long enough ----------------------------------------------------------------------------------

SECONDS = st.floats(0.0, 100.0)


@given(st.integers(0, 10_000), SECONDS, SECONDS, SECONDS)
def test_no_answer_is_waited_for_longer_than_it_may_take(answers, longest_s, limit_s, least_s):
    pace = Pace(answers=answers, longest_s=longest_s)
    assert min(limit_s, least_s) <= pace.enough_s(limit_s, least_s) <= limit_s


@given(st.lists(st.tuples(st.integers(0, 100), SECONDS)), SECONDS, SECONDS)
def test_an_answer_as_slow_as_any_before_is_always_waited_for(plays, limit_s, least_s):
    pace = Pace()
    for answers, longest_s in plays:
        pace.heard(answers, longest_s)
    slowest_s = max((longest_s for _, longest_s in plays), default=0.0)
    assert pace.enough_s(limit_s, least_s) >= min(limit_s, slowest_s)


@given(st.integers(0, ENOUGH - 1), SECONDS)
def test_of_a_target_that_hardly_answered_nothing_is_known(answers, longest_s):
    assert Pace(answers=answers, longest_s=longest_s).enough_s(30.0, 5.0) == 30.0


@pytest.mark.parametrize(("longest_s", "expected"), [(0.01, 5.0), (3.0, 12.0), (25.0, 30.0)])
def test_slow_but_proper_answers_make_patient(longest_s, expected):
    assert Pace(answers=ENOUGH, longest_s=longest_s).enough_s(30.0, 5.0) == expected
