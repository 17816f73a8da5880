"""The only place that reads the clock; everything else is given a `Clock`.

Knows two clocks: one that never jumps, for measuring, and one in UTC, for messages and files.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Something that tells the time."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start, never going back."""
        ...

    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start, never going back."""
        return time.monotonic()

    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""
        return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """The moment as OCPP writes it: UTC, three fraction digits, `Z` (Part 2 section 2.1.4)."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    )


_MOMENT = re.compile(r'"(?:timestamp|currentTime)"\s*:\s*"([0-9T:.Z+-]{10,40})"')


def moments_in(text: str) -> Iterator[float]:
    """The moments that a message tells as `timestamp` or `currentTime`, in seconds since 1970; ill ones are skipped."""
    for found in _MOMENT.finditer(text):
        try:
            moment = datetime.fromisoformat(found[1])
        except ValueError:
            continue
        if moment.tzinfo is not None:
            yield moment.timestamp()
