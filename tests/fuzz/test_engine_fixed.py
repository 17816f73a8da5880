"""A phase of a build keeps new cases for the end, leaves out what it is told to, and knows what it gave."""

import asyncio
from dataclasses import replace

from fuzz.engine.fixed import Fixed
from fuzz.engine.phases import Replay
from fuzz.testing import case

A, B, C = (replace(case(action=name), id=name) for name in ("ClearCache", "Reset", "GetLog"))


def played(phase: Fixed) -> list[str]:
    async def play() -> list[str]:
        return [one.action async for one in phase.cases(asyncio.sleep)]

    return asyncio.run(play())


def test_new_cases_wait_until_the_others_were_played():
    phase = Fixed(Replay([A, B, C]), later={A.id})
    assert (phase.name, phase.planned()) == ("replay", 3)
    assert played(phase) == ["Reset", "GetLog", "ClearCache"]
    assert phase.given == {A.id, B.id, C.id}


def test_what_is_omitted_is_counted_by_its_reason():
    phase = Fixed(
        Replay([A, B, C]), omitted=lambda one: "it kills" if one.action != "Reset" else ""
    )
    assert played(phase) == ["Reset"]
    assert phase.left_out() == {"it kills": 2}
    assert phase.given == {B.id}


def test_a_phase_that_is_left_in_the_middle_gave_what_it_gave():
    phase = Fixed(Replay([A, B, C]))

    async def first() -> None:
        cases = phase.cases(asyncio.sleep)
        assert await anext(cases) is A
        await cases.aclose()

    asyncio.run(first())
    assert phase.given == {A.id}


def test_what_a_phase_could_not_reach_is_passed_on():
    class Short(Replay):
        def unreached(self):
            return ["a thing"]

    assert list(Fixed(Short([A])).unreached()) == ["a thing"]
    assert list(Fixed(Replay([A])).unreached()) == []
