from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tlslab.build import alert, flight, handshake, record
from tlslab.records import (
    MAX_MESSAGE,
    HelloError,
    Message,
    Reader,
    messages,
    plain_alert,
    records,
)


@given(
    parts=st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=50)), max_size=5),
    cut=st.integers(0, 4),
)
def test_complete_records_are_read_whatever_they_hold(
    parts: list[tuple[int, bytes]], cut: int
) -> None:
    stream = b"".join(record(kind, body) for kind, body in parts)
    found = list(records(stream + b"\x16\x03\x03\x00"[:cut]))
    assert [(r.type, r.body) for r in found] == parts
    assert found == [] or found[-1].end == len(stream)


def test_reading_ends_where_the_bytes_are_no_tls() -> None:
    assert list(records(b"HTTP/1.1 400 Bad Request\r\n\r\n")) == []
    assert len(list(records(alert(2, 40) + b"HTTP/1.1 400"))) == 1


@given(
    bodies=st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=5),
    size=st.integers(1, 60),
)
def test_messages_are_put_together_from_records(bodies: list[tuple[int, bytes]], size: int) -> None:
    stream = flight(*(handshake(kind, body) for kind, body in bodies), size=size)
    assert [(m.type, m.body) for m in messages(records(stream))] == bodies


def test_a_message_says_where_its_last_record_ended() -> None:
    stream = flight(handshake(2, b"12345"), size=4)
    assert list(messages(records(stream))) == [Message(2, b"12345", len(stream))]


def test_what_is_encrypted_is_no_message() -> None:
    hidden = record(20, b"\1") + flight(handshake(20, b"finished"))
    assert [m.type for m in messages(records(flight(handshake(2, b"")) + hidden))] == [2]


def test_a_message_that_is_announced_too_long_is_not_waited_for() -> None:
    stream = flight(b"\x02" + (MAX_MESSAGE + 1).to_bytes(3, "big") + b"start")
    assert list(messages(records(stream + flight(handshake(1, b""))))) == []


@given(data=st.binary(max_size=300))
def test_garbage_is_read_as_far_as_it_goes(data: bytes) -> None:
    stream = b"\x16\x03\x03\x00\x06" + data
    assert sum(len(m.body) for m in messages(records(stream))) <= len(stream)


@pytest.mark.parametrize(
    ("body", "found"),
    [(b"\x02\x28", (2, 40)), (b"\x01\x00", (1, 0)), (b"\x02\x28\x00", None), (b"\x07\x28", None)],
)
def test_only_plain_alerts_are_understood(body: bytes, found: tuple[int, int] | None) -> None:
    (read,) = records(record(21, body))
    assert plain_alert(read) == found


def test_a_handshake_record_is_no_alert() -> None:
    (read,) = records(record(22, b"\x02\x28"))
    assert plain_alert(read) is None


def test_a_reader_gives_no_more_than_there_is() -> None:
    with pytest.raises(HelloError, match="3 bytes announced, 2 left"):
        Reader(b"\x03ab").vector(1)
    with pytest.raises(HelloError, match="no list"):
        Reader(b"\x03abc").codes(1)
