"""A build in words: verdict first, what fails it next, then everything that does not.

Knows the judgement and the shared words. Must not know what it is printed on. Every string of a target is made safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fuzz.policy.judgement import Judgement, Placed, Standing, State, Visit
from fuzz.policy.lock import Ahead
from fuzz.policy.regression import Regression
from fuzz.report.issues import finding_folder, replay_command
from fuzz.report.naming import policy_words
from fuzz.report.safe import safe
from fuzz.report.summary import Line, duration, finding_lines
from fuzz.report.words import NOT_A_CERTIFICATION, attacked, folder_name, oracle_words

MAX_NAMES = 20

_LISTED = (
    (Standing.ACCEPTED, "Accepted:"),
    (Standing.ADVISORY, "Newer than the lock, does not count until --update-lock:"),
    (Standing.MUTED, "Muted by a quirk:"),
    (Standing.BELOW, "Does not fail a build:"),
)


def regression_lines(
    build: Regression, findings_dir: Path, target_flags: str = ""
) -> Iterator[Line]:
    """The whole report; the flags make the next command meet the same target."""
    yield _verdict(build)
    yield Line(f"Attacked: {attacked(build.facts)}")
    yield Line(NOT_A_CERTIFICATION, "dim")
    for text in build.warnings:
        yield Line(f"warning: {safe(text, 500)}", "yellow")
    judgement = build.judgement
    for section in (
        _failing(judgement, findings_dir),
        _stale(judgement.stale, build.baseline),
        *(_listed(judgement.at(s), heading, findings_dir) for s, heading in _LISTED),
        _visits(judgement.visits),
        _ahead(build.ahead, build.lock),
        _not_run(judgement.not_run),
        _rest(build),
        _next(build, findings_dir, target_flags),
    ):
        lines = list(section)
        if lines:
            yield Line("")
            yield from lines


def _verdict(build: Regression) -> Line:
    judgement = build.judgement
    failing, stale = len(judgement.at(Standing.FAILS)), len(judgement.stale)
    size = f"{build.mode}: {_played(build)} in {duration(build.seconds)}"
    if build.exit_code == 1:
        what = [f"{failing} new {_many(failing, 'finding')}"] if failing else []
        what += [f"{stale} stale baseline {_many(stale, 'entry')}"] if stale else []
        return Line(f"BUILD FAILS: {', '.join(what)}. {size}.", "bold red")
    if build.exit_code == 3:
        if judgement.unproven:
            return Line(f"NOTHING PROVEN: {safe(judgement.unproven, 300)}. {size}.", "bold yellow")
        missing = f"{len(judgement.not_run):,} of the list did not run"
        return Line(f"CUT SHORT: {missing}. {size}.", "bold yellow")
    return Line(f"BUILD PASSES: {size}.", "bold green")


def _many(count: int, word: str) -> str:
    if count == 1:
        return word
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def _played(build: Regression) -> str:
    cases = 0 if build.summary is None else build.summary.cases
    shaken = sum(build.handshakes.values())
    return f"{cases:,} {_many(cases, 'message')} and {shaken:,} {_many(shaken, 'handshake')}"


def _failing(judgement: Judgement, root: Path) -> Iterator[Line]:
    for placed in judgement.at(Standing.FAILS):
        yield from finding_lines(placed.finding, root)
        if placed.why:
            yield Line(f"         {safe(placed.why, 300)}")


def _stale(stale: Sequence[Visit], baseline: str) -> Iterator[Line]:
    for visit in stale:
        entry = visit.known.entry
        yield Line(
            f"STALE    {entry.name} {oracle_words(entry.violation)}: played {visit.tries} of {visit.tries} and passed",
            "red",
        )
        yield Line(f"         remove it from {safe(baseline, 300)}, or run with --update-baseline")


def _listed(placed: Sequence[Placed], heading: str, root: Path) -> Iterator[Line]:
    if placed:
        yield Line(heading, "bold")
    for one in placed:
        finding = one.finding
        violation = finding.violation
        what = f"{violation.severity.name.lower()} {oracle_words(violation)}: {safe(violation.text, 160)}"
        yield Line(f"  {folder_name(finding)}  {what}")
        until = _until(one)
        yield Line(f"    {safe(one.why, 300)}{until}", "dim")


def _until(placed: Placed) -> str:
    if placed.standing is not Standing.ACCEPTED or placed.known is None:
        return ""
    entry = placed.known.entry
    adds = f"; adds to {entry.name}" if entry.fingerprint != placed.finding.fingerprint else ""
    return (f", until {entry.expires}" if entry.expires else "") + adds


def _visits(visits: Sequence[Visit]) -> Iterator[Line]:
    """What became of accepted findings that neither showed again nor have to go."""
    quiet = [v for v in visits if v.state not in (State.SEEN, State.PASSED)]
    if quiet:
        yield Line("Accepted findings without a verdict:", "bold")
    for visit in quiet:
        why = f": {safe(visit.why, 300)}" if visit.why else ""
        yield Line(f"  {visit.known.entry.name}  {visit.state.value}{why}")


def _ahead(ahead: Ahead, lock: str) -> Iterator[Line]:
    if not ahead:
        return
    yield Line(f"This version has more than {safe(lock, 200)}:", "bold")
    for what, names in (("checks", ahead.checks), ("phases", ahead.phases), ("cases", ahead.cases)):
        if names:
            yield Line(f"  {len(names):,} {what}: {_some(sorted(names))}")
    if ahead.gone:
        yield Line(f"  and lacks {ahead.gone:,} of its cases")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
    return ", ".join(safe(name, 80) for name in names[:MAX_NAMES]) + more


def _not_run(not_run: Sequence[str]) -> Iterator[Line]:
    if not_run:
        yield Line(f"Did not run, {len(not_run):,} of the list:", "bold")
        yield Line(f"  {_some(not_run)}")
        yield Line("  more --max-time lets them run, --allow-incomplete passes without them", "dim")


def _rest(build: Regression) -> Iterator[Line]:
    if build.handshakes:
        counts = (f"{n:,} {outcome}" for outcome, n in sorted(build.handshakes.items()))
        yield Line(f"Handshakes: {', '.join(counts)}")
    summary = build.summary
    if summary is not None:
        remarks = sum(r.count for r in summary.remarks)
        yield Line(
            f"Messages: {summary.cases:,}, {remarks:,} remarks, {summary.inconclusive:,} inconclusive"
        )
        asked = {**summary.not_asked, **build.left_out}
        for why, count in asked.items():
            yield Line(f"  {count:,} not asked: {safe(why, 200)}")
        for why, count in summary.blocked.items():
            yield Line(f"  {count:,} sampled: blocked by {safe(why, 200)}")
        for text in summary.left_changed:
            yield Line(f"stays changed on the target: {safe(text, 300)}", "bold")
    for name in build.added:
        yield Line(f"accepted: {name}, in {safe(build.baseline, 300)}")
    for name in build.removed:
        yield Line(f"removed: {name}, from {safe(build.baseline, 300)}")
    for text in build.notes:
        yield Line(safe(text, 500), "dim")


def _next(build: Regression, root: Path, flags: str) -> Iterator[Line]:
    """What to do about the first new finding; the others are done the same way."""
    failing = build.judgement.at(Standing.FAILS)
    if failing:
        folder = safe(finding_folder(failing[0].finding, root), 300)
        known = safe(build.baseline, 300) or "known.json"
        again = replay_command(folder, flags, policy_words(failing[0].finding))
        yield Line(f"Next: ocppfuzz explain {folder}", "bold")
        yield Line(f"      mend it, then: {again}", "bold")
        accept = f"--baseline {known} --update-baseline --reason 'ticket 12'"
        yield Line(f"      or accept it for a while: this build with {accept}", "bold")


# --- for programs -------------------------------------------------------------------------------------------


def regression_value(build: Regression) -> Mapping[str, object]:
    """The build for programs: where each finding stands, what became of accepted ones, and what did not run."""
    judgement, ahead = build.judgement, build.ahead
    return {
        "format": 1,
        "mode": build.mode,
        "exit_code": build.exit_code,
        "attacked": attacked(build.facts),
        "seconds": round(build.seconds, 3),
        "findings": [_value(one) for one in judgement.placed],
        "baseline": [
            {
                "entry": visit.known.entry.name,
                "state": visit.state.value,
                "hits": visit.hits,
                "tries": visit.tries,
                "why": visit.why,
            }
            for visit in judgement.visits
        ],
        "handshakes": dict(build.handshakes),
        "messages": 0 if build.summary is None else build.summary.cases,
        "not_run": [*judgement.not_run],
        "not_asked": dict(build.left_out),
        "left_for_nightly": dict(build.night),
        "unproven": judgement.unproven,
        "newer_than_lock": {
            "checks": sorted(ahead.checks),
            "phases": sorted(ahead.phases),
            "cases": sorted(ahead.cases),
        },
        "accepted": [*build.added],
        "removed": [*build.removed],
        "notes": [*build.warnings, *build.notes],
    }


def _value(placed: Placed) -> Mapping[str, object]:
    violation = placed.finding.violation
    return {
        "folder": folder_name(placed.finding),
        "fingerprint": placed.finding.fingerprint,
        "oracle": violation.oracle,
        "name": violation.name,
        "severity": violation.severity.name.lower(),
        "basis": violation.basis.value,
        "text": violation.text,
        "standing": placed.standing.value,
        "why": placed.why,
    }
