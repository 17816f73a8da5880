"""What a run of any command came to: the one model that every report for programs is made of.

Knows checks, findings and plain words. Must not know which command filled it, nor in which format it is written. Texts
are those of the target as it sent them: each format makes them harmless in its own way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from fuzz.records import Entry, Severity, TargetFacts
from fuzz.report.words import attacked

MOST_TOLD = 1_000
"""Characters of what was sent, is wrong or is expected that a list shows."""

RESULTS_FORMAT = 1


class Status(StrEnum):
    """What became of a check; only `FAILED` makes a build fail."""

    PASSED = "passed"
    FAILED = "failed"
    REMARK = "remark"
    INCONCLUSIVE = "inconclusive"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked: an oracle, a case of the TLS lab or a conformance test. `help` is its whole text, all ours.

    `clause` is where it comes from, `cwe` is such as `CWE-248`.
    """

    id: str
    name: str
    text: str
    help: str
    clause: str = ""
    cwe: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; `uri` is relative to the folder of the run wherever that can be."""

    uri: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class Dossier:
    """What of one finding people want to look at, as it was stored.

    `sent` are the messages of its case as pairs of words and text, cut; `wrong` says what is wrong with them, and
    `keywords` which rules they break. `fault` is the conversation that showed it, `control` the one beside it, () where
    there is none; `smaller` says that the case was made smaller since, so that its control has more in it.
    `firmware` is that of the target when it was found.
    """

    action: str = ""
    position: str = ""
    keywords: tuple[str, ...] = ()
    sent: tuple[tuple[str, str], ...] = ()
    wrong: tuple[str, ...] = ()
    expected: str = ""
    fault: Sequence[Entry] = ()
    control: Sequence[Entry] = ()
    smaller: bool = False
    first_seen: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding, as a report tells it.

    `certainty` is how often it was seen again, `replay` the command that plays it, `place` the case that shows it.
    `score` and `vector` are the proposal of `fuzz.report.rating`. `accepted` is the reason why it is known and taken as
    it is, "" when it is not; `below` why it fails no build though it is not accepted. `sent` is what was said to the
    target, cut; `wrong` what is broken in it; `expected` what a correct peer does with it; "" where there is no such thing.
    `dossier` is for reports that show more than a list; None where nothing more is known.
    """

    fingerprint: str
    rule: str
    title: str
    text: str
    symptom: str
    severity: Severity
    place: Place
    replay: str
    basis: str = ""
    clause: str = ""
    cwe: str = ""
    attacker: str = ""
    vector: str = ""
    score: float | None = None
    endangers: tuple[str, ...] = ()
    certainty: str = ""
    folder: str = ""
    accepted: str = ""
    below: str = ""
    sent: str = ""
    wrong: str = ""
    expected: str = ""
    dossier: Dossier | None = None

    @property
    def account(self) -> Sequence[tuple[str, str]]:
        """What is wrong, what was sent and what is expected, as far as known; each cut before anybody joins them."""
        told = (("Wrong with it", self.wrong), ("Sent", self.sent), ("Expected", self.expected))
        return [(name, text[:MOST_TOLD]) for name, text in told if text]


@dataclass(frozen=True, slots=True)
class Check:
    """One rule at one place of the conversation: never one wire case.

    `name` is unique in its run and the same over releases, `group` what it is shown under. `reason` says why it is not
    simply passed. `played` counts the cases that were judged.
    """

    rule: str
    group: str
    name: str
    status: Status
    action: str = ""
    position: str = ""
    reason: str = ""
    played: int = 0
    seconds: float = 0.0
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """A whole run.

    `began` is RFC 3339, "" when not known. `notes` are what a person should know, `left_changed` what stays changed on
    the target. `details` is what only this command knows, as JSON. `config` is where the target is configured, None when
    no file says so.
    """

    command: str
    tool: str
    facts: TargetFacts
    exit_code: int
    checks: tuple[Check, ...] = ()
    rules: tuple[Rule, ...] = ()
    reason: str = ""
    began: str = ""
    seconds: float = 0.0
    seed: int | None = None
    notes: tuple[str, ...] = ()
    left_changed: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)
    config: Place | None = None

    def place_of(self, issue: Issue) -> Place:
        """Where whoever has the repository can look: folders of findings are not in it, the target's configuration is."""
        return self.config if self.config is not None and issue.folder else issue.place

    @property
    def attacked(self) -> str:
        """Who was attacked, in one line."""
        return attacked(self.facts)

    @property
    def issues(self) -> tuple[Issue, ...]:
        """The findings of all checks, each once, the worst first."""
        found = {issue.fingerprint: issue for check in self.checks for issue in check.issues}
        return tuple(sorted(found.values(), key=lambda i: (-i.severity, i.fingerprint)))

    @property
    def proven(self) -> bool:
        """True when the run came to a verdict: no finding, or findings."""
        return self.exit_code in (0, 1)

    @property
    def verdict(self) -> str:
        """How the run ended, in a few words of ours."""
        if not self.proven:
            return "not everything is proven" if self.exit_code == 3 else "stopped"
        open_ = sum(not issue.accepted and not issue.below for issue in self.issues)
        below = sum(bool(issue.below) for issue in self.issues)
        more = f", {below:,} that fail{'s' if below == 1 else ''} nothing" if below else ""
        failed = self.counts[Status.FAILED]
        if open_:
            return f"{open_:,} finding{'' if open_ == 1 else 's'}{more}"
        return (f"{failed:,} failed" if failed else "no finding") + more

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many checks came to each status."""
        found = Counter(check.status for check in self.checks)
        return {status: found[status] for status in Status}

    def rule(self, issue: Issue) -> Rule:
        """The rule that a finding breaks; a bare one where nobody described it."""
        known = {rule.id: rule for rule in self.rules}
        return known.get(issue.rule) or Rule(issue.rule, issue.rule, issue.title, issue.title)


WORST_FIRST = (
    Status.FAILED,
    Status.REMARK,
    Status.INCONCLUSIVE,
    Status.NOT_RUN,
    Status.PASSED,
)
"""In which order checks are kept where there is no room for all."""
