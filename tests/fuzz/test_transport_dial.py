from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Door
from fuzz.transport import Dialler, Listener

PATIENCE_S = 20.0
Serve = Callable[[bytes], Awaitable[int]]


@pytest.fixture
async def answering() -> AsyncIterator[Serve]:
    """Serves fixed bytes to whoever calls, on the port that it gives back."""
    servers: list[asyncio.Server] = []

    async def serve(answer: bytes) -> int:
        async def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(called, "127.0.0.1", 0)
        servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield serve
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404; check the path"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "HTTP 503"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "does not finish"),
        (b"SSH-2.0-OpenSSH\r\n", "does not finish"),
        (b"", "does not finish|closed the connection"),
    ],
)
async def test_a_csms_that_does_not_let_us_in_is_told_with_the_reason(
    answer: bytes, words: str, answering: Serve
) -> None:
    dialler = Dialler(f"ws://127.0.0.1:{await answering(answer)}/CS1")
    with pytest.raises(TargetUnavailable, match=words):
        await dialler.open(PATIENCE_S)


async def test_a_csms_that_speaks_no_tls_is_told_as_such(answering: Serve) -> None:
    port = await answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(TargetUnavailable, match=r"TLS handshake .* does not speak TLS"):
        await Dialler(f"wss://127.0.0.1:{port}/CS1").open(PATIENCE_S)


async def test_a_csms_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        with pytest.raises(TargetUnavailable, match=r"did not answer within 0\.05 s"):
            await Dialler(f"ws://127.0.0.1:{port}/CS1").open(0.05)


async def test_a_csms_that_is_not_there_yet_is_dialled_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    dialler: Door = Dialler(f"ws://127.0.0.1:{port}/CS1")
    dialling = asyncio.ensure_future(dialler.open(PATIENCE_S))
    await asyncio.sleep(0)
    listener = Listener("127.0.0.1", port, identities=None)
    ours = await listener.open(PATIENCE_S)
    theirs = await dialling
    assert theirs.handshake.identity == ours.handshake.identity == "CS1"
    assert dialler.side == "csms"
    await theirs.abort()
    await listener.aclose()
    await dialler.aclose()


async def test_a_host_that_cannot_be_resolved_is_told() -> None:
    with pytest.raises(TargetUnavailable, match=r"cannot (resolve|reach)"):
        await Dialler("ws://no-such-host.invalid/CS1").open(PATIENCE_S)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://x/CS1", "no WebSocket URL"),
        ("wss:///CS1", "no WebSocket URL"),
        ("ws://x:99999/CS1", "no WebSocket URL"),
        ("ws://user:secret@x/CS1", "must not hold a password"),
    ],
)
def test_a_url_that_cannot_be_dialled_is_a_usage_error(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Dialler(url)


def test_a_tls_context_for_a_plain_url_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="use wss://"):
        Dialler("ws://x/CS1", tls=ssl.create_default_context())
