"""The scripted CSMS asks, answers, expects and requires, and tells what came instead."""

import asyncio
import json

import pytest

from fuzz.clock import SystemClock
from fuzz.conformance.ports import Port
from fuzz.conformance.registry import StationTest
from fuzz.conformance.runner import Verdict, play_one
from fuzz.conformance.script import SILENT, Csms, Failed, NotRun, error
from fuzz.records import LinkClosed
from fuzz.transport.memory import memory_pair

HEARTBEAT = '[2,"h1","Heartbeat",{}]'
STATUS = {
    "timestamp": "2026-01-01T00:00:00Z",
    "connectorStatus": "Available",
    "evseId": 1,
    "connectorId": 1,
}


class Nowhere:
    """A place without operator, ports and lab."""

    lasting = False

    def __init__(self):
        self.done = []

    async def operator(self, event, argument):
        self.done.append((event, argument))
        return event == "plug-in"


class Line:
    """A scripted CSMS and the station's end of its connection."""

    def __init__(self, patience_s=0.2):
        self.place = Nowhere()
        self.s = Csms(
            SystemClock(),
            self.place,
            identity="CS-1",
            profile=1,
            password="a-password-of-some-length",
            connectors=(1, 1),
            patience_s=patience_s,
        )
        self.port = Port("127.0.0.1", 0, SystemClock(), self.s.arrived)
        self.station = None

    async def dial(self):
        ours, self.station = memory_pair()
        await self.s.arrived(ours, self.port)

    async def say(self, action, payload, id_="m1"):
        await self.station.send_text(json.dumps([2, id_, action, payload]))

    async def heard(self):
        return json.loads(await self.station.receive())

    async def reply(self, made):
        """Answer the next CALL of the CSMS."""
        _, id_, action, payload = await self.heard()
        await self.station.send_text(json.dumps(made(id_)))
        return action, payload


@pytest.fixture
async def line():
    made = Line()
    await made.dial()
    yield made
    await made.s.aclose()


def result(payload):
    return lambda id_: [3, id_, payload]


async def test_a_call_of_the_station_is_answered_properly(line):
    await line.say("Heartbeat", {})
    kind, id_, payload = await line.heard()
    assert (kind, id_, set(payload)) == (3, "m1", {"currentTime"})


async def test_an_answer_can_be_told_for_a_number_of_times(line):
    line.s.answer("Heartbeat", error("InternalError"), times=1)
    line.s.answer("Heartbeat", lambda _: {"currentTime": "2001-01-01T00:00:00Z"}, times=1)
    answers = []
    for n in range(3):
        await line.say("Heartbeat", {}, f"m{n}")
        answers.append(await line.heard())
    assert answers[0][:3] == [4, "m0", "InternalError"]
    assert answers[1] == [3, "m1", {"currentTime": "2001-01-01T00:00:00Z"}]
    assert answers[2][2] != answers[1][2]


async def test_a_silent_answer_is_none_and_a_repetition_with_the_same_id_is_heard(line):
    line.s.answer("Heartbeat", SILENT, times=1)
    await line.say("Heartbeat", {})
    await line.say("Heartbeat", {})
    assert (await line.heard())[0] == 3
    assert [h.action for h in line.s.heard] == ["Heartbeat", "Heartbeat"]


async def test_an_expectation_takes_the_first_message_that_fits_once(line):
    for n in (1, 2):
        await line.say("StatusNotification", {**STATUS, "evseId": n}, f"m{n}")
    assert (await line.s.expect("StatusNotification", {"evseId": 2}))["evseId"] == 2
    assert (await line.s.expect("StatusNotification"))["evseId"] == 1
    with pytest.raises(Failed, match="the station sends StatusNotification"):
        await line.s.expect("StatusNotification")


async def test_a_missed_expectation_tells_what_came(line):
    await line.say("StatusNotification", STATUS)
    with pytest.raises(Failed, match="EVSE 2 reports Occupied; came: StatusNotification"):
        await line.s.expect_status(2, "Occupied")


