"""Each step towards a CSMS is a line; the first that fails says what to do, and no password goes astray."""

import asyncio
import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from websockets.asyncio.server import basic_auth, serve

from fuzz.app.diagnosing_csms import _date, _moment, examine
from fuzz.clock import rfc3339
from fuzz.config import RunOptions
from fuzz.errors import UsageError
from fuzz.transport.contexts import server_context
from tlslab.pki import Lab

PASSWORD = "a-long-enough-password"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("pki"), now=datetime.now(UTC), serial="CS-1")


@pytest.fixture(autouse=True)
def _no_password(monkeypatch):
    monkeypatch.delenv("OCPPFUZZ_PASSWORD", raising=False)


@pytest.fixture
def password(tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    return file


def accepted(ahead=timedelta(), status="Accepted", said=None):
    async def talk(link):
        async for message in link:
            call = json.loads(message)
            if said is not None:
                said.append(call[3]["chargingStation"]["serialNumber"])
            now = rfc3339(datetime.now(UTC) + ahead)
            answer = {"status": status, "currentTime": now, "interval": 300}
            await link.send(json.dumps([3, call[1], answer]))

    return talk


@pytest.fixture
async def csms():
    """A CSMS on loopback, `talk` being what it does over a WebSocket; gives its port."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(talk=None, **how):
            how = {"subprotocols": ["ocpp2.0.1"], "max_size": None} | how
            server = await stack.enter_async_context(
                serve(talk or accepted(), "127.0.0.1", 0, **how)
            )
            return server.sockets[0].getsockname()[1]

        yield start


@pytest.fixture
async def says():
    """A port that answers whatever comes with these bytes, and remembers what came."""
    async with contextlib.AsyncExitStack() as stack:
        heard = []

        async def start(answer, ssl_context=None):
            async def talk(reader, writer):
                with contextlib.suppress(OSError):
                    heard.append(await reader.read(65_536))
                    writer.write(answer)
                    await writer.drain()
                writer.close()

            server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=ssl_context)
            await stack.enter_async_context(server)
            return server.sockets[0].getsockname()[1]

        start.heard = heard
        yield start


def at(port, scheme="ws", host="localhost", **fields):
    profile = fields.pop("security_profile", 2 if scheme == "wss" else 1)
    url = f"{scheme}://{host}:{port}/ocpp/{{identity}}"
    return RunOptions(target=url, identity="CS-1", security_profile=profile, **fields)


async def lines(options):
    made = await examine(options)
    return made, {check.topic: check for check in made.checks}


def marks(by_topic):
    return " ".join(f"{topic}={check.mark}" for topic, check in by_topic.items())


async def test_a_csms_without_tls_is_told_step_by_step(csms, password):
    port = await csms(process_request=basic_auth(credentials=("CS-1", PASSWORD)))
    made, told = await lines(at(port, password_file=password))
    assert marks(told) == "DNS=ok TCP=ok credentials=ok subprotocol=ok boot=ok clock=ok"
    assert made.connected
    assert told["credentials"].seen == "let in as CS-1 with a Basic password"
    assert told["clock"].seen.startswith("currentTime is less than 1 s ")


async def test_a_csms_with_tls_shows_its_certificate_too(csms, lab):
    port = await csms(ssl=server_context(certificates=[(lab.csms.certificate, lab.csms.key)]))
    made, told = await lines(at(port, "wss", ca=lab.root.certificate))
    assert marks(told) == (
        "DNS=ok TCP=ok TLS=ok chain=ok expiry=ok name=ok credentials=ok subprotocol=ok boot=ok clock=ok"
    )
    assert made.connected
    assert told["TLS"].seen.startswith("TLSv1.3, TLS_AES_")
    assert told["credentials"].seen == "let in as CS-1 without credentials"


async def test_a_client_certificate_is_shown_and_asked_for(csms, lab):
    said = []
    context = server_context(
        certificates=[(lab.csms.certificate, lab.csms.key)], client_ca=lab.root.certificate
    )
    own = at(
        await csms(accepted(said=said), ssl=context),
        "wss",
        ca=lab.root.certificate,
        cert=lab.station.certificate,
        key=lab.station.key,
        security_profile=3,
    )
    made, told = await lines(own)
    assert made.connected
    assert told["TLS"].seen.endswith("; our certificate was shown")
    assert told["credentials"].seen == "let in as CS-1 with a certificate"
    assert said == ["CS-1"]

    made, told = await lines(replace(own, cert=None, key=None))
    assert not made.connected
    assert told["TLS"].advice == "it asks for a client certificate: give --cert and --key"


@pytest.mark.parametrize(
    ("host", "ca", "topic"), [("localhost", False, "chain"), ("127.0.0.1", True, "name")]
)
async def test_no_password_goes_to_a_csms_that_is_not_trusted(
    says, lab, password, monkeypatch, host, ca, topic
):
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    context = server_context(certificates=[(lab.csms.certificate, lab.csms.key)])
    port = await says(b"", context)
    root = lab.root.certificate if ca else None
    made, told = await lines(at(port, "wss", host, ca=root, password_file=password))
    assert not made.connected
    assert [t for t, check in told.items() if not check.ok] == [topic]
    assert b"".join(says.heard) == b""


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (None, "give the password: OCPPFUZZ_PASSWORD or --password-file"),
        ("wrong", "does the CSMS know CS-1, and with this password?"),
    ],
)
async def test_a_401_says_what_to_give(csms, tmp_path, given, advice):
    port = await csms(process_request=basic_auth(credentials=("CS-1", PASSWORD)))
    file = tmp_path / "given"
    file.write_text(given or "")
    made, told = await lines(at(port, password_file=file if given else None))
    assert not made.connected
    assert "401" in told["credentials"].seen
    assert told["credentials"].advice == advice
    assert told["clock"].seen.startswith("Date header is less than ")


@pytest.mark.parametrize(
    ("answer", "seen", "advice"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "/ocpp/CS-1: 404", "the path"),
        (b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n", "301 instead of 101", "dial where it"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "503 instead of 101", "log"),
        (b"", "closed without an answer", "then dial wss://"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "closed without an answer", "then dial wss://"),
    ],
)
async def test_what_is_no_websocket_is_told_with_its_status(says, answer, seen, advice):
    made, told = await lines(at(await says(answer)))
    assert not made.connected
    assert seen in told["HTTP"].seen
    assert advice in told["HTTP"].advice


async def test_tls_to_a_port_without_it_says_so(csms):
    made, told = await lines(at(await csms(), "wss"))
    assert marks(told) == "DNS=ok TCP=ok TLS=FAIL"
    assert "without it dial ws://" in told["TLS"].advice
    assert not made.connected


async def test_another_subprotocol_is_the_end(csms):
    port = await csms(subprotocols=None)
    _, told = await lines(at(port))
    assert told["subprotocol"].seen == "ocpp2.0.1 was offered, none chosen"
    assert marks(told).endswith("credentials=ok subprotocol=FAIL clock=ok")


async def test_a_clock_that_is_an_hour_ahead_fails(csms):
    _, told = await lines(at(await csms(accepted(timedelta(hours=3)))))
    assert (told["clock"].mark, told["clock"].seen) == (
        "FAIL",
        "currentTime is 3 h ahead of this machine",
    )
    assert told["clock"].advice == "set both by NTP"


async def test_a_station_that_has_to_wait_is_odd_only(csms):
    made, told = await lines(at(await csms(accepted(status="Pending"))))
    assert (made.connected, told["boot"].mark) == (True, "odd")


async def test_a_boot_that_is_not_answered_leaves_the_clock_to_the_header(csms):
    async def hang_up(link):
        await link.recv()

    _, told = await lines(at(await csms(hang_up)))
    assert told["boot"].mark == "FAIL"
    assert told["clock"].seen.startswith("Date header")


async def test_an_improper_answer_to_the_boot_is_told_as_one(csms):
    _, told = await lines(at(await csms(accepted(status="Perhaps"))))
    assert told["boot"].seen.startswith(
        "BootNotification was answered with something that is no pr"
    )
    assert told["boot"].advice == "`ocppfuzz run` names the rule"


async def test_a_closed_port_and_an_unknown_name_are_told():
    with contextlib.closing(await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)) as server:
        port = server.sockets[0].getsockname()[1]
    await server.wait_closed()
    _, told = await lines(at(port))
    assert told["TCP"].seen == f"127.0.0.1 port {port}: connection refused"
    _, told = await lines(at(1, host="no-such-host.invalid"))
    assert marks(told) == "DNS=FAIL"


async def test_a_certificate_of_ours_without_its_key_is_refused(lab, tmp_path):
    with pytest.raises(UsageError, match="is not the key of the first certificate"):
        await examine(at(1, "wss", cert=lab.station.certificate, key=lab.root.key))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(
    answer=st.binary(max_size=300)
    | st.binary(max_size=300).map(lambda b: b"HTTP/1.1 101 X\r\n" + b)
)
def test_whatever_a_port_says_it_is_a_diagnosis(answer):
    async def once():
        async def talk(reader, writer):
            await reader.read(65_536)
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
            return await examine(at(server.sockets[0].getsockname()[1]))

    made = asyncio.run(once())
    assert not made.connected
    assert made.checks[-1].advice


@given(st.text() | st.datetimes().map(datetime.isoformat) | st.integers())
def test_no_time_that_a_csms_tells_raises(told):
    for moment in (_moment(told), _date(str(told))):
        assert moment is None or moment.tzinfo is not None


def test_both_forms_of_a_time_are_read():
    assert _date("Thu, 01 Jan 2026 00:00:00 GMT") == datetime(2026, 1, 1, tzinfo=UTC)
    assert _moment("2026-01-01T00:00:00.000Z") == datetime(2026, 1, 1, tzinfo=UTC)
