"""Where a rule stands: document, edition, section and requirement id, written out of a violation's short clause.

Knows how the documents are called. Must not know the rules themselves, of which a report tells in words of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

EDITIONS = {
    "ed3": "Edition 3, which holds the errata up to 2024-04",
    "2025-09": "Edition 3 with the errata sheet of 2025-09",
}
_PARTS = {
    "2": "OCPP 2.0.1 Part 2, Specification",
    "3": "OCPP 2.0.1 Part 3, JSON schemas",
    "4": "OCPP 2.0.1 Part 4, OCPP-J",
}
_PART = re.compile(r"Part ([234])\b,? ?(.*)")
_REQUIREMENT = re.compile(r"[A-P]\d{2}(\.FR\.\d+)?")
_OCPPJ_REQUIREMENT = re.compile(r"FR\.\d+")


def sources(clause: str, edition: str) -> Iterator[str]:
    """One line a source of a clause such as `FR.03; Part 4 section 4.1.1`."""
    for piece in filter(None, (p.strip() for p in clause.split(";"))):
        yield _source(piece, EDITIONS.get(edition, f"edition {edition}"))


def _source(piece: str, edition: str) -> str:
    if found := _PART.fullmatch(piece):
        return ", ".join(filter(None, (f"{_PARTS[found[1]]} ({edition})", found[2])))
    if _OCPPJ_REQUIREMENT.match(piece):
        return f"{_PARTS['4']} ({edition}), requirement {piece}"
    if _REQUIREMENT.match(piece):
        what = "requirement" if ".FR." in piece else "use case"
        return f"{_PARTS['2']} ({edition}), {what} {piece}"
    return piece
