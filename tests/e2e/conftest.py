"""What e2e tests share: the real command line as a process, peers that we did not write, free ports.

Every process has a deadline and ends with its test. Everything happens on loopback.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "corpus"
BIN = Path(sys.executable).parent
PATIENCE_S = 120.0

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A script that starts tests in the background has them, and all that they start, ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)

    def complains_once(self) -> str:
        """The one line on stderr, which is all that a person gets to see of a mistake."""
        assert "Traceback" not in self.out + self.err, self.err
        complaints = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(complaints) == 1, self.err
        return complaints[0].removeprefix("error: ")


def _environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("OCPPFUZZ_")}
    return {**own, "NO_COLOR": "1", "COLUMNS": "100", **(extra or {})}


@pytest.fixture
def ocppfuzz(tmp_path) -> Callable[..., Ended]:
    """Runs `ocppfuzz` as a user does: in an empty folder, as a process of its own."""

    def run(
        *arguments: object, cwd: Path = tmp_path, env=None, preexec_fn=None, patience_s=PATIENCE_S
    ) -> Ended:
        done = subprocess.run(
            [BIN / "ocppfuzz", *map(str, arguments)],
            cwd=cwd,
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience_s,
            check=False,
            preexec_fn=preexec_fn,
        )
        return Ended(
            done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")
        )

    return run


@pytest.fixture
def small_corpus(tmp_path) -> Callable[..., Path]:
    """Makes `./corpus` of some shipped cases, by patterns such as `schema/*`: what a campaign then plays first is small and known."""

    def make(*patterns: str, folder: str = "corpus") -> Path:
        for pattern in patterns:
            found = sorted(SHIPPED.glob(f"{pattern}.json"))
            assert found, f"no case is called {pattern}"
            for file in found:
                copy = tmp_path / folder / file.relative_to(SHIPPED)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes())
        return tmp_path / folder

    return make


class Running:
    """A process beside the test; what it says lies in a file."""

    def __init__(self, words: Sequence[object], log: Path, cwd: Path, env=None) -> None:
        self.log = log
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                [str(word) for word in words],
                cwd=cwd,
                env=_environment(env),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def ended(self, patience_s: float = PATIENCE_S) -> tuple[int, float]:
        """Wait for its end: the exit code, and the most MB that it held.

        What wait4(2) tells counts what the test itself held when it forked.
        """
        status = Path(f"/proc/{self.process.pid}/status")
        deadline, peak_kb = time.monotonic() + patience_s, 0
        while (code := self.process.poll()) is None:
            if time.monotonic() > deadline:
                pytest.fail(f"it goes on and on: {self.text[-3_000:]}")
            held = re.search(r"VmHWM:\s+(\d+)", status.read_text())
            peak_kb = max(peak_kb, int(held[1]) if held else 0)
            time.sleep(0.02)
        return code, peak_kb / 1024

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def started(tmp_path_factory, tmp_path) -> Iterator[Callable[..., Running]]:
    """Starts processes that end with the test at the latest."""
    running: list[Running] = []
    logs = tmp_path_factory.mktemp("logs")

    def start(*words: object, cwd: Path = tmp_path, env=None) -> Running:
        running.append(Running(words, logs / f"{len(running)}.log", cwd, env))
        return running[-1]

    yield start
    for one in running:
        one.end()


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits until something is so, and fails with what was there instead."""

    def wait(true: Callable[[], object], what: Callable[[], object], seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {seconds:g} s; instead: {what()}")
            time.sleep(0.02)

    return wait


@pytest.fixture
def port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def own_station() -> Callable[..., tuple[object, ...]]:
    """The command line of our own reference station."""

    def command(csms: str, *arguments: object) -> tuple[object, ...]:
        return (sys.executable, "-m", "fuzz.station", "--csms", csms, *arguments)

    return command


@pytest.fixture
def peers() -> Path:
    """The scripts of peers made out of other people's packages."""
    return HERE / "peers"


@pytest.fixture
def ocpp_station(peers, port) -> str:
    """The command that starts a station made of the `ocpp` package, dialling `port` as PLAIN."""
    words = (sys.executable, peers / "ocpp_station.py", f"ws://127.0.0.1:{port}/ocpp/PLAIN")
    return shlex.join(map(str, words))


@pytest.fixture
def ocpp_csms(peers, started, until) -> str:
    """The URL, identity left open, of a running CSMS made of the `ocpp` package."""
    csms = started(sys.executable, peers / "ocpp_csms.py", 0)
    until(lambda: csms.text.partition("\n")[1], lambda: csms.text)
    return f"ws://127.0.0.1:{int(csms.text.splitlines()[0])}"


@pytest.fixture
def rpc_station(peers, port, monkeypatch) -> str:
    """The command that starts a station made of `ocpp-rpc`, dialling `port` as STRICT."""
    modules = Path(os.environ.get("OCPPFUZZ_PEERS", "build/peers")).resolve() / "node_modules"
    if not (modules / "ocpp-rpc").is_dir():
        _missing(f"no ocpp-rpc in {modules}; npm install it there, or set OCPPFUZZ_PEERS")
    if shutil.which("node") is None:
        _missing("node is not installed")
    words = ("node", peers / "rpc_station.js", f"ws://127.0.0.1:{port}/ocpp", "STRICT")
    monkeypatch.setenv("NODE_PATH", str(modules))
    return shlex.join(map(str, words))


def _missing(reason: str) -> None:
    if os.environ.get("OCPPFUZZ_REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
