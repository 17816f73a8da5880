from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as st

from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Close, Door, Handshake, Link, LinkClosed, Side
from fuzz.transport import MemoryDoor, memory_pair


@given(messages=st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.binary()))
def test_messages_arrive_in_order_and_keep_their_kind(messages: list[str | bytes]) -> None:
    async def play() -> list[str | bytes]:
        ours, theirs = memory_pair()
        for message in messages:
            if isinstance(message, str):
                await ours.send_text(message)
            else:
                await ours.send_bytes(message, opcode="binary")
        return [await theirs.receive() for _ in messages]

    assert asyncio.run(play()) == messages


async def test_a_close_is_seen_at_both_ends_after_the_last_message() -> None:
    ours, theirs = memory_pair()
    await theirs.send_text("last")
    await theirs.close(4001, "bye")
    assert await ours.receive() == "last"
    with pytest.raises(LinkClosed) as closed:
        await ours.receive()
    assert closed.value.close == Close(4001, "bye", by_target=True)
    assert theirs.closed == Close(4001, "bye", by_target=False)
    assert await ours.ping(1.0) is False


async def test_a_waiting_receiver_is_woken_by_an_abort() -> None:
    ours, theirs = memory_pair()
    waiting = asyncio.ensure_future(ours.receive())
    await asyncio.sleep(0)
    await theirs.abort()
    with pytest.raises(LinkClosed) as closed:
        await waiting
    assert closed.value.close.code == 1006
    with pytest.raises(LinkClosed):
        await ours.send_text("x")


async def test_text_that_is_not_utf_8_makes_the_other_end_close() -> None:
    ours, theirs = memory_pair()
    await ours.send_text("lone \ud800 surrogate")
    with pytest.raises(LinkClosed) as closed:
        await ours.receive()
    assert closed.value.close == Close(1007, "text is not UTF-8", by_target=True)
    assert theirs.closed is not None


async def test_bytes_sent_as_text_arrive_as_text() -> None:
    ours, theirs = memory_pair()
    await ours.send_bytes("é".encode(), opcode="text")
    assert await theirs.receive() == "é"


async def test_what_memory_cannot_do_is_a_usage_error() -> None:
    ours, _ = memory_pair()
    with pytest.raises(UsageError, match="nothing below"):
        await ours.send_raw(b"x")
    with pytest.raises(UsageError, match="allowed are"):
        await ours.send_bytes(b"x", opcode="ping")


async def test_a_door_hands_out_what_was_connected() -> None:
    door = MemoryDoor(Side.STATION)
    seam: Door = door
    theirs = door.connect(Handshake(identity="CS1"))
    ours: Link = await seam.open(1.0)
    await theirs.send_text("hello")
    assert await ours.receive() == "hello"
    assert ours.handshake.identity == "CS1"
    assert await ours.ping(1.0)
    await seam.aclose()


async def test_a_door_that_nobody_comes_through_says_so() -> None:
    with pytest.raises(TargetUnavailable, match="nobody connected"):
        await MemoryDoor(Side.CSMS).open(0.0)
