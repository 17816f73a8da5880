"""Of all packets of an interface, those of the finding's connection are kept, each once."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fuzz.app.sniffing import Sniffer, sniffing
from fuzz.errors import UsageError
from fuzz.records import Chunk, Tape

BEGAN = datetime(2026, 1, 2, tzinfo=UTC)
TAPE = Tape(BEGAN, ("127.0.0.1", 9000), ("127.0.0.1", 50_000), (Chunk(1.0, True, b"x"),), 3.0)


def packet(sport: int, dport: int, data: bytes = b"") -> bytes:
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import Ether
    from scapy.packet import Raw

    return bytes(Ether() / IP() / TCP(sport=sport, dport=dport) / Raw(data))


def kept(sniffer: Sniffer, *tapes: Tape) -> list[bytes]:
    from scapy.layers.inet import TCP
    from scapy.utils import PcapNgReader

    capture = sniffer.pcapng(tapes, "O1-1a2b3c4d")
    return [bytes(p[TCP].payload) for p in PcapNgReader(io.BytesIO(capture))] if capture else []


@pytest.fixture
def sniffer():
    made = Sniffer("lo")
    start = BEGAN.timestamp()
    made._packets.extend(
        [
            (start - 60, packet(9000, 50_000, b"too early")),
            (start + 1, packet(9000, 50_000, b"ours")),
            (start + 1, packet(9000, 50_000, b"ours")),
            (start + 2, packet(50_000, 9000, b"theirs")),
            (start + 2, packet(9000, 50_001, b"somebody else's")),
            (start + 2, b"no packet at all"),
            (start + 60, packet(9000, 50_000, b"too late")),
        ]
    )
    return made


def test_the_packets_of_the_connection_are_kept_once_and_in_order(sniffer):
    assert kept(sniffer, TAPE) == [b"ours", b"theirs"]


def test_an_open_connection_counts_until_its_last_word(sniffer):
    assert kept(sniffer, replace(TAPE, ended_s=None)) == [b"ours", b"theirs"]


def test_another_connection_has_no_packets(sniffer):
    assert kept(sniffer, replace(TAPE, theirs=("127.0.0.1", 1))) == []
    assert kept(sniffer) == []


def test_the_capture_says_that_its_packets_are_real(sniffer):
    capture = sniffer.pcapng([TAPE], "O1-1a2b3c4d")
    assert b"Real packets of the interface lo, taken by ocppfuzz while it played" in capture


def test_an_interface_that_is_not_there_is_a_usage_error_of_one_line():
    with pytest.raises(UsageError) as caught, sniffing("no-such-interface"):
        pass
    assert "cannot capture packets of 'no-such-interface'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_an_interface_nothing_is_opened():
    with sniffing(None) as nothing:
        assert nothing is None
