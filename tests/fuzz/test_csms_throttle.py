"""How often somebody may fail."""

import pytest
from hypothesis import given, strategies as st

from fuzz.csms.throttle import ADDRESS_LIMIT, MAX_KEYS, PAIR_LIMIT, WINDOW_S, Throttle


def failed(times: int, *, at: float = 0.0, identity: str = "CS-1") -> Throttle:
    throttle = Throttle()
    for _ in range(times):
        throttle.failed("10.0.0.1", identity, at)
    return throttle


def test_the_limit_is_ten_failures_in_ten_seconds():
    assert (PAIR_LIMIT, WINDOW_S) == (10, 10.0)


def test_below_the_limit_nobody_waits():
    assert failed(PAIR_LIMIT - 1).wait_s("10.0.0.1", "CS-1", 0.0) == 0.0


def test_at_the_limit_the_caller_waits_until_the_oldest_failure_is_over():
    throttle = failed(PAIR_LIMIT, at=5.0)
    assert throttle.wait_s("10.0.0.1", "CS-1", 6.0) == pytest.approx(WINDOW_S - 1)
    assert throttle.wait_s("10.0.0.1", "CS-1", 5.0 + WINDOW_S) == 0.0


def test_another_identity_and_another_address_do_not_wait():
    throttle = failed(PAIR_LIMIT)
    assert throttle.wait_s("10.0.0.1", "CS-2", 0.0) == 0.0
    assert throttle.wait_s("10.0.0.2", "CS-1", 0.0) == 0.0


def test_an_address_that_tries_many_identities_waits_with_all_of_them():
    throttle = Throttle()
    for number in range(ADDRESS_LIMIT):
        throttle.failed("10.0.0.1", f"CS-{number}", 0.0)
    assert throttle.wait_s("10.0.0.1", "fresh", 1.0) > 0


def test_a_success_forgives_what_failed_before():
    throttle = failed(PAIR_LIMIT)
    throttle.succeeded("10.0.0.1", "CS-1")
    assert throttle.wait_s("10.0.0.1", "CS-1", 0.0) == 0.0


@pytest.mark.slow
@given(count=st.integers(MAX_KEYS, MAX_KEYS + 50))
def test_however_many_callers_fail_the_memory_stays_bounded(count):
    throttle = Throttle()
    for number in range(count):
        throttle.failed(str(number), "CS-1", 0.0)
    assert len(throttle) <= MAX_KEYS
