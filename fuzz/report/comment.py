"""A run in Markdown, short enough for a comment under a pull request or for a job's summary.

Knows the model of results and Markdown. Must not know a file. Whatever a target may have chosen stands in a code span:
there nothing is markup, and GitHub and GitLab look for no mention, reference or address, which they do in escaped text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from fuzz.report.fitting import fitted
from fuzz.report.page.coverage import out_of, tables
from fuzz.report.results import Issue, Results, Status
from fuzz.report.safe import code
from fuzz.report.summary import share
from fuzz.report.words import NOT_A_CERTIFICATION

MAX_BYTES = 60_000
"""GitHub takes 65,536 characters a comment, and 1 MiB a job's summary."""

MAX_FINDINGS = 50
MAX_ROWS = 12
_LIMIT = 300


def comment(results: Results) -> str:
    """The report as text; where there is no room for all findings the worst are kept."""
    return fitted(
        lambda issues, left_out: "\n".join(_lines(results, issues, left_out)) + "\n",
        results.issues,
        most=MAX_FINDINGS,
        max_bytes=MAX_BYTES,
    )


def _lines(results: Results, issues: Sequence[Issue], left_out: int) -> Iterator[str]:
    yield f"Attacked: {code(results.attacked, 800)}. {NOT_A_CERTIFICATION}"
    yield ""
    yield f"### ocppfuzz {results.command}: {results.verdict}"
    yield ""
    yield _counted(results)
    if reached := _reached(results):
        yield ""
        yield code(reached, 1_000)
    if results.reason:
        yield ""
        yield f"Ended: {code(results.reason, _LIMIT)}"
    for issue in issues:
        yield ""
        yield from _finding(issue)
    if left_out:
        yield ""
        yield f"{left_out:,} more findings are left out here."
    yield from _section("Remarks, which fail nothing", _reasons(results, Status.REMARK))
    yield from _section("Inconclusive", _reasons(results, Status.INCONCLUSIVE))
    yield from _section("Not run", _reasons(results, Status.NOT_RUN))
    yield from _section(
        "Left changed on the target", [code(c, _LIMIT) for c in results.left_changed]
    )
    yield from _section("Notes", [code(note, _LIMIT) for note in results.notes])


def _counted(results: Results) -> str:
    parts = [f"{count:,} {status.value}" for status, count in results.counts.items() if count]
    return f"Checks: {', '.join(parts) or 'none'}."


def _reached(results: Results) -> str:
    """How much of each table was reached, and out of what; "" for what is no campaign."""
    told = [f"{name} {share(reached, total)}" for name, reached, total in tables(results.details)]
    return f"{out_of(results.details)}: {', '.join(told)}" if told else ""


def _finding(issue: Issue) -> Iterator[str]:
    marks = (("accepted", issue.accepted), ("fails nothing", issue.below))
    marked = "".join(f" ({word}: {code(why, _LIMIT)})" for word, why in marks if why)
    yield f"- **{issue.severity.name.lower()}** {code(issue.title)}{marked}"
    yield f"  - {code(issue.text, _LIMIT)}"
    certainty = f", {code(issue.certainty, 100)}" if issue.certainty else ""
    yield f"  - {code(issue.symptom, 100)}{certainty}"
    for name, text in issue.account:
        yield f"  - {name.lower()}: {code(text, _LIMIT)}"
    if issue.clause:
        yield f"  - rests on {code(issue.clause, _LIMIT)}"
    if issue.replay:
        yield f"  - {code(issue.replay, 1_000)}"


def _reasons(results: Results, status: Status) -> list[str]:
    """Why checks came to a status, the most frequent reason first."""
    found = Counter(c.reason for c in results.checks if c.status is status and c.reason)
    ranked = found.most_common()
    shown = [f"{count:,} x {code(reason, _LIMIT)}" for reason, count in ranked[:MAX_ROWS]]
    rest = sum(count for _, count in ranked[MAX_ROWS:])
    return [*shown, f"{rest:,} x others"] if rest else shown


def _section(title: str, rows: Sequence[str]) -> Iterator[str]:
    if rows:
        yield ""
        yield f"**{title}**"
        yield ""
    for row in rows[: MAX_ROWS + 1]:
        yield f"- {row}"
