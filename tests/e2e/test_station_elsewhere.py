"""The reference station at CSMSes that we did not write: the whole life of a station, over real sockets and real TLS.

The CSMS is the `ocpp` package or `ocpp-rpc` with strict validation; OpenSSL is the certificate authority; a plain HTTP
server of the standard library has the firmware and takes the logs.
"""

import base64
import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")
PATIENCE_S = 30.0
PASSWORD = "correct-horse-battery"
TOKEN = {"idToken": "04A1B2C3", "type": "ISO14443"}


class Lines:
    """A process that is told lines and says lines; whatever it said is kept."""

    def __init__(self, words, *, env=None, cwd=None) -> None:
        self.said: list[str] = []
        self._new: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def next(self, deadline: float) -> str:
        try:
            return self._new.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return ""

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            self._new.put(line)


class Csms:
    """A CSMS that a test drives; `events` is everything it has reported."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.events: list[dict[str, Any]] = []
        self._taken: set[int] = set()
        self.port = self.expect("listening")["listening"]

    def call(self, action: str, payload: dict) -> dict:
        """The payload of the CALLRESULT."""
        self.lines.tell(json.dumps({"call": action, "payload": payload}))
        answer = self.expect("answered", "failed", name=action)
        assert "failed" not in answer, answer
        return answer["payload"]

    def answer(self, action: str, payload: dict) -> None:
        self.lines.tell(json.dumps({"answer": action, "payload": payload}))

    def heard(self, action: str, where: Callable[[dict], object] = lambda payload: True) -> dict:
        """The payload of the next CALL of `action` that fits; what comes between is skipped."""
        return self.expect("heard", name=action, where=where)["payload"]

    def expect(self, *kinds: str, name: str = "", where=lambda payload: True) -> dict[str, Any]:
        """The first event of these kinds that no expectation took yet; waits for it."""
        deadline = time.monotonic() + PATIENCE_S
        at = 0
        while at < len(self.events) or self._read(deadline):
            event = self.events[at]
            found = next((kind for kind in kinds if kind in event), None)
            fits = found and (not name or event[found] == name) and where(event.get("payload"))
            if fits and id(event) not in self._taken:
                self._taken.add(id(event))
                return event
            at += 1
        pytest.fail(f"no {kinds} {name}; instead: {self.events[-12:]}")

    def _read(self, deadline: float) -> bool:
        line = self.lines.next(deadline)
        if line:
            self.events.append(json.loads(line) if line.startswith("{") else {"other": line})
        return bool(line)

    def transactions(self) -> list[dict]:
        """The payloads of every TransactionEvent so far, in order."""
        return [e["payload"] for e in self.events if e.get("heard") == "TransactionEvent"]


@pytest.fixture
def lab(ocppfuzz, tmp_path) -> Path:
    made = ocppfuzz("pki", "create", tmp_path / "lab", "--name", "localhost", "--serial", "CS-1")
    assert made.code == 0, made.err
    return tmp_path / "lab"


@pytest.fixture
def running():
    """Starts processes that are told lines; they end with the test."""
    begun: list[Lines] = []

    def start(*words, **where) -> Lines:
        begun.append(Lines(words, **where))
        return begun[-1]

    yield start
    for one in begun:
        one.end()


def _rpc_environment() -> dict[str, str]:
    modules = Path(os.environ.get("OCPPFUZZ_PEERS", "build/peers")).resolve() / "node_modules"
    if not (modules / "ocpp-rpc").is_dir() or shutil.which("node") is None:
        reason = f"no node, or no ocpp-rpc in {modules}; npm install it, or set OCPPFUZZ_PEERS"
        if os.environ.get("OCPPFUZZ_REQUIRE_PEERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return {"NODE_PATH": str(modules)}


@pytest.fixture(params=["ocpp", "ocpp-rpc"])
def csms_of(request, peers, running, lab) -> Callable[[int], Csms]:
    """Starts the CSMS for a security profile."""

    def start(security_profile: int) -> Csms:
        words: list[object] = []
        if security_profile < 3:
            words += ["--credentials", f"CS-1:{PASSWORD}"]
        if security_profile > 1:
            words += ["--cert", lab / "csms-ecdsa.pem", "--key", lab / "csms-ecdsa.key"]
        if security_profile == 3:
            words += ["--ca", lab / "root.pem"]
        if request.param == "ocpp":
            return Csms(running(sys.executable, peers / "driven_ocpp_csms.py", *words))
        script = peers / "driven_rpc_csms.js"
        return Csms(running("node", script, *words, env=_rpc_environment()))

    return start


@pytest.fixture
def station_at(running, lab, tmp_path) -> Callable[..., Lines]:
    """Starts `ocppfuzz serve station` at a CSMS, with the operator's console."""

    def start(csms: Csms, security_profile: int, *further: object) -> Lines:
        scheme = "ws" if security_profile == 1 else "wss"
        words: list[object] = ["--csms", f"{scheme}://localhost:{csms.port}/ocpp"]
        words += ["--identity", "CS-1", "--security-profile", security_profile, "--console"]
        if security_profile > 1:
            words += ["--ca", lab / "root.pem"]
        if security_profile == 3:
            words += ["--cert", lab / "station.pem", "--key", lab / "station.key"]
        env = {"OCPPFUZZ_PASSWORD": PASSWORD} if security_profile < 3 else {}
        state = ("--state", tmp_path / "state")
        return running(OCPPFUZZ, "serve", "station", *words, *state, *further, env=env)

    return start


