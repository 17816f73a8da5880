"""What a line reads out of what a target says of itself."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from fuzz.engine.conversation import Take
from fuzz.engine.line import Line
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
