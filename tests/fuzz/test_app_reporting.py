"""Reports are written however a command ends, but for a usage error."""

import os
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fuzz.app.reporting import Desk, code_of, desk, reporting, words_of
from fuzz.config import ConfigError, RunOptions
from fuzz.errors import StoreError, TargetUnavailable, UsageError
from fuzz.records import Side
from fuzz.report.results import Place, Results
from fuzz.testing import results

WANTED = {"markdown": Path("out.md")}


@dataclass
class Gathered:
    """Says that it was asked, and by what."""

    asked: list[BaseException | None] = field(default_factory=list)

    def results(self, error: BaseException | None) -> Results:
        self.asked.append(error)
        return results()


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_command_that_ends_well_is_reported_once():
    harvest = Gathered()
    with reporting(harvest, WANTED):
        assert harvest.asked == []
    assert harvest.asked == [None]
    assert Path("out.md").read_text().startswith("Attacked: ")


def test_without_wanted_reports_nobody_is_asked():
    harvest = Gathered()
    with reporting(harvest, {}):
        pass
    assert harvest.asked == []


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), TargetUnavailable("gone"), RuntimeError("a bug")]
)
def test_what_was_gathered_before_an_error_is_written_and_the_error_goes_on(error):
    harvest = Gathered()
    with pytest.raises(type(error)), reporting(harvest, WANTED):
        raise error
    assert harvest.asked == [error]
    assert Path("out.md").exists()


@pytest.mark.parametrize("error", [UsageError("no"), ConfigError("no")])
def test_a_usage_error_leaves_no_report(error):
    harvest = Gathered()
    with pytest.raises(type(error)), reporting(harvest, WANTED):
        raise error
    assert harvest.asked == []
    assert not Path("out.md").exists()


def test_what_cannot_be_written_is_told_before_anything_is_done():
    done: list[str] = []
    with pytest.raises(UsageError), reporting(Gathered(), {"junit": Path()}):
        done.append("attacked")
    assert done == []


def test_a_cancelled_job_is_reported_as_one_that_was_interrupted():
    harvest = Gathered()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), reporting(harvest, WANTED):
        os.kill(os.getpid(), signal.SIGTERM)
    assert len(harvest.asked) == 1
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "stopped before its end"),
        (UsageError("no"), 2, "no"),
        (StoreError("full\x1b"), 3, "full\\x1b"),
        (ValueError("odd"), 3, "a bug in ocppfuzz: odd"),
    ],
)
def test_an_error_has_an_exit_code_and_one_line(error, code, words):
    assert (code_of(error), words_of(error)) == (code, words)


def test_the_place_of_a_target_is_its_table_in_the_configuration():
    Path("ocppfuzz.toml").write_text("[run]\nseed = 1\n\n [target]\nlisten = 'x'\n")
    Path("other.toml").write_text("[run]\n")
    assert desk("run", RunOptions()).place == Place("ocppfuzz.toml", 4)
    assert Desk("run", RunOptions(), config=Path("other.toml")).place == Place("other.toml", 1)
    assert Desk("run", RunOptions(), config=Path("none.toml")).place == Place("none.toml", 1)


def test_a_target_that_was_never_met_is_told_as_it_was_named():
    there = replace(RunOptions(), target="wss://c/{identity}", identity="CS-1")
    assert Desk("run", there).facts.side is Side.CSMS
    assert (Desk("run", there).facts.url, Desk("run", there).facts.identity) == (
        "wss://c/{identity}",
        "CS-1",
    )
    assert Desk("run", RunOptions()).facts.identity == "embedded reference station"
