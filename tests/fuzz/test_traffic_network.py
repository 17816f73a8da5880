import struct

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.traffic.network import SYN, Segment, segment

TCP = struct.pack(">HHIIBBHHH", 1000, 443, 7, 0, 5 << 4, SYN, 0, 0, 0)
A4, B4 = b"\x7f\x00\x00\x01", b"\x7f\x00\x00\x02"
A6, B6 = b"\x00" * 15 + b"\x01", b"\x00" * 15 + b"\x02"


def ip4(data: bytes, *, length: int | None = None, protocol: int = 6, fragment: int = 0) -> bytes:
    whole = 20 + len(data) if length is None else length
    return struct.pack(">BBHHHBBH", 0x45, 0, whole, 0, fragment, 64, protocol, 0) + A4 + B4 + data


def ip6(data: bytes, kind: int = 6) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(data), kind, 64) + A6 + B6 + data


FOUR = Segment((A4, 1000), (B4, 443), 7, SYN, b"hello")
SIX = Segment((A6, 1000), (B6, 443), 7, SYN, b"hello")


@pytest.mark.parametrize(
    ("link", "data", "found"),
    [
        (1, b"\x00" * 12 + b"\x08\x00" + ip4(TCP + b"hello") + b"padding", FOUR),
        (1, b"\x00" * 12 + b"\x81\x00\x00\x05\x08\x00" + ip4(TCP + b"hello"), FOUR),
        (1, b"\x00" * 12 + b"\x86\xdd" + ip6(TCP + b"hello"), SIX),
        (113, b"\x00" * 14 + b"\x08\x00" + ip4(TCP + b"hello"), FOUR),
        (276, b"\x08\x00" + b"\x00" * 18 + ip4(TCP + b"hello"), FOUR),
        (0, b"\x02\x00\x00\x00" + ip4(TCP + b"hello"), FOUR),
        (101, ip4(TCP + b"hello"), FOUR),
        (101, ip4(TCP + b"hello", length=0), FOUR),
        (229, ip6(b"\x06\x00" + b"\x00" * 6 + TCP + b"hello", kind=0), SIX),
    ],
)
def test_a_segment_is_found_in_every_link_layer(link: int, data: bytes, found: Segment) -> None:
    assert segment(link, data) == found


@pytest.mark.parametrize(
    ("link", "data"),
    [
        (1, b""),
        (1, b"\x00" * 12 + b"\x08\x06" + b"arp"),
        (101, ip4(TCP, protocol=17)),
        (101, ip4(TCP, fragment=0x2000)),
        (101, ip6(TCP, kind=44)),
        (101, ip4(TCP[:10])),
        (101, b"\x10" * 40),
        (9_999, ip4(TCP)),
    ],
)
def test_what_is_no_whole_segment_is_none(link: int, data: bytes) -> None:
    assert segment(link, data) is None


def test_a_packet_of_which_the_capture_kept_less_is_marked() -> None:
    found = segment(101, ip4(TCP + b"hello", length=900))
    assert found is not None
    assert found.cut


@settings(max_examples=300, deadline=None, database=None)
@given(st.sampled_from([0, 1, 101, 113, 276]), st.binary(max_size=120))
def test_any_bytes_give_a_segment_or_none(link: int, data: bytes) -> None:
    found = segment(link, data)
    assert found is None or isinstance(found, Segment)
