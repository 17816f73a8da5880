"""Receives callers badly over loopback, and lets them in properly afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from fuzz.engine.vault import VaultDoor
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import LEFT_OPEN, HostileDoor, Side
from fuzz.transport import (
    Dialler,
    Listener,
    MemoryDoor,
    client_context,
    misbehaving,
    server_context,
)
from fuzz.transport.misbehaving import UNCOMPRESSED, WAYS, accept_of, stored_answer
from strategies.wsframes import KEY, Opcode, frame
from tlslab.pki import Lab

PATIENCE_S = 20.0
Listen = Callable[..., Listener]
REQUEST = (
    b"GET /ocpp/CS%201 HTTP/1.1\r\nHost: 127.0.0.1:9\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n"
)
FIRST_LINES = {
    "503": b"HTTP/1.1 503 ",
    "503-retry-after": b"HTTP/1.1 503 ",
    "401": b"HTTP/1.1 401 ",
    "404": b"HTTP/1.1 404 ",
    "200": b"HTTP/1.1 200 ",
    "redirect": b"HTTP/1.1 301 ",
    "101-nonsense": b"HTTP/1.1 101 ",
    "101-other-subprotocol": b"HTTP/1.1 101 ",
    "101-no-subprotocol": b"HTTP/1.1 101 ",
    "101-extension": b"HTTP/1.1 101 ",
    "101-silent": b"HTTP/1.1 101 ",
    "101-long-header": b"HTTP/1.1 101 ",
    "http-garbage": b"\x00\x01\x02",
    "cut-in-101": b"HTTP/1.1 101 ",
    "refuse-tcp": b"",
    "silent": b"",
    "tls-abort": b"",
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misbehaving, "HOLD_S", 0.05)


@pytest.fixture
async def listeners() -> AsyncIterator[Listen]:
    made: list[Listener] = []

    def listener(**options: object) -> Listener:
        made.append(Listener("127.0.0.1", 0, identities=None, **options))  # type: ignore[arg-type]
        return made[-1]

    yield listener
    for one in made:
        await one.aclose()


async def _heard(door: Listener) -> bytes:
    """What a caller hears until it is hung up on; a reset is the end as well."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    heard = b""
    try:
        writer.write(REQUEST)
        while piece := await reader.read(65_536):
            heard += piece
    except ConnectionError:
        pass
    finally:
        writer.close()
    return heard


def test_every_way_is_tried_here() -> None:
    assert set(FIRST_LINES) == set(WAYS)


@pytest.mark.parametrize("way", WAYS)
def test_the_answer_of_a_way_can_be_stored_unless_it_says_nothing(way: str) -> None:
    stored = stored_answer(way)
    if way in ("refuse-tcp", "silent", "tls-abort"):
        assert stored is None
    else:
        assert stored
        assert b"host.invalid" not in stored


def test_the_accept_is_that_of_the_example_in_rfc_6455() -> None:
    assert accept_of(REQUEST) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("way", WAYS)
async def test_a_caller_hears_what_its_way_says_and_the_next_but_one_gets_in(
    way: str, listeners: Listen
) -> None:
    door, told = listeners(), []
    await door.start()
    door.misbehave(way, 2, told.append)
    for _ in range(2):
        heard = await _heard(door)
        assert heard.startswith(FIRST_LINES[way])
        assert bool(heard) == bool(FIRST_LINES[way])
    assert told == [way, way]
    theirs = await Dialler(f"ws://127.0.0.1:{door.port}/CS").open(PATIENCE_S)
    ours = await door.open(PATIENCE_S)
    await ours.send_text("in")
    assert await theirs.receive() == "in"
    assert told == [way, way]
    await theirs.close()


@pytest.mark.parametrize("way", [w for w in WAYS if w != "101-silent"])
async def test_a_strict_client_gets_no_connection_out_of_it(way: str, listeners: Listen) -> None:
    door = listeners()
    await door.start()
    door.misbehave(way, 1)
    dialler = Dialler(f"ws://127.0.0.1:{door.port}/CS")
    if way == "101-no-subprotocol":
        # A dialler of ours lets it through and says so; what to think of it is not decided there.
        link = await dialler.open(PATIENCE_S)
        assert link.handshake.subprotocol == ""
        await link.abort()
        return
    with pytest.raises(TargetUnavailable):
        await dialler.open(PATIENCE_S)


