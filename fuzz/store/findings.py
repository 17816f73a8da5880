"""Findings on disk: one folder each, merged by fingerprint, so that two writers lose nothing.

Knows what makes two findings the same and which is the better one. Must not know how a report reads: who saves a
finding hands over the function that renders it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from fuzz.errors import CaseFormatError
from fuzz.records import (
    FINDING_FORMAT,
    AnswerNext,
    Ask,
    Case,
    Entry,
    Finding,
    FindingStatus,
    RepeatSteps,
    Run,
    SendBytes,
    SendFrames,
    SendText,
    Step,
    Violation,
)
from fuzz.store.cases import CASE_FILE
from fuzz.store.codec import (
    Misfit,
    case_from_json,
    case_to_json,
    dump,
    finding_to_json,
    opened,
    reading,
    record_from_json,
    record_to_json,
    text_length,
)
from fuzz.store.files import (
    PRIVATE,
    entries_of,
    load_json,
    locked,
    read_bytes,
    settle,
    swap,
    sweep,
    writing,
)

FINDING_FILE, TRANSCRIPT_FILE = "finding.json", "transcript.ndjson"
REPORT_FILE, REPRO_FILE = "REPORT.md", "repro.py"
RUNS_FILE, CAPTURE_FILE = "runs.ndjson", "capture.pcapng"
_MADE_ANEW = frozenset({CASE_FILE, FINDING_FILE, TRANSCRIPT_FILE, REPORT_FILE, REPRO_FILE})

Render: TypeAlias = Callable[[Finding, frozenset[str]], Mapping[str, bytes]]
"""Makes what people read out of a finding, given the names of the files that lie beside it already."""


def fingerprint(violation: Violation, case: Case) -> str:
    """What makes two findings the same (design 2.6), as 16 hex digits: no action, pointer or value takes part."""
    parts = (violation.oracle, case.position.value, violation.symptom, case.mutation_class)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def case_size(case: Case) -> tuple[int, int]:
    """How big a case is, for choosing the smaller one: steps first, then what they put on the wire."""
    sizes = [_step_size(s) for s in case.steps]
    return sum(n for n, _ in sizes), sum(n for _, n in sizes)


def _step_size(step: Step) -> tuple[int, int]:
    match step:
        case SendText(text) | Ask(text) | AnswerNext(_, text):
            return 1, text_length(text)
        case SendBytes(data) | SendFrames(data):
            return 1, len(data)
        case RepeatSteps(steps, times):
            sizes = [_step_size(s) for s in steps]
            return 1 + sum(n for n, _ in sizes), times * sum(n for _, n in sizes)
        case _:
            return 1, 0


_RANK = {FindingStatus.CANDIDATE: 0, FindingStatus.UNCONFIRMED: 1, FindingStatus.CONFIRMED: 2}


def save_finding(
    finding: Finding,
    root: Path,
    *,
    render: Render | None = None,
    evidence: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a finding, or make the stored one of the same fingerprint better; returns its folder.

    The folder is swapped as a whole, so that a kill at any moment leaves the old finding or the new one, and
    writers wait for each other. `render` makes REPORT.md and other files out of what was stored; without it there are
    none. `evidence` are further files beside it; without any, those that are there already stay.

    Raises:
        StoreError: the disk is full, or permission is missing.
    """
    folder = root / f"{finding.violation.oracle}-{finding.fingerprint[:8]}"
    with writing(folder), locked(root):
        sweep(root)
        stored = _stored(folder)
        if stored is not None:
            finding = merge(stored, finding)
        beside = evidence_of(folder, private=True) if evidence is None else evidence
        made = {} if render is None else render(finding, frozenset(beside))
        swap(folder, {**beside, **made, **files_of(finding)})
    return folder


def evidence_of(folder: Path, *, private: bool = False) -> dict[str, bytes]:
    """What lies beside a finding's own files; what is private only where it is asked for."""
    beside = [f for f in entries_of(folder) if f.is_file() and f.name not in _MADE_ANEW]
    secret = [f for f in entries_of(folder / PRIVATE) if f.is_file()] if private else []
    return {f.name: read_bytes(f) for f in beside} | {
        f"{PRIVATE}{f.name}": read_bytes(f) for f in secret
    }


