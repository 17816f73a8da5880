"""The abstract of a conformance run, in the form of a certificate's: what was tested, the results, the answer times.

Knows plain numbers and words. Must not know how a test is played.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fuzz.report.safe import safe
from fuzz.report.summary import Line
from fuzz.report.tables import table_lines

DISCLAIMER = (
    "This is not an OCA certification result: no test laboratory took part, and the tests are our own reading of what "
    "the certification tests ask."
)


@dataclass(frozen=True, slots=True)
class ProfileCount:
    """The results of one certification profile."""

    name: str
    passed: int
    failed: int
    not_run: int
    not_applicable: int

    @property
    def verdict(self) -> str:
        """Pass, Fail, or Incomplete when something did not run."""
        if self.failed:
            return "Fail"
        return "Incomplete" if self.not_run or not self.passed else "Pass"


@dataclass(frozen=True, slots=True)
class Row:
    """One test that did not pass, or rests on a judgement: its id, what became of it, and why."""

    id: str
    verdict: str
    text: str


@dataclass(frozen=True, slots=True)
class Timing:
    """One row of the performance table, in seconds; no samples means not measurable."""

    name: str
    limit_s: float
    samples: tuple[float, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether no sample is beyond the limit."""
        return max(self.samples, default=0.0) <= self.limit_s


@dataclass(frozen=True, slots=True)
class Abstract:
    """A whole conformance run."""

    subject: Mapping[str, str]
    profiles: tuple[ProfileCount, ...]
    rows: tuple[Row, ...]
    judgements: tuple[Row, ...]
    timings: tuple[Timing, ...]
    seconds: float
    all_tests: bool = True


def abstract_lines(abstract: Abstract) -> Iterator[Line]:
    """The abstract for people; every string of the station is made safe."""
    yield Line("Abstract of the conformance run", "bold")
    yield Line("")
    width = max(map(len, abstract.subject), default=0)
    for name, value in abstract.subject.items():
        yield Line(f"{name:<{width}}  {safe(value, 200) or 'not said'}")
    yield Line("")
    for row in abstract.rows:
        yield Line(f"{row.verdict}: {row.id}: {safe(row.text, 600)}", "bold")
    yield from _results(abstract.profiles)
    yield Line("")
    yield from _times(abstract.timings)
    yield Line("")
    yield from _judged(abstract.judgements)
    if not abstract.all_tests:
        yield Line("Only some of the tests were asked for; the others are counted nowhere.")
    yield Line(f"Duration: {abstract.seconds:.0f} s")
    yield Line(DISCLAIMER)


def _results(profiles: Sequence[ProfileCount]) -> Iterator[Line]:
    headings = ("Certification profile", "Result", "Passed", "Failed", "Not run", "Not applicable")
    rows = [
        (p.name, p.verdict, *map(str, (p.passed, p.failed, p.not_run, p.not_applicable)))
        for p in profiles
    ]
    return table_lines("Test results", headings, rows)


def _times(timings: Sequence[Timing]) -> Iterator[Line]:
    headings = ("Name", "Limit", "Min", "Max", "Average", "Samples")
    return table_lines(
        "Performance measurement, in seconds", headings, [_cells(t) for t in timings]
    )


def _cells(timing: Timing) -> tuple[str, ...]:
    limit = f"{timing.limit_s:g}" + ("" if timing.kept else " (exceeded)")
    if not timing.samples:
        return (timing.name, limit, *["not measurable"] * 3, "0")
    numbers = (
        min(timing.samples),
        max(timing.samples),
        sum(timing.samples) / len(timing.samples),
    )
    return (timing.name, limit, *(f"{n:.3f}" for n in numbers), str(len(timing.samples)))


def _judged(rows: Sequence[Row]) -> Iterator[Line]:
    if rows:
        yield Line(
            "Expectations that rest on a judgement, since the text of OCPP leaves them open:"
        )
        for row in rows:
            yield Line(f"  {row.id}: {safe(row.text, 300)}")
        yield Line("")
