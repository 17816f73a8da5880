from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.app import RecordOptions
from fuzz.app.recording import Recorder, record
from fuzz.errors import UsageError
from fuzz.records import Side
from fuzz.transport.proxy import Caller
from fuzz.transport.relay import Ended, Why
from strategies.version import version
from strategies.wsframes import KEY, Opcode, frame

REQUEST = (
    b"GET /CS-1 HTTP/1.1\r\nUpgrade: websocket\r\nAuthorization: Basic Q1MtMTpzM2NyM3Q=\r\n\r\n"
)
AGREED = b"HTTP/1.1 101 x\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n"
HEARTBEAT = b'[2,"1","Heartbeat",{}]'


def heard(folder: Path, pieces, *, response: bytes = AGREED, limit: int | None = None):
    """What a recorder makes of one connection, and what it tells."""
    lines: list[tuple[str, str]] = []

    async def play() -> Recorder:
        recorder = Recorder(folder, lambda kind, line: lines.append((kind, line)), version())
        talk = recorder.tap(Caller("CS-1", "127.0.0.1:5"))
        talk.opened(REQUEST, response)
        for data, side in pieces:
            talk.passed(data, side)
        talk.ended(Ended(Side.STATION, Why.END))
        assert recorder.talks == set()
        return recorder

    return asyncio.run(play()).outcome, lines


def text(data: bytes) -> bytes:
    return frame(data, mask=KEY)


chunks = st.lists(st.tuples(st.binary() | st.binary().map(text), st.sampled_from(Side)))


@settings(deadline=None)
@given(pieces=chunks)
def test_no_bytes_make_the_listener_fail(pieces) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outcome, _ = heard(Path(folder), pieces)
        assert outcome.trouble == []
        assert outcome.connections == 1


def test_messages_are_kept_as_they_were_and_no_credential_is(tmp_path: Path) -> None:
    whole = text(HEARTBEAT)
    pieces = [(whole[:3], Side.STATION), (whole[3:], Side.STATION)]
    outcome, _ = heard(
        tmp_path, [*pieces, (frame(b"\x00", opcode=Opcode.BINARY, mask=None), Side.CSMS)]
    )

    (file,) = outcome.files
    first, second = map(json.loads, file.read_text("ascii").splitlines())
    assert (first["direction"], first["message"]) == ("station->csms", HEARTBEAT.decode())
    assert (second["direction"], second["opcode"], second["base64"]) == (
        "csms->station",
        "binary",
        "AA==",
    )
    assert "s3cr3t" not in file.read_text()
    assert "Q1MtMTpzM2NyM3Q=" not in file.read_text()


def test_what_is_seen_is_told_once_with_its_place_and_counted(tmp_path: Path) -> None:
    bad = text(b'[2,"1","Heartbeat",{"a":1}]')
    outcome, lines = heard(
        tmp_path, [(text(HEARTBEAT), Side.STATION), (bad, Side.STATION), (bad, Side.STATION)]
    )
    seen = [s for s in outcome.of(remarks=False) if s.violation.oracle == "O6"]
    assert [(s.times, s.place) for s in seen] == [(2, f"{outcome.files[0]}:2")]
    assert len([line for kind, line in lines if kind == "seen" and "(O6, medium)" in line]) == 1


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (
            frame((1001).to_bytes(2, "big") + b"bye", opcode=Opcode.CLOSE, mask=KEY),
            "closed by the station with 1001 (bye)",
        ),
        (frame(b"", opcode=Opcode.CLOSE, mask=KEY), "closed by the station with 1005"),
        (b"", "connection ended by the station without a close frame"),
    ],
)
def test_the_end_of_a_connection_is_told(tmp_path: Path, last: bytes, expected: str) -> None:
    _, lines = heard(tmp_path, [(last, Side.STATION)])
    assert lines[-1] == ("connection", f"CS-1  {expected}; 0 messages in 0.0 s")


def test_another_subprotocol_is_passed_on_and_said_not_to_be_recorded(tmp_path: Path) -> None:
    response = AGREED.replace(b"2.0.1", b"1.6")
    outcome, lines = heard(tmp_path, [(text(HEARTBEAT), Side.STATION)], response=response)
    assert outcome.files == []
    assert (
        "connection",
        "CS-1  passed on, not recorded and not judged: a WebSocket of another protocol or version",
    ) in lines


def test_a_folder_that_cannot_be_written_ends_the_recording_and_is_told_once(
    tmp_path: Path,
) -> None:
    outcome, lines = heard(tmp_path / "gone", [(text(HEARTBEAT), Side.STATION)] * 3)
    assert len(outcome.trouble) == 1
    assert outcome.trouble[0].startswith("recording stopped, the traffic goes on: No such file")
    assert [kind for kind, _ in lines].count("trouble") == 1


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"listen": "9000"}, "is not HOST:PORT"),
        ({"target": "http://c"}, "is no ws or wss URL"),
        ({"cert": Path("c")}, "give both --cert and --key"),
        ({"ca": Path("c")}, "takes --cert and --key too"),
        ({"upstream_ca": Path("c")}, "is not encrypted"),
        (
            {"target": "wss://c", "upstream_cert": Path("c")},
            "both --upstream-cert and --upstream-key",
        ),
        ({"target": "wss://c", "upstream_ca": Path("none.pem")}, "cannot use CA file none.pem"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anybody_is_listened_to(
    tmp_path, given_, words
) -> None:
    options = {"listen": "127.0.0.1:0", "target": "ws://c/{identity}", "folder": tmp_path / "r"}
    with pytest.raises((UsageError, ValueError), match="(?i)" + words):
        record(RecordOptions(**(options | given_)), lambda _kind, _line: None)
    assert not (tmp_path / "r").exists()


def test_what_is_too_long_ends_its_direction_and_nobody_is_blamed_for_the_rest(
    tmp_path: Path,
) -> None:
    answers = [
        frame(b'[3,"%d",{"currentTime":"2026-01-01T00:00:00Z"}]' % n, mask=None) for n in (1, 1)
    ]
    long = frame(b"", mask=KEY, width=64, told=3 * 2**20)
    pieces = [(text(HEARTBEAT), Side.STATION), (long, Side.STATION)]
    outcome, lines = heard(tmp_path, [*pieces, *((a, Side.CSMS) for a in answers)])
    (said,) = [line for kind, line in lines if "not recorded" in line]
    assert "a frame claims 3145728 bytes; the rest of its direction is not read" in said
    assert outcome.messages == {Side.STATION: 1, Side.CSMS: 2}
    assert outcome.seen == {}
