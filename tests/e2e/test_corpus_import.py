"""Round trips: what peers that we did not write say to each other is recorded, imported, minimised and played again."""

import json
import resource
import shlex
import socket
import subprocess
import sys
import threading
import time
import zlib
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fuzz.capture import pcapng
from strategies.wsframes import KEY, RSV1, frame
from tlslab.seen import Connection, Way

SECRETS = (
    *("CS-SECRET-7", "04A2B3C4D5E6F7", "SN-99887766", "a-new-secret-password", "t-4711"),
    *("MIIBsecret", "charging.example", "me:pass", "{secret.password}"),
)


class Tap:
    """Passes everything on between whoever connects and a port, and keeps it as it went over the sockets."""

    def __init__(self, port: int, listen: int = 0) -> None:
        self.connections: list[Connection] = []
        self._target = port
        self._socket = socket.create_server(("127.0.0.1", listen))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, place = self._socket.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                near.close()
                continue
            seen = Connection(len(self.connections), time.monotonic(), datetime.now(UTC))
            seen.ours, seen.theirs = ("127.0.0.1", self.port), place
            self.connections.append(seen)
            for source, sink, way in ((near, far, Way.PEER), (far, near, Way.LAB)):
                threading.Thread(
                    target=self._pass, args=(seen, source, sink, way), daemon=True
                ).start()

    @staticmethod
    def _pass(seen: Connection, source: socket.socket, sink: socket.socket, way: Way) -> None:
        try:
            while data := source.recv(65_536):
                seen.record(time.monotonic(), way, data)
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def tap():
    """Makes taps that end with the test."""
    with ExitStack() as stack:

        def make(port: int, listen: int = 0) -> Tap:
            made = Tap(port, listen)
            stack.callback(made.close)
            return made

        yield make


def captured(tap: Tap, file: Path, secrets: bytes = b"") -> Path:
    """The capture of a tap; with `secrets` in a Decryption Secrets Block."""
    data = pcapng(tap.connections)
    if secrets:
        padded = secrets + bytes(-len(secrets) % 4)
        body = b"KSLT" + len(secrets).to_bytes(4, "little") + padded
        block = (10).to_bytes(4, "little") + (len(body) + 12).to_bytes(4, "little") + body
        end = int.from_bytes(data[4:8], "little")
        data = data[:end] + block + block[4:8] + data[end:]
    file.write_bytes(data)
    return file


def cases(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in sorted(folder.glob("recorded/*.json"))}


@pytest.fixture
def conversation(peers, started, until, tap, tmp_path):
    """Lets a station and a CSMS of the `ocpp` package talk; gives the tap and the port of the CSMS."""
    talking = peers / "talking_ocpp.py"

    def talk(*, server=(), client=(), scheme="ws"):
        csms = started(sys.executable, talking, "csms", tmp_path / "csms.log", *server)
        until(lambda: "\n" in csms.text, lambda: csms.text)
        between = tap(int(csms.text.split()[0]))
        url = f"{scheme}://localhost:{between.port}/ocpp/CS-SECRET-7"
        station = started(
            sys.executable, talking, "station", tmp_path / "station.log", url, *client
        )
        until(lambda: "over" in station.text, lambda: station.text + csms.text)
        station.end()
        return between, int(csms.text.split()[0])

    return talk


@pytest.fixture
def pki(ocppfuzz, tmp_path):
    folder = tmp_path / "pki"
    assert ocppfuzz("pki", "create", folder, "--name", "localhost", "--serial", "CS-1").code == 0
    return folder


def outcomes(done) -> set[str]:
    return {json.loads(line)["outcome"] for line in done.out.splitlines()}


