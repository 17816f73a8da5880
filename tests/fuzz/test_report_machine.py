"""The outcome for programs is one line of JSON."""

import json
from pathlib import Path

from fuzz.records import (
    Basis,
    Case,
    Finding,
    FindingStatus,
    RemarkReported,
    Severity,
    Side,
    Summary,
    TargetFacts,
    Violation,
)
from fuzz.report.machine import summary_json
from strategies.labels import Expectation, Stance, Tier


def test_the_outcome_holds_what_a_program_decides_on():
    violation = Violation("O1", "process-death", Basis.LEAK, Severity.HIGH, "exit 1", "it \ud800")
    case = Case("x", Side.STATION, (), Expectation(Stance.REJECT, Tier.RPC), action="Reset")
    facts = TargetFacts(Side.STATION, url="ws://x", identity="CS-1")
    finding = Finding("1a2b3c4d5e6f7081", violation, case, case, facts, FindingStatus.CONFIRMED)
    summary = Summary(
        facts,
        seed=7,
        cases=2,
        elapsed_s=1.23456,
        findings=(finding,),
        remarks=(RemarkReported(violation, "x", 4),),
        inconclusive=1,
        answers={"silence": 2},
        coverage={"sites": (1, 2)},
        left_changed=("x",),
        unavailable=(),
        exit_code=1,
        disturbed={"it poured": 1},
    )
    text = summary_json(summary, Path("findings"))
    assert text.isascii()
    assert "\n" not in text
    value = json.loads(text)
    assert value["exit_code"] == 1
    assert (value["inconclusive"], value["disturbed"]) == (1, {"it poured": 1})
    assert value["coverage"] == {"sites": {"reached": 1, "total": 2}}
    assert value["findings"] == [
        {
            "action": "Reset",
            "basis": "leak",
            "attacker": "on the path between station and CSMS",
            "endangers": ["TC_B_20", "TC_B_21", "TC_B_22", "TC_B_23"],
            "exchanges": 0,
            "score": 5.9,
            "vector": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N",
            "fingerprint": "1a2b3c4d5e6f7081",
            "folder": "findings/O1-1a2b3c4d",
            "name": "process-death",
            "not_minimal": "",
            "oracle": "O1",
            "severity": "high",
            "status": "confirmed",
            "text": "it \ud800",
        }
    ]
    assert value["remarks"] == [{"count": 4, "name": "process-death", "oracle": "O1"}]
