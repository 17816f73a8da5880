"""The outcome of a build: where each finding stands, what became of each accepted one, and the exit code.

Knows findings and policies. Pure: the same findings and policies give the same code on any machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from fuzz.policy.baseline import Known, match
from fuzz.policy.checks import check_of
from fuzz.policy.failing import FailOn
from fuzz.policy.lock import Ahead
from fuzz.policy.quirks import Quirk, muting
from fuzz.records import Case, Finding, FindingStatus, TargetFacts


class Standing(StrEnum):
    """What a finding means for the build; only `FAILS` makes it fail."""

    FAILS = "fails"
    ACCEPTED = "accepted"
    MUTED = "muted"
    ADVISORY = "advisory"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding and where it stands; `why` in words, `known` the entry that it is or adds to."""

    finding: Finding
    standing: Standing
    why: str = ""
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What a finding is held against; `today` decides what is expired."""

    fail_on: FailOn
    today: date
    known: tuple[Known, ...] = ()
    quirks: tuple[Quirk, ...] = ()
    ahead: Ahead = field(default_factory=Ahead)


def place(finding: Finding, policy: Policy) -> Placed:
    """Where a finding stands."""
    violation = finding.violation
    quirk = muting(policy.quirks, check_of(violation, finding.case), finding.facts, policy.today)
    if quirk is not None:
        return Placed(finding, Standing.MUTED, quirk.reason)
    known = match(policy.known, finding)
    if known is not None and not known.entry.expired(policy.today):
        return Placed(finding, Standing.ACCEPTED, known.entry.reason, known)
    if not policy.fail_on.fails(violation):
        return Placed(finding, Standing.BELOW, f"below --fail-on {policy.fail_on}", known)
    if why := _newer(finding, policy.ahead):
        return Placed(finding, Standing.ADVISORY, why, known)
    why = "" if known is None else f"was accepted until {known.entry.expires}"
    return Placed(finding, Standing.FAILS, why, known)


def _newer(finding: Finding, ahead: Ahead) -> str:
    """Why a finding does not count yet: its check, its phase, or each case that showed it is newer than the lock."""
    check = check_of(finding.violation, finding.case)
    if check in ahead.checks or finding.violation.oracle in ahead.checks:
        return f"the check {check} is newer than the lock"
    phase = finding.original.provenance.phase
    if phase in ahead.phases:
        return f"the phase {phase} is newer than the lock"
    ids = (finding.original.id, *finding.also)
    if all(id_ in ahead.cases for id_ in ids):
        return "its cases are newer than the lock"
    return ""


# --- accepted findings, played ------------------------------------------------------------------------------


class State(StrEnum):
    """What became of an accepted finding when its case was played."""

    SEEN = "seen again"
    PASSED = "passed"
    CHANGED = "changed"
    INCONCLUSIVE = "inconclusive"
    NOT_ASKED = "not asked"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Visit:
    """How an accepted finding's case went: `hits` of `tries` plays showed it."""

    known: Known
    state: State
    hits: int = 0
    tries: int = 0
    why: str = ""

    @property
    def stale(self) -> bool:
        """True when every play passed: the entry has to be removed."""
        return self.state is State.PASSED


def as_finding(visit: Visit, facts: TargetFacts, tool: str) -> Finding:
    """An accepted finding that was seen again by its own case alone."""
    known = visit.known
    return Finding(
        fingerprint=known.entry.fingerprint,
        violation=known.entry.violation,
        case=known.case,
        original=_with_id(known),
        facts=facts,
        status=FindingStatus.CONFIRMED,
        confirmed=visit.hits,
        tries=visit.tries,
        also=known.entry.ids[1:],
        tool=tool,
    )


def _with_id(known: Known) -> Case:
    ids = known.entry.ids
    return replace(known.case, id=ids[0]) if ids else known.case


# --- the whole ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judgement:
    """A whole run.

    `not_run` names what the fixed list holds and was not played, `unproven` why nothing is proven, "" when something
    is. `allow_incomplete` lets a run pass that was cut short.
    """

    placed: tuple[Placed, ...]
    visits: tuple[Visit, ...] = ()
    not_run: tuple[str, ...] = ()
    unproven: str = ""
    allow_incomplete: bool = False

    def at(self, standing: Standing) -> tuple[Placed, ...]:
        """The findings that stand there, the worst first."""
        found = [p for p in self.placed if p.standing is standing]
        return tuple(
            sorted(found, key=lambda p: (-p.finding.violation.severity, p.finding.fingerprint))
        )

    @property
    def stale(self) -> tuple[Visit, ...]:
        """The accepted findings that are mended, and have to be removed."""
        return tuple(v for v in self.visits if v.stale)

    @property
    def exit_code(self) -> int:
        """1 when something fails the build, 3 when too little was played to say so, else 0."""
        if self.at(Standing.FAILS) or self.stale:
            return 1
        cut_short = bool(self.not_run) and not self.allow_incomplete
        return 3 if self.unproven or cut_short else 0


def judge(
    findings: Iterable[Finding],
    visits: Sequence[Visit],
    policy: Policy,
    *,
    facts: TargetFacts,
    tool: str,
    not_run: tuple[str, ...] = (),
    unproven: str = "",
    allow_incomplete: bool = False,
) -> Judgement:
    """Everything that was found held against the policy, each finding once."""
    placed = [place(f, policy) for f in _each_once(findings)]
    told = {p.known.entry.fingerprint for p in placed if p.known is not None}
    for visit in visits:
        if visit.state is State.SEEN and visit.known.entry.fingerprint not in told:
            placed.append(place(as_finding(visit, facts, tool), policy))
    return Judgement(tuple(placed), tuple(visits), not_run, unproven, allow_incomplete)


def _each_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    seen: set[str] = set()
    for finding in findings:
        if finding.fingerprint not in seen:
            seen.add(finding.fingerprint)
            yield finding
