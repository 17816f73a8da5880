"""The two phases that make their own cases: nothing is sent, the ground says what the target supports."""

import asyncio
from collections import Counter

import pytest

from fuzz.engine.effects import effect_of
from fuzz.engine.phases import Generated, Ground, Systematic
from fuzz.engine.seeds import Seeds
from fuzz.engine.support import Coverage, Support
from fuzz.engine.validity import call_parts, class_of
from fuzz.records import Case, Effect, SendText, Side
from strategies.labels import Expectation, Stance, Tier
from strategies.pool import Pool, PoolVariable
from strategies.version import version

VARIABLES = tuple(
    PoolVariable("OCPPCommCtrlr", name, data_type="integer", value=str(n))
    for n, name in enumerate(("HeartbeatInterval", "ResetRetries", "MessageAttempts"), start=1)
)
POOL = Pool(variables=VARIABLES, evse_ids=(1, 2), connector_ids=(1,))


def _ground(*supported: str, **more: object) -> Ground:
    made = Ground(version(), Side.STATION, 7, Support(), Coverage(), pool=POOL)
    made.support.supported.update(supported)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def _seeds(*cases: Case) -> Seeds:
    made = Seeds(version())
    made.add(cases)
    return made


def _stored(action: str, payload: str) -> Case:
    text = f'[2,"{{call.id}}","{action}",{payload}]'
    accept = Expectation(Stance.ACCEPT, Tier.MODEL)
    return Case(f"stored/{action}", Side.STATION, (SendText((text,)),), accept, action=action)


def _chunk(ground: Ground, number: int = 0) -> list[Case]:
    phase = Generated(ground)
    return phase.chunk(number, phase.known(number))


def test_the_same_seed_and_knowledge_give_the_same_chunk() -> None:
    one, two = (_chunk(_ground("GetVariables", "DataTransfer"), 1) for _ in range(2))
    assert [c.steps for c in one] == [c.steps for c in two]
    assert [c.id for c in one] == [c.id for c in two]


def test_another_chunk_or_seed_says_something_else() -> None:
    ground = _ground("DataTransfer")
    first = {c.steps for c in _chunk(ground, 1)}
    ground.seed = 8
    assert first != {c.steps for c in _chunk(_ground("DataTransfer"), 2)}
    assert first != {c.steps for c in _chunk(ground, 1)}


def test_half_of_the_mutants_start_from_stored_messages() -> None:
    stored = _stored("DataTransfer", '{"vendorId":"stored"}')
    made = _chunk(_ground("DataTransfer", seeds=_seeds(stored)), 1)
    mutants = Counter("seed-" in c.id for c in made if c.mutations and "beside" not in c.id)
    assert mutants[True] > 100
    assert abs(mutants[True] - mutants[False]) < 0.1 * mutants[False]


def test_mutants_of_a_stored_message_have_it_as_their_control() -> None:
    stored = _stored("DataTransfer", '{"vendorId":"stored"}')
    made = _chunk(_ground("DataTransfer", seeds=_seeds(stored)))
    controls = {c.control for c in made if "seed-" in c.id}
    assert controls == {stored.steps}


def test_without_stored_messages_everything_is_drawn() -> None:
    made = _chunk(_ground("DataTransfer"), 1)
    assert len(made) > 200
    assert not any("seed-" in c.id for c in made)


def test_the_first_chunk_is_small() -> None:
    ground = _ground("DataTransfer", "GetVariables", "TriggerMessage")
    assert 3 * len(_chunk(ground, 0)) < len(_chunk(ground, 1))


def test_only_what_the_target_supports_is_generated() -> None:
    made = _chunk(_ground("DataTransfer"), 1)
    assert {c.action for c in made} == {"DataTransfer"}


def test_what_may_not_be_done_is_not_generated() -> None:
    ground = _ground("DataTransfer", "SetChargingProfile", allowed=frozenset({Effect.VOLATILE}))
    assert {c.action for c in _chunk(ground, 1)} == {"DataTransfer"}


def test_few_resets_are_made_because_each_may_cost_a_boot() -> None:
    made = _chunk(_ground("Reset", "DataTransfer"), 1)
    resets = [c for c in made if c.action == "Reset" and c.expectation.stance is Stance.ACCEPT]
    assert 0 < len(resets) <= 3
    assert sum(c.action == "Reset" for c in made) < 40


