"""Plays tests, a few at a time, and tells what became of each.

Knows results. Must not know what a test asks, nor how results are shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from fuzz.clock import Clock
from fuzz.conformance.arena import Arena
from fuzz.conformance.measure import Stopwatch
from fuzz.conformance.registry import StationTest
from fuzz.conformance.script import Csms, Failed, NotRun
from fuzz.csms.facts import BootFacts
from fuzz.errors import OcppfuzzError

TEST_S = 240.0
"""No test takes longer, or something hangs."""


class Verdict(StrEnum):
    """What became of a test."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Result:
    """One test's outcome; `text` says why it did not pass, `judgements` what it required without a clear rule."""

    id: str
    verdict: Verdict
    profile: int
    seconds: float
    text: str = ""
    judgements: tuple[str, ...] = ()
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    boot: BootFacts | None = None


async def play(
    tests: Sequence[tuple[StationTest, int]],
    arena: Arena,
    clock: Clock,
    *,
    jobs: int,
    told: Callable[[Result], None],
) -> list[Result]:
    """The results in the order of `tests`, each a test with the security profile to play it in; slow ones go first."""
    gate = asyncio.Semaphore(jobs)
    results: dict[str, Result] = {}

    async def one(test: StationTest, profile: int) -> None:
        async with gate:
            results[test.id] = await play_one(test, profile, arena, clock)
        told(results[test.id])

    async with asyncio.TaskGroup() as group:
        for test, profile in sorted(tests, key=lambda t: not t[0].slow):
            group.create_task(one(test, profile))
    return [results[test.id] for test, _ in tests]


async def play_one(test: StationTest, profile: int, arena: Arena, clock: Clock) -> Result:
    """One test from the idle state to its verdict."""
    began = clock.monotonic()
    met: list[Csms] = []
    verdict, text = Verdict.PASSED, ""
    try:
        async with asyncio.timeout(TEST_S), arena.station(test, profile) as s:
            met.append(s)
            await test.script(s)
            s.require(not s.faults, "only proper messages", s.faults[:3])
    except Failed as failed:
        verdict, text = Verdict.FAILED, str(failed)
    except NotRun as reason:
        verdict, text = Verdict.NOT_RUN, str(reason)
    except TimeoutError:
        verdict, text = Verdict.FAILED, f"it did not end within {TEST_S:g} s"
    except OcppfuzzError as reason:
        verdict, text = Verdict.NOT_RUN, str(reason)
    seconds = clock.monotonic() - began
    if not met:
        return Result(test.id, verdict, profile, seconds, text)
    s = met[0]
    return Result(
        test.id,
        verdict,
        profile,
        seconds,
        text,
        tuple(s.judgements),
        s.stopwatch,
        s.voice.facts.boot,
    )
