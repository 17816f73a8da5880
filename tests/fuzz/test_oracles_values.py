"""Which texts tell one value of a variable."""

import pytest
from hypothesis import given, strategies as st

from fuzz.oracles.values import same_value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("true", "TRUE"),
        ("1", "01"),
        ("1", "+1"),
        ("0.5", "0.50"),
        ("a,b", "b, a"),
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00.000+01:00"),
    ],
)
def test_spellings_of_one_value_are_equal(one: str, other: str) -> None:
    assert same_value(one, other)
    assert same_value(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("true", "false"),
        ("maybe", "false"),
        ("12abc", "12"),
        ("2147483648", "-2147483648"),
        ("", "0"),
        ("a,b", "a"),
        ("a", "A"),
        ("Infinity", "inf"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00Z"),
    ],
)
def test_different_values_are_not(one: str, other: str) -> None:
    assert not same_value(one, other)


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert same_value(one, one)
    assert same_value(one, other) == same_value(other, one)
