from dataclasses import replace

import pytest

from fuzz.records import Probes, SendBytes, Settled, Wait
from fuzz.testing import (
    case,
    error,
    heard,
    mutation,
    note,
    observation,
    rejected,
    result,
    spoken,
    target,
    us,
)
from strategies.labels import Channel, Expectation, Fault, Position, Stance, Tier

UNKNOWN = rejected(Tier.RPC, Fault.ACTION_UNKNOWN)
UNSOLICITED = rejected(Tier.RPC, Fault.UNSOLICITED)
MAY_ANSWER = rejected(Tier.RPC, Fault.UNSOLICITED, disputed="unreadable")
NO_ANSWER = ["O4 no answer"]
SILENT = ["O4 no answer (remark)"]


@pytest.mark.parametrize(
    ("expectation", "settled", "spoke"),
    [
        (Expectation(Stance.ACCEPT, Tier.MODEL), Settled.BY_CLOCK, NO_ANSWER),
        (Expectation(Stance.ACCEPT, Tier.MODEL), Settled.BY_ORDER, SILENT),
        (Expectation(Stance.ACCEPT, Tier.MODEL), Settled.CUT_SHORT, []),
        (UNKNOWN, Settled.BY_CLOCK, NO_ANSWER),
        (rejected(Tier.RPC, Fault.ACTION_CASE), Settled.BY_CLOCK, NO_ANSWER),
        (rejected(Tier.RPC, Fault.ACTION_DIRECTION), Settled.BY_CLOCK, NO_ANSWER),
        (rejected(Tier.RPC, Fault.ACTION_UNSUPPORTED), Settled.BY_CLOCK, NO_ANSWER),
        (rejected(Tier.MODEL, Fault.DEVICE_MODEL), Settled.BY_CLOCK, NO_ANSWER),
        (rejected(Tier.SCHEMA, Fault.MISSING), Settled.BY_CLOCK, SILENT),
        (rejected(Tier.JSON, Fault.NOT_JSON), Settled.BY_ORDER, SILENT),
        (rejected(Tier.RPC, Fault.TYPE_UNSUPPORTED), Settled.BY_ORDER, SILENT),
        (rejected(Tier.RPC, Fault.ACTION_UNKNOWN, disputed="x"), Settled.BY_CLOCK, SILENT),
        (Expectation(Stance.UNSPECIFIED, Tier.JSON, None, "x"), Settled.BY_CLOCK, SILENT),
    ],
)
def test_silence_is_a_finding_only_where_an_answer_is_required_and_the_clock_decided(
    expectation, settled, spoke
):
    assert spoken(observation(expectation, replies=[], settled=settled)) == spoke


def test_silence_that_is_a_remark_says_which_requirement_wants_an_answer():
    assert spoken(
        observation(rejected(Tier.RPC, Fault.TYPE_UNSUPPORTED), replies=[]), strict=True
    ) == ["O4 no answer"]


def test_a_zombie_speaks_for_its_missing_answer():
    obs = observation(replies=[], settled=Settled.BY_CLOCK, probes=Probes(same_connection=False))
    assert spoken(obs) == ["O5 CALL unserved"]


def test_two_answers_to_one_call_are_a_finding():
    assert spoken(observation(replies=[result(), result()])) == ["O4 answered twice"]


def test_nothing_is_missed_where_nothing_was_said():
    paused = case(Expectation(Stance.UNSPECIFIED, Tier.MODEL), steps=[Wait(4.0)])
    silent = {"replies": [], "settled": Settled.BY_ORDER, "call_id": None}
    assert spoken(observation(paused, said=(), **silent)) == []
    assert spoken(observation(paused, **silent)) == SILENT


SAID, HUNG_UP, BACK = us(1, [2, "c1", "ClearCache", {}]), note(2, "close", "1006"), note(3, "open")
SERVED = (us(1.1, [2, "p", "GetVariables", {}]), target(1.2, [3, "p", {}]))


@pytest.mark.parametrize(
    ("entries", "spoke"),
    [((SAID, HUNG_UP, BACK), []), ((SAID, *SERVED, HUNG_UP, BACK), SILENT), ((SAID,), SILENT)],
    ids=["at-once", "after-others-were-answered", "never"],
)
def test_an_answer_that_our_hanging_up_may_have_cost_is_not_missed(entries, spoke):
    played = case(Expectation(Stance.UNSPECIFIED, Tier.MODEL))
    obs = observation(played, replies=[], settled=Settled.BY_ORDER)
    assert spoken(replace(obs, entries=entries)) == spoke


def test_two_answers_to_two_calls_are_right():
    both = ['[2,"c0","ClearCache",{}]', '[2,"c1","ClearCache",{}]']
    assert spoken(observation(said=both, replies=[result(), result()])) == []
    three = [result(), result(), result()]
    assert spoken(observation(said=both, replies=three)) == ["O4 answered twice"]


