"""Runs side by side: what became of each check at each target, as Autobahn's matrix shows it.

Knows the model of results. Must not know HTML.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fuzz.report.page.look import Target
from fuzz.report.results import Check, Issue, Status
from fuzz.report.safe import safe
from fuzz.report.summary import counted

MAX_LINES = 3_000
"""Checks that are shown one by one, over all groups."""

MAX_FINDINGS = 500

WORST_FIRST = (
    Status.FAILED,
    Status.REMARK,
    Status.INCONCLUSIVE,
    Status.PASSED,
    Status.NOT_RUN,
)
"""Of the checks of one group the first of these that there is tells what became of it: a pass says more than nothing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of something at one target, in one word; `status` is None where nobody knows, `text` says more."""

    status: Status | None
    word: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the matrix: a check, or a finding."""

    name: str
    marks: tuple[Mark, ...]

    @property
    def differs(self) -> bool:
        """True when the targets do not all do the same."""
        return len({mark.status for mark in self.marks}) > 1

    @property
    def tells(self) -> bool:
        """True when the targets do not all do the same, or when something did not simply pass."""
        quiet = {Status.PASSED, Status.NOT_RUN, None}
        return self.differs or any(mark.status not in quiet for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Group:
    """The checks of one rule, or topic, with what became of them together; `left_out` of them are not shown."""

    whole: Line
    lines: tuple[Line, ...]
    left_out: int = 0


def groups(targets: Sequence[Target]) -> tuple[Group, ...]:
    """Every group of checks that any target has; in it those lines where not everything passed or was not run."""
    checks = [_checks(target) for target in targets]
    names: dict[str, dict[str, None]] = {}
    for found in checks:
        for name, check in found.items():
            names.setdefault(check.group, {})[name] = None
    made, room = [], MAX_LINES
    for group, inside in names.items():
        lines = [line for name in inside if (line := _line(name, checks)).tells]
        shown = lines[:room]
        room -= len(shown)
        whole = Line(safe(group, 80), tuple(_together(group, found) for found in checks))
        made.append(Group(whole, tuple(shown), len(lines) - len(shown)))
    order = {status: n for n, status in enumerate(WORST_FIRST)}
    return tuple(sorted(made, key=lambda g: min(order.get(m.status, 9) for m in g.whole.marks)))  # type: ignore[arg-type]


def _checks(target: Target) -> dict[str, Check]:
    return {check.name: check for run in target.runs for check in run.checks}


def _line(name: str, checks: Sequence[dict[str, Check]]) -> Line:
    return Line(safe(name, 120), tuple(_mark(found.get(name)) for found in checks))


def _mark(check: Check | None) -> Mark:
    if check is None:
        return Mark(None, "not asked")
    return Mark(check.status, check.status.value, safe(check.reason, 160))


def _together(group: str, checks: dict[str, Check]) -> Mark:
    counts = Counter(check.status for check in checks.values() if check.group == group)
    worst = next((status for status in WORST_FIRST if counts[status]), None)
    if worst is None:
        return Mark(None, "not asked")
    told = [f"{counts[s]:,} {s.value}" for s in WORST_FIRST if counts[s]]
    alone = len(told) == 1
    return Mark(worst, worst.value, counted(counts[worst], "check") if alone else ", ".join(told))


def findings(targets: Sequence[Target]) -> tuple[Line, ...]:
    """Every finding of any target, the worst first, and who has it."""
    known: dict[str, Issue] = {}
    for issue in _issues(targets):
        known.setdefault(issue.fingerprint, issue)
    worst = sorted(known.values(), key=lambda i: (-i.severity, i.fingerprint))[:MAX_FINDINGS]
    return tuple(_finding(issue, targets) for issue in worst)


def _issues(targets: Sequence[Target]) -> Iterator[Issue]:
    for target in targets:
        for run in target.runs:
            yield from run.issues


def _finding(issue: Issue, targets: Sequence[Target]) -> Line:
    # Not meeting a finding is no pass: who knows whether its case was played at all.
    words = (issue.severity.name.lower(), safe(issue.title, 120), safe(issue.symptom, 60))
    # Several findings of one symptom at one action are told apart by what was wrong with the message.
    wrong = f"; {safe(issue.wrong, 120)}" if issue.wrong else ""
    title = f"{words[0]}: {words[1]}, {words[2]}{wrong} ({safe(issue.fingerprint[:8], 8)})"
    has = [any(i.fingerprint == issue.fingerprint for i in _issues([t])) for t in targets]
    marks = (Mark(Status.FAILED, "found") if one else Mark(None, "not met") for one in has)
    return Line(title, tuple(marks))
