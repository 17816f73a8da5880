"""When two texts are one value of a variable (Part 2 section 2.1.4): booleans, numbers, moments and lists are compared as such.

Knows spellings; must not know data types, so that what could be equal counts as equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{0,40})?\Z", re.ASCII)
_BOOLEANS = frozenset({"true", "false"})
_LONGEST_MOMENT = 40


def same_value(one: str, other: str) -> bool:
    """True when the two texts could tell the same value."""
    if one == other:
        return True
    readings: tuple[Callable[[str], object], ...] = (_boolean, _number, _moment, _list)
    return any((value := read(one)) is not None and value == read(other) for read in readings)


def _boolean(text: str) -> str | None:
    folded = text.lower()
    return folded if folded in _BOOLEANS else None


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.match(text) else None


def _moment(text: str) -> datetime | None:
    if len(text) > _LONGEST_MOMENT or "T" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _list(text: str) -> list[str] | None:
    # Only a SequenceList has an order, and which variables are some is not known here.
    return sorted(part.strip() for part in text.split(",")) if "," in text else None
