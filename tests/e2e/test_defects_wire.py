"""Defects below the messages, in a station process of their own: fragments, compression, pings, memory, descriptors, TLS.

Each is shown by its witness, and is not there without it.
"""

import asyncio
import contextlib
import itertools
import json
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import PONG
from websockets.protocol import State

from fuzz.clock import SystemClock
from fuzz.csms.voice import CsmsVoice
from fuzz.records import RepeatSteps, SendFrames, SendText
from fuzz.station.defects import defects
from fuzz.station.planting import find_wire
from strategies.labels import spell
from tlslab.describe import Description
from tlslab.pki import Files, Lab, issue

PATIENCE_S = 20.0
MB = 2**20


class Csms:
    """A CSMS that answers properly and plays witnesses."""

    def __init__(self) -> None:
        self.booted = asyncio.Event()
        self.opened = asyncio.Event()
        self.heard: asyncio.Queue[list] = asyncio.Queue()
        self.closed: asyncio.Queue[int] = asyncio.Queue()
        self.odd: list[str] = []
        self.socket = None
        self._voice = CsmsVoice(SystemClock())
        self._ids = (f"c{n}" for n in itertools.count(1))

    async def open(self, tls=None, **options) -> str:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            subprotocols=["ocpp2.0.1"],
            ssl=tls,
            max_size=None,
            **options,
        )
        port = self._server.sockets[0].getsockname()[1]
        return f"{'wss' if tls else 'ws'}://localhost:{port}"

    async def close(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, socket) -> None:
        self.socket = socket
        self.opened.set()
        with contextlib.suppress(ConnectionClosed):
            while True:
                text = await socket.recv()
                if text.startswith("["):
                    await self._hear(json.loads(text))
                else:
                    self.odd.append(text)
        self.closed.put_nowait(socket.close_code)

    async def _hear(self, frame) -> None:
        if frame[0] != 2:
            self.heard.put_nowait(frame)
            return
        answer = self._voice.answer(frame[2], frame[3])
        await self.socket.send(json.dumps([3, frame[1], answer.payload]))
        if frame[2] == "StatusNotification":
            self.booted.set()

    async def next_after(self, steps=(), *, close=False) -> None:
        """Plays `steps`, or closes the connection; then waits for the next one."""
        self.opened.clear()
        await self.play(steps)
        if close:
            await self.socket.close()
        await asyncio.wait_for(self.opened.wait(), PATIENCE_S)

    async def play(self, steps) -> None:
        for step in steps:
            match step:
                case SendText(text):
                    await self.socket.send(spell(text).replace("{call.id}", next(self._ids)))
                case SendFrames(data):
                    self.socket.transport.write(data)
                case RepeatSteps(inner, times):
                    for _ in range(times):
                        await self.play(inner)

    async def answers_until(self, marker: str) -> list[list]:
        """All answers up to that to one more CALL: whatever was answered before has been."""
        await self.socket.send(json.dumps([2, marker, "ClearCache", {}]))
        answers = []
        while not answers or answers[-1][1] != marker:
            answers.append(await asyncio.wait_for(self.heard.get(), PATIENCE_S))
        return answers


@pytest.fixture
async def csms():
    csms = Csms()
    yield csms
    await csms.close()


@pytest.fixture
def station(started, own_station):
    def start(url, *defect, **options):
        given = [word for name in defect for word in ("--defect", name)]
        given += [
            w for name, value in options.items() for w in (f"--{name.replace('_', '-')}", value)
        ]
        quick = ("--backoff-min-s", "0.05", "--backoff-range-s", "0.05")
        return started(*own_station(url, *quick, *given))

    return start


@pytest.fixture
def booted(csms, station):
    async def start(*defect, **options):
        running = station(await csms.open(**options), *defect)
        await asyncio.wait_for(csms.booted.wait(), PATIENCE_S)
        return running

    return start


async def test_a_message_in_fragments_with_a_ping_between_is_lost(csms, booted):
    await booted("P12")
    await csms.play(defects()["P12"].witness)
    assert [answer[1] for answer in await csms.answers_until("after")] == ["after"]


async def test_a_message_in_fragments_without_a_ping_is_not(csms, booted):
    await booted("P12")
    (witness,) = defects()["P12"].witness
    await csms.play([SendFrames(witness.data.replace(b"\x89\x00", b""))])
    assert [a[1] for a in await csms.answers_until("after")] == ["halves", "after"]


async def test_a_healthy_station_answers_a_message_in_fragments_and_every_ping(csms, booted):
    await booted()
    await csms.play(defects()["P12"].witness)
    pong = await csms.socket.ping(b"ping")
    assert [a[1] for a in await csms.answers_until("after")] == ["halves", "after"]
    assert pong.done()


async def test_a_ping_is_not_answered(csms, booted):
    await booted("P15")
    pong = await csms.socket.ping(b"ping")
    assert (await csms.answers_until("after"))[0][0] == 3
    assert not pong.done()
    pong.cancel()


