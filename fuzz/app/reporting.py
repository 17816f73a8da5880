"""Report files of a command: written when it ended well, when it was interrupted, and when it failed on the way.

Knows when reports are written. Must not know what is in them: a `Harvest` gathers that, one for each command.
"""

from __future__ import annotations

import contextlib
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Protocol

from fuzz import __version__, store
from fuzz.app.interrupting import interrupts_held_back
from fuzz.clock import Clock, SystemClock, rfc3339
from fuzz.config import CONFIG_FILE, RunOptions
from fuzz.records import Side, TargetFacts
from fuzz.report.document import document
from fuzz.report.files import FORMATS, check_wanted, write_reports
from fuzz.report.issues import relative
from fuzz.report.results import Place, Results
from fuzz.report.safe import safe

TOOL = f"ocppfuzz {__version__}"
USAGE = 2
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Desk:
    """What every report of a command needs: its options, and `flags` that name the same target again.

    `config` is the configuration file that was named, None for the one that is read unasked.
    """

    command: str
    options: RunOptions
    flags: str = ""
    config: Path | None = None
    clock: Clock = field(default_factory=SystemClock)
    began: str = ""
    started_s: float = 0.0

    @property
    def place(self) -> Place:
        """Where the target is configured: readers demand a place even of what no stored case shows."""
        path = self.config or CONFIG_FILE
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, ValueError):
            return Place(relative(path))
        found = (n for n, line in enumerate(lines, 1) if re.match(r"\s*\[target\]", line))
        return Place(relative(path), next(found, 1))

    @property
    def configured(self) -> Place | None:
        """The same, None where no file configures it."""
        return self.place if (self.config or CONFIG_FILE).is_file() else None

    @property
    def facts(self) -> TargetFacts:
        """What is known of the target before it was met."""
        options = self.options
        return TargetFacts(
            side=Side.CSMS if options.target is not None else Side.STATION,
            url=options.target or options.listen or "",
            identity=options.identity or ("embedded reference station" if options.embedded else ""),
            security_profile=options.security_profile,
            edition=options.edition,
        )

    def elapsed_s(self) -> float:
        """Seconds since the command began."""
        return self.clock.monotonic() - self.started_s


def desk(command: str, options: RunOptions, flags: str = "", config: Path | None = None) -> Desk:
    """A desk whose time begins now."""
    clock = SystemClock()
    return Desk(command, options, flags, config, clock, rfc3339(clock.now()), clock.monotonic())


class Harvest(Protocol):
    """Gathers what a command comes to."""

    def results(self, error: BaseException | None) -> Results:
        """Everything so far; `error` is what ended the command before its time."""
        ...


@contextlib.contextmanager
def reporting(
    harvest: Harvest, wanted: Mapping[str, Path], *, keep: Path | None = None
) -> Iterator[None]:
    """Write the wanted reports behind what is done inside, however that ends; a usage error leaves none.

    In `keep`, a folder of findings, the report is kept for `ocppfuzz report html` when the command came to its end.

    Raises:
        UsageError: before anything is done, when a report could not be written.
        StoreError: afterwards, when it could not be written after all.
    """
    if not wanted and keep is None:
        yield
        return
    check_wanted(wanted)
    try:
        with _termination_as_interrupt() if wanted else contextlib.nullcontext():
            yield
    except BaseException as error:
        if wanted and code_of(error) != USAGE:
            _write(harvest.results(error), wanted)
        raise
    results = harvest.results(None)
    _write(results, wanted)
    if keep is not None:
        _keep(results, keep)


def _write(results: Results, wanted: Mapping[str, Path]) -> None:
    from fuzz.report.page.render import html

    write_reports(results, wanted, {**FORMATS, "html": lambda r: html(r, mandatory_tests())})


def mandatory_tests() -> Mapping[str, bool]:
    """Of each certification test that we know whether every station of its profile must pass it."""
    from fuzz.conformance.catalogue import catalogue

    return {entry.id: entry.mandatory for entry in catalogue()}


def _keep(results: Results, folder: Path) -> None:
    store.save_report(folder, results.command, document(results))
    facts = results.facts
    store.remember(
        folder,
        store.PastRun(
            results.command,
            safe(results.began, 40),
            safe(f"{facts.vendor} {facts.model}".strip(), 200),
            safe(facts.firmware, 60),
            results.proven,
            found=tuple(safe(issue.fingerprint, 40) for issue in results.issues),
        ),
    )


def code_of(error: BaseException) -> int:
    """The exit code to which an error leads."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    code = getattr(error, "exit_code", 3)
    return code if isinstance(code, int) else 3


def words_of(error: BaseException) -> str:
    """An error in one line."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped before its end"
    told = safe(str(error), 1_000)
    return told if hasattr(error, "exit_code") else f"a bug in ocppfuzz: {told}"


@contextlib.contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """SIGTERM, by which a CI server cancels a job, ends the command as Ctrl-C does."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        # Not raised here: asyncio ends its tasks properly when it hears of the signal itself.
        signal.raise_signal(signal.SIGINT)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        with interrupts_held_back():
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