def test_two_answers_to_a_messageid_said_twice_are_right():
    twice = ['[2,"c1","ClearCache",{}]', '[2,"c1","ClearCache",{}]']
    obs = observation(
        rejected(Tier.RPC, Fault.ID_IN_USE),
        said=twice,
        replies=[error("GenericError"), result()],
    )
    assert spoken(obs) == []


def test_several_answers_to_several_unreadable_messages_are_right():
    obs = observation(
        rejected(Tier.RPC, Fault.NOT_ARRAY),
        said=["{}", "7"],
        call_id=None,
        replies=[error("RpcFrameworkError", id_="-1"), error("RpcFrameworkError", id_="-1")],
    )
    assert spoken(obs) == []


def test_text_that_is_not_json_has_no_number_of_messages():
    obs = observation(
        rejected(Tier.JSON, Fault.NOT_JSON),
        said=["[][]x"],
        call_id=None,
        replies=[error("RpcFrameworkError", id_="-1")] * 3,
    )
    assert spoken(obs) == []


def test_an_answer_to_an_id_that_nobody_used_is_a_finding():
    assert spoken(observation(strays=[result(id_="nobody")])) == ["O4 stray answer"]
    assert spoken(observation(strays=[error("GenericError", id_=7)])) == ["O4 stray answer"]


@pytest.mark.parametrize("id_", ["-1", "", None])
def test_an_answer_to_nobody_in_particular_is_tolerated(id_):
    assert spoken(observation(strays=[error("RpcFrameworkError", id_=id_)])) == []


def test_an_answer_that_found_its_id_in_unreadable_text_is_an_answer():
    obs = observation(
        rejected(Tier.JSON, Fault.NOT_JSON),
        said=['[2,"c9","ClearCache",{}'],
        call_id=None,
        replies=[],
        strays=[error("RpcFrameworkError", id_="c9")],
    )
    assert spoken(obs) == []


def test_an_answer_that_found_its_id_in_unreadable_bytes_is_an_answer():
    obs = observation(
        case(rejected(Tier.JSON, Fault.NOT_UTF8), steps=[SendBytes(b'[2,"c9","X",{}]\xe2')]),
        said=["WzIsImM5Iiwi"],
        call_id=None,
        replies=[],
        strays=[error("RpcFrameworkError", id_="c9")],
    )
    assert spoken(obs) == []


@pytest.mark.parametrize(
    ("expectation", "reply", "spoke"),
    [
        (UNSOLICITED, error("GenericError"), ["O4 answer to an answer (remark)"]),
        (UNSOLICITED, result(), ["O4 answer to an answer (remark)"]),
        (MAY_ANSWER, error("RpcFrameworkError", id_="-1"), []),
        (MAY_ANSWER, result(), ["O4 answer to an answer (remark)"]),
    ],
)
def test_answers_are_not_answered(expectation, reply, spoke):
    played = case(expectation, action="", position=Position.UNSOLICITED)
    assert spoken(observation(played, said=['[3,"c1",{}]'], replies=[reply])) == spoke


@pytest.mark.parametrize(
    ("expectation", "stray", "spoke"),
    [
        (MAY_ANSWER, error("MessageTypeNotSupported", id_="s1"), []),
        (MAY_ANSWER, result(id_="s1"), ["O4 stray answer"]),
        (MAY_ANSWER, error("MessageTypeNotSupported", id_="s2"), ["O4 stray answer"]),
        (UNSOLICITED, error("MessageTypeNotSupported", id_="s1"), ["O4 stray answer"]),
    ],
    ids=["unreadable", "no-error", "another-id", "readable"],
)
def test_an_answer_of_the_case_that_cannot_be_read_may_be_objected_to(expectation, stray, spoke):
    played = case(expectation, action="", position=Position.CALLRESULT)
    obs = observation(played, said=(), call_id=None, replies=[], strays=[stray])
    answered = us(0.1, ["4", "s1", "GenericError", "", {}])
    assert spoken(replace(obs, entries=(answered,))) == spoke


def test_silence_after_an_unsolicited_answer_is_right():
    played = case(UNSOLICITED, action="", position=Position.UNSOLICITED)
    assert spoken(observation(played, said=['[3,"c1",{}]'], replies=[])) == []


def test_an_odd_messageid_that_comes_back_changed_is_no_stray_answer():
    played = case(
        Expectation(Stance.UNSPECIFIED, Tier.RPC, None, "surrogates"),
        mutations=[mutation("/1", "messageId", "surrogate", channel=Channel.ENVELOPE)],
    )
    obs = observation(played, replies=[], strays=[heard([3, "?", {"status": "Accepted"}])])
    assert "O4 stray answer" not in spoken(obs)
    assert "O7 messageId changed (remark)" in spoken(obs)
