from __future__ import annotations

import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Ability, ProcessEnd, Target
from fuzz.target import CommandTarget, EmbeddedTarget, NoTarget

PATIENCE_S = 20.0


def _python(code: str) -> str:
    return shlex.join([sys.executable, "-I", "-S", "-c", code])


FOREVER = _python("import signal; print('ready', flush=True); signal.pause()")


@pytest.fixture
async def station(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[EmbeddedTarget]:
    """An embedded station whose program only shows its arguments and its password."""
    program = tmp_path / "show.py"
    program.write_text(
        "import os, signal, sys\n"
        # One write: an unbuffered print of several words may be read in the middle.
        "sys.stdout.write(' '.join([*sys.argv[1:], os.environ['OCPPFUZZ_PASSWORD']]) + '\\n')\n"
        "signal.pause()\n"
    )
    target = EmbeddedTarget(
        csms="wss://localhost:1/ocpp",
        identity="-A",
        security_profile=2,
        ca=Path("/ca.pem"),
        password="pass word",
        defects=["P01", "P02"],
        decoys=["D-1"],
    )
    target._command = (sys.executable, str(program), *target._command[4:])
    yield target
    await target.stop()


async def _first_line(target: Target) -> str:
    while not target.log_lines() and await target.ended(0.01) is None:
        pass
    return target.log_lines()[0]


async def test_the_embedded_station_is_told_everything_and_its_password_apart(
    station: EmbeddedTarget,
) -> None:
    await station.start()
    assert await _first_line(station) == (
        "--console --csms=wss://localhost:1/ocpp --identity=-A --security-profile=2 --ca=/ca.pem"
        " --backoff-min-s=0.1 --backoff-range-s=0.0 --boot-delay-s=0.0"
        " --defect P01 --defect P02 --decoy D-1 pass word"
    )
    assert not any("pass word" in word for word in station._command)


async def test_the_embedded_station_can_be_killed_and_started_again(
    station: EmbeddedTarget,
) -> None:
    assert station.owned
    assert {Ability.START, Ability.KILL, Ability.ALIVE, Ability.LOG} <= station.abilities
    assert await station.ended(0.0) is None
    await station.start()
    first = station.pid
    await station.kill()
    assert await station.ended(0.0) == ProcessEnd(-9)
    await station.start()
    assert await station.ended(0.0) is None
    assert station.pid != first


async def test_the_embedded_station_has_an_operator_while_it_runs(tmp_path: Path) -> None:
    program = tmp_path / "echo.py"
    program.write_text(
        "import sys\nfor line in sys.stdin: print('did', line, end='', flush=True)\n"
    )
    station = EmbeddedTarget(csms="wss://localhost:1/ocpp", identity="A")
    station._command = (sys.executable, str(program))
    assert Ability.OPERATOR in station.abilities
    assert await station.operator("plug-in", "1") is False
    await station.start()
    assert await station.operator("plug-in", "1")
    assert await station.operator("cut-network")
    assert await station.operator("present-token", "A\nstop-power 1") is False
    assert await station.operator("present-token", "A" * 5000) is False
    while len(station.log_lines()) < 2 and await station.ended(0.01) is None:
        pass
    assert list(station.log_lines()) == ["did plug-in 1", "did cut-network"]
    await station.kill()
    assert await station.operator("tamper") is False


async def test_more_options_of_the_embedded_station_reach_its_command_line() -> None:
    station = EmbeddedTarget(
        csms="ws://x",
        identity="A",
        pics="ac",
        edition="2025-09",
        script=Path("play.txt"),
        extra=["--realistic-timing"],
    )
    assert station._command[-4:] == (
        "--pics=ac",
        "--edition=2025-09",
        "--script=play.txt",
        "--realistic-timing",
    )


async def test_a_start_command_is_ours_and_restarting_it_is_starting_it_anew() -> None:
    target = CommandTarget(start=FOREVER)
    assert target.owned
    await target.start()
    assert await _first_line(target) == "ready"
    assert await target.ended(0.0) is None
    await target.start()
    assert await target.ended(0.0) is None
    await target.stop()
    assert await target.ended(0.0) == ProcessEnd(-15)


async def test_a_restart_command_alone_only_restarts(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    target = CommandTarget(restart=_python(f"open({str(mark)!r}, 'a').write('x'); print('done')"))
    assert not target.owned
    assert target.abilities == {Ability.START, Ability.LOG}
    await target.start()
    await target.start()
    assert mark.read_text() == "xx"
    assert list(target.log_lines()) == ["done", "done"]
    assert await target.ended(0.0) is None
    assert target.memory() is None
    await target.kill()
    await target.stop()


async def test_with_both_commands_the_restart_command_is_used_from_the_second_time_on() -> None:
    target = CommandTarget(start=FOREVER, restart=_python("print('again')"))
    await target.start()
    assert await _first_line(target) == "ready"
    assert Ability.ALIVE in target.abilities
    await target.start()
    assert list(target.log_lines()) == ["again", "ready"]
    assert Ability.ALIVE not in target.abilities
    assert await target.ended(0.0) is None
    await target.stop()


async def test_what_a_restart_command_leaves_running_goes_on(tmp_path: Path) -> None:
    note = tmp_path / "note"
    script = tmp_path / "restart.sh"
    left = _python(
        f"import pathlib; p = pathlib.Path({str(note)!r})\nwhile not p.exists(): pass\np.unlink()"
    )
    script.write_text(f"{left} &\n")
    target = CommandTarget(restart=f"/bin/sh {script}")
    await target.start()
    note.touch()
    while note.exists():
        pass
    await target.stop()
    assert not note.exists()


async def test_a_restart_command_that_fails_says_why() -> None:
    target = CommandTarget(restart=_python("import sys; sys.exit('no such box')"))
    with pytest.raises(TargetUnavailable, match="exit 1: no such box"):
        await target.start()
    await target.stop()


async def test_a_restart_command_that_never_ends_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fuzz.target.command.RESTART_TIMEOUT_S", 0.05)
    target = CommandTarget(restart=FOREVER)
    with pytest.raises(TargetUnavailable, match="must end when the target is up"):
        await target.start()
    await target.stop()


@pytest.mark.parametrize(
    ("start", "restart", "words"),
    [
        (None, None, "needs"),
        ("", None, "--start-cmd is empty"),
        (None, "say 'x", "--restart-cmd .* cannot be split"),
    ],
)
def test_impossible_commands_are_refused(
    start: str | None, restart: str | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        CommandTarget(start=start, restart=restart)


async def test_a_target_that_nobody_controls_can_do_nothing_and_says_so() -> None:
    target = NoTarget()
    assert target.abilities == frozenset()
    assert not target.owned
    with pytest.raises(TargetUnavailable, match="by hand"):
        await target.start()
    await target.stop()
    await target.kill()
    assert await target.ended(0.0) is None
    assert await target.operator("x") is False
    assert target.memory() is None
    assert list(target.log_lines()) == []


def test_all_adapters_fit_the_seam(tmp_path: Path) -> None:
    adapters: list[Target] = [
        NoTarget(),
        CommandTarget(start="x"),
        EmbeddedTarget(csms="ws://x", identity="A"),
    ]
    assert len({adapter.name for adapter in adapters}) == 3
