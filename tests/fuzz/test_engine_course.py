"""How phases take turns: by what their cases cost, counted and never measured."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from fuzz.engine.course import MAX_COST, TURNS, Course, cost_of, share_of, turn_of
from fuzz.records import Case, Expect, RepeatSteps, SendText, Step, Wait
from fuzz.testing import case

ONE = SendText(("x",))


@pytest.mark.parametrize(
    ("steps", "cost"),
    [
        ((ONE,), 1),
        ((ONE, Wait(1.0)), 4),
        ((Expect("Heartbeat"), ONE), 4),
        ((RepeatSteps((ONE, ONE), 10),), 20),
        ((RepeatSteps((ONE,), 10**6),), MAX_COST),
        ((RepeatSteps((ONE,), 0),), 1),
    ],
)
def test_a_case_costs_its_steps_and_waiting_costs_more(steps: tuple[Step, ...], cost: int) -> None:
    assert cost_of(case(steps=steps)) == cost


def test_what_has_no_turn_of_its_own_or_is_alone_goes_on_to_its_end() -> None:
    assert turn_of("replay", first=True, alone=False) == float("inf")
    assert turn_of("systematic", first=False, alone=True) == float("inf")
    for name, worth in TURNS.items():
        assert (
            turn_of(name, first=True, alone=False),
            turn_of(name, first=False, alone=False),
        ) == worth


@dataclass
class Three:
    name: str = "three"

    def planned(self) -> int | None:
        return 3

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        for _ in range(3):
            yield case()


async def nothing(_: float) -> None:
    return None


async def test_a_course_goes_on_where_it_stopped_and_knows_its_end() -> None:
    course = Course(Three(), nothing)
    assert [await course.next() is None for _ in range(4)] == [False, False, False, True]
    assert (course.index, course.over) == (3, True)
    await course.aclose()


async def test_a_course_can_be_left_before_and_in_the_middle() -> None:
    await Course(Three(), nothing).aclose()
    course = Course(Three(), nothing)
    await course.next()
    await course.aclose()
    assert not course.over


def test_the_time_is_shared_out_whole_and_the_tables_get_most_of_it() -> None:
    phases = ["systematic", "frames", "stateful"]
    assert sum(share_of(name, phases) for name in phases) == pytest.approx(1.0)
    assert share_of("systematic", phases) > 2 * share_of("frames", phases)
    assert share_of("frames", ["frames"]) == 1.0
