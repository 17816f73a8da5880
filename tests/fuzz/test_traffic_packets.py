import io
import struct

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.errors import UsageError
from fuzz.traffic.events import Lost
from fuzz.traffic.packets import MAX_BLOCK, Packet, is_capture, packets

PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
SECTION = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
INTERFACE = struct.pack("<IIHHII", 1, 20, 101, 0, 0, 20)


def record(data: bytes, claimed: int | None = None) -> bytes:
    length = len(data) if claimed is None else claimed
    return struct.pack("<IIII", 0, 0, length, length) + data


def block(kind: int, body: bytes, claimed: int | None = None) -> bytes:
    body += bytes(-len(body) % 4)
    length = len(body) + 12 if claimed is None else claimed
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def enhanced(data: bytes) -> bytes:
    return block(6, struct.pack("<IIIII", 0, 0, 0, len(data), len(data)) + data)


def secrets(log: bytes) -> bytes:
    return block(10, struct.pack("<II", 0x544C534B, len(log)) + log)


def read(data: bytes) -> tuple[list[Packet | Lost], list[bytes]]:
    keys: list[bytes] = []
    return list(packets(io.BytesIO(data), "a", lambda _count: None, keys.append)), keys


def test_a_pcap_gives_its_packets() -> None:
    assert read(PCAP + record(b"one") + record(b"two"))[0] == [Packet(1, b"one"), Packet(1, b"two")]


def test_a_pcapng_gives_its_packets_and_its_keys() -> None:
    told, keys = read(SECTION + INTERFACE + secrets(b"CLIENT_RANDOM a b") + enhanced(b"one"))
    assert told == [Packet(101, b"one")]
    assert keys == [b"CLIENT_RANDOM a b"]


@pytest.mark.parametrize(
    "data",
    [
        PCAP + record(b"one") + record(b"two")[:-1],
        PCAP + record(b"one") + b"\x00" * 7,
        SECTION + INTERFACE + enhanced(b"one") + enhanced(b"two")[:-3],
        SECTION + INTERFACE + enhanced(b"one") + block(6, b"x" * 40, claimed=11),
        SECTION + INTERFACE + enhanced(b"one") + block(6, b"short"),
    ],
)
def test_a_capture_that_is_cut_off_or_broken_gives_what_came_before_and_says_so(
    data: bytes,
) -> None:
    told, _ = read(data)
    assert told[0] in (Packet(1, b"one"), Packet(101, b"one"))
    assert isinstance(told[-1], Lost)
    assert "capture" in told[-1].reason


def test_two_gigabytes_that_are_only_claimed_are_not_asked_for() -> None:
    told, _ = read(SECTION + INTERFACE + enhanced(b"one") + block(6, b"", claimed=2**31))
    assert told[-1] == Lost(
        f"a block of the capture claims more than {MAX_BLOCK} bytes; the rest is not read"
    )
    told, _ = read(PCAP + record(b"x", claimed=2**31))
    assert isinstance(told[-1], Lost)


@pytest.mark.parametrize("data", [PCAP[:20], SECTION[:9], SECTION[:4] + b"x" * 40, b"\xa1\xb2"])
def test_a_capture_without_a_whole_head_is_one_clear_line(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"^a: not readable as a capture"):
        read(data)


def test_captures_are_known_by_their_first_bytes() -> None:
    assert is_capture(PCAP)
    assert is_capture(SECTION)
    assert not is_capture(b"{")
    assert not is_capture(b"")


@settings(max_examples=300, deadline=None, database=None)
@given(st.sampled_from([PCAP, SECTION + INTERFACE, PCAP[:4], SECTION[:8]]), st.binary(max_size=200))
def test_any_bytes_behind_a_head_give_packets_or_the_documented_error(
    head: bytes, rest: bytes
) -> None:
    try:
        told, _ = read(head + rest)
    except UsageError:
        return
    assert all(isinstance(one, Packet | Lost) for one in told)
