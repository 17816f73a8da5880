"""A station whose own CALLs are stuck after a bad answer is told, and one that may still wait is not."""

import json
from dataclasses import replace

from fuzz.oracles.replies import stuck
from fuzz.records import AnswerNext, Entry, Observation, Who
from fuzz.testing import case, observation
from strategies.labels import JsonValue, Position


def entry(at_s: float, who: Who, message: JsonValue) -> Entry:
    return Entry(at_s, who, "text", json.dumps(message))


def asked(status: str = "Accepted") -> list[Entry]:
    payload: JsonValue = {"requestedMessage": "Heartbeat"}
    return [
        entry(0.0, Who.US, [2, "t1", "TriggerMessage", payload]),
        entry(0.1, Who.TARGET, [3, "t1", {"status": status}]),
    ]


def seen(*entries: Entry, position: Position = Position.CALLERROR) -> Observation:
    bare = case(position=position, steps=[AnswerNext("Heartbeat", ("[4]",))])
    return replace(observation(bare, replies=()), entries=entries)


def silence(until_s: float) -> Entry:
    return Entry(until_s, Who.HARNESS, "note", "waited in vain for Heartbeat")


def symptoms(obs: Observation) -> list[tuple[str, str]]:
    return [(v.oracle, v.symptom) for v in stuck(obs)]


def test_silence_for_longer_than_the_message_timeout_is_told() -> None:
    assert symptoms(seen(*asked(), silence(35.0))) == [("O5", "own CALLs stuck after an answer")]


def test_a_shorter_silence_may_be_the_wait_for_an_answer_that_was_not_read() -> None:
    assert symptoms(seen(*asked(), silence(31.0))) == []


def test_any_call_of_the_target_shows_that_it_goes_on() -> None:
    call = entry(20.0, Who.TARGET, [2, "s", "StatusNotification", {}])
    assert symptoms(seen(*asked(), call, silence(60.0))) == []


def test_what_the_target_did_not_accept_it_need_not_send() -> None:
    assert symptoms(seen(*asked("Rejected"), silence(60.0))) == []


def test_a_new_connection_is_no_silence() -> None:
    closed = Entry(10.0, Who.TARGET, "close", "1000")
    assert symptoms(seen(*asked(), closed, silence(60.0))) == []


def test_other_cases_than_bad_answers_are_not_judged() -> None:
    assert symptoms(seen(*asked(), silence(60.0), position=Position.CALL)) == []