@pytest.mark.parametrize("way", ["101-nonsense", "101-other-subprotocol", "101-extension"])
async def test_a_client_that_takes_any_101_is_found_out_by_its_pong(
    way: str, listeners: Listen
) -> None:
    door, told = listeners(), []
    await door.start()
    door.misbehave(way, 1, told.append)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(REQUEST)
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(2) == b"\x89\x00"
    writer.write(frame(b"", Opcode.PONG, mask=KEY))
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    assert told == [way, f"{way}: it went on all the same"]


CHOICE, PATH = "101-no-subprotocol", b"/ocpp/CS%201"


async def _behind_no_subprotocol(door: Listener, *, again: bytes = b"", says: bytes = b"") -> None:
    """A client that stays where it may, until we are gone: it calls again for a path, says something, answers pings."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(REQUEST)
    await reader.readuntil(b"\r\n\r\n")
    others = []
    if again:
        later = await asyncio.open_connection("127.0.0.1", door.port)
        later[1].write(REQUEST.replace(PATH, again))
        others.append(later[1])
    writer.write(says)
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while size := (await reader.readexactly(2))[1]:
            writer.write(frame(await reader.readexactly(size), Opcode.PONG, mask=KEY))
    for each in (writer, *others):
        each.close()


@pytest.fixture
def patient(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misbehaving, "HOLD_S", PATIENCE_S)
    monkeypatch.setattr(misbehaving, "LOOK_S", 0.05)


async def test_who_calls_again_and_leaves_a_connection_open_is_found_out(
    listeners: Listen, patient: None
) -> None:
    door, told = listeners(), []
    await door.start()
    door.misbehave(CHOICE, 1, told.append)
    await _behind_no_subprotocol(door, again=PATH)
    assert told == [CHOICE, f"{CHOICE}: {LEFT_OPEN}"]


async def test_who_calls_again_and_closes_what_was_before_is_not(
    listeners: Listen, patient: None
) -> None:
    door, told = listeners(), []
    await door.start()
    door.misbehave(CHOICE, 1, told.append)
    goes = frame(b"\x03\xea", Opcode.CLOSE, mask=KEY)
    await _behind_no_subprotocol(door, again=PATH, says=goes)
    assert told == [CHOICE]


@pytest.mark.parametrize("again", [b"", b"/somebody-else"])
@pytest.mark.parametrize("says", [b"", frame(b"there", Opcode.PONG, mask=KEY)])
async def test_who_stays_alone_leaves_nothing_open(
    again: bytes, says: bytes, listeners: Listen
) -> None:
    door, told = listeners(), []
    await door.start()
    door.misbehave(CHOICE, 1, told.append)
    await _behind_no_subprotocol(door, again=again, says=says)
    assert told == [CHOICE]


async def test_a_101_is_right_but_for_its_fault(listeners: Listen) -> None:
    door = listeners()
    await door.start()
    answers = {}
    for way in ("101-nonsense", "101-other-subprotocol", "101-no-subprotocol", "101-extension"):
        door.misbehave(way, 1)
        answers[way] = (await _heard(door)).decode("latin-1")
    right = {
        "101-nonsense": ("Sec-WebSocket-Protocol: ocpp2.0.1\r\n",),
        "101-other-subprotocol": (accept_of(REQUEST), "Sec-WebSocket-Protocol: ocpp1.6\r\n"),
        "101-no-subprotocol": (accept_of(REQUEST),),
        "101-extension": (accept_of(REQUEST), "Sec-WebSocket-Extensions: x-never-offered\r\n"),
    }
    for way, parts in right.items():
        assert [part for part in parts if part not in answers[way]] == []
    assert accept_of(REQUEST) not in answers["101-nonsense"]
    assert "Sec-WebSocket-Protocol" not in answers["101-no-subprotocol"]


async def test_a_redirect_leads_back_to_us_under_a_name_that_is_not_let_in(
    listeners: Listen,
) -> None:
    door = listeners()
    await door.start()
    door.misbehave("redirect", 1)
    assert b"Location: ws://127.0.0.1:9/elsewhere/ocppfuzz-redirected\r\n" in await _heard(door)


@pytest.mark.parametrize("way", ["401", "tls-abort", "refuse-tcp"])
async def test_behind_tls_a_caller_is_received_just_as_badly(
    way: str, listeners: Listen, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lab = Lab.create(tmp_path_factory.mktemp("lab"), now=datetime.now(UTC), serial="CS 1")
    tls = server_context(certificates=[(lab.csms.certificate, lab.csms.key)])
    door = listeners(tls=tls)
    await door.start()
    door.misbehave(way, 1)
    context: ssl.SSLContext = client_context(ca=lab.root.certificate)
    dialler = Dialler(f"wss://localhost:{door.port}/CS", tls=context)
    with pytest.raises(TargetUnavailable) as told:
        await dialler.open(PATIENCE_S)
    assert ("HTTP 401" in str(told.value)) == (way == "401")
    link = await dialler.open(PATIENCE_S)
    await link.abort()


async def test_a_caller_that_says_nothing_or_too_much_is_let_go(listeners: Listen) -> None:
    door = listeners()
    await door.start()
    door.misbehave("404", 2)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    with socket.create_connection(("127.0.0.1", door.port)) as caller:
        await asyncio.to_thread(_pour, caller)
    theirs = await Dialler(f"ws://127.0.0.1:{door.port}/CS").open(PATIENCE_S)
    await theirs.abort()


def _pour(caller: socket.socket) -> None:
    """Send until nobody takes any more."""
    with contextlib.suppress(OSError):
        while True:
            caller.sendall(b"x" * 65_536)


# --- doors ------------------------------------------------------------------------------------------------


async def test_nought_times_means_properly_again(listeners: Listen) -> None:
    door = listeners()
    await door.start()
    door.misbehave("404", 5)
    door.misbehave("404", 0)
    theirs = await Dialler(f"ws://127.0.0.1:{door.port}/CS").open(PATIENCE_S)
    await theirs.abort()


async def test_a_connection_without_compression_comes_once_from_either_end(
    listeners: Listen,
) -> None:
    door = listeners()
    await door.start()
    dialler = Dialler(f"ws://127.0.0.1:{door.port}/CS")
    for hostile in (door, dialler):
        hostile.misbehave(UNCOMPRESSED, 1)
        for compressed in (False, True):
            theirs = await dialler.open(PATIENCE_S)
            ours = await door.open(PATIENCE_S)
            assert theirs.handshake.compression == ours.handshake.compression == compressed
            assert ours.handshake.context_takeover == compressed
            await theirs.abort()


def test_ways_that_nobody_knows_are_usage_errors(listeners: Listen) -> None:
    with pytest.raises(UsageError, match="refuse-tcp"):
        listeners().misbehave("rudely", 1)
    with pytest.raises(UsageError, match=UNCOMPRESSED):
        Dialler("ws://127.0.0.1/CS").misbehave("404", 1)


def test_listeners_and_diallers_are_hostile_doors_and_doors_in_memory_are_not(
    listeners: Listen,
) -> None:
    assert isinstance(listeners(), HostileDoor)
    assert isinstance(Dialler("ws://127.0.0.1/CS"), HostileDoor)
    assert not isinstance(MemoryDoor(Side.STATION), HostileDoor)


def test_a_vault_passes_on_how_callers_are_treated(listeners: Listen) -> None:
    vault: Any = SimpleNamespace(passed=0)
    with pytest.raises(UsageError, match="rudely"):
        VaultDoor(listeners(), vault).misbehave("rudely", 1)
    with pytest.raises(UsageError, match="only where we listen"):
        VaultDoor(MemoryDoor(Side.STATION), vault).misbehave("404", 1)


async def test_a_door_says_whether_it_keeps_somebody(listeners: Listen, patient: None) -> None:
    door = listeners()
    vault: Any = SimpleNamespace(passed=0)
    await door.start()
    assert not door.keeping
    called = asyncio.Event()
    door.misbehave("silent", 1, lambda _: called.set())
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    await called.wait()
    assert VaultDoor(door, vault).keeping
    writer.close()
    await door.aclose()
    assert not VaultDoor(door, vault).keeping
    assert not VaultDoor(MemoryDoor(Side.STATION), vault).keeping
    assert not Dialler("ws://127.0.0.1/CS").keeping
