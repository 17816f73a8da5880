"""What a page is made of: the results of runs, what is remembered of findings, and how much of all that is shown.

Knows the model of results. Must not know HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fuzz.report.results import Results


@dataclass(frozen=True, slots=True)
class Memory:
    """When a finding was first and last seen, on which firmware, and where it was found mended or was not met again.

    Times are RFC 3339, "" where nothing is known. `fixed` is a firmware on which a replay found it mended, `missed` one
    that a later run attacked without meeting it.
    """

    first_seen: str = ""
    first_firmware: str = ""
    last_seen: str = ""
    last_firmware: str = ""
    fixed: str = ""
    missed: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One column of a comparison: a name of ours, and the results of all runs against it."""

    name: str
    runs: tuple[Results, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A whole page.

    `main` is the run that the page is about; `tls` and `conformance` are those that stand beside it. `memory` is by
    fingerprint. `mandatory` says of certification tests whether every station of their profile must pass them. With
    `targets` the page compares, and `main` is None.
    """

    main: Results | None
    tls: Results | None = None
    conformance: Results | None = None
    memory: Mapping[str, Memory] = field(default_factory=dict)
    mandatory: Mapping[str, bool] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is shown at most.

    `findings` are told at all, the first `conversations` of them with their messages; `rows` and `characters` bound one
    conversation, `dumped` the bytes of one message.
    """

    findings: int
    conversations: int
    rows: int
    characters: int
    dumped: int


LADDER = (
    Bounds(findings=500, conversations=500, rows=24, characters=1_500, dumped=512),
    Bounds(findings=500, conversations=120, rows=16, characters=600, dumped=128),
    Bounds(findings=500, conversations=40, rows=12, characters=300, dumped=64),
    Bounds(findings=500, conversations=10, rows=8, characters=200, dumped=0),
    Bounds(findings=300, conversations=0, rows=0, characters=0, dumped=0),
    Bounds(findings=100, conversations=0, rows=0, characters=0, dumped=0),
)
"""From the page that shows most to one that is small whatever a target said."""
