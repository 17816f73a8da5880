"""A campaign against a station made of a package that we did not write: what is wrong is found, and nothing else."""

import json
from pathlib import Path

import pytest

FLAGS = ("--security-profile", 0, "--identity", "PLAIN")


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
    # Silence, an echoed id and leniency; and, where it died, the traceback in what it wrote.
    assert remarks - {"O30"} == {"O4", "O7", "O8"}
    assert outcome["answers"]["silence"] > 50
    assert outcome["answers"]["CALLRESULT"] > 100
    for table in ("boundaries", "violations"):
        assert outcome["coverage"][table]["reached"] == outcome["coverage"][table]["total"] > 200
    assert outcome["blocked"], "what killed it three times is sampled from then on"

    again = ocppfuzz("replay", "findings", *target, "--json")
    played = [json.loads(line) for line in again.out.splitlines()]
    assert [one["outcome"] for one in played] == ["reproduced"] * len(outcome["findings"])
    assert again.code == 1
