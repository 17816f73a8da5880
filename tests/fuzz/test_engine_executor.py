"""Plays cases against small scripted stations in memory: no process, no socket, no waiting on the clock."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from fuzz.clock import SystemClock
from fuzz.csms.voice import CsmsVoice
from fuzz.engine import line
from fuzz.engine.executor import WAITED_FOR, Executor
from fuzz.engine.line import Pace, Wiring
from fuzz.errors import TargetUnavailable
from fuzz.oracles.registry import judge
from fuzz.records import (
    Ability,
    Case,
    Catcher,
    Caught,
    Disconnect,
    Expect,
    LinkClosed,
    Observation,
    SendText,
    Settled,
    Side,
    Target,
    TargetFacts,
)
from fuzz.target.nothing import NoTarget
from fuzz.testing import case
from fuzz.transport.memory import MemoryDoor, MemoryLink
from strategies.labels import Expectation, Fault, Position, Stance, Tier

BOOT = '[2,"boot","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}]'
NOT_JSON = Expectation(Stance.REJECT, Tier.JSON, Fault.NOT_JSON)

Behaviour = Callable[[MemoryLink, str], Awaitable[None]]


async def proper(link: MemoryLink, text: str) -> None:
    """Answers what can be read, is silent about the rest."""
    try:
        frame = json.loads(text)
    except ValueError:
        return
    if isinstance(frame, list) and frame[:1] == [2]:
        await link.send_text(json.dumps([3, frame[1], {"status": "Rejected"}]))


@asynccontextmanager
async def station(
    behaviour: Behaviour,
    *,
    patience_s: float = 0.2,
    catcher: Catcher | None = None,
    hide: Callable[[bytes], bytes] = bytes,
    on_stuck: Callable[[], Awaitable[bool]] | None = None,
    leaves: bool = False,
    boots_once: bool = False,
) -> AsyncIterator[Executor]:
    """An executor on a station that behaves like this, and dials again when it is cut off, or `leaves` at once."""
    door = MemoryDoor(Side.STATION)

    async def live() -> None:
        for number in range(20):
            link = door.connect()
            if leaves:
                await link.close(1000)
                return
            try:
                if not (boots_once and number):
                    await link.send_text(BOOT)
                    await link.receive()
                while True:
                    text = await link.receive()
                    await behaviour(link, str(text))
            except LinkClosed:
                continue

    task = asyncio.create_task(live())
    pace = Pace(soft_s=0.02, linger_s=0.01, death_s=0.01, come_back_s=5.0, boot_s=5.0)
    facts = TargetFacts(side=Side.STATION, message_timeout_s=patience_s)
    try:
        yield Executor(
            Wiring(
                door,
                CsmsVoice(SystemClock()),
                NoTarget(),
                SystemClock(),
                facts,
                catcher=catcher,
                hide=hide,
                on_stuck=on_stuck,
            ),
            pace,
        )
    finally:
        task.cancel()


async def played(behaviour: Behaviour, played_case: Case) -> Observation:
    async with station(behaviour) as executor:
        return await executor.play(played_case)


def broken_json() -> Case:
    return case(NOT_JSON, steps=(SendText(("{nonsense",)),))


async def test_an_answered_call_is_settled_by_its_answer() -> None:
    observation = await played(proper, case())
    assert observation.settled is Settled.ANSWERED
    assert [h.payload for h in observation.replies] == [{"status": "Rejected"}]
    assert not observation.strays


async def test_silence_about_nonsense_is_decided_by_order() -> None:
    observation = await played(proper, broken_json())
    assert observation.settled is Settled.BY_ORDER
    assert observation.replies == ()
    assert observation.probes.same_connection is True


async def test_silence_about_a_valid_call_is_decided_by_the_clock() -> None:
    async def deaf_to_clear_cache(link: MemoryLink, text: str) -> None:
        if "ClearCache" not in text:
            await proper(link, text)

    observation = await played(deaf_to_clear_cache, case())
    assert observation.settled is Settled.BY_CLOCK
    assert observation.probes.same_connection is True


async def test_an_answer_with_the_unreadable_id_belongs_to_the_nonsense_before_it() -> None:
    async def complains(link: MemoryLink, text: str) -> None:
        if text.startswith("{"):
            await link.send_text('[4,"-1","RpcFrameworkError","",{}]')
        await proper(link, text)

    observation = await played(complains, broken_json())
    assert [h.error_code for h in observation.replies] == ["RpcFrameworkError"]


async def test_a_stray_answer_is_kept_apart() -> None:
    async def answers_strangers(link: MemoryLink, text: str) -> None:
        if "ClearCache" in text:
            await link.send_text('[3,"somebody-else",{}]')
        await proper(link, text)

    observation = await played(answers_strangers, case())
    assert [h.message_id for h in observation.strays] == ["somebody-else"]
    assert len(observation.replies) == 1


async def test_a_closed_connection_is_seen_and_the_next_case_has_a_new_one() -> None:
    async def closes_on_nonsense(link: MemoryLink, text: str) -> None:
        if text.startswith("{"):
            await link.close(1011, "oops")
            return
        await proper(link, text)

    async with station(closes_on_nonsense) as executor:
        observation = await executor.play(broken_json())
        assert observation.close is not None
        assert (observation.close.code, observation.close.by_target) == (1011, True)
        assert observation.settled is Settled.CUT_SHORT
        assert (await executor.play(case())).settled is Settled.ANSWERED
        assert await executor.probe()
        # The first connection came when somebody started the target: that is no measure of it.
        assert len(executor.pace.returns_s) == executor.reconnects - 1 > 0
        assert len(executor.pace.answers_s) == 1


async def test_boots_that_follow_any_close_are_no_evidence_of_a_restart() -> None:
    async def closes_on_nonsense(link: MemoryLink, text: str) -> None:
        await (link.close(1002) if text.startswith("{") else proper(link, text))

    async with station(closes_on_nonsense) as executor:
        observation = await executor.play(broken_json())
        assert executor.boots_on_reconnect is True
        assert observation.boots == 0


async def test_a_target_that_hears_nothing_any_more_is_a_zombie() -> None:
    deaf: list[MemoryLink] = []

    async def goes_deaf(link: MemoryLink, text: str) -> None:
        if text.startswith("{"):
            deaf.append(link)
        if link not in deaf:
            await proper(link, text)

    async with station(goes_deaf) as executor:
        observation = await executor.play(broken_json())
        assert observation.probes.same_connection is False
        assert observation.probes.ping is True
        assert observation.probes.new_connection is True
        assert (await executor.play(case())).settled is Settled.ANSWERED


def deaf_once(links: list[MemoryLink]) -> Behaviour:
    """Hangs up on nonsense, and hears nothing on the connection that follows."""

    async def behave(link: MemoryLink, text: str) -> None:
        if link not in links:
            links.append(link)
        if text.startswith("{"):
            await link.close(1002)
        elif links.index(link) != 1:
            await proper(link, text)

    return behave


async def test_a_connection_that_hears_nothing_is_told_when_a_later_one_does() -> None:
    async with station(deaf_once([]), boots_once=True) as executor:
        executor.pace.probe_s = 0.1
        observation = await executor.play(broken_json())
        assert observation.probes.new_connection is True
        assert observation.probes.deaf_connection is True
        assert (await executor.play(case())).settled is Settled.ANSWERED


async def test_no_connection_is_called_deaf_before_a_boot() -> None:
    async with station(deaf_once([])) as executor:
        executor.pace.probe_s = 0.1
        observation = await executor.play(broken_json())
        assert observation.probes.new_connection is True
        assert observation.probes.deaf_connection is None


async def mute_about_clear_cache(link: MemoryLink, text: str) -> None:
    if "ClearCache" not in text:
        await proper(link, text)


class Learned(Pace):
    """What was learned of a target that answered a thousand times, and stays so on any machine."""

    def heard(self, answers: int, longest_s: float) -> None:
        """Nothing is learned any more."""


def learned(longest_s: float) -> Pace:
    return Learned(soft_s=0.02, boot_s=5.0, answers=1_000, longest_s=longest_s)


async def test_a_silence_that_is_seen_again_is_not_waited_out_and_its_transcript_says_so() -> None:
    async with station(mute_about_clear_cache, patience_s=0.3) as executor:
        executor.pace = learned(longest_s=0.001)
        waited_out = await executor.play(case())
        again = await executor.play_again(case(), 0.1)
        patient = await executor.play_again(case(), None)
    told = [
        [e.text for e in o.entries if WAITED_FOR in e.text] for o in (waited_out, again, patient)
    ]
    assert told == [[], [f"{WAITED_FOR} 0.1 s"], []]
    assert {o.settled for o in (waited_out, again, patient)} == {Settled.BY_CLOCK}


async def test_a_target_whose_answers_were_slow_before_is_waited_for_all_the_same() -> None:
    async with station(mute_about_clear_cache, patience_s=0.3) as executor:
        executor.pace = learned(longest_s=0.2)
        again = await executor.play_again(case(), 0.1)
    assert not any(WAITED_FOR in e.text for e in again.entries)


async def test_what_heavy_messages_take_is_no_measure_of_a_target() -> None:
    async with station(proper) as executor:
        await executor.play(case(heavy=True))
        assert executor.pace.answers == 0
        await executor.play(case())
        assert executor.pace.answers == 1


async def test_a_zombie_that_is_looked_at_closely_is_no_hanging_up_of_ours() -> None:
    deaf: list[MemoryLink] = []

    async def goes_deaf(link: MemoryLink, text: str) -> None:
        if "ClearCache" in text:
            deaf.append(link)
        if link not in deaf:
            await proper(link, text)

    async with station(goes_deaf) as executor:
        observation = await executor.play(case(), linger=True)
    assert observation.probes.same_connection is False
    assert observation.inconclusive == ""


async def test_what_a_target_did_before_it_stayed_away_is_told() -> None:
    async def leaves_for_good(link: MemoryLink, text: str) -> None:
        if text.startswith("{"):
            await link.close(1011)
            raise asyncio.CancelledError
        await proper(link, text)

    async with station(leaves_for_good) as executor:
        executor.pace.come_back_s = 0.05
        observation = await executor.play(broken_json())
        assert observation.close is not None
        assert observation.probes.new_connection is False
        with pytest.raises(TargetUnavailable, match="nobody connected"):
            await executor.play(case())


async def test_a_second_answer_that_comes_late_is_told() -> None:
    async def stutters(link: MemoryLink, text: str) -> None:
        await proper(link, text)
        if "GetVariables" in text:
            await link.send_text(last[0])

        frame = json.loads(text)
        last[:] = [json.dumps([3, frame[1], {"status": "Rejected"}])]

    last = ['[3,"",{}]']
    async with station(stutters) as executor:
        await executor.play(case())
        assert await executor.probe()
        await executor.serve(0.01)
        assert [h.payload for _, h in executor.late_answers()] == [{"status": "Rejected"}]


class Trap:
    """A catcher whom one visitor comes to in each play, and one late."""

    def slots(self) -> Mapping[str, str]:
        return {"canary.hit": "http://h/hit/qwertz", "canary.token": "qwertz"}

    def caught(self) -> Sequence[Caught]:
        return (Caught(0.1, "http", "/hit/qwertz?hush", "GET", b"hush, hush"),)

    def late(self) -> Sequence[str]:
        return ("qwertz", "unknown")


@asynccontextmanager
async def trapped() -> AsyncIterator[Executor]:
    """An executor with a catcher, whose secret is the word hush."""
    async with station(
        proper, catcher=Trap(), hide=lambda data: data.replace(b"hush", b"{s.s}")
    ) as e:
        yield e


async def test_a_canary_is_filled_in_and_its_visitors_are_told_without_secrets() -> None:
    said = SendText(('[2,"{call.id}","ClearCache",{"a":";curl {canary.hit}"}]',))
    async with trapped() as executor:
        observation = await executor.play(case(steps=(said,)))
        assert "http://h/hit/qwertz" in observation.said[0]
        assert observation.caught == (
            Caught(0.1, "http", "/hit/qwertz?{s.s}", "GET", b"{s.s}, {s.s}"),
        )


async def test_nobody_is_caught_where_no_canary_was_named() -> None:
    async with trapped() as executor:
        assert (await executor.play(case())).caught == ()


async def test_a_case_whose_canary_is_followed_late_is_told_once() -> None:
    planted = case(steps=(SendText(('[2,"{call.id}","ClearCache",{"a":"{canary.hit}"}]',)),))
    async with trapped() as executor:
        await executor.play(planted)
        assert executor.late_visits() == [planted]
        assert executor.late_visits() == []


async def test_an_unsolicited_result_is_followed_by_a_probe_at_once() -> None:
    unsolicited = case(
        Expectation(Stance.REJECT, Tier.RPC, Fault.UNSOLICITED),
        position=Position.UNSOLICITED,
        steps=(SendText(('[3,"nobody",{}]',)),),
    )
    observation = await played(proper, unsolicited)
    assert observation.settled is Settled.BY_ORDER
    assert observation.replies == ()


async def test_a_flood_is_cut_off_and_judged_by_nobody() -> None:
    async def floods(link: MemoryLink, text: str) -> None:
        if "ClearCache" in text:
            for _ in range(6_000):
                await link.send_text("[]")
        await proper(link, text)

    async with station(floods, patience_s=30.0) as executor:
        assert "more than" in (await executor.play(case())).inconclusive


# --- targets that somebody else restarts --------------------------------------------------------------------


class Hooked(NoTarget):
    """A standing station with a restart hook, which makes it dial and boot again."""

    abilities = frozenset({Ability.START})

    def __init__(self, door: MemoryDoor) -> None:
        self.door = door
        self.restarts = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self.restarts += 1
        self.tasks.append(asyncio.create_task(self.live()))

    async def live(self) -> None:
        """Dial and boot once; die of nonsense."""
        link = self.door.connect()
        try:
            await link.send_text(BOOT)
            await link.receive()
            while True:
                text = str(await link.receive())
                if text.startswith("{"):
                    await link.close(1011)
                    return
                await proper(link, text)
        except LinkClosed:
            return


def wired(door: MemoryDoor, target: Target, *, met: bool = False) -> Executor:
    """An executor that is soon out of patience."""
    pace = Pace(soft_s=0.02, linger_s=0.01, death_s=0.01, come_back_s=0.1, boot_s=0.5)
    facts = TargetFacts(side=Side.STATION, message_timeout_s=0.2)
    voice = CsmsVoice(SystemClock(), booted=met)
    return Executor(Wiring(door, voice, target, SystemClock(), facts, met=met), pace)


async def test_a_restart_hook_brings_a_target_back_that_stays_away() -> None:
    target = Hooked(door := MemoryDoor(Side.STATION))
    executor = wired(door, target)
    executor.boots_on_reconnect = False
    await target.start()
    observation = await executor.play(broken_json())
    assert observation.close is not None
    assert observation.probes.new_connection is False
    assert target.restarts == 2
    assert (observation.boots, observation.boot_reasons) == (0, ())
    assert (await executor.play(case())).settled is Settled.ANSWERED


class Deafened(Hooked):
    """A station of ours that serves nothing behind nonsense until it is killed: then it dials and boots again."""

    owned = True
    abilities = frozenset({Ability.KILL})

    async def kill(self) -> None:
        await self.start()

    async def live(self) -> None:
        link = self.door.connect()
        with suppress(LinkClosed):
            await link.send_text(BOOT)
            while True:
                text = str(await link.receive())
                if text.startswith("{"):
                    break
                await proper(link, text)
            while True:
                await link.receive()


@pytest.mark.parametrize(("back", "looked"), [(False, None), (True, False)], ids=["not", "first"])
async def test_how_a_target_of_ours_comes_back_is_not_looked_at_again(
    back: bool, looked: bool | None
) -> None:
    target = Deafened(door := MemoryDoor(Side.STATION))
    executor = wired(door, target)
    await target.start()
    seen = await executor.play_again(broken_json(), None, back=back)
    assert (seen.probes.same_connection, seen.probes.new_connection) == (False, looked)
    assert (await executor.play(case())).settled is Settled.ANSWERED


class Hermit(Deafened):
    """One that never comes back to whoever has cut it off until it is killed."""

    async def live(self) -> None:
        link = self.door.connect()
        with suppress(LinkClosed):
            await link.send_text(BOOT)
            while True:
                await proper(link, str(await link.receive()))


async def test_a_scene_shows_again_that_a_target_of_ours_does_not_come_back() -> None:
    target = Hermit(door := MemoryDoor(Side.STATION))
    executor = wired(door, target)
    await target.start()
    cut = case(steps=(Disconnect(1006), Expect("Heartbeat", 0.1)))
    for play in (executor.play(cut), executor.play_again(cut, None, linger=True)):
        seen = await play
        assert seen.probes.new_connection is False
        assert "O29" in {v.oracle for v in judge(seen)}
        await executor.restart()


async def test_a_restart_that_is_meant_asks_the_hook() -> None:
    target = Hooked(door := MemoryDoor(Side.STATION))
    executor = wired(door, target)
    await target.start()
    await executor.connect()
    assert executor.restartable
    await executor.restart()
    assert (target.restarts, executor.restarts) == (2, 0)
    assert (await executor.play(case())).settled is Settled.ANSWERED


@pytest.mark.parametrize("booted", [True, False], ids=["serves", "refuses"])
async def test_a_station_that_booted_for_somebody_else_is_known_by_what_it_serves(
    monkeypatch: pytest.MonkeyPatch, booted: bool
) -> None:
    monkeypatch.setattr(line, "BOOTED_BEFORE_S", 0.05)
    door = MemoryDoor(Side.STATION)
    link = door.connect()

    async def live() -> None:
        with suppress(LinkClosed):
            while True:
                call = json.loads(str(await link.receive()))
                refused = [4, call[1], "SecurityError", "", {}]
                await link.send_text(json.dumps([3, call[1], {}] if booted else refused))

    async with asyncio.TaskGroup() as group:
        living = group.create_task(live())
        pace = Pace(soft_s=0.02, probe_s=0.3, come_back_s=0.5, boot_s=0.3)
        executor = Executor(
            Wiring(
                door,
                CsmsVoice(SystemClock()),
                NoTarget(),
                SystemClock(),
                TargetFacts(side=Side.STATION),
            ),
            pace,
        )
        if booted:
            assert (await executor.connect()).boot_reasons == []
            assert executor.connected
        else:
            with pytest.raises(TargetUnavailable, match="no BootNotification, or it refuses CALLs"):
                await executor.connect()
        living.cancel()


@pytest.mark.parametrize(
    ("status", "boots"),
    [("Accepted", ["Triggered"]), ("Rejected", []), ("NotImplemented", [])],
    ids=["left pending", "accepted before", "cannot"],
)
async def test_a_station_that_serves_and_did_not_boot_is_asked_to_boot_and_accepted(
    monkeypatch: pytest.MonkeyPatch, status: str, boots: list[str]
) -> None:
    monkeypatch.setattr(line, "BOOTED_BEFORE_S", 0.05)
    door = MemoryDoor(Side.STATION)
    link = door.connect()
    answers: list[str] = []

    async def live() -> None:
        with suppress(LinkClosed):
            while True:
                frame = json.loads(str(await link.receive()))
                if frame[0] == 3:
                    answers.append(frame[2]["status"])
                    continue
                asked = frame[2] == "TriggerMessage"
                told = {"status": status} if asked else {}
                await link.send_text(json.dumps([3, frame[1], told]))
                if asked and status == "Accepted":
                    await link.send_text(BOOT.replace("PowerUp", "Triggered"))

    living = asyncio.create_task(live())
    executor = wired(door, NoTarget())
    assert (await executor.connect()).boot_reasons == boots
    assert (await executor.play(case())).settled is Settled.ANSWERED
    assert answers == ["Accepted"] * len(boots)
    living.cancel()


async def test_a_target_that_was_met_before_need_not_boot() -> None:
    door = MemoryDoor(Side.STATION)

    async def answers() -> None:
        link = door.connect()
        with suppress(LinkClosed):
            while True:
                await proper(link, str(await link.receive()))

    task = asyncio.create_task(answers())
    executor = wired(door, NoTarget(), met=True)
    assert not executor.restartable
    assert (await executor.play(case())).settled is Settled.ANSWERED
    task.cancel()


@pytest.mark.slow
async def test_a_call_that_is_unserved_behind_a_flood_proves_nothing() -> None:
    async def pours(link: MemoryLink, text: str) -> None:
        if "ClearCache" in text:
            for _ in range(1_000):
                await link.send_text("[]")
            await link.receive()

    async with station(pours) as executor:
        executor.facts = replace(executor.facts, message_timeout_s=0.5)
        observation = await executor.play(case())
    assert observation.probes.same_connection is False
    assert "behind 1,000 messages" in observation.inconclusive


class Leaver:
    """Hangs up on a ClearCache, and calls again only when it is helped."""

    def __init__(self, *, helps: bool) -> None:
        self.helped = asyncio.Event()
        self.asked = 0
        self.helps = helps

    async def behave(self, link: MemoryLink, text: str) -> None:
        if "ClearCache" in text and not self.helped.is_set():
            await link.close(1011)
            await self.helped.wait()
        else:
            await proper(link, text)

    async def help(self) -> bool:
        self.asked += 1
        if self.helps:
            self.helped.set()
        return self.helps


async def test_a_hook_that_brings_the_target_back_lets_the_campaign_go_on() -> None:
    leaver = Leaver(helps=True)
    async with station(leaver.behave, on_stuck=leaver.help) as executor:
        await executor.connect()
        executor.pace.come_back_s = 0.5
        observation = await executor.play(case())
        assert observation.probes.new_connection is False
        assert observation.boots == 0
        assert (await executor.play(case())).settled is Settled.ANSWERED
    assert leaver.asked == 1


async def test_a_hook_that_fails_ends_the_campaign() -> None:
    leaver = Leaver(helps=False)
    async with station(leaver.behave, on_stuck=leaver.help) as executor:
        await executor.connect()
        executor.pace.come_back_s = 0.05
        await executor.play(case())
        with pytest.raises(TargetUnavailable, match="went away and did not come back"):
            await executor.play(case())
    assert leaver.asked == 1


async def test_a_case_that_is_played_alone_is_judged_before_anybody_is_asked_for_help() -> None:
    leaver = Leaver(helps=True)
    async with station(leaver.behave, on_stuck=leaver.help) as executor:
        await executor.connect()
        executor.pace.come_back_s = 0.5
        observation = await executor.play_alone(case(), 0.05)
        assert observation.close is not None
        assert observation.probes.new_connection is False
        assert leaver.asked == 0
        assert (await executor.play_alone(case(), 0.05)).settled is Settled.ANSWERED
    assert leaver.asked == 1


async def test_a_target_that_came_back_after_its_verdict_is_met_again_without_help() -> None:
    leaver = Leaver(helps=True)
    async with station(leaver.behave, on_stuck=leaver.help) as executor:
        await executor.connect()
        await executor.play_alone(case(), 0.05)
        leaver.helped.set()
        assert (await executor.play_alone(case(), 0.05)).settled is Settled.ANSWERED
    assert leaver.asked == 0


async def test_who_came_and_left_at_once_is_told_of_rather_than_who_did_not_come() -> None:
    async def never(link: MemoryLink, text: str) -> None:
        raise AssertionError("it left before anything was said")

    async with station(never, leaves=True) as executor:
        executor.pace.come_back_s = 0.1
        with pytest.raises(TargetUnavailable, match="connected and closed again with 1000"):
            await executor.connect()


async def test_a_connection_that_ends_while_nothing_is_played_is_counted_once() -> None:
    async def leaves_after_probes(link: MemoryLink, text: str) -> None:
        await proper(link, text)
        if "GetVariables" in text:
            await link.close(1011)

    async with station(leaves_after_probes) as executor:
        await executor.connect()
        assert await executor.probe() is True
        assert await executor.probe() is False
        await executor.hang_up()
        assert executor.lost == 1
