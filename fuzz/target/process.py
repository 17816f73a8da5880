"""A process of our own: its output in a ring, its end noticed at once, nothing of it left when we are gone.

Knows POSIX processes and groups. Must not know what the process is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from fuzz.errors import TargetUnavailable
from fuzz.records import Figures, ProcessEnd
from fuzz.target.ring import Ring
from fuzz.target.watchdog import watchdog

STOP_TIMEOUT_S = 3.0
_CHUNK = 2**16
_GATE = 'read -r go && exec "$@"'
"""The command begins when the watchdog knows of it: killed in between, we would leave it behind."""

_DEAF = f"{_GATE} </dev/null"

_MAX_DESCENDANTS = 256


class OwnProcess:
    """One running command in a process group of its own; made by `spawn`.

    Once the command ends, whatever is left of its group is killed: a command stays in the foreground. Not so when it
    was spawned with `leave_rest`: what such a command leaves running goes on, and its output still comes in.
    `tell` reaches a command that was spawned with `listens`.
    """

    def __init__(self, popen: subprocess.Popen[bytes], ring: Ring, *, leave_rest: bool) -> None:
        self._popen = popen
        self._leave_rest = leave_rest
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._output = -1 if popen.stdout is None else popen.stdout.fileno()
        os.set_blocking(self._output, False)
        self._loop.add_reader(self._output, self._read)
        self._ended: asyncio.Future[ProcessEnd] = self._loop.create_future()
        # A thread, because only a wait that does not reap leaves the id ours until the group is killed.
        threading.Thread(target=self._wait, name="target-wait", daemon=True).start()

    @classmethod
    def spawn(
        cls,
        command: Sequence[str],
        ring: Ring,
        *,
        environment: Mapping[str, str] | None = None,
        leave_rest: bool = False,
        listens: bool = False,
    ) -> OwnProcess:
        """The command runs; its output goes to `ring`. Raises `TargetUnavailable`."""
        keeper = watchdog()
        try:
            _check(command, environment or os.environ)
            popen = subprocess.Popen(
                ["/bin/sh", "-c", _GATE if listens else _DEAF, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=None if environment is None else dict(environment),
            )
        except (OSError, ValueError) as exc:
            why = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
            raise TargetUnavailable(f"cannot start {command[0]!r}: {why}") from exc
        keeper.watch(popen.pid)
        _open_gate(popen, listens=listens)
        return cls(popen, ring, leave_rest=leave_rest)

    @property
    def pid(self) -> int:
        """The process id, which is also its group's."""
        return self._popen.pid

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        """How it ended, waiting at most `timeout_s`; None while it runs. A zero is exact, not a guess."""
        if not self._ended.done():
            if timeout_s > 0:
                await asyncio.wait({self._ended}, timeout=timeout_s)
            elif _is_over(self.pid):
                await asyncio.wait({self._ended})
        return self._ended.result() if self._ended.done() else None

    async def stop(self) -> ProcessEnd:
        """Ended: asked to, and killed when it does not listen."""
        self._signal(signal.SIGTERM)
        return await self.ended(STOP_TIMEOUT_S) or await self.kill()

    async def kill(self) -> ProcessEnd:
        """Ended at once, with its whole group."""
        self._signal(signal.SIGKILL)
        return await asyncio.shield(self._ended)

    def memory(self) -> int | None:
        """Resident bytes of the process and its descendants; None when the machine does not tell."""
        found = [r for r in map(_resident, _family(self.pid)) if r is not None]
        return sum(found) if found and not self._ended.done() else None

    def figures(self) -> Figures | None:
        """What the process and its descendants use now; None when it ended."""
        if self._ended.done():
            return None
        family = _family(self.pid)
        return Figures(
            at_s=self._loop.time(),
            memory=_sum(map(_resident, family)),
            processor_s=_sum(map(_processor_s, family)),
            descriptors=_sum(_entries(pid, "fd") for pid in family),
            threads=_sum(_entries(pid, "task") for pid in family),
        )

    def tell(self, line: str) -> bool:
        """One line on its standard input; False when it does not listen, has ended, or is not keeping up."""
        stdin, data = self._popen.stdin, f"{line}\n".encode()
        if stdin is None or stdin.closed or self._ended.done() or len(data) > select.PIPE_BUF:
            return False
        try:
            # Below PIPE_BUF a pipe takes all or nothing (POSIX write), so that no half line is left behind.
            return os.write(stdin.fileno(), data) == len(data)
        except OSError:
            return False

    def _signal(self, number: signal.Signals) -> None:
        # Until `_finish` has run the process is not reaped, so that its id cannot be anybody else's.
        if not self._ended.done():
            with contextlib.suppress(OSError):
                os.killpg(self.pid, number)

    def _wait(self) -> None:
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with contextlib.suppress(RuntimeError):  # The loop is closed: nobody is left to be told.
            self._loop.call_soon_threadsafe(self._finish)

    def _read(self) -> bool:
        """One piece of output is in the ring; False when there is none now, or no more ever."""
        if self._output < 0:
            return False
        try:
            data = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return False
        self._ring.feed(data)
        if not data:
            self.let_go()
        return bool(data)

    def let_go(self) -> None:
        """Its output is read no more."""
        output, self._output = self._output, -1
        if output >= 0 and self._popen.stdout is not None:
            self._loop.remove_reader(output)
            self._popen.stdout.close()

    def _finish(self) -> None:
        if not self._leave_rest:
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
        while self._read():
            pass
        if not self._leave_rest:
            self.let_go()
        watchdog().forget(self.pid)
        _close(self._popen)
        code = self._popen.wait()
        if not self._ended.done():
            self._ended.set_result(ProcessEnd(code))


