"""What an observation means: the rule that was broken, and what became of the suspicion.

Knows cases and transcripts. Must not know which oracle objects to what, nor how a finding is confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from fuzz.records.case import Case
from fuzz.records.facts import TargetFacts
from fuzz.records.transcript import Entry, Tape

FINDING_FORMAT = 1


class Basis(StrEnum):
    """What a violation rests on (design 2.3)."""

    SHALL = "shall-broken"
    SCHEMA = "schema-broken"
    STOPPED_SERVING = "stopped-serving"
    LEAK = "leak"
    HARDENING = "hardening"


class Severity(IntEnum):
    """How bad it is, worst last."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that the target broke in one observation.

    `oracle` is the id (`O4`), `name` its words (`unanswered-call`). `symptom` is short, stable and free of values
    that change from run to run: it is part of the fingerprint. `remark` marks a tolerated deviation: listed, never
    an exit code, promoted by `--strict`. `clause` names the source (requirement id, Part and section), `cwe` is
    such as `CWE-248`.
    """

    oracle: str
    name: str
    basis: Basis
    severity: Severity
    symptom: str
    text: str
    clause: str = ""
    cwe: str = ""
    remark: bool = False


class Verdict(IntEnum):
    """The outcome of one case; the worst wins."""

    PASS = 0
    INCONCLUSIVE = 1
    FAIL = 2
    ERROR = 3


class FindingStatus(StrEnum):
    """How far a finding has come."""

    CANDIDATE = "candidate"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Run:
    """One play of a finding's case, or of its control, and whether it showed the symptom."""

    control: bool
    shown: bool
    entries: Sequence[Entry]
    inconclusive: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation that was seen, repeated, and shrunk.

    `confirmed` of `tries` repeats showed it again, `control_hits` of `control_tries` control plays showed it too
    (must be 0). `case` is the smallest case known, `original` the one that found it. `also` names other case ids of
    the same fingerprint. `exchanges` is how many messages the campaign had exchanged when it was first seen. `tool` and
    `target` tell versions and who was attacked, for the report's first line. `not_minimal` says why a smaller case may
    exist that was not looked for; "" where there is none that we know how to find. `made_with` are the versions of the
    tool and of what is under it. `runs` are all plays that repeated it or its control, `tapes` the connections' bytes of
    the last one; both go into files of their own and are not read back.
    """

    fingerprint: str
    violation: Violation
    case: Case
    original: Case
    facts: TargetFacts
    status: FindingStatus = FindingStatus.CANDIDATE
    confirmed: int = 0
    tries: int = 0
    control_hits: int = 0
    control_tries: int = 0
    entries: Sequence[Entry] = ()
    also: tuple[str, ...] = ()
    tool: str = ""
    first_seen: str = ""
    exchanges: int = 0
    notes: tuple[str, ...] = ()
    not_minimal: str = ""
    made_with: str = ""
    runs: tuple[Run, ...] = ()
    tapes: tuple[Tape, ...] = ()


class ReplayOutcome(StrEnum):
    """What became of a stored case."""

    REPRODUCED = "reproduced"
    FIXED = "fixed"
    CHANGED = "changed"
    NOT_RUN = "not run"
