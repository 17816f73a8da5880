"""The recording proxy between peers that we did not write: invisible to both, and what it recorded plays again."""

import json
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from fuzz.records import Side
from fuzz.traffic.events import Said
from fuzz.traffic.recordings import Recording
from strategies.version import version

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")
PASSWORD = "correct-horse-battery"
MORNING = ("wait 0.5", "plug-in 1", "present-token 04F0E1D2C3B4", "wait 0.5", "start-power 1")
EVENING = ("wait 1", "unplug 1", "wait 0.5")
WAYS = [(near, far) for near in ("ws", "wss") for far in ("ws", "wss")]


@pytest.fixture
def pki(ocppfuzz, tmp_path) -> Path:
    folder = tmp_path / "pki"
    assert ocppfuzz("pki", "create", folder, "--name", "localhost", "--serial", "CS-1").code == 0
    return folder


@pytest.fixture
def ours(pki) -> tuple[object, ...]:
    """The flags that show our certificate."""
    return ("--cert", pki / "csms-ecdsa.pem", "--key", pki / "csms-ecdsa.key")


class Proxy:
    """`ocppfuzz record` beside the test."""

    def __init__(self, running, until) -> None:
        self._running, self._until = running, until
        until(lambda: "listening on" in running.text, lambda: running.text)
        found = re.search(r"listening on (wss?)://127\.0\.0\.1:(\d+),", running.text)
        assert found is not None
        self.port = int(found[2])
        self.url = f"{found[1]}://localhost:{self.port}"

    @property
    def text(self) -> str:
        return self._running.text

    def says(self, words: str) -> None:
        self._until(lambda: words in self.text, lambda: self.text)

    def stop(self, how: int = signal.SIGINT) -> int:
        """Ends it as Ctrl-C does; its exit code."""
        self._running.process.send_signal(how)
        return self._running.process.wait(20)


@pytest.fixture
def recording(started, until):
    """Starts a proxy that dials this URL."""

    def start(target: str, *flags: object) -> Proxy:
        words = (OCPPFUZZ, "record", "--listen", "127.0.0.1:0", "--target", target, *flags)
        return Proxy(started(*words), until)

    return start


@pytest.fixture
def serve_station(started, tmp_path):
    """Starts the reference station at a CSMS, with a script of what happens to it."""

    def start(url: str, *flags: object, script=(*MORNING, *EVENING), env=None):
        (tmp_path / "script.txt").write_text("\n".join(script) + "\n")
        words = ("--identity", "CS-1", "--script", tmp_path / "script.txt", *flags)
        return started(OCPPFUZZ, "serve", "station", url, *words, env=env)

    return start


def said(file: Path) -> dict[Side, list[str | bytes]]:
    """What each side said, by a recording or a log."""
    owner = Side.CSMS if file.suffix == ".log" else None
    events = [e for e in Recording(file, version(), owner).events() if isinstance(e, Said)]
    return {side: [e.data for e in events if e.sender is side] for side in Side}


def is_over(heard: dict[Side, list[str | bytes]]) -> bool:
    """Whether the last word of the day was said, that the connector is free again, and everything is answered."""
    told = [str(text) for text in heard[Side.STATION]]
    left = any("Occupied" in text for text in told) and '"Available","evseId":1' in told[-1]
    return left and len(told) == len(heard[Side.CSMS])


def files(folder: Path) -> list[Path]:
    return sorted((folder / "recorded").glob("*.jsonl"))


@pytest.mark.parametrize(("near", "far"), WAYS)
def test_a_station_and_the_package_s_csms_hear_each_other_byte_for_byte_and_nothing_is_wrong(
    near, far, pki, ours, recording, serve_station, peers, started, until, tmp_path, ocppfuzz
):
    log = tmp_path / "csms.log"
    words = (sys.executable, peers / "talking_ocpp.py", "csms", log)
    csms = started(*words, *(ours if far == "wss" else ()))
    until(lambda: "\n" in csms.text, lambda: csms.text)
    target = f"{far}://localhost:{int(csms.text.split()[0])}/ocpp/{{identity}}"
    trust = ("--upstream-ca", pki / "root.pem") if far == "wss" else ()
    proxy = recording(target, *trust, *(ours if near == "wss" else ()))

    profile = 2 if near == "wss" else 0
    secure = ("--ca", pki / "root.pem") if near == "wss" else ()
    password = {"OCPPFUZZ_PASSWORD": PASSWORD} if profile else None
    station = serve_station(
        f"{proxy.url}/somewhere/else", "--security-profile", profile, *secure, env=password
    )
    until(lambda: "transaction Ended" in station.text, lambda: station.text + proxy.text)
    (file,) = files(tmp_path)
    until(lambda: is_over(said(file)), lambda: said(file))
    station.process.send_signal(signal.SIGTERM)
    station.process.wait(20)
    proxy.says("closed by the station with 1001")
    assert proxy.stop() == 0, proxy.text

    assert said(file) == said(log)
    assert len(said(file)[Side.STATION]) > 6
    assert "seen: 0 violations, 0 remarks" in proxy.text
    assert PASSWORD not in file.read_text()

    imported = ocppfuzz("corpus", "import", file, "--corpus", "corpus", "--json")
    assert imported.code == 0, imported.err
    assert imported.json["passed_over"] == {}
    assert len(imported.json["added"]) > 10
    whole = "".join((tmp_path / path).read_text() for path in imported.json["added"])
    assert [secret for secret in ("CS-1", "04F0E1D2C3B4") if secret in whole] == []


