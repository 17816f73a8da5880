"""Confirms, acquits, blames and shrinks on scripted stations in memory."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from fuzz.clock import SystemClock
from fuzz.engine.executor import WAITED_FOR, Executor
from fuzz.engine.investigate import (
    BY_ITSELF,
    LEADING_S,
    MAX_IDLE_S,
    STOPPING,
    SURE_S,
    Investigator,
    _bounded,
    as_control,
    as_silence,
)
from fuzz.engine.shrinker import Budget, Shrinker, size
from fuzz.oracles.registry import judge
from fuzz.records import (
    Ask,
    Basis,
    Case,
    Entry,
    Finding,
    FindingStatus,
    Gauge,
    Observation,
    RepeatSteps,
    SendText,
    Settle,
    Severity,
    Side,
    Step,
    TargetFacts,
    Violation,
    Wait,
    Who,
)
from fuzz.testing import case, mutation, rejected
from fuzz.transport.memory import MemoryLink
from strategies.labels import Stance, Tier
from strategies.version import version

CLOSED = Violation(
    "O3", "connection-closed", Basis.STOPPED_SERVING, Severity.HIGH, "close 1011", "it closed"
)
FACTS = TargetFacts(side=Side.STATION)


def judged(observation: Observation) -> Sequence[Violation]:
    return judge(observation)


@asynccontextmanager
async def investigating(
    scripted: Callable, behaviour: Callable, **more: object
) -> AsyncIterator[tuple[Investigator, Executor]]:
    async with scripted(behaviour, **more) as executor:
        shrinker = Shrinker(version(), SystemClock(), Budget(plays=200, seconds=30.0))
        yield Investigator(executor, judged, shrinker), executor


def call(text: str, name: str = "case", *, control: str = '{"fine":1}') -> Case:
    said = f'[2,"{{call.id}}","DataTransfer",{text}]'
    undone = f'[2,"{{call.id}}","DataTransfer",{control}]'
    made = case(
        rejected(Tier.SCHEMA),
        action="DataTransfer",
        mutations=[mutation("/a", "type", "null")],
        steps=[SendText((said,))],
    )
    return replace(made, id=name, control=(SendText((undone,)),))


def finding(of: Case, violation: Violation = CLOSED) -> Finding:
    return Finding("f", violation, of, of, FACTS)


class Station:
    """Answers every CALL, and closes with 1011 when `kills` says so of a message and the ones before it."""

    def __init__(self, kills: Callable[[list[str]], bool]) -> None:
        self.kills = kills
        self.heard: list[str] = []

    async def __call__(self, link: MemoryLink, text: str) -> None:
        self.heard.append(text)
        if self.kills(self.heard):
            self.heard.clear()
            await link.close(1011)
            return
        frame = json.loads(text)
        if frame[0] == 2:
            answer = [4, frame[1], "TypeConstraintViolation", "", {}]
            await link.send_text(json.dumps(answer))


def behind_id(text: str) -> str:
    """What stands behind the messageId, whose random digits may spell any word of hexadecimal letters."""
    return text.split(",", 2)[-1]


def last_holds(word: str) -> Callable[[list[str]], bool]:
    return lambda heard: word in behind_id(heard[-1])


class Moody:
    """Kills on `bad` only in the plays whose turn it is."""

    def __init__(self, *turns: bool) -> None:
        self.turns = list(turns)

    def __call__(self, heard: list[str]) -> bool:
        return "bad" in behind_id(heard[-1]) and self.turns.pop(0)


def test_what_a_target_pours_out_is_kept_up_to_a_limit() -> None:
    entries = [Entry(float(n), Who.TARGET, "text", "x" * 2**19) for n in range(5)]
    kept = _bounded(entries)
    assert kept[:2] == tuple(entries[:2])
    assert [entry.text for entry in kept[2:]] == ["3 further entries are not kept"]
    assert _bounded(entries[:2]) == entries[:2]


# --- k of n, control 0 of n -------------------------------------------------------------------------------


async def test_a_symptom_that_always_shows_and_never_without_the_fault_is_confirmed(
    scripted: Callable,
) -> None:
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, _):
        confirmed = await investigator.confirm(finding(call('{"bad":1}')))
    assert confirmed.status is FindingStatus.CONFIRMED
    assert (confirmed.confirmed, confirmed.tries) == (3, 3)
    assert (confirmed.control_hits, confirmed.control_tries) == (0, 3)
    plays = [(run.control, run.shown) for run in confirmed.runs]
    assert plays == [(False, True)] * 3 + [(True, False)] * 3
    assert all(run.entries for run in confirmed.runs)
    assert any(e.kind == "close" for e in confirmed.entries)


@pytest.mark.parametrize(
    ("turns", "hits", "status"),
    [
        ((True, False, True), 2, FindingStatus.CONFIRMED),
        ((False, True, False), 1, FindingStatus.UNCONFIRMED),
        ((False, False, False), 0, FindingStatus.UNCONFIRMED),
    ],
)
async def test_most_plays_must_show_it_again(
    turns: tuple[bool, ...], hits: int, status: FindingStatus, scripted: Callable
) -> None:
    async with investigating(scripted, Station(Moody(*turns))) as (investigator, _):
        confirmed = await investigator.confirm(finding(call('{"bad":1}')))
    assert (confirmed.confirmed, confirmed.tries, confirmed.status) == (hits, 3, status)


async def test_a_reading_must_show_it_every_time(scripted: Callable) -> None:
    spoken = replace(CLOSED, oracle="O20")

    def object_to(observation: Observation) -> Sequence[Violation]:
        return [spoken] if observation.close is not None else []

    for turns, status in (
        ((True, False, True), FindingStatus.UNCONFIRMED),
        ((True, True, True), FindingStatus.CONFIRMED),
    ):
        alone = replace(call('{"bad":1}'), control=())
        async with investigating(scripted, Station(Moody(*turns))) as (investigator, executor):
            judging = Investigator(executor, object_to, investigator._shrinker)
            confirmed = await judging.confirm(finding(alone, spoken))
        assert confirmed.status is status


_PROFILE = '[2,"{call.id}","SetNetworkProfile",{}]'


@pytest.mark.parametrize(
    ("steps", "restarts"),
    [
        ((), 0),
        ((Gauge("warm"),), 3),
        ((Ask((_PROFILE,)),), 3),
        ((SendText((_PROFILE,)),), 0),
        ((Ask(('[2,"{call.id}","UpdateFirmware",{}]',)),), 3),
    ],
)
async def test_what_outlives_any_connection_is_repeated_on_a_process_that_is_new(
    scripted: Callable, steps: tuple[Step, ...], restarts: int
) -> None:
    read = replace(call('{"bad":1}'), steps=(*call('{"bad":1}').steps, *steps))
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, executor):
        begun: list[None] = []
        restart = executor.restart

        async def counted() -> None:
            begun.append(None)
            await restart()

        executor.restart = counted  # type: ignore[method-assign]
        await investigator.repeat(read, CLOSED)
    assert len(begun) == restarts


@pytest.mark.parametrize(
    ("symptom", "plateau", "status"),
    [
        ("memory slope", 5, FindingStatus.UNCONFIRMED),
        ("memory slope", 1_000, FindingStatus.CONFIRMED),
        ("descriptor slope", 5, FindingStatus.CONFIRMED),
    ],
)
async def test_memory_must_go_on_growing_when_much_more_is_said(
    scripted: Callable, symptom: str, plateau: int, status: FindingStatus
) -> None:
    spoken = replace(CLOSED, oracle="O20", symptom=symptom)

    def object_to(observation: Observation) -> Sequence[Violation]:
        times = [s.times for s in observation.case.steps if isinstance(s, RepeatSteps)]
        return [spoken] if max(times) <= plateau else []

    flood = replace(case(action="DataTransfer"), steps=(RepeatSteps(call("{}").steps, 2),))
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, executor):
        judging = Investigator(executor, object_to, investigator._shrinker)
        confirmed = await judging.confirm(finding(flood, spoken))
    assert (confirmed.status, confirmed.confirmed, confirmed.tries) == (status, 3, 3)


async def test_a_control_that_shows_it_too_acquits_the_fault_at_once(scripted: Callable) -> None:
    station = Station(last_holds("DataTransfer"))
    async with investigating(scripted, station) as (investigator, _):
        confirmed = await investigator.confirm(finding(call('{"bad":1}')))
    assert confirmed.status is FindingStatus.UNCONFIRMED
    assert (confirmed.confirmed, confirmed.control_hits, confirmed.control_tries) == (3, 1, 1)


async def test_without_a_control_the_repeats_must_do(scripted: Callable) -> None:
    alone = replace(call('{"bad":1}'), control=())
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, _):
        confirmed = await investigator.confirm(finding(alone))
    assert (confirmed.status, confirmed.control_tries) == (FindingStatus.CONFIRMED, 0)


async def test_another_symptom_is_not_the_same(scripted: Callable) -> None:
    other = replace(CLOSED, symptom="close 1006")
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, _):
        confirmed = await investigator.confirm(finding(call('{"bad":1}'), other))
    assert confirmed.confirmed == 0


def test_a_control_is_the_proper_message_that_it_is() -> None:
    control = as_control(call('{"bad":1}'))
    assert control.steps == call("x").control
    assert control.expectation.stance is Stance.ACCEPT
    assert (control.mutations, control.control) == ((), ())


def test_the_oracles_whose_symptom_may_come_late_are_those_of_liveness() -> None:
    assert {"O1", "O2", "O3", "O5"} == STOPPING


# --- deaths that come late --------------------------------------------------------------------------------


def after_the_bad_one(messages: int) -> Callable[[list[str]], bool]:
    """The connection breaks so many messages after the bad one."""
    return lambda heard: len(heard) > messages and "bad" in heard[-1 - messages]


@pytest.mark.parametrize("messages", [0, 2])
@pytest.mark.parametrize("guilty", [0, 7])
async def test_a_death_that_comes_messages_later_is_blamed_on_its_case(
    messages: int, guilty: int, scripted: Callable
) -> None:
    window = [call('{"bad":1}' if n == guilty else "{}", f"case-{n}") for n in range(10)]
    async with investigating(scripted, Station(after_the_bad_one(messages))) as (
        investigator,
        _,
    ):
        culprit = await investigator.culprit(window, CLOSED)
    assert culprit is not None
    assert culprit.id == f"case-{guilty}"


async def test_nobody_is_blamed_for_what_does_not_show_again(scripted: Callable) -> None:
    window = [call("{}", f"case-{n}") for n in range(5)]
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, _):
        assert await investigator.culprit(window, CLOSED) is None
        assert await investigator.culprit([], CLOSED) is None


async def test_nobody_is_blamed_for_what_takes_two_cases_of_different_halves(
    scripted: Callable,
) -> None:
    def both(heard: list[str]) -> bool:
        return any("one" in t for t in heard) and any("two" in t for t in heard)

    window = [call('{"one":1}'), call("{}"), call("{}"), call('{"two":1}')]
    async with investigating(scripted, Station(both)) as (investigator, _):
        found = await investigator.culprit(window, CLOSED)
    assert found is None or found in window


async def test_a_suspect_is_looked_at_once_more_on_its_own(scripted: Callable) -> None:
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, _):
        assert await investigator.once_more(call("{}"), CLOSED) == []
        ((observation, violation),) = await investigator.once_more(call('{"bad":1}'), CLOSED)
    assert observation.close is not None
    assert violation.symptom == "close 1011"


# --- silences ----------------------------------------------------------------------------------------------

MUTE = Violation("O4", "unanswered-call", Basis.SHALL, Severity.MEDIUM, "no answer", "it is mute")


class Mute:
    """Answers every CALL but those with `bad` in them, in the plays whose turn it is."""

    def __init__(self, *turns: bool) -> None:
        self.turns = list(turns)

    async def __call__(self, link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] == 2 and not ("bad" in behind_id(text) and self.turns.pop(0)):
            await link.send_text(json.dumps([3, frame[1], {"status": "Accepted"}]))


def noting(executor: Executor) -> list[float | None]:
    """How long an answer is waited for at least in each play from here on."""
    noted: list[float | None] = []
    play_again = executor.play_again

    async def noted_play(of: Case, least_s: float | None, **more: bool) -> Observation:
        noted.append(least_s)
        return await play_again(of, least_s, **more)

    executor.play_again = noted_play  # type: ignore[method-assign]
    return noted


def mute_call(text: str = '{"vendorId":"bad"}') -> Case:
    return replace(case(action="DataTransfer"), steps=call(text).steps)


@pytest.mark.parametrize(
    ("turns", "waits"),
    [
        ([True, True, True], [None, SURE_S, SURE_S]),
        ([False, True, True], [None, None, SURE_S]),
        ([False, False, False], [None, None, None]),
    ],
    ids=["at once", "later", "never"],
)
async def test_a_silence_is_waited_out_until_one_play_shows_it(
    scripted: Callable, turns: list[bool], waits: list[float | None]
) -> None:
    async with investigating(scripted, Mute(*turns)) as (investigator, executor):
        noted = noting(executor)
        seen = await investigator.repeat(mute_call(), MUTE)
    assert (seen.hits, noted) == (sum(turns), waits)


async def test_what_is_told_of_a_silence_is_the_play_that_waited_it_out(scripted: Callable) -> None:
    async with investigating(scripted, Mute(True, True, True)) as (investigator, executor):
        executor.pace.heard(1_000, 0.0)
        executor.facts = replace(executor.facts, message_timeout_s=SURE_S + 0.1)
        seen = await investigator.repeat(mute_call(), MUTE, tries=2)
    assert seen.last is not None
    assert [any(WAITED_FOR in e.text for e in run.entries) for run in seen.runs] == [False, True]
    assert not any(WAITED_FOR in e.text for e in seen.last.entries)


async def test_a_control_is_always_waited_out(scripted: Callable) -> None:
    async with investigating(scripted, Mute(True, True, True)) as (investigator, executor):
        noted = noting(executor)
        await investigator.confirm(
            finding(replace(mute_call(), control=mute_call("{}").steps), MUTE)
        )
    assert noted == [None, SURE_S, SURE_S, None, None, None]


async def test_what_no_clock_decides_is_never_hurried(scripted: Callable) -> None:
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, executor):
        noted = noting(executor)
        await investigator.shrink(await investigator.confirm(finding(call('{"bad":1}'))))
    assert set(noted) == {None}


async def test_a_smaller_case_that_met_with_silence_is_waited_out_once(scripted: Callable) -> None:
    async with investigating(scripted, Mute(*[True] * 100)) as (investigator, executor):
        noted = noting(executor)
        long = mute_call('{"vendorId":"v","data":[1,2,3],"messageId":"bad"}')
        shrunk = await investigator.shrink(finding(long, MUTE))
    assert size(shrunk.case) < size(long)
    assert (set(noted[:-1]), noted[-1]) == ({LEADING_S}, None)


async def test_a_smaller_case_that_was_only_slow_is_not_kept(scripted: Callable) -> None:
    async with investigating(scripted, Mute(*[True] * 100)) as (investigator, executor):
        play_again = executor.play_again

        async def slow(of: Case, least_s: float | None, **more: bool) -> Observation:
            """Whoever has the patience is answered."""
            return await play_again(of if least_s else mute_call("{}"), least_s, **more)

        executor.play_again = slow  # type: ignore[method-assign]
        long = mute_call('{"vendorId":"v","data":[1,2,3],"messageId":"bad"}')
        shrunk = await investigator.shrink(finding(long, MUTE))
    assert shrunk.case == long
    assert shrunk.not_minimal


# --- shrinking --------------------------------------------------------------------------------------------


async def test_the_smallest_case_and_its_own_transcript_are_kept(scripted: Callable) -> None:
    valid = '{"vendorId":"v","data":["long",{"list":[1,2,3]}],"messageId":"bad"}'
    proper = replace(case(action="DataTransfer"), steps=call(valid).steps)
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, _):
        shrunk = await investigator.shrink(finding(proper))
    (step,) = shrunk.case.steps
    assert isinstance(step, SendText)
    assert json.loads("".join(map(str, step.text)))[3] == {"vendorId": "", "messageId": "bad"}
    assert any('"messageId":"bad"' in e.text and '"data"' not in e.text for e in shrunk.entries)
    assert shrunk.original == proper


async def test_a_symptom_that_shows_at_once_is_shrunk_without_lingering(
    scripted: Callable,
) -> None:
    station = Station(last_holds("bad"))
    proper = replace(case(action="DataTransfer"), steps=call('{"vendorId":"bad"}').steps)
    async with investigating(scripted, station) as (investigator, executor):
        executor.boots_on_reconnect = True
        executor.pace.linger_s = 3_600.0
        shrunk = await investigator.shrink(finding(proper))
    assert shrunk.case.steps == proper.steps


async def test_a_late_symptom_is_shrunk_with_patience(scripted: Callable) -> None:
    proper = replace(
        case(action="DataTransfer"), steps=call('{"vendorId":"v","messageId":"bad"}').steps
    )
    async with investigating(scripted, Station(after_the_bad_one(2))) as (investigator, _):
        shrunk = await investigator.shrink(finding(proper))
    (step,) = shrunk.case.steps
    assert isinstance(step, SendText)
    assert '"vendorId":""' in "".join(map(str, step.text))


async def test_what_was_found_so_far_is_told_while_the_search_goes_on(scripted: Callable) -> None:
    told: list[Finding] = []
    long = finding(call('{"bad":1,"filler":"' + "x" * 80 + '","more":2}'))
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, _):
        shrunk = await investigator.shrink(long, told.append)
    sizes = [size(f.case) for f in told]
    assert sizes
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) == size(shrunk.case) < size(long.case)
    assert {f.not_minimal for f in told} == {"its search was cut short"}
    assert shrunk.not_minimal == ""


async def test_what_the_budget_ended_is_marked(scripted: Callable) -> None:
    async with scripted(Station(last_holds("bad"))) as executor:
        shrinker = Shrinker(
            version(),
            SystemClock(),
            Budget(plays=50, seconds=30.0, reconnects=2),
            lambda: executor.reconnects,
        )
        investigator = Investigator(executor, judged, shrinker)
        shrunk = await investigator.shrink(finding(call('{"bad":1,"b":2,"c":3,"d":4}')))
    assert shrunk.not_minimal.startswith("the budget ended after ")
    assert shrunk.not_minimal.endswith(" plays and 2 reconnects")


@pytest.mark.parametrize(("oracle", "readings"), [("O3", 0), ("O20", 2)])
async def test_readings_are_dropped_unless_they_are_what_is_judged(
    scripted: Callable, oracle: str, readings: int
) -> None:
    spoken = replace(CLOSED, oracle=oracle)

    def object_to(observation: Observation) -> Sequence[Violation]:
        return [spoken] if observation.close is not None else []

    bad = call('{"vendorId":"bad"}').steps
    grown = replace(case(action="DataTransfer"), steps=(Gauge("a"), *bad, Gauge("b")))
    async with investigating(scripted, Station(last_holds("bad"))) as (investigator, executor):
        judging = Investigator(executor, object_to, investigator._shrinker)
        shrunk = await judging.shrink(finding(grown, spoken))
    assert sum(isinstance(step, Gauge) for step in shrunk.case.steps) == readings
    assert [step for step in shrunk.case.steps if isinstance(step, SendText)]


async def test_later_findings_of_one_symptom_get_a_smaller_share_of_the_budget() -> None:
    shares: list[float] = []

    class Shrinking:
        async def shrink(self, of: Case, still: object, *, share: float) -> tuple[Case, str]:
            shares.append(share)
            return of, ""

    investigator = Investigator(None, judged, Shrinking())  # type: ignore[arg-type]
    shape = replace(CLOSED, oracle="O7")
    for violation in (shape, shape, replace(shape, symptom="other"), shape):
        await investigator.shrink(finding(call("{}"), violation))
    assert shares == [1, 1 / 2, 1, 1 / 3]


# --- what happens by itself -------------------------------------------------------------------------------


async def test_what_happens_while_nothing_is_said_is_nobodys_fault(scripted: Callable) -> None:
    """It ends every other time that it is asked something harmless, whatever came before."""
    alone = replace(call('{"bad":1}'), control=())
    restless = Station(lambda heard: sum("GetVariables" in text for text in heard) == 2)
    async with investigating(scripted, restless) as (one, _):
        confirmed = await one.confirm(finding(alone))
    assert confirmed.confirmed == 3
    assert confirmed.status is FindingStatus.UNCONFIRMED
    assert confirmed.notes == (BY_ITSELF,)


def test_silence_takes_the_place_of_a_case_for_longer_than_it_took() -> None:
    silence = as_silence(call('{"bad":1}'), 2.0)
    assert silence.steps == (Wait(6.0),)
    assert as_silence(silence, 1_000.0).steps == (Wait(MAX_IDLE_S),)
    assert (silence.mutations, silence.control) == ((), ())


# --- what a scene leans on --------------------------------------------------------------------------------


def in_a_scene(name: str) -> Case:
    said = call(f'{{"{name}":1}}', name, control="")
    return replace(said, control=(), steps=(*said.steps, Settle()))


def alone(name: str) -> Case:
    return replace(call(f'{{"{name}":1}}', name, control=""), control=())


def after_first(heard: list[str]) -> bool:
    return "second" in behind_id(heard[-1]) and any("first" in behind_id(h) for h in heard)


@pytest.mark.parametrize("made", [in_a_scene, alone], ids=["scene", "message"])
@pytest.mark.parametrize(
    ("played", "leans_on"), [(["first", "other"], "first+second"), (["other"], None)]
)
async def test_a_case_is_tried_behind_each_of_its_kind_that_was_played_before_it(
    scripted: Callable, played: list[str], leans_on: str | None, made: Callable[[str], Case]
) -> None:
    station = Station(after_first)
    async with investigating(scripted, station) as (investigator, _):
        found = await investigator.carried([made(name) for name in played], finding(made("second")))
        assert (found.id if found else None) == leans_on
        if found is not None:
            station.heard.clear()
            assert (await investigator.repeat(found, CLOSED)).hits == 3
