"""What all targets have in common that we start as a process ourselves.

Knows the seam `Target` and `OwnProcess`; what is run, and whether a restart has a command of its own, is for others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fuzz.records import Ability, Figures, ProcessEnd
from fuzz.target.process import OwnProcess
from fuzz.target.ring import Ring


class ProcessTarget:
    """A `Target` that is one command in the foreground; with `console` it takes an operator's lines on standard input."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        console: bool = False,
    ) -> None:
        self._name = name
        self._command = tuple(command)
        self._environment = environment
        self._console = console
        self._process: OwnProcess | None = None
        self._ring = Ring()

    @property
    def name(self) -> str:
        """For people."""
        return self._name

    @property
    def owned(self) -> bool:
        """True: we started it, so that every effect is allowed."""
        return True

    @property
    def abilities(self) -> frozenset[Ability]:
        """All; an operator only where there is a console, memory only where the machine tells it."""
        found = {Ability.START, Ability.STOP, Ability.KILL, Ability.ALIVE, Ability.LOG}
        if self._console:
            found.add(Ability.OPERATOR)
        if Path("/proc/self/statm").exists():
            found |= {Ability.MEMORY, Ability.FIGURES}
        return frozenset(found)

    @property
    def pid(self) -> int | None:
        """The id of the process that was started last, None before the first."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start or restart it; the log goes on. Raises `TargetUnavailable`."""
        await self.stop()
        self._process = OwnProcess.spawn(
            self._command, self._ring, environment=self._environment, listens=self._console
        )

    async def stop(self) -> None:
        """Stop it gently, then firmly."""
        if self._process is not None and await self._process.ended(0.0) is None:
            await self._process.stop()

    async def kill(self) -> None:
        """Stop it at once, as a power cut would."""
        if self._process is not None and await self._process.ended(0.0) is None:
            await self._process.kill()

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        """How the process ended, waiting at most `timeout_s`; None while it runs, or before it was started."""
        return None if self._process is None else await self._process.ended(timeout_s)

    async def operator(self, event: str, argument: str = "") -> bool:
        """One line on its console, such as `plug-in 1`; False when it has none, or does not run."""
        line = f"{event} {argument}".rstrip()
        if not self._console or self._process is None or len(line.splitlines()) != 1:
            return False
        return self._process.tell(line)

    def memory(self) -> int | None:
        """Resident bytes of the process and its descendants, None when not known."""
        return None if self._process is None else self._process.memory()

    def figures(self) -> Figures | None:
        """What the process and its descendants use now, None when not known."""
        return None if self._process is None else self._process.figures()

    def log_since(self, mark: int) -> tuple[int, Sequence[str]]:
        """How many lines it wrote so far, and those after the first `mark` that are still kept."""
        return self._ring.since(mark)

    def log_lines(self) -> Sequence[str]:
        """The last lines that it wrote, newest last."""
        return self._ring.lines()
