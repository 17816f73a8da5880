"""The socket of one caller: bounded in time and bytes."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from tlslab.engines import raw
from tlslab.engines.raw import Wire
from tlslab.offers import Pace
from tlslab.seen import Connection, Stage, Way


@pytest.fixture
async def pair():
    """A wire, and the caller's ends."""
    found = asyncio.get_running_loop().create_future()

    def accept():
        connection = Connection(1, time.monotonic(), datetime.now(UTC))
        return Wire(connection, time.monotonic, found.set_result)

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    wire = await found
    yield wire, reader, writer
    writer.close()
    wire.abort()
    server.close()
    await server.wait_closed()


async def test_what_is_said_is_heard_and_on_the_tape(pair):
    wire, reader, writer = pair
    writer.write(b"\x16\x03\x01\x00\x01a")
    assert await wire.read() == b"\x16\x03\x01\x00\x01a"
    await wire.write(b"b")
    assert await reader.read(1) == b"b"
    assert [(c.way, c.data) for c in wire.connection.tape] == [
        (Way.PEER, b"\x16\x03\x01\x00\x01a"),
        (Way.LAB, b"b"),
    ]


async def test_a_caller_that_says_nothing_is_given_up(pair):
    wire, reader, _ = pair
    wire.patience_s = 0.02
    assert await wire.read() == b""
    assert wire.connection.error == "it took too long"
    # It was hung up on: the end, or a reset.
    (heard,) = await asyncio.gather(reader.read(), return_exceptions=True)
    assert heard == b"" or isinstance(heard, ConnectionError)


async def test_a_caller_that_drips_is_given_up(monkeypatch):
    monkeypatch.setattr(raw, "OPENING_S", 0.05)
    wire = Wire(Connection(1, 0.0, datetime.now(UTC)), time.monotonic, lambda _: None)
    heard = 0
    while not wire.connection.error:
        wire.data_received(b"\x16")
        heard += len(await wire.read())
        await asyncio.gather(asyncio.wait_for(wire.read(), 0.01), return_exceptions=True)
    assert wire.connection.error == "it took too long"
    assert heard > 0


@pytest.mark.parametrize(
    ("stage", "limit"), [(Stage.NOTHING, raw.MAX_OPENING), (Stage.WEBSOCKET, raw.MAX_BYTES)]
)
async def test_a_caller_that_says_too_much_is_given_up(stage, limit):
    wire = Wire(Connection(1, 0.0, datetime.now(UTC)), time.monotonic, lambda _: None)
    wire.connection.reached(stage)
    for _ in range(limit // 2**20):
        wire.data_received(bytes(2**20))
        await wire.read()
    assert wire.connection.error == ""
    wire.data_received(b"1")
    assert wire.connection.error == f"more than {limit} bytes came"
    assert await wire.read() == b""


async def test_patience_has_no_end_once_the_websocket_is_open(pair):
    wire, _, writer = pair
    wire.patience_s = 0.01
    wire.connection.reached(Stage.WEBSOCKET)
    reading = asyncio.create_task(wire.read())
    await asyncio.wait([reading], timeout=0.05)
    writer.write(b"late")
    assert await reading == b"late"


async def test_pieces_are_said_one_by_one_until_the_websocket_is_open(pair):
    wire, reader, _ = pair
    wire.pace = Pace(piece=2, pause_s=0.001)
    await wire.write(b"12345")
    wire.connection.reached(Stage.WEBSOCKET)
    await wire.write(b"67890")
    assert await reader.readexactly(10) == b"1234567890"
    assert [c.data for c in wire.connection.tape] == [b"12", b"34", b"5", b"67890"]


async def test_a_pause_ends_with_the_caller(pair):
    wire, _, writer = pair
    wire.pace = Pace(stall_s=1000.0)
    saying = asyncio.create_task(wire.write(b"late"))
    writer.close()
    await saying
    await wire.gone()
    assert saying.done()


async def test_a_caller_that_reads_nothing_is_given_up(pair, monkeypatch):
    monkeypatch.setattr(raw, "PATIENCE_S", 0.05)
    wire, _, _ = pair
    for _ in range(200):
        await wire.write(bytes(2**18))
    assert wire.connection.error == "it reads nothing"
