"""How fast a target answered, held against what a certificate allows.

Knows the details of a campaign's document, read leniently. Must not know HTML, nor how times are drawn.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from fuzz.pics.drafting import LIMITS_S

LIMIT_S = LIMITS_S["response"]
"""What a certificate's performance table allows for a response."""

MAX_TIMES = 100_000


@dataclass(frozen=True, slots=True)
class Times:
    """Answer times in seconds, sorted, never empty."""

    seconds: tuple[float, ...]

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """What a table tells of them."""
        told = (
            ("Shortest", self.seconds[0]),
            ("Median", statistics.median(self.seconds)),
            ("95 of 100 within", self.seconds[-1 - len(self.seconds) // 20]),
            ("Longest", self.seconds[-1]),
            ("Average", statistics.fmean(self.seconds)),
        )
        return (
            ("Answers measured", f"{len(self.seconds):,}"),
            *((name, words(s)) for name, s in told),
            ("Limit of a certificate", words(LIMIT_S)),
        )

    @property
    def late(self) -> int:
        """How many are beyond the limit."""
        return sum(s > LIMIT_S for s in self.seconds)


def times(details: Mapping[str, object]) -> Times | None:
    """The answer times of a campaign's details, None when there are none."""
    kept = details.get("answer_times_s")
    if not isinstance(kept, list | tuple):
        return None
    numbers = [s for s in kept[:MAX_TIMES] if isinstance(s, float | int) and s is not True]
    found = [float(s) for s in numbers if 0 <= s < 1e6]
    return Times(tuple(sorted(found))) if found else None


def words(seconds: float) -> str:
    """A time in the unit that fits it."""
    return f"{seconds * 1_000:.1f} ms" if seconds < 1 else f"{seconds:.3g} s"
