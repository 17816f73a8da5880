"""The lab's server: stages, what is kept of a caller, and that no caller ends it."""

import asyncio
import contextlib
import ssl
import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tlslab.engines.raw import MAX_BYTES
from tlslab.offers import TLS_1_2, TLS_1_3, Engine, Offer, Pace
from tlslab.seen import MAX_TAPE, Stage, Way
from tlslab.server import MAX_CALLERS, LabServer

TEXT_FRAME = b"\x81\x84aaaahey!"
CLOSE_FRAME = b"\x88\x80aaaa"
UNKNOWN_CA = 48


@pytest.fixture
def proper(lab_pki):
    return Offer(lab_pki.ecdsa)


# --- stages -----------------------------------------------------------------------------------------------


async def test_a_caller_that_says_nothing_is_at_stage_nothing(lab_server, proper, ended):
    lab_server.offer = proper
    _, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    writer.close()
    connection = await ended()
    assert (connection.stage, connection.hello) == (Stage.NOTHING, None)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_caller_that_does_not_trust_the_lab_ends_it_by_an_alert(
    lab_server, lab_pki, proper, calls, ended, version
):
    lab_server.offer = proper
    await calls(trusted=lab_pki.server().certificate.decode(), lowest=version, highest=version)
    connection = await ended()
    assert connection.stage is Stage.ALERT
    assert [(a.way, a.number) for a in connection.alerts] == [(Way.PEER, UNKNOWN_CA)]
    assert connection.server_chain == (lab_pki.ecdsa.der,)
    assert connection.hello.server_name == "localhost"


async def test_a_caller_that_hangs_up_after_its_hello_has_closed(lab_server, proper, ended):
    lab_server.offer = proper
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    hello = outgoing.read()
    _, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    writer.write(hello[:100])
    await writer.drain()
    writer.write(hello[100:])
    writer.close()
    connection = await ended()
    assert (connection.stage, connection.alerts) == (Stage.CLOSED, [])
    assert connection.hello_bytes == hello


@pytest.mark.parametrize("highest", [TLS_1_2, TLS_1_3])
async def test_a_caller_without_http_ends_after_finished(
    lab_server, lab_pki, calls, ended, highest
):
    lab_server.offer = Offer(lab_pki.ecdsa, highest=highest, http=b"unused")
    _, writer = await asyncio.open_connection(
        "127.0.0.1",
        lab_server.port,
        ssl=ssl.create_default_context(cadata=lab_pki.trusted),
        server_hostname="localhost",
    )
    writer.close()
    connection = await ended()
    assert (connection.stage, connection.version) == (Stage.FINISHED, highest)


async def test_a_caller_that_is_turned_away_by_http_has_spoken_the_upgrade(
    lab_server, proper, lab_session, calls, ended
):
    lab_server.offer = proper
    lab_session.answer = b"HTTP/1.1 401 Unauthorized\r\n\r\n"
    await calls()
    connection = await ended()
    assert (connection.stage, connection.status) == (Stage.UPGRADE, 401)
    assert connection.request == "GET /ocpp/CS1 HTTP/1.1"
    assert connection.header_names == ("host", "authorization")
    assert connection.sent_authorization


@pytest.mark.parametrize(
    ("said", "stage"),
    [(b"", Stage.WEBSOCKET), (CLOSE_FRAME, Stage.WEBSOCKET), (TEXT_FRAME, Stage.OCPP)],
)
async def test_a_caller_that_is_let_in_opens_a_websocket_and_a_message_is_ocpp(
    lab_server, proper, calls, ended, said, stage
):
    lab_server.offer = proper
    assert (await calls(then=said)).startswith(b"HTTP/1.1 101")
    assert (await ended()).stage is stage


# --- what is kept -----------------------------------------------------------------------------------------


async def test_the_tape_holds_both_directions_and_the_hello_at_its_beginning(
    lab_server, proper, calls, ended
):
    lab_server.offer = proper
    await calls()
    connection = await ended()
    first = connection.tape[0]
    assert (first.way, first.data) == (Way.PEER, connection.hello_bytes)
    assert {chunk.way for chunk in connection.tape} == {Way.PEER, Way.LAB}
    assert connection.ended_s >= connection.began_s + connection.tape[-1].at_s


