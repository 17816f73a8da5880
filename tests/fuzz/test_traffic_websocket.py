import base64
import zlib

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.records import Side
from fuzz.traffic.events import MAX_MESSAGE, Closing, Lost, Opened, Said, Secret, Told
from fuzz.traffic.websocket import MAX_HEADERS, Socket
from strategies.wsframes import KEY, RSV1, Opcode, frame

BASIC = base64.b64encode(b"CS-1:pass:word").decode()
REQUEST = (
    f"GET /ocpp/CS%2D1?x=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {BASIC}\r\n\r\n".encode()
)
PLAIN = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n"
ONE, TWO = '[2,"1","Heartbeat",{}]', '[3,"1",{}]'


def answer(extensions: str) -> bytes:
    return PLAIN.replace(
        b"\r\n\r\n", f"\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n".encode()
    )


def socket() -> Socket:
    return Socket("s", "ocpp2.0.1")


def play(*pieces: tuple[bool, bytes]) -> list[Told]:
    made = socket()
    told = [event for by_opener, data in pieces for event in made.feed(data, by_opener=by_opener)]
    return [*told, *made.end()]


def opened(*pieces: tuple[bool, bytes], response: bytes = PLAIN) -> list[Told]:
    first, *rest = play((True, REQUEST), (False, response), *pieces)
    assert isinstance(first, Opened)
    return rest


def test_the_upgrade_tells_who_calls_and_with_which_password() -> None:
    (told,) = play((True, REQUEST), (False, PLAIN))
    assert told == Opened(
        "s", ((Secret.IDENTITY, "CS-1"), (Secret.IDENTITY, "CS-1"), (Secret.SECRET, "pass:word"))
    )


def test_masked_and_plain_messages_are_read_in_both_directions() -> None:
    assert opened(
        (True, frame(ONE.encode(), mask=KEY)), (False, frame(TWO.encode(), mask=None))
    ) == [Said("s", Side.STATION, ONE), Said("s", Side.CSMS, TWO)]


def test_what_a_client_says_before_it_is_answered_is_read_afterwards() -> None:
    first, said = play((True, REQUEST + frame(ONE.encode(), mask=KEY)), (False, PLAIN))
    assert isinstance(first, Opened)
    assert said == Said("s", Side.STATION, ONE)


def test_fragments_are_joined_over_pings_between_them() -> None:
    data = (
        frame(ONE[:4].encode(), mask=KEY, fin=False)
        + frame(b"?", Opcode.PING, mask=KEY)
        + frame(ONE[4:].encode(), Opcode.CONTINUATION, mask=KEY)
    )
    pieces = [(True, data[i : i + 1]) for i in range(len(data))]
    assert opened(*pieces) == [Said("s", Side.STATION, ONE)]


@pytest.mark.parametrize("takeover", [True, False])
def test_compressed_messages_are_inflated_with_and_without_what_came_before(takeover: bool) -> None:
    by = zlib.compressobj(wbits=-15)
    said = []
    for text in (ONE, ONE, TWO):
        if not takeover:
            by = zlib.compressobj(wbits=-15)
        squeezed = (by.compress(text.encode()) + by.flush(zlib.Z_SYNC_FLUSH))[:-4]
        said.append((True, frame(squeezed, mask=KEY, rsv=RSV1)))
    words = "permessage-deflate" + ("" if takeover else "; client_no_context_takeover")
    assert [e.data for e in opened(*said, response=answer(words)) if isinstance(e, Said)] == [
        ONE,
        ONE,
        TWO,
    ]


def test_bytes_stay_bytes_and_bad_utf_8_is_kept_as_it_was() -> None:
    assert opened(
        (False, frame(b"\x00\x01", Opcode.BINARY, mask=None)), (False, frame(b"\xff", mask=None))
    ) == [Said("s", Side.CSMS, b"\x00\x01", binary=True), Said("s", Side.CSMS, b"\xff")]


def test_a_bomb_is_not_inflated_and_the_other_direction_goes_on() -> None:
    by = zlib.compressobj(9, wbits=-15)
    bomb = by.compress(bytes(MAX_MESSAGE + 99)) + by.flush(zlib.Z_SYNC_FLUSH)
    assert len(bomb) < 20_000
    lost, said = opened(
        (True, frame(bomb, mask=KEY, rsv=RSV1)),
        (True, frame(ONE.encode(), mask=KEY)),
        (False, frame(TWO.encode(), mask=None)),
        response=answer("permessage-deflate"),
    )
    assert isinstance(lost, Lost)
    assert "inflates to more than" in lost.reason
    assert said == Said("s", Side.CSMS, TWO)


@pytest.mark.parametrize(
    "data",
    [
        frame(b"", mask=None, width=64, told=2**62),
        frame(b"\xff" * 9, mask=None, rsv=RSV1),
        frame(bytes(MAX_MESSAGE), mask=None, fin=False)
        + frame(b"x", Opcode.CONTINUATION, mask=None),
    ],
)
def test_what_claims_too_much_or_is_no_deflate_ends_its_direction(data: bytes) -> None:
    (lost,) = opened((False, data), response=answer("permessage-deflate"))
    assert isinstance(lost, Lost)


@pytest.mark.parametrize(
    ("payload", "code", "reason"),
    [(b"", 1005, ""), (b"\x03\xe8", 1000, ""), (b"\x0f\xa1bye\xff", 4001, "bye\ufffd")],
)
def test_a_close_frame_is_told_with_code_and_reason(payload: bytes, code: int, reason: str) -> None:
    (told,) = opened((False, frame(payload, opcode=Opcode.CLOSE, mask=None)))
    assert told == Closing("s", Side.CSMS, code, reason)


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([(True, b"POST /")], "no WebSocket"),
        ([(True, b"\x00\x01")], "no WebSocket"),
        ([(True, REQUEST), (False, b"HTTP/1.1 401 No\r\n\r\n")], "not upgraded"),
        ([(True, REQUEST), (False, PLAIN.replace(b"2.0.1", b"1.6"))], "another protocol"),
        ([(True, REQUEST), (False, b"x" * (MAX_HEADERS + 9))], "does not end"),
        ([(True, REQUEST)], "without a whole WebSocket handshake"),
    ],
)
def test_what_is_no_websocket_of_ours_is_told_once(
    pieces: list[tuple[bool, bytes]], reason: str
) -> None:
    (lost,) = play(*pieces, (True, b"more"))
    assert isinstance(lost, Lost)
    assert reason in lost.reason


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=40)), max_size=6), st.booleans())
def test_any_bytes_give_events_and_no_exception(
    pieces: list[tuple[bool, bytes]], upgraded: bool
) -> None:
    before = [(True, REQUEST), (False, answer("permessage-deflate"))] if upgraded else []
    assert all(isinstance(e, Opened | Said | Closing | Lost) for e in play(*before, *pieces))
