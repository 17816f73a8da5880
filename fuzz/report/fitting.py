"""Keeps a report below the size that its reader takes: the last items are left out, and how many is told.

Knows sizes; must not know formats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def fitted(
    render: Callable[[Sequence[T], int], str], items: Sequence[T], *, most: int, max_bytes: int
) -> str:
    """What `render` makes of the first items and the number of those left out.

    Args:
        render: makes the text of some items; it says itself how many were left out.
        items: the most important ones first.
        most: items that the reader takes at most.
        max_bytes: size of the text in UTF-8 that the reader takes at most. A text without items is never refused.
    """
    kept = items[:most]
    while True:
        text = render(kept, len(items) - len(kept))
        if not kept or len(text.encode("utf-8", "replace")) <= max_bytes:
            return text
        kept = kept[: len(kept) // 2]
