from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given, settings, strategies as st

from fuzz.traffic.events import Lost, Told
from fuzz.traffic.network import ACK, RST, SYN, Segment
from fuzz.traffic.tcp import MAX_PIECES, Streams

A, B = (b"a", 1), (b"b", 2)


@dataclass
class Kept:
    """Keeps what it reads."""

    name: str
    streams: list[bytearray] = field(default_factory=lambda: [bytearray(), bytearray()])
    ended: bool = False

    def feed(self, data: bytes, *, by_opener: bool) -> Iterator[Told]:
        self.streams[not by_opener] += data
        yield from ()

    def end(self) -> Iterator[Told]:
        self.ended = True
        yield from ()


def a(number: int, data: bytes = b"", flags: int = 0, *, cut: bool = False) -> Segment:
    return Segment(A, B, number % 2**32, flags, data, cut)


def b(number: int, data: bytes = b"", flags: int = 0) -> Segment:
    return Segment(B, A, number, flags, data)


def play(*pieces: Segment) -> tuple[list[Kept], list[Told]]:
    readers: list[Kept] = []

    def reader(name: str) -> Kept:
        readers.append(Kept(name))
        return readers[-1]

    streams = Streams(reader)
    told = [event for piece in pieces for event in streams.take(piece)]
    return readers, [*told, *streams.end()]


def test_both_directions_are_put_together_and_the_opener_is_known() -> None:
    (one,), told = play(
        a(9, flags=SYN), b(99, flags=SYN | ACK), a(10, b"GET"), b(100, b"101"), a(13, b" /")
    )
    assert one.streams == [b"GET /", b"101"]
    assert one.ended
    assert told == []


def test_pieces_that_come_late_twice_or_overlapping_are_put_in_order() -> None:
    (one,), told = play(
        a(0, flags=SYN), a(4, b"def"), a(1, b"abc"), a(1, b"abc"), a(5, b"efghi"), a(7, b"gh")
    )
    assert one.streams[0] == b"abcdefghi"
    assert told == []


def test_numbers_wrap_around() -> None:
    (one,), _ = play(a(2**32 - 3, flags=SYN), a(1, b"cd"), a(2**32 - 2, b"ab!"))
    assert one.streams[0] == b"ab!cd"


def test_a_missing_piece_ends_its_direction_and_is_told_once() -> None:
    (one,), told = play(a(0, flags=SYN), a(1, b"abc"), a(9, b"x"), b(5, b"ok"))
    assert one.streams == [b"abc", b"ok"]
    assert [type(e) for e in told] == [Lost]


def test_what_waits_is_bounded() -> None:
    pieces = [a(10 + 2 * i, b"x") for i in range(MAX_PIECES + 2)]
    (one,), told = play(a(0, flags=SYN), *pieces, a(1, b"late"))
    assert one.streams[0] == b""
    assert [type(e) for e in told] == [Lost]


def test_a_packet_that_the_capture_cut_breaks_its_direction() -> None:
    (one,), told = play(a(0, flags=SYN), a(1, b"abc", cut=True), a(4, b"def"))
    assert one.streams[0] == b"abc"
    assert [type(e) for e in told] == [Lost]


def test_the_same_ports_again_are_another_connection() -> None:
    readers, _ = play(
        *(a(0, flags=SYN), a(0, flags=SYN), a(1, b"one"), a(4, flags=RST)),
        *(a(50, flags=SYN), a(51, b"two")),
    )
    assert [r.streams[0] for r in readers] == [b"one", b"two"]
    assert [r.name for r in readers] == ["stream 1", "stream 2"]


@settings(max_examples=200, deadline=None, database=None)
@given(st.binary(min_size=1, max_size=60), st.data())
def test_any_cutting_repeating_and_mixing_gives_the_same_stream(
    data: bytes, draw: st.DataObject
) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=6)))
    edges = [0, *cuts, len(data)]
    parts = [(s, data[s:e]) for s, e in pairwise(edges) if s < e]
    mixed = draw.draw(st.permutations(parts + parts[:2]))
    (one,), told = play(a(2**32 - 5, flags=SYN), *(a(2**32 - 4 + s, part) for s, part in mixed))
    assert one.streams[0] == data
    assert told == []
