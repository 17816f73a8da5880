"""What the names of `fuzz.pytest_entry` stand for: corpus and handshakes as test items, and what fixtures give.

Knows pytest and `fuzz.app`. Must not know how anything is played. Words of a target arrive here safe to show.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import pytest

from fuzz.app.piecemeal import Desk, Fate, Piece, options_for, pieces
from fuzz.app.standins import BenchStation, StandInCsms
from fuzz.config import CONFIG_FILE, ConfigError, load_config
from fuzz.errors import OcppfuzzError
from fuzz.report.safe import safe
from fuzz.testing import payloads

__all__ = ["Items", "csms", "payloads", "station"]

ROOT = "ocppfuzz"
"""What the id of every item begins with: `ocppfuzz::schema/list-empty`, `ocppfuzz::tls/TS-01`."""

_DEFAULT_PROFILE = 2


@contextmanager
def _one_line() -> Iterator[None]:
    """What the user got wrong, as pytest shows it: one line and exit code 4."""
    try:
        yield
    except (OcppfuzzError, ConfigError) as error:
        raise pytest.UsageError(f"ocppfuzz: {safe(str(error), 1_000)}") from None


def _path(config: pytest.Config, option: str) -> Path | None:
    given = config.getoption(option)
    return config.invocation_params.dir / given if given else None


# --- items --------------------------------------------------------------------------------------------------


class Broken(Exception):
    """The target did not cope; the text is all that a person needs to see."""


class Root(pytest.Collector):
    """Where the items hang: they belong to no file."""

    def collect(self) -> Iterable[pytest.Item]:
        """Nothing: they are made by `Items`."""
        return ()


class CaseItem(pytest.Item):
    """One stored case, or one handshake."""

    piece: Piece
    desk: Desk

    def runtest(self) -> None:
        """Play it. Raises `Broken`, or skips with the reason where it cannot be played."""
        outcome = self.desk.play(self.piece)
        if outcome.fate is Fate.NOT_PLAYED:
            pytest.skip(outcome.text)
        if outcome.fate is Fate.FAILED:
            raise Broken(outcome.text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What came of it, without the inside of this program."""
        if isinstance(excinfo.value, Broken):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file of the case, where it has one, and its name."""
        return self.piece.path or self.path, None, self.name


class Items:
    """Adds the items, and ends what they started. Registered only where they are wanted."""

    def __init__(self, config: pytest.Config) -> None:
        self._file = _path(config, "ocppfuzz_config")
        self_test = bool(config.getoption("ocppfuzz_self_test"))
        if hasattr(config, "workerinput") and not self_test:
            raise pytest.UsageError("ocppfuzz: one target is for one process; leave -n out")
        with _one_line():
            options = options_for(
                config=self._file,
                corpus=_path(config, "ocppfuzz_corpus"),
                self_test=self_test,
                defects=config.getoption("ocppfuzz_defect"),
            )
            self._pieces = pieces(options, self._file, handshakes=config.getoption("ocppfuzz_tls"))
        self._options = options
        self._named = _taken_out(config)
        self._aside = Aside()
        self._desk = Desk(options, (), self._aside.say)
        self._fates: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Put ours behind what was collected, before anybody selects."""
        root = Root.from_parent(session, name=ROOT, nodeid=ROOT)
        made = [CaseItem.from_parent(root, name=piece.name) for piece in self._pieces]
        for item, piece in zip(made, self._pieces, strict=True):
            item.piece = piece
            # Hostile handshakes make libraries warn, on threads of ours that know no other filter.
            item.add_marker(pytest.mark.filterwarnings("ignore"))
        if unknown := self._named - {item.nodeid for item in made}:
            raise pytest.UsageError(f"ocppfuzz: not found: {safe(min(unknown))}")
        items += [i for i in made if not self._named or i.nodeid in self._named]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Only what was selected is played, in one run of the lab."""
        ours = [item for item in session.items if isinstance(item, CaseItem)]
        self._desk = Desk(self._options, [item.piece for item in ours], self._aside.say)
        for item in ours:
            item.desk = self._desk

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember whether anything was played at all."""
        if report.nodeid.startswith(f"{ROOT}::") and report.when == "call":
            self._fates.add(report.outcome)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Stop what was started. A run of which nothing could be played proves nothing: it is no success."""
        self._desk.close()
        self._aside.close()
        if self._fates == {"skipped"} and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Who was attacked; or that nothing was proven."""
        if self._desk.attacked:
            terminalreporter.write_line(f"ocppfuzz attacked: {self._desk.attacked}")
        if self._fates == {"skipped"}:
            terminalreporter.write_line("ocppfuzz: nothing was played, so nothing is proven")


class Aside:
    """A way to the terminal past what pytest captures: somebody at a station may have to do something now."""

    def __init__(self) -> None:
        # pytest captures nothing yet while it is configured.
        self._out: TextIO | None = None
        with suppress(OSError, ValueError, AttributeError):
            self._out = os.fdopen(os.dup(sys.stdout.fileno()), "w", errors="backslashreplace")

    def say(self, line: str) -> None:
        """One line, at once; never raises."""
        with suppress(OSError, ValueError):
            if self._out is not None:
                self._out.write(f"\nocppfuzz: {line}\n")
                self._out.flush()

    def close(self) -> None:
        """Nothing is said any more."""
        if self._out is not None:
            self._out.close()


def _taken_out(config: pytest.Config) -> frozenset[str]:
    """The ids of ours among what is to be run, which pytest would take for files."""
    named = frozenset(arg for arg in config.args if arg.startswith(f"{ROOT}::"))
    if named:
        config.args[:] = [arg for arg in config.args if arg not in named]
    return named


# --- fixtures -----------------------------------------------------------------------------------------------


def station(config: pytest.Config) -> BenchStation:
    """Our station in memory, with what `--ocppfuzz-defect` names."""
    with _one_line():
        return BenchStation(config.getoption("ocppfuzz_defect"))


def csms(config: pytest.Config) -> StandInCsms:
    """Our CSMS on a port, in the security profile of the configuration file; without one in 2."""
    file = _path(config, "ocppfuzz_config")
    with _one_line():
        there = file is not None or CONFIG_FILE.is_file()
        profile = load_config(file).security_profile if there else _DEFAULT_PROFILE
        return StandInCsms(profile)
