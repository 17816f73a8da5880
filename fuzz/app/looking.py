"""Makes the HTML report of what lies in folders: findings with their runs, and the last report of each command.

Knows the store and the page. Must not know how a page reads. Nothing of a target is needed, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fuzz import store
from fuzz.app.reporting import TOOL, mandatory_tests
from fuzz.errors import UsageError
from fuzz.records import Finding, FindingStatus, Side, TargetFacts
from fuzz.report.files import check_wanted
from fuzz.report.issues import (
    case_place,
    finding_folder,
    issue_of,
    relative,
    replay_command,
    rule_of,
)
from fuzz.report.page.figures import can_draw
from fuzz.report.page.look import Look, Memory, Target
from fuzz.report.page.render import page
from fuzz.report.page.risks import risks_csv
from fuzz.report.reading import results_in
from fuzz.report.results import Check, Issue, Results, Status
from fuzz.report.safe import safe
from fuzz.report.words import folder_name

ADVICE = "free some space or choose another file"
_NOT_OF_THIS = (
    "{:,} of these findings are not of this run, but of another one into the same folder."
)
_CAMPAIGNS = ("run", "regress")


def look_at(
    paths: Sequence[Path], output: Path, csv: Path | None, *, compare: bool
) -> tuple[Path, bool]:
    """Write the page about one folder, or the one that compares several; where it lies, and whether it has pictures.

    Raises:
        UsageError: there is nothing to tell of a path, a file cannot be written, or a document is none of ours.
        StoreError: writing failed after all.
    """
    check_wanted({"html": output} | ({"csv": csv} if csv else {}))
    look = _compared(paths) if compare else _one(paths)
    store.replace_file(output, page(look).encode(), advice=ADVICE)
    if csv is not None:
        store.replace_file(csv, risks_csv(look).encode(), advice=ADVICE)
    return output, can_draw()


def _one(paths: Sequence[Path]) -> Look:
    if len(paths) != 1:
        raise UsageError("one folder makes one report; give --compare to put several side by side")
    path = paths[0]
    reports = _reports(path)
    past = store.past_runs(path) if path.is_dir() else ()
    found = _findings(path)
    campaigns = sorted(
        (reports[c] for c in _CAMPAIGNS if c in reports), key=lambda r: r.began, reverse=True
    )
    others = [reports[c] for c in ("tls", "conformance") if c in reports]
    newest = next(iter((*campaigns, *others)), None)
    if newest is None and not found:
        raise UsageError(
            f"{path} holds neither a finding nor the report of a run; name the folder that --findings named"
        )
    main = _with_findings(newest, found, path, others)
    return Look(
        main,
        tls=_beside(reports, "tls", main),
        conformance=_beside(reports, "conformance", main),
        memory=_memory(main, found, past),
        mandatory=mandatory_tests(),
    )


def _beside(reports: Mapping[str, Results], command: str, main: Results) -> Results | None:
    return reports.get(command) if main.command != command else None


def _reports(path: Path) -> Mapping[str, Results]:
    """The reports in a folder, or the one in a file, by command."""
    if path.is_file():
        value = results_in(store.load_json(path), str(path))
        return {value.command: value}
    if not path.is_dir():
        raise UsageError(f"{path} is no folder of findings and no report; check the path")
    return {
        command: results_in(value, f"the report of {command} in {path}")
        for command, value in store.load_reports(path).items()
    }


def _findings(path: Path) -> tuple[Finding, ...]:
    """What was found in a folder, each with the runs that lie beside it."""
    if not path.is_dir():
        return ()
    found = (f for f in store.findings_in(path) if f.status is FindingStatus.CONFIRMED)
    return tuple(replace(f, runs=store.load_runs(path / folder_name(f))) for f in found)


def _with_findings(
    newest: Results | None, found: Sequence[Finding], root: Path, others: Sequence[Results]
) -> Results:
    """The newest run with all that is known of its findings, and the other findings of the folder beside them."""
    kept = {f.fingerprint: _issue(f, root) for f in found}
    kept |= {i.fingerprint: _fuller(i, kept) for run in others for i in run.issues}
    if newest is None:
        return _of_findings(found, kept)
    checks = [
        replace(check, issues=tuple(_fuller(i, kept) for i in check.issues))
        for check in newest.checks
    ]
    told = {issue.fingerprint for check in checks for issue in check.issues}
    earlier = [f for f in found if f.fingerprint not in told]
    return replace(
        newest,
        checks=(*checks, *(_check(f, kept) for f in earlier)),
        rules=(*newest.rules, *(rule_of(f) for f in earlier)),
        notes=(
            *((_NOT_OF_THIS.format(len(earlier)),) if earlier else ()),
            *newest.notes,
        ),
    )


def _fuller(issue: Issue, kept: Mapping[str, Issue]) -> Issue:
    """The issue of the report, which knows the target's flags, with what only its folder knows."""
    mine = kept.get(issue.fingerprint)
    return issue if mine is None else replace(issue, dossier=mine.dossier)


