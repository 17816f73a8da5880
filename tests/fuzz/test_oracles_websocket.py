from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from fuzz.oracles.registry import judge
from fuzz.records import (
    Ask,
    Case,
    Close,
    Disconnect,
    Entry,
    Misbehave,
    Observation,
    Probes,
    ProcessEnd,
    SendFrames,
    Settled,
    Who,
)
from fuzz.testing import case, mutation, observation, rejected, spoken
from strategies.labels import Channel, Expectation, Fault, Position, Stance, Tier
from strategies.wsframes import Opcode, frame

LEGAL = Expectation(Stance.ACCEPT, Tier.MODEL)
ILL = rejected(Tier.JSON, Fault.FRAME)
NOT_UTF8 = rejected(Tier.JSON, Fault.NOT_UTF8)
OPEN = Expectation(Stance.UNSPECIFIED, Tier.JSON)
HEAVY = Expectation(Stance.UNSPECIFIED, Tier.JSON, Fault.HEAVY, "no limit named")
TEXT = frame(b'[2,"c1","ClearCache",{}]', mask=None)
PING = frame(b"hello", Opcode.PING, mask=None)
CLOSE = frame(b"\x03\xe8", Opcode.CLOSE, mask=None)
SERVED = Probes(same_connection=True)


def framed(expectation: Expectation, *data: bytes, family: str = "rsv", calls: bool = True) -> Case:
    return case(
        expectation,
        action="ClearCache" if calls else "",
        position=Position.CALL if calls else Position.UNSOLICITED,
        mutations=[mutation("", family, "how", channel=Channel.FRAME)],
        steps=[SendFrames(d) for d in data or (TEXT,)],
    )


def with_pongs(obs: Observation, *payloads: bytes) -> Observation:
    pongs = [Entry(0.1, Who.TARGET, "pong", base64.b64encode(p).decode()) for p in payloads]
    return replace(obs, entries=pongs)


# --- ill frames (O33) -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "obs",
    [
        observation(framed(ILL)),
        observation(framed(ILL), replies=[], probes=SERVED),
        observation(framed(ILL, PING, calls=False), replies=[], probes=SERVED),
    ],
    ids=["answered", "passed over", "no CALL"],
)
def test_a_connection_that_goes_on_after_an_ill_frame_is_a_remark(obs):
    assert spoken(obs) == ["O33 rsv fault tolerated (remark)"]


@pytest.mark.parametrize(
    "obs",
    [
        observation(framed(ILL), replies=[], close=Close(1002)),
        observation(framed(LEGAL)),
        observation(framed(OPEN)),
        observation(framed(ILL), replies=[], settled=Settled.CUT_SHORT),
    ],
    ids=["ended", "legal", "open", "nothing known"],
)
def test_a_connection_that_ends_or_need_not_is_none(obs):
    assert spoken(obs) == []


def test_what_is_served_after_we_cut_the_connection_proves_nothing():
    cut = replace(framed(ILL), steps=(SendFrames(TEXT), Disconnect(1006), Ask(("x",))))
    assert spoken(observation(cut, probes=SERVED)) == []
    before = replace(
        framed(ILL), steps=(Misbehave("uncompressed"), Disconnect(1000), SendFrames(TEXT))
    )
    assert spoken(observation(before, probes=SERVED)) == ["O33 rsv fault tolerated (remark)"]


# --- bad handshakes (O34) ---------------------------------------------------------------------------------


def test_a_client_that_goes_on_after_a_bad_handshake_is_a_remark_for_each_way():
    texts = ("101-nonsense", "101-nonsense: it went on all the same") * 2
    seen = replace(observation(), entries=[Entry(0.1, Who.TARGET, "caller", t) for t in texts])
    assert spoken(seen) == ["O34 101-nonsense (remark)"]


def test_a_client_that_was_only_received_badly_is_none():
    seen = replace(observation(), entries=[Entry(0.1, Who.TARGET, "caller", "101-nonsense")])
    assert spoken(seen) == []


# --- connections that nobody wants (O3) -------------------------------------------------------------------


def callers(*texts):
    return replace(observation(), entries=[Entry(0.1, Who.TARGET, "caller", t) for t in texts])


def test_a_connection_that_was_left_open_for_another_is_a_remark_for_each_way():
    way = "101-no-subprotocol"
    left = f"{way}: it called again, and left the connection open"
    assert spoken(callers(way, left, left)) == ["O3 connection left open (remark)"]


def test_a_connection_that_was_closed_for_another_is_none():
    assert spoken(callers("101-no-subprotocol", "101-no-subprotocol")) == []


