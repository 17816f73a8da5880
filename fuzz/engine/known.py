"""Plays the case of an accepted finding again: is it still so?

Knows cases, violations and an executor. Must not know who accepted what, nor for how long.
"""

from __future__ import annotations

from dataclasses import dataclass

from fuzz.engine.executor import Executor
from fuzz.engine.investigate import TRIES, Judge, anew
from fuzz.records import Case, Observation, Violation


@dataclass(frozen=True, slots=True)
class Look:
    """What came of it: `hits` of `tries` plays showed the violation.

    `inconclusive` says why no verdict may be given. `other` is what else was objected to, first of all.
    """

    hits: int
    tries: int
    inconclusive: str = ""
    other: tuple[Observation, Violation] | None = None


async def look(
    executor: Executor, judge: Judge, case: Case, violation: Violation, *, tries: int = TRIES
) -> Look:
    """Play a case on fresh connections until the violation shows, at most `tries` times.

    One hit says it all: a killer is not played more often than it must be. Raises `TargetUnavailable`.
    """
    other: tuple[Observation, Violation] | None = None
    for number in range(1, tries + 1):
        await anew(executor, case)
        observation = await executor.play(case, linger=True)
        spoken = judge(observation)
        if any(_same(v, violation) for v in spoken):
            return Look(1, number)
        if observation.inconclusive:
            return Look(0, number, observation.inconclusive)
        firm = [v for v in spoken if not v.remark]
        if firm and other is None:
            other = observation, firm[0]
    return Look(0, tries, other=other)


def _same(one: Violation, other: Violation) -> bool:
    return (one.oracle, one.symptom) == (other.oracle, other.symptom)
