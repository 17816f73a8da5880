"""GitLab's Code Quality report has the members that GitLab reads, and its five severities."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from fuzz.records import Severity
from fuzz.report import codequality as module
from fuzz.report.codequality import code_quality
from fuzz.report.results import Status
from fuzz.testing import HOSTILE, results


def with_severity(severity: Severity):
    made = results()
    failed = next(c for c in made.checks if c.status is Status.FAILED)
    issue = replace(failed.issues[0], severity=severity)
    return replace(made, checks=(replace(failed, issues=(issue,)),))


def test_a_finding_is_an_entry_at_its_case_that_says_who_was_attacked():
    (entry,) = json.loads(code_quality(results("boom")))
    description = entry.pop("description")
    assert description.startswith(
        "process-death (O1) on boom: Boom. Attacked: Charging Station boom boom, firmware boom"
    )
    assert entry == {
        "check_name": "O1",
        "fingerprint": "1a2b3c4d5e6f7081",
        "severity": "blocker",
        "location": {"path": "findings/O1-1a2b3c4d/boom", "lines": {"begin": 3}},
    }


@pytest.mark.parametrize(
    ("severity", "told"),
    [
        (Severity.INFO, "info"),
        (Severity.LOW, "minor"),
        (Severity.MEDIUM, "major"),
        (Severity.HIGH, "critical"),
        (Severity.CRITICAL, "blocker"),
    ],
)
def test_severities_are_gitlabs(severity, told):
    assert json.loads(code_quality(with_severity(severity)))[0]["severity"] == told


@given(st.text(st.characters(codec=None)))
def test_any_text_of_a_target_leaves_json_without_lone_surrogates(text):
    told = json.loads(code_quality(results(text)))
    assert len(told) == 1
    json.dumps(told, ensure_ascii=False).encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_ascii_and_short(text):
    told = code_quality(results(text))
    assert told.isascii()
    assert len(told) < 20_000


def test_without_open_findings_the_list_is_empty():
    assert json.loads(code_quality(results(accepted="known"))) == []


def test_what_is_left_out_is_told_by_the_last_entry(monkeypatch):
    monkeypatch.setattr(module, "MAX_ENTRIES", 1)
    made = results()
    failed = next(c for c in made.checks if c.status is Status.FAILED)
    two = (failed.issues[0], replace(failed.issues[0], fingerprint="2"))
    (entry,) = json.loads(code_quality(replace(made, checks=(replace(failed, issues=two),))))
    assert entry["description"].endswith(
        "(1 more findings are left out, for this file would be too large)"
    )
