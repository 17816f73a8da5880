"""A campaign against a strict station in another language: next to nothing is found, and what is found is true."""

import json

FLAGS = ("--security-profile", 0, "--identity", "STRICT")
MOST_OF_A_DESCRIPTION = 255


def test_the_only_finding_in_a_strict_station_is_a_description_that_is_really_too_long(
    ocppfuzz, port, rpc_station, tmp_path
):
    target = ("--listen", f"127.0.0.1:{port}", *FLAGS, "--start-cmd", rpc_station)
    budget = ("--phases", "systematic", "--max-time", 60, "--seed", 1)
    campaign = ocppfuzz("run", *target, *budget, "--json")
    assert campaign.code == 1, campaign.err
    outcome = campaign.json

    assert outcome["attacked"]["model"] == "strict"
    assert outcome["answers"]["CALLRESULT"] > 100
    assert outcome["coverage"].pop("actions")["total"] > 0
    for table in outcome["coverage"].values():
        assert table["reached"] == table["total"] > 200
    assert [(f["oracle"], f["severity"]) for f in outcome["findings"]] == [("O7", "low")]
    folder = tmp_path / outcome["findings"][0]["folder"]
    entries = (folder / "transcript.ndjson").read_text("utf-8").splitlines()
    answers = [e["text"] for e in map(json.loads, entries) if e["who"] == "target"]
    assert len(json.loads(answers[-1])[3]) > MOST_OF_A_DESCRIPTION

    again = ocppfuzz("replay", folder, *target)
    assert again.code == 1, again.err
    assert again.out.splitlines()[-1].startswith("reproduced")


def test_all_phases_together_find_no_more_and_start_it_again_when_it_gives_up(
    ocppfuzz, port, rpc_station, tmp_path
):
    target = ("--listen", f"127.0.0.1:{port}", *FLAGS, "--start-cmd", rpc_station)
    campaign = ocppfuzz("run", *target, "--max-time", 60, "--seed", 1, "--json")
    assert campaign.code == 1, campaign.err
    outcome = campaign.json

    assert [(f["oracle"], f["severity"], f["status"]) for f in outcome["findings"]] == [
        ("O7", "low", "confirmed")
    ]
    folder = tmp_path / outcome["findings"][0]["folder"]
    case = json.loads((folder / "case.json").read_text("utf-8"))
    assert [step["do"] for step in case["steps"]] == ["send-text"]
    for table in ("frames", "scenarios", "injection", "twins"):
        assert outcome["coverage"][table]["reached"] > 0, table

    again = ocppfuzz("replay", folder, *target)
    assert again.code == 1, again.err
    assert again.out.splitlines()[-1].startswith("reproduced")
