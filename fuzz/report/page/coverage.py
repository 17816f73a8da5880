"""What a campaign reached: messages by rules as a table, and the states that the target showed.

Knows the details of a campaign's document, read as leniently as a file of somebody else's must be. Must not know HTML.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fuzz.report.results import Issue
from fuzz.report.safe import safe

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "valid": ("valid",),
    "presence": ("required", "properties"),
    "unknown members": ("additionalProperties", "any"),
    "type": ("type", "boolean"),
    "enum": ("enum",),
    "length": ("maxLength", "minLength", "text"),
    "characters": ("identifierString", "language", "URL", "base64"),
    "numbers": ("integer", "number", "decimal", "minimum", "maximum"),
    "items": ("minItems", "maxItems", "items"),
    "date and time": ("format", "dateTime"),
    "certificates": ("pem-certificate", "pem-request"),
}
"""Rules of a payload that people think of together, under a word for them."""

OTHER = "other"
_FAMILY = {keyword: family for family, keywords in FAMILIES.items() for keyword in keywords}
MAX_ROWS = 200
MAX_STATES = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """How many cases of a rule were played to a verdict at one message, and how many findings are about that."""

    reached: int = 0
    total: int = 0
    findings: int = 0

    @property
    def percent(self) -> int:
        """Reached of all, rounded down: 100 only when nothing is missing."""
        return 100 * self.reached // self.total if self.total else 0

    @property
    def tone(self) -> str:
        """A word for its colour."""
        if not self.total:
            return "none"
        if self.percent == 100:
            return "all"
        return "none-of" if not self.reached else f"some{min(3, self.percent // 25)}"


@dataclass(frozen=True, slots=True)
class Matrix:
    """Messages by rules; `cells` are by message and column. Messages that were not reached at all are there as well."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True)
class States:
    """States and changes between them, each with whether the target showed it."""

    states: Mapping[str, bool]
    changes: Mapping[tuple[str, str], bool]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """States reached and all, changes reached and all."""
        states, changes = self.states.values(), self.changes.values()
        return sum(states), len(states), sum(changes), len(changes)


def matrix(details: Mapping[str, object], issues: Iterable[Issue]) -> Matrix:
    """The matrix of a campaign's details; one without rows where nothing was kept of it."""
    found = _findings(issues)
    sums: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for message, family, reached, total in _constraints(details):
        before = sums[message, family]
        sums[message, family] = (before[0] + reached, before[1] + total)
    columns = [f for f in (*FAMILIES, OTHER) if any(family == f for _, family in sums)]
    # CALLs first: they are what most people look for.
    messages = sorted({message for message, _ in sums}, key=lambda m: (m.count(","), m))[:MAX_ROWS]
    rows = tuple(
        (m, tuple(Cell(*sums.get((m, c), (0, 0)), found.get((m, c), 0)) for c in columns))
        for m in messages
    )
    return Matrix(tuple(columns), rows)


def _findings(issues: Iterable[Issue]) -> Mapping[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    for issue in issues:
        if (told := issue.dossier) is not None:
            for family in {_FAMILY.get(k, OTHER) for k in told.keywords[:1]}:
                found[_message(told.action, told.position), family] += 1
    return found


def _message(action: str, position: str) -> str:
    return safe(action, 50) + ("" if position == "call" else f", {position.upper()}"[:40])


def _constraints(details: Mapping[str, object]) -> Iterator[tuple[str, str, int, int]]:
    for entry in _list(_mapping(details.get("reach")).get("constraints")):
        told = _mapping(entry)
        action, position, keyword = (told.get(n) for n in ("action", "position", "keyword"))
        reached, total = told.get("reached"), told.get("total")
        texts = isinstance(action, str) and isinstance(position, str) and isinstance(keyword, str)
        if texts and isinstance(reached, int) and isinstance(total, int):
            family = _FAMILY.get(str(keyword), OTHER)
            yield _message(str(action), str(position)), family, reached, total


def states(details: Mapping[str, object]) -> States:
    """What was kept of states."""
    reach = _mapping(details.get("reach"))
    named = list(_mapping(reach.get("states")).items())[:MAX_STATES]
    pairs = (_change(entry) for entry in _list(reach.get("changes"))[: 4 * MAX_STATES])
    return States(
        {safe(str(name), 60): seen is True for name, seen in named},
        dict(filter(None, pairs)),
    )


def _change(entry: object) -> tuple[tuple[str, str], bool] | None:
    told = _mapping(entry)
    before, after = told.get("from"), told.get("to")
    if not isinstance(before, str) or not isinstance(after, str):
        return None
    return (safe(before, 60), safe(after, 60)), told.get("reached") is True


def tables(details: Mapping[str, object]) -> list[tuple[str, int, int]]:
    """Every table of a campaign with how much of it was reached."""
    found = []
    for name, entry in list(_mapping(details.get("coverage")).items())[:MAX_STATES]:
        reached, total = _mapping(entry).get("reached"), _mapping(entry).get("total")
        if isinstance(reached, int) and isinstance(total, int):
            found.append((safe(str(name), 60), reached, total))
    return found


def out_of(details: Mapping[str, object]) -> str:
    """What the counts are out of, as a heading; `Reached` alone where nobody kept it."""
    told = details.get("reached_of")
    return safe(told, 300) if isinstance(told, str) else "Reached"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
