"""A finding is told with its rule's own text, where it lies, and how it is played again."""

from pathlib import Path

import pytest

from fuzz.oracles.registry import oracle_named, violation
from fuzz.records import Basis, Finding, FindingStatus, Severity, Side, TargetFacts, TlsStep
from fuzz.report.issues import (
    case_place,
    finding_folder,
    issue_of,
    relative,
    replay_command,
    rule_of,
    tls_ids,
)
from fuzz.report.results import Place
from fuzz.testing import case
from tlslab.registry import all_cases

FACTS = TargetFacts(Side.STATION, security_profile=2)


def finding(oracle: str = "O1", **changes: object) -> Finding:
    broken = violation(oracle, Basis.STOPPED_SERVING, Severity.HIGH, "exit 1", "it ended")
    played = case(action="Reset", **changes)
    return Finding(
        "1a2b3c4d5e6f7081",
        broken,
        played,
        played,
        FACTS,
        FindingStatus.CONFIRMED,
        confirmed=3,
        tries=3,
        control_tries=3,
    )


def test_a_finding_is_told_with_all_that_is_known_of_it():
    issue = issue_of(finding(), Place("c.json"), "ocppfuzz replay c", "c")
    assert (issue.rule, issue.title) == ("O1", "process-death (O1) on Reset")
    assert issue.certainty == "reproduced 3 of 3, control 0 of 3"
    assert issue.endangers == ("TC_B_20", "TC_B_21", "TC_B_22", "TC_B_23")
    assert issue.vector.startswith("CVSS:3.1/AV:N")
    assert (issue.cwe, issue.basis, issue.folder) == ("CWE-248", "stopped-serving", "c")


def test_the_rule_of_an_oracle_holds_its_whole_text():
    rule = rule_of(finding("O4"))
    assert rule.help == oracle_named("O4").explain
    assert rule.help.startswith(rule.text)


def test_the_rule_of_a_handshake_is_its_case_of_the_lab():
    stored = finding(steps=[TlsStep("TS-31")])
    assert tls_ids(stored.case) == ("TS-31",)
    rule = rule_of(stored)
    assert (rule.id, rule.text) == ("TS-31", all_cases()["TS-31"].title)
    assert "A correct peer: refuse" in rule.help


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("findings/./O1-1a", "findings/O1-1a"),
        ("../elsewhere", "../elsewhere"),
        ("/elsewhere/x", "/elsewhere/x"),
    ],
)
def test_paths_are_relative_where_they_can_be(path, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert relative(Path(path)) == told
    assert relative(tmp_path / "f" / "x.json") == "f/x.json"


def test_the_place_of_a_finding_is_its_case_file():
    assert case_place(Path("findings/O1-1a")) == Place("findings/O1-1a/case.json")
    assert case_place(Path("corpus/schema/a.json")) == Place("corpus/schema/a.json")
    assert case_place(Path("O1-1a.zip")) == Place("O1-1a.zip")
    assert finding_folder(finding(), Path("f")) == "f/O1-1a2b3c4d"


def test_the_command_is_quoted_for_a_shell():
    assert replay_command("my f", "--defect P01") == "ocppfuzz replay 'my f' --defect P01"
    assert replay_command("f", "") == "ocppfuzz replay f"
