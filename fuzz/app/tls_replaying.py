"""Plays stored findings of the TLS lab again: that handshake, with its control.

Knows what makes an outcome the same as before. Must not know how it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from fuzz.app import Replayed
from fuzz.app.tlsing import tls
from fuzz.config import RunOptions
from fuzz.errors import OcppfuzzError, UsageError
from fuzz.lab.findings import broken
from fuzz.lab.options import LabOptions
from fuzz.records import Case, EngineEvent, Finding, Note, ReplayOutcome, Side, TlsStep
from fuzz.report.tls import TlsRow
from tlslab.registry import all_cases

Sink = Callable[[EngineEvent], None]


def cases_of(item: Finding | Case) -> tuple[str, ...]:
    """The ids of the lab's cases that a stored case plays; () when it is one of messages."""
    return tuple(step.id for step in case_of(item).steps if isinstance(step, TlsStep))


def replay_handshakes(
    stored: Sequence[tuple[Path, Finding | Case]],
    options: RunOptions,
    sink: Sink,
    told: Callable[[Replayed], None],
) -> list[Replayed]:
    """Each of them played again, those of one side in one run of the lab. What we could not do is told as not run."""
    outcomes = []
    for side in Side:
        group = [(path, item) for path, item in stored if case_of(item).side is side]
        for outcome in _together(side, group, options, sink) if group else ():
            outcomes.append(outcome)
            told(outcome)
    return outcomes


def case_of(item: Finding | Case) -> Case:
    """The case that is stored, as such or in a finding."""
    return item.case if isinstance(item, Finding) else item


def _together(
    side: Side, group: Sequence[tuple[Path, Finding | Case]], options: RunOptions, sink: Sink
) -> Iterator[Replayed]:
    ids = dict.fromkeys(id_ for _, item in group for id_ in cases_of(item) if id_ in all_cases())
    own_csms = side is Side.CSMS and options.embedded
    lab = LabOptions(only=tuple(ids), self_test="csms" if own_csms else "")

    def told(row: TlsRow, _done: int, _total: int) -> None:
        sink(Note(f"{row.id} {row.outcome}"))

    report, why = None, ""
    try:
        report = tls(options, lab, told=told, keep=False)[0] if ids else None
    except UsageError:
        raise
    except OcppfuzzError as error:
        why = str(error)
    for path, item in group:
        if unknown := [id_ for id_ in cases_of(item) if id_ not in ids]:
            outcome = Replayed(path, ReplayOutcome.NOT_RUN, f"no case is called {unknown[0]}")
        elif report is None:
            outcome = Replayed(path, ReplayOutcome.NOT_RUN, why)
        else:
            rows = [row for row in report.rows if row.id in cases_of(item)]
            outcome = replace(_outcome(path, item, rows), facts=report.facts)
        yield replace(outcome, item=item)


def _outcome(path: Path, item: Finding | Case, rows: Sequence[TlsRow]) -> Replayed:
    failed = [row for row in rows if row.outcome == "failed"]
    if not failed:
        unclear = [r for r in rows if r.outcome in ("not observed", "not asked", "n/a")]
        if unclear or not rows:
            why = "; ".join(unclear[0].why) if unclear else "the case is about the other side"
            return Replayed(path, ReplayOutcome.NOT_RUN, why)
        return Replayed(path, ReplayOutcome.FIXED, f"{rows[0].id} {rows[0].outcome}")
    row, now = failed[0], failed[0].symptom
    was = item.violation.symptom if isinstance(item, Finding) else now
    seen = f"{row.title} Seen: {'; '.join(row.why)}"
    violation = replace(broken(all_cases()[row.id], now), text=seen)
    if now == was:
        return Replayed(path, ReplayOutcome.REPRODUCED, now, violation=violation)
    return Replayed(
        path,
        ReplayOutcome.CHANGED,
        f"now {now}, was {was}",
        violation=violation,
        expected=was,
        seen=now,
    )
