"""What a conformance run came to, as the results that reports are made of: each test is a check.

Knows the suite's results and its catalogue. Must not know formats.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from fuzz.app.conforming import Planned
from fuzz.app.reporting import TOOL, Desk, code_of, words_of
from fuzz.conformance.catalogue import Entry, catalogue
from fuzz.conformance.registry import written_tests
from fuzz.conformance.runner import Result, Verdict
from fuzz.records import Basis, Severity, TargetFacts
from fuzz.report.abstract import Abstract
from fuzz.report.results import Check, Issue, Results, Rule, Status

STATUSES: Mapping[Verdict, Status] = {
    Verdict.PASSED: Status.PASSED,
    Verdict.FAILED: Status.FAILED,
    Verdict.NOT_RUN: Status.NOT_RUN,
}


@dataclass(slots=True)
class ConformanceHarvest:
    """Listens to the suite, test by test."""

    desk: Desk
    planned: Planned
    abstract: Abstract | None = None
    exit_code: int = 3
    _results: dict[str, Result] = field(default_factory=dict)

    def told(self, result: Result) -> None:
        """A test is over."""
        self._results[result.id] = result

    def add(self, results: Iterable[Result]) -> None:
        """All results of a suite that is over."""
        self._results |= {result.id: result for result in results}

    def results(self, error: BaseException | None) -> Results:
        """Everything so far."""
        desk, found = self.desk, list(self._results.values())
        return Results(
            command=desk.command,
            tool=TOOL,
            facts=_facts(desk, found),
            exit_code=self.exit_code if error is None else code_of(error),
            checks=tuple(self._checks()),
            rules=tuple(rule_of_test(entry) for entry in self._entries()),
            reason="" if error is None else words_of(error),
            began=desk.began,
            seconds=desk.elapsed_s(),
            notes=tuple(f"{r.id}: {text}" for r in found for text in dict.fromkeys(r.judgements)),
            details={} if self.abstract is None else details_of(self.abstract, found),
        )

    def _entries(self) -> list[Entry]:
        """What was to be played, and all that does not apply where everything was asked for."""
        planned = self.planned
        ids = {e.id for e in (*planned.tests, *planned.unwritten)} | set(self._results)
        if planned.asked_for_all:
            ids |= set(planned.not_applicable)
        return [entry for entry in catalogue() if entry.id in ids]

    def _checks(self) -> Iterator[Check]:
        for entry in self._entries():
            result = self._results.get(entry.id)
            check = Check(entry.id, entry.profile, entry.id, Status.NOT_RUN)
            if result is not None:
                yield _played(check, result, entry, self.desk)
            elif entry.id in self.planned.not_applicable:
                yield replace(check, reason=self.planned.not_applicable[entry.id])
            else:
                yield replace(check, reason="the run ended before it")


def _facts(desk: Desk, results: Sequence[Result]) -> TargetFacts:
    boot = next((r.boot for r in results if r.boot is not None), None)
    if boot is None:
        return desk.facts
    return replace(
        desk.facts,
        identity=desk.options.identity or boot.serial,
        vendor=boot.vendor,
        model=boot.model,
        firmware=boot.firmware,
        serial=boot.serial,
    )


def _played(check: Check, result: Result, entry: Entry, desk: Desk) -> Check:
    failed = result.verdict is Verdict.FAILED
    return replace(
        check,
        status=STATUSES[result.verdict],
        reason=result.text,
        played=int(result.verdict is not Verdict.NOT_RUN),
        seconds=result.seconds,
        issues=(_issue(result, entry, desk),) if failed else (),
    )


def _issue(result: Result, entry: Entry, desk: Desk) -> Issue:
    return Issue(
        fingerprint=hashlib.sha256(f"conformance {entry.id}".encode()).hexdigest()[:16],
        rule=entry.id,
        title=f"{entry.title} ({entry.id})",
        text=result.text,
        symptom=f"{entry.id} failed",
        severity=Severity.MEDIUM,
        place=desk.place,
        replay=f"ocppfuzz conformance {entry.id} {desk.flags}".rstrip(),
        basis=Basis.SHALL.value,
        endangers=(entry.id,),
        certainty="played once",
    )


def rule_of_test(entry: Entry) -> Rule:
    """A conformance test, with what its script says of itself."""
    test = written_tests().get(entry.id)
    text = test.text if test else entry.title
    told = inspect.getdoc(test.script) if test else None
    return Rule(entry.id, entry.title, text, told or text, f"certification profile {entry.profile}")


def details_of(abstract: Abstract, results: Iterable[Result]) -> Mapping[str, object]:
    """The abstract and every test, as a program reads them."""
    tests = [
        {
            "id": r.id,
            "verdict": r.verdict,
            "security_profile": r.profile,
            "seconds": round(r.seconds, 3),
            "text": r.text,
            "judgements": r.judgements,
        }
        for r in results
    ]
    return {"abstract": asdict(abstract), "tests": tests}
