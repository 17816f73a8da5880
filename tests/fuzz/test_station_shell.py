import asyncio
import base64
import json
import os
import ssl
from datetime import UTC, datetime

import pytest
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

from fuzz.errors import UsageError
from fuzz.station.shell import StationOptions, serve_station
from tlslab.pki import Lab

PATIENCE_S = 20.0


def answer(action):
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    boot = {"status": "Accepted", "currentTime": now, "interval": 60}
    return {"BootNotification": boot, "Heartbeat": {"currentTime": now}}.get(action, {})


class Csms:
    """Answers every CALL, and notes what happened as words in a queue."""

    def __init__(self):
        self.events = asyncio.Queue()
        self.sockets = []
        self.url = ""
        self.options = {"subprotocols": ["ocpp2.0.1"]}
        self._server = None

    async def open(self, **options):
        server = serve(self._serve, "127.0.0.1", 0, **{**self.options, **options})
        self._server = await server
        scheme = "wss" if options.get("ssl") else "ws"
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{scheme}://localhost:{port}/ocpp"

    async def close(self):
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, socket):
        self.sockets.append(socket)
        self.events.put_nowait(("open", socket.request))
        try:
            async for text in socket:
                frame = json.loads(text)
                if frame[0] == 2:
                    await socket.send(json.dumps([3, frame[1], answer(frame[2])]))
                self.events.put_nowait((frame[2] if frame[0] == 2 else frame[1], frame))
        except ConnectionClosed:
            pass
        self.events.put_nowait(("closed", socket.close_code))

    async def wait_for(self, word):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found, what = await self.events.get()
                if found == word:
                    return what


@pytest.fixture
async def csms():
    csms = Csms()
    yield csms
    await csms.close()


@pytest.fixture
async def start():
    tasks = []

    def start(url, **options):
        quick = {"backoff_min_s": 0.01, "backoff_range_s": 0.01, "boot_delay_s": 0.01}
        deaths = asyncio.Queue()
        station = serve_station(
            StationOptions(csms=url, **{**quick, **options}), die=deaths.put_nowait
        )
        tasks.append(asyncio.ensure_future(station))
        deaths.task = tasks[-1]
        return deaths

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def operate(monkeypatch):
    """Gives a line to each station with a console, at the moment that the test chooses."""
    lines = asyncio.Queue()

    async def typed():
        while True:
            yield await lines.get()

    monkeypatch.setattr("fuzz.station.shell.typed_lines", typed)
    return lines.put_nowait


async def test_the_station_dials_its_own_path_with_its_password_and_boots(csms, start):
    await csms.open()
    start(csms.url, identity="CS 1/ü", password="a secret")
    request = await csms.wait_for("open")
    assert request.path == "/ocpp/CS%201%2F%C3%BC"
    credentials = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
    assert credentials == "CS 1/ü:a secret".encode()
    assert "permessage-deflate" in request.headers["Sec-WebSocket-Extensions"]
    await csms.wait_for("BootNotification")
    await csms.wait_for("SecurityEventNotification")


async def test_a_lost_connection_is_made_again_without_a_boot(csms, start):
    await csms.open()
    start(csms.url)
    await csms.wait_for("SecurityEventNotification")
    csms.sockets[0].transport.abort()
    await csms.wait_for("open")
    await csms.sockets[1].send('[2,"q","ClearCache",{}]')
    assert (await csms.wait_for("q"))[0] == 3
    assert csms.events.empty()


async def test_a_reset_closes_politely_and_boots_again(csms, start):
    await csms.open()
    start(csms.url)
    await csms.wait_for("SecurityEventNotification")
    await csms.sockets[0].send('[2,"q","Reset",{"type":"Immediate"}]')
    assert await csms.wait_for("closed") == 1001
    assert (await csms.wait_for("BootNotification"))[3]["reason"] == "RemoteReset"


async def test_hostile_frames_are_survived(csms, start):
    await csms.open()
    start(csms.url)
    await csms.wait_for("SecurityEventNotification")
    for message in (b"\xff", "[" * 100_000, "x" * 3_000_000, ""):
        await csms.sockets[0].send(message)
        assert (await csms.wait_for("-1"))[2] == "RpcFrameworkError"
    await csms.sockets[0].send(b"\xff\xff", text=True)
    assert await csms.wait_for("closed") == 1007
    await csms.wait_for("open")


