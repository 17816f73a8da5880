"""Round trips: a conversation goes out in every form that we read and comes back as it was; byte soup never crashes."""

import json
import zlib
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.capture import pcapng
from fuzz.errors import UsageError
from fuzz.records import Side
from fuzz.traffic.events import Lost, Opened, Said, Told
from fuzz.traffic.recordings import Recording, key_log
from strategies.version import version
from strategies.wsframes import KEY, RSV1, frame
from tlslab.seen import Connection, Way

REQUEST = b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: h\r\n\r\n"
RESPONSE = (
    b"HTTP/1.1 101 OK\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.builds(
    lambda id_, payload: json.dumps([2, id_, "DataTransfer", payload]),
    st.text("abc", min_size=1, max_size=4),
    st.dictionaries(st.text(max_size=3), st.text(max_size=9), max_size=3),
)
CONVERSATIONS = st.lists(st.tuples(st.sampled_from(list(Side)), _TEXTS), max_size=8)
Conversation = list[tuple[Side, str]]


def events(path: Path) -> list[Told]:
    return list(Recording(path, version()).events())


def written(folder: str, name: str, data: bytes) -> Path:
    path = Path(folder) / name
    path.write_bytes(data)
    return path


def spoken(path: Path) -> Conversation:
    told = events(path)
    assert not [e for e in told if isinstance(e, Lost)]
    return [(e.sender, e.data) for e in told if isinstance(e, Said) and isinstance(e.data, str)]


def lines(conversation: Conversation) -> bytes:
    made = (
        {"direction": "station->csms" if who is Side.STATION else "csms->station", "message": text}
        for who, text in conversation
    )
    return b"".join(json.dumps(line).encode() + b"\n" for line in made)


def har(conversation: Conversation) -> bytes:
    messages = [
        {"type": "send" if who is Side.STATION else "receive", "opcode": 1, "data": text}
        for who, text in conversation
    ]
    entry = {"request": {"url": "ws://h/ocpp/CS-1"}, "_webSocketMessages": messages}
    return json.dumps({"log": {"entries": [entry]}}).encode()


def capture(conversation: Conversation, *, squeezed: bool) -> bytes:
    seen = Connection(1, 0.0, datetime(2026, 1, 1, tzinfo=UTC))
    seen.ours, seen.theirs = ("127.0.0.1", 80), ("127.0.0.1", 5_000)
    seen.record(0.1, Way.PEER, REQUEST)
    seen.record(0.2, Way.LAB, RESPONSE)
    by = {side: zlib.compressobj(wbits=-15) for side in Side}
    for at, (who, text) in enumerate(conversation, 3):
        data, rsv = text.encode(), 0
        if squeezed:
            data = (by[who].compress(data) + by[who].flush(zlib.Z_SYNC_FLUSH))[:-4]
            rsv = RSV1
        mask = KEY if who is Side.STATION else None
        seen.record(at / 10, Way.PEER if mask else Way.LAB, frame(data, mask=mask, rsv=rsv))
    return pcapng([seen])


@pytest.mark.slow
@settings(max_examples=60, deadline=None, database=None)
@given(CONVERSATIONS, st.booleans())
def test_any_conversation_comes_back_from_lines_har_and_capture(
    conversation: Conversation, squeezed: bool
) -> None:
    with TemporaryDirectory() as folder:
        assert spoken(written(folder, "a.jsonl", lines(conversation))) == conversation
        assert spoken(written(folder, "a.har", har(conversation))) == conversation
        data = capture(conversation, squeezed=squeezed)
        assert spoken(written(folder, "a.pcapng", data)) == conversation


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.sampled_from([b"", b"{", capture([(Side.STATION, "hello")], squeezed=True)]),
    st.binary(max_size=120),
    st.integers(0, 400),
    st.sampled_from(["a.pcap", "a.har", "a.log"]),
)
def test_any_bytes_in_any_place_give_events_or_the_documented_error(
    start: bytes, soup: bytes, at: int, name: str
) -> None:
    with TemporaryDirectory() as folder:
        path = written(folder, name, start[:at] + soup + start[at + len(soup) :])
        try:
            told = events(path)
        except UsageError:
            return
    assert all(isinstance(e, Opened | Said | Lost) for e in told)


def test_reading_tells_how_far_it_came(tmp_path: Path) -> None:
    path = written(str(tmp_path), "a.jsonl", lines([(Side.CSMS, "x")] * 3))
    told: list[int] = []
    list(Recording(path, version()).events(told.append))
    size = path.stat().st_size
    assert told == [size // 3, size // 3 * 2, size]


@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"\x1f\x8b\x08", b"PK\x03\x04"])
def test_what_is_no_recording_is_one_clear_line(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UsageError, match="no recording that is known; give JSON lines"):
        events(written(str(tmp_path), "a", data))


def test_files_that_are_not_there_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        events(tmp_path / "none")
    with pytest.raises(UsageError, match="cannot be read"):
        key_log(tmp_path)
