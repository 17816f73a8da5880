"""Each conformance test is a check under its own id."""

import pytest

from fuzz.app import conforming
from fuzz.app.conformance_results import ConformanceHarvest, rule_of_test
from fuzz.app.reporting import Desk
from fuzz.config import RunOptions
from fuzz.conformance.catalogue import catalogue
from fuzz.conformance.runner import Result, Verdict
from fuzz.csms.facts import BootFacts
from fuzz.pics.loading import load_pics
from fuzz.report.abstract import Abstract
from fuzz.report.results import Place, Status

IDS = ("TC_B_01", "TC_B_11", "TC_B_12")
BOOT = BootFacts("v", "m", "1.0", "S-1")
PICS = load_pics("dc-2evse-ccs1")


@pytest.fixture
def harvest(tmp_path, monkeypatch) -> ConformanceHarvest:
    monkeypatch.chdir(tmp_path)
    planned = conforming.plan(PICS, IDS)
    return ConformanceHarvest(Desk("conformance", RunOptions(), "--defect P20"), planned)


def test_a_failed_test_is_a_finding_with_the_command_that_plays_it(harvest):
    harvest.add(
        [
            Result("TC_B_01", Verdict.PASSED, 3, 1.0, judgements=("j", "j"), boot=BOOT),
            Result("TC_B_11", Verdict.FAILED, 3, 2.0, "came: x"),
            Result("TC_B_12", Verdict.NOT_RUN, 3, 0.0, "nobody there"),
        ]
    )
    harvest.exit_code = 1
    made = harvest.results(None)
    assert [(c.name, c.status, c.reason) for c in made.checks] == [
        ("TC_B_01", Status.PASSED, ""),
        ("TC_B_11", Status.FAILED, "came: x"),
        ("TC_B_12", Status.NOT_RUN, "nobody there"),
    ]
    (issue,) = made.issues
    assert issue.replay == "ocppfuzz conformance TC_B_11 --defect P20"
    assert issue.place == Place("ocppfuzz.toml")
    assert (made.facts.vendor, made.facts.identity, made.exit_code) == ("v", "S-1", 1)
    assert made.notes == ("TC_B_01: j",)


def test_equal_failures_have_equal_fingerprints_whatever_came(harvest):
    marks = set()
    for text in ("came: 1", "came: 2"):
        harvest.add([Result("TC_B_11", Verdict.FAILED, 3, 2.0, text)])
        marks |= {issue.fingerprint for issue in harvest.results(None).issues}
    assert len(marks) == 1


def test_an_interrupted_run_names_the_tests_that_never_came(harvest):
    harvest.told(Result("TC_B_01", Verdict.PASSED, 3, 1.0))
    made = harvest.results(KeyboardInterrupt())
    assert made.exit_code == 130
    assert [c.reason for c in made.checks] == ["", *["the run ended before it"] * 2]


def test_what_does_not_apply_is_told_where_everything_was_asked_for():
    planned = conforming.plan(PICS, ())
    made = ConformanceHarvest(Desk("conformance", RunOptions()), planned).results(None)
    assert len(made.checks) == len(catalogue())
    reasons = {c.name: c.reason for c in made.checks}
    assert reasons["TC_B_25"] == planned.not_applicable["TC_B_25"]


def test_the_outcome_keeps_the_abstract_for_programs(harvest):
    harvest.told(Result("TC_B_01", Verdict.PASSED, 3, 1.0))
    harvest.abstract = Abstract({"Model": "m"}, (), (), (), (), 1.0)
    details = harvest.results(None).details
    assert details["abstract"]["subject"] == {"Model": "m"}
    assert details["tests"][0]["verdict"] == "passed"


def test_the_rule_of_a_test_is_what_its_script_says():
    entry = next(e for e in catalogue() if e.id == "TC_B_11")
    rule = rule_of_test(entry)
    assert (rule.id, rule.name) == ("TC_B_11", entry.title)
    assert rule.help.startswith(rule.text)