# --- closes (O3) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expectation", "code", "spoke"),
    [
        (ILL, 1002, []),
        (ILL, 1006, ["O3 close 1006 (remark)"]),
        (ILL, 1007, ["O3 close 1007 (remark)"]),
        (ILL, 1011, ["O3 close 1011"]),
        (NOT_UTF8, 1007, []),
        (NOT_UTF8, 1006, ["O3 close 1006 (remark)"]),
        (OPEN, 1002, []),
        (OPEN, 1009, []),
        (OPEN, 1000, ["O3 close 1000 (remark)"]),
        (OPEN, 1006, ["O3 close 1006"]),
        (HEAVY, 1009, []),
        (HEAVY, 1006, ["O3 close 1006 (remark)"]),
        (HEAVY, 1011, ["O3 close 1011"]),
        (LEGAL, 1002, ["O3 close 1002"]),
        (LEGAL, 1006, ["O3 close 1006"]),
    ],
)
def test_a_frame_ends_the_connection_when_it_is_ill_and_with_the_code_that_says_so(
    expectation, code, spoke
):
    assert spoken(observation(framed(expectation), replies=[], close=Close(code))) == spoke


@pytest.mark.parametrize("code", [1000, 1002, 1005, 1006])
def test_a_close_that_the_case_asked_for_by_its_own_close_frame_is_none(code):
    asked = framed(OPEN, CLOSE, calls=False)
    assert spoken(observation(asked, replies=[], close=Close(code))) == []
    cut = replace(asked, steps=(SendFrames(CLOSE), Disconnect(1006)))
    assert spoken(observation(cut, replies=[], close=Close(code))) == []


def test_a_close_frame_is_no_excuse_for_an_internal_error():
    asked = framed(OPEN, CLOSE, calls=False)
    assert spoken(observation(asked, replies=[], close=Close(1011))) == ["O3 close 1011"]


# --- pongs (O3) -------------------------------------------------------------------------------------------


def test_a_ping_without_a_pong_breaks_a_shall():
    (said,) = judge(observation(framed(LEGAL, PING + TEXT, family="ping")))
    assert (said.oracle, said.symptom, said.remark) == ("O3", "no pong", False)
    assert said.clause == "RFC 6455 section 5.5.2"


def test_a_pong_has_the_data_of_its_ping():
    obs = observation(framed(LEGAL, PING + TEXT, family="ping"))
    assert spoken(with_pongs(obs, b"hello")) == []
    assert spoken(with_pongs(obs, b"other")) == ["O3 pong without its data"]


def test_of_two_pings_only_the_later_one_need_be_answered():
    two = framed(LEGAL, frame(b"one", Opcode.PING, mask=None) + PING + TEXT, family="ping")
    assert spoken(with_pongs(observation(two), b"hello")) == []
    assert spoken(with_pongs(observation(two), b"one")) == ["O3 pong without its data"]


@pytest.mark.parametrize(
    "obs",
    [
        observation(framed(LEGAL, TEXT, family="ping")),
        observation(framed(OPEN, PING + TEXT, family="ping")),
        observation(framed(LEGAL, PING + TEXT, family="ping"), replies=[], settled=Settled.CUT_SHORT),
        observation(framed(LEGAL, PING + TEXT, family="ping"), restart_asked=True, process=ProcessEnd(0)),
    ],
    ids=["no ping", "a flood", "nothing served", "gone as asked"],
)  # fmt: skip
def test_where_no_pong_is_due_or_nobody_is_left_to_send_it_none_is_missed(obs):
    assert spoken(obs) == []


def test_an_entry_that_is_no_base64_is_no_pong():
    obs = observation(framed(LEGAL, PING + TEXT, family="ping"))
    odd = replace(obs, entries=[Entry(0.1, Who.TARGET, "pong", "\x00é")])
    assert spoken(odd) == ["O3 pong without its data"]


# --- lengths that are written too long ----------------------------------------------------------------------

PADDED = Expectation(Stance.UNSPECIFIED, Tier.JSON, Fault.FRAME)


def ended(code: int) -> list[str]:
    obs = observation(framed(PADDED, family="length"), replies=[], settled=Settled.CUT_SHORT)
    return spoken(replace(obs, close=Close(code)))


def test_a_length_that_is_not_minimal_may_be_taken_or_fail_the_connection():
    assert spoken(observation(framed(PADDED, family="length"))) == []
    assert ended(1002) == []
    assert ended(1006) == ["O3 close 1006 (remark)"]
    assert ended(1011) == ["O3 close 1011"]
