"""Captures are what a dissector reads back: the same bytes, in the same order, and a word on how they came."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.capture import pcapng
from tlslab.seen import Connection, Way

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
chunks = st.lists(st.tuples(st.sampled_from(list(Way)), st.binary(min_size=1, max_size=4000)))


def connection(said: list[tuple[Way, bytes]], host: str = "127.0.0.1") -> Connection:
    made = Connection(1, 100.0, BEGAN, ours=(host, 9000), theirs=(host, 50000), ended_s=109.0)
    for number, (way, data) in enumerate(said):
        made.record(100.0 + number / 100, way, data)
    return made


def streams(capture: bytes) -> dict[int, bytes]:
    """The bytes of each sender, by its port."""
    from scapy.layers.inet import TCP
    from scapy.utils import PcapNgReader

    found: dict[int, bytes] = {}
    for packet in PcapNgReader(io.BytesIO(capture)):
        found.setdefault(packet[TCP].sport, b"")
        found[packet[TCP].sport] += bytes(packet[TCP].payload)
    return found


@settings(deadline=None, max_examples=25)
@given(chunks)
def test_every_byte_comes_back_on_its_side(said: list[tuple[Way, bytes]]) -> None:
    found = streams(pcapng([connection(said)]))
    assert found[9000] == b"".join(data for way, data in said if way is Way.LAB)
    assert found[50000] == b"".join(data for way, data in said if way is Way.PEER)


def test_a_capture_says_how_it_was_made() -> None:
    capture = pcapng([connection([(Way.PEER, b"hello")])], "Case TS-31.")
    assert b"Made by ocppfuzz from the bytes of the socket" in capture
    assert b"Case TS-31." in capture


@pytest.mark.parametrize("host", ["::1", "fe80::1%eth0", "", "not an address"])
def test_any_address_fits(host: str) -> None:
    from scapy.utils import PcapNgReader

    capture = pcapng([connection([(Way.PEER, b"hello"), (Way.LAB, b"world")], host)])
    assert len(list(PcapNgReader(io.BytesIO(capture)))) == 7


def test_the_times_are_those_of_the_socket() -> None:
    from scapy.utils import PcapNgReader

    capture = pcapng([connection([(Way.PEER, b"a"), (Way.LAB, b"b")])])
    times = [float(p.time) for p in PcapNgReader(io.BytesIO(capture))]
    assert times[0] == pytest.approx(BEGAN.timestamp())
    assert times[-1] == pytest.approx(BEGAN.timestamp() + 9)


def test_no_connection_makes_an_empty_capture() -> None:
    assert pcapng([]) == b""
