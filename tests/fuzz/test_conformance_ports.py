"""A port notes every attempt, lets in whom its terms allow, and can turn callers away in several ways."""

import asyncio
import ssl

import pytest
from websockets.asyncio.client import connect

from fuzz.clock import SystemClock
from fuzz.conformance.ports import Port, Terms
from fuzz.errors import UsageError

SUBPROTOCOLS = ["ocpp2.0.1"]


@pytest.fixture
async def opened():
    """A started port, and the links that came in."""
    links = asyncio.Queue()

    async def arrived(link, port):
        links.put_nowait((link, port))

    port = Port("127.0.0.1", 0, SystemClock(), arrived)
    await port.start(Terms(identities=frozenset({"CS-1"})))
    yield port, links
    await port.aclose()


def _url(port):
    return f"ws://127.0.0.1:{port.number}/ocpp/CS-1"


async def test_a_caller_comes_in_and_is_noted(opened):
    port, links = opened
    async with connect(_url(port), subprotocols=SUBPROTOCOLS, proxy=None) as socket:
        await socket.send("hello")
        link, through = await links.get()
        assert await link.receive() == "hello"
        assert (through, link.handshake.identity) == (port, "CS-1")
    assert [a.hello for a in port.attempts] == [None]


async def test_a_stranger_is_refused(opened):
    port, links = opened
    with pytest.raises(Exception, match="404"):
        await connect(_url(port) + "2", subprotocols=SUBPROTOCOLS, proxy=None)
    assert links.empty()
    assert len(port.refusals) == 1


async def test_new_terms_hold_for_new_callers(opened):
    port, links = opened
    await port.offer(Terms(identities=frozenset({"CS-2"})))
    with pytest.raises(Exception, match="404"):
        await connect(_url(port), subprotocols=SUBPROTOCOLS, proxy=None)
    assert links.empty()


async def test_a_closed_port_hangs_up_and_notes_the_attempt(opened):
    port, links = opened
    port.closed = True
    with pytest.raises((OSError, EOFError, Exception)):
        await connect(_url(port), subprotocols=SUBPROTOCOLS, proxy=None)
    assert (len(port.attempts), links.empty()) == (1, True)


async def test_a_tls_caller_is_told_what_no_library_would_say(opened):
    port, links = opened
    port.says = b"\x15\x03\x03\x00\x02\x02\x28"
    with pytest.raises(ssl.SSLError):
        await asyncio.open_connection("127.0.0.1", port.number, ssl=ssl.create_default_context())
    (attempt,) = port.attempts
    assert attempt.hello is not None
    assert attempt.hello.versions
    assert links.empty()


async def test_a_port_that_is_taken_is_a_usage_error(opened):
    port, _ = opened
    second = Port("127.0.0.1", port.number, SystemClock(), None)
    with pytest.raises(UsageError, match="cannot listen"):
        await second.start(Terms())