@pytest.fixture(params=[1, 2, 3], ids=lambda profile: f"profile{profile}")
def profile(request) -> int:
    return request.param


@pytest.fixture
def booted(csms_of, station_at, profile) -> tuple[Csms, Lines]:
    csms = csms_of(profile)
    station = station_at(csms, profile)
    csms.expect("connected")
    assert csms.heard("BootNotification")["reason"] == "PowerUp"
    csms.heard("SecurityEventNotification", lambda said: said["type"] == "StartupOfTheDevice")
    shorten_waits(csms)
    return csms, station


def shorten_waits(csms: Csms) -> None:
    waits = {
        ("OCPPCommCtrlr", "RetryBackOffWaitMinimum"): "1",
        ("OCPPCommCtrlr", "RetryBackOffRandomRange"): "0",
        ("SampledDataCtrlr", "TxUpdatedInterval"): "1",
    }
    data = [
        {"component": {"name": component}, "variable": {"name": name}, "attributeValue": value}
        for (component, name), value in waits.items()
    ]
    results = csms.call("SetVariables", {"setVariableData": data})["setVariableResult"]
    assert [result["attributeStatus"] for result in results] == ["Accepted"] * len(data)


def triggers(events: list[dict]) -> list[tuple[str, str]]:
    return [(event["eventType"], event["triggerReason"]) for event in events]


def test_boot_and_a_whole_report(booted):
    csms, _ = booted
    assert csms.call("GetBaseReport", {"requestId": 7, "reportBase": "FullInventory"}) == {
        "status": "Accepted"
    }
    parts = [csms.heard("NotifyReport")]
    while parts[-1].get("tbc"):
        parts.append(csms.heard("NotifyReport"))
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert {part["requestId"] for part in parts} == {7}
    reported = {entry["component"]["name"] for part in parts for entry in part["reportData"]}
    assert {"OCPPCommCtrlr", "SecurityCtrlr", "TxCtrlr", "EVSE", "Connector"} <= reported