def _of_findings(found: Sequence[Finding], kept: Mapping[str, Issue]) -> Results:
    """What stands for a run where only its findings were kept, as of one that was killed."""
    facts = found[-1].facts if found else TargetFacts(Side.STATION)
    return Results(
        command="run",
        tool=found[-1].tool or TOOL,
        facts=facts,
        exit_code=1,
        checks=tuple(_check(f, kept) for f in found),
        rules=tuple({r.id: r for r in map(rule_of, found)}.values()),
        notes=("No report of a whole run lies in this folder: only its findings are told.",),
    )


def _issue(finding: Finding, root: Path) -> Issue:
    folder = finding_folder(finding, root)
    return issue_of(
        finding, case_place(root / folder_name(finding)), replay_command(folder, ""), folder
    )


def _check(finding: Finding, kept: Mapping[str, Issue]) -> Check:
    action, position = finding.case.action, finding.case.position.value
    return Check(
        rule=rule_of(finding).id,
        group=finding.violation.name,
        name=f"{finding.violation.name}: {action or 'no action'}, {position.upper()}",
        status=Status.FAILED,
        action=action,
        position=position,
        issues=(kept[finding.fingerprint],),
    )


# --- what is remembered -------------------------------------------------------------------------------------


def _memory(
    main: Results, found: Sequence[Finding], past: Sequence[store.PastRun]
) -> Mapping[str, Memory]:
    known = {f.fingerprint: f for f in found}
    marks = {*known, *(issue.fingerprint for issue in main.issues)}
    return {mark: memory_of(mark, known.get(mark), past) for mark in marks}


def memory_of(mark: str, finding: Finding | None, past: Sequence[store.PastRun]) -> Memory:
    """What is remembered of one finding; `past` are the runs of its folder, the oldest first."""
    seen = [n for n, run in enumerate(past) if mark in run.found]
    first = past[seen[0]] if seen else None
    last = past[seen[-1]] if seen else None
    later = past[seen[-1] + 1 :] if seen else past
    fixed = [run.firmware for run in later if mark in run.fixed]
    missed = [run.firmware for run in later if run.proven and run.command in _CAMPAIGNS]
    return Memory(
        first_seen=(finding.first_seen if finding else "") or (first.began if first else ""),
        first_firmware=finding.facts.firmware if finding else first.firmware if first else "",
        # A run is known by when it began, a finding by when it was seen, which is later.
        last_seen=max(last.began if last else "", finding.first_seen if finding else ""),
        last_firmware=last.firmware if last else (finding.facts.firmware if finding else ""),
        fixed=(fixed[0] or "a firmware that did not say its version") if fixed else "",
        missed=(missed[-1] or "a firmware that did not say its version")
        if missed and not fixed
        else "",
    )


# --- side by side -------------------------------------------------------------------------------------------

MAX_TARGETS = 12


def _compared(paths: Sequence[Path]) -> Look:
    if not 2 <= len(paths) <= MAX_TARGETS:
        raise UsageError(f"--compare takes 2 to {MAX_TARGETS} folders or reports, not {len(paths)}")
    return Look(None, targets=tuple(_target(path) for path in paths))


def _target(path: Path) -> Target:
    reports = tuple(_reports(path).values())
    if not reports:
        raise UsageError(
            f"{path} holds no report of a run, so there is nothing to compare; attack it once more"
        )
    facts = reports[0].facts
    who = " ".join(safe(p, 30) for p in (facts.vendor, facts.model, facts.firmware) if p)
    name = safe(relative(path), 40)
    return Target(f"{who} ({name})" if who else name, reports)