async def test_the_tape_is_limited(lab_server, proper, calls, ended):
    lab_server.offer = proper
    await calls(then=TEXT_FRAME * 60_000)
    connection = await ended()
    assert sum(len(chunk.data) for chunk in connection.tape) == MAX_TAPE


@pytest.mark.parametrize("engine", [Engine.STDLIB, Engine.PLAIN])
async def test_http_without_tls_is_an_upgrade_and_its_password_is_not_kept(
    lab_server, lab_pki, ended, engine
):
    lab_server.offer = Offer(lab_pki.ecdsa, engine=engine, http=b"HTTP/1.1 403 No\r\n\r\n")
    reader, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    writer.write(b"GET /ocpp/CS1 HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    connection = await ended()
    assert answer.startswith(b"HTTP/1.1 40")
    assert (connection.stage, connection.header_names) == (Stage.UPGRADE, ("authorization",))
    assert b"c2VjcmV0" not in b"".join(chunk.data for chunk in connection.tape)


async def test_a_password_under_a_suite_without_encryption_is_not_kept(
    lab_server, lab_pki, calls, ended
):
    lab_server.offer = Offer(lab_pki.rsa, highest=TLS_1_2, suites=(0x003B,))
    answer = await calls(suites="NULL-SHA256:@SECLEVEL=0", highest=ssl.TLSVersion.TLSv1_2)
    connection = await ended()
    assert answer.startswith(b"HTTP/1.1 101")
    assert (connection.suite, connection.sent_authorization) == (0x003B, True)
    assert b"c2VjcmV0" not in b"".join(chunk.data for chunk in connection.tape)


async def test_a_first_line_that_is_no_request_is_not_kept(lab_server, proper, calls, ended):
    lab_server.offer = proper
    await calls(request=b"Authorization: Basic c2VjcmV0\r\n\r\n")
    connection = await ended()
    assert (connection.stage, connection.request) == (Stage.WEBSOCKET, "")


# --- offers -----------------------------------------------------------------------------------------------


async def test_a_new_offer_holds_for_the_next_caller(lab_server, lab_pki, calls, ended):
    lab_server.offer = Offer(lab_pki.ecdsa, highest=TLS_1_2)
    await calls()
    assert (await ended(1)).server_chain == (lab_pki.ecdsa.der,)
    lab_server.offer = Offer(lab_pki.rsa, highest=TLS_1_2)
    await calls(suites="AES128-GCM-SHA256")
    assert (await ended(2)).server_chain == (lab_pki.rsa.der,)
    assert [c.number for c in lab_server.since(1)] == [2]
    assert lab_server.count == 2


async def test_http_is_answered_with_the_bytes_of_the_offer(lab_server, lab_pki, calls, ended):
    moved = b"HTTP/1.1 301 Moved\r\nLocation: ws://localhost/\r\n\r\n"
    lab_server.offer = Offer(lab_pki.ecdsa, http=moved)
    assert await calls() == moved
    connection = await ended()
    assert (connection.stage, connection.status) == (Stage.UPGRADE, 301)


async def test_without_an_offer_a_caller_is_hung_up_on(lab_server, calls, ended):
    assert isinstance(await calls(), OSError)
    assert (await ended()).stage is Stage.NOTHING


async def test_the_url_says_whether_tls_is_spoken(lab_server, lab_pki):
    lab_server.offer = Offer(lab_pki.ecdsa)
    assert lab_server.url == f"wss://localhost:{lab_server.port}/ocpp"
    lab_server.offer = Offer(lab_pki.ecdsa, engine=Engine.PLAIN)
    assert lab_server.url == f"ws://localhost:{lab_server.port}/ocpp"


async def test_a_paced_offer_is_said_in_pieces(lab_server, lab_pki, calls, ended):
    lab_server.offer = Offer(lab_pki.ecdsa, highest=TLS_1_2, pace=Pace(piece=1))
    assert (await calls()).startswith(b"HTTP/1.1 101")
    connection = await ended()
    handshake = [c for c in connection.tape if c.way is Way.LAB][:500]
    assert {len(chunk.data) for chunk in handshake} == {1}


async def test_a_stalled_offer_is_said_late(lab_server, lab_pki, calls, ended):
    lab_server.offer = Offer(lab_pki.ecdsa, pace=Pace(stall_s=0.2))
    assert (await calls()).startswith(b"HTTP/1.1 101")
    said = [c.at_s for c in (await ended()).tape if c.way is Way.LAB]
    assert said[0] >= 0.2


# --- waiting ----------------------------------------------------------------------------------------------


async def test_until_is_woken_by_a_change(lab_server, proper, calls):
    lab_server.offer = proper
    waiting = asyncio.create_task(
        lab_server.until(
            lambda: lab_server.newest and lab_server.newest.stage >= Stage.UPGRADE, within=10
        )
    )
    await calls()
    assert await waiting


async def test_until_gives_up_in_time(lab_server):
    assert await lab_server.until(lambda: 0, within=0.01) is None
    assert await lab_server.until(lambda: 7, within=0) == 7


# --- hostile callers --------------------------------------------------------------------------------------


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(said=st.lists(st.binary(min_size=1, max_size=300), max_size=4), hello=st.booleans())
def test_garbage_never_ends_the_server(lab_pki, said, hello):
    asyncio.run(_garbage(lab_pki, said, hello=hello))


async def _garbage(lab_pki, said, *, hello):
    server = LabServer(
        "127.0.0.1", 0, session=None, monotonic=time.monotonic, now=lambda: datetime.now(UTC)
    )
    await server.start()
    server.offer = Offer(lab_pki.ecdsa)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for data in [b"\x16\x03\x01"] * hello + said:
        writer.write(data)
    writer.write_eof()
    over = await server.until(lambda: server.newest and server.newest.ended_s, within=10)
    assert over is not None
    assert not server.newest.error.startswith("lab:")
    assert server.newest.stage <= Stage.UPGRADE
    writer.close()
    await server.aclose()


async def test_a_caller_that_floods_is_ended(lab_server, proper, ended):
    lab_server.offer = proper
    _, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            writer.write(b"\x16\x03\x01\x40\x00" + bytes(0x4000))
            await writer.drain()
    writer.close()
    assert (await ended()).error


async def test_a_hello_without_end_is_ended(lab_server, proper, ended):
    lab_server.offer = proper
    _, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    piece = b"\x16\x03\x01\x40\x00"
    writer.write(piece + b"\x01\x01\xff\xff" + bytes(0x3FFC))
    for _ in range(4):
        writer.write(piece + bytes(0x4000))
    connection = await ended()
    assert connection.error == "no ClientHello in 65536 bytes"
    assert connection.stage is Stage.NOTHING
    writer.close()


async def test_too_many_callers_make_room_for_the_next(lab_server, proper, calls):
    lab_server.offer = proper
    idle = [
        await asyncio.open_connection("127.0.0.1", lab_server.port) for _ in range(MAX_CALLERS + 1)
    ]
    assert (await calls()).startswith(b"HTTP/1.1 101")
    for _, writer in idle:
        writer.close()


@pytest.mark.slow
async def test_a_flood_of_frames_is_ended(lab_server, proper, calls, ended):
    lab_server.offer = proper
    assert isinstance(await calls(then=bytes(2**27)), OSError)
    connection = await ended()
    assert (connection.stage, connection.error) == (
        Stage.WEBSOCKET,
        f"more than {MAX_BYTES} bytes came",
    )


async def test_whoever_is_there_is_hung_up_on_at_the_end(lab_server, proper):
    lab_server.offer = proper
    reader, writer = await asyncio.open_connection("127.0.0.1", lab_server.port)
    await lab_server.until(lambda: lab_server.count, within=10)
    await lab_server.aclose()
    (heard,) = await asyncio.gather(reader.read(), return_exceptions=True)
    assert heard == b"" or isinstance(heard, ConnectionError)
    writer.close()


async def test_a_session_that_fails_costs_one_connection(
    lab_server, proper, lab_session, calls, ended
):
    async def fails(_stream, _connection):
        raise RuntimeError("gone wrong")

    lab_server.offer = proper
    lab_session.serve = fails
    await calls()
    assert (await ended()).error == "lab: RuntimeError: gone wrong"