def test_a_remote_start_makes_a_whole_transaction_with_meter_values(booted):
    csms, station = booted
    station.tell("plug-in 1")
    csms.heard("StatusNotification", lambda said: said["connectorStatus"] == "Occupied")
    start = {"remoteStartId": 5, "idToken": TOKEN, "evseId": 1}
    assert csms.call("RequestStartTransaction", start)["status"] == "Accepted"
    started = csms.heard("TransactionEvent", lambda said: said["eventType"] == "Started")
    station.tell("start-power 1")
    charging = csms.heard(
        "TransactionEvent",
        lambda said: said["transactionInfo"].get("chargingState") == "Charging",
    )
    sampled = csms.heard(
        "TransactionEvent", lambda said: said["triggerReason"] == "MeterValuePeriodic"
    )
    id_ = started["transactionInfo"]["transactionId"]
    assert csms.call("GetTransactionStatus", {"transactionId": id_})["ongoingIndicator"] is True
    assert csms.call("RequestStopTransaction", {"transactionId": id_}) == {"status": "Accepted"}
    stopped = csms.heard("TransactionEvent", lambda said: said["triggerReason"] == "RemoteStop")
    station.tell("unplug 1")
    csms.heard("StatusNotification", lambda said: said["connectorStatus"] == "Available")

    assert {charging["transactionInfo"]["transactionId"], id_} == {id_}
    measurands = {value["measurand"] for value in sampled["meterValue"][0]["sampledValue"]}
    assert {"Energy.Active.Import.Register", "Power.Active.Import", "Voltage"} <= measurands
    events = csms.transactions()
    assert [event["seqNo"] for event in events] == list(range(len(events)))
    assert [event["eventType"] for event in events].count("Ended") == 1
    assert events[-1]["eventType"] == "Ended"
    assert stopped["transactionInfo"]["stoppedReason"] == "Remote"
    assert any(event.get("meterValue") for event in events if event["eventType"] == "Ended")


def test_a_transaction_without_a_network_is_delivered_later(booted):
    csms, station = booted
    station.tell("cut-network")
    csms.expect("disconnected")
    for line in ("plug-in 1", "present-token 04A1B2C3", "start-power 1", "wait 2"):
        station.tell(line)
    for line in ("present-token 04A1B2C3", "unplug 1", "restore-network"):
        station.tell(line)
    csms.expect("connected")
    ended = csms.heard("TransactionEvent", lambda said: said["eventType"] == "Ended")

    events = csms.transactions()
    assert events[0]["eventType"] == "Started"
    assert [event["seqNo"] for event in events] == list(range(len(events)))
    assert all(event["offline"] for event in events)
    assert (
        ended["transactionInfo"]["transactionId"] == events[0]["transactionInfo"]["transactionId"]
    )
    boots = [event for event in csms.events if event.get("heard") == "BootNotification"]
    assert len(boots) == 1, "a lost connection is no reason to boot"


def test_a_reset_boots_the_station_again(booted):
    csms, _ = booted
    assert csms.call("Reset", {"type": "OnIdle"}) == {"status": "Accepted"}
    csms.expect("connected")
    assert csms.heard("BootNotification")["reason"] == "RemoteReset"
    csms.heard("SecurityEventNotification", lambda said: said["type"] == "ResetOrReboot")


def test_an_expected_certificate_is_renewed_and_used(csms_of, station_at, lab, tmp_path):
    csms = csms_of(3)
    station_at(csms, 3)
    csms.expect("connected")
    csms.heard("BootNotification")
    csms.heard("SecurityEventNotification")
    shorten_waits(csms)
    set_organisation(csms, organisation(lab / "station.pem"))
    trigger = {"requestedMessage": "SignChargingStationCertificate"}
    assert csms.call("TriggerMessage", trigger)["status"] == "Accepted"
    csr = csms.heard("SignCertificate")["csr"]
    chain = openssl_sign(csr, lab, tmp_path)
    signed = {"certificateChain": chain, "certificateType": "ChargingStationCertificate"}
    assert csms.call("CertificateSigned", signed)["status"] == "Accepted"
    csms.expect("disconnected")
    again = csms.expect("connected")
    if "serial" in again:  # the one of the two packages that shows the peer's certificate
        assert int(again["serial"], 16) == 0x7E57
    assert csms.call("TriggerMessage", {"requestedMessage": "Heartbeat"})["status"] == "Accepted"
    csms.heard("Heartbeat")


def organisation(certificate: Path) -> str:
    words = ("x509", "-in", certificate, "-noout", "-subject", "-nameopt", "multiline")
    lines = openssl(*words).splitlines()
    return next(line.split("=")[1].strip() for line in lines if "organizationName" in line)


