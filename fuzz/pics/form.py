"""The PICS form: every line with its question in our words, what it rests on, and what proves it.

Knows the committed table `data/form.toml`. Must not know anybody's answers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parent / "data" / "form.toml"


class Kind(StrEnum):
    """What answers a line."""

    YES_NO = "yes-no"
    WORDS = "words"
    MEASURANDS = "measurands"
    LIMIT = "limit"
    SUITES = "suites"
    OUTLETS = "outlets"
    VENDOR = "vendor"
    PERFORMANCE = "performance"
    COUNT = "count"
    HEADING = "heading"
    NOT_STATED = "not-stated"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the form.

    `requirements` are ids of Part 2 where no Part is named; `variables` the device model's, `Component.Variable`;
    `proofs` names of tests: functions in `tests/`, or ids of the conformance suite.
    """

    id: str
    asks: str
    section: str
    kind: Kind = Kind.YES_NO
    requirements: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()


@cache
def form() -> Mapping[str, Line]:
    """Every line by its id, in the form's order."""
    read = tomllib.loads(_TABLE.read_text("utf-8"))
    found = [
        _line(section["title"], row) for section in read["section"] for row in section["lines"]
    ]
    return {line.id: line for line in found}


def ids_of(kind: Kind) -> tuple[str, ...]:
    """The lines that are answered in one way, in the form's order."""
    return tuple(line.id for line in form().values() if line.kind is kind)


def answered() -> tuple[str, ...]:
    """The lines that have an answer: no headings, and nothing that the certificate leaves out."""
    without = (Kind.HEADING, Kind.NOT_STATED)
    return tuple(line.id for line in form().values() if line.kind not in without)


def _line(section: str, row: dict[str, object]) -> Line:
    def words(name: str) -> tuple[str, ...]:
        given = row.get(name, ())
        return tuple(map(str, given)) if isinstance(given, list) else ()

    return Line(
        id=str(row["id"]),
        asks=str(row["asks"]),
        section=section,
        kind=Kind(str(row.get("kind", Kind.YES_NO))),
        requirements=words("requirements"),
        variables=words("variables"),
        proofs=words("proofs"),
    )
