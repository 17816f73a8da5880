"""A target that is away is told of once it is for longer than usual, and a person is asked to look at it."""

import asyncio

import pytest

from fuzz.engine.absence import Absence
from fuzz.records import EngineEvent, Note

BRIEF_S, LONG_S = 0.0, 0.05


def absence(please: str = "start it") -> tuple[Absence, list[EngineEvent]]:
    told: list[EngineEvent] = []
    return Absence(told.append, please, away_s=0.01, ask_s=0.02), told


async def away(of: Absence, seconds: float) -> None:
    with of.told(120.0):
        await asyncio.sleep(seconds)


async def test_it_is_told_with_how_long_it_is_waited_for_then_somebody_is_asked_then_it_is_back() -> (
    None
):
    made, told = absence()
    await away(made, LONG_S)
    assert told == [
        Note("the target is away; it is waited for, 120 s at most"),
        Note("the target is away for 0 s; start it", "action"),
        Note("the target is back after 0 s"),
    ]


async def test_nobody_is_asked_where_there_is_nobody() -> None:
    made, told = absence("")
    await away(made, LONG_S)
    assert [e.level for e in told if isinstance(e, Note)] == ["info", "info"]


async def test_whoever_is_back_at_once_is_not_told_of() -> None:
    made, told = absence()
    await away(made, BRIEF_S)
    await asyncio.sleep(LONG_S)
    assert told == []


async def test_what_took_as_long_before_is_usual() -> None:
    made, told = absence()
    await away(made, LONG_S)
    told.clear()
    await away(made, LONG_S)
    assert told == []


async def test_who_does_not_come_back_is_not_told_to_be_back() -> None:
    made, told = absence("")
    with pytest.raises(TimeoutError), made.told(120.0):
        await asyncio.wait_for(asyncio.Event().wait(), LONG_S)
    assert len(told) == 1
    assert (made.returns, made.waited_s) == (0, 0.0)


async def test_what_returns_take_is_summed_up() -> None:
    made, _ = absence()
    for _ in range(3):
        await away(made, BRIEF_S)
    assert made.returns == 3
    assert made.waited_s > 0.0