def _check(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """The command can be run, as far as can be told before. Raises `OSError`, `ValueError`."""
    if any("\0" in word for word in command):
        raise ValueError("embedded null byte")
    if shutil.which(command[0], path=environment.get("PATH")) is None:
        known = Path(command[0]).exists()
        number = errno.EACCES if known else errno.ENOENT
        raise OSError(number, os.strerror(number), command[0])


def _open_gate(popen: subprocess.Popen[bytes], *, listens: bool) -> None:
    if popen.stdin is None:
        return
    with contextlib.suppress(OSError):
        popen.stdin.write(b"go\n")
        popen.stdin.flush()
    if listens:
        os.set_blocking(popen.stdin.fileno(), False)
    else:
        _close(popen)


def _close(popen: subprocess.Popen[bytes]) -> None:
    """Nothing is said to it any more; words that it never read are lost."""
    if popen.stdin is not None:
        with contextlib.suppress(OSError):
            popen.stdin.close()


def _is_over(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _family(pid: int) -> list[int]:
    """The process and its descendants, as far as Linux tells."""
    found = [pid]
    for member in found:
        with contextlib.suppress(OSError, ValueError):
            children = Path(f"/proc/{member}/task/{member}/children").read_text()
            found.extend(int(child) for child in children.split())
        if len(found) > _MAX_DESCENDANTS:
            break
    return found


def _processor_s(pid: int) -> float | None:
    """Seconds of processor time of one process (proc(5), fields 14 and 15 of stat)."""
    try:
        # The name, in parentheses, may hold anything.
        after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after[11]) + int(after[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return None


def _entries(pid: int, folder: str) -> int | None:
    """How many open descriptors (`fd`) or threads (`task`) a process has."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/{folder}").iterdir())
    except OSError:
        return None


Number = TypeVar("Number", int, float)


def _sum(found: Iterable[Number | None]) -> Number | None:
    """The sum of what is known, None when nothing is."""
    known = [number for number in found if number is not None]
    return sum(known[1:], known[0]) if known else None


def _resident(pid: int) -> int | None:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
