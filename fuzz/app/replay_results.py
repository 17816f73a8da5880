"""What replayed cases came to, as the results that reports are made of: each stored case is a check.

Knows outcomes of replays. Must not know formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fuzz import store
from fuzz.app import Replayed
from fuzz.app.reporting import TOOL, Desk, code_of, words_of
from fuzz.records import Case, Finding, ReplayOutcome, Violation
from fuzz.report.issues import case_place, issue_of, relative, replay_command, rule_of
from fuzz.report.naming import policy_words
from fuzz.report.results import Check, Issue, Results, Rule, Status

STATUSES: Mapping[ReplayOutcome, Status] = {
    ReplayOutcome.REPRODUCED: Status.FAILED,
    ReplayOutcome.CHANGED: Status.FAILED,
    ReplayOutcome.FIXED: Status.PASSED,
    ReplayOutcome.NOT_RUN: Status.NOT_RUN,
}


@dataclass(slots=True)
class ReplayHarvest:
    """Listens to a replay, case by case."""

    desk: Desk
    exit_code: int = 3
    _replayed: dict[Path, Replayed] = field(default_factory=dict)

    def told(self, replayed: Replayed) -> None:
        """A case is over."""
        self._replayed[replayed.path] = replayed

    def results(self, error: BaseException | None) -> Results:
        """Everything so far."""
        desk, found = self.desk, list(self._replayed.values())
        facts = next((r.facts for r in found if r.facts is not None), desk.facts)
        return Results(
            command=desk.command,
            tool=TOOL,
            facts=facts,
            exit_code=self.exit_code if error is None else code_of(error),
            checks=tuple(_check(one, desk) for one in found),
            rules=tuple(_rules(found)),
            reason="" if error is None else words_of(error),
            began=desk.began,
            seconds=desk.elapsed_s(),
            details={
                "cases": [
                    {"path": relative(r.path), "outcome": r.outcome, "text": r.text} for r in found
                ]
            },
        )


def _rules(found: list[Replayed]) -> Iterator[Rule]:
    rules = {rule.id: rule for one in found if (rule := _rule(one)) is not None}
    yield from rules.values()


def _rule(one: Replayed) -> Rule | None:
    finding = _finding(one)
    return rule_of(finding) if finding is not None else None


def _check(one: Replayed, desk: Desk) -> Check:
    status = STATUSES[one.outcome]
    case = _case(one)
    rule = _rule(one)
    return Check(
        rule=rule.id if rule else "replay",
        group=one.path.resolve().parent.name,
        name=relative(one.path),
        status=status,
        action=case.action if case else "",
        position=case.position.value if case else "",
        reason="" if status is Status.PASSED else one.text,
        played=int(one.outcome is not ReplayOutcome.NOT_RUN),
        issues=_issues(one, desk) if status is Status.FAILED else (),
    )


def _issues(one: Replayed, desk: Desk) -> tuple[Issue, ...]:
    finding = _finding(one)
    if finding is None:
        return ()
    path = relative(one.path)
    folder = path if one.path.is_dir() else ""
    again = replay_command(path, desk.flags, policy_words(finding))
    issue = issue_of(finding, case_place(one.path), again, folder)
    return (replace(issue, certainty=f"{one.outcome.value}: {one.text}"),)


def _case(one: Replayed) -> Case | None:
    return one.item.case if isinstance(one.item, Finding) else one.item


def _finding(one: Replayed) -> Finding | None:
    """The finding that was stored, or that a stored case is when an oracle objects to it now."""
    violation = one.violation
    if isinstance(one.item, Finding):
        return one.item if violation is None else _as_now(one.item, violation)
    if one.item is None or violation is None or one.facts is None:
        return None
    mark = store.fingerprint(violation, one.item)
    return Finding(mark, violation, one.item, one.item, one.facts)


def _as_now(finding: Finding, violation: Violation) -> Finding:
    """A stored finding with what was objected to this time."""
    if (violation.oracle, violation.symptom) == (
        finding.violation.oracle,
        finding.violation.symptom,
    ):
        return finding
    return replace(
        finding, violation=violation, fingerprint=store.fingerprint(violation, finding.case)
    )
