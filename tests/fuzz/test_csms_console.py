"""What an operator of the CSMS may type."""

import contextlib

import pytest
from hypothesis import given, strategies as st

from fuzz.csms.console import HELP, parse
from fuzz.csms.events import (
    BootStatus,
    Restore,
    Revoke,
    SetBootStatus,
    TellEvents,
    TellStations,
    Trigger,
)
from fuzz.errors import UsageError


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("revoke CS-1", Revoke("CS-1")),
        ("restore 0fa1", Restore("0fa1")),
        ("boot-status CS-1 Pending", SetBootStatus("CS-1", BootStatus.PENDING)),
        ("  trigger CS-1 Heartbeat ", Trigger("CS-1", "Heartbeat")),
        ("events", TellEvents()),
        ("events CS-1", TellEvents("CS-1")),
        ("stations", TellStations()),
        ("", None),
        ("# a comment", None),
    ],
)
def test_a_line_is_an_event(line, event):
    assert parse(line) == event


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("revok CS-1", "did you mean 'revoke'"),
        ("revoke", "write: revoke ID"),
        ("boot-status CS-1 Maybe", "known: Accepted"),
        ("trigger CS-1 Heartbeet", "did you mean 'Heartbeat'"),
        ("stations now", "does not fit"),
        ("x" * 2000, "too long"),
    ],
)
def test_a_line_that_cannot_be_meant_is_told_of(line, told):
    with pytest.raises(UsageError, match=told):
        parse(line)


@given(line=st.text(max_size=50))
def test_any_line_is_read_or_refused(line):
    with contextlib.suppress(UsageError):
        parse(line)


def test_every_word_is_told_of():
    assert [line.split()[0] for line in HELP] == [
        "revoke",
        "restore",
        "boot-status",
        "trigger",
        "events",
        "stations",
    ]