def drop_finding(finding: Finding, root: Path) -> None:
    """Take back a finding that turned out innocent; one that was confirmed is never removed.

    Raises:
        StoreError: permission is missing.
    """
    folder = root / f"{finding.violation.oracle}-{finding.fingerprint[:8]}"
    with writing(folder), locked(root):
        sweep(root)
        stored = _stored(folder)
        if stored is not None and stored.status is not FindingStatus.CONFIRMED:
            shutil.rmtree(folder)


def remove_finding(folder: Path) -> None:
    """Take away a finding that has become something else, all of it at once. Raises `StoreError`."""
    gone = folder.with_name(f".gone-{folder.name}-{secrets.token_hex(4)}")
    with writing(folder), locked(folder.parent):
        folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def merge(old: Finding, new: Finding) -> Finding:
    """What two writers know of one fingerprint: the higher status, then the smaller case; `also` names the rest."""
    best, other = (new, old) if _merit(new) >= _merit(old) else (old, new)
    names = {*old.also, *new.also, *(c.id for f in (old, new) for c in (f.case, f.original))}
    return replace(
        best,
        also=tuple(sorted(names - {best.case.id, best.original.id})),
        first_seen=min(filter(None, (old.first_seen, new.first_seen)), default=""),
        notes=tuple(dict.fromkeys((*best.notes, *other.notes))),
    )


def _merit(finding: Finding) -> tuple[int, int, int]:
    steps, length = case_size(finding.case)
    return _RANK[finding.status], -steps, -length


def _stored(folder: Path) -> Finding | None:
    if not folder.exists():
        return None
    try:
        return _load_finding(folder)
    except CaseFormatError:
        # Somebody's edit, or a newer format: put aside rather than lost, and never in a new finding's way.
        folder.rename(folder.with_name(f".unreadable-{folder.name}-{secrets.token_hex(4)}"))
        return None


def files_of(finding: Finding) -> dict[str, bytes]:
    """The files of a finding itself, by name."""
    files = {
        CASE_FILE: dump(case_to_json(finding.case)),
        FINDING_FILE: dump(finding_to_json(finding)),
        TRANSCRIPT_FILE: b"".join(dump(record_to_json(e), indent=None) for e in finding.entries),
    }
    if finding.runs:
        files[RUNS_FILE] = b"".join(dump(record_to_json(r), indent=None) for r in finding.runs)
    return files


def load_finding(path: Path) -> Finding:
    """The finding in a folder; a file inside that folder will do. Raises `CaseFormatError`."""
    folder = path.parent if path.is_file() else path
    settle(folder.parent)
    return _load_finding(folder)


def _load_finding(folder: Path) -> Finding:
    case = case_from_json(load_json(folder / CASE_FILE), source=str(folder / CASE_FILE))
    source = folder / FINDING_FILE
    value = load_json(source)
    entries = tuple(_load_entries(folder / TRANSCRIPT_FILE))
    with reading(str(source)):
        members = opened(value, FINDING_FORMAT)
        finding: Finding = record_from_json(
            Finding, members, "", case=case, entries=entries, runs=(), tapes=()
        )
        return finding


def _load_entries(path: Path) -> Iterator[Entry]:
    for number, line in enumerate(read_bytes(path).split(b"\n"), 1):
        if line:
            with reading(f"{path}, line {number}"):
                yield record_from_json(Entry, _line(line), "")


def load_runs(folder: Path) -> tuple[Run, ...]:
    """Every play that repeated the finding in a folder or was its control; () where none was kept.

    Raises:
        CaseFormatError: the file is not ours, or longer than any of ours.
    """
    path = folder / RUNS_FILE
    return tuple(_load_runs(path)) if path.is_file() else ()


def _load_runs(path: Path) -> Iterator[Run]:
    for number, line in enumerate(read_bytes(path).split(b"\n"), 1):
        if line:
            with reading(f"{path}, line {number}"):
                yield record_from_json(Run, _line(line), "")


def _line(line: bytes) -> object:
    try:
        return json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Misfit("", "not readable as JSON") from None


def findings_in(root: Path) -> tuple[Finding, ...]:
    """All findings under `root`, in the order of their folders; none when there is no such folder."""
    settle(root)
    return tuple(
        _load_finding(root / f.name) for f in entries_of(root) if f.joinpath(FINDING_FILE).is_file()
    )
