"""How phases take turns: by what their cases cost, counted and never measured."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from fuzz.config import PHASES
from fuzz.engine.course import (
    MAX_COST,
    TURNS,
    Course,
    beyond_the_first,
    cost_of,
    easy_first,
    reconnects_of,
    share_of,
    turn_of,
)
from fuzz.engine.phases import Phase
from fuzz.records import (
    Case,
    Disconnect,
    Effect,
    Expect,
    Misbehave,
    RepeatSteps,
    SendText,
    Step,
    Wait,
)
from fuzz.testing import case
from strategies.labels import Channel, Expectation, Fault, Mutation, Stance, Tier

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


FRAMED = Mutation(Channel.FRAME, "", "rsv", "rsv2")
UTF_8 = Mutation(Channel.TEXT, "", "utf-8", "latin-1")
LEGAL = Expectation(Stance.ACCEPT, Tier.MODEL)


def faulty(fault: Fault, *mutations: Mutation, steps: tuple[Step, ...] = (ONE,)) -> Case:
    wrong = Expectation(Stance.REJECT, Tier.JSON, fault)
    return replace(case(steps=steps), expectation=wrong, mutations=mutations)


@pytest.mark.parametrize(
    ("said", "times"),
    [
        (faulty(Fault.NOT_UTF8), 1),
        (faulty(Fault.FRAME), 1),
        (faulty(Fault.NOT_JSON), 0),
        (faulty(Fault.FRAME, steps=(ONE, Disconnect())), 1),
        (faulty(Fault.NOT_JSON, steps=(RepeatSteps((Disconnect(),), 5),)), 5),
        (case(steps=(Misbehave("garbage", 2), Disconnect(), ONE)), 3),
        (replace(case(), action="Reset", expectation=LEGAL), 1),
        (replace(case(), action="ClearCache", expectation=LEGAL), 0),
    ],
)
def test_a_target_comes_back_after_what_it_hangs_up_for_and_what_we_hang_up_in(
    said: Case, times: int
) -> None:
    assert reconnects_of(said) == times


def test_the_first_of_each_kind_stands_for_all_that_end_a_connection() -> None:
    texts = [replace(faulty(Fault.NOT_UTF8, UTF_8), id=f"text/{n}") for n in range(3)]
    harmful = replace(texts[0], id="text/harmful", effect=Effect.ENERGISE)
    frames = [replace(faulty(Fault.FRAME, FRAMED), id=f"frame/{n}") for n in range(2)]
    staying = [replace(faulty(Fault.NOT_JSON, UTF_8), id=f"json/{n}") for n in range(3)]
    beyond = beyond_the_first([*staying, *texts, harmful, *frames])
    assert beyond == {"text/1", "text/2", "frame/1"}


def test_what_has_no_turn_of_its_own_or_is_alone_goes_on_to_its_end() -> None:
    assert turn_of("of-its-own", first=True, alone=False) == float("inf")
    assert turn_of("systematic", first=False, alone=True) == float("inf")
    for name, worth in TURNS.items():
        assert (
            turn_of(name, first=True, alone=False),
            turn_of(name, first=False, alone=False),
        ) == worth


def named(id_: str, *steps: Step, heavy: bool = False) -> Case:
    return replace(case(steps=steps, heavy=heavy), id=id_)


def test_where_only_the_clock_ends_a_campaign_it_ends_the_turns_of_the_tables_too() -> None:
    unending = {
        name
        for name in TURNS
        if turn_of(name, first=True, alone=False, clocked=True) == float("inf")
    }
    assert unending == {"replay", "systematic"}


def test_easy_cases_come_first_heavy_ones_last_and_families_take_turns_among_equals() -> None:
    given = [
        named("a/heavy", ONE, heavy=True),
        named("a/dear", ONE, Wait(1.0)),
        named("a/1", ONE),
        named("a/2", ONE),
        named("b/1", ONE),
        named("b/dear", ONE, Wait(1.0)),
    ]
    order = ["a/1", "b/1", "a/2", "a/dear", "b/dear", "a/heavy"]
    assert [c.id for c in easy_first(given)] == order


def test_no_phase_of_an_ordinary_campaign_plays_to_its_end_at_once() -> None:
    assert TURNS.keys() == set(PHASES)


@dataclass
class Three(Phase):
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
    assert share_of("replay", PHASES) == 2 * share_of("frames", PHASES)
    assert share_of("frames", ["frames"]) == 1.0
