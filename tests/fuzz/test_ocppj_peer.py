import itertools
import json
import weakref

import pytest
from hypothesis import given, strategies as st

from fuzz.errors import LocalProtocolError, RemoteProtocolError
from fuzz.ocppj.codec import decode
from fuzz.ocppj.frames import CallError, ErrorCode
from fuzz.ocppj.peer import Answered, CallReceived, Ignored, Peer, Refused, Reply, Unanswered
from strategies.version import version

V = version()


@pytest.fixture
def station():
    return new_peer("s", {"ClearCache", "Reset"})


@pytest.fixture
def csms():
    return new_peer("c", {"Heartbeat"})


def new_peer(prefix, serves, **more):
    count = itertools.count(1)
    return Peer(V, serves=serves, ids=lambda: f"{prefix}{next(count)}", **more)


def error_code(event):
    assert isinstance(event, Reply)
    return json.loads(event.text)[2]


def test_two_ends_ask_and_answer_each_other(station, csms):
    asked = station.call("Heartbeat", {})
    heard = csms.hear(station.pump(0))
    assert isinstance(heard, CallReceived)
    answer = {"currentTime": "2026-01-01T00:00:00Z"}
    assert station.hear(csms.answer(heard.call, answer)) == Answered(asked, answer)


def test_only_one_call_is_outstanding_and_the_next_follows_its_answer(station):
    first, second = station.call("Heartbeat", {}), station.call("Heartbeat", {})
    assert json.loads(station.pump(0))[1] == first.id
    assert station.pump(0) is None
    station.hear(f'[4,"{first.id}","GenericError","",{{}}]')
    assert json.loads(station.pump(0))[1] == second.id


def test_calls_of_both_sides_may_cross(station):
    station.call("Heartbeat", {})
    station.pump(0)
    assert isinstance(station.hear('[2,"x","ClearCache",{}]'), CallReceived)


def test_an_answer_that_comes_too_late_is_ignored(station):
    call = station.call("Heartbeat", {})
    station.pump(100)
    assert station.expire(129.9) is None
    assert station.deadline == 130
    assert station.expire(130) == Unanswered(call)
    assert station.deadline is None
    assert isinstance(
        station.hear(f'[3,"{call.id}",{{"currentTime":"2026-01-01T00:00:00Z"}}]'), Ignored
    )


@pytest.mark.parametrize(
    "text", ['[3,"9",{}]', '[4,"-1","GenericError","",{}]', '[3,"9"]', "[4,null]", "[3,[],{}]"]
)
def test_an_answer_to_nothing_is_never_answered(station, text):
    station.call("Heartbeat", {})
    station.pump(0)
    assert isinstance(station.hear(text), Ignored)
    assert station.outstanding is not None


@pytest.mark.parametrize("rest", ["{}", "[]", '{"currentTime":"now"}', "{},5"])
def test_an_improper_answer_to_our_call_ends_it_and_is_not_answered(station, rest):
    call = station.call("Heartbeat", {})
    station.pump(0)
    event = station.hear(f'[3,"{call.id}",{rest}]')
    assert isinstance(event, Refused)
    assert event.broken
    assert station.outstanding is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[2,"1","FooBar",{}]', "NotImplemented"),
        ('[2,"1","clearcache",{}]', "NotImplemented"),
        ('[2,"1"," ClearCache",{}]', "NotImplemented"),
        ('[2,"1","",{}]', "NotImplemented"),
        ('[2,"1","ReserveNow",{}]', "NotSupported"),
        ('[2,"1","BootNotification",{}]', "NotSupported"),
        ('[2,"1","Reset",{}]', "OccurrenceConstraintViolation"),
        ('[9,"1","Reset",{}]', "MessageTypeNotSupported"),
    ],
)
def test_a_call_that_cannot_be_served_is_refused_with_the_right_code(station, text, code):
    assert error_code(station.hear(text)) == code


def test_a_call_with_an_id_that_is_being_handled_is_refused_and_not_executed_twice(station):
    first = station.hear('[2,"1","ClearCache",{}]')
    assert error_code(station.hear('[2,"1","ClearCache",{}]')) == "RpcFrameworkError"
    station.answer(first.call, {"status": "Rejected"})
    assert isinstance(station.hear('[2,"1","ClearCache",{}]'), CallReceived)


def test_the_empty_id_is_repeated_in_a_refusal(station):
    assert json.loads(station.hear('[2,"","FooBar",{}]').text)[1] == ""


def test_a_closed_gate_refuses_every_call():
    closed = RemoteProtocolError(ErrorCode.SECURITY_ERROR, "not accepted yet")
    peer = new_peer("s", {"ClearCache"}, gate=lambda: closed)
    assert error_code(peer.hear('[2,"1","ClearCache",{}]')) == "SecurityError"


def test_a_binary_message_is_refused_without_an_id(station):
    assert json.loads(station.hear_bytes().text)[:3] == [4, "-1", "RpcFrameworkError"]


def test_a_lost_connection_returns_what_nobody_will_answer(station):
    calls = (station.call("Heartbeat", {}), station.call("Heartbeat", {}))
    station.pump(0)
    assert station.forget() == calls
    assert station.pump(0) is None


def test_our_own_mistakes_are_raised_not_sent():
    peer = new_peer("s", set(), max_queue=1)
    with pytest.raises(LocalProtocolError, match="Heartbeat"):
        peer.call("Heartbeat", {"x": 1})
    peer.call("Heartbeat", {})
    with pytest.raises(LocalProtocolError, match="room"):
        peer.call("Heartbeat", {})


@given(st.text() | st.lists(st.sampled_from('[]{},:"234a\\')).map("".join))
def test_whatever_is_heard_a_reply_is_a_proper_callerror_without_the_peers_bytes(text):
    event = new_peer("s", {"ClearCache"}).hear(text)
    if isinstance(event, Reply):
        frame = decode(event.text, V)
        assert isinstance(frame, CallError)
        assert frame.code in V.error_codes
        assert len(frame.description) <= 255


def test_a_secret_in_a_bad_message_does_not_come_back(station):
    event = station.hear('[2,"1","Reset",{"type":"canary-7"}]')
    assert "canary" not in event.text


def test_what_is_heard_of_a_broken_message_does_not_hold_on_to_it(station):
    class Message(str):
        __slots__ = ("__weakref__",)

    message = Message("x" * 1000)
    held = weakref.ref(message)
    event = station.hear(message)
    del message
    assert error_code(event) == "RpcFrameworkError"
    assert held() is None
