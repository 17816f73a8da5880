"""The report of a TLS lab: a table by topic, what failed and why it matters, and what was declared beside what was seen.

Knows plain words and numbers. Must not know how a case is played. Every string of a peer is made safe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fuzz.records import TargetFacts
from fuzz.report.safe import safe
from fuzz.report.summary import Line
from fuzz.report.tables import table_lines
from fuzz.report.words import NOT_A_CERTIFICATION

OUTCOMES = (
    "failed",
    "not observed",
    "passed with a remark",
    "passed",
    "recorded",
    "not asked",
    "n/a",
)
"""From the worst to the least interesting."""

_LOUD = ("failed", "not observed", "passed with a remark", "recorded")


@dataclass(frozen=True, slots=True)
class TlsRow:
    """One case: `stage` is such as `S1`, "" when nothing was seen; `why` says what broke, or why it was not played.

    `symptom` is short and stable: it tells one failure of a case from another. `endangers` are the certification tests that
    its failure puts at risk.
    """

    id: str
    topic: str
    title: str
    outcome: str
    severity: str
    stage: str = ""
    clause: tuple[str, ...] = ()
    endangers: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    seconds: float = 0.0
    folder: str = ""
    symptom: str = ""


@dataclass(frozen=True, slots=True)
class TlsReport:
    """A whole run of the lab. `declared` and `observed` are C-41's suites, by IANA name; () when not known.

    `facts` are those of the first peer that was met.
    """

    attacked: str
    rows: tuple[TlsRow, ...]
    declared: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    seconds: float = 0.0
    left_changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    strict: bool = False
    facts: TargetFacts | None = None

    @property
    def exit_code(self) -> int:
        """1 when a case failed, or `strict` and one has a remark; 3 when one was not observed, or none passed; else 0."""
        found = Counter(row.outcome for row in self.rows)
        if found["failed"] or (self.strict and found["passed with a remark"]):
            return 1
        proven = found["passed"] + found["passed with a remark"] + found["recorded"]
        return 3 if found["not observed"] or not proven else 0


def report_lines(report: TlsReport, *, every: bool = True) -> Iterator[Line]:
    """The report for people; with `every` False only what did not simply pass."""
    yield Line(f"Attacked: {safe(report.attacked, 800)}. {NOT_A_CERTIFICATION}")
    yield Line("")
    for topic in dict.fromkeys(row.topic for row in report.rows):
        rows = [r for r in report.rows if r.topic == topic and (every or r.outcome in _LOUD)]
        if rows:
            yield from _topic(topic, rows)
            yield Line("")
    yield from _failures([r for r in report.rows if r.outcome == "failed"])
    yield from _suites(report.declared, report.observed)
    for text in report.left_changed:
        yield Line(f"stays changed on the peer: {safe(text, 300)}", "bold")
    for text in report.notes:
        yield Line(safe(text, 600))
    yield Line(_count(report.rows, report.seconds), "bold")


def _topic(topic: str, rows: Sequence[TlsRow]) -> Iterator[Line]:
    headings = ("Id", "Outcome", "Stage", "What a correct peer does, or the fault", "Clause")
    cells = [(r.id, r.outcome, r.stage, _told(r), ", ".join(r.clause)) for r in rows]
    return table_lines(topic[:1].upper() + topic[1:], headings, cells)


def _told(row: TlsRow) -> str:
    if row.outcome == "passed" or not row.why:
        return row.title
    return f"{row.title} ({'; '.join(row.why)})"


def _failures(rows: Sequence[TlsRow]) -> Iterator[Line]:
    for row in sorted(rows, key=lambda r: r.id):
        yield Line(f"failed: {row.id} ({row.severity}): {safe(row.title, 300)}", "bold")
        for text in row.why:
            yield Line(f"  {safe(text, 600)}")
        if row.endangers:
            yield Line(f"  certification tests at risk: {', '.join(row.endangers)}")
        if row.folder:
            yield Line(f"  {safe(row.folder, 300)}")
    if rows:
        yield Line("")


def _suites(declared: Sequence[str], observed: Sequence[str]) -> Iterator[Line]:
    """C-41 in the certificate's words: the suites that are supported, declared and observed."""
    if not observed:
        return
    names = [*declared, *(n for n in observed if n not in declared)]
    rows = [
        (
            safe(name, 80),
            _yes(name in declared) if declared else "not stated",
            _yes(name in observed),
        )
        for name in names
    ]
    yield from table_lines(
        "Supported cipher suites (C-41)", ("Suite", "Declared", "Observed"), rows
    )
    yield Line("")


def _yes(value: object) -> str:
    return "Yes" if value else "No"


def _count(rows: Sequence[TlsRow], seconds: float) -> str:
    found = Counter(row.outcome for row in rows)
    parts = [f"{found[name]} {name}" for name in OUTCOMES if found[name]]
    return f"{len(rows)} cases: {', '.join(parts)}, in {seconds:.0f} s"


def duration(seconds: float) -> str:
    """A time for people."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def report_json(report: TlsReport, cases: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    """The report for programs; `cases` are the facts of what was played."""
    return {
        "format": 1,
        "attacked": report.attacked,
        "exit_code": report.exit_code,
        "outcomes": dict(Counter(row.outcome for row in report.rows)),
        "declared_suites": [*report.declared],
        "observed_suites": [*report.observed],
        "seconds": round(report.seconds, 3),
        "left_changed": [*report.left_changed],
        "notes": [*report.notes],
        "cases": [_row(row) for row in report.rows],
        "facts": [*cases],
    }


def _row(row: TlsRow) -> Mapping[str, object]:
    return {
        "id": row.id,
        "topic": row.topic,
        "title": row.title,
        "outcome": row.outcome,
        "severity": row.severity,
        "stage": row.stage,
        "clause": [*row.clause],
        "endangers": [*row.endangers],
        "why": [*row.why],
        "seconds": round(row.seconds, 3),
        "folder": row.folder,
    }
