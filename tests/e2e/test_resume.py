"""A campaign that is killed loses nothing: candidates and the journal are on disk, and `--resume` goes on from there."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

CASES = 9_000
"""Enough for the stored cases, the whole systematic phase and some of the generated one."""

COMMAND = (
    Path(sys.executable).parent / "ocppfuzz",
    "run",
    "--seed",
    5,
    "--max-cases",
    CASES,
    "--phases",
    "replay,systematic,generated",
)


def state(folder):
    """The journal as it lies there; None before the first."""
    file = folder / "findings/.campaign/state.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else None


def findings(folder):
    """The findings that lie there, by the name of their folder."""
    return {
        f.parent.name: json.loads(f.read_text("utf-8"))
        for f in (folder / "findings").glob("O*/finding.json")
    }


def stations_of(pid):
    """The processes that a process has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return [int(child) for child in children if "fuzz.station" in command_of(int(child))]


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8")
    except OSError:
        return ""


@pytest.fixture(autouse=True)
def stored(small_corpus):
    """Stored cases that are soon played."""
    small_corpus("schema/*", "text/*")


@pytest.fixture
def killed(started, until, tmp_path):
    """Runs a campaign until something is so, and kills it; its station must be gone soon after."""

    def run(moment, *flags):
        campaign = started(*COMMAND, *flags)
        until(lambda: moment(tmp_path), lambda: campaign.text)
        stations = stations_of(campaign.process.pid)
        os.kill(campaign.process.pid, signal.SIGKILL)
        campaign.process.wait(10)
        assert stations or flags, "only a defect may have killed the station a moment before"
        for station in stations:
            until(lambda one=station: "fuzz.station" not in command_of(one), lambda: "still there")

    return run


def at_case(count):
    return lambda folder: (state(folder) or {"counts": {"cases": 0}})["counts"]["cases"] >= count


def candidate(folder):
    """A candidate lies there, and its confirmation has not ended."""
    return any(f["status"] == "candidate" for f in findings(folder).values())


def in_phase(phase):
    return lambda folder: (state(folder) or {}).get("phase") == phase


@pytest.mark.parametrize(
    "moment", [in_phase("replay"), at_case(300), at_case(1_200)], ids=["at-once", "early", "late"]
)
def test_a_killed_campaign_goes_on_where_it_stood(moment, killed, ocppfuzz, tmp_path):
    killed(moment)
    before = state(tmp_path)
    assert before["seed"] == 5
    assert findings(tmp_path) == {}

    ended = ocppfuzz(*COMMAND[1:], "--resume", "--json")
    assert ended.code == 0, ended.err
    outcome = ended.json
    assert (outcome["seed"], outcome["cases"]) == (5, CASES)
    assert sum(outcome["answers"].values()) == CASES - before["counts"]["cases"]
    for table in ("boundaries", "violations"):
        assert outcome["coverage"][table]["reached"] == outcome["coverage"][table]["total"] > 200


def test_a_candidate_outlives_the_kill_and_is_confirmed_first_thing(killed, ocppfuzz, tmp_path):
    killed(candidate, "--defect", "P19")
    left = findings(tmp_path)
    assert [f["status"] for f in left.values()].count("candidate") == 1
    assert state(tmp_path)["seed"] == 5

    ended = ocppfuzz(*COMMAND[1:], "--defect", "P19", "--max-time", 60, "--resume", "--json")
    assert ended.code == 1, ended.err
    assert {f["oracle"] for f in ended.json["findings"]} == {"O1"}
    after = findings(tmp_path)
    assert set(left) <= set(after)
    assert {f["status"] for f in after.values()} == {"confirmed"}


def test_a_finding_outlives_the_kill_and_is_not_looked_for_again(killed, ocppfuzz, tmp_path):
    killed(at_case(600), "--defect", "P05")
    left = findings(tmp_path)
    assert {f["status"] for f in left.values()} == {"confirmed"}

    ended = ocppfuzz(*COMMAND[1:], "--defect", "P05", "--resume", "--json")
    assert ended.code == 1, ended.err
    reported = {f["folder"].rpartition("/")[2] for f in ended.json["findings"]}
    assert set(left) <= reported
    after = findings(tmp_path)
    assert {name: after[name]["first_seen"] for name in left} == {
        name: left[name]["first_seen"] for name in left
    }


def test_ctrl_c_ends_a_campaign_in_order_and_it_can_go_on(started, until, ocppfuzz, tmp_path):
    campaign = started(*COMMAND)
    until(lambda: at_case(300)(tmp_path), lambda: campaign.text)
    campaign.process.send_signal(signal.SIGINT)
    assert campaign.process.wait(20) == 0, campaign.text
    assert "--resume" in campaign.text
    ended = ocppfuzz(*COMMAND[1:], "--resume", "--json")
    assert (ended.code, ended.json["cases"]) == (0, CASES), ended.err


def test_other_options_or_nothing_to_resume_are_usage_errors(killed, ocppfuzz, tmp_path):
    assert "nothing to resume" in ocppfuzz(*COMMAND[1:], "--resume").complains_once()
    killed(at_case(200))
    other = ocppfuzz("run", "--seed", 5, "--only", "Reset", "--resume")
    assert other.code == 2
    assert "other options" in other.complains_once()
