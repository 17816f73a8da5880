from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Close, Door, Handshake, Link, LinkClosed
from fuzz.transport import Dialler, Listener, Refused, client_context, listen, server_context
from tlslab.pki import Lab

PATIENCE_S = 20.0
Listen = Callable[..., Listener]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.create(tmp_path_factory.mktemp("lab"), now=datetime.now(UTC), serial="CS 1")


@pytest.fixture
async def listeners() -> AsyncIterator[Listen]:
    """Makes listeners on free loopback ports, and closes them."""
    made: list[Listener] = []

    def listener(**options: object) -> Listener:
        found = Listener("127.0.0.1", 0, **{"identities": None, **options})  # type: ignore[arg-type]
        made.append(found)
        return found

    yield listener
    for listener_made in made:
        await listener_made.aclose()


async def _both(door: Listener, path: str = "/ocpp/CS%201") -> tuple[Link, Link]:
    """Our end and the station's end of one connection."""
    await door.start()
    theirs = await Dialler(f"ws://127.0.0.1:{door.port}{path}").open(PATIENCE_S)
    return await door.open(PATIENCE_S), theirs


async def _say(door: Listener, words: bytes) -> bytes:
    """What a caller that says `words` hears until it is hung up on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(words)
    writer.write_eof()
    heard = await reader.read(65536)
    writer.close()
    return heard


async def test_a_station_comes_in_and_messages_go_both_ways(listeners: Listen) -> None:
    door = listeners(identities=frozenset({"CS 1"}))
    ours, theirs = await _both(door)
    await ours.send_text("héllo")
    await theirs.send_bytes(b"\x00\xff", opcode="binary")
    assert await theirs.receive() == "héllo"
    assert await ours.receive() == b"\x00\xff"
    assert await ours.ping(PATIENCE_S)
    shaken = ours.handshake
    assert shaken.remote.startswith("127.0.0.1:")
    assert shaken == Handshake(
        identity="CS 1",
        path="/ocpp/CS%201",
        subprotocol="ocpp2.0.1",
        offered_subprotocols=("ocpp2.0.1",),
        remote=shaken.remote,
        host=f"127.0.0.1:{door.port}",
        compression=True,
        context_takeover=True,
    )
    await theirs.close()


async def test_a_listener_fits_the_seam_and_says_what_to_dial(listeners: Listen) -> None:
    listener = listeners()
    door: Door = listener
    await listener.start()
    assert listener.port > 0
    assert listener.url == f"ws://127.0.0.1:{door.port}"
    assert door.side == "station"


async def test_mutual_tls_tells_who_came_and_how(listeners: Listen, lab: Lab) -> None:
    door = listeners(tls=_profile_3(lab))
    await door.start()
    context = client_context(
        ca=lab.root.certificate, certificate=lab.station.certificate, key=lab.station.key
    )
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    dialler = Dialler(f"wss://localhost:{door.port}/CS%201", tls=context, basic=("CS 1", "x"))
    theirs, ours = await dialler.open(PATIENCE_S), await door.open(PATIENCE_S)
    assert ours.handshake.tls_version == "TLSv1.2"
    assert ours.handshake.cipher_suite == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    assert ours.handshake.peer_common_name == "CS 1"
    assert ours.handshake.basic_user == "CS 1"
    assert theirs.handshake.peer_common_name == "localhost"
    await theirs.send_text("x" * 3_000_000)
    assert len(await ours.receive()) == 3_000_000
    await theirs.close()


def _profile_3(lab: Lab) -> ssl.SSLContext:
    return server_context(
        certificates=[(lab.csms.certificate, lab.csms.key)], client_ca=lab.root.certificate
    )


async def test_the_close_of_the_other_end_is_seen_with_code_and_reason(listeners: Listen) -> None:
    ours, theirs = await _both(listeners())
    await theirs.close(4001, "enough")
    with pytest.raises(LinkClosed) as closed:
        await ours.receive()
    assert closed.value.close == Close(4001, "enough", by_target=True)
    with pytest.raises(LinkClosed):
        await ours.send_text("x")
    assert await ours.ping(PATIENCE_S) is False


async def test_a_cut_connection_is_closed_without_a_close_frame(listeners: Listen) -> None:
    ours, theirs = await _both(listeners())
    await theirs.abort()
    with pytest.raises(LinkClosed) as closed:
        await ours.receive()
    assert closed.value.close == Close(1006, by_target=True)
    with pytest.raises(LinkClosed) as closed:
        await theirs.receive()
    assert closed.value.close == Close(1006, by_target=False)


async def test_a_close_of_ours_is_not_the_targets(listeners: Listen) -> None:
    ours, _ = await _both(listeners())
    await ours.close(1000, "done")
    with pytest.raises(LinkClosed) as closed:
        await ours.receive()
    assert closed.value.close == Close(1000, "done", by_target=False)
    await ours.close()
    await ours.abort()


async def test_a_lone_surrogate_goes_out_as_invalid_utf_8(listeners: Listen) -> None:
    ours, theirs = await _both(listeners())
    await ours.send_text("\ud800")
    with pytest.raises(LinkClosed) as closed:
        await theirs.receive()
    assert closed.value.close.code == 1007
    with pytest.raises(LinkClosed) as closed:
        await ours.receive()
    assert (closed.value.close.code, closed.value.close.by_target) == (1007, True)


async def test_raw_bytes_go_below_the_protocol(listeners: Listen) -> None:
    ours, theirs = await _both(listeners())
    await ours.send_raw(b"\x01\x01a\x80\x01b")
    assert await theirs.receive() == "ab"
    await ours.send_raw(b"\x83\x00")
    with pytest.raises(LinkClosed) as closed:
        await ours.receive()
    assert (closed.value.close.code, closed.value.close.by_target) == (1002, True)


async def test_an_opcode_that_is_none_is_a_usage_error(listeners: Listen) -> None:
    ours, _ = await _both(listeners())
    with pytest.raises(UsageError, match="'ping'"):
        await ours.send_bytes(b"", opcode="ping")
    await ours.abort()


async def test_who_is_not_named_gets_404_and_is_noted_once(listeners: Listen) -> None:
    heard: list[Refused] = []
    door = listeners(identities=frozenset({"CS1"}), on_refused=heard.append)
    await door.start()
    for _ in range(2):
        with pytest.raises(TargetUnavailable, match="404"):
            await Dialler(f"ws://127.0.0.1:{door.port}/CS2").open(PATIENCE_S)
    assert [(r.identity, r.status) for r in door.refused] == [("CS2", 404)]
    assert heard == door.refused
    with pytest.raises(TargetUnavailable, match=r"within 0 s: refused 'CS2' .* HTTP 404"):
        await door.open(0.0)


async def test_wrong_credentials_get_401(listeners: Listen) -> None:
    door = listeners(basic={"CS1": "right"})
    await door.start()
    url = f"ws://127.0.0.1:{door.port}/CS1"
    with pytest.raises(TargetUnavailable, match="401; check identity and password"):
        await Dialler(url, basic=("CS1", "wrong")).open(PATIENCE_S)
    assert [r.reason for r in door.refused] == ["wrong Basic password"]
    theirs = await Dialler(url, basic=("CS1", "right")).open(PATIENCE_S)
    assert (await door.open(PATIENCE_S)).handshake.basic_user == "CS1"
    await theirs.abort()


async def test_without_a_common_subprotocol_the_connection_is_closed_at_once(
    listeners: Listen,
) -> None:
    door = listeners()
    await door.start()
    dialler = Dialler(f"ws://127.0.0.1:{door.port}/CS1", subprotocols=["ocpp1.6"])
    theirs = await dialler.open(PATIENCE_S)
    assert theirs.handshake.subprotocol == ""
    with pytest.raises(LinkClosed) as closed:
        await theirs.receive()
    assert closed.value.close == Close(1002, "no common subprotocol", by_target=True)
    reasons = [(r.status, r.reason) for r in door.refused]
    assert reasons == [(101, "it offers ocpp1.6; needed is ocpp2.0.1")]


async def test_compression_is_not_agreed_where_we_do_not_offer_it(listeners: Listen) -> None:
    ours, theirs = await _both(listeners(compression=False))
    assert not ours.handshake.compression
    await theirs.abort()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (b"", "before its request"),
        (b"\x16\x03\x01\x00\x05hello", "spoke TLS to a plain port"),
        (b"hello\r\n\r\n", "no HTTP request"),
    ],
)
async def test_callers_that_speak_no_http_are_noted(
    words: bytes, reason: str, listeners: Listen
) -> None:
    noted: asyncio.Queue[listen.HandshakeFailure] = asyncio.Queue()
    door = listeners(on_failure=noted.put_nowait)
    await door.start()
    await _say(door, words)
    assert reason in str(await noted.get())
    assert len(door.handshake_failures) == 1


async def test_a_plain_http_request_is_answered_and_noted(listeners: Listen) -> None:
    door = listeners()
    await door.start()
    heard = await _say(door, b"GET /CS1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert heard.startswith(b"HTTP/1.1 426 ")
    assert [r.status for r in door.refused] == [426]


async def test_tls_failures_are_told_with_their_reason(listeners: Listen, lab: Lab) -> None:
    noted: asyncio.Queue[listen.HandshakeFailure] = asyncio.Queue()
    door = listeners(tls=_profile_3(lab), on_failure=noted.put_nowait)
    await door.start()
    await _say(door, b"GET /CS1 HTTP/1.1\r\n\r\n")
    first = await noted.get()
    await _say(door, b"")
    second = await noted.get()
    context = client_context(ca=lab.root.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(TargetUnavailable, match="TLS handshake with"):
        await Dialler(f"wss://localhost:{door.port}/CS1", tls=context).open(PATIENCE_S)
    failures = [first, second, await noted.get()]
    assert [failure.reason for failure in failures] == [
        "the peer spoke plain HTTP to a TLS port: its URL needs wss://",
        (
            "the peer closed the connection during the handshake, without an alert; "
            "most do so when they do not trust our certificate"
        ),
        "the peer sent no client certificate",
    ]
    assert list(door.handshake_failures) == failures
    with pytest.raises(TargetUnavailable, match="no client certificate"):
        await door.open(0.0)


async def test_a_caller_that_says_nothing_is_hung_up_on(
    listeners: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "HANDSHAKE_TIMEOUT_S", 0.02)
    noted: asyncio.Queue[listen.HandshakeFailure] = asyncio.Queue()
    door = listeners(on_failure=noted.put_nowait)
    await door.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    assert await reader.read() == b""
    writer.close()
    assert (await noted.get()).reason == "no request in time"


async def test_a_caller_that_never_finishes_its_request_is_told_of(listeners: Listen) -> None:
    door = listeners()
    await door.start()
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(b"GET / HT")
    await writer.drain()
    with pytest.raises(TargetUnavailable, match="somebody called, and has not finished"):
        await door.open(0.05)
    writer.close()


async def test_callers_beyond_the_limit_are_hung_up_on(
    listeners: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "MAX_CALLERS", 0)
    door = listeners()
    await door.start()
    with pytest.raises(TargetUnavailable):
        await Dialler(f"ws://127.0.0.1:{door.port}/CS1").open(PATIENCE_S)


async def test_the_newest_link_of_an_identity_wins(listeners: Listen) -> None:
    door = listeners()
    await door.start()
    dialler = Dialler(f"ws://127.0.0.1:{door.port}/CS1")
    old, new = await dialler.open(PATIENCE_S), await dialler.open(PATIENCE_S)
    with pytest.raises(LinkClosed):
        await old.receive()
    ours = await door.open(PATIENCE_S)
    await ours.send_text("you")
    assert await new.receive() == "you"
    with pytest.raises(TargetUnavailable):
        await door.open(0.0)
    await new.abort()


async def test_links_that_nobody_takes_do_not_pile_up(listeners: Listen) -> None:
    door = listeners(max_pending=2)
    await door.start()
    links = [await Dialler(f"ws://127.0.0.1:{door.port}/CS{n}").open(PATIENCE_S) for n in range(3)]
    with pytest.raises(LinkClosed):
        await links[0].receive()
    assert (await door.open(PATIENCE_S)).handshake.identity == "CS2"
    assert (await door.open(PATIENCE_S)).handshake.identity == "CS1"
    for link in links:
        await link.abort()


async def test_a_link_that_is_gone_already_is_not_handed_out(listeners: Listen) -> None:
    door = listeners()
    await door.start()
    dialler = Dialler(f"ws://127.0.0.1:{door.port}/CS1")
    gone = await dialler.open(PATIENCE_S)
    waiting = asyncio.ensure_future(door.open(PATIENCE_S))
    first = await waiting
    await gone.close()
    with pytest.raises(LinkClosed):
        await first.receive()
    early = await dialler.open(PATIENCE_S)
    await early.close()
    with pytest.raises(TargetUnavailable):
        await door.open(0.05)


async def test_nobody_calling_is_told_with_what_to_check(listeners: Listen) -> None:
    with pytest.raises(TargetUnavailable, match="nobody called; check"):
        await listeners().open(0.01)


async def test_a_port_in_use_is_one_clear_line(listeners: Listen) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port} is in use; stop"):
            await Listener("127.0.0.1", port, identities=None).start()


@pytest.mark.parametrize(
    ("host", "words"),
    [("192.0.2.1", "no address of this machine"), ("no such host", "cannot resolve")],
)
async def test_an_address_that_is_not_ours_is_one_clear_line(host: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        await Listener(host, 0, identities=None).start()


async def test_a_closed_listener_hangs_up_on_those_who_wait(listeners: Listen) -> None:
    door = listeners()
    await door.start()
    theirs = await Dialler(f"ws://127.0.0.1:{door.port}/CS1").open(PATIENCE_S)
    halfway = await asyncio.open_connection("127.0.0.1", door.port)
    await door.aclose()
    with pytest.raises(LinkClosed):
        await theirs.receive()
    halfway[1].close()
    with pytest.raises(TargetUnavailable):
        await Dialler(f"ws://127.0.0.1:{door.port}/CS1").open(0.05)
