"""Targets that die, hang, restart, flood, dawdle or never come: the campaign ends by itself, and says the right thing.

Every target here is a plain station with one bad habit, and each campaign plays its first cases against it. Whatever
it does, what was found lies there and can be read, nothing of it reaches the terminal unescaped, and our own memory
stays flat.
"""

import json
import os
import re
import shlex
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fuzz import store

BIN = Path(sys.executable).parent / "ocppfuzz"
CASES = 110
BUDGET = ("--seed", 1, "--max-cases", CASES, "--only", "GetVariables,ClearCache")
LONG_ENOUGH = ("--seed", 1, "--max-time", 40, "--only", "GetVariables,ClearCache")
"""A campaign in whose midst a station that restarts every few seconds restarts for sure."""

WAIT_S = 2
LONGER_S = 8
"""How long a campaign waits where the test has a station to start meanwhile."""

PATIENCE_S = 150.0
MOST_MB = 600


@dataclass(frozen=True)
class Done:
    """How a campaign ended; `shown` is all that a person saw of it."""

    code: int
    shown: str
    peak_mb: float

    @property
    def outcome(self):
        return json.loads(self.shown.splitlines()[-1])

    @property
    def confirmed(self):
        return {f["oracle"] for f in self.outcome["findings"] if f["status"] == "confirmed"}


@dataclass(frozen=True)
class Bench:
    """Starts campaigns and stations that meet on one port, in one folder."""

    started: object
    until: object
    peers: Path
    port: int
    folder: Path

    def station(self, habit):
        """The words of a station with this habit."""
        url = f"ws://127.0.0.1:{self.port}/ocpp/BAD"
        return (sys.executable, self.peers / "bad_station.py", url, habit)

    def owned(self, habit):
        """The flags that let the campaign start such a station."""
        return ("--start-cmd", shlex.join(map(str, self.station(habit))))

    def campaign(self, *flags, budget=BUDGET):
        """A campaign under way; flags that come later count."""
        where = ("--listen", f"127.0.0.1:{self.port}", "--identity", "BAD", "--security-profile", 0)
        return self.started(BIN, "run", *where, "--wait", WAIT_S, *budget, *flags, "--json")

    def end(self, running):
        """Wait for the end of a campaign; whatever its target did, this holds."""
        code, peak_mb = running.ended(PATIENCE_S)
        done = Done(code, running.text, peak_mb)
        assert "Traceback" not in done.shown
        assert all(c.isprintable() or c == "\n" for c in done.shown), "something is not escaped"
        assert done.peak_mb < MOST_MB
        self.kept()
        return done

    def run(self, *flags, budget=BUDGET):
        return self.end(self.campaign(*flags, budget=budget))

    def kept(self):
        """What was found so far; all of it can be read."""
        findings = store.findings_in(self.folder / "findings")
        assert len(findings) == len(list((self.folder / "findings").glob("O*/finding.json")))
        return findings

    def played(self):
        """How many cases the journal knows."""
        state = store.load_state(self.folder / "findings")
        return 0 if state is None else state.counts["cases"]

    def resumed(self):
        """The same campaign goes on with a station without a bad habit."""
        self.started(*self.station("none"))
        return self.run("--resume")


@pytest.fixture
def bench(started, until, peers, port, small_corpus, tmp_path):
    small_corpus("valid/*", "frames/action-*", "text/[n-z]*")
    return Bench(started, until, peers, port, tmp_path)