async def test_a_planted_crash_ends_the_process_and_a_planted_break_the_connection(csms, start):
    await csms.open()
    deaths = start(csms.url, defects=("evse-index", "unhashable-action"))
    await csms.wait_for("SecurityEventNotification")
    await csms.sockets[0].send('[2,"q",[],{}]')
    assert await csms.wait_for("closed") == 1011
    await csms.wait_for("open")
    await csms.sockets[1].send('[2,"q","Reset",{"type":"OnIdle","evseId":3}]')
    assert await asyncio.wait_for(deaths.get(), PATIENCE_S) == 70


async def test_a_slow_answer_comes_late_and_the_station_serves_meanwhile(csms, start):
    await csms.open()
    start(csms.url, decoys=("D-5",), decoy_delay_s=0.2)
    await csms.wait_for("SecurityEventNotification")
    for number in range(45):
        await csms.sockets[0].send(f'[2,"q{number}","ClearCache",{{}}]')
    words = [(await csms.events.get())[0] for _ in range(45)]
    assert sorted(words) == sorted(f"q{number}" for number in range(45))
    assert words.index("q39") > words.index("q40")


async def test_a_csms_without_the_subprotocol_hears_nothing(csms, start):
    await csms.open(subprotocols=None)
    start(csms.url)
    assert await csms.wait_for("closed") == 1002
    await csms.wait_for("open")


async def test_a_redirect_is_not_followed(csms, start):
    other = Csms()
    await other.open()

    def redirect(_connection, request):
        csms.events.put_nowait(("asked", request.path))
        return Response(302, "Found", Headers({"Location": other.url, "Content-Length": "0"}), b"")

    await csms.open(process_request=redirect)
    start(csms.url, password="a secret")
    for _ in range(3):
        await csms.wait_for("asked")
    assert other.events.empty()
    await other.close()


async def test_state_survives_the_process_and_is_private(csms, start, tmp_path):
    await csms.open()
    first = start(csms.url, state=tmp_path)
    await csms.wait_for("SecurityEventNotification")
    change = {"operationalStatus": "Inoperative", "evse": {"id": 1}}
    await csms.sockets[0].send(json.dumps([2, "q", "ChangeAvailability", change]))
    await csms.wait_for("StatusNotification")
    with pytest.raises(UsageError, match="another station"):
        await serve_station(StationOptions(csms=csms.url, state=tmp_path))
    first.task.cancel()
    await csms.wait_for("closed")
    await asyncio.gather(first.task, return_exceptions=True)
    start(csms.url, state=tmp_path)
    await csms.wait_for("BootNotification")
    status = (await csms.wait_for("StatusNotification"))[3]
    assert (status["evseId"], status["connectorStatus"]) == (1, "Unavailable")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab.create(tmp_path_factory.mktemp("lab"), now=datetime.now(UTC))


def server_context(lab, *, client=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.csms.certificate, lab.csms.key)
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(lab.root.certificate)
    return context


async def test_mutual_tls_uses_tls_1_2_and_the_suites_of_the_pics_file(csms, start, lab):
    await csms.open(ssl=server_context(lab, client=True))
    start(
        csms.url,
        security_profile=3,
        password="never sent",
        ca=lab.root.certificate,
        certificate=lab.station.certificate,
        key=lab.station.key,
    )
    request = await csms.wait_for("open")
    tls = csms.sockets[0].transport.get_extra_info("ssl_object")
    assert "Authorization" not in request.headers
    assert tls.version() == "TLSv1.2"
    assert {name for name, _, _ in tls.shared_ciphers()} == {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
    }
    assert ("commonName", "OCPPFUZZ0001") in [
        pair for rdn in tls.getpeercert()["subject"] for pair in rdn
    ]


async def test_a_csms_with_a_foreign_certificate_never_sees_the_password(
    csms, start, lab, tmp_path
):
    stranger = Lab.create(tmp_path / "stranger", now=datetime.now(UTC))
    context = server_context(stranger)
    context.sni_callback = lambda *hello: csms.events.put_nowait(("hello", hello[1]))
    await csms.open(ssl=context)
    start(csms.url, security_profile=2, password="a secret", ca=lab.root.certificate)
    seen = [(await csms.events.get())[0] for _ in range(3)]
    assert seen == ["hello"] * 3


def test_a_certificate_that_is_not_there_is_a_usage_error(tmp_path):
    options = StationOptions(csms="wss://localhost/ocpp", security_profile=2, ca=tmp_path / "none")
    with pytest.raises(UsageError, match="certificates"):
        asyncio.run(serve_station(options))


def test_a_broken_state_is_a_usage_error(tmp_path):
    (tmp_path / "variables.station.json").write_text("{")
    options = StationOptions(csms="ws://localhost/ocpp", state=tmp_path)
    with pytest.raises(UsageError, match=r"variables\.station\.json cannot be read"):
        asyncio.run(serve_station(options))


