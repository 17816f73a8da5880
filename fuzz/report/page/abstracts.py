"""A campaign's abstract in the form of a certificate's: what was tested, the results, the performance.

Knows the model of results, and the abstract of a conformance run as its document has it. Must not know HTML.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fuzz.records import Side
from fuzz.report.abstract import ProfileCount, Timing
from fuzz.report.page.timing import LIMIT_S, times
from fuzz.report.results import Results, Status
from fuzz.report.safe import safe

MAX_PROFILES = 100
_MEASURED = "OCPP response time"


@dataclass(frozen=True, slots=True)
class Tally:
    """The checks of one rule, or the tests of one profile, as a certificate counts them."""

    name: str
    verdict: str
    passed: int
    failed: int
    open: int
    not_run: int


@dataclass(frozen=True, slots=True)
class Form:
    """The abstract: `subject` are pairs of a heading and what stands there."""

    subject: tuple[tuple[str, str], ...]
    profiles: tuple[Tally, ...]
    rules: tuple[Tally, ...]
    timings: tuple[Timing, ...]


def form(main: Results, conformance: Results | None) -> Form:
    """The abstract of a run, with the profiles of a conformance run beside it where there is one."""
    told = _mapping(conformance.details.get("abstract")) if conformance else {}
    return Form(
        tuple(_subject(main)),
        tuple(_profiles(told)),
        tuple(_rules(main)),
        (*_measured(main), *_timings(told)),
    )


def _subject(results: Results) -> Iterator[tuple[str, str]]:
    facts = results.facts
    yield (
        "Product type",
        {Side.STATION: "Charging Station", Side.CSMS: "Charging Station Management System"}[
            facts.side
        ],
    )
    named = {
        "Vendor": facts.vendor,
        "Model": facts.model,
        "Firmware version": facts.firmware,
        "Identity": facts.identity,
        "Address": facts.url,
    }
    for name, text in named.items():
        yield name, safe(text, 200) or "not said"
    yield "OCPP version", f"{safe(facts.version, 20)}, edition {safe(facts.edition, 20)}"
    yield "Security profile", str(facts.security_profile)
    yield "Tested with", safe(results.tool, 100)
    yield "Tested on", safe(results.began, 40) or "not known"


def _rules(results: Results) -> Iterator[Tally]:
    counts: dict[str, Counter[Status]] = {}
    for check in results.checks:
        counts.setdefault(check.group, Counter())[check.status] += 1
    for name, found in list(counts.items())[:MAX_PROFILES]:
        passed, failed = found[Status.PASSED] + found[Status.REMARK], found[Status.FAILED]
        unclear, not_run = found[Status.INCONCLUSIVE], found[Status.NOT_RUN]
        verdict = "Fail" if failed else "Incomplete" if unclear else "Pass" if passed else "Not run"
        yield Tally(safe(name, 80), verdict, passed, failed, unclear, not_run)


def _profiles(told: Mapping[str, object]) -> Iterator[Tally]:
    for entry in _list(told.get("profiles"))[:MAX_PROFILES]:
        row = _mapping(entry)
        numbers = [row.get(n) for n in ("passed", "failed", "not_run", "not_applicable")]
        passed, failed, not_run, off = (n if isinstance(n, int) else 0 for n in numbers)
        count = ProfileCount(safe(str(row.get("name", "")), 80), passed, failed, not_run, off)
        yield Tally(count.name, count.verdict, passed, failed, not_run, off)


def _measured(results: Results) -> Iterator[Timing]:
    found = times(results.details)
    if results.command in ("run", "regress"):
        yield Timing(f"{_MEASURED}, in this campaign", LIMIT_S, found.seconds if found else ())


def _timings(told: Mapping[str, object]) -> Iterator[Timing]:
    for entry in _list(told.get("timings"))[:MAX_PROFILES]:
        row = _mapping(entry)
        limit = row.get("limit_s")
        samples = tuple(float(s) for s in _list(row.get("samples")) if isinstance(s, float | int))
        if isinstance(limit, float | int):
            yield Timing(safe(str(row.get("name", "")), 100), float(limit), samples)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
