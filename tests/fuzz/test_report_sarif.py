"""SARIF is valid by the official schema whatever a target said, and names each finding once."""

import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, strategies as st

from fuzz.records import Severity
from fuzz.report import sarif as module
from fuzz.report.codequality import code_quality
from fuzz.report.results import Place, Status
from fuzz.report.sarif import MAX_BYTES, sarif, uri
from fuzz.testing import HOSTILE, results

SCHEMA = Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json"
VALIDATOR = jsonschema_rs.validator_for(
    json.loads(SCHEMA.read_text("utf-8")), validate_formats=True
)


def run_of(text: str) -> dict:
    log = json.loads(text)
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    return run


def strings(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [s for inside in value.values() for s in strings(inside)]
        case list():
            return [s for inside in value for s in strings(inside)]
        case _:
            return []


@given(st.text(st.characters(codec=None)))
def test_any_text_of_a_target_leaves_a_valid_log(text):
    run = run_of(sarif(results(text, accepted=text)))
    seen = {unicodedata.category(c) for s in strings(run) for c in s if c != "\n"}
    assert not seen & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_valid_and_short(text):
    run = run_of(sarif(results(text)))
    assert max(map(len, strings(run))) < 20_000


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"),
        ("\\[x](//a)", "\\\\\\[x\\](//a)"),
        ("c:\\temp", "c:\\temp"),
    ],
)
def test_no_text_becomes_a_link(said, shown):
    message = run_of(sarif(results(said)))["results"][0]["message"]["text"]
    assert message.startswith(f"process-death (O1) on {shown}: ")


def test_a_finding_is_a_result_with_its_rule_its_place_and_its_fingerprint():
    run = run_of(sarif(results("boom")))
    (result,) = run["results"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("O1", 0, "error")
    assert result["partialFingerprints"] == {"ocppfuzz/v1": "1a2b3c4d5e6f7081"}
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "findings/O1-1a2b3c4d/boom"},
        "region": {"startLine": 3},
    }
    assert result["message"]["text"].endswith(" Replay: ocppfuzz replay boom")
    assert rule["help"]["text"] == "It lives.\n\nFix it.\n\nRests on: FR.03."
    assert rule["properties"] == {
        "tags": ["security", "ocpp", "external/cwe/cwe-248"],
        "precision": "very-high",
        "security-severity": "9.5",
    }


def test_a_finding_in_no_repository_is_located_where_its_target_is_configured():
    made = replace(results("boom"), config=Place("ocppfuzz.toml", 7))
    (result,) = run_of(sarif(made))["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "ocppfuzz.toml"},
        "region": {"startLine": 7},
    }
    (entry,) = json.loads(code_quality(made))
    assert entry["location"] == {"path": "ocppfuzz.toml", "lines": {"begin": 7}}


def test_who_was_attacked_is_the_first_thing_in_the_run():
    first = next(iter(run_of(sarif(results("x")))["properties"].items()))
    assert first[0] == "attacked"
    assert first[1].startswith("Charging Station x x")


@pytest.mark.parametrize(
    ("severity", "level", "score"),
    [
        (Severity.INFO, "note", "0.1"),
        (Severity.LOW, "note", "2.0"),
        (Severity.MEDIUM, "warning", "5.0"),
        (Severity.HIGH, "error", "8.0"),
        (Severity.CRITICAL, "error", "9.5"),
    ],
)
def test_the_level_follows_the_severity(severity, level, score):
    made = results()
    failed = next(c for c in made.checks if c.status is Status.FAILED)
    mild = replace(failed, issues=(replace(failed.issues[0], severity=severity),))
    run = run_of(sarif(replace(made, checks=(mild,))))
    rule = run["tool"]["driver"]["rules"][0]
    assert run["results"][0]["level"] == rule["defaultConfiguration"]["level"] == level
    assert rule["properties"]["security-severity"] == score


def test_remarks_are_no_results_and_rules_that_kept_silent_are_not_listed():
    made = results()
    quiet = replace(made, checks=tuple(c for c in made.checks if c.status is not Status.FAILED))
    run = run_of(sarif(quiet))
    assert run["results"] == run["tool"]["driver"]["rules"] == []
    assert run["properties"]["checks"]["remark"] == 1


def test_an_accepted_finding_is_suppressed_with_its_reason():
    (result,) = run_of(sarif(results(accepted="until the next release")))["results"]
    assert result["suppressions"] == [
        {"kind": "external", "justification": "until the next release"}
    ]
    assert "suppressions" not in run_of(sarif(results()))["results"][0]


def test_a_run_that_proves_nothing_says_so():
    (invocation,) = run_of(sarif(replace(results("gone"), exit_code=3)))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 3)
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "gone"


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("findings/O1-1a/case.json", "findings/O1-1a/case.json"),
        ("a b/ü:[x].json", "a%20b/%C3%BC%3A%5Bx%5D.json"),
        ("/tmp/f/case.json", "file:///tmp/f/case.json"),
        ("", "."),
    ],
)
def test_a_place_is_a_uri(path, written):
    assert uri(Place(path)) == written


@pytest.mark.slow
def test_the_worst_are_kept_below_what_github_takes_and_the_cut_is_told(monkeypatch):
    made = results("x" * 2_000)
    failed = next(c for c in made.checks if c.status is Status.FAILED)
    many = tuple(
        replace(failed.issues[0], fingerprint=f"{n:04}", severity=Severity(n % 5))
        for n in range(4_000)
    )
    text = sarif(replace(made, checks=(replace(failed, issues=many),)))
    run = run_of(text)
    assert len(text.encode()) <= MAX_BYTES
    assert len(run["results"]) < 4_000
    assert {r["properties"]["severity"] for r in run["results"]} <= {"critical", "high", "medium"}
    told = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert (
        told
        == f"{4_000 - len(run['results']):,} findings are left out, for this file would be too large"
    )
    monkeypatch.setattr(module, "MAX_RESULTS", 7)
    assert len(run_of(sarif(replace(made, checks=(replace(failed, issues=many),))))["results"]) == 7