async def test_what_is_forgotten_meets_no_expectation(line):
    await line.say("Heartbeat", {})
    await line.heard()
    line.s.forget()
    with pytest.raises(Failed):
        await line.s.expect("Heartbeat")


async def test_silence_fails_on_what_comes_and_on_what_had_come(line):
    await line.s.silence("Heartbeat", for_s=0.01)
    await line.say("Heartbeat", {})
    with pytest.raises(Failed, match="sends no Heartbeat; came: Heartbeat"):
        await line.s.silence("Heartbeat", for_s=5.0)
    with pytest.raises(Failed):
        await line.s.silence(for_s=0.01)


async def test_the_answer_of_the_station_is_given_and_measured(line):
    asked = asyncio.create_task(line.s.accepted("Reset", {"type": "OnIdle"}))
    assert await line.reply(result({"status": "Accepted"})) == ("Reset", {"type": "OnIdle"})
    assert (await asked)["status"] == "Accepted"
    assert sum(map(len, line.s.stopwatch.samples.values())) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (result({"status": "Rejected"}), "Reset is answered Accepted; came"),
        (result({"status": "Perhaps"}), "not schema-valid"),
        (result({}), "not schema-valid"),
        (lambda id_: [4, id_, "InternalError", "", {}], "CALLERROR InternalError"),
    ],
)
async def test_a_wrong_answer_fails_the_test(line, answer, words):
    asked = asyncio.create_task(line.s.accepted("Reset", {"type": "OnIdle"}))
    await line.reply(answer)
    with pytest.raises(Failed, match=words):
        await asked


async def test_a_callerror_can_be_what_is_wanted(line):
    asked = asyncio.create_task(line.s.call_error("ClearCache"))
    await line.reply(lambda id_: [4, id_, "SecurityError", "", {}])
    assert await asked == "SecurityError"
    asked = asyncio.create_task(line.s.call_error("ClearCache"))
    await line.reply(result({"status": "Accepted"}))
    with pytest.raises(Failed, match="not with a CALLERROR"):
        await asked


async def test_no_answer_fails_the_test_and_the_next_question_can_be_asked(line):
    with pytest.raises(Failed, match="ClearCache was not answered within"):
        await line.s.call("ClearCache", within=0.01)
    await line.heard()
    asked = asyncio.create_task(line.s.call("ClearCache"))
    await line.reply(result({"status": "Rejected"}))
    assert (await asked)["status"] == "Rejected"


async def test_a_question_that_is_cut_off_keeps_nobody_from_asking_the_next(line):
    asked = asyncio.create_task(line.s.call("ClearCache"))
    await line.heard()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    replied = line.reply(result({"status": "Accepted"}))
    told, _ = await asyncio.gather(line.s.call("ClearCache"), replied)
    assert told["status"] == "Accepted"


async def test_a_connection_that_closes_instead_of_answering_fails_the_test(line):
    asked = asyncio.create_task(line.s.call("ClearCache"))
    await line.heard()
    await line.station.close()
    with pytest.raises(Failed, match="instead of answering ClearCache"):
        await asked
    with pytest.raises(Failed, match="not connected"):
        await line.s.call("ClearCache")


async def test_a_new_connection_is_waited_for(line):
    line.s.note_connection()
    waiting = asyncio.create_task(line.s.reconnected())
    await line.station.close()
    await line.s.disconnected()
    assert not waiting.done()
    await line.dial()
    assert (await waiting).number == 2


async def test_no_new_connection_fails_the_test(line):
    line.s.note_connection()
    with pytest.raises(Failed, match="the station connects anew"):
        await line.s.reconnected()


@pytest.mark.parametrize(
    "text",
    ["{", '[2,"1","Heartbeat",{"x":1}]', '[2,"1","BootNotification",{}]', '[3,"9",{}]'],
)
async def test_a_message_that_no_station_may_send_is_a_fault(line, text):
    await line.station.send_text(text)
    await line.s.until(lambda: line.s.faults, "the fault is seen")
    assert len(line.s.faults) == 1


