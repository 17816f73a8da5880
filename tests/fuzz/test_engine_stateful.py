"""The phase plays every scenario first, then hostile messages in their midst, as far as the target and its user allow."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from fuzz.engine.course import cost_of
from fuzz.engine.phases import Ground
from fuzz.engine.stateful import Stateful
from fuzz.engine.support import Coverage, Support
from fuzz.records import (
    Ability,
    Ask,
    Case,
    Effect,
    Entry,
    Expect,
    Observation,
    Operator,
    SendText,
    Settle,
    Side,
    TargetFacts,
    Who,
)
from strategies.jobs import jobs
from strategies.labels import Expectation, Position, Stance, Tier
from strategies.pool import Pool
from strategies.sequences import Place, scenarios
from strategies.sessions import sessions
from strategies.version import version

_BOOT = "BootNotification"


async def _idle(_seconds: float) -> None:
    pass


def _ground(*, seed: int = 1, operated: bool = True, **fields: object) -> Ground:
    abilities = frozenset({Ability.OPERATOR} if operated else ())
    ground = Ground(version(), Side.STATION, seed, Support(), Coverage(), Pool(evse_ids=(1, 2)))
    ground.abilities, ground.owned = abilities, True
    for name, value in fields.items():
        setattr(ground, name, value)
    return ground


BEYOND = 600
"""More cases than there are scenes, so that walks and hostile scenes are among them."""


async def _cases(ground: Ground, count: int) -> list[Case]:
    found: list[Case] = []
    async for case in Stateful(ground).cases(_idle):
        found.append(case)
        if len(found) == count:
            break
    return found


def _plain(cases: Iterable[Case]) -> list[Case]:
    return list(itertools.takewhile(lambda c: "@" not in c.id and "/walk/" not in c.id, cases))


def _hostile(cases: Iterable[Case]) -> list[Case]:
    return [c for c in cases if "@" in c.id]


def _late() -> set[str]:
    """The families that let all others go first."""
    place = Place(_ground().pool)
    told = (*scenarios(place), *jobs(place, changes=True), *sessions(place))
    return {one.name.partition("/")[0] for one in told if one.late}


@pytest.mark.slow
async def test_every_scenario_comes_once_and_one_of_every_family_first() -> None:
    plain = _plain(await _cases(_ground(hurried=True), BEYOND))[:-1]
    ids = [c.id for c in plain]
    assert len(set(ids)) == len(ids) > 60
    families = [id_.split("/")[1] for id_ in ids]
    first = families[: len(set(families) - _late())]
    assert len(set(first)) == len(first)
    assert not set(first) & _late()


@pytest.mark.slow
async def test_cheap_scenarios_come_before_dear_ones() -> None:
    plain = _plain(await _cases(_ground(hurried=True), BEYOND))[:-1]
    families = {c.id.split("/")[1] for c in plain} - _late()
    costs = [cost_of(c) for c in plain[: len(families)]]
    assert costs == sorted(costs)


async def test_what_waits_for_time_outs_comes_now_and_then_unless_time_is_short() -> None:
    slow = "stateful/boot-refused-by-error"
    assert slow in [c.id for c in _plain(await _cases(_ground(), 70))]
    assert slow not in [c.id for c in _plain(await _cases(_ground(hurried=True), 70))]


async def test_scenarios_have_classes_of_their_own() -> None:
    plain = _plain(await _cases(_ground(), 380))
    assert len({c.mutation_class for c in plain}) == len(plain)


async def test_the_same_seed_gives_the_same_cases_and_another_one_others() -> None:
    first, again = await _cases(_ground(), BEYOND), await _cases(_ground(), BEYOND)
    other = await _cases(_ground(seed=2), BEYOND)
    assert first == again
    assert [c.id for c in first] != [c.id for c in other]


@pytest.mark.slow
async def test_a_hostile_message_is_settled_and_its_control_differs_in_nothing_else() -> None:
    hostile = _hostile(await _cases(_ground(), BEYOND))
    assert len([c for c in hostile if c.control]) > 50
    for case in (c for c in hostile if c.control):
        assert len(case.steps) == len(case.control)
        different = [a for a, b in zip(case.steps, case.control, strict=True) if a != b]
        assert len(different) == 1
        assert isinstance(different[0], SendText)
        assert case.steps[case.steps.index(different[0]) + 1] == Settle()
        assert case.position is Position.CALL


@pytest.mark.slow
async def test_nothing_heavy_is_said_by_chance() -> None:
    for case in _hostile(await _cases(_ground(), BEYOND)):
        assert case.action not in ("Reset", "UpdateFirmware", "SetVariables", "SetNetworkProfile")


@pytest.mark.slow
async def test_an_action_that_the_target_refused_is_left_alone_and_others_are_not() -> None:
    support = Support(supported={"GetLog"}, refused={"SendLocalList"})
    actions = {c.action for c in _hostile(await _cases(_ground(support=support), BEYOND))}
    assert "SendLocalList" not in actions
    assert len(actions) > 5


async def test_without_an_operator_nothing_is_done_at_the_target_and_what_is_missed_is_told() -> (
    None
):
    ground = _ground(operated=False)
    cases = await _cases(ground, 150)
    assert not [s for c in cases for s in c.steps if isinstance(s, Operator)]
    (missed,) = Stateful(ground).unreached()
    assert "plug-in" in missed


async def test_with_an_operator_nothing_is_missed() -> None:
    assert not Stateful(_ground()).unreached()


async def test_only_effects_that_are_allowed_are_caused() -> None:
    harmless = frozenset({Effect.NONE, Effect.VOLATILE})
    cases = await _cases(_ground(allowed=harmless), 60)
    assert cases
    assert {c.effect for c in _plain(cases)} <= harmless


async def test_an_action_that_is_excluded_is_not_asked() -> None:
    cases = await _cases(_ground(exclude=frozenset({"Reset"})), 150)
    texts = [str(s.text) for c in cases for s in c.steps if isinstance(s, Ask)]
    assert texts
    assert not [t for t in texts if '"Reset"' in t]


async def test_a_csms_has_no_scenarios_of_a_station() -> None:
    assert await _cases(_ground(side=Side.CSMS), 5) == []


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_states_and_changes_that_were_seen_are_counted(status: str) -> None:
    ground = _ground()
    (first,) = await _cases(ground, 1)
    boot = ['[2,"a","BootNotification",{}]', f'[3,"a",{{"status":"{status}"}}]']
    entries = (
        Entry(0.0, Who.HARNESS, "operator", "power-cycle"),
        Entry(0.1, Who.TARGET, "text", boot[0]),
        Entry(0.2, Who.HARNESS, "text", boot[1]),
    )
    ground.learn(Observation(first, TargetFacts(Side.STATION), entries))
    reached = ground.coverage.reached
    name = status.lower()
    assert {"state accepted/idle", "state offline/idle", f"state {name}/idle"} == reached["states"]
    assert f"change offline/idle to {name}/idle" in reached["transitions"]


async def test_the_phase_ends_where_nothing_may_be_walked_and_nothing_said() -> None:
    ground = _ground(only=frozenset({"SetVariables"}), operated=False)
    ids = [case.id for case in await _cases(ground, BEYOND)]
    assert len(ids) < BEYOND
    assert not [id_ for id_ in ids if "/walk/" in id_]


@pytest.mark.slow
async def test_hostile_scenes_go_on_where_no_walk_may_be_taken() -> None:
    ground = _ground(
        only=frozenset({"SetVariables", "GetVariables", "TriggerMessage"}), operated=False
    )
    cases = await _cases(ground, 60)
    assert len(cases) == 60
    assert _hostile(cases)


@pytest.mark.slow
async def test_scenes_that_wait_for_what_never_comes_are_no_hosts_and_no_walks() -> None:
    ground = _ground()
    steps = (Expect("BootNotification", 1_000.0),)
    vain = Entry(30.0, Who.HARNESS, "note", "waited in vain for BootNotification")
    for _ in range(3):
        case = Case("a", Side.STATION, steps, Expectation(Stance.UNSPECIFIED, Tier.MODEL))
        ground.learn(Observation(case, TargetFacts(Side.STATION), (vain,)))
    cases = await _cases(ground, BEYOND)
    endless = [c for c in cases if "@" in c.id or "/walk/" in c.id]
    assert len(endless) > 100
    assert not [c for c in endless for s in c.steps if getattr(s, "action", "") == _BOOT]
    assert [c for c in _plain(cases) for s in c.steps if getattr(s, "action", "") == _BOOT]
