"""The lab as a client: every engine shakes hands, and whatever a server says instead ends in a stage, never in a raise."""

import asyncio
import ssl
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tlslab import pki
from tlslab.authority import Authority
from tlslab.build import client_hello
from tlslab.client import CHOSE, SILENT, LabClient
from tlslab.describe import Chain, Description, KeyKind, Root
from tlslab.keys import new_key, pem_of
from tlslab.knock import MIXED_SUITES, Knock
from tlslab.offers import TLS_1_0, TLS_1_2, TLS_1_3, Engine
from tlslab.pki import LabError
from tlslab.seen import RENEGOTIATED, Stage, Way

LIBRARIES = (Engine.STDLIB, Engine.PYOPENSSL, Engine.TLSLITE)
GREETING = b"hello"
REFUSED = (Stage.ALERT, Stage.CLOSED)
"""A server on asyncio closes without an alert, which is as good as one."""


def _now():
    return datetime.now(UTC)


class Keys:
    """One root, a server and a station under it."""

    def __init__(self):
        self.root = pki.issue(Description("root", is_ca=True), now=_now())
        authority = Authority(self.root, now=_now)
        self.server = authority.issue(Chain(Description("localhost", names=("localhost",))))
        self.station = authority.issue(Chain(Description("CS1")))
        self.outsider = authority.issue(Chain(Description("CS1"), root=Root.NONE))


@pytest.fixture(scope="module")
def keys():
    return Keys()


@pytest.fixture
def context(keys, tmp_path):
    """A server's context; it asks for certificates unless told otherwise."""

    def make(*, asks=ssl.CERT_NONE, options=0):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        file = tmp_path / "server.pem"
        file.write_bytes(keys.server.key + keys.server.presented)
        made.load_cert_chain(file)
        made.verify_mode = asks
        made.options |= options
        made.load_verify_locations(cadata=keys.root.certificate.decode())
        return made

    return make


async def _greet(reader, writer):
    try:
        writer.write(GREETING)
        await reader.read()
    except OSError:
        pass
    finally:
        writer.transport.abort()


