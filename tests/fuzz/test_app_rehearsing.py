"""The station in memory is one that a campaign could be played at, on a clock that only jumps."""

import asyncio

import pytest

from fuzz.app.rehearsing import LoopClock, case_of, play, run, station, told_at
from fuzz.engine.staging import steps


def test_an_hour_is_over_at_once_and_the_clock_says_so():
    async def wait():
        clock = LoopClock()
        begun, moment = clock.monotonic(), clock.now()
        await asyncio.sleep(3600)
        return clock.monotonic() - begun, (clock.now() - moment).total_seconds()

    assert run(wait()) == pytest.approx((3600, 3600))


def test_nobody_waits_for_ever_for_somebody_else():
    with pytest.raises(AssertionError, match="everybody waits"):
        run(asyncio.Event().wait())


def a_scene(name, *defects):
    async def look():
        async with station("dc-2evse-ccs1", 1, defects) as (executor, pool):
            told = next(s for s in told_at(pool) if s.name == name)
            return await play(executor, case_of(told, steps(told.moves)))

    return run(look())


def test_a_scene_is_played_with_people_and_messages():
    seen, said = a_scene("plug-first")
    kinds = {(entry.who.value, entry.kind) for entry in seen.entries}
    assert {("harness", "operator"), ("target", "text"), ("harness", "text")} <= kinds
    assert not said


def test_a_defect_is_objected_to():
    _, said = a_scene("reset-while-charging", "P236")
    assert [v.symptom for v in said] == ["E07.FR.02 token of an event that nobody showed"]


async def operated(*words):
    async with station("dc-2evse-ccs1", 1) as (executor, _):
        return await executor._target.operator(*words)


def test_only_what_can_be_done_is_done():
    assert run(operated("plug-in", "1"))
    assert not run(operated("plug-in", "9"))
    assert not run(operated("dance"))