def set_organisation(csms: Csms, name: str) -> None:
    item = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "OrganizationName"},
        "attributeValue": name,
    }
    (result,) = csms.call("SetVariables", {"setVariableData": [item]})["setVariableResult"]
    assert result["attributeStatus"] == "Accepted"


def openssl(*words: object) -> str:
    done = subprocess.run(
        ["openssl", *map(str, words)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def openssl_sign(csr: str, lab: Path, folder: Path) -> str:
    """What a certificate authority made of OpenSSL answers to a CSR whose signature it checked."""
    (folder / "csr.pem").write_text(csr)
    openssl("req", "-in", folder / "csr.pem", "-verify", "-noout")
    (folder / "usage.cnf").write_text("keyUsage=critical,digitalSignature\n")
    return openssl(
        *("x509", "-req", "-in", folder / "csr.pem", "-days", 60, "-sha256"),
        *("-CA", lab / "root.pem", "-CAkey", lab / "root.key", "-set_serial", "0x7e57"),
        *("-extfile", folder / "usage.cnf"),
    )


class Files(BaseHTTPRequestHandler):
    """Has one firmware image and takes any upload."""

    image = b""
    taken: dict[str, bytes]

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.image)))
        self.end_headers()
        self.wfile.write(self.image)

    def do_PUT(self):
        self.taken[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def files():
    handler = type("Handler", (Files,), {"image": b"ocppfuzz-firmware 2.0.0\n", "taken": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()
    server.server_close()


def test_a_log_is_uploaded(booted, files):
    csms, _ = booted
    log = {"remoteLocation": f"{files.url}/logs/"}
    request = {"requestId": 3, "logType": "SecurityLog", "log": log}
    answer = csms.call("GetLog", request)
    assert answer["status"] == "Accepted"
    csms.heard("LogStatusNotification", lambda said: said["status"] == "Uploading")
    uploaded = csms.heard("LogStatusNotification", lambda said: said["status"] == "Uploaded")
    assert uploaded["requestId"] == 3
    ((path, content),) = files.RequestHandlerClass.taken.items()
    assert answer["filename"] in path
    assert b"StartupOfTheDevice" in content


def test_firmware_signed_by_openssl_is_installed(booted, files, tmp_path):
    csms, _ = booted
    certificate, signature = manufacturer_signs(files.RequestHandlerClass.image, tmp_path)
    install = {"certificateType": "ManufacturerRootCertificate", "certificate": certificate}
    assert csms.call("InstallCertificate", install)["status"] == "Accepted"
    firmware = {
        "location": f"{files.url}/firmware.bin",
        "retrieveDateTime": "2026-01-01T00:00:00Z",
        "signingCertificate": certificate,
        "signature": signature,
    }
    request = {"requestId": 9, "firmware": firmware}
    assert csms.call("UpdateFirmware", request)["status"] == "Accepted"
    for word in ("Downloading", "Downloaded", "SignatureVerified"):
        told = csms.heard(
            "FirmwareStatusNotification", lambda said, word=word: said["status"] == word
        )
        assert told["requestId"] == 9
    assert csms.heard("BootNotification")["chargingStation"]["firmwareVersion"] == "2.0.0"
    csms.heard("FirmwareStatusNotification", lambda said: said["status"] == "Installed")
    csms.heard("SecurityEventNotification", lambda said: said["type"] == "FirmwareUpdated")


def manufacturer_signs(image: bytes, folder: Path) -> tuple[str, str]:
    """A manufacturer's root certificate, PEM, and its signature of the image, base64."""
    key, root, data = folder / "maker.key", folder / "maker.pem", folder / "firmware.bin"
    data.write_bytes(image)
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    openssl(
        *("req", "-x509", "-new", "-key", key, "-days", 30, "-sha256", "-out", root),
        *("-subj", "/O=Maker/CN=Maker firmware"),
    )
    openssl("dgst", "-sha256", "-sign", key, "-out", folder / "signature", data)
    return root.read_text(), base64.b64encode((folder / "signature").read_bytes()).decode()
