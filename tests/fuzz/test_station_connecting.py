import asyncio
import contextlib
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

from fuzz.station.connecting import NotConnected, Route, dial
from fuzz.station.events import Failure
from fuzz.station.keystore import Credentials
from tlslab.authority import Authority
from tlslab.describe import Chain, Description
from tlslab.pki import Files, Lab, issue

SUITES = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("lab"), now=datetime.now(UTC))


@pytest.fixture(scope="module")
def misnamed(lab, tmp_path_factory):
    """A CSMS of the same root, with `localhost` as alternative name and another commonName: enough for OpenSSL."""
    named = Description("csms.example", names=("localhost",))
    credential = issue(named, now=datetime.now(UTC), issuer=lab.root.read())
    folder = tmp_path_factory.mktemp("misnamed")
    files = Files(folder / "certificate.pem", folder / "key.pem")
    files.write(credential)
    return files


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("stranger"), now=datetime.now(UTC))


def server_context(files):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


def credentials(lab, password="a secret"):
    return Credentials(password=password, roots=(lab.root.certificate.read_text(),))


@pytest.fixture
async def csms():
    """Opens a server; the requests that reach it, and how to dial it."""
    servers = []
    requests = []

    async def open_(*, answer=None, subprotocols=("ocpp2.0.1",), tls=None):
        def process_request(_connection, request):
            requests.append(request)
            return answer

        async def stay(socket):
            await socket.wait_closed()

        server = await serve(
            stay,
            "127.0.0.1",
            0,
            subprotocols=subprotocols,
            ssl=tls,
            process_request=process_request,
        )
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        url = f"{'wss' if tls else 'ws'}://localhost:{port}/ocpp"
        return Route(url, "CS 1", 2 if tls else 1, "ocpp2.0.1", SUITES)

    open_.requests = requests
    yield open_
    for server in servers:
        server.close()
        await server.wait_closed()


async def failure(route, given):
    with pytest.raises(NotConnected) as refused:
        await dial(route, given)
    assert len(str(refused.value).splitlines()) == 1
    assert "a secret" not in str(refused.value)
    return refused.value.failure


async def test_a_trusted_csms_gets_the_password_after_a_look_at_its_certificate(csms, lab):
    route = await csms(tls=server_context(lab.csms))
    connection = await dial(route, credentials(lab))
    await connection.close()
    assert csms.requests[0].path == "/ocpp/CS%201"
    assert csms.requests[0].headers["Authorization"].startswith("Basic ")


async def test_a_csms_that_is_not_named_as_it_is_dialled_sees_no_request(csms, lab, misnamed):
    route = await csms(tls=server_context(misnamed))
    assert await failure(route, credentials(lab)) is Failure.CSMS_CERTIFICATE
    assert csms.requests == []


async def test_a_csms_of_a_foreign_root_sees_no_request(csms, lab, stranger):
    route = await csms(tls=server_context(stranger.csms))
    assert await failure(route, credentials(lab)) is Failure.CSMS_CERTIFICATE
    assert csms.requests == []


@pytest.mark.parametrize(("days", "trusted"), [(0, True), (300, True), (400, False), (-2, False)])
async def test_the_station_s_own_clock_decides_whether_a_certificate_is_valid(
    csms, lab, days, trusted
):
    route = replace(await csms(tls=server_context(lab.csms)), clock_shift_s=days * 86_400.0)
    if trusted:
        connection = await dial(route, credentials(lab))
        await connection.close()
    else:
        assert await failure(route, credentials(lab)) is Failure.CSMS_CERTIFICATE
    assert bool(csms.requests) is trusted


async def test_a_certificate_that_begins_tomorrow_is_trusted_by_a_station_that_lives_there(
    csms, lab, tmp_path
):
    tomorrow = issue(
        Description("localhost"), now=datetime.now(UTC) + timedelta(days=2), issuer=lab.root.read()
    )
    files = Files(tmp_path / "certificate.pem", tmp_path / "key.pem")
    files.write(tomorrow)
    route = await csms(tls=server_context(files))
    assert await failure(route, credentials(lab)) is Failure.CSMS_CERTIFICATE
    connection = await dial(replace(route, clock_shift_s=3 * 86_400.0), credentials(lab))
    await connection.close()


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, Failure.REFUSED),
        (403, Failure.REFUSED),
        (404, Failure.UNREACHABLE),
        (302, Failure.UNREACHABLE),
    ],
)
async def test_a_refused_request_is_not_repeated_elsewhere(csms, status, why):
    headers = Headers({"Location": "ws://localhost:1/", "Content-Length": "0"})
    route = await csms(answer=Response(status, "No", headers, b""))
    assert await failure(route, Credentials(password="a secret")) is why
    assert len(csms.requests) == 1