def test_a_capture_and_the_logs_of_both_ends_become_the_same_cases_without_a_secret(
    ocppfuzz, conversation, peers, port, tmp_path
):
    between, csms = conversation()
    capture = captured(between, tmp_path / "plain.pcapng")
    imported = ocppfuzz("corpus", "import", capture, "--corpus", "wire", "--json")
    assert imported.code == 0, imported.err
    assert imported.json["passed_over"] == {}

    for log in ("csms.log", "station.log"):
        assert ocppfuzz("corpus", "import", log, "--corpus", log[:4]).code == 0
        assert cases(tmp_path / log[:4]) == cases(tmp_path / "wire")
    both = ocppfuzz("corpus", "import", "csms.log", "station.log", "--corpus", "wire", "--json")
    assert both.json["added"] == []

    told = cases(tmp_path / "wire")
    assert len(told) == 20  # ten CALLs and their answers, none of which equals another
    whole = "".join(told.values())
    assert [secret for secret in SECRETS if secret in whole] == []
    # Every other byte is as it was said, escapes included.
    assert r"\"data\":\"Z\\u00fcrich \\u20ac 00000000000001\"" in whole

    played = ocppfuzz("corpus", "minimise", "--corpus", "wire", "--json")
    assert played.code == 0, played.err
    assert played.json["played"] > 5
    (answer_to_a_boot,) = (
        n for n, text in told.items() if '"action": "Boot' in text and "[3," in text
    )
    (
        tmp_path / "wire" / "recorded" / answer_to_a_boot
    ).unlink()  # takes a minute where no Reset is served
    checked = ocppfuzz("corpus", "check", "--corpus", "wire", "--json")
    assert checked.code == 0, checked.out

    again = ocppfuzz(
        *(
            "replay",
            "wire",
            "--target",
            f"ws://127.0.0.1:{csms}/{{identity}}",
            "--identity",
            "CS-1",
        ),
        *("--security-profile", 0, "--json"),
    )
    assert outcomes(again) <= {"fixed", "not run"}, again.out
    assert again.out.count('"fixed"') >= 5
    words = (sys.executable, peers / "talking_ocpp.py", "station", tmp_path / "again.log")
    start = shlex.join(map(str, (*words, f"ws://127.0.0.1:{port}/ocpp/CS-1")))
    station = ocppfuzz(
        *("replay", "wire", "--listen", f"127.0.0.1:{port}", "--identity", "CS-1"),
        *("--security-profile", 0, "--start-cmd", start, "--json"),
    )
    assert station.out.count('"fixed"') >= 4, station.out + station.err


@pytest.mark.parametrize("inside", [True, False], ids=["keys-in-the-capture", "keys-in-a-file"])
def test_what_tls_hid_becomes_the_cases_that_the_log_gives(
    ocppfuzz, conversation, pki, tmp_path, inside
):
    keys = tmp_path / "keys.txt"
    between, _ = conversation(
        server=("--cert", pki / "csms-ecdsa.pem", "--key", pki / "csms-ecdsa.key"),
        client=("--ca", pki / "root.pem", "--keylog", keys),
        scheme="wss",
    )
    unopened = captured(between, tmp_path / "unopened.pcapng")
    nothing = ocppfuzz("corpus", "import", unopened, "--corpus", "none", "--json")
    assert nothing.json["added"] == []
    assert list(nothing.json["passed_over"]) == [
        "a TLS connection whose key is not known; --keylog names them"
    ]

    capture = captured(between, tmp_path / "tls.pcapng", keys.read_bytes() if inside else b"")
    log = () if inside else ("--keylog", keys)
    imported = ocppfuzz("corpus", "import", capture, *log, "--corpus", "wire", "--json")
    assert imported.code == 0, imported.err
    assert imported.json["passed_over"] == {}
    assert ocppfuzz("corpus", "import", "station.log", "--corpus", "log").code == 0
    assert cases(tmp_path / "wire") == cases(tmp_path / "log")
    assert len(cases(tmp_path / "wire")) == 20


HUGE = 2**31


