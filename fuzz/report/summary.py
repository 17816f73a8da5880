"""The end of a campaign in words: verdict first, the next command last.

Knows the summary and the shared words; must not know what it is printed on.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fuzz.records import Finding, Severity, Side, Summary
from fuzz.report.naming import policy_words
from fuzz.report.safe import safe
from fuzz.report.words import (
    NOT_A_CERTIFICATION,
    attacked,
    folder_name,
    goes_on,
    message_words,
    oracle_words,
    reached_of,
    repeats,
)

MAX_ROWS = 20
EVERYTHING = reached_of()


@dataclass(frozen=True, slots=True)
class Line:
    """One line for people; `style` is a colour for a terminal that has some."""

    text: str
    style: str = ""


SEVERITY_STYLES: Mapping[Severity, str] = {
    Severity.INFO: "dim",
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}


def summary_lines(
    summary: Summary,
    findings_dir: Path,
    target_flags: str = "",
    campaign_flags: str = "",
    *,
    out_of: str = EVERYTHING,
) -> Iterator[Line]:
    """The whole summary, line by line; the flags make the next command meet the same target with the same cases.

    `out_of` is the heading over what was reached.
    """
    yield _verdict(summary)
    yield Line(f"Attacked: {attacked(summary.facts)}")
    yield Line(NOT_A_CERTIFICATION, "dim")
    for section in (
        _findings(summary, findings_dir),
        _remarks(summary),
        _unconfirmed(summary, findings_dir),
        _reached(summary, out_of),
        _left_out(summary),
        _changed(summary),
        _doubts(summary),
        _next(summary, findings_dir, target_flags, campaign_flags),
    ):
        lines = list(section)
        if lines:
            yield Line("")
            yield from lines


def _verdict(summary: Summary) -> Line:
    exchanged = f", {counted(summary.exchanges, 'exchange')}" if summary.exchanges else ""
    size = f"{counted(summary.cases, 'case')}{exchanged} in {duration(summary.elapsed_s)}, seed {summary.seed}"
    ended = f" Ended: {safe(summary.reason)}." if summary.reason else ""
    if summary.exit_code == 0:
        return Line(f"NO FINDING: {size}.{ended}", "bold green")
    if summary.exit_code == 1:
        return Line(f"{counted(len(summary.findings), 'FINDING')}: {size}.{ended}", "bold red")
    why = safe(summary.reason) or "no case came to a verdict"
    return Line(f"NOTHING PROVEN: {why} ({size}).", "bold yellow")


def _findings(summary: Summary, root: Path) -> Iterator[Line]:
    worst_first = sorted(summary.findings, key=lambda f: (-f.violation.severity, f.fingerprint))
    for finding in worst_first:
        yield from finding_lines(finding, root)


def finding_lines(finding: Finding, root: Path) -> Iterator[Line]:
    """One finding: what, on which message, how sure, where."""
    violation, case = finding.violation, finding.case
    style = SEVERITY_STYLES[violation.severity]
    yield Line(
        f"{violation.severity.name:<8} {oracle_words(violation)}: {safe(violation.text, 300)}",
        style,
    )
    yield Line(f"         {message_words(case)}")
    yield Line(f"         {safe(violation.symptom, 80)}, {repeats(finding)}")
    if left := goes_on(finding):
        yield Line(f"         {safe(left, 200)}", "dim")
    yield Line(f"         {root / folder_name(finding)}", "dim")


def _remarks(summary: Summary) -> Iterator[Line]:
    counts: Counter[str] = Counter()
    example: dict[str, str] = {}
    for remark in summary.remarks:
        name = oracle_words(remark.violation)
        counts[name] += remark.count
        example.setdefault(name, remark.violation.text)
    if counts:
        yield Line("Remarks (tolerated; findings with --strict):", "bold")
    for name, count in counts.most_common(MAX_ROWS):
        yield Line(f"  {count:>6,} x {name}: {safe(example[name], 160)}")
    if len(counts) > MAX_ROWS:
        yield Line(f"  and {len(counts) - MAX_ROWS} more kinds")


def _unconfirmed(summary: Summary, root: Path) -> Iterator[Line]:
    """What was seen, but does not prove anything: no finding, and not lost."""
    found = summary.unconfirmed
    if found:
        yield Line(f"Not repeated, so inconclusive: {len(found):,}", "bold")
    for finding in found[:MAX_ROWS]:
        seen = f"{oracle_words(finding.violation)}: {safe(finding.violation.symptom, 80)}"
        yield Line(f"  {seen}, {repeats(finding)}; {root / folder_name(finding)}")
    if len(found) > MAX_ROWS:
        yield Line(f"  and {len(found) - MAX_ROWS} more")


def _reached(summary: Summary, out_of: str) -> Iterator[Line]:
    if summary.coverage:
        yield Line(f"{safe(out_of, 300)}:", "bold")
    width = max(map(len, summary.coverage), default=0)
    for name, (reached, total) in summary.coverage.items():
        yield Line(f"  {safe(name, 40):<{width}}  {share(reached, total)}")
    if summary.answers:
        yield Line(f"Answers: {answers_line(summary.answers)}")
    yield from _full_pass(summary)


def _full_pass(summary: Summary) -> Iterator[Line]:
    """What exchanges cost here: per finding, and for a pass through the whole table."""
    if summary.findings and summary.exchanges:
        each = round(summary.exchanges / len(summary.findings))
        yield Line(f"Exchanges a finding: {each:,}")
    cost = summary.full_pass
    if cost is None:
        return
    measured = cost.reconnect_s is not None
    back = f" and {cost.reconnect_s:.2g} s a reconnect" if measured else ", without the reconnects"
    yield Line(
        f"A full systematic pass: {cost.cases:,} cases and {counted(cost.reconnects, 'reconnect')}, about "
        f"{duration(cost.seconds)} at the measured {cost.answer_s:.2g} s an answer{back}"
    )


def answers_line(answers: Mapping[str, int], most: int = 8) -> str:
    """How the target answered, most frequent first."""
    ranked = Counter(answers).most_common()
    shown = [f"{safe(name, 40)} {count:,}" for name, count in ranked[:most]]
    rest = sum(count for _, count in ranked[most:])
    return ", ".join([*shown, f"other {rest:,}"] if rest else shown)


def _left_out(summary: Summary) -> Iterator[Line]:
    if summary.inconclusive:
        yield Line(
            f"Inconclusive: {counted(summary.inconclusive, 'case')}, disturbed by something else"
        )
    yield from _counted("What disturbed them:", summary.disturbed)
    yield from _counted("Not asked:", summary.not_asked)
    yield from _counted(
        "Sampled, because their kind costs the target its connection or more (blocked by):",
        summary.blocked,
    )
    if summary.unavailable:
        names = ", ".join(safe(u, 80) for u in summary.unavailable[:MAX_ROWS])
        yield Line(f"Could not be judged here: {names}")


def _counted(title: str, counts: Mapping[str, int]) -> Iterator[Line]:
    if counts:
        yield Line(title, "bold")
    ranked = Counter(counts).most_common()
    for name, count in ranked[:MAX_ROWS]:
        yield Line(f"  {count:>6,} x {safe(name, 120)}")
    if len(ranked) > MAX_ROWS:
        rest = sum(count for _, count in ranked[MAX_ROWS:])
        yield Line(f"  {rest:>6,} x others")


def _changed(summary: Summary) -> Iterator[Line]:
    if summary.left_changed:
        yield Line("Left changed on the target, put it back by hand:", "bold yellow")
    for change in summary.left_changed:
        yield Line(f"  {safe(change, 300)}", "yellow")


def _doubts(summary: Summary) -> Iterator[Line]:
    """What speaks against the campaign itself, and what it could not reach."""
    for warning in summary.warnings:
        yield Line(f"Warning: {safe(warning, 300)}", "yellow")
    if summary.unreached:
        yield Line("Could not be reached:", "bold")
    for what in summary.unreached[:MAX_ROWS]:
        yield Line(f"  {safe(what, 200)}")
    if len(summary.unreached) > MAX_ROWS:
        yield Line(f"  and {len(summary.unreached) - MAX_ROWS} more")


def _next(summary: Summary, root: Path, target_flags: str, campaign_flags: str) -> Iterator[Line]:
    if summary.findings:
        worst = max(summary.findings, key=lambda f: (f.violation.severity, f.fingerprint))
        where = shlex.quote(str(root / folder_name(worst)))
        words = ["replay", where, target_flags, policy_words(worst)]
    elif "--resume" in summary.reason:
        words = ["run --resume", campaign_flags, target_flags]
    elif summary.exit_code == 0:
        words = [f"run --max-time 600 --seed {summary.seed + 1}", campaign_flags, target_flags]
    elif summary.facts.side is Side.STATION:
        words = ["doctor", target_flags]
    else:
        return  # doctor cannot dial a CSMS yet
    yield Line(" ".join(("Next: ocppfuzz", *filter(None, words))), "bold")


# --- small words ------------------------------------------------------------------------------------------


def share(reached: int, total: int) -> str:
    """`1,203 of 2,500 (48 %)`; 100 % only when nothing is missing, and no share of nothing."""
    return f"{reached:,} of {total:,} ({100 * reached // total} %)" if total else "none to reach"


def duration(seconds: float) -> str:
    """`58 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def counted(count: int, noun: str) -> str:
    """`1 finding`, `1,203 findings`; `2 FINDINGS` for a noun in capitals."""
    plural = "S" if noun.isupper() else "s"
    return f"{count:,} {noun}{'' if count == 1 else plural}"
