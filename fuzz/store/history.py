"""What a folder of findings remembers of its runs: the last whole report of each command, and one line a run.

Knows the folder `.campaign` beside the findings. Must not know what is in a report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fuzz.errors import CaseFormatError
from fuzz.store.codec import Misfit, dump, opened, record_from_json, record_to_json
from fuzz.store.files import load_json, locked, read_bytes, replace_file, writing

PAST_FORMAT = 1
MAX_PAST = 1_000
"""Runs that are remembered, the last ones."""

COMMANDS = ("run", "regress", "tls", "conformance")
"""The commands whose last report is kept."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run in one line: when, against what, and which findings it met or found mended, by their fingerprints.

    `began` is RFC 3339, `target` names vendor and model, `proven` says that it came to a verdict.
    """

    command: str
    began: str
    target: str
    firmware: str
    proven: bool
    found: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()


def save_report(root: Path, command: str, text: str) -> None:
    """Keep the report of the last run of a command, a JSON document. Raises `StoreError`."""
    replace_file(_report_file(root, command), text.encode())


def load_reports(root: Path) -> Mapping[str, object]:
    """The report of the last run of each command that left one, by command. Raises `CaseFormatError`."""
    files = {command: _report_file(root, command) for command in COMMANDS}
    return {command: load_json(file) for command, file in files.items() if file.is_file()}


def _report_file(root: Path, command: str) -> Path:
    return root / ".campaign" / f"last-{command}.json"


def remember(root: Path, past: PastRun) -> None:
    """Add a run to those that are remembered. Raises `StoreError`."""
    path = _past_file(root)
    line = dump({"format": PAST_FORMAT, **record_to_json(past)}, indent=None)
    with writing(path), locked(root):
        lines = _lines(path)[1 - MAX_PAST :]
        replace_file(path, b"".join((*(known + b"\n" for known in lines), line)))


def past_runs(root: Path) -> tuple[PastRun, ...]:
    """The runs that are remembered, the oldest first; a line that nobody can read counts for nothing."""
    return tuple(past for line in _lines(_past_file(root)) if (past := _past(line)) is not None)


def _past_file(root: Path) -> Path:
    return root / ".campaign" / "runs.ndjson"


def _lines(path: Path) -> list[bytes]:
    try:
        return [line for line in read_bytes(path).split(b"\n") if line]
    except CaseFormatError:
        return []


def _past(line: bytes) -> PastRun | None:
    try:
        value = opened(json.loads(line.decode()), PAST_FORMAT)
        past: PastRun = record_from_json(PastRun, value, "")
    except (ValueError, RecursionError, Misfit):
        return None
    return past
