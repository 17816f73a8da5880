"""Certification tests at risk: which findings and handshakes endanger which, those that every station must pass first.

Knows results. Must not know how it is shown; as CSV it is a text here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from fuzz.records import Severity
from fuzz.report.page.look import Look, Memory
from fuzz.report.results import Issue, Results
from fuzz.report.safe import safe

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Risk:
    """One test and one thing that endangers it; texts are made safe. `mandatory` is None where that is not known."""

    test: str
    mandatory: bool | None
    fingerprint: str
    title: str
    rule: str
    severity: Severity
    clause: str
    memory: Memory


_STATIONS = "_CS"
"""Behind a test's name where a table of stations and CSMSs tells them apart."""

_ORDER = {True: 0, None: 1, False: 2}


def risks(look: Look) -> tuple[Risk, ...]:
    """Mandatory tests first, then by test, the worst first."""
    found = {(r.test, r.fingerprint): r for run in _runs(look) for r in _of(run, look)}
    return tuple(
        sorted(
            found.values(),
            key=lambda r: (_ORDER[r.mandatory], r.test, -r.severity, r.fingerprint),
        )
    )


def _runs(look: Look) -> Iterator[Results]:
    yield from filter(None, (look.main, look.tls, look.conformance))


def _of(results: Results, look: Look) -> Iterator[Risk]:
    for issue in results.issues:
        told = look.memory.get(issue.fingerprint) or first_memory(issue, results)
        for test in issue.endangers:
            yield Risk(
                safe(test, 40),
                look.mandatory.get(test.removesuffix(_STATIONS)),
                safe(issue.fingerprint, 40),
                safe(issue.title, 200),
                safe(issue.rule, 40),
                issue.severity,
                safe(issue.clause, 200),
                told,
            )


def first_memory(issue: Issue, results: Results) -> Memory:
    """What is known of a finding of which nothing else is remembered."""
    firmware = issue.dossier.firmware if issue.dossier else results.facts.firmware
    first = issue.dossier.first_seen if issue.dossier else ""
    return Memory(first or results.began, firmware, results.began, results.facts.firmware)


MANDATORY = {True: "yes", False: "no", None: ""}

HEADINGS = (
    "test",
    "mandatory",
    "finding",
    "title",
    "rule",
    "severity",
    "clause",
    "first seen",
    "first firmware",
    "last seen",
    "last firmware",
    "fixed in firmware",
    "not met again in firmware",
)


def risks_csv(look: Look) -> str:
    """The table as CSV (RFC 4180); no cell is a formula to a spreadsheet."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(HEADINGS)
    for risk in risks(look):
        told = risk.memory
        cells = (
            risk.test,
            MANDATORY[risk.mandatory],
            risk.fingerprint,
            risk.title,
            risk.rule,
            risk.severity.name.lower(),
            risk.clause,
            told.first_seen,
            told.first_firmware,
            told.last_seen,
            told.last_firmware,
            told.fixed,
            told.missed,
        )
        writer.writerow(map(_cell, cells))
    return written.getvalue()


def _cell(text: str) -> str:
    shown = safe(text, 300)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
