from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given, strategies as st
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fuzz.clock import SystemClock
from fuzz.errors import UsageError
from fuzz.records import Side
from fuzz.transport import proxy as module
from fuzz.transport.contexts import client_context, server_context
from fuzz.transport.proxy import Caller, Proxy, Upstream, upstream
from fuzz.transport.relay import Ended, Why, relay
from tlslab.pki import Lab


class MemoryPipe:
    """A side without a network: what is put in is read, what is written is kept."""

    def __init__(self, *, room: int = 2**30) -> None:
        self.came: asyncio.Queue[bytes | OSError] = asyncio.Queue()
        self.written = bytearray()
        self.finished = self.cut = False
        self.room = asyncio.Semaphore(room)

    async def read(self) -> bytes:
        found = await self.came.get()
        if isinstance(found, OSError):
            raise found
        return found

    def write(self, data: bytes) -> None:
        self.written += data

    async def drain(self) -> None:
        await self.room.acquire()

    def finish(self) -> None:
        self.finished = True
        self.came.put_nowait(b"")

    def abort(self) -> None:
        self.cut = True
        self.came.put_nowait(ConnectionResetError())


class Ear:
    """A tap that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[Side, bytes]] = []
        self.failures: list[tuple[int, str, bool]] = []
        self.opens: list[tuple[bytes, bytes]] = []
        self.ends: list[Ended] = []
        self.over = asyncio.Event()

    def opened(self, request: bytes, response: bytes) -> None:
        self.opens.append((request, response))

    def passed(self, data: bytes, sender: Side) -> None:
        self.heard.append((sender, data))

    def failed(self, status: int, reason: str, *, by_us: bool) -> None:
        self.failures.append((status, reason, by_us))
        self.over.set()

    def ended(self, how: Ended) -> None:
        self.ends.append(how)
        self.over.set()

    def of(self, side: Side) -> bytes:
        return b"".join(data for sender, data in self.heard if sender is side)


pieces = st.lists(st.tuples(st.sampled_from(Side), st.binary(min_size=1)))


@given(said=pieces, first=st.sampled_from(Side))
def test_whatever_is_said_arrives_byte_for_byte_and_in_order_and_is_heard(
    said: list[tuple[Side, bytes]], first: Side
) -> None:
    async def play() -> None:
        station, csms, ear = MemoryPipe(), MemoryPipe(), Ear()
        sides = {Side.STATION: station, Side.CSMS: csms}
        for side, data in said:
            sides[side].came.put_nowait(data)
        sides[first].came.put_nowait(b"")
        how = await relay(station, csms, ear)

        expected = {s: b"".join(data for side, data in said if side is s) for s in Side}
        assert bytes(csms.written) == ear.of(Side.STATION) == expected[Side.STATION]
        assert bytes(station.written) == ear.of(Side.CSMS) == expected[Side.CSMS]
        assert how == Ended(first, Why.END)
        assert station.finished
        assert csms.finished
        assert not station.cut
        assert not csms.cut

    asyncio.run(play())


@pytest.mark.parametrize("side", Side)
async def test_a_cut_is_passed_on_as_a_cut(side: Side) -> None:
    pipes = {Side.STATION: MemoryPipe(), Side.CSMS: MemoryPipe()}
    pipes[side].came.put_nowait(b"last words")
    pipes[side].came.put_nowait(ConnectionResetError())
    how = await relay(pipes[Side.STATION], pipes[Side.CSMS], Ear())

    (other,) = (pipe for s, pipe in pipes.items() if s is not side)
    assert how == Ended(side, Why.CUT)
    assert other.cut
    assert bytes(other.written) == b"last words"


async def test_nothing_is_read_from_one_side_while_the_other_is_slow_to_take_it() -> None:
    station, csms = MemoryPipe(), MemoryPipe(room=2)
    for _ in range(10):
        station.came.put_nowait(b"x")
    going = asyncio.create_task(relay(station, csms, Ear()))
    for _ in range(50):
        await asyncio.sleep(0)
    assert (len(csms.written), station.came.qsize()) == (3, 7)

    for _ in range(20):
        csms.room.release()
    station.came.put_nowait(b"")
    await going
    assert bytes(csms.written) == b"x" * 10


# --- requests ---------------------------------------------------------------------------------------------


def target(url: str) -> Upstream:
    return upstream(url, lambda: client_context())


@pytest.mark.parametrize(
    ("url", "asked", "first", "host"),
    [
        ("ws://c/{identity}", b"/ocpp/CS-1", b"GET /CS-1 HTTP/1.1", b"Host: c"),
        ("wss://c:8443/a/{identity}", b"/CS%201", b"GET /a/CS%201 HTTP/1.1", b"Host: c:8443"),
        ("ws://c:81/ocpp", b"/x/CS?k=v", b"GET /ocpp/CS?k=v HTTP/1.1", b"Host: c:81"),
        ("ws://[::1]:9/", b"/CS", b"GET /CS HTTP/1.1", b"Host: [::1]:9"),
    ],
)
def test_only_path_and_host_of_a_request_are_changed(
    url: str, asked: bytes, first: bytes, host: bytes
) -> None:
    kept = [b"sec-WebSocket-KEY:  abc", b"Authorization: Basic Q1M6cHc=", b"X: \xff", b"", b""]
    head = b"\r\n".join((b"GET " + asked + b" HTTP/1.1", b"HOST: proxy:9000", *kept))
    assert target(url).request(head).split(b"\r\n") == [first, host, *kept]


@pytest.mark.parametrize(
    "url",
    ["http://c/", "ws://", "ws://c:x/", "ws://u:p@c/", "ws://c/?a=b", "ws://c/ä", "ws://c d/"],
)
def test_what_is_no_address_of_a_csms_is_refused_and_no_password_is_repeated(url: str) -> None:
    with pytest.raises(UsageError) as error:
        target(url)
    assert "u:p" not in str(error.value)


# --- over loopback ----------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def between(target: Upstream, *, tls=None):
    """A proxy, the taps it makes, and the callers that failed."""
    taps: list[tuple[Caller, Ear]] = []
    failed: list[str] = []

    def tap(caller: Caller) -> Ear:
        taps.append((caller, Ear()))
        return taps[-1][1]

    proxy = Proxy(
        ("127.0.0.1", 0), target, tap, tls=tls, failed=lambda _remote, why: failed.append(why)
    )
    await proxy.start()
    try:
        yield proxy, taps, failed
    finally:
        await proxy.aclose()


@contextlib.asynccontextmanager
async def echo(**given):
    async def play(connection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                if message == "bye":
                    await connection.close(4001, "as you like")
                await connection.send(message)

    given = {"subprotocols": ["ocpp2.0.1"], **given}
    async with serve(play, "127.0.0.1", 0, **given) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def test_text_stays_text_binary_stays_binary_pings_are_answered_and_closes_have_their_code() -> (
    None
):
    async with (
        echo() as port,
        between(target(f"ws://127.0.0.1:{port}/{{identity}}")) as (proxy, taps, _),
    ):
        async with connect(f"{proxy.url}/ocpp/CS-1", subprotocols=["ocpp2.0.1"]) as station:
            assert station.subprotocol == "ocpp2.0.1"
            for message in ("", "text", b"bytes", "x" * 300_000, b"\x00" * 70_000):
                await station.send(message)
                assert await station.recv() == message
            assert await asyncio.wait_for(await station.ping(), 5) >= 0
            await station.send("bye")
            with pytest.raises(ConnectionClosed) as closed:
                await station.recv()
        await asyncio.wait_for(taps[0][1].over.wait(), 10)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "as you like")
        assert [caller.identity for caller, _ in taps] == ["CS-1"]
        assert b"GET /CS-1 HTTP/1.1" in taps[0][1].opens[0][0]
        assert taps[0][1].ends[0].why is Why.END


@pytest.mark.parametrize("status", [401, 404, 503])
async def test_a_refusal_reaches_the_station_with_status_headers_and_body(status: int) -> None:
    def refuse(connection, _request):
        response = connection.respond(status, "not you")
        response.headers["X-Why"] = "because"
        return response

    async with (
        echo(process_request=refuse) as port,
        between(target(f"ws://127.0.0.1:{port}")) as (proxy, taps, _),
    ):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{proxy.url}/CS-1", subprotocols=["ocpp2.0.1"])
        response = refused.value.response
        assert (response.status_code, bytes(response.body)) == (status, b"not you")
        assert response.headers["X-Why"] == "because"
        assert taps[0][1].failures == [(status, "", False)]


async def test_a_csms_that_cannot_be_reached_is_a_bad_gateway() -> None:
    async with between(target("ws://127.0.0.1:1/{identity}")) as (proxy, taps, _):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{proxy.url}/CS-1")
        assert refused.value.response.status_code == 502
        ((status, reason, by_us),) = taps[0][1].failures
        assert (status, by_us) == (502, True)
        assert reason == "nobody listens at 127.0.0.1:1; check address and port"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET /CS-1 HTTP/1.1\r\nHost: x\r\n\r\n", b"426"),
        (b"POST /CS-1 HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", b"404"),
        (b"GET /%FF HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", b"404"),
        (b"\r\n\r\n", b"404"),
        (b"\xff \xff \xff\r\n\r\n", b"404"),
    ],
)
async def test_what_is_no_request_for_a_websocket_never_reaches_the_csms(
    said: bytes, status: bytes
) -> None:
    async with between(target("ws://127.0.0.1:1/{identity}")) as (proxy, _, _):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(proxy.url.rpartition(":")[2])
        )
        writer.write(said)
        answer = await reader.read()
        assert answer.split(b" ")[1] == status
        writer.close()


async def test_callers_beyond_the_limit_are_told_to_come_later(monkeypatch) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 1)
    async with (
        echo() as port,
        between(target(f"ws://127.0.0.1:{port}")) as (proxy, _, _),
        connect(f"{proxy.url}/CS-1", subprotocols=["ocpp2.0.1"]),
    ):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{proxy.url}/CS-2")
        assert refused.value.response.status_code == 503


async def test_a_station_that_dies_without_a_word_is_gone_for_the_csms_too() -> None:
    gone = asyncio.Event()

    async def play(connection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await connection.recv()
        assert connection.close_code == 1006
        gone.set()

    async with (
        serve(play, "127.0.0.1", 0) as server,
        between(target(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}")) as found,
    ):
        proxy, taps, _ = found
        station = await connect(f"{proxy.url}/CS-1")
        station.transport.abort()
        await asyncio.wait_for(gone.wait(), 5)
        await asyncio.wait_for(taps[0][1].over.wait(), 5)


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Lab:
    folder = tmp_path_factory.mktemp("lab")
    return Lab.create(folder, csms_names=("localhost",), serial="CS-1", now=SystemClock().now())


async def test_tls_on_both_sides_and_a_csms_that_wants_a_key_says_whose_is_missing(
    lab: Lab,
) -> None:
    ours = [(lab.csms.certificate, lab.csms.key)]
    root = lab.root.certificate
    strict = server_context(certificates=ours, client_ca=root)
    async with echo(ssl=strict) as port:
        url = f"wss://localhost:{port}/{{identity}}"
        keyless = upstream(url, lambda: client_context(ca=root))
        async with between(keyless, tls=server_context(certificates=ours)) as (proxy, taps, _):
            there = proxy.url.replace("127.0.0.1", "localhost") + "/CS-1"
            with pytest.raises(InvalidStatus) as refused:
                await connect(there, ssl=client_context(ca=root))
            assert refused.value.response.status_code == 502
            assert "--upstream-cert and --upstream-key" in taps[0][1].failures[0][1]

        keyed = upstream(
            url,
            lambda: client_context(
                ca=root, certificate=lab.station.certificate, key=lab.station.key
            ),
        )
        async with between(keyed, tls=server_context(certificates=ours)) as (proxy, taps, _):
            there = proxy.url.replace("127.0.0.1", "localhost") + "/CS-1"
            async with connect(
                there, ssl=client_context(ca=root), subprotocols=["ocpp2.0.1"]
            ) as station:
                await station.send("over two connections")
                assert await station.recv() == "over two connections"
            await asyncio.wait_for(taps[0][1].over.wait(), 10)


async def test_a_caller_that_fails_in_tls_is_told_of(lab: Lab) -> None:
    tls = server_context(certificates=[(lab.csms.certificate, lab.csms.key)])
    async with between(target("ws://127.0.0.1:1/"), tls=tls) as (proxy, _, failed):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(proxy.url.rpartition(":")[2])
        )
        writer.write(b"GET /CS-1 HTTP/1.1\r\n\r\n")
        await reader.read()
        writer.close()
        assert failed == ["the peer spoke plain HTTP to a TLS port: its URL needs wss://"]
