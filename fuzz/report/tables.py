"""Tables for people as plain lines: aligned columns, long cells wrapped, every cell made safe.

Knows widths; must not know what a table is about.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from fuzz.report.safe import safe
from fuzz.report.summary import Line

MAX_COLUMN = 60
MAX_CELL = 2_000


def table_lines(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], note: str = ""
) -> Iterator[Line]:
    """Title, headings, rows, and the note below."""
    yield Line(title, "bold")
    yield Line("")
    wrapped = [[_wrapped(cell) for cell in row] for row in rows]
    widths = [
        max([len(heading), *(len(line) for row in wrapped for line in row[i])])
        for i, heading in enumerate(headings)
    ]
    yield Line(_row(headings, widths), "dim")
    for row in wrapped:
        for cells in zip_longest(*row, fillvalue=""):
            yield Line(_row(cells, widths))
    if note:
        yield Line("")
        yield Line(note)


def _wrapped(cell: str) -> list[str]:
    return textwrap.wrap(safe(cell, MAX_CELL), MAX_COLUMN) or [""]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{c:<{w}}" for c, w in zip(cells, widths, strict=True)).rstrip()
