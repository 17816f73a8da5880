"""What goes over a connection is written down, without the password of its handshake."""

import pytest

from fuzz.transport.tape import MAX_HEAD, MAX_REELS, MAX_TAPE, Reel, Reels

HEAD = (
    b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic Q1MtMTpzZWNyZXQ=\r\n\r\n"
)
HIDDEN = HEAD.replace(b"Basic Q1MtMTpzZWNyZXQ=", b"*" * 22)


def said(reel):
    return [(chunk.ours, chunk.data) for chunk in reel.tape().chunks]


@pytest.mark.parametrize("size", [1, 7, len(HEAD)])
async def test_a_password_in_the_handshake_is_hidden_however_it_arrives(size):
    reel = Reel()
    for at in range(0, len(HEAD), size):
        reel.record(HEAD[at : at + size], ours=False)
    assert said(reel) == [(False, HIDDEN)]


async def test_what_comes_behind_a_head_is_kept_and_forgotten_when_it_is_rewound():
    reel = Reel()
    reel.record(b"GET / HTTP/1.1\r\n\r\n", ours=False)
    reel.record(b"HTTP/1.1 101 x\r\n\r\n\x81\x01a", ours=True)
    reel.record(b"\x81\x81", ours=False)
    opening = [(False, b"GET / HTTP/1.1\r\n\r\n"), (True, b"HTTP/1.1 101 x\r\n\r\n")]
    assert said(reel) == [*opening, (True, b"\x81\x01a"), (False, b"\x81\x81")]
    reel.rewind()
    assert said(reel) == opening


async def test_what_is_kept_is_bounded():
    reel = Reel()
    for ours in (True, False):
        reel.record(b"\r\n\r\n", ours=ours)
    reel.record(b"x" * (MAX_TAPE - 1), ours=False)
    reel.record(b"yz", ours=True)
    reel.record(b"never", ours=True)
    assert said(reel)[-1] == (True, b"y")


async def test_a_head_without_an_end_is_kept_in_pieces_at_last():
    reel = Reel()
    reel.record(b"a" * MAX_HEAD, ours=False)
    reel.record(b"b", ours=False)
    assert said(reel) == [(False, b"a" * MAX_HEAD), (False, b"b")]


async def test_ended_connections_are_forgotten_when_what_counts_begins_anew():
    reels = Reels()
    first, second = reels.begin(), reels.begin()
    for reel in (first, second):
        reel.record(HEAD, ours=False)
    first.end()
    assert [tape.ended_s is None for tape in reels.tapes()] == [False, True]
    reels.rewind()
    assert len(reels.tapes()) == 1


async def test_a_crowd_of_callers_is_not_remembered():
    reels = Reels()
    for _ in range(3 * MAX_REELS):
        reels.begin().record(HEAD, ours=False)
    assert len(reels.tapes()) == MAX_REELS
