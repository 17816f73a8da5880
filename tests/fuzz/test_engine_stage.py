"""Plays scenes against small scripted stations in memory: what is asked, expected, withheld, lost and found again."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fuzz.engine.conversation import Take
from fuzz.engine.executor import Executor
from fuzz.engine.stage import Scene, is_scene
from fuzz.errors import TargetUnavailable
from fuzz.ocppj.history import Deed, arrived, history
from fuzz.records import (
    ENDED_TO_RESTART,
    AnswerNext,
    Ask,
    Case,
    Disconnect,
    Expect,
    Gauge,
    Handshake,
    Misbehave,
    Observation,
    Operator,
    ProcessEnd,
    RepeatSteps,
    SendText,
    Settle,
    Settled,
    Side,
    Step,
    Wait,
)
from fuzz.testing import case
from fuzz.transport.memory import MemoryDoor, MemoryLink
from strategies.labels import Expectation, Stance, Tier

SCENE = Expectation(Stance.UNSPECIFIED, Tier.MODEL)


def scene(*steps: Step) -> Case:
    return case(SCENE, action="", steps=steps)


def ask(action: str, payload: str = "{}") -> Ask:
    return Ask((f'[2,"{{call.id}}","{action}",{payload}]',))


class Station:
    """Accepts everything; says a Heartbeat when it is triggered; boots, reboots and hangs up when told."""

    def __init__(self) -> None:
        self.heard: list[list[Any]] = []
        self.links: list[MemoryLink] = []

    async def __call__(self, link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        self.heard.append(frame)
        if frame[0] != 2:
            return
        await link.send_text(json.dumps([3, frame[1], {"status": "Accepted"}]))
        if frame[2] == "TriggerMessage":
            await link.send_text('[2,"beat","Heartbeat",{}]')
        if frame[2] == "Reset":
            await link.close(1001)
        if frame[2] == "ClearCache" and frame[3].get("customData"):
            await link.close(1011)


async def played(scripted: Callable, tried: Case, station: Station | None = None) -> Observation:
    async with scripted(station or Station()) as executor:
        return await executor.play(tried)


def words(seen: Observation) -> list[str]:
    return [
        f"{h.deed.value} {h.action}".strip()
        for h in history(seen.entries)
        if h.deed is not Deed.OTHER
    ]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((SendText(("x",)), Wait(1.0)), False),
        ((ask("Reset"),), True),
        ((Gauge("a"),), True),
        ((RepeatSteps((SendText(("x",)),), 3),), True),
        ((Misbehave("503"),), True),
    ],
)
def test_a_scene_is_more_than_messages_said(steps: tuple[Step, ...], *, expected: bool) -> None:
    assert is_scene(scene(*steps)) is expected


async def test_an_ask_waits_for_its_answer_and_is_no_hostile_message(scripted: Callable) -> None:
    seen = await played(scripted, scene(ask("ClearCache"), ask("GetReport")))
    assert words(seen)[:4] == [
        "asked ClearCache",
        "told ClearCache",
        "asked GetReport",
        "told GetReport",
    ]
    assert (seen.said, seen.replies, seen.strays) == ((), (), ())


async def test_an_expectation_takes_what_came_before_it_and_each_call_once(
    scripted: Callable,
) -> None:
    trigger = ask("TriggerMessage")
    seen = await played(scripted, scene(trigger, Expect("Heartbeat"), Expect("Heartbeat", 0.05)))
    waited = [e.text for e in seen.entries if "in vain" in e.text]
    assert len(waited) == 1
    again = await played(
        scripted, scene(trigger, trigger, Expect("Heartbeat"), Expect("Heartbeat"))
    )
    assert not [e for e in again.entries if "in vain" in e.text]


async def test_a_scene_that_waits_in_vain_for_a_boot_goes_no_further(scripted: Callable) -> None:
    seen = await played(scripted, scene(Expect("BootNotification", 0.05), ask("ClearCache")))
    assert [e.text for e in seen.entries if "in vain" in e.text] == [
        "waited in vain for BootNotification"
    ]
    assert "asked ClearCache" not in words(seen)


class Ignores(Station):
    """Says nothing to a Reset, and answers all else."""

    async def __call__(self, link: MemoryLink, text: str) -> None:
        if json.loads(text)[2] != "Reset":
            await super().__call__(link, text)


@pytest.mark.parametrize(
    ("actions", "asked"),
    [
        (["Reset", "Reset", "ClearCache"], ["Reset", "Reset"]),
        (["Reset", "ClearCache", "Reset", "ClearCache"], None),
    ],
)
async def test_a_scene_that_is_met_with_silence_twice_in_a_row_goes_no_further(
    scripted: Callable, actions: list[str], asked: list[str] | None
) -> None:
    async with scripted(Ignores()) as executor:
        executor.facts = replace(executor.facts, message_timeout_s=0.1)
        seen = await executor.play(scene(*map(ask, actions)))
    said = [w.removeprefix("asked ") for w in words(seen) if w.startswith("asked ")]
    assert [a for a in said if a in actions] == (actions if asked is None else asked)
    assert seen.probes.same_connection is True


class Dies(Station):
    """Answers nothing from the first Reset on."""

    async def __call__(self, link: MemoryLink, text: str) -> None:
        if any(frame[2:3] == ["Reset"] for frame in self.heard):
            return
        if json.loads(text)[2:3] == ["Reset"]:
            self.heard.append(json.loads(text))
            return
        await super().__call__(link, text)


async def test_whether_a_silent_target_serves_anything_shows_while_its_second_silence_is_waited_for(
    scripted: Callable,
) -> None:
    async with scripted(Dies()) as executor:
        executor.facts = replace(executor.facts, message_timeout_s=0.1)
        executor.pace.come_back_s = executor.pace.boot_s = 0.2
        seen = await executor.play(scene(ask("Reset"), ask("ClearCache"), ask("GetReport")))
    assert words(seen) == ["asked Reset", "asked ClearCache", "asked GetVariables"]
    assert (seen.settled, seen.probes.same_connection) == (Settled.ANSWERED, False)


class Refuses(Station):
    """Refuses to be triggered and to be reset, and says a Heartbeat whenever it clears its cache."""

    async def __call__(self, link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[2] not in ("TriggerMessage", "Reset"):
            await super().__call__(link, text)
        else:
            self.heard.append(frame)
            await link.send_text(json.dumps([4, frame[1], "NotImplemented", "", {}]))
        if frame[2] == "ClearCache":
            await link.send_text('[2,"beat","Heartbeat",{}]')


def notes(seen: Observation) -> list[str]:
    return [e.text for e in seen.entries if e.kind == "note"]


BEAT = ask("TriggerMessage", '{"requestedMessage":"Heartbeat"}')
PATIENT_S = 3_600.0


async def test_what_the_target_refused_to_send_is_not_waited_for(scripted: Callable) -> None:
    tried = scene(BEAT, Expect("Heartbeat", PATIENT_S), ask("GetReport"))
    seen = await played(scripted, tried, Refuses())
    assert notes(seen) == ["refused, so not waited for: Heartbeat"]
    assert "told GetReport" in words(seen)


async def test_a_scene_whose_reset_is_refused_goes_no_further(scripted: Callable) -> None:
    tried = scene(ask("Reset"), Expect("BootNotification", PATIENT_S), ask("GetReport"))
    seen = await played(scripted, tried, Refuses())
    assert notes(seen) == ["waited in vain for BootNotification"]
    assert "asked GetReport" not in words(seen)


async def test_what_was_refused_is_waited_for_when_something_else_was_taken(
    scripted: Callable,
) -> None:
    tried = scene(BEAT, ask("ClearCache"), Expect("Heartbeat", PATIENT_S))
    assert notes(await played(scripted, tried, Refuses())) == []


@pytest.mark.parametrize(
    "cause",
    [
        ask("TriggerMessage", '{"requestedMessage":"BootNotification"}'),
        ask("TriggerMessage", '{"requestedMessage":"TransactionEvent"}'),
        ask("RequestStartTransaction"),
    ],
)
async def test_what_a_station_may_send_of_its_own_is_waited_for_though_refused(
    scripted: Callable, cause: Ask
) -> None:
    seen = await played(scripted, scene(cause, Expect("TransactionEvent", 0.15)), Refuses())
    assert notes(seen) == ["waited in vain for TransactionEvent"]


async def test_an_expectation_may_look_into_the_payload(scripted: Callable) -> None:
    class Talks(Station):
        async def __call__(self, link: MemoryLink, text: str) -> None:
            await super().__call__(link, text)
            if "GetLog" in text:
                for status in ("Uploading", "Uploaded"):
                    note = json.dumps([2, status, "LogStatusNotification", {"status": status}])
                    await link.send_text(note)

    uploaded = Expect("LogStatusNotification", 1.0, (("/status", "Uploaded"),))
    failed = Expect("LogStatusNotification", 0.05, (("/status", "UploadFailure"),))
    seen = await played(scripted, scene(ask("GetLog"), uploaded, failed), Talks())
    assert [e.text for e in seen.entries if "in vain" in e.text] == [
        "waited in vain for LogStatusNotification"
    ]


@pytest.mark.parametrize(("tbc", "fits"), [(False, True), (True, False), (None, False)])
async def test_an_expectation_may_be_of_a_truth(
    scripted: Callable, tbc: bool | None, fits: bool
) -> None:
    class Talks(Station):
        async def __call__(self, link: MemoryLink, text: str) -> None:
            await super().__call__(link, text)
            if "GetReport" in text:
                await link.send_text(json.dumps([2, "part", "NotifyReport", {"tbc": tbc}]))

    last = Expect("NotifyReport", 0.05, (("/tbc", "false"),))
    seen = await played(scripted, scene(ask("GetReport"), last), Talks())
    assert bool([e for e in seen.entries if "in vain" in e.text]) is not fits


async def test_an_answer_may_be_bad_or_withheld_and_comes_in_its_order(scripted: Callable) -> None:
    station = Station()
    bad = AnswerNext("Heartbeat", ('[3,"{call.id}",{"currentTime":7}]',))
    trigger = ask("TriggerMessage")
    await played(
        scripted,
        scene(AnswerNext("Heartbeat"), bad, *[trigger, Expect("Heartbeat")] * 3),
        station,
    )
    answers = [f for f in station.heard if f[0] == 3 and f[1] == "beat"]
    assert answers[0] == [3, "beat", {"currentTime": 7}]
    assert len(answers) == 2
    assert isinstance(answers[1][2]["currentTime"], str)


async def test_a_late_answer_names_the_call_that_it_was_withheld_from(scripted: Callable) -> None:
    station = Station()
    late = SendText(('[3,"{asked.id}",{"currentTime":"late"}]',))
    await played(
        scripted,
        scene(AnswerNext("Heartbeat"), ask("TriggerMessage"), Expect("Heartbeat"), late),
        station,
    )
    assert [3, "beat", {"currentTime": "late"}] in station.heard


async def test_a_reset_that_was_asked_for_leads_over_to_the_next_connection(
    scripted: Callable,
) -> None:
    seen = await played(scripted, scene(ask("Reset"), Expect("BootNotification"), ask("GetReport")))
    assert words(seen)[-2:] == ["asked GetVariables", "told GetVariables"]
    assert "opened" in words(seen)
    assert seen.close is None


async def test_a_close_that_nothing_asked_for_ends_the_scene_and_is_seen(
    scripted: Callable,
) -> None:
    killer = SendText(('[2,"{call.id}","ClearCache",{"customData":{"vendorId":"v"}}]',))
    station = Station()
    seen = await played(scripted, scene(ask("GetLog"), killer, Settle(), ask("GetReport")), station)
    assert seen.close is not None
    assert seen.close.code == 1011
    assert not [f for f in station.heard if f[0] == 2 and f[2] == "GetReport"]


def test_two_deeds_of_which_each_ends_a_connection_excuse_two_ends_and_no_third() -> None:
    for first, second in (("restart", "cut"), ("cut", "restart"), ("restart", "restart")):
        made = Scene(scene(), Take(0.0))
        getattr(made, first)()
        getattr(made, second)()
        for excused in (True, True, False):
            assert made.forgives() is excused, (first, second)
            made.take.boot_reasons.append("PowerUp")
            made.away = False


def test_one_deed_excuses_one_end() -> None:
    made = Scene(scene(), Take(0.0))
    made.cut()
    assert made.forgives()
    made.away = False
    assert not made.forgives()


@pytest.mark.parametrize("code", [1000, 1006])
async def test_hanging_up_is_part_of_the_scene(scripted: Callable, code: int) -> None:
    seen = await played(scripted, scene(ask("GetLog"), Disconnect(code), ask("GetReport")))
    assert (seen.close, seen.inconclusive) == (None, "")
    told = words(seen)
    assert told.index("closed") < told.index("opened") < told.index("asked GetReport")


async def test_what_nobody_can_do_is_a_note_and_no_deed(scripted: Callable) -> None:
    seen = await played(scripted, scene(Operator("plug-in", "1"), ask("GetReport")))
    assert not [h for h in history(seen.entries) if h.deed is Deed.OPERATED]
    assert "plug-in 1" in [e.text for e in seen.entries if e.kind == "note"]


async def test_what_is_repeated_is_played_so_often(scripted: Callable) -> None:
    seen = await played(scripted, scene(RepeatSteps((ask("ClearCache"),), 5)))
    assert words(seen).count("told ClearCache") == 5


async def test_a_scene_costs_what_it_exchanges(scripted: Callable) -> None:
    async with scripted(Station()) as executor:
        await executor.fresh()
        before = executor.exchanges
        await executor.play(scene(ask("TriggerMessage"), Expect("Heartbeat")))
        assert executor.exchanges - before == 3  # one CALL each way, and the probe behind


async def test_a_target_that_stays_away_is_seen_not_to_serve(scripted: Callable) -> None:
    async with scripted(Station(), lives=1) as executor:
        executor.pace.come_back_s = 0.05
        seen = await asyncio.wait_for(away(executor), 20)
    assert seen.probes.new_connection is False


async def test_a_target_that_nobody_can_help_gets_its_time_to_come_back_once(
    scripted: Callable,
) -> None:
    class Counted(Executor):
        waits = 0

        async def _connect_within(self, seconds: float) -> Take:
            self.waits += 1
            return await super()._connect_within(seconds)

    async with scripted(Station(), lives=1, owned=False) as executor:
        executor.__class__ = Counted
        executor.pace.come_back_s = 0.05
        seen = await away(executor)
        assert seen.probes.new_connection is False
        assert executor.waits == 1  # the connection on which the scene began
        with pytest.raises(TargetUnavailable, match=r"did not come back within 0.05 s; start it"):
            await executor.conversation()


async def away(executor: Executor) -> Observation:
    return await executor.play(scene(ask("Reset"), ask("GetReport")))


# --- half-open connections ----------------------------------------------------------------------------------


async def test_a_half_open_connection_is_cut_where_the_target_has_no_other(
    scripted: Callable,
) -> None:
    ready = (
        SendText(("[]",)),
        Expect("BootNotification"),
    )  # the station takes its first message for an answer
    steps = (ask("GetLog"), Disconnect(0), Wait(0.02), *ready, ask("GetReport"))
    seen = await played(scripted, scene(*steps))
    kinds = [(e.kind, e.text) for e in seen.entries if e.kind in ("open", "close", "note")]
    assert kinds == [
        ("close", "0"),
        ("note", "the half-open connection was cut"),
        ("open", "a new connection"),
    ]
    assert "told GetReport" in words(seen)
    assert (seen.close, seen.probes.same_connection) == (None, True)


async def test_a_target_that_dials_again_is_served_there_and_the_old_one_is_cut_at_the_end(
    scripted: Callable,
) -> None:
    station = Station()
    async with scripted(station) as executor:
        await executor.connect()
        answering = asyncio.create_task(_second(executor._door, station))
        seen = await executor.play(
            scene(Disconnect(0), Wait(0.05), ask("GetReport"), ask("GetLog"))
        )
        answering.cancel()
    told = [e.text for e in seen.entries if e.kind in ("open", "note")]
    assert told == ["a new connection", "the half-open connection was cut"]
    assert {"told GetReport", "told GetLog"} <= set(words(seen))
    assert seen.probes.same_connection is True


async def _second(door: Any, station: Station) -> None:
    link = door.connect()
    while True:
        await station(link, str(await link.receive()))


@pytest.mark.parametrize(("waiting", "asked"), [(0, 1), (2, 3)])
async def test_messages_that_wait_to_be_sent_are_waited_for_after_a_lost_connection(
    scripted: Callable, waiting: int, asked: int
) -> None:
    class Queued(Station):
        async def __call__(self, link: MemoryLink, text: str) -> None:
            frame = json.loads(text)
            if frame[0] == 2 and frame[2] == "GetTransactionStatus":
                self.heard.append(frame)
                queued = len(self.asked()) <= waiting
                await link.send_text(json.dumps([3, frame[1], {"messagesInQueue": queued}]))
            else:
                await super().__call__(link, text)

        def asked(self) -> list[list[Any]]:
            return [f for f in self.heard if f[0] == 2 and f[2] == "GetTransactionStatus"]

    station = Queued()
    await played(scripted, scene(ask("GetLog"), Disconnect(1006), ask("GetReport")), station)
    assert len(station.asked()) == asked


async def test_a_queue_that_never_empties_costs_our_own_target_a_restart(
    scripted: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck(Station):
        async def __call__(self, link: MemoryLink, text: str) -> None:
            frame = json.loads(text)
            if frame[0] == 2 and frame[2] == "GetTransactionStatus":
                await link.send_text(json.dumps([3, frame[1], {"messagesInQueue": True}]))
            else:
                await super().__call__(link, text)

    monkeypatch.setattr("fuzz.engine.executor.OWN_DRAIN_S", 0.05)
    restarted: list[bool] = []
    async with scripted(Stuck()) as executor:
        monkeypatch.setattr(executor, "restart", lambda: _note(restarted))
        await executor.play(scene(ask("GetLog"), Disconnect(1006), ask("GetReport")))
    assert restarted == [True]


async def test_a_process_that_ends_for_a_reset_is_started_again_and_told_of(
    scripted: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    station, restarted = Station(), list[bool]()

    async def ended(_timeout_s: float) -> ProcessEnd | None:
        reset = any(frame[2:3] == ["Reset"] for frame in station.heard)
        return ProcessEnd(70) if reset and not restarted else None

    async with scripted(station) as executor:
        monkeypatch.setattr(executor._target, "ended", ended)
        monkeypatch.setattr(executor._target, "start", lambda: _note(restarted))
        seen = await executor.play(scene(ask("Reset"), Expect("BootNotification", 1.0)))
    assert restarted == [True]
    assert [e.text for e in seen.entries if e.kind == "note"] == [f"{ENDED_TO_RESTART}exit 70"]
    assert seen.process is None


async def _note(restarted: list[bool]) -> None:
    restarted.append(True)


# --- what a station shows and names -------------------------------------------------------------------------


class Lister(Station):
    """Lists two certificates."""

    async def __call__(self, link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] != 2 or frame[2] != "GetInstalledCertificateIds":
            await super().__call__(link, text)
            return
        chains = [{"certificateHashData": {"serialNumber": serial}} for serial in ("1", "0A")]
        answer = {"status": "Accepted", "certificateHashDataChain": chains}
        await link.send_text(json.dumps([3, frame[1], answer]))


async def test_a_scene_names_what_was_listed_and_where_it_is_called(scripted: Callable) -> None:
    station = Lister()
    made = Handshake(host="csms.test:80", path="/ocpp/CS-1", tls_version="TLSv1.3")
    named = ask("GetLog", '{"root":"{root.serial}","url":"{csms.url}/other"}')
    async with scripted(station, handshake=made) as executor:
        await executor.play(scene(ask("GetInstalledCertificateIds"), named))
    (payload,) = (frame[3] for frame in station.heard if frame[2] == "GetLog")
    assert payload == {"root": "0A", "url": "wss://csms.test:80/ocpp/other"}


async def test_the_transcript_tells_with_what_a_station_came_back(scripted: Callable) -> None:
    made = Handshake(path="/ocpp/CS-1", password=0, secret="{secret.password.old}")
    async with scripted(Station(), handshake=made) as executor:
        seen = await executor.play(scene(Disconnect(1000), ask("GetLog")))
    (told,) = (e.text for e in seen.entries if e.kind == "open")
    assert arrived(told) == ("/ocpp/CS-1", "{secret.password.old}")


class Keeps(MemoryDoor):
    """Holds its caller up for so many looks, each of which takes longer than anybody waits."""

    def __init__(self, looks: int) -> None:
        super().__init__(Side.STATION)
        self.looks = looks
        self.told: list[str] = []

    def misbehave(self, how: str, times: int, told: object = None) -> None:
        self.told.append(how)

    @property
    def keeping(self) -> bool:
        return self.looks > 0

    async def open(self, timeout_s: float) -> MemoryLink:
        if self.told and self.looks:
            self.looks -= 1
            raise TargetUnavailable("nobody yet")
        return await super().open(timeout_s)


@pytest.mark.parametrize("looks", [1, 4])
async def test_whoever_our_door_keeps_does_not_stay_away_meanwhile(
    scripted: Callable, looks: int
) -> None:
    door = Keeps(looks)
    async with scripted(Station(), door=door) as executor:
        await executor.connect()
        executor.pace.come_back_s = 0.0
        seen = await executor.play(scene(Misbehave("silent"), Disconnect(1006), Wait(0.0)))
    assert door.looks == 0
    assert "opened" in words(seen)
