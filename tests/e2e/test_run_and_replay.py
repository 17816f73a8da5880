"""`ocppfuzz run` without a target, as a user meets it first: clean, complete, stoppable, resumable."""

import json
import shlex
import signal
import sys
from pathlib import Path

import pytest

TABLES = ("--phases", "replay,systematic")
OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")


@pytest.mark.parametrize("profile", [1, 2, 3])
def test_the_reference_station_passes_with_every_table_reached(
    ocppfuzz, profile, small_corpus, tmp_path
):
    # Scenes would take the time of the tables.
    corpus = ("--corpus", small_corpus("valid/*", "device-model/*"))
    budget = ("--max-time", 90, "--security-profile", profile)
    campaign = ocppfuzz("run", *TABLES, *corpus, *budget, "--json")
    assert campaign.code == 0, campaign.err
    outcome = campaign.json
    assert outcome["exit_code"] == 0
    assert outcome["findings"] == outcome["remarks"] == outcome["left_changed"] == []
    assert outcome["attacked"]["security_profile"] == profile
    assert outcome["attacked"]["url"].startswith("ws://" if profile == 1 else "wss://")
    actions = outcome["coverage"].pop("actions")
    assert actions["reached"] == actions["total"] > 15
    assert outcome["coverage"].keys() == {"boundaries", "violations", "envelopes and texts"}
    for table in outcome["coverage"].values():
        assert table["reached"] == table["total"] > 200
    assert "NO FINDING" in campaign.err
    assert {path.name for path in tmp_path.iterdir()} == {"corpus", "findings"}


def test_what_stdout_holds_without_json_begins_with_the_target_and_ends_with_the_next_command(
    ocppfuzz,
):
    campaign = ocppfuzz("run", "--max-cases", 40, "--seed", 7, "--phases", "systematic")
    assert (campaign.code, campaign.err) == (0, "")
    lines = campaign.out.splitlines()
    assert any(line.startswith("Attacking: Charging Station ocppfuzz-lab") for line in lines[:3])
    assert "NO FINDING: 40 cases" in campaign.out
    assert "This is not an OCA certification result." in lines
    assert lines[-1].startswith("Next: ocppfuzz run ")


@pytest.mark.parametrize("target", [(), ("--listen", "127.0.0.1:9000")])
def test_a_plan_sends_nothing_and_leaves_nothing(ocppfuzz, target, tmp_path):
    plan = ocppfuzz("run", "--plan", *target)
    assert (plan.code, plan.err) == (0, "")
    assert "nothing was sent" in plan.out
    assert "systematic" in plan.out
    rows = ocppfuzz("run", "--plan", "--json", *target).json["rows"]
    assert [row["phase"] for row in rows][:2] == ["replay", "systematic"]
    assert rows[1]["cases"] > 1_000
    assert list(tmp_path.iterdir()) == []


def test_a_phase_alone_is_a_campaign(ocppfuzz):
    campaign = ocppfuzz("run", "--phases", "generated", "--max-cases", 1_000, "--json")
    assert campaign.code == 0, campaign.err
    assert campaign.json["cases"] == 1_000
    assert campaign.json["answers"]["CALLRESULT"] > 0


def outcomes(text: str) -> set[str]:
    return {json.loads(line)["outcome"] for line in text.splitlines()}


def test_a_station_that_dies_of_a_finding_and_stays_dead_reproduces_it_and_is_told_of_at_once(
    ocppfuzz, started, until, own_station, port
):
    flags = ("--phases", "systematic", "--only", "GetVariables", "--seed", 1, "--fail-fast")
    campaign = ocppfuzz("run", "--defect", "P01", *flags, "--json")
    folder = campaign.json["findings"][0]["folder"]
    listen = ("--listen", f"127.0.0.1:{port}", "--identity", "CS-1", "--security-profile", 1)
    never = ocppfuzz("replay", folder, *listen, "--wait", 0.2)
    assert never.code == 3
    assert never.out.splitlines()[-1].startswith(f"not run     {folder}: no station connected")

    running = started(OCPPFUZZ, "replay", folder, *listen, "--wait", 6)
    until(lambda: "PLEASE DO: identity: CS-1" in running.text, lambda: running.text)
    words = ("--identity", "CS-1", "--defect", "P01")
    started(*own_station(f"ws://localhost:{port}/ocpp", *words))
    assert running.process.wait(60) == 1
    told = running.text.splitlines()
    assert "the target is away; it is waited for, 6 s at most" in told
    assert told[-1].startswith(f"reproduced  {folder}: process-death (O1): exit 70; now it ended")


def test_findings_of_a_planted_defect_are_reproduced_until_it_is_mended(ocppfuzz, tmp_path):
    flags = ("--phases", "systematic", "--only", "GetVariables", "--max-time", 40, "--seed", 1)
    campaign = ocppfuzz("run", "--defect", "P01", *flags, "--json")
    assert campaign.code == 1, campaign.err
    findings = campaign.json["findings"]
    assert {f["name"] for f in findings} == {"process-death"}
    report = (tmp_path / findings[0]["folder"] / "REPORT.md").read_text("utf-8")
    assert report.startswith("Attacked: `Charging Station ocppfuzz-lab")

    broken = ocppfuzz("replay", "findings", "--defect", "P01", "--json")
    assert (broken.code, outcomes(broken.out)) == (1, {"reproduced"}), broken.err
    mended = ocppfuzz("replay", "findings", "--json")
    assert (mended.code, outcomes(mended.out)) == (0, {"fixed"}), mended.err


def test_ctrl_c_ends_with_a_summary_and_the_campaign_is_resumed(ocppfuzz, started, until, tmp_path):
    flags = ("--phases", "systematic,generated", "--exclude", "Reset")
    running = started(OCPPFUZZ, "run", "--max-time", 60, "--seed", 5, *flags)
    until(lambda: "phase generated" in running.text, lambda: running.text)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(20) == 0
    assert "Ended: stopped by Ctrl-C" in running.text
    following = running.text.splitlines()[-1]
    assert following.startswith("Next: ocppfuzz run --resume --phases systematic,generated")
    assert "Traceback" not in running.text
    (before,) = (
        json.loads(path.read_text("utf-8"))["counts"]["cases"]
        for path in (tmp_path / "findings" / ".campaign").glob("state.json")
    )

    command = shlex.split(following.removeprefix("Next: ocppfuzz "))
    resumed = ocppfuzz(*command, "--max-time", 6, "--json")
    assert resumed.code == 0, resumed.err
    assert resumed.json["seed"] == 5
    assert resumed.json["cases"] > before
    assert resumed.json["answers"]["CALLRESULT"] > 0