async def test_a_flood_of_faults_is_counted_no_further(line):
    for _ in range(100):
        await line.station.send_text("{")
        await line.heard()
    assert len(line.s.faults) == 20


async def test_a_variable_is_set_and_its_status_held_against_what_is_allowed(line):
    asked = asyncio.create_task(line.s.set_variable("AuthCtrlr", "Enabled", True))
    answer = {
        "attributeStatus": "Rejected",
        "component": {"name": "AuthCtrlr"},
        "variable": {"name": "Enabled"},
    }
    action, payload = await line.reply(result({"setVariableResult": [answer]}))
    assert (action, payload["setVariableData"][0]["attributeValue"]) == ("SetVariables", "true")
    with pytest.raises(Failed, match=r"AuthCtrlr\.Enabled=true is Accepted or RebootRequired"):
        await asked


async def test_a_status_may_come_as_an_event(line):
    event = {
        "eventId": 1,
        "timestamp": "2026-01-01T00:00:00Z",
        "trigger": "Delta",
        "actualValue": "Occupied",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": 2, "connectorId": 1}},
        "variable": {"name": "AvailabilityState"},
    }
    await line.say(
        "NotifyEvent",
        {"generatedAt": "2026-01-01T00:00:00Z", "seqNo": 0, "eventData": [event]},
    )
    await line.s.expect_status(2, "Occupied")


async def test_an_operator_who_cannot_do_it_makes_the_test_not_run(line):
    await line.s.operator("plug-in", 1)
    assert line.place.done == [("plug-in", "1")]
    with pytest.raises(NotRun, match="unplug 1"):
        await line.s.operator("unplug", 1)


async def test_a_requirement_that_rests_on_a_judgement_is_marked(line):
    line.s.require(True, "this holds", judgement=True)
    assert line.s.judgements == ["this holds"]
    with pytest.raises(Failed, match=r"that holds \(rests on a judgement\); came: 7"):
        line.s.require(False, "that holds", 7, judgement=True)


# --- the runner -------------------------------------------------------------------------------------------


class Stage:
    """An arena with one line in memory."""

    def __init__(self, reason=None):
        self.reason = reason

    def station(self, test, profile):
        return self

    async def __aenter__(self):
        if self.reason is not None:
            raise self.reason
        self.line = Line()
        await self.line.dial()
        return self.line.s

    async def __aexit__(self, *_):
        await self.line.s.aclose()
        with pytest.raises(LinkClosed):
            await self.line.station.receive()


async def _passes(s):
    s.require(True, "this", judgement=True)


async def _fails(s):
    s.require(False, "that")


async def _cannot(s):
    await s.operator("unplug")


async def _hears_a_fault(s):
    s.faults.append("something improper")


@pytest.mark.parametrize(
    ("script", "verdict", "words"),
    [
        (_passes, Verdict.PASSED, ""),
        (_fails, Verdict.FAILED, "expected: that"),
        (_cannot, Verdict.NOT_RUN, "nobody can do this at the station: unplug"),
        (_hears_a_fault, Verdict.FAILED, "something improper"),
    ],
)
async def test_a_played_test_has_a_verdict_and_says_why(script, verdict, words):
    test = StationTest("TC_Z_01", "text", script)
    played = await play_one(test, 1, Stage(), SystemClock())
    assert (played.id, played.verdict, played.profile) == ("TC_Z_01", verdict, 1)
    assert words in played.text
    assert played.judgements == (("this",) if script is _passes else ())


async def test_a_station_that_never_came_makes_a_test_not_run():
    test = StationTest("TC_Z_01", "text", _passes)
    played = await play_one(test, 1, Stage(NotRun("it never came")), SystemClock())
    assert (played.verdict, played.text) == (Verdict.NOT_RUN, "it never came")