@pytest.mark.parametrize("action", ["GetVariables", "SetVariables"])
def test_no_valid_list_is_longer_than_the_target_takes(action: str) -> None:
    name = {"GetVariables": "getVariableData", "SetVariables": "setVariableData"}[action]
    ground = _ground(action, items_per_message={action: 1})
    lengths = set()
    for number in range(1, 3):
        for made in _chunk(ground, number):
            parts = call_parts(made)
            if made.expectation.stance is Stance.ACCEPT and parts is not None:
                lengths.add(len(parts[0][name]))  # type: ignore[index,call-overload,arg-type]
    assert lengths == {1}


def test_what_is_generated_as_valid_is_valid() -> None:
    for made in _chunk(_ground("GetVariables", "SetVariables", "ChangeAvailability"), 1):
        parts = call_parts(made)
        if made.expectation.stance is Stance.ACCEPT and parts is not None:
            assert class_of(version(), made.action, parts[0]) == frozenset()


def test_what_is_generated_as_broken_by_schema_is_broken() -> None:
    count = 0
    for made in _chunk(_ground("GetVariables", "ChangeAvailability"), 1):
        parts = call_parts(made)
        certain = made.expectation.stance is Stance.REJECT and not made.expectation.disputed
        if made.expectation.tier is Tier.SCHEMA and certain and parts is not None:
            count += 1
            assert class_of(version(), made.action, parts[0])
    assert count > 100


def test_things_beside_those_of_the_target_are_named() -> None:
    made = [c for c in _chunk(_ground("GetVariables"), 1) if "/beside/" in c.id]
    operators = {m.operator for c in made for m in c.mutations}
    assert {"beyond-last", "several"} <= operators
    assert operators & {"absent-name", "absent-instance"}


async def test_a_phase_with_nothing_supported_ends() -> None:
    async def idle(seconds: float) -> None:
        await asyncio.sleep(0)

    ground = _ground()
    ground.support.refused.add("DataTransfer")
    assert [c async for c in Generated(ground).cases(idle)] == []


@pytest.mark.slow
async def test_a_phase_that_nothing_is_known_for_asks_and_then_ends() -> None:
    async def idle(seconds: float) -> None:
        await asyncio.sleep(0)

    asked = [c async for c in Generated(_ground()).cases(idle)]
    assert {c.id.split("/")[2] for c in asked} == {"0", "1"}


async def test_chunks_follow_each_other_without_end() -> None:
    async def idle(seconds: float) -> None:
        await asyncio.sleep(0)

    ground = _ground("DataTransfer")
    first = len(_chunk(ground, 0))
    seen = []
    source = Generated(ground).cases(idle)
    async for made in source:
        seen.append(made.id)
        if len(seen) > first:
            break
    await source.aclose()  # type: ignore[attr-defined]
    assert seen[0].startswith("generated/7/0/")
    assert seen[-1].startswith("generated/7/1/")


# --- systematic ---------------------------------------------------------------------------------------------


async def _all(ground: Ground) -> list[Case]:
    async def idle(seconds: float) -> None:
        await asyncio.sleep(0)

    return [c async for c in Systematic(ground).cases(idle)]


async def test_every_boundary_and_violation_of_a_supported_action_is_played_once() -> None:
    ground = _ground("Reset", only=frozenset({"Reset"}))
    ids = Counter(c.id for c in await _all(ground))
    assert set(ids.values()) == {1}
    planned = set().union(*ground.coverage.total.values())
    assert planned <= set(ids)
    assert len(ground.coverage.total["violations"]) > 30


async def test_of_an_unsupported_action_only_samples_are_played() -> None:
    ground = _ground(only=frozenset({"Reset"}))
    made = [c for c in await _all(ground) if c.action == "Reset"]
    assert len(made) == 7
    assert "violations" not in ground.coverage.total


async def test_the_plan_counts_what_is_played_when_all_is_supported() -> None:
    ground = _ground("Reset", "ClearCache", only=frozenset({"Reset", "ClearCache"}))
    planned = Systematic(ground).planned()
    assert planned == len(await _all(ground))


async def test_the_harmless_goes_first() -> None:
    ground = _ground("GetVariables", "Reset", only=frozenset({"GetVariables", "Reset"}))
    actions = [c.action for c in await _all(ground) if not c.heavy and ".req" in c.id]
    assert actions.index("GetVariables") < actions.index("Reset")
    assert effect_of("GetVariables") is Effect.NONE
