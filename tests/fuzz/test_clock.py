"""Moments that messages tell are read, and ill ones skipped."""

import pytest

from fuzz.clock import moments_in


@pytest.mark.parametrize(
    ("text", "moments"),
    [
        ('[2,"1","A",{"timestamp":"1970-01-01T00:00:10Z"}]', [10.0]),
        ('{"currentTime" : "1970-01-01T01:00:00.500+01:00"}', [0.5]),
        ('{"timestamp":"1970-01-01T00:00:01Z","x":[{"timestamp":"1970-01-01T00:00:02Z"}]}', [1, 2]),
        ('{"timestamp":"2026-13-99T00:00:00Z"}', []),
        ('{"timestamp":"1970-01-01T00:00:10"}', []),
        ('{"when":"1970-01-01T00:00:10Z"}', []),
        ("", []),
    ],
)
def test_a_moment_counts_where_it_has_a_zone(text, moments):
    assert list(moments_in(text)) == moments
