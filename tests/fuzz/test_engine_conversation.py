"""Sorts what comes back over a pair of links in memory: replies, strays, late answers, floods."""

import itertools
import json
from collections.abc import Callable

import pytest

from fuzz.clock import SystemClock
from fuzz.csms.voice import CsmsVoice
from fuzz.engine import conversation as talk
from fuzz.engine.conversation import Conversation, Flooded, Take, render
from fuzz.records import Answer, Entry, LinkClosed, Who
from fuzz.transport.memory import MemoryLink, memory_pair
from strategies.labels import JsonValue
from strategies.wsframes import Opcode, frame

MOMENT_S = 0.01
PATIENCE_S = 5.0
VALID = '[2,"case-1","ClearCache",{}]'
BOOT = '[2,"b","BootNotification",{"reason":"Watchdog","chargingStation":{}}]'

Talk = tuple[Conversation, MemoryLink]


class StillClock(SystemClock):
    """Stands still, so that a moment ends when nothing is left to read, however slow the machine."""

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def both() -> Talk:
    """A conversation, and the target's end of its link."""
    ours, theirs = memory_pair()
    clock = StillClock()
    ids = (f"own-{n}" for n in itertools.count(1))
    return Conversation(ours, CsmsVoice(clock), clock, ids), theirs


async def heard_after(both: Talk, said: str, *answers: str) -> Take:
    """The take after the case said one text and the target these."""
    conversation, target = both
    take = conversation.begin()
    await conversation.say(said)
    for answer in answers:
        await target.send_text(answer)
    await conversation.idle(MOMENT_S)
    return take


async def sent_to(target: MemoryLink) -> JsonValue:
    text = await target.receive()
    return json.loads(text)


# --- who answers what -------------------------------------------------------------------------------------


async def test_an_answer_with_the_id_of_the_case_is_its_reply(both: Talk) -> None:
    take = await heard_after(both, VALID, '[3,"case-1",{"status":"Accepted"}]')
    assert [h.payload for h in take.replies] == [{"status": "Accepted"}]
    assert take.strays == []


@pytest.mark.parametrize("message_id", ['"-1"', '""', "null", "7", "[]", "{}"])
async def test_only_an_unreadable_message_is_answered_under_no_id(
    message_id: str, both: Talk
) -> None:
    answer = f'[4,{message_id},"FormatViolation","",{{}}]'
    after_nonsense = await heard_after(both, '{"no": "array"}', answer)
    assert (len(after_nonsense.replies), len(after_nonsense.strays)) == (1, 0)
    after_a_proper_call = await heard_after(both, VALID, answer)
    assert (len(after_a_proper_call.replies), len(after_a_proper_call.strays)) == (0, 1)


@pytest.mark.parametrize(
    "said",
    [
        '[2,"case-1","ClearCache"]',
        '[2,"case-1","ClearCache",[]]',
        '[2,"case-1",{},{}]',
        f'[2,"{"x" * 37}","ClearCache",{{}}]',
        '[2,7,"ClearCache",{}]',
        "[9]",
        "nonsense",
    ],
)
async def test_what_a_proper_peer_cannot_read_may_be_answered_with_minus_one(
    said: str, both: Talk
) -> None:
    take = await heard_after(both, said, '[4,"-1","RpcFrameworkError","",{}]')
    assert len(take.replies) == 1


async def test_an_id_cut_to_what_the_target_can_hold_is_still_ours(both: Talk) -> None:
    long_id = "x" * 50
    take = await heard_after(
        both,
        f'[2,"{long_id}","ClearCache",{{}}]',
        f'[4,"{long_id[:36]}","FormatViolation","",{{}}]',
    )
    assert len(take.replies) == 1


async def test_an_answer_to_nobody_is_a_stray_and_so_is_what_is_no_message(both: Talk) -> None:
    take = await heard_after(both, VALID, '[3,"stranger",{}]', "[]", "nonsense", '[5,"x"]')
    assert take.replies == []
    assert [h.text for h in take.strays] == ['[3,"stranger",{}]', "[]", "nonsense", '[5,"x"]']


