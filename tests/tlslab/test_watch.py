"""How far a caller gets, from what it says and what it is told, whatever way both are cut."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from tlslab.seen import Connection, Stage
from tlslab.watch import MAX_HEAD, Frames, Watched

HEAD = b"GET /ocpp/CS1 HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2VjcmV0\r\n\r\n"
OPEN = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
PING = b"\x89\x83aaaaxyz"
TEXT = b"\x81\x84aaaahey!"


class Script:
    """A stream that says these parts; a number stands for what is written to it before."""

    def __init__(self, parts):
        self.parts = list(parts)
        self.written = b""

    async def read(self):
        return self.parts.pop(0) if self.parts else b""

    async def write(self, data):
        self.written += data

    async def close(self):
        self.parts = []


def _watched(parts):
    connection = Connection(1, 0.0, datetime.now(UTC))
    stages = []
    stream = Watched(Script(parts), connection, lambda: stages.append(connection.stage))
    return stream, connection, stages


async def _all(stream):
    while await stream.read():
        pass


@st.composite
def cuts(draw, data):
    at = sorted(draw(st.sets(st.integers(1, len(data) - 1), max_size=8)))
    return [data[a:b] for a, b in zip([0, *at], [*at, len(data)], strict=True)]


@given(cuts(HEAD), cuts(OPEN), cuts(PING + PING + TEXT))
def test_every_stage_is_told_once_and_in_order(head, answer, frames):
    async def play():
        stream, connection, stages = _watched([*head, *frames])
        for _ in head:
            await stream.read()
        for part in answer:
            await stream.write(part)
        await _all(stream)
        return connection, stages

    connection, stages = asyncio.run(play())
    assert stages == [Stage.UPGRADE, Stage.WEBSOCKET, Stage.OCPP]
    assert connection.request == "GET /ocpp/CS1 HTTP/1.1"
    assert connection.header_names == ("host", "authorization")
    assert connection.status == 101


async def test_control_frames_are_no_message():
    stream, connection, _ = _watched([HEAD, PING, b"\x88\x80aaaa"])
    await stream.read()
    await stream.write(OPEN)
    await _all(stream)
    assert connection.stage is Stage.WEBSOCKET


async def test_a_message_without_a_websocket_is_none():
    stream, connection, _ = _watched([HEAD, TEXT])
    await stream.read()
    await stream.write(b"HTTP/1.1 401 Unauthorized\r\n\r\n")
    await _all(stream)
    assert (connection.stage, connection.status) == (Stage.UPGRADE, 401)


async def test_values_of_headers_are_nowhere():
    stream, connection, _ = _watched([HEAD[:-2]])
    await _all(stream)
    assert connection.header_names == ("host", "authorization")
    assert "c2VjcmV0" not in repr(connection)


async def test_half_a_header_is_none_yet():
    stream, connection, _ = _watched([HEAD[:40]])
    await _all(stream)
    assert connection.header_names == ("host",)


async def test_a_head_without_end_is_given_up():
    stream, _, _ = _watched([b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * MAX_HEAD])
    await stream.read()
    assert stream.headed


@pytest.mark.parametrize(
    ("frame", "spoke"),
    [
        (b"\x89\xfe\x00\x7e" + bytes(4 + 126) + TEXT, True),
        (b"\x89\xff" + (130).to_bytes(8, "big") + bytes(4 + 130) + TEXT, True),
        (b"\x89\xff" + (2**62).to_bytes(8, "big") + TEXT, False),
        (b"\x82\x80", True),
    ],
)
def test_frames_of_every_length_are_passed_over(frame, spoke):
    frames = Frames()
    frames.feed(frame)
    assert frames.spoke is spoke


@given(st.lists(st.binary(max_size=60), max_size=10), st.binary(max_size=30))
def test_garbage_never_fails(parts, answer):
    async def play():
        stream, connection, _ = _watched([p for p in parts if p])
        await stream.read()
        await stream.write(answer)
        await _all(stream)
        return connection

    assert asyncio.run(play()).stage <= Stage.OCPP


@pytest.mark.parametrize(
    "head",
    [
        HEAD[: HEAD.index(b"Basic")],
        HEAD[: HEAD.index(b"Authorization")]
        + b"x: y\r\n" * 200
        + b"authorization : Basic x\r\n\r\n",
    ],
    ids=["half a line", "behind many"],
)
async def test_credentials_are_noticed_wherever_they_stand(head):
    stream, connection, _ = _watched([head])
    await _all(stream)
    assert connection.sent_authorization


async def test_of_a_head_that_is_too_long_to_be_read_no_secret_is_kept():
    stream, connection, _ = _watched([b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD])
    connection.keeps_secrets, connection.secrets = True, "CLIENT_RANDOM a b\n"
    await _all(stream)
    assert (connection.keeps_secrets, connection.secrets) == (False, "")