@pytest.mark.parametrize(("defect", "odd"), [(("P121",), ["pong"]), ((), [])])
async def test_a_ping_is_answered_with_text_by_p121_alone(csms, booted, defect, odd):
    await booted(*defect)
    await csms.play(defects()["P121"].witness)
    pong = await csms.socket.ping(b"second")
    await csms.answers_until("after")
    assert csms.odd == odd * 2
    assert pong.done() == (not odd)
    pong.cancel()


async def test_the_link_breaks_on_a_long_compressed_message_after_others(csms, booted):
    await booted("P13")
    await csms.play(defects()["P13"].witness)
    assert await asyncio.wait_for(csms.closed.get(), PATIENCE_S) == 1002


async def test_a_healthy_station_unpacks_one_compressed_message_after_the_other(csms, booted):
    await booted()
    await csms.play(defects()["P13"].witness)
    assert [answer[0] for answer in await csms.answers_until("after")] == [3, 3]
    assert csms.closed.empty()


@pytest.fixture
def broken_off(csms, booted):
    """A station with these defects that has just come back from a frame with a bit that nobody agreed upon."""

    async def start(*defect):
        await booted(*defect)
        await csms.next_after(defects()["P171"].witness)
        assert await asyncio.wait_for(csms.closed.get(), PATIENCE_S) == 1002

    return start


async def test_after_a_bad_frame_p171_hears_nothing_until_it_connects_once_more(csms, broken_off):
    await broken_off("P171")
    await csms.socket.send('[2,"deaf","ClearCache",{}]')
    await asyncio.wait_for(await csms.socket.ping(b"ping"), PATIENCE_S)
    await csms.next_after(close=True)
    assert [answer[1] for answer in await csms.answers_until("after")] == ["after"]


async def test_a_healthy_station_hears_everything_after_a_bad_frame(csms, broken_off):
    await broken_off()
    assert [answer[1] for answer in await csms.answers_until("after")] == ["after"]


async def test_p171_hears_everything_after_a_connection_that_ended_well(csms, booted):
    await booted("P171")
    await csms.next_after(close=True)
    assert [answer[1] for answer in await csms.answers_until("after")] == ["after"]


_OTHER_BIT = SendFrames(b"\xa1\x02{}")


@pytest.mark.parametrize(
    ("defect", "compression", "step", "code"),
    [
        (("P216",), None, defects()["P216"].witness[-1], 1011),
        ((), None, defects()["P216"].witness[-1], 1002),
        (("P216",), None, _OTHER_BIT, 1002),
        (("P216",), "deflate", _OTHER_BIT, 1002),
    ],
)
async def test_p216_breaks_on_compressed_frames_of_a_connection_without_compression(
    csms, booted, defect, compression, step, code
):
    await booted(*defect, compression=compression)
    await csms.next_after([step])
    assert await asyncio.wait_for(csms.closed.get(), PATIENCE_S) == code
    assert [answer[1] for answer in await csms.answers_until("after")] == ["after"]


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_p216_answers_whatever_is_compressed_or_not_as_agreed(csms, booted, compression):
    await booted("P216", compression=compression)
    await csms.play(defects()["P13"].witness)
    assert [answer[0] for answer in await csms.answers_until("after")] == [3, 3]


@pytest.fixture
async def unspoken():
    """A CSMS that chooses no subprotocol: its address, and its connections in their order."""
    sockets = asyncio.Queue()

    async def keep(socket):
        sockets.put_nowait(socket)
        await socket.wait_closed()

    async with serve(keep, "127.0.0.1", 0, ping_interval=None) as server:
        yield f"ws://localhost:{server.sockets[0].getsockname()[1]}", sockets


async def first_two(sockets):
    return [await asyncio.wait_for(sockets.get(), PATIENCE_S) for _ in range(2)]


async def test_p184_leaves_open_what_has_no_subprotocol_and_dials_anew(unspoken, station):
    url, sockets = unspoken
    station(url, "P184")
    first, second = await first_two(sockets)
    assert first.state is second.state is State.OPEN
    await asyncio.wait_for(await first.ping(), PATIENCE_S)


async def test_a_healthy_station_closes_what_has_no_subprotocol(unspoken, station):
    url, sockets = unspoken
    station(url)
    first, _ = await first_two(sockets)
    await asyncio.wait_for(first.wait_closed(), PATIENCE_S)
    assert first.close_code == 1002


async def test_p184_uses_and_closes_what_has_one(csms, booted):
    await booted("P184")
    await csms.next_after(close=True)
    assert [answer[1] for answer in await csms.answers_until("after")] == ["after"]


class Mute(ServerConnection):
    """The end of a CSMS that answers no ping."""

    def __init__(self, protocol, *given, **named):
        send = protocol.send_frame
        protocol.send_frame = lambda frame: None if frame.opcode is PONG else send(frame)
        super().__init__(protocol, *given, **named)


