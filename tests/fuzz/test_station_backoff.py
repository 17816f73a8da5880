from hypothesis import given, strategies as st

from fuzz.station.backoff import Backoff, Limits


def waits(count, *, minimum=10.0, spread=10.0, repeats=5, random=0.0):
    backoff = Backoff(lambda: Limits(minimum, spread, repeats), lambda: random)
    return [backoff.next_wait_s() for _ in range(count)]


def test_the_wait_doubles_as_often_as_allowed_and_stays_then():
    assert waits(8) == [10, 20, 40, 80, 160, 320, 320, 320]


def test_each_wait_has_a_random_part():
    assert waits(3, random=0.5) == [15, 25, 45]


def test_no_repeat_means_no_doubling():
    assert waits(3, repeats=0) == [10, 10, 10]


def test_a_connection_makes_the_next_wait_short_again():
    backoff = Backoff(lambda: Limits(10, 0, 5), lambda: 0.0)
    backoff.next_wait_s()
    backoff.next_wait_s()
    backoff.reset()
    assert backoff.next_wait_s() == 10


@given(st.floats(0, 2**31), st.floats(0, 2**31), st.integers(0, 2**31), st.floats(0, 1))
def test_no_limits_make_a_wait_without_end(minimum, spread, repeats, random):
    assert all(
        0 <= wait <= 2**32
        for wait in waits(50, minimum=minimum, spread=spread, repeats=repeats, random=random)
    )
