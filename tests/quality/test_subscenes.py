"""Scenes with steps dropped, doubled, swapped or hurried: a healthy station is left in peace by every oracle, strict or not.

A shrinker drops steps as long as a symptom repeats, so that a rule must hold for what is left of any scene, too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from fuzz.app.rehearsing import case_of, play, run, station, told_at
from fuzz.engine.staging import steps
from fuzz.oracles.passive import Memory, Watch
from fuzz.records import (
    AnswerNext,
    Case,
    Entry,
    Expect,
    RepeatSteps,
    Side,
    Step,
    Violation,
    Wait,
    Who,
)
from strategies.pool import Pool

SUBSCENES = 450


# --- scenes that lost something ----------------------------------------------------------------------------------


def mutate(whole: Sequence[Step], rng: random.Random) -> tuple[Step, ...]:
    """A scene as a shrinker may leave it, or as chance makes it: one to four changes, one after the other."""
    made = list(whole)
    for _ in range(rng.randint(1, 4)):
        if len(made) > 1:
            rng.choice(CHANGES)(made, rng)
    return tuple(made)


def _drop_chunk(made: list[Step], rng: random.Random) -> None:
    size = rng.randint(1, max(1, len(made) // 2))
    at = rng.randrange(len(made) - size + 1)
    if size < len(made):
        del made[at : at + size]


def _drop_one(made: list[Step], rng: random.Random) -> None:
    del made[rng.randrange(len(made))]


def _drop_wait(made: list[Step], rng: random.Random) -> None:
    waits = [i for i, step in enumerate(made) if isinstance(step, Wait | Expect)]
    if waits and len(made) > 1:
        del made[rng.choice(waits)]


def _drop_waits(made: list[Step], rng: random.Random) -> None:
    kept = [s for s in made if not isinstance(s, Wait | Expect) or rng.random() < 0.5]
    made[:] = kept or made


def _drop_answer(made: list[Step], rng: random.Random) -> None:
    found = [i for i, step in enumerate(made) if isinstance(step, AnswerNext)]
    if found and len(made) > 1:
        del made[rng.choice(found)]


def _hurry(made: list[Step], rng: random.Random) -> None:
    for i, step in enumerate(made):
        if isinstance(step, Wait) and rng.random() < 0.5:
            made[i] = Wait(0.0)


def _double(made: list[Step], rng: random.Random) -> None:
    at = rng.randrange(len(made))
    made.insert(at, made[at])


def _swap(made: list[Step], rng: random.Random) -> None:
    at = rng.randrange(len(made) - 1)
    made[at], made[at + 1] = made[at + 1], made[at]


def _unroll(made: list[Step], rng: random.Random) -> None:
    found = [i for i, step in enumerate(made) if isinstance(step, RepeatSteps)]
    if found:
        at = rng.choice(found)
        step = made[at]
        assert isinstance(step, RepeatSteps)
        made[at] = replace(step, times=rng.randint(1, step.times))


Change = Callable[[list[Step], random.Random], None]
CHANGES: tuple[Change, ...] = (
    _drop_chunk,
    _drop_chunk,
    _drop_one,
    _drop_one,
    _drop_wait,
    _drop_wait,
    _drop_waits,
    _drop_answer,
    _hurry,
    _double,
    _swap,
    _unroll,
)


def said_of(
    pics: str, seed: int, defects: Sequence[str], made: Callable[[Pool], Sequence[Case]]
) -> dict[str, tuple[str, tuple[Step, ...]]]:
    """What is said of cases, each with the name and the steps of the first that it is said of."""

    async def look() -> dict[str, tuple[str, tuple[Step, ...]]]:
        found: dict[str, tuple[str, tuple[Step, ...]]] = {}
        async with station(pics, seed, defects) as (executor, pool):
            for case in made(pool):
                _, violations = await play(executor, case)
                for v in violations:
                    found.setdefault(f"{v.oracle} {v.symptom}: {v.text}", (case.id, case.steps))
        return found

    return run(look())


def subscenes(pool: Pool, seed: int) -> list[Case]:
    """What is left of scenes that chance chose."""
    rng, told = random.Random(seed), told_at(pool)
    chosen = [rng.choice(told) for _ in range(SUBSCENES)]
    return [case_of(scenario, mutate(steps(scenario.moves), rng)) for scenario in chosen]


PICS = pytest.mark.parametrize("pics", ["dc-2evse-ccs1", "ac-1evse-type2"])


@pytest.mark.slow
@PICS
def test_nothing_is_said_of_a_whole_scene_of_a_healthy_station(pics: str) -> None:
    whole = said_of(pics, 1, (), lambda pool: [case_of(s, steps(s.moves)) for s in told_at(pool)])
    assert whole == {}


@pytest.mark.slow
@PICS
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_said_of_what_is_left_of_a_scene_of_a_healthy_station(
    pics: str, seed: int
) -> None:
    assert said_of(pics, seed, (), lambda pool: subscenes(pool, seed)) == {}


# --- listening to them --------------------------------------------------------------------------------------------


def overheard(entries: Sequence[Entry]) -> Iterator[Violation]:
    """What somebody says who hears messages alone: no deeds, and nothing of the connection before."""
    memory = Memory()
    watch = Watch(memory=memory)
    for entry in entries:
        if entry.kind == "open":
            watch = Watch(memory=memory)
        if entry.kind == "text":
            sender = Side.STATION if entry.who is Who.TARGET else Side.CSMS
            seen = watch.saw(sender, entry.text, entry.at_s)
            yield from (one.violation for one in seen if one.side is Side.STATION)


@pytest.mark.slow
@PICS
def test_a_listener_says_nothing_of_a_healthy_station(pics: str) -> None:
    async def look() -> dict[str, str]:
        found: dict[str, str] = {}
        async with station(pics, 1) as (executor, pool):
            whole = [case_of(s, steps(s.moves)) for s in told_at(pool)]
            for case in (*whole, *subscenes(pool, 9)):
                seen, _ = await play(executor, case)
                for v in overheard(seen.entries):
                    found.setdefault(f"{v.oracle} {v.symptom}: {v.text}", case.id)
        return found

    assert run(look()) == {}


@pytest.mark.parametrize(
    ("defect", "name", "symptom"),
    [
        ("P179", "crossing-while-charging", "O11 E09 unplugging never told"),
        ("P35", "authorization-carried-over", "O31 C01.FR.01 Charging without an authorization"),
        (
            "P40",
            "changed-over-a-reset/OCPPCommCtrlr.NetworkConfigurationPriority=1",
            "O13 B01.FR.03",
        ),
    ],
)
def test_a_defect_shows_here_as_well(defect: str, name: str, symptom: str) -> None:
    def scene(pool: Pool) -> list[Case]:
        return [case_of(s, steps(s.moves)) for s in told_at(pool) if s.name == name]

    said = said_of("dc-2evse-ccs1", 1, (defect,), scene)
    assert [text for text in said if text.startswith(symptom)]