@pytest.fixture
async def mute():
    """The address of a CSMS that answers no ping."""

    async def keep(socket):
        await socket.wait_closed()

    async with serve(keep, "127.0.0.1", 0, create_connection=Mute, ping_interval=None) as server:
        yield f"ws://localhost:{server.sockets[0].getsockname()[1]}"


def impatient(url, *defect):
    """A connection of a station with these defects that misses a pong very soon."""
    made = find_wire(defect).connection(ClientConnection)
    return connect(url, create_connection=made, ping_interval=0.05, ping_timeout=0.05)


async def test_p221_does_not_notice_that_a_pong_is_missing_though_it_hangs_up(mute):
    connection = await impatient(mute, "P221")
    heard = asyncio.ensure_future(connection.recv())
    await asyncio.wait_for(connection.wait_closed(), PATIENCE_S)
    done, _ = await asyncio.wait({heard}, timeout=0.3)
    assert connection.protocol.close_sent.code == 1011
    assert not done
    heard.cancel()


async def test_a_healthy_station_notices_that_a_pong_is_missing(mute):
    connection = await impatient(mute)
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(connection.recv(), PATIENCE_S)


async def test_p221_comes_back_after_any_other_end(csms, booted):
    await booted("P221")
    await csms.next_after(close=True)
    assert [answer[1] for answer in await csms.answers_until("after")] == ["after"]


@pytest.mark.parametrize(("defect", "interval_s"), [(("P221",), 10.0), ((), None)])
async def test_p221_pings_where_a_healthy_station_would_not(mute, defect, interval_s):
    made = find_wire(defect).connection(ClientConnection)
    async with connect(mute, create_connection=made, ping_interval=None) as connection:
        assert connection.ping_interval == interval_s


# --- memory and descriptors -------------------------------------------------------------------------------


def resident(running):
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def descriptors(running):
    return len(list(Path(f"/proc/{running.process.pid}/fd").iterdir()))


@pytest.mark.parametrize(("defect", "held"), [(("P18",), True), ((), False)])
async def test_big_frames_stay_in_memory_of_a_station_with_p18_alone(csms, booted, defect, held):
    running = await booted(*defect)
    sizes = []
    for number in range(7):
        await csms.play(defects()["P18"].witness)
        await csms.answers_until(f"after {number}")
        sizes.append(resident(running))
    # The first one shows what is needed for a while; six more are 120 MB.
    assert (sizes[-1] - sizes[0] > 60 * MB) == held


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("lab"), now=datetime.now(UTC))


@pytest.fixture
def shows(lab, tmp_path):
    """The TLS of a CSMS that shows a certificate: a proper one but for its name, or for its issuer."""

    def make(name, *, self_signed=False):
        issuer = None if self_signed else lab.root.read()
        credential = issue(Description(name), now=datetime.now(UTC), issuer=issuer)
        files = Files(tmp_path / "csms.pem", tmp_path / "csms.key")
        files.write(credential)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        return context

    return make


@pytest.fixture
def secured(csms, station, lab):
    """Starts a station of security profile 2 that dials a CSMS with this TLS."""

    async def start(tls, *defect):
        url = await csms.open(tls)
        return station(url, *defect, security_profile=2, ca=lab.root.certificate)

    return start


@pytest.mark.parametrize(("defect", "left"), [(("P43",), True), ((), False)])
async def test_failed_connections_leave_a_socket_with_p43_alone(
    secured, shows, until, defect, left
):
    running = await secured(shows("localhost", self_signed=True), *defect)

    def failures():
        return running.text.count("cannot connect")

    await asyncio.to_thread(until, lambda: failures() >= 2, lambda: running.text)
    before = descriptors(running)
    goal = failures() + 12
    await asyncio.to_thread(until, lambda: failures() >= goal, lambda: running.text, PATIENCE_S)
    assert (descriptors(running) - before > 8) == left


# --- TLS --------------------------------------------------------------------------------------------------

SELF_SIGNED, OTHER_NAME, PROPER = "self-signed", "other name", "proper"


@pytest.mark.parametrize(
    ("defect", "trusted"),
    [
        (("P47",), {SELF_SIGNED, OTHER_NAME, PROPER}),
        (("P48",), {OTHER_NAME, PROPER}),
        (("P70",), {PROPER}),
        ((), {PROPER}),
    ],
)
@pytest.mark.parametrize("shown", [SELF_SIGNED, OTHER_NAME, PROPER])
async def test_whom_a_station_trusts(csms, secured, shows, until, defect, trusted, shown):
    name = "csms.example" if shown == OTHER_NAME else "localhost"
    tls = shows(name, self_signed=True) if shown == SELF_SIGNED else shows(name)
    running = await secured(tls, *defect)
    refused = "security event InvalidCsmsCertificate"
    await asyncio.to_thread(
        until, lambda: csms.booted.is_set() or refused in running.text, lambda: running.text
    )
    assert csms.booted.is_set() == (shown in trusted)
    assert (refused in running.text) == (shown not in trusted)
