from __future__ import annotations

import asyncio
import zlib

import pytest
from hypothesis import example, given, strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.protocol import Protocol, Side

from fuzz.errors import LocalProtocolError
from fuzz.records import Close, LinkClosed
from fuzz.transport.pump import MAX_SIZE, Message, Pump
from strategies.wsframes import RSV1, FrameReader, Opcode, deflated, deflater, frame


class FakeTransport(asyncio.Transport):
    """Keeps what is written; is as connected as it is told to be."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.reading = True
        self.aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.aborted

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None:
        self.aborted = True


def _open(*, max_size: int = 10_000, deflate: bool = False) -> tuple[Pump, FakeTransport]:
    """A pump that talks as a client to a peer whose bytes the test makes."""
    protocol = Protocol(Side.CLIENT, max_size=max_size)
    if deflate:
        protocol.extensions = [PerMessageDeflate(False, False, 15, 15)]
    pump = Pump(protocol)
    transport = FakeTransport()
    pump.connection_made(transport)
    return pump, transport


def _frame(first: int, data: bytes = b"") -> bytes:
    """An unmasked frame; `first` holds FIN, RSV and opcode."""
    if len(data) < 126:
        return bytes([first, len(data)]) + data
    if len(data) < 2**16:
        return bytes([first, 126]) + len(data).to_bytes(2, "big") + data
    return bytes([first, 127]) + len(data).to_bytes(8, "big") + data


async def _all(pump: Pump) -> tuple[list[Message], Close]:
    """Every message, then how it ended."""
    messages = []
    try:
        while True:
            messages.append(await pump.receive())
    except LinkClosed as closed:
        return messages, closed.close


@given(chunks=st.lists(st.binary(max_size=60), max_size=8), deflate=st.booleans())
@example(chunks=[b"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"], deflate=False)
@example(chunks=[b"\x88\x02\x03\xee"], deflate=False)
@example(chunks=[b"\x01\x01a", b"\x88\x00", b"\x80\x00"], deflate=False)
def test_whatever_bytes_a_peer_sends_reading_ends_in_link_closed_only(
    chunks: list[bytes], deflate: bool
) -> None:
    async def play() -> Close:
        pump, transport = _open(deflate=deflate)
        for chunk in chunks:
            if not transport.aborted:
                pump.data_received(chunk)
        pump.eof_received()
        pump.connection_lost(None)
        return (await _all(pump))[1]

    assert 1000 <= asyncio.run(play()).code < 5000


@given(
    texts=st.lists(st.text(max_size=20), max_size=5),
    parts=st.integers(1, 4),
    cut=st.integers(1, 9),
)
def test_messages_arrive_whole_and_in_order_however_they_were_cut(
    texts: list[str], parts: int, cut: int
) -> None:
    async def play() -> tuple[list[Message], Close]:
        pump, _ = _open()
        stream = b"".join(_fragments(text.encode(), parts) for text in texts)
        for start in range(0, len(stream), cut):
            pump.data_received(stream[start : start + cut])
        pump.connection_lost(None)
        return await _all(pump)

    assert asyncio.run(play()) == (texts, Close(1006, by_target=True))


def _fragments(data: bytes, parts: int) -> bytes:
    size = len(data) // parts + 1
    pieces = [data[i : i + size] for i in range(0, len(data), size)] or [b""]
    frames = [
        _frame((0x80 if last else 0) | (1 if first else 0), piece)
        for piece, first, last in zip(
            pieces,
            [True] + [False] * (len(pieces) - 1),
            [False] * (len(pieces) - 1) + [True],
            strict=True,
        )
    ]
    return b"".join(frames)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_frame(0x81, b"\xff\xfe"), 1007),
        (_frame(0x83, b"x"), 1002),
        (_frame(0xC1, b"x"), 1002),
        (_frame(0x80, b"x"), 1002),
        (_frame(0x81, b"x" * 10_001), 1009),
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 1002),
        (b"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 1009),
        (_frame(0x88, b"\x03"), 1002),
    ],
    ids=[
        "text that is not UTF-8",
        "reserved opcode",
        "reserved bit",
        "continuation of nothing",
        "too long",
        "masked by a server",
        "length of 2**63 - 1",
        "close frame of one byte",
    ],
)
async def test_a_broken_rule_ends_the_link_by_us_with_its_code_and_a_reason(
    data: bytes, code: int
) -> None:
    pump, transport = _open()
    pump.data_received(_frame(0x81, b"before") + data + _frame(0x81, b"after"))
    messages, close = await _all(pump)
    assert messages == ["before"]
    assert (close.code, close.by_target) == (code, False)
    assert close.reason != ""
    assert transport.written[0] == 0x88
    pump.connection_lost(None)


async def test_a_compression_bomb_is_bounded() -> None:
    pump, _ = _open(deflate=True)
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(b"x" * 5_000_000) + packer.flush(zlib.Z_SYNC_FLUSH)
    pump.data_received(_frame(0xC1, bomb[:-4]))
    messages, close = await _all(pump)
    assert (messages, close.code, close.by_target) == ([], 1009, False)
    pump.connection_lost(None)


async def test_a_chain_of_bombs_in_one_piece_is_cut() -> None:
    pump, transport = _open(deflate=True, max_size=MAX_SIZE)
    packer = zlib.compressobj(wbits=-15)
    frames = []
    for _ in range(6):
        data = packer.compress(b"x" * (MAX_SIZE - 1)) + packer.flush(zlib.Z_SYNC_FLUSH)
        frames.append(_frame(0xC2, data[:-4]))
    pump.data_received(b"".join(frames))
    assert transport.aborted
    assert pump.close_seen == Close(
        1006, "cut by us: it sent more in one go than may be kept", by_target=False
    )
    pump.connection_lost(None)


async def test_a_peer_that_floods_us_with_messages_is_no_longer_read_until_we_caught_up() -> None:
    pump, transport = _open()
    pump.data_received(_frame(0x81, b"x") * 1000)
    assert not transport.reading
    for _ in range(1000):
        await pump.receive()
    assert transport.reading
    pump.connection_lost(None)


async def test_a_peer_that_pings_and_does_not_read_is_cut() -> None:
    pump, transport = _open()
    pump.pause_writing()
    ping = _frame(0x89, b"x" * 125)
    while not transport.aborted:
        pump.data_received(ping * 100)
    assert pump.close_seen is not None
    assert "pings" in pump.close_seen.reason
    pump.connection_lost(None)


async def test_a_ping_is_answered() -> None:
    pump, transport = _open()
    pump.data_received(_frame(0x89, b"hey"))
    assert transport.written[0] == 0x8A
    pump.connection_lost(None)


@pytest.mark.parametrize(
    ("data", "close"),
    [
        (b"\x03\xe8bye", Close(1000, "bye")),
        (b"\x0f\xa1", Close(4001, "")),
        (b"", Close(1005, "")),
    ],
)
async def test_a_close_frame_ends_the_link_by_the_target_after_what_came_before(
    data: bytes, close: Close
) -> None:
    pump, _ = _open()
    pump.data_received(_frame(0x81, b"last words") + _frame(0x88, data))
    assert await _all(pump) == (["last words"], close)
    with pytest.raises(LinkClosed):
        await pump.send(b"x", text=True)
    pump.connection_lost(None)


async def test_a_receiver_that_gives_up_loses_nothing() -> None:
    pump, _ = _open()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await pump.receive()
    pump.data_received(_frame(0x82, b"\x00\xff"))
    assert await pump.receive() == b"\x00\xff"
    pump.connection_lost(None)


async def test_a_link_has_one_reader() -> None:
    pump, _ = _open()
    first = asyncio.ensure_future(pump.receive())
    await asyncio.sleep(0)
    with pytest.raises(LocalProtocolError, match="one reader"):
        await pump.receive()
    pump.data_received(_frame(0x81, b"x"))
    assert await first == "x"
    pump.connection_lost(None)


async def test_a_peer_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.transport.pump.SEND_TIMEOUT_S", 0.01)
    pump, transport = _open()
    pump.pause_writing()
    with pytest.raises(LinkClosed) as closed:
        await pump.send(b"x", text=True)
    assert transport.aborted
    assert "did not read" in closed.value.close.reason
    pump.connection_lost(None)


async def test_a_peer_that_never_finishes_closing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.transport.pump.CLOSE_TIMEOUT_S", 0.01)
    pump, transport = _open()
    await pump.close(1000, "x" * 500)
    assert transport.aborted
    pump.connection_lost(None)
    assert pump.close_seen == Close(1006, by_target=False)


async def test_a_close_code_that_no_frame_may_carry_cuts_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fuzz.transport.pump.CLOSE_TIMEOUT_S", 0.01)
    pump, transport = _open()
    await pump.close(1006, "")
    assert transport.aborted
    assert transport.written == b""
    pump.connection_lost(None)


# --- below whole messages ---------------------------------------------------------------------------------


async def test_nothing_of_ours_comes_into_the_middle_of_a_raw_message() -> None:
    pump, transport = _open()
    first, last = frame(b"a", mask=None, fin=False), frame(b"b", Opcode.CONTINUATION, mask=None)
    await pump.send_raw(first + last[:1])
    await pump.send(b"whole", text=True)
    pump.data_received(frame(b"ping", Opcode.PING, mask=None))
    assert bytes(transport.written) == first + last[:1]
    await pump.send_raw(last[1:])
    assert bytes(transport.written[: len(first + last)]) == first + last
    reader = FrameReader()
    assert reader.feed(bytes(transport.written[len(first + last) :])) == ["whole"]
    assert not reader.unfinished


@pytest.mark.slow
async def test_what_is_held_back_goes_out_when_the_connection_ends() -> None:
    pump, transport = _open()
    await pump.send_raw(b"\x81")
    pump.data_received(frame(b"\x03\xe8", Opcode.CLOSE, mask=None))
    assert transport.written[1] == 0x80 | Opcode.CLOSE
    assert pump.close_seen == Close(1000, by_target=True)
    await pump.abort()


async def test_pings_behind_half_a_frame_do_not_fill_our_memory() -> None:
    pump, transport = _open()
    await pump.send_raw(b"\x81")
    ping = frame(bytes(125), Opcode.PING, mask=None)
    for _ in range(10_000):
        pump.data_received(ping)
    assert transport.aborted
    with pytest.raises(LinkClosed):
        await pump.receive()


async def test_after_raw_bytes_no_message_builds_upon_an_earlier_one() -> None:
    pump, transport = _open(deflate=True)
    assert pump.takes_over_context
    await pump.send(b"the same words", text=True)
    transport.written.clear()
    raw = frame(deflated(b"something else", deflater()), mask=None, rsv=RSV1)
    await pump.send_raw(raw)
    await pump.send(b"the same words", text=True)
    # A reader that never saw the first message understands the last one.
    assert FrameReader().feed(bytes(transport.written)) == ["something else", "the same words"]


async def test_pongs_that_nobody_waits_for_are_kept_within_bounds() -> None:
    pump, _ = _open()
    for payload in (b"a", b"a", b"b"):
        pump.data_received(frame(payload, Opcode.PONG, mask=None))
    assert pump.pongs() == [b"a", b"b"]
    assert pump.pongs() == []
    for number in range(1_000):
        pump.data_received(frame(number.to_bytes(2, "big"), Opcode.PONG, mask=None))
    assert len(pump.pongs()) == 64


async def test_a_pong_to_a_ping_of_the_harness_is_not_the_cases() -> None:
    pump, transport = _open()
    asked = asyncio.ensure_future(pump.ping(20.0))
    await asyncio.sleep(0)
    sent = FrameReader()
    sent.feed(bytes(transport.written))
    assert sent.ping is not None
    pump.data_received(frame(sent.ping, Opcode.PONG, mask=None))
    assert await asked
    assert pump.pongs() == []


@pytest.mark.slow
async def test_a_deaf_pump_reads_nothing_more_whatever_is_taken_from_it() -> None:
    pump, transport = _open()
    pump.data_received(_frame(0x81, b"before"))
    pump.deafen()
    assert not transport.reading
    assert await pump.receive() == "before"
    assert not transport.reading
    await pump.abort()
    assert transport.aborted


@pytest.mark.parametrize("first", [0x89, 0x8A, 0x00], ids=["ping", "pong", "fragment"])
async def test_a_peer_that_sends_thousands_of_small_frames_in_a_moment_is_cut(first: int) -> None:
    pump, transport = _open()
    pump.data_received(_frame(0x01))
    pump.data_received(_frame(first) * 30_000)
    assert transport.aborted
    _, close = await _all(pump)
    assert close.by_target is False
    assert close.reason == "cut by us: it sent 20,000 pings or fragments in a moment"