async def test_bytes_are_unreadable_and_kept_as_base64(both: Talk) -> None:
    conversation, target = both
    take = conversation.begin()
    await conversation.say_bytes(b"\xff\x00", "binary")
    assert await target.receive() == b"\xff\x00"
    await target.send_text('[4,"-1","FormatViolation","",{}]')
    await conversation.idle(MOMENT_S)
    assert take.said == ["/wA="]
    assert len(take.replies) == 1


async def test_own_calls_are_answered_beside_the_case(both: Talk) -> None:
    conversation, target = both
    take = conversation.begin()
    asked = await conversation.ask("GetVariables", {})
    assert not conversation.answered(asked)
    await target.send_text(f'[3,"{asked}",{{"a":1}}]')
    answer = await conversation.answer_to(asked, PATIENCE_S)
    assert answer is not None
    assert answer.payload == {"a": 1}
    assert (take.replies, take.strays) == ([], [])


async def test_an_own_call_may_stay_unanswered(both: Talk) -> None:
    conversation, _ = both
    assert await conversation.call("GetVariables", {}, MOMENT_S) is None


async def test_a_second_answer_to_an_earlier_case_is_late(both: Talk) -> None:
    conversation, target = both
    await heard_after(both, VALID, '[3,"case-1",{}]')
    take = conversation.begin()
    await target.send_text('[3,"case-1",{"again":true}]')
    await conversation.idle(MOMENT_S)
    assert [(i, h.payload) for i, h in conversation.late] == [("case-1", {"again": True})]
    assert (take.replies, take.strays) == ([], [])


async def test_a_first_answer_that_comes_late_is_no_second_one(both: Talk) -> None:
    conversation, target = both
    await heard_after(both, VALID)
    conversation.begin()
    await target.send_text('[3,"case-1",{}]')
    await conversation.idle(MOMENT_S)
    assert conversation.late == []


