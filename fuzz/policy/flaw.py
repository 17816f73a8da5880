"""Something wrong in a policy file, and where.

Knows nothing else.
"""

from __future__ import annotations

from datetime import date


class Flaw(ValueError):
    """A policy says something impossible; `place` is a JSON pointer, or words, inside its file."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(text)
        self.place = place


def day(text: str, place: str) -> date:
    """The day that `2026-11-29` names. Raises `Flaw`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Flaw(place, f"{text[:40]!r} is no date; write such as 2026-11-29") from None


def over(expires: str, today: date) -> bool:
    """True when the last day that counts is over; "" never is. The date was checked when it was read."""
    return bool(expires) and date.fromisoformat(expires) < today
