"""Phase `answers`: what it asks first, what it drops, what its scenes hold, and in which order they come."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from fuzz.engine.answering import PROMPTS, Answers
from fuzz.engine.phases import Ground
from fuzz.engine.support import Coverage, Support
from fuzz.records import (
    Ability,
    AnswerNext,
    Ask,
    Case,
    Effect,
    Expect,
    Observation,
    Operator,
    Side,
    TargetFacts,
    Wait,
)
from fuzz.testing import heard, result
from strategies.labels import Position, spell
from strategies.version import version

ALL = frozenset(p.action for p in PROMPTS)
Play = Callable[[Case], Observation]


def ground(**more: object) -> Ground:
    made = Ground(version(), Side.STATION, 1, Support(), Coverage(), full=False)
    made.abilities = frozenset(Ability)
    made.owned = True
    for name, value in more.items():
        setattr(made, name, value)
    return made


def target(sends: Iterable[str] = ALL, refuses: Iterable[str] = ()) -> Play:
    """A target that sends these CALLs, and refuses to when it is asked for those."""
    sent, refused = frozenset(sends), frozenset(refuses)

    def play(case: Case) -> Observation:
        status = "NotImplemented" if case.id.split("/")[1] in refused else "Accepted"
        wanted = case.id.split("/")[1]
        calls = (heard([2, "t", wanted, {}]),) if wanted in sent else ()
        return Observation(
            case, TargetFacts(Side.STATION), replies=(result({"status": status}),), calls=calls
        )

    return play


def played(on: Ground, play: Play | None = None) -> tuple[Answers, list[Case]]:
    phase, play = Answers(on), play or target()

    async def idle(_: float) -> None:
        return

    async def run() -> list[Case]:
        found = []
        async for case in phase.cases(idle):
            found.append(case)
            on.learn(play(case))
        return found

    return phase, asyncio.run(run())


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return played(ground())[1]


def hostile(cases: Iterable[Case]) -> list[Case]:
    return [c for c in cases if any(isinstance(s, AnswerNext) for s in c.steps)]


def test_ids_are_unique_and_the_same_for_every_seed(cases: list[Case]) -> None:
    ids = [c.id for c in cases]
    assert len(set(ids)) == len(ids)
    assert [c.id for c in played(ground(seed=2))[1]] == ids


def test_every_call_that_can_be_provoked_is_answered_badly(cases: list[Case]) -> None:
    assert {c.action for c in hostile(cases)} == ALL


def test_a_hostile_answer_is_laid_ready_before_the_call_is_provoked(cases: list[Case]) -> None:
    for case in hostile(cases):
        kinds = [type(step) for step in case.steps]
        asks = [i for i, k in enumerate(kinds) if k in (Ask, Operator)]
        assert kinds.index(AnswerNext) < asks[0] < kinds.index(Expect)
        assert case.position in (Position.CALLRESULT, Position.CALLERROR)


def test_a_control_differs_in_what_is_answered_and_in_nothing_else(cases: list[Case]) -> None:
    for case in hostile(cases):
        if "/order:" in case.id:
            continue
        answers = [i for i, s in enumerate(case.steps) if isinstance(s, AnswerNext)]
        assert len(case.control) == len(case.steps)
        assert {i for i, s in enumerate(case.steps) if s != case.control[i]} <= set(answers)


def test_the_scene_ends_with_the_proof_that_the_target_goes_on(cases: list[Case]) -> None:
    for case in hostile(cases):
        if case.action != "BootNotification":
            last = case.steps[-1]
            assert isinstance(last, Expect)
            assert last.action == "Heartbeat"


def test_without_a_heartbeat_on_demand_nothing_is_proved_by_it() -> None:
    _, cases = played(ground(), target(ALL - {"Heartbeat"}))
    found = hostile(cases)
    assert found
    assert all(s.action != "Heartbeat" for c in found for s in c.steps if isinstance(s, Expect))


def test_what_does_not_come_is_dropped_and_told() -> None:
    phase, cases = played(ground(), target({"Heartbeat"}))
    assert {c.action for c in hostile(cases)} == {"Heartbeat"}
    assert "answers to StatusNotification: could not be provoked" in list(phase.unreached())


def test_what_the_target_refuses_to_send_is_not_waited_for() -> None:
    _, cases = played(ground(), target(refuses={"MeterValues"}))
    waiting = [s for c in cases for s in c.steps if isinstance(s, Expect)]
    assert all(step.action != "MeterValues" for step in waiting)


def test_without_an_operator_nothing_is_done_at_the_target_and_that_is_told() -> None:
    phase, cases = played(ground(abilities=frozenset()))
    assert not any(isinstance(s, Operator) for c in cases for s in c.steps)
    assert "answers to Authorize: not asked for: needs an operator" in list(phase.unreached())


def test_why_nothing_is_answered_is_that_the_target_refuses_what_would_provoke_it() -> None:
    support = Support(refused={"GetBaseReport", "GetReport"})
    phase, _ = played(ground(support=support))
    assert "answers to NotifyReport: not asked for: GetReport is refused" in list(phase.unreached())


def test_on_a_target_of_others_only_harmless_calls_are_provoked() -> None:
    allowed = frozenset({Effect.NONE, Effect.VOLATILE})
    _, cases = played(ground(allowed=allowed, owned=False))
    assert {c.effect for c in cases} <= allowed
    assert "BootNotification" not in {c.action for c in cases}


def test_a_csms_is_left_alone() -> None:
    phase, cases = played(ground(side=Side.CSMS))
    assert cases == []
    assert phase.planned() == 0


def test_only_the_actions_that_were_asked_for_are_answered() -> None:
    _, cases = played(ground(only=frozenset({"StatusNotification"})))
    assert {c.action for c in hostile(cases)} == {"StatusNotification"}


def test_missing_descriptions_come_first_for_every_call(cases: list[Case]) -> None:
    first = hostile(cases)[: len(ALL)]
    assert {c.action for c in first} == ALL
    assert all(c.mutations[0].keyword == "CALLERROR.errorDescription" for c in first)


def test_a_refused_boot_may_lock_us_out_and_a_hurried_one_is_watched(cases: list[Case]) -> None:
    by_id = {c.id: c for c in cases}
    rejected = by_id["answers/BootNotification/meaning/interval:rejected-zero"]
    assert rejected.effect is Effect.LOCK_OUT
    assert any(isinstance(s, Wait) for s in rejected.steps)
    assert by_id["answers/BootNotification/plain-0"].effect is Effect.PERSISTENT


def test_what_is_sent_again_is_refused_many_times(cases: list[Case]) -> None:
    case = next(c for c in cases if c.id == "answers/TransactionEvent/order:refused-always")
    refused = [s for s in case.steps if isinstance(s, AnswerNext)]
    assert len(refused) > 5
    assert all(spell(s.text).startswith('[4,"{call.id}","GenericError"') for s in refused)


def test_the_table_holds_every_hostile_answer(cases: list[Case]) -> None:
    on = ground()
    played(on)
    assert on.coverage.counts()["answers"] == (0, len(hostile(cases)))


def test_the_full_tier_holds_the_tier_of_sites(cases: list[Case]) -> None:
    full = {c.id for c in played(replace(ground(), full=True))[1]}
    assert full > {c.id for c in cases}


def test_a_clock_that_a_boot_set_far_off_is_set_right_again(cases: list[Case]) -> None:
    case = next(
        c for c in cases if c.id == "answers/BootNotification/meaning/currentTime:year-2038"
    )
    assert isinstance(case.steps[-1], Expect)
    assert case.steps[-1].action == "Heartbeat"
    _, without = played(ground(), target(ALL - {"Heartbeat"}))
    assert case.id not in {c.id for c in without}
