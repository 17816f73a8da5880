"""A target that the user's own commands start and restart.

Knows shell words. Must not know what the commands do: a start command stays in the foreground, a restart command ends
when the target is up again. A restart may be an HTTP hook instead, asked as an operator is: `{"event": "restart"}`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Ability, Figures, ProcessEnd
from fuzz.target.operators import HttpHand
from fuzz.target.owned import ProcessTarget
from fuzz.target.process import OwnProcess
from fuzz.target.ring import Ring

RESTART_TIMEOUT_S = 120.0


class CommandTarget:
    """A target with a start command, a restart command, or both; implements `Target`.

    With a start command the process is ours: restarting it is stopping and starting. With a restart command alone the
    target is somebody else's, and only restarting is possible. With both, the start command comes first and the restart
    command from then on; what the restart command leaves running is no process of ours, and its end not to be known.
    """

    def __init__(self, *, start: str | None = None, restart: str | None = None) -> None:
        if start is None and restart is None:
            raise UsageError("a command target needs --start-cmd or --restart-cmd")
        self._own = None if start is None else ProcessTarget(start, _words("--start-cmd", start))
        if start is not None and restart is not None and is_hook(restart):
            raise UsageError(
                "a restart hook is for a target of yours; with --start-cmd leave it out"
            )
        self._hook = HttpHand(restart) if restart and is_hook(restart) else None
        command = None if self._hook else restart
        self._restart = None if command is None else _words("--restart-cmd", command)
        self._name = f"command: {start or restart}"
        self._started = start is None
        self._restarted: OwnProcess | None = None
        self._ring = Ring()

    @property
    def name(self) -> str:
        """For people: the command."""
        return self._name

    @property
    def owned(self) -> bool:
        """True when a start command makes it ours."""
        return self._own is not None

    @property
    def abilities(self) -> frozenset[Ability]:
        """Those of a process of our own, or only starting and the restart command's output."""
        if self._own is None or self._restarted is not None:
            return frozenset({Ability.START, Ability.LOG})
        return self._own.abilities

    async def start(self) -> None:
        """Start or restart it. Raises `TargetUnavailable` when the restart command fails."""
        if self._started and self._hook is not None:
            await self._ask(self._hook)
        elif self._started and self._restart is not None:
            await self._run_restart(self._restart)
        elif self._own is not None:
            await self._own.start()
        self._started = True

    async def stop(self) -> None:
        """Stop it gently, then firmly; nothing to do where it is not ours."""
        if self._own is not None:
            await self._own.stop()
        if self._restarted is not None:
            self._restarted.let_go()

    async def kill(self) -> None:
        """Stop it at once, as a power cut would; nothing to do where it is not ours."""
        if self._own is not None:
            await self._own.kill()

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        """How the start command ended, waiting at most `timeout_s`; None while it runs or where it is not ours."""
        if self._own is None or self._restarted is not None:
            return None
        return await self._own.ended(timeout_s)

    async def operator(self, event: str, argument: str = "") -> bool:
        """False: nobody stands beside it."""
        return False

    def memory(self) -> int | None:
        """Resident bytes of our process and its descendants, None when not known."""
        return None if self._own is None or self._restarted is not None else self._own.memory()

    def figures(self) -> Figures | None:
        """What our process and its descendants use now, None when not known."""
        return None if self._own is None or self._restarted is not None else self._own.figures()

    def log_since(self, mark: int) -> tuple[int, Sequence[str]]:
        """How many lines the start command wrote so far, and those after the first `mark` that are still kept."""
        return self._ring.since(mark) if self._own is None else self._own.log_since(mark)

    def log_lines(self) -> Sequence[str]:
        """The last lines of the restart command, then of the start command."""
        own = () if self._own is None else self._own.log_lines()
        return (*self._ring.lines(), *own)

    async def _ask(self, hook: HttpHand) -> None:
        if not await hook.do("restart", ""):
            raise TargetUnavailable(f"the restart hook {hook.url} did not answer with 2xx in time")

    async def _run_restart(self, command: Sequence[str]) -> None:
        if self._restarted is not None:
            self._restarted.let_go()
        process = self._restarted = OwnProcess.spawn(command, self._ring, leave_rest=True)
        end = await process.ended(RESTART_TIMEOUT_S)
        if end is None:
            await process.kill()
            raise TargetUnavailable(
                f"{shlex.join(command)!r} did not end within {RESTART_TIMEOUT_S:g} s; "
                "a restart command must end when the target is up"
            )
        if end.code != 0:
            last = next(reversed(self._ring.lines()), "no output")
            raise TargetUnavailable(f"{shlex.join(command)!r} failed with {end.symptom}: {last}")


def is_hook(restart: str) -> bool:
    """True for an address to ask, false for a command to run."""
    return restart.startswith(("http://", "https://"))


def _words(option: str, command: str) -> Sequence[str]:
    try:
        words = shlex.split(command)
    except ValueError as exc:
        raise UsageError(f"{option} {command!r} cannot be split into words: {exc}") from exc
    if not words:
        raise UsageError(f"{option} is empty; give a command or leave it out")
    return words