def hostile() -> dict[str, bytes]:
    """Files that want to crash or flood whoever reads them."""
    bomb = zlib.compressobj(9, wbits=-15)
    frames = frame(bomb.compress(bytes(HUGE // 8)) + bomb.flush(2), mask=KEY, rsv=RSV1)
    seen = Connection(1, 0.0, datetime.now(UTC))
    seen.ours, seen.theirs = ("127.0.0.1", 80), ("127.0.0.1", 5_000)
    agreed = b"Sec-WebSocket-Protocol: ocpp2.0.1\r\nSec-WebSocket-Extensions: permessage-deflate"
    seen.record(0.1, Way.PEER, b"GET /CS HTTP/1.1\r\n\r\n")
    seen.record(0.2, Way.LAB, b"HTTP/1.1 101 x\r\n" + agreed + b"\r\n\r\n")
    seen.record(0.3, Way.PEER, frames)
    seen.record(0.4, Way.LAB, frame(b"", mask=None, width=64, told=HUGE))
    capture = pcapng([seen])
    deep = b"[" * 5_000_000
    return {
        "bomb.pcapng": capture,
        "cut.pcapng": capture[: len(capture) // 2],
        "claims.pcapng": capture + (6).to_bytes(4, "little") + HUGE.to_bytes(4, "little"),
        "claims.pcap": bytes.fromhex("d4c3b2a1") + bytes(20) + b"\xff" * 16,
        "deep.jsonl": b'{"direction": "csms", "message": ' + deep + b"\n",
        "deep-text.jsonl": json.dumps(
            {"direction": "csms", "message": '[2,"1","Reset",' + "[" * 1_000_000}
        ).encode(),
        "long.log": b"CS: send " + b"x" * 40_000_000,
        "wide.log": b'CS: send [2,"1","Heartbeat",[' + b"1," * 6_000_000 + b"1]]\n",
        "bytes.log": b"\xff\xfe CS: send [2]\n" * 100_000,
        "deep.har": b'{"log":' + deep,
        "what.bin": bytes(range(256)) * 100,
    }


@pytest.mark.parametrize("name", hostile())
def test_a_hostile_file_is_one_line_or_a_count_in_little_memory(ocppfuzz, tmp_path, name):
    (tmp_path / name).write_bytes(hostile()[name])

    def little_memory() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))

    done = ocppfuzz("corpus", "import", name, "--json", preexec_fn=little_memory)
    if done.code == 2:
        assert name in done.complains_once()
    else:
        assert done.code == 0, done.err
        assert "error" not in done.err
        assert done.json["passed_over"] or done.json["added"]
        assert sum(Path(tmp_path / p).stat().st_size for p in done.json["added"]) < 40_000_000


def test_a_station_in_another_language_over_tls_is_recorded_and_gets_it_all_again(
    ocppfuzz, peers, started, until, tap, pki, port, rpc_station, tmp_path
):
    server = ("--cert", pki / "csms-ecdsa.pem", "--key", pki / "csms-ecdsa.key")
    csms = started(
        sys.executable, peers / "talking_ocpp.py", "csms", tmp_path / "csms.log", *server
    )
    until(lambda: "\n" in csms.text, lambda: csms.text)
    between, keys = tap(int(csms.text.split()[0])), tmp_path / "keys.txt"
    station = started(
        *("node", f"--tls-keylog={keys}", "--tls-max-v1.2", peers / "rpc_tls_station.js"),
        *(f"wss://localhost:{between.port}/ocpp", "CS-SECRET-7", pki / "root.pem"),
    )
    log = tmp_path / "csms.log"
    until(lambda: "TriggerMessage" in log.read_text(), lambda: station.text + log.read_text())
    until(lambda: log.read_text().count("[4,") == 5, log.read_text)
    station.end()

    capture = captured(between, tmp_path / "tls.pcapng", keys.read_bytes())
    imported = ocppfuzz("corpus", "import", capture, "--corpus", "wire", "--json")
    assert imported.code == 0, imported.err
    assert ocppfuzz("corpus", "import", log, "--corpus", "log").code == 0
    assert cases(tmp_path / "wire") == cases(tmp_path / "log")
    assert len(cases(tmp_path / "wire")) == 12
    assert [s for s in SECRETS if s in "".join(cases(tmp_path / "wire").values())] == []

    for name, text in cases(tmp_path / "wire").items():
        if "[3," in text:
            (tmp_path / "wire" / "recorded" / name).unlink()  # the answer to its boot
    target = ("--listen", f"127.0.0.1:{port}", "--identity", "STRICT", "--security-profile", 0)
    kept = ocppfuzz(
        "corpus", "minimise", "--corpus", "wire", *target, "--start-cmd", rpc_station, "--json"
    )
    assert kept.code == 0, kept.err
    assert kept.json["played"] >= 4
    again = ocppfuzz("replay", "wire", *target, "--start-cmd", rpc_station, "--json")
    assert outcomes(again) == {"fixed", "not run"}, again.out


def test_what_we_said_to_a_station_in_another_language_comes_back_byte_for_byte(
    ocppfuzz, port, rpc_station, small_corpus, tap, tmp_path
):
    # Cases without a token: of that, a placeholder comes back.
    corpus = small_corpus("device-model/[a-r]*", "device-model/s[ae]*")
    said = {steps(p) for p in corpus.glob("*/*.json")}
    with socket.create_server(("127.0.0.1", 0)) as probe:
        behind = probe.getsockname()[1]
    between = tap(behind, listen=port)
    campaign = ocppfuzz(
        *("run", "--listen", f"127.0.0.1:{behind}", "--identity", "STRICT"),
        *("--security-profile", 0, "--start-cmd", rpc_station),
        *("--phases", "replay", "--seed", 1, "--json"),
    )
    assert campaign.json["cases"] == len(said) > 20, campaign.err
    capture = captured(between, tmp_path / "plain.pcapng")
    imported = ocppfuzz("corpus", "import", capture, "--corpus", "wire", "--json")
    assert imported.code == 0, imported.err

    assert said <= {steps(p) for p in (tmp_path / "wire" / "recorded").glob("*.json")}


@pytest.fixture
def rpc_csms(peers, rpc_station):
    """Starts a CSMS made of `ocpp-rpc` with further words; gives its port."""
    with ExitStack() as stack:

        def start(*words: object) -> int:
            # Its end comes with that of its input. `rpc_station` has set where Node finds packages.
            process = stack.enter_context(
                subprocess.Popen(
                    ["node", peers / "driven_rpc_csms.js", *map(str, words)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            stack.callback(process.kill)
            return json.loads(process.stdout.readline())["listening"]

        yield start


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_csms_in_another_language_hears_again_what_a_station_said_byte_for_byte(
    ocppfuzz, peers, started, until, tap, pki, rpc_csms, tmp_path, secure
):
    papers = ("--cert", pki / "csms-ecdsa.pem", "--key", pki / "csms-ecdsa.key") if secure else ()
    csms, keys = rpc_csms(*papers), tmp_path / "keys.txt"
    between = tap(csms)
    scheme, trust = ("wss", ("--ca", pki / "root.pem", "--keylog", keys)) if secure else ("ws", ())
    url = f"{scheme}://localhost:{between.port}/ocpp/CS-SECRET-7"
    log = tmp_path / "station.log"
    station = started(sys.executable, peers / "talking_ocpp.py", "station", log, url, *trust)
    until(lambda: "over" in station.text, lambda: station.text)
    station.end()

    capture = captured(between, tmp_path / "talk.pcapng", keys.read_bytes() if secure else b"")
    imported = ocppfuzz("corpus", "import", capture, "--corpus", "wire", "--json")
    assert imported.code == 0, imported.err
    assert imported.json["passed_over"] == {}
    assert ocppfuzz("corpus", "import", log, "--corpus", "log").code == 0
    assert cases(tmp_path / "wire") == cases(tmp_path / "log")
    assert [s for s in SECRETS if s in "".join(cases(tmp_path / "wire").values())] == []

    place = ("--identity", "CS-1", "--security-profile", 2 if secure else 0)
    place += ("--ca", pki / "root.pem") if secure else ()
    csms_at = f"{scheme}://localhost:{{}}/{{{{identity}}}}"
    again = tap(csms)
    minimal = ocppfuzz(
        *("corpus", "minimise", "--corpus", "wire", "--json"),
        *("--target", csms_at.format(csms), *place),
        env={"OCPPFUZZ_PASSWORD": "a-password-of-20-chars"},
    )
    assert minimal.code == 0, minimal.err
    replayed = ocppfuzz(
        *("replay", "wire", "--json", "--target", csms_at.format(again.port), *place),
        env={"OCPPFUZZ_PASSWORD": "a-password-of-20-chars"},
    )
    assert outcomes(replayed) <= {"fixed", "not run"}, replayed.out
    assert replayed.out.count('"fixed"') >= 4, replayed.out
    if not secure:  # our own side keeps no keys
        heard = captured(again, tmp_path / "again.pcapng")
        assert ocppfuzz("corpus", "import", heard, "--corpus", "again").code == 0
        told = {steps(p) for p in (tmp_path / "again" / "recorded").glob("*.json")}
        said = [json.loads(line) for line in replayed.out.splitlines()]
        played = {steps(tmp_path / one["path"]) for one in said if one["outcome"] == "fixed"}
        # Placeholders are numbered as they come, and our own boot, which has a serial number, came first.
        played = {text for text in played if "SERIAL" not in text}
        assert len(played) >= 3
        assert played <= told


def steps(path: Path) -> str:
    return json.dumps(json.loads(path.read_text())["steps"])
