from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from fuzz.errors import TargetUnavailable
from fuzz.records import ProcessEnd
from fuzz.target.process import OwnProcess
from fuzz.target.ring import Ring

PATIENCE_S = 20.0
FOREVER = "import signal; print('ready', flush=True); signal.pause()"
Spawn = Callable[[str], Awaitable[OwnProcess]]


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
async def spawn(ring: Ring) -> AsyncIterator[Spawn]:
    """Runs Python code as a process, and waits for its first output or its end."""
    running: list[OwnProcess] = []

    async def run(code: str) -> OwnProcess:
        process = OwnProcess.spawn([sys.executable, "-I", "-S", "-c", code], ring)
        running.append(process)
        while not ring.lines() and await process.ended(0.01) is None:
            pass
        return process

    yield run
    for process in running:
        await process.kill()


async def test_standard_input_is_empty_unless_the_command_listens(ring: Ring) -> None:
    code = "import sys; print(repr(sys.stdin.read()))"
    process = OwnProcess.spawn([sys.executable, "-I", "-S", "-c", code], ring)
    assert not process.tell("a line")
    assert await process.ended(PATIENCE_S) == ProcessEnd(0)
    assert list(ring.lines()) == ["''"]


async def test_a_command_that_listens_hears_whole_lines_until_its_end(ring: Ring) -> None:
    code = "import sys; [print(sys.stdin.readline(), end='', flush=True) for _ in range(2)]"
    command = [sys.executable, "-I", "-S", "-c", code]
    process = OwnProcess.spawn(command, ring, listens=True)
    assert process.tell("first")
    assert process.tell("second ü")
    assert await process.ended(PATIENCE_S) == ProcessEnd(0)
    assert list(ring.lines()) == ["first", "second ü"]
    assert not process.tell("third")


async def test_a_command_that_does_not_read_what_it_is_told_costs_nothing(ring: Ring) -> None:
    process = OwnProcess.spawn([sys.executable, "-I", "-S", "-c", FOREVER], ring, listens=True)
    told = [process.tell("x" * 4000) for _ in range(1000)]
    assert told[0]
    assert not told[-1]
    await process.kill()


async def test_an_exit_code_is_told(spawn: Spawn) -> None:
    process = await spawn("import sys; sys.exit(7)")
    end = await process.ended(PATIENCE_S)
    assert end == ProcessEnd(7)
    assert end.symptom == "exit 7"


async def test_a_signal_is_told(spawn: Spawn) -> None:
    process = await spawn("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    end = await process.ended(PATIENCE_S)
    assert end is not None
    assert end.symptom == "signal 11"


async def test_a_running_process_has_not_ended_and_a_dead_one_is_noticed_without_waiting(
    spawn: Spawn,
) -> None:
    process = await spawn(FOREVER)
    assert await process.ended(0.0) is None
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 - before any loop turn
    assert await process.ended(0.0) == ProcessEnd(-9)


async def test_output_and_errors_are_both_kept(spawn: Spawn, ring: Ring) -> None:
    process = await spawn("import sys; print('one', flush=True); sys.exit('two')")
    await process.ended(PATIENCE_S)
    assert list(ring.lines()) == ["one", "two"]


async def test_a_flood_of_output_does_not_stop_the_process(spawn: Spawn, ring: Ring) -> None:
    process = await spawn("for n in range(100000): print('line', n)")
    assert await process.ended(PATIENCE_S) == ProcessEnd(0)
    assert ring.lines()[-1] == "line 99999"


async def test_stop_asks_first(spawn: Spawn) -> None:
    process = await spawn(
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "print('ready', flush=True); signal.pause()"
    )
    assert await process.stop() == ProcessEnd(3)


async def test_stop_kills_what_does_not_listen(
    spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzz.target.process.STOP_TIMEOUT_S", 0.05)
    process = await spawn(
        "import signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()"
    )
    assert await process.stop() == ProcessEnd(-9)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
async def test_memory_is_known_while_it_runs(spawn: Spawn) -> None:
    process = await spawn("x = bytearray(50_000_000); " + FOREVER)
    assert (process.memory() or 0) > 50_000_000
    await process.kill()
    assert process.memory() is None


async def test_children_of_the_process_end_with_it(spawn: Spawn, ring: Ring) -> None:
    process = await spawn(
        "import os, signal\nchild = os.fork()\nif child: print(child, flush=True)\nsignal.pause()"
    )
    assert await process.kill() == ProcessEnd(-9)
    _until_gone(int(ring.lines()[0]))


@pytest.mark.parametrize(
    ("command", "why"), [("/nowhere/at-all", "No such file"), ("with\0null", "null byte")]
)
async def test_a_command_that_cannot_be_started_is_refused(
    command: str, why: str, ring: Ring
) -> None:
    with pytest.raises(TargetUnavailable, match=f"cannot start .*: .*{why}"):
        OwnProcess.spawn([command], ring)


def test_the_process_dies_when_we_are_killed() -> None:
    outer = (
        "import asyncio, os, signal, sys\n"
        "from fuzz.target.process import OwnProcess\n"
        "from fuzz.target.ring import Ring\n"
        "async def main():\n"
        "    ring = Ring()\n"
        f"    p = OwnProcess.spawn([sys.executable, '-c', {FOREVER!r}], ring)\n"
        "    while not ring.lines(): await p.ended(0.01)\n"
        "    print(p.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    killed = subprocess.run(
        [sys.executable, "-c", outer],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert killed.returncode == -9
    _until_gone(int(killed.stdout))


def _until_gone(pid: int) -> None:
    """Returns when no live process has this id; the test's own time limit is the only clock."""
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
async def test_figures_tell_what_a_process_uses_while_it_runs(spawn: Spawn) -> None:
    process = await spawn(
        "import os, threading, time\n"
        "held = [os.open('/dev/null', os.O_RDONLY) for _ in range(50)]\n"
        "[threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in range(5)]\n"
        "while time.process_time() < 0.1: pass\n"
        "x = bytearray(50_000_000); " + FOREVER
    )
    figures = process.figures()
    assert figures is not None
    assert (figures.memory or 0) > 50_000_000
    assert (figures.descriptors or 0) >= 53
    assert figures.threads == 6
    assert (figures.processor_s or 0) >= 0.08
    await process.kill()
    assert process.figures() is None


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
async def test_figures_count_the_children_too(spawn: Spawn) -> None:
    process = await spawn(
        "import os, signal\nchild = os.fork()\nif child: print('ready', flush=True)\nsignal.pause()"
    )
    figures = process.figures()
    assert figures is not None
    assert figures.threads == 2
