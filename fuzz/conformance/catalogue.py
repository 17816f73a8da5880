"""Every station test there is, and which of them apply to a station, from the answers of its PICS file.

Knows the committed table. Must not know how a test is played, nor whether it is written.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parent / "data" / "station-tests.toml"
CORE, ADVANCED_SECURITY = "Core", "Advanced Security"


@dataclass(frozen=True, slots=True)
class Entry:
    """One test of a certification profile; `when` are the conditions that must all hold."""

    id: str
    title: str
    profile: str = CORE
    mandatory: bool = True
    when: tuple[str, ...] = ()

    def unmet(self, items: Mapping[str, bool]) -> str:
        """Why it does not apply, naming the PICS item; "" when it does. An item without an answer counts as No."""
        return next((_denied(c, items) for c in self.when if not _holds(c, items)), "")


@cache
def catalogue() -> tuple[Entry, ...]:
    """The whole table, in its own order."""
    read = tomllib.loads(_TABLE.read_text("utf-8"))
    return tuple(Entry(**{**row, "when": tuple(row.get("when", ()))}) for row in read["test"])


def applicable(items: Mapping[str, bool]) -> tuple[Entry, ...]:
    """The tests that apply to a station with these answers."""
    return tuple(entry for entry in catalogue() if not entry.unmet(items))


def not_applicable(items: Mapping[str, bool]) -> Mapping[str, str]:
    """The tests that do not apply, each with its reason."""
    return {e.id: reason for e in catalogue() if (reason := e.unmet(items))}


def _holds(condition: str, items: Mapping[str, bool]) -> bool:
    return any(
        not items.get(word[1:], False) if word.startswith("!") else items.get(word, False)
        for word in condition.split("|")
    )


def _denied(condition: str, items: Mapping[str, bool]) -> str:
    words = (word.removeprefix("!") for word in condition.split("|"))
    return " and ".join(f"{w} is {'Yes' if items.get(w, False) else 'No'}" for w in words)