@asynccontextmanager
async def served(handler, tls=None, *, patience_s=10.0):
    tasks = set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            await handler(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield LabClient(
            "127.0.0.1", port, monotonic=time.monotonic, now=_now, patience_s=patience_s
        )
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def saying(data):
    """A server that says this to everybody, and goes."""

    async def handle(reader, writer):
        await reader.read(2**16)
        writer.write(data)
        await writer.drain()
        writer.close()

    return handle


def knock(**options):
    return Knock("/CS1", "CS1", server_name="localhost", **options)


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("engine", LIBRARIES)
async def test_every_engine_shakes_hands_and_writes_down_what_was_agreed(
    keys, context, engine, version
):
    wanted = knock(engine=engine, lowest=version, highest=version, credential=keys.station)
    async with served(_greet, context(asks=ssl.CERT_REQUIRED)) as client:
        opened = await client.open(wanted)
        assert await opened.stream.read() == GREETING
        await opened.stream.close()
    seen = opened.connection
    assert (seen.stage, seen.version) == (Stage.FINISHED, version)
    assert seen.server_chain[0] == keys.server.der
    assert seen.client_chain[0] == keys.station.der
    assert seen.suite in seen.hello.cipher_suites
    assert {c.way for c in seen.tape} == {Way.LAB, Way.PEER}
    assert seen.hello_bytes[:1] == b"\x16"
    assert seen.theirs[1] == client.port


@pytest.mark.parametrize("engine", LIBRARIES)
async def test_an_alert_ends_the_handshake(engine):
    alert = b"\x15\x03\x03\x00\x02\x02\x28"
    async with served(saying(alert)) as client:
        opened = await client.open(knock(engine=engine))
    assert opened.stream is None
    assert opened.connection.stage is Stage.ALERT
    assert [(a.way, a.number) for a in opened.connection.alerts if a.way is Way.PEER] == [
        (Way.PEER, 40)
    ]


@pytest.mark.parametrize("engine", LIBRARIES)
async def test_no_certificate_in_tls_1_2_does_not_finish(context, engine):
    async with served(_greet, context(asks=ssl.CERT_REQUIRED)) as client:
        opened = await client.open(knock(engine=engine, highest=TLS_1_2))
    assert opened.stream is None
    assert opened.connection.stage in REFUSED


async def test_no_certificate_in_tls_1_3_is_told_after_finished_only(context):
    async with served(_greet, context(asks=ssl.CERT_REQUIRED)) as client:
        opened = await client.open(knock(lowest=TLS_1_3))
        assert opened.connection.stage is Stage.FINISHED
        assert await opened.stream.read() == b""
        await opened.stream.close()
        client.judge(opened.connection)
    assert opened.connection.stage in (*REFUSED, Stage.FINISHED)


async def test_a_certificate_of_nobody_is_shown_all_the_same(keys, context):
    async with served(_greet, context(asks=ssl.CERT_REQUIRED)) as client:
        opened = await client.open(knock(highest=TLS_1_2, credential=keys.outsider))
    assert opened.connection.client_chain == (keys.outsider.der,)
    assert opened.connection.stage in REFUSED


async def test_a_handshake_signed_with_another_key_is_refused(keys, context):
    stranger = pem_of(new_key(KeyKind.EC_P256))
    wanted = knock(
        engine=Engine.TLSLITE, highest=TLS_1_2, credential=keys.station, sign_with=stranger
    )
    async with served(_greet, context(asks=ssl.CERT_REQUIRED)) as client:
        opened = await client.open(wanted)
    assert opened.connection.stage in REFUSED


async def test_a_session_is_resumed(context):
    async with served(_greet, context()) as client:
        first = await client.open(knock(highest=TLS_1_2))
        ticket = first.ticket
        await first.stream.close()
        second = await client.open(knock(highest=TLS_1_2, ticket=ticket))
        await second.stream.close()
    assert "the session was resumed" in second.connection.notes
    assert "the session was resumed" not in first.connection.notes


async def test_a_renegotiation_is_asked_for_and_refused(context):
    wanted = knock(engine=Engine.PYOPENSSL, highest=TLS_1_2, renegotiate=True)
    async with served(_greet, context(options=ssl.OP_NO_RENEGOTIATION)) as client:
        opened = await client.open(wanted)
    assert opened.connection.notes
    assert RENEGOTIATED not in opened.connection.notes


async def test_an_old_version_alone_is_refused_by_a_server_of_today(context):
    async with served(_greet, context()) as client:
        suites = (0xC009, 0xC013, 0x002F)
        opened = await client.open(knock(lowest=TLS_1_0, highest=TLS_1_0, suites=suites))
    assert opened.connection.stage in REFUSED
    assert opened.connection.hello.versions == (TLS_1_0,)


async def test_what_our_own_library_does_not_begin_says_nothing(context):
    async with served(_greet, context()) as client:
        opened = await client.open(knock(lowest=TLS_1_0, highest=TLS_1_0))
    assert opened.connection.stage is Stage.NOTHING
    assert opened.connection.error


async def test_plain_text_is_a_stream_without_a_handshake():
    async with served(_greet) as client:
        opened = await client.open(knock(engine=Engine.PLAIN))
        assert await opened.stream.read() == GREETING
        await opened.stream.close()
    assert (opened.connection.stage, opened.connection.hello) == (Stage.NOTHING, None)


async def test_a_proper_hello_by_hand_is_answered_with_a_server_hello(context):
    hello = client_hello(versions=(TLS_1_2,), suites=MIXED_SUITES, server_name="localhost")
    async with served(_greet, context()) as client:
        opened = await client.open(knock(engine=Engine.HAND, hello=hello))
    assert CHOSE in opened.connection.notes
    assert opened.stream is None


async def test_noise_by_hand_is_answered_with_an_alert_or_the_end(context):
    async with served(_greet, context()) as client:
        opened = await client.open(knock(engine=Engine.HAND, hello=b"GET / HTTP/1.1\r\n\r\n"))
    assert CHOSE not in opened.connection.notes
    assert opened.connection.stage in REFUSED


async def test_nobody_there_is_nothing(unused_tcp_port):
    client = LabClient("127.0.0.1", unused_tcp_port, monotonic=time.monotonic, now=_now)
    opened = await client.open(knock())
    assert opened.stream is None
    assert opened.connection.stage is Stage.NOTHING
    assert opened.connection.error.startswith("not reachable")
    assert opened.connection.ended_s is not None


async def test_a_server_that_says_nothing_proves_nothing():
    async def mute(reader, writer):
        await reader.read()
        writer.close()

    async with served(mute, patience_s=0.05) as client:
        opened = await client.open(knock())
    assert (opened.connection.stage, opened.connection.error) == (Stage.NOTHING, SILENT)


async def test_connections_are_counted_from_one(context):
    async with served(_greet, context()) as client:
        opened = [await client.open(knock()) for _ in range(3)]
        for one in opened:
            await one.stream.close()
    assert [one.connection.number for one in opened] == [1, 2, 3]


async def test_what_no_library_can_do_is_said(keys):
    broken = pki.Credential(keys.station.certificate, b"no key at all")
    client = LabClient("127.0.0.1", 1, monotonic=time.monotonic, now=_now)
    with pytest.raises(LabError, match="cannot do this"):
        await client.open(knock(credential=broken))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    engine=st.sampled_from((*LIBRARIES, Engine.HAND)),
    said=st.one_of(
        st.binary(max_size=2000),
        st.binary(max_size=500).map(lambda b: b"\x16\x03\x03" + len(b).to_bytes(2, "big") + b),
        st.binary(max_size=500).map(lambda b: b"\x16\x03\x03\x01\x00\x02\x00\x00\xfc" + b),
    ),
)
def test_whatever_a_server_answers_the_client_ends_it(engine, said):
    async def run():
        async with served(saying(said), patience_s=0.2) as client:
            return await client.open(knock(engine=engine, hello=client_hello(suites=MIXED_SUITES)))

    opened = asyncio.run(run())
    assert opened.stream is None
    assert opened.connection.ended_s is not None
    assert opened.connection.stage < Stage.FINISHED


@pytest.mark.slow
async def test_a_flood_before_the_handshake_is_cut_off():
    async def flood(reader, writer):
        try:
            while True:
                writer.write(b"\x16\x03\x03\x40\x00" + bytes(2**14))
                await writer.drain()
        except OSError:
            pass

    async with served(flood) as client:
        opened = await client.open(
            knock(engine=Engine.HAND, hello=client_hello(suites=MIXED_SUITES))
        )
    assert sum(len(c.data) for c in opened.connection.tape) <= 2**20
    assert opened.connection.ended_s is not None