@pytest.fixture
def rpc_words(peers) -> tuple[object, ...]:
    modules = Path(os.environ.get("OCPPFUZZ_PEERS", "build/peers")).resolve() / "node_modules"
    if not (modules / "ocpp-rpc").is_dir() or shutil.which("node") is None:
        reason = f"no node, or no ocpp-rpc in {modules}; npm install it, or set OCPPFUZZ_PEERS"
        if os.environ.get("OCPPFUZZ_REQUIRE_PEERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return ("env", f"NODE_PATH={modules}", "node", peers / "rpc_recorded_station.js")


@pytest.mark.parametrize(("near", "far"), WAYS)
def test_a_station_in_another_language_and_our_csms_hear_each_other_and_the_close_code(
    near, far, pki, ours, recording, rpc_words, started, until, tmp_path
):
    csms = started(
        *(OCPPFUZZ, "serve", "csms", "--identity", "CS-1", "--pki", pki),
        *("--security-profile", 2 if far == "wss" else 1, "--listen", "127.0.0.1:0"),
        env={"OCPPFUZZ_PASSWORD": PASSWORD},
    )
    until(lambda: "\n" in csms.text, lambda: csms.text)
    there = re.search(r"127\.0\.0\.1:(\d+)|localhost:(\d+)", csms.text)
    assert there is not None, csms.text
    target = f"{far}://localhost:{there[1] or there[2]}/{{identity}}"
    trust = ("--upstream-ca", pki / "root.pem") if far == "wss" else ()
    proxy = recording(target, *trust, *(ours if near == "wss" else ()))
    root = (pki / "root.pem",) if near == "wss" else ()

    stranger = started(*rpc_words, proxy.url, "CS-1", "wrong-password-here", *root)
    until(lambda: "failed" in stranger.text, lambda: stranger.text + proxy.text)
    assert "Unauthorized" in stranger.text
    proxy.says("CS-1  refused by the CSMS with HTTP 401")

    station = started(*rpc_words, proxy.url, "CS-1", PASSWORD, *root)
    until(lambda: "closed" in station.text, lambda: station.text + proxy.text + csms.text)
    proxy.says("closed by the station with 4002 (enough)")
    assert proxy.stop(signal.SIGTERM) == 0, proxy.text

    events = [json.loads(line) for line in station.text.splitlines()]
    (file,) = files(tmp_path)
    assert said(file) == {
        Side.STATION: [e["text"] for e in events if e.get("outbound") is True],
        Side.CSMS: [e["text"] for e in events if e.get("outbound") is False],
    }
    assert len(said(file)[Side.STATION]) == 22
    assert "seen: 0 violations, 0 remarks" in proxy.text
    assert [s for s in (PASSWORD, "Y29ycmVjdC") if s in proxy.text + file.read_text()] == []


def test_it_plays_again_on_the_station_that_was_recorded(
    recording, serve_station, driven, ocppfuzz, tmp_path
):
    proxy = recording(f"ws://localhost:{driven.port}/{{identity}}", "--corpus", "corpus")
    serve_station(f"{proxy.url}/ocpp", "--security-profile", 0, script=("wait 60",))
    driven.boot()
    name = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
    driven.call("GetVariables", {"getVariableData": [name]})
    driven.call("SetVariables", {"setVariableData": [{**name, "attributeValue": "900"}]})
    driven.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
    driven.call("DataTransfer", {"vendorId": "nobody"})
    proxy.says("connected from")
    assert proxy.stop() == 0, proxy.text
    assert "seen: 0 violations, 0 remarks" in proxy.text
    assert re.search(r"corpus: 1\d cases added", proxy.text)

    asked = [
        p for p in (tmp_path / "corpus").glob("*/*.json") if '"side": "station"' in p.read_text()
    ]
    for answer in (p for p in asked if "[3," in p.read_text()):
        answer.unlink()  # answers to boots take a minute each
    checked = ocppfuzz("corpus", "check", "--corpus", "corpus", "--json")
    assert checked.code == 0, checked.out + checked.err
    again = ocppfuzz("replay", "corpus", "--json")
    outcomes = [json.loads(line)["outcome"] for line in again.out.splitlines()]
    assert outcomes.count("fixed") >= 4, again.out
    assert set(outcomes) <= {"fixed", "not run"}


def test_a_planted_defect_is_seen_in_ordinary_traffic(recording, serve_station, driven, ocppfuzz):
    flags = ("--fail-on", "high", "--quiet")
    proxy = recording(f"ws://localhost:{driven.port}/{{identity}}", *flags)
    serve_station(
        *(f"{proxy.url}/ocpp", "--security-profile", 1, "--defect", "P58"),
        script=("wait 60",),
        env={"OCPPFUZZ_PASSWORD": PASSWORD},
    )
    driven.boot()
    name = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    driven.call("GetVariables", {"getVariableData": [name]})
    proxy.says("seen of the station: information-leak (O23, high)")
    assert proxy.stop() == 1, proxy.text
    assert "connected from" not in proxy.text


def test_a_defect_that_shows_over_two_connections_is_seen(recording, serve_station, driven):
    proxy = recording(f"ws://localhost:{driven.port}/{{identity}}")
    script = (*MORNING, *EVENING, "power-cycle", "wait 3", *MORNING, *EVENING)
    flags = ("--security-profile", 0, "--defect", "P63")
    serve_station(f"{proxy.url}/ocpp", *flags, script=script)
    proxy.says("seen of the station: idempotency (O14, high)")
    assert proxy.stop() == 0, proxy.text


def test_security_profile_3_upstream_takes_an_identity_of_its_own(
    pki, ours, recording, serve_station, csms_of, until
):
    csms = csms_of(*ours, "--ca", pki / "root.pem")
    target = f"wss://localhost:{csms.port}/{{identity}}"
    near = (*ours, "--ca", pki / "root.pem")
    station = (
        "--cert",
        pki / "station.pem",
        "--key",
        pki / "station.key",
        "--ca",
        pki / "root.pem",
    )

    without = recording(target, "--upstream-ca", pki / "root.pem", *near)
    refused = serve_station(without.url, "--security-profile", 3, *station, script=("wait 60",))
    without.says("CS-1  refused by us with HTTP 502")
    without.says("give an identity of its own with --upstream-cert and --upstream-key")
    refused.end()
    assert without.stop() == 0

    own = ("--upstream-cert", pki / "station.pem", "--upstream-key", pki / "station.key")
    proxy = recording(target, "--upstream-ca", pki / "root.pem", *own, *near)
    serve_station(proxy.url, "--security-profile", 3, *station, script=("wait 60",))
    assert csms.expect("connected")["common_name"]
    csms.boot()
    assert proxy.stop() == 0, proxy.text
    assert "seen: 0 violations" in proxy.text


def test_what_was_said_is_on_disk_when_it_is_killed(recording, serve_station, driven, tmp_path):
    proxy = recording(f"ws://localhost:{driven.port}/{{identity}}")
    serve_station(f"{proxy.url}/ocpp", "--security-profile", 0, script=("wait 60",))
    driven.boot()
    assert proxy.stop(signal.SIGKILL) != 0
    (file,) = files(tmp_path)
    assert any('"BootNotification"' in str(message) for message in said(file)[Side.STATION])


def test_what_it_adds_to_a_round_trip_is_measured(ocppfuzz):
    measured = ocppfuzz("bench", "record")
    assert measured.code == 0, measured.err
    rows = [line.split() for line in measured.out.splitlines() if " to w" in line]
    assert [row[:3] for row in rows] == [["ws", "to", "ws"], ["wss", "to", "wss"]]
    assert all(float(row[3]) > 0 for row in rows)


class Driven:
    """The driven CSMS of the `ocpp` package: told lines on standard input, read by what it printed."""

    def __init__(self, process, read) -> None:
        self._process, self._read = process, read
        self._taken = 0
        self.port = self.expect("listening")["listening"]

    def expect(self, kind: str, value: object = None) -> dict:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            events = [json.loads(line) for line in self._read() if line.startswith("{")]
            for at in range(self._taken, len(events)):
                if kind in events[at] and value in (None, events[at][kind]):
                    self._taken = at + 1
                    return events[at]
            time.sleep(0.02)
        pytest.fail(f"no {kind} {value}; instead: {self._read()[-10:]}")

    def boot(self) -> None:
        """A station has booted, and said how its connectors are."""
        self.expect("heard", "BootNotification")
        self.expect("heard", "StatusNotification")

    def call(self, action: str, payload: dict) -> dict:
        self._process.stdin.write(json.dumps({"call": action, "payload": payload}) + "\n")
        self._process.stdin.flush()
        return self.expect("answered", action)["payload"]


@pytest.fixture
def csms_of(peers, tmp_path):
    """Starts driven CSMSes that end with the test."""
    import subprocess

    running = []

    def start(*flags: object) -> Driven:
        log = tmp_path / f"driven-{len(running)}.txt"
        words = [sys.executable, peers / "driven_ocpp_csms.py", *flags]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(w) for w in words], stdin=subprocess.PIPE, stdout=out, stderr=out, text=True
            )
        running.append(process)
        return Driven(process, lambda: log.read_text().splitlines())

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def driven(csms_of) -> Driven:
    return csms_of()
