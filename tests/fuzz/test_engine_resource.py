from __future__ import annotations

from dataclasses import replace

import pytest

from fuzz.engine.phases import Ground
from fuzz.engine.resource import ENOUGH_S, RUNGS, Resource
from fuzz.engine.support import Coverage, Support
from fuzz.records import (
    Ability,
    Case,
    Effect,
    Figures,
    Gauge,
    Misbehave,
    Observation,
    Side,
    TargetFacts,
)
from fuzz.transport.misbehaving import WAYS
from strategies.floods import BLOCKS, FAILURES, IDLE, SIZES, START, WARM
from strategies.version import version


@pytest.fixture
def ground() -> Ground:
    made = Ground(version(), Side.STATION, 1, Support(), Coverage())
    made.owned = True
    made.abilities = frozenset({Ability.FIGURES})
    return made


async def never(seconds: float) -> None:
    raise AssertionError(seconds)


async def played(phase: Resource, spent_s: float = 0.0) -> list[Case]:
    """The cases, each of which costs so much processor time."""
    cases = []
    async for case in phase.cases(never):
        cases.append(case)
        figures = (Figures(0.0, processor_s=0.0), Figures(1.0, processor_s=spent_s))
        phase.ground.learn(Observation(case, TargetFacts(Side.STATION), figures=figures))
    return cases


def labels(case: Case) -> tuple[str, ...]:
    return tuple(step.label for step in case.steps if isinstance(step, Gauge))


async def test_every_case_is_read_where_an_oracle_looks(ground: Ground) -> None:
    cases = await played(Resource(ground))
    assert {labels(c) for c in cases} == {(WARM, START, *BLOCKS, *IDLE), (START, *SIZES)}
    assert len({c.id for c in cases}) == len(cases)


async def test_a_ladder_ends_at_a_rung_that_is_dear(ground: Ground) -> None:
    cheap = [c for c in await played(Resource(ground)) if "/growth/digits/" in c.id]
    dear = [c for c in await played(Resource(ground), 2 * ENOUGH_S) if "/growth/digits/" in c.id]
    assert len(cheap) == RUNGS
    assert dear == cheap[:1]


async def test_a_target_of_somebody_else_is_spared_unless_asked_for(ground: Ground) -> None:
    ground.owned = False
    assert not await played(Resource(ground))
    assert Resource(ground).unreached()
    own = await played(Resource(replace(ground, owned=True)))
    named = await played(Resource(ground, named=True))
    assert 0 < len(named) < len(own)
    assert not Resource(ground, named=True).unreached()


async def test_effects_and_actions_that_are_not_allowed_are_left_out(ground: Ground) -> None:
    ground.allowed = frozenset({Effect.NONE, Effect.VOLATILE})
    ground.exclude = frozenset({"GetVariables"})
    ground.support.refused.add("DataTransfer")
    cases = await played(Resource(ground))
    assert {c.effect for c in cases} <= ground.allowed
    assert not {"GetVariables", "DataTransfer"} & {c.action for c in cases}


async def test_a_csms_is_never_received_badly(ground: Ground) -> None:
    ground.side = Side.CSMS
    steps = [step for case in await played(Resource(ground)) for step in case.steps]
    assert steps
    assert not any(isinstance(step, Misbehave) for step in steps)


def test_the_ways_to_fail_exist() -> None:
    assert set(FAILURES) <= set(WAYS)


def test_what_cannot_be_read_is_told(ground: Ground) -> None:
    ground.abilities = frozenset()
    assert Resource(ground).unreached()
