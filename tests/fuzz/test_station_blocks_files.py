from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from fuzz.station.blocks.files import retry_wait_s, seconds

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moment=st.datetimes(timezones=ZONES))
def test_every_date_time_is_read_as_what_it_was_written(moment):
    assert seconds(moment.isoformat()) == pytest.approx(moment.timestamp())


@pytest.mark.parametrize(
    "text", ["2026-01-01T00:00:00Z", "2026-01-01t00:00:00z", "2026-01-01T01:00:00+01:00"]
)
def test_one_moment_has_many_spellings(text):
    assert seconds(text) == datetime(2026, 1, 1, tzinfo=UTC).timestamp()


@given(value=st.none() | st.booleans() | st.integers() | st.text())
def test_what_is_no_moment_raises_nothing(value):
    assert seconds(value) is None or isinstance(value, str)


def test_a_leap_second_is_no_moment():
    assert seconds("2016-12-31T23:59:60Z") is None


@pytest.mark.parametrize(
    ("request_", "wait_s"),
    [
        ({}, 10),
        ({"retryInterval": 60}, 60),
        ({"retryInterval": 0}, 1),
        ({"retryInterval": -5}, 1),
        ({"retryInterval": 10**400}, 2**31),
    ],
)
def test_a_retry_waits_at_least_a_second_and_not_for_ever(request_, wait_s):
    assert retry_wait_s(request_) == wait_s