class Ticking(SystemClock):
    """A second passes whenever it is looked at."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 1.0
        return self.seconds


async def test_each_answer_is_timed_once_whoever_asked_and_however_late_it_comes() -> None:
    ours, target = memory_pair()
    clock = Ticking()
    talked = Conversation(ours, CsmsVoice(clock), clock, iter(["own-1"]))
    talked.begin()
    await talked.say(VALID)
    await talked.ask("ClearCache", {})
    take = talked.begin()
    for message_id in ("case-1", "case-1", "own-1", "stranger"):
        await target.send_text(f'[3,"{message_id}",{{}}]')
    await talked.wait(lambda: len(take.strays) == 1, 60.0)
    assert take.answered == 2
    assert take.longest_s > 2.0


async def test_late_answers_do_not_pile_up(both: Talk) -> None:
    conversation, target = both
    await heard_after(both, VALID, '[3,"case-1",{}]')
    conversation.begin()
    for _ in range(500):
        await target.send_text('[3,"case-1",{}]')
    await conversation.idle(MOMENT_S)
    assert len(conversation.late) == 100


# --- answering the target ---------------------------------------------------------------------------------


async def test_a_call_of_the_target_is_answered_by_the_voice_and_a_boot_is_noted(
    both: Talk,
) -> None:
    conversation, target = both
    take = await heard_after(both, VALID, BOOT)
    assert take.boot_reasons == ["Watchdog"]
    assert [h.action for h in take.calls] == ["BootNotification"]
    await target.receive()
    answer = await sent_to(target)
    assert isinstance(answer, list)
    assert answer[:2] == [3, "b"]
    assert conversation.voice.booted


@pytest.mark.parametrize("message_id", ["q", 'quo"te', "back\\slash", "\ud800"])
async def test_an_override_answers_once_instead_of_the_voice(message_id: str, both: Talk) -> None:
    conversation, target = both
    take = conversation.begin()
    take.answer_next("Heartbeat", '[4,"{call.id}","GenericError","",{}]')
    for _ in range(2):
        await target.send_text(json.dumps([2, message_id, "Heartbeat", {}]))
    await conversation.idle(MOMENT_S)
    first, second = await sent_to(target), await sent_to(target)
    assert first == [4, message_id, "GenericError", "", {}]
    assert isinstance(second, list)
    assert second[:2] == [3, message_id]


@pytest.mark.parametrize(
    "call",
    ['[2,7,"Heartbeat",{}]', '[2,"x",[],{}]', "[2]", '[2,"x"]', '[2,null,"BootNotification"]'],
)
async def test_a_call_that_cannot_be_answered_is_only_kept(call: str, both: Talk) -> None:
    _, target = both
    take = await heard_after(both, VALID, call)
    await target.receive()
    assert [h.text for h in take.calls] == [call]
    assert take.boot_reasons == []


@pytest.mark.parametrize(
    ("answer", "frame"),
    [
        (Answer(payload={}), [3, "i", {}]),
        (Answer(error_code="NotSupported", description="no"), [4, "i", "NotSupported", "no", {}]),
    ],
)
def test_an_answer_is_a_callresult_or_a_callerror(answer: Answer, frame: list[JsonValue]) -> None:
    assert json.loads(render("i", answer)) == frame


# --- opening ----------------------------------------------------------------------------------------------


async def test_a_station_is_booted_once_its_boot_is_answered(both: Talk) -> None:
    conversation, target = both
    await target.send_text(BOOT)
    assert await conversation.open(PATIENCE_S, await_boot=True)


async def test_a_station_that_booted_before_need_not_boot_again(both: Talk) -> None:
    conversation, target = both
    await target.send_text(BOOT)
    await conversation.open(PATIENCE_S, await_boot=True)
    conversation.begin()
    assert await conversation.open(MOMENT_S, await_boot=False)
    assert not await conversation.open(MOMENT_S, await_boot=True)


# --- ends and floods --------------------------------------------------------------------------------------


async def test_what_arrived_before_the_end_is_heard_before_the_end(both: Talk) -> None:
    conversation, target = both
    take = conversation.begin()
    await target.send_text('[3,"x",{}]')
    await target.close(1011, "oops")
    with pytest.raises(LinkClosed):
        await conversation.say(VALID)
    assert [h.text for h in take.strays] == ['[3,"x",{}]']
    assert conversation.closed is not None
    assert conversation.closed.code == 1011
    assert take.entries[-1].who is Who.TARGET
    assert take.entries[-1].text == "1011 oops"


async def test_an_end_is_seen_even_when_the_target_goes_on_talking(
    both: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation, target = both
    monkeypatch.setattr(talk, "_DRAIN_S", 0.0)
    conversation.begin()
    await target.send_text("[]")
    await target.close(1011)
    with pytest.raises(LinkClosed):
        await conversation.ask("GetVariables", {})
    assert conversation.closed is not None


async def test_too_many_messages_are_a_flood(both: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "FLOOD_LIMIT", 20)
    with pytest.raises(Flooded, match="more than 20 messages"):
        await heard_after(both, VALID, *["[]"] * 21)
    both[0].begin()
    await both[0].idle(MOMENT_S)


async def test_too_many_characters_are_a_flood(both: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "FLOOD_CHARACTERS", 1_000)
    with pytest.raises(Flooded, match="more than 1000 characters"):
        await heard_after(both, VALID, "x" * 600, "x" * 600)


async def test_long_texts_are_cut_in_the_transcript_and_told(both: Talk) -> None:
    take = await heard_after(both, VALID, "x" * 70_000)
    heard: Entry = take.entries[-1]
    assert heard.text.endswith("... (70000 characters)")
    assert len(heard.text) < 66_000
    assert len(take.strays[0].text) == 70_000


async def test_ids_of_the_past_are_forgotten_in_the_end(
    both: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "_REMEMBERED_IDS", 3)
    conversation, target = both
    answered: Callable[[str], str] = '[3,"{}",{{}}]'.format
    for n in range(5):
        await heard_after(both, f'[2,"case-{n}","ClearCache",{{}}]', answered(f"case-{n}"))
    take = conversation.begin()
    await target.send_text(answered("case-0"))
    await target.send_text(answered("case-3"))
    await conversation.idle(MOMENT_S)
    assert [h.message_id for h in take.strays] == ["case-0"]
    assert [message_id for message_id, _ in conversation.late] == ["case-3"]


# --- below whole messages ---------------------------------------------------------------------------------


class RawLink:
    """A link in memory that keeps raw bytes and hands out pongs as it is told."""

    def __init__(self, link: MemoryLink) -> None:
        self._link = link
        self.raw = b""
        self.waiting: list[bytes] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._link, name)

    async def send_raw(self, data: bytes) -> None:
        self.raw += data

    def pongs(self) -> list[bytes]:
        taken, self.waiting = self.waiting, []
        return taken


@pytest.fixture
def raw(both: Talk) -> tuple[Conversation, MemoryLink, RawLink]:
    conversation, target = both
    link = RawLink(conversation.link)  # type: ignore[arg-type]
    conversation.link = link  # type: ignore[assignment]
    return conversation, target, link


Raw = tuple[Conversation, MemoryLink, RawLink]


async def test_a_call_in_frames_is_said_and_its_answer_is_the_cases(raw: Raw) -> None:
    conversation, target, link = raw
    take = conversation.begin()
    whole = frame(VALID.encode(), mask=None)
    await conversation.say_raw(whole[:9])
    assert (take.said, conversation.unfinished) == ([], True)
    await conversation.say_raw(whole[9:])
    assert (take.said, conversation.unfinished) == ([VALID], False)
    assert link.raw == whole
    await target.send_text('[3,"case-1",{"status":"Accepted"}]')
    await conversation.idle(MOMENT_S)
    assert len(take.replies) == 1


async def test_a_message_in_many_writes_is_one_exchange(raw: Raw) -> None:
    conversation, _, _ = raw
    conversation.begin()
    before = conversation._ledger.exchanges
    for byte in frame(VALID.encode(), mask=None):
        await conversation.say_raw(bytes([byte]))
    assert conversation._ledger.exchanges == before + 1


async def test_an_id_that_was_used_in_frames_before_is_known_again(raw: Raw) -> None:
    conversation, _, _ = raw
    conversation.begin()
    assert not conversation.said_in_frames([VALID])
    await conversation.say_raw(frame(VALID.encode(), mask=None))
    assert conversation.said_in_frames([VALID])
    conversation.begin()
    assert conversation.said_in_frames([VALID])
    assert not conversation.said_in_frames([VALID.replace("case-1", "case-2"), "nonsense"])


async def test_pongs_stand_in_the_transcript_once_each(raw: Raw) -> None:
    conversation, _, link = raw
    take = conversation.begin()
    link.waiting = [b"a", b"b"]
    await conversation.idle(MOMENT_S)
    link.waiting = [b"b"]
    await conversation.idle(MOMENT_S)
    assert [(e.who, e.kind, e.text) for e in take.entries] == [
        (Who.TARGET, "pong", "YQ=="),
        (Who.TARGET, "pong", "Yg=="),
    ]


async def test_the_pong_to_the_last_ping_is_waited_for(raw: Raw) -> None:
    conversation, _, link = raw
    conversation.begin()
    assert await conversation.hear_pong(0.0)
    await conversation.say_raw(frame(b"hello", Opcode.PING, mask=None))
    assert not await conversation.hear_pong(0.0)
    link.waiting = [b"hello"]
    assert await conversation.hear_pong(PATIENCE_S)
    conversation.begin()
    assert await conversation.hear_pong(0.0)


async def test_a_close_frame_of_the_case_is_noted(raw: Raw) -> None:
    conversation, _, _ = raw
    conversation.begin()
    assert not conversation.closing
    await conversation.say_raw(frame(b"", Opcode.CLOSE, mask=None))
    assert conversation.closing
