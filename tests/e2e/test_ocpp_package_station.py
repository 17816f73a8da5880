"""A campaign against a station made of a package that we did not write: what is wrong is found, and nothing else."""

import json
from pathlib import Path

import pytest

FLAGS = ("--security-profile", 0, "--identity", "PLAIN")
SAME = {"payload/growth": "text/number"}
"""A number that grows is cut short to one that is too long."""

MESSAGES = ("send-text", "send-bytes", "send-frames", "ask", "answer-next", "repeat")


def mutation_class(finding: dict, folder: Path) -> str:
    case = json.loads((folder / finding["folder"] / "case.json").read_text("utf-8"))
    return "{channel}/{keyword}".format(**case["mutations"][0])


@pytest.fixture
def attacked(ocppfuzz, port, ocpp_station):
    target = ("--listen", f"127.0.0.1:{port}", *FLAGS, "--start-cmd", ocpp_station)
    budget = ("--phases", "systematic", "--max-time", 60, "--seed", 1)
    return target, ocppfuzz("run", *target, *budget, "--json")


def test_exactly_the_messages_that_cost_it_the_connection_are_findings_and_can_be_replayed(
    attacked, ocppfuzz, tmp_path
):
    target, campaign = attacked
    assert campaign.code == 1, campaign.err
    outcome = campaign.json

    assert outcome["attacked"]["vendor"] == "nobody"
    assert {f["status"] for f in outcome["findings"]} == {"confirmed"}
    # Besides what ends the connection, only answers that are several times as long as what they answer.
    assert {f["oracle"] for f in outcome["findings"]} <= {"O1", "O3", "O22"}
    killers = [f for f in outcome["findings"] if f["oracle"] != "O22"]
    assert sorted(mutation_class(f, tmp_path) for f in killers) == [
        "envelope/action",
        "text/depth",
        "text/number",
    ]

    remarks = {remark["oracle"] for remark in outcome["remarks"]}
    # Silence, an echoed id, leniency and, as it reads the schemas by Draft 4, a refused 1.0; and, where it died, the traceback
    # in what it wrote.
    assert remarks - {"O30"} == {"O4", "O7", "O8", "O9"}
    assert outcome["answers"]["silence"] > 50
    assert outcome["answers"]["CALLRESULT"] > 100
    for table in ("boundaries", "violations"):
        assert outcome["coverage"][table]["reached"] == outcome["coverage"][table]["total"] > 200
    assert outcome["blocked"], "what killed it three times is sampled from then on"

    again = ocppfuzz("replay", "findings", *target, "--json")
    played = [json.loads(line) for line in again.out.splitlines()]
    assert [one["outcome"] for one in played] == ["reproduced"] * len(outcome["findings"])
    assert again.code == 1


def messages(finding: dict, folder: Path) -> int:
    """How many messages, or repetitions of one, the smallest case needs."""
    case = json.loads((folder / finding["folder"] / "case.json").read_text("utf-8"))
    return sum(step["do"] in MESSAGES for step in case["steps"])


def test_all_phases_together_find_each_defect_once_and_blame_it_for_nothing_that_it_has_not(
    ocppfuzz, port, ocpp_station, tmp_path
):
    target = ("--listen", f"127.0.0.1:{port}", *FLAGS, "--start-cmd", ocpp_station)
    campaign = ocppfuzz("run", *target, "--max-time", 70, "--seed", 1, "--json")
    assert campaign.code == 1, campaign.err
    outcome = campaign.json
    findings = outcome["findings"]

    assert {f["status"] for f in findings} == {"confirmed"}
    # Messages that cost it the connection; answers that nobody asked for are kept.
    assert {f["oracle"] for f in findings} <= {"O3", "O20"}
    killers = [f for f in findings if f["oracle"] == "O3"]
    # Whichever phase comes upon a defect first, none of them is a finding twice.
    rules = [SAME.get(rule := mutation_class(f, tmp_path), rule) for f in killers]
    assert len(rules) == len(set(rules)) >= 2
    assert set(rules) <= {"envelope/action", "text/depth", "text/number"}
    assert len([f for f in findings if f["oracle"] == "O20"]) <= 1
    assert {messages(f, tmp_path) for f in killers} == {1}

    # It makes no CALL when it is told to, and never resets: that is not asked for over and over, and told.
    for table in ("frames", "scenarios", "injection", "twins"):
        assert outcome["coverage"][table]["reached"] > 0, table
    assert any("answers to Heartbeat" in told for told in outcome["unreached"])

    again = ocppfuzz("replay", *(f["folder"] for f in findings), *target, "--json")
    played = [json.loads(line) for line in again.out.splitlines()]
    assert [one["outcome"] for one in played] == ["reproduced"] * len(findings)
