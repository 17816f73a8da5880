"""What a build came to, as the results that reports are made of: its handshakes and its messages, judged by the policy.

Knows the harvests of both and where each finding stands. Must not know formats.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fuzz.app.campaign_results import CampaignHarvest, results_of
from fuzz.app.reporting import Desk, code_of, words_of
from fuzz.app.tls_results import TlsHarvest
from fuzz.policy.judgement import Placed, Standing, Visit
from fuzz.policy.regression import Regression
from fuzz.records import EngineEvent, Severity
from fuzz.report.issues import case_place, issue_of, relative, replay_command, rule_of
from fuzz.report.naming import policy_words
from fuzz.report.regression import regression_value
from fuzz.report.results import Check, Issue, Place, Results, Rule, Status
from fuzz.report.tls import TlsRow

STALE = Rule(
    "baseline",
    "stale-baseline-entry",
    "What a baseline accepts still happens.",
    "An accepted finding was played as often as it takes, and passed each time. Remove its entry, or run the same "
    "command with `--update-baseline`: a baseline that accepts what does not happen hides the next one.",
)

_NOTES: Mapping[Standing, str] = {
    Standing.ACCEPTED: "accepted",
    Standing.MUTED: "muted",
    Standing.ADVISORY: "does not count yet",
    Standing.BELOW: "does not fail a build",
}


@dataclass(slots=True)
class RegressHarvest:
    """Listens to a build; the regression is taken when there is one. `again` is the command that plays this target again."""

    desk: Desk
    again: str = "ocppfuzz regress"
    build: Regression | None = None
    rows: list[TlsRow] = field(default_factory=list)
    _campaign: CampaignHarvest = field(init=False)

    def __post_init__(self) -> None:
        self._campaign = CampaignHarvest(self.desk)

    def heard(self, event: EngineEvent) -> None:
        """Take note of an event."""
        self._campaign.heard(event)

    def told(self, row: TlsRow) -> None:
        """A handshake is over."""
        self.rows.append(row)

    def results(self, error: BaseException | None) -> Results:
        """Everything so far."""
        shaken, said = self._shaken(error), self._said(error)
        rules = {rule.id: rule for rule in (*shaken.rules, *said.rules)}
        whole = replace(
            said,
            checks=(*shaken.checks, *said.checks),
            rules=tuple(rules.values()),
            notes=(*shaken.notes, *said.notes),
            seconds=self.desk.elapsed_s(),
        )
        if self.build is None:
            return replace(
                whole,
                exit_code=3 if error is None else code_of(error),
                reason="" if error is None else words_of(error),
            )
        return judged(whole, self.build, self.desk, self.again)

    def _shaken(self, error: BaseException | None) -> Results:
        harvest = TlsHarvest(self.desk)
        for row in self.rows:
            harvest.told(row)
        return harvest.results(error)

    def _said(self, error: BaseException | None) -> Results:
        if self.build is not None and self.build.summary is not None:
            return results_of(self.build.summary, self.desk)
        said = self._campaign.results(error)
        return said if self.build is None else replace(said, facts=self.build.facts)


def judged(whole: Results, build: Regression, desk: Desk, again: str) -> Results:
    """The results with each finding where it stands, and with what the baseline adds."""
    placed = {one.finding.fingerprint: one for one in build.judgement.placed}
    checks = [_stands(check, placed) for check in whole.checks]
    beside = Path(build.baseline).parent
    told = {issue.fingerprint for check in checks for issue in check.issues}
    more = [_stands(_own(one, desk, beside), placed) for f, one in placed.items() if f not in told]
    stale = [_stale(visit, build.baseline, again) for visit in build.judgement.stale]
    rules = {rule.id: rule for rule in whole.rules}
    rules |= {rule.id: rule for rule in (rule_of(one.finding) for one in placed.values())}
    rules |= {STALE.id: STALE} if stale else {}
    return replace(
        whole,
        exit_code=build.exit_code,
        reason=_reason(build),
        checks=(*checks, *more, *stale),
        rules=tuple(rules.values()),
        notes=(*build.warnings, *whole.notes, *build.notes),
        details=regression_value(build),
    )


def _reason(build: Regression) -> str:
    judgement = build.judgement
    if judgement.unproven:
        return judgement.unproven
    return f"{len(judgement.not_run):,} of the list did not run" if judgement.not_run else ""


def _stands(check: Check, placed: Mapping[str, Placed]) -> Check:
    """A check fails only by findings that fail the build; the others keep it a remark."""
    if check.status is not Status.FAILED:
        return check
    standing = [placed.get(issue.fingerprint) for issue in check.issues]
    issues = tuple(_marked(issue, one) for issue, one in zip(check.issues, standing, strict=True))
    if any(one is None or one.standing is Standing.FAILS for one in standing) or not standing:
        return replace(check, issues=issues)
    reasons = dict.fromkeys(_words(one) for one in standing if one is not None)
    return replace(check, status=Status.REMARK, reason="; ".join(reasons), issues=issues)


def _marked(issue: Issue, placed: Placed | None) -> Issue:
    """The issue with the reason why nobody has to look at it; one below the bar is still to be seen."""
    if placed is None or placed.standing is Standing.FAILS:
        return issue
    if placed.standing is Standing.BELOW:
        return replace(issue, below=placed.why)
    return replace(issue, accepted=_words(placed))


def _words(placed: Placed) -> str:
    return f"{_NOTES[placed.standing]}: {placed.why}"


def _own(placed: Placed, desk: Desk, beside: Path) -> Check:
    """The check of a finding that the case of its entry alone showed; the baseline lies in `beside`."""
    finding, known = placed.finding, placed.known
    place = desk.place
    if known is not None:
        place = case_place(beside / known.entry.case)
    again = replay_command(place.uri, desk.flags, policy_words(finding))
    issue = issue_of(finding, place, again)
    return Check(
        rule=issue.rule,
        group=finding.violation.name,
        name=f"{finding.violation.name} ({finding.violation.oracle}): case of the baseline {finding.fingerprint[:8]}",
        status=Status.FAILED,
        action=finding.case.action,
        position=finding.case.position.value,
        played=1,
        issues=(issue,),
    )


def _stale(visit: Visit, baseline: str, again: str) -> Check:
    entry = visit.known.entry
    text = f"{entry.name} was played {visit.tries} of {visit.tries} and passed; remove it from {baseline}"
    issue = Issue(
        fingerprint=f"stale-{entry.fingerprint}",
        rule=STALE.id,
        title=f"{STALE.name} ({entry.name})",
        text=text,
        symptom="passed",
        severity=Severity.LOW,
        place=_line(Path(baseline), entry.fingerprint),
        replay=f"{again} --baseline {shlex.quote(baseline)} --update-baseline",
    )
    return Check(
        STALE.id,
        "baseline",
        f"baseline entry {entry.name}",
        Status.FAILED,
        issues=(issue,),
        played=visit.tries,
    )


def _line(path: Path, fingerprint: str) -> Place:
    """The line of a baseline that names an entry."""
    try:
        lines: Sequence[str] = path.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        lines = ()
    return Place(relative(path), next(_numbers(lines, fingerprint), 1))


def _numbers(lines: Sequence[str], text: str) -> Iterator[int]:
    return (number for number, line in enumerate(lines, 1) if text in line)
