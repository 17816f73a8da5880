from __future__ import annotations

import itertools

import pytest
from hypothesis import given, strategies as st
from websockets.frames import Frame, Opcode as TheirOpcode
from websockets.streams import StreamReader

from strategies.wsframes import (
    KEPT,
    KEY,
    RSV1,
    FrameReader,
    Opcode,
    deflated,
    deflater,
    frame,
    masked,
)

MASKS = st.none() | st.binary(min_size=4, max_size=4)
PROPER = (Opcode.CONTINUATION, Opcode.TEXT, Opcode.BINARY, Opcode.PING)


def read_by_a_library(data: bytes, *, mask: bool) -> Frame:
    """What another WebSocket implementation reads out of one frame."""
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=mask)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    return done.value.value


@given(
    st.binary(max_size=125) | st.binary(min_size=126, max_size=300),
    st.sampled_from(PROPER),
    MASKS,
    st.booleans(),
)
def test_a_proper_frame_is_what_a_library_reads(payload, opcode, mask, fin):
    if opcode is Opcode.PING:
        payload, fin = payload[:125], True
    read = read_by_a_library(frame(payload, opcode, mask=mask, fin=fin), mask=mask is not None)
    assert (read.opcode, bytes(read.data), read.fin) == (TheirOpcode(opcode), payload, fin)


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_the_length_is_written_as_short_as_it_fits(length, head):
    assert frame(bytes(length), mask=None)[: len(head) // 2].hex() == head


def test_every_part_of_a_frame_can_be_wrong():
    assert frame(b"x", 0xF, mask=None, fin=False, rsv=0b111).hex() == "7f0178"
    assert frame(b"x", mask=None, width=64).hex() == "817f000000000000000178"
    assert frame(b"x", mask=None, told=2**63 - 1).hex() == "817f7fffffffffffffff78"
    assert frame(b"x", mask=KEY).hex() == "818137fa213d4f"


@given(st.binary(max_size=50), st.binary(min_size=4, max_size=4), st.integers(0, 20))
def test_masking_twice_is_no_masking_at_any_offset(payload, key, offset):
    assert masked(masked(payload, key, offset), key, offset) == payload
    both = masked(bytes(offset) + payload, key)
    assert both[offset:] == masked(payload, key, offset)


# --- reading back -----------------------------------------------------------------------------------------


@given(
    st.text(max_size=60),
    MASKS,
    st.lists(st.integers(0, 60), max_size=3),
    st.integers(1, 50),
    st.booleans(),
)
def test_a_message_is_found_however_it_is_cut_into_frames_and_writes(text, mask, at, step, squeeze):
    whole = text.encode()
    if squeeze:
        whole = deflated(whole, deflater())
    ends = [0, *sorted(min(a, len(whole)) for a in at), len(whole)]
    pieces = [whole[a:b] for a, b in itertools.pairwise(ends)]
    data = b"".join(
        frame(
            piece,
            Opcode.CONTINUATION if i else Opcode.TEXT,
            mask=mask,
            fin=i == len(pieces) - 1,
            rsv=RSV1 if squeeze and not i else 0,
        )
        + frame(b"between", Opcode.PING, mask=mask)
        for i, piece in enumerate(pieces)
    )
    reader, found = FrameReader(), []
    for start in range(0, len(data), step):
        found += reader.feed(data[start : start + step])
    assert found == [text]
    assert reader.ping == b"between"
    assert not reader.unfinished


@given(st.binary(max_size=300), st.integers(1, 100))
def test_anything_can_be_read_and_how_it_is_cut_does_not_matter(data, step):
    whole, parts = FrameReader(), FrameReader()
    found = whole.feed(data)
    in_parts = [t for i in range(0, len(data), step) for t in parts.feed(data[i : i + step])]
    assert in_parts == found
    assert (parts.ping, parts.closing, parts.unfinished) == (
        whole.ping,
        whole.closing,
        whole.unfinished,
    )


def test_a_message_that_takes_over_the_context_of_the_one_before_is_read():
    by = deflater()
    first, second = deflated(b"the same words", by), deflated(b"the same words", by)
    assert len(second) < len(first)
    reader = FrameReader()
    data = frame(first, mask=None, rsv=RSV1) + frame(second, mask=None, rsv=RSV1)
    assert reader.feed(data) == ["the same words"] * 2


def test_memory_is_bounded_whatever_is_told_or_unpacked():
    reader = FrameReader()
    reader.feed(frame(b"x" * (KEPT + 5), mask=None, told=2**63 - 1))
    assert len(reader._payload) == KEPT
    bomb = frame(deflated(bytes(2**22), deflater()), mask=None, rsv=RSV1)
    assert [len(t) for t in FrameReader().feed(bomb)] == [KEPT]


@pytest.mark.parametrize(
    "data",
    [
        b"\x81",
        frame(b"abc", mask=None)[:-1],
        frame(b"a", mask=None, fin=False),
        frame(b"a", mask=KEY)[:5],
    ],
    ids=["half a head", "half a payload", "a first fragment", "half a mask"],
)
def test_what_is_not_at_its_end_is_unfinished(data):
    reader = FrameReader()
    assert reader.feed(data) == []
    assert reader.unfinished


def test_what_a_pong_carries_is_kept():
    reader = FrameReader()
    assert reader.pong is None
    for data in (b"one", b""):
        reader.feed(frame(data, Opcode.PONG, mask=KEY))
        assert reader.pong == data


def test_an_ill_ping_asks_for_no_pong_and_a_close_is_noted():
    reader = FrameReader()
    reader.feed(frame(bytes(126), Opcode.PING, mask=None))
    reader.feed(frame(b"x", Opcode.PING, mask=None, rsv=RSV1))
    assert (reader.ping, reader.closing) == (None, False)
    reader.feed(frame(b"", Opcode.CLOSE, mask=None))
    assert reader.closing
