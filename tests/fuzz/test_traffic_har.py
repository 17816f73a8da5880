import io
import json

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.errors import UsageError
from fuzz.records import Side
from fuzz.traffic.events import Lost, Opened, Said, Secret, Told
from fuzz.traffic.har import read_har


def read(value: object) -> list[Told]:
    return list(read_har(io.BytesIO(json.dumps(value).encode()), "a.har"))


def har(*messages: object, url: object = "wss://cs:pw@host/ocpp/CS-1") -> object:
    entry = {"request": {"url": url}, "_webSocketMessages": list(messages)}
    return {"log": {"entries": [{"request": {}}, entry]}}


def test_what_the_browser_sent_is_the_stations() -> None:
    told = read(
        har(
            {"type": "send", "time": 1, "opcode": 1, "data": '[2,"1","Heartbeat",{}]'},
            {"type": "receive", "time": 2, "opcode": 2, "data": "AAE="},
        )
    )
    assert told == [
        Opened(
            "a.har#1",
            ((Secret.IDENTITY, "CS-1"), (Secret.IDENTITY, "cs"), (Secret.SECRET, "pw")),
        ),
        Said("a.har#1", Side.STATION, '[2,"1","Heartbeat",{}]'),
        Said("a.har#1", Side.CSMS, b"\x00\x01", binary=True),
    ]


@pytest.mark.parametrize(
    "message",
    [
        None,
        {"type": "send"},
        {"type": "other", "data": "x"},
        {"type": "send", "data": "\ud800"},
        {"type": "send", "opcode": 2, "data": "no base64!"},
    ],
)
def test_a_message_that_cannot_be_read_is_told(message: object) -> None:
    assert isinstance(read(har(message, url="http://[bad"))[-1], Lost)


@pytest.mark.parametrize(
    "data", [b"{", b"[" * 100_000, b"\xff", b"{}", b"[]", b'{"log": {"entries": 3}}']
)
def test_what_is_no_har_file_is_one_clear_line(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"^a\.har: "):
        list(read_har(io.BytesIO(data), "a.har"))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["request", "url", "_webSocketMessages", "type", "data"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, database=None)
@given(_JSON)
def test_any_entries_give_events_and_no_exception(value: object) -> None:
    told = read({"log": {"entries": [value]}})
    assert all(isinstance(e, Opened | Said | Lost) for e in told)