async def test_without_the_subprotocol_there_is_no_connection(csms):
    route = await csms(subprotocols=None)
    assert await failure(route, Credentials()) is Failure.REFUSED


@pytest.mark.parametrize(
    "url", ["ws://localhost:1/ocpp", "ws://", "wss://[::1", "http://localhost", "ws://a b/"]
)
async def test_where_nobody_can_be_reached_is_unreachable(url):
    route = Route(url, "CS", 1, "ocpp2.0.1", SUITES)
    with pytest.raises(NotConnected) as refused:
        await dial(route, Credentials())
    assert refused.value.failure is Failure.UNREACHABLE


async def test_broken_credentials_are_no_connection_and_no_crash(csms, lab):
    route = await csms(tls=server_context(lab.csms))
    with pytest.raises(NotConnected):
        await dial(route, Credentials(roots=("nonsense",)))


async def test_nonsense_instead_of_a_handshake_is_no_connection():
    async def babble(reader, writer):
        writer.write(b"\x00\xff nonsense\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        for scheme, profile in (("ws", 1), ("wss", 2)):
            route = Route(f"{scheme}://127.0.0.1:{port}", "CS", profile, "ocpp2.0.1", SUITES)
            with pytest.raises(NotConnected):
                await dial(route, Credentials())


# --- hostile offers ---------------------------------------------------------------------------------------


@pytest.fixture
def shows(lab, tmp_path):
    """The TLS of a CSMS that shows a chain of the lab's root."""

    def make(chain):
        now = datetime.now(UTC)
        credential = Authority(lab.root.read(), now=lambda: now).issue(chain)
        (tmp_path / "shown.pem").write_bytes(credential.key + credential.presented)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "shown.pem")
        return context

    return make


CA = Description("intermediate", is_ca=True)
DEEP = tuple(replace(CA, common_name=f"ca {number}") for number in range(10))
NAMES = ("localhost", *(f"n{number}.example" for number in range(999)))


@pytest.mark.parametrize(
    "chain",
    [Chain(Description("localhost"), DEEP), Chain(Description("localhost", names=NAMES))],
    ids=["ten deep", "a thousand names"],
)
async def test_an_unwieldy_chain_is_taken(csms, lab, shows, chain):
    connection = await dial(await csms(tls=shows(chain)), credentials(lab))
    await connection.close()


async def test_a_hundred_kilobytes_of_certificates_are_no_connection(csms, lab, shows):
    route = await csms(
        tls=shows(Chain(Description("localhost", names=("localhost",), padding=600)))
    )
    assert await failure(route, credentials(lab)) is not Failure.REFUSED
    assert csms.requests == []


async def test_a_station_that_is_certified_for_clients_is_no_csms(csms, lab):
    station = Files(lab.station.certificate, lab.station.key)
    route = await csms(tls=server_context(station))
    assert await failure(route, credentials(lab)) is Failure.CSMS_CERTIFICATE
    assert csms.requests == []


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 301 Moved\r\nLocation: ws://localhost:1/\r\n\r\n", b""]
)
async def test_plain_text_or_silence_where_tls_is_due_gets_no_password(lab, monkeypatch, said):
    monkeypatch.setattr("fuzz.station.connecting._OPEN_TIMEOUT_S", 0.2)
    heard = bytearray()

    async def answer(reader, writer):
        writer.write(said)
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while data := await reader.read(4096):
                heard.extend(data)

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        route = Route(f"wss://localhost:{port}", "CS", 2, "ocpp2.0.1", SUITES)
        assert await failure(route, credentials(lab)) is Failure.UNREACHABLE
    assert heard.startswith(b"\x16\x03")
    assert b"GET" not in heard