def child_of(pid, name):
    """The process that `pid` started and whose command line holds `name`; None without one."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    found = [int(c) for c in children if name in Path(f"/proc/{c}/cmdline").read_text("utf-8")]
    return found[0] if found else None


def test_without_a_bad_habit_there_is_nothing_to_find(bench):
    done = bench.run(*bench.owned("none"))
    assert (done.code, done.outcome["findings"]) == (0, []), done.shown
    assert done.outcome["warnings"] == []
    assert store.load_state(bench.folder / "findings").counts["cases"] == CASES


# --- killed -----------------------------------------------------------------------------------------------


def test_a_station_of_ours_that_somebody_kills_is_started_again_and_nothing_is_blamed(bench):
    running = bench.campaign(*bench.owned("none"))
    bench.until(lambda: bench.played() >= 20, lambda: running.text)
    os.kill(child_of(running.process.pid, "bad_station"), signal.SIGKILL)
    done = bench.end(running)
    assert (done.code, done.confirmed) == (0, set()), done.shown
    assert done.outcome["cases"] == CASES


def test_a_station_that_somebody_kills_and_starts_again_is_waited_for(bench):
    station = bench.started(*bench.station("none"))
    running = bench.campaign("--wait", LONGER_S)
    bench.until(lambda: bench.played() >= 20, lambda: running.text)
    station.end()
    bench.until(lambda: "PLEASE DO: the target went away" in running.text, lambda: running.text)
    bench.started(*bench.station("none"))
    done = bench.end(running)
    assert (done.code, done.confirmed) == (0, set()), done.shown
    assert done.outcome["cases"] == CASES


def test_the_hook_for_a_stuck_target_is_asked_once_and_brings_it_back(bench):
    hook = "sh -c 'echo asked >> hook; echo noise'"
    running = bench.campaign("--on-stuck", hook, "--wait", LONGER_S)
    bench.started(*bench.station("vanishes"))
    asked = bench.folder / "hook"
    bench.until(asked.exists, lambda: running.text)
    bench.started(*bench.station("none"))
    done = bench.end(running)
    assert asked.read_text() == "asked\n"
    assert "noise" not in done.shown
    # The station that came back bears the message: once is no proof.
    assert (done.code, done.confirmed) == (0, set()), done.shown


def test_a_station_that_is_gone_for_good_ends_the_campaign_and_another_day_goes_on(bench):
    station = bench.started(*bench.station("none"))
    running = bench.campaign("--unattended")
    bench.until(lambda: bench.played() >= 20, lambda: running.text)
    station.end()
    done = bench.end(running)
    # Whoever is killed in the middle of a case is a candidate until it is seen again.
    assert done.code in (1, 3), done.shown
    assert done.confirmed == set()
    assert "went away and did not come back" in done.outcome["reason"]

    later = bench.resumed()
    assert (later.code, later.confirmed) == (0, set()), later.shown
    assert later.outcome["cases"] == CASES


# --- hanging ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("habit", "oracle"), [("silent", "O4"), ("hangs", "O5")])
def test_a_station_that_hangs_on_one_message_is_found_out_and_the_rest_is_played(
    bench, ocppfuzz, habit, oracle
):
    done = bench.run(*bench.owned(habit))
    assert (done.code, done.confirmed) == (1, {oracle}), done.shown
    (finding,) = [f for f in done.outcome["findings"] if f["oracle"] == oracle]
    assert finding["action"] == "ClearCache"
    assert done.outcome["cases"] == CASES, "it went on after the message that it cannot bear"

    where = ("--listen", f"127.0.0.1:{bench.port}", "--identity", "BAD", "--security-profile", 0)
    again = ocppfuzz("replay", finding["folder"], *where, *bench.owned(habit), "--json")
    assert [json.loads(line)["outcome"] for line in again.out.splitlines()] == ["reproduced"]


@pytest.mark.parametrize("habit", ["deaf", "drips"])
def test_a_station_that_reads_nothing_any_more_is_told_of_and_the_campaign_ends(bench, habit):
    bench.started(*bench.station(habit))
    done = bench.run("--unattended")
    assert done.code == 1, done.shown
    assert {f["oracle"] for f in done.outcome["findings"]} == {"O5"}


# --- gone -------------------------------------------------------------------------------------------------


def test_a_station_of_ours_that_never_comes_back_is_told_of_with_what_it_did(bench):
    done = bench.run(*bench.owned("breaks"))
    assert done.code == 1, done.shown
    (finding,) = done.outcome["findings"]
    assert (finding["oracle"], finding["status"]) == ("O1", "candidate")
    assert "went away and did not come back" in done.outcome["reason"]
    assert [f.violation.symptom for f in bench.kept()] == ["exit 7"]


@pytest.mark.parametrize(
    ("habit", "says"),
    [
        (None, "nobody called"),
        ("drips-request", "somebody called, and has not finished the handshake"),
        ("leaves", "the target connected and closed again with 1000"),
        ("other-protocol", "it offers ocpp1.6; needed is ocpp2.0.1"),
        ("mute", "does not serve a harmless CALL"),
    ],
)
def test_a_station_that_never_gets_as_far_as_serving_proves_nothing_and_one_line_says_why(
    bench, habit, says
):
    if habit is not None:
        bench.started(*bench.station(habit))
    done = bench.run()
    assert done.code == 3, done.shown
    (complaint,) = [line for line in done.shown.splitlines() if line.startswith("error: ")]
    assert says in complaint
    assert bench.kept() == ()


# --- restarting, flooding, dawdling -----------------------------------------------------------------------


@pytest.mark.parametrize("habit", ["restarts", "crashes"])
def test_a_station_that_restarts_by_itself_is_told_of_and_no_case_is_blamed(bench, habit):
    done = bench.run(*bench.owned(habit), budget=LONG_ENOUGH)
    assert (done.code, done.confirmed) == (0, set()), done.shown
    assert any("does it restart by itself?" in warning for warning in done.outcome["warnings"])


@pytest.mark.parametrize(
    ("habit", "says"),
    [
        # How much of a flood gets through depends on the machine.
        ("calls", r"amplification \(O22\)|it floods us|more than 5000 messages"),
        ("texts", "it floods us"),
        ("pings", "20,000 pings or fragments"),
        ("bombs", "exceeds limit"),
    ],
)
def test_a_station_that_floods_us_is_told_of_and_no_case_is_blamed(bench, habit, says):
    bench.started(*bench.station(habit))
    done = bench.run("--wait", LONGER_S)
    assert (done.code, done.confirmed) == (0, set()), done.shown
    told = [*done.outcome["warnings"], *done.outcome["disturbed"]]
    assert any(re.search(says, line) for line in told), told


def test_a_station_that_answers_after_five_seconds_has_done_nothing_wrong(bench, small_corpus):
    valid = small_corpus("device-model/unknown-*", folder="valid")
    bench.started(*bench.station("slow"))
    done = bench.run("--wait", 60, "--max-cases", 2, "--corpus", valid)
    assert (done.code, done.outcome["findings"]) == (0, []), done.shown
    assert done.outcome["answers"] == {"CALLRESULT": 2}


# --- stopped by a person ----------------------------------------------------------------------------------


@pytest.mark.parametrize("habit", ["restarts", "pings"])
def test_ctrl_c_in_the_middle_of_the_trouble_keeps_all_and_another_day_goes_on(bench, habit):
    station = bench.started(*bench.station(habit))
    running = bench.campaign()
    bench.until(lambda: bench.played() >= 20, lambda: running.text)
    running.process.send_signal(signal.SIGINT)
    done = bench.end(running)
    assert done.code == 0, done.shown
    assert "--resume" in done.outcome["reason"]
    before = done.outcome["cases"]

    station.end()
    later = bench.resumed()
    assert (later.code, later.confirmed) == (0, set()), later.shown
    assert before < later.outcome["cases"] == CASES


@pytest.mark.parametrize("at_first", [signal.default_int_handler, signal.SIG_IGN])
def test_a_second_ctrl_c_does_not_wait_for_a_target_that_is_gone(bench, at_first):
    """A shell script has those that it starts in the background ignore it, until they say what they do with it."""
    station = bench.started(*bench.station("vanishes"))
    before = signal.signal(signal.SIGINT, at_first)
    try:
        running = bench.campaign("--wait", 600)
    finally:
        signal.signal(signal.SIGINT, before)
    bench.until((bench.folder / "vanished").exists, lambda: running.text)
    running.process.send_signal(signal.SIGINT)
    bench.until(lambda: "once more stops at once" in running.text, lambda: running.text)
    running.process.send_signal(signal.SIGINT)
    done = bench.end(running)
    assert done.code == 130, done.shown
    assert "what was found so far is saved" in done.shown

    station.end()
    later = bench.resumed()
    assert (later.code, later.outcome["cases"]) == (0, CASES), later.shown
