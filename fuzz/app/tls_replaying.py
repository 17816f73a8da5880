"""Plays stored findings of the TLS lab again: that handshake, with its control.

Knows what makes an outcome the same as before. Must not know how it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    case = item.case if isinstance(item, Finding) else item
    return tuple(step.id for step in case.steps if isinstance(step, TlsStep))


def replay_handshakes(
    stored: Sequence[tuple[Path, Finding | Case]],
    options: RunOptions,
    sink: Sink,
    told: Callable[[Replayed], None],
) -> list[Replayed]:
    """Each of them played again. What we could not do is told as not run."""
    outcomes = []
    for path, item in stored:
        outcomes.append(replace(_replayed(path, item, options, sink), item=item))
        told(outcomes[-1])
    return outcomes


def _replayed(path: Path, item: Finding | Case, options: RunOptions, sink: Sink) -> Replayed:
    ids = cases_of(item)
    if unknown := [id_ for id_ in ids if id_ not in all_cases()]:
        return Replayed(path, ReplayOutcome.NOT_RUN, f"no case is called {unknown[0]}")
    side = (item.case if isinstance(item, Finding) else item).side
    own_csms = side is Side.CSMS and options.embedded
    lab = LabOptions(only=ids, self_test="csms" if own_csms else "")

    def told(row: TlsRow, _done: int, _total: int) -> None:
        sink(Note(f"{row.id} {row.outcome}"))

    try:
        report, _ = tls(options, lab, told=told, keep=False)
    except UsageError:
        raise
    except OcppfuzzError as error:
        return Replayed(path, ReplayOutcome.NOT_RUN, str(error))
    return replace(_outcome(path, item, report.rows), facts=report.facts)


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
