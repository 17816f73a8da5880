import io
import json

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.records import Side
from fuzz.traffic.events import MAX_MESSAGE, Lost, Opened, Said, Secret, Told
from fuzz.traffic.lines import SOMEBODY, read_lines
from fuzz.traffic.perspective import Perspective
from strategies.version import version


def read(data: bytes, owner: Side | None = None) -> list[Told]:
    return list(read_lines(io.BytesIO(data), Perspective(version(), owner), lambda _count: None))


def said(data: bytes, owner: Side | None = None) -> list[Told]:
    return [e for e in read(data, owner) if not isinstance(e, Opened)]


def test_the_logger_of_the_package_is_read_with_whatever_stands_before() -> None:
    log = (
        b'2026-01-01 INFO:ocpp:CS-1: send [2,"1","BootNotification",{}]\n'
        b'CS-1: receive message [3,"1",{"status": "x: send y"}]\n'
    )
    assert read(log) == [
        Opened("CS-1", ((Secret.IDENTITY, "CS-1"),)),
        Said("CS-1", Side.STATION, '[2,"1","BootNotification",{}]'),
        Said("CS-1", Side.CSMS, '[3,"1",{"status": "x: send y"}]'),
    ]


@pytest.mark.parametrize(
    ("direction", "owner", "sender"),
    [
        ("station->csms", None, Side.STATION),
        ("csms->station", None, Side.CSMS),
        ("send", Side.CSMS, Side.CSMS),
        ("receive", Side.CSMS, Side.STATION),
    ],
)
def test_a_json_line_keeps_the_bytes_of_a_message_that_is_text(
    direction: str, owner: Side | None, sender: Side
) -> None:
    line = {"direction": direction, "time": 1.5, "message": '[2, "1",  "X", {}]'}
    assert said(json.dumps(line).encode(), owner) == [Said(SOMEBODY, sender, '[2, "1",  "X", {}]')]


def test_a_json_line_may_hold_the_message_as_an_array_and_name_its_station() -> None:
    line = {"direction": "station->csms", "identity": "CS-9", "message": [2, "1", "X", {"a": "ü"}]}
    assert read(json.dumps(line).encode()) == [
        Opened("CS-9", ((Secret.IDENTITY, "CS-9"),)),
        Said("CS-9", Side.STATION, '[2,"1","X",{"a":"\\u00fc"}]'),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff\xfe", "a line that is no UTF-8"),
        (b"hello", "a line that holds no message"),
        (b"{", "a line that is no JSON"),
        (b'{"a":' + b"[" * 100_000, "a line that is no JSON"),
        (b"{}", "a line without a message"),
        (b'{"base64": "AA==", "direction": "send"}', "bytes of which nobody can tell"),
        (b'{"base64": "A", "direction": "csms"}', "bytes that are no base64"),
        (b'{"base64": 7, "direction": "csms"}', "bytes that are no base64"),
        (b'{"message": "x"}', "a line whose direction is none of"),
        (b'{"message": "x", "direction": 1}', "a line whose direction is none of"),
        (b'{"message": "\\ud800", "direction": "csms"}', "a message that has no UTF-8 form"),
        (b'CS: send [2,"1","DataTransfer",{}]', "a message of which nobody can tell"),
        (b"x" * (MAX_MESSAGE + 9), f"a line of more than {MAX_MESSAGE} bytes"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_next_line_is_read(line: bytes, reason: str) -> None:
    lost, rest = said(line + b'\nCS: send [2,"1","Heartbeat",{}]\n')
    assert isinstance(lost, Lost)
    assert lost.reason.startswith(reason)
    assert rest == Said("CS", Side.STATION, '[2,"1","Heartbeat",{}]')


@settings(max_examples=200, deadline=None, database=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_events_and_no_exception(data: bytes) -> None:
    assert all(isinstance(e, Opened | Said | Lost) for e in read(data))
