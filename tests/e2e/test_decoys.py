"""Decoys: a station that is odd but within its rights is not reported."""

import pytest

# Slow answers, and reboots that take three seconds more, leave time for fewer cases.
DECOYS = {
    "D-1": 2_000,
    "D-2": 2_000,
    "D-3": 2_000,
    "D-4": 2_000,
    "D-5": 400,
    "D-6": 800,
    "D-8": 2_000,
    "D-10": 2_000,
}


@pytest.mark.parametrize(("decoy", "cases"), DECOYS.items())
def test_a_lawful_oddity_is_no_finding(decoy, cases, ocppfuzz):
    budget = ("--seed", 1, "--max-cases", cases, "--max-time", 100)
    budget += ("--phases", "replay,systematic,generated")
    ended = ocppfuzz("run", "--decoy", decoy, *budget, "--json")
    assert ended.code == 0, ended.err
    assert ended.json["findings"] == []
    assert ended.json["cases"] >= cases
    assert ended.json["answers"]["CALLRESULT"] > 50
    assert "died" not in ended.json["answers"]
