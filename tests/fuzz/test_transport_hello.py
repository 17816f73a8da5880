from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fuzz.errors import UsageError
from fuzz.transport import (
    ClientHelloTap,
    Dialler,
    Listener,
    Tapped,
    client_context,
    hello,
    server_context,
)
from tlslab.pki import Lab

PATIENCE_S = 20.0


@pytest.fixture
async def tap() -> AsyncIterator[ClientHelloTap]:
    made = ClientHelloTap("127.0.0.1", 0)
    await made.start()
    yield made
    await made.aclose()


async def test_a_tls_caller_is_read_and_comes_through(tap: ClientHelloTap, tmp_path: Path) -> None:
    lab = Lab.create(tmp_path, now=datetime.now(UTC))
    context = server_context(certificates=[(lab.csms.certificate, lab.csms.key)])
    inner = Listener("127.0.0.1", tap.inner_port, identities=None, tls=context)
    await inner.start()
    client = client_context(ca=lab.root.certificate)
    theirs = await Dialler(f"wss://localhost:{tap.port}/CS1", tls=client).open(PATIENCE_S)
    ours = await inner.open(PATIENCE_S)
    await theirs.send_text("x" * 1_000_000)
    assert len(await ours.receive()) == 1_000_000
    (seen,) = tap.seen
    assert seen.hello is not None
    assert seen.hello.server_name == "localhost"
    assert "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" in seen.hello.suite_names
    assert seen.summary == "TLS (TLSv1.3, TLSv1.2)"
    assert seen.remote.startswith("127.0.0.1:")
    await theirs.close()
    await inner.aclose()


async def test_a_plain_caller_is_read_and_comes_through(tap: ClientHelloTap) -> None:
    inner = Listener("127.0.0.1", tap.inner_port, identities=None)
    await inner.start()
    theirs = await Dialler(f"ws://127.0.0.1:{tap.port}/CS1").open(PATIENCE_S)
    assert [seen.summary for seen in tap.seen] == ["HTTP: GET /CS1 HTTP/1.1"]
    await theirs.close()
    await inner.aclose()


@pytest.mark.parametrize(
    ("words", "summary"),
    [
        (b"", "it said nothing"),
        (b"\x16\x03\x01\x02", "it stopped in the middle of its first words"),
        (b"\x00\x01\x02", "record type 0 is no handshake (22)"),
    ],
)
async def test_other_callers_are_noted_and_hung_up_on_when_nobody_is_behind(
    words: bytes, summary: str
) -> None:
    noted: list[Tapped] = []
    tap = ClientHelloTap("127.0.0.1", 0, on_caller=noted.append)
    await tap.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", tap.port)
    writer.write(words)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert [seen.summary for seen in tap.seen] == [summary]
    assert noted == list(tap.seen)
    await tap.aclose()


async def test_a_caller_that_stays_silent_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hello, "FIRST_TIMEOUT_S", 0.02)
    tap = ClientHelloTap("127.0.0.1", 0)
    await tap.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", tap.port)
    assert await reader.read() == b""
    writer.close()
    assert [seen.summary for seen in tap.seen] == ["it said nothing"]
    await tap.aclose()


async def test_closing_cuts_who_is_still_connected(tap: ClientHelloTap) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", tap.port)
    await asyncio.sleep(0)
    await tap.aclose()
    assert await reader.read() == b""
    writer.close()


async def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}"):
            await ClientHelloTap("127.0.0.1", port).start()