# --- the operator -----------------------------------------------------------------------------------------


def script(tmp_path, *lines):
    path = tmp_path / "script"
    path.write_text("\n".join(lines))
    return path


async def told(capsys, text):
    """Waits until the station has logged `text`; everything that it logged."""
    seen = ""
    async with asyncio.timeout(PATIENCE_S):
        while text not in seen:
            await asyncio.sleep(0)
            seen += capsys.readouterr().err
    return seen


async def test_the_script_of_an_operator_is_played_and_told(csms, start, tmp_path, capsys):
    await csms.open()
    start(csms.url, script=script(tmp_path, "# morning", "tamper", "wait 0.01", "status", "help"))
    seen = await told(capsys, "tell these words")
    assert seen.index("housing opened") < seen.index("registration ") < seen.index("plug-in EVSE")
    assert "EVSE 1: unplugged, 0 kW, 0.000 kWh, no transaction" in seen
    assert "EVSE 2: " in seen


async def test_a_cut_network_ends_the_connection_without_a_farewell(csms, start, operate, capsys):
    await csms.open()
    start(csms.url, console=True)
    await csms.wait_for("SecurityEventNotification")
    operate("cut-network")
    assert await csms.wait_for("closed") == 1006
    operate("restore-network")
    await csms.wait_for("open")
    seen = await told(capsys, "network restored")
    assert "let go without a close" in seen


async def test_a_power_cycle_boots_again_without_a_farewell(csms, start, operate):
    await csms.open()
    start(csms.url, console=True)
    await csms.wait_for("SecurityEventNotification")
    operate("power-cycle")
    assert await csms.wait_for("closed") == 1006
    assert (await csms.wait_for("BootNotification"))[3]["reason"] == "PowerUp"


async def test_on_a_bench_the_dead_stay_dead_until_their_power_is_cycled(
    csms, start, operate, capsys
):
    await csms.open()
    deaths = start(csms.url, bench=True, defects=("evse-index",), console=True)
    await csms.wait_for("SecurityEventNotification")
    await csms.sockets[0].send('[2,"q","Reset",{"type":"OnIdle","evseId":3}]')
    assert await csms.wait_for("closed") == 1006
    for line in ("tamper", "status", "power-cycle"):
        operate(line)
    await csms.wait_for("BootNotification")
    assert deaths.empty()
    assert "not connected, without power" in await told(capsys, "power lost and back")


async def test_realistic_timing_keeps_the_order_of_answers_under_a_flood(csms, start):
    await csms.open()
    start(csms.url, realistic_timing=True)
    await csms.wait_for("SecurityEventNotification")
    for number in range(5):
        await csms.sockets[0].send(f'[2,"q{number}","ClearCache",{{}}]')
    words = [(await csms.events.get())[0] for _ in range(5)]
    assert [word for word in words if word.startswith("q")] == words
    assert words == sorted(words)


async def test_standard_input_is_obeyed_line_by_line(csms, start, monkeypatch, capsys):
    await csms.open()
    outlet, inlet = os.pipe()
    with os.fdopen(outlet) as stdin, os.fdopen(inlet, "wb", buffering=0) as keyboard:
        monkeypatch.setattr("sys.stdin", stdin)
        station = start(csms.url, console=True)
        keyboard.write(b"tampr\nplug-in 7\n" + b"x" * 9000 + b"\n\xff\nstatus\n")
        seen = await told(capsys, "EVSE 2: ")
        assert "unknown word 'tampr'; did you mean 'tamper'?" in seen
        assert "no EVSE 7; this station has EVSE 1, 2" in seen
        keyboard.close()
        await csms.wait_for("SecurityEventNotification")
        assert not station.task.done()
        station.task.cancel()
        await asyncio.gather(station.task, return_exceptions=True)


@pytest.mark.parametrize("line", ["plugin 1", "plug-in 7"])
def test_a_script_that_does_not_fit_is_a_usage_error(tmp_path, line):
    options = StationOptions(csms="ws://localhost/ocpp", script=script(tmp_path, "tamper", line))
    with pytest.raises(UsageError, match="script line 2: "):
        asyncio.run(serve_station(options))


def test_a_root_file_without_certificates_is_a_usage_error(tmp_path):
    (tmp_path / "root.pem").write_text("nothing")
    options = StationOptions(
        csms="wss://localhost/ocpp", security_profile=2, ca=tmp_path / "root.pem"
    )
    with pytest.raises(UsageError, match="no certificates in"):
        asyncio.run(serve_station(options))
