"""JUnit is valid XML whatever a target said, and a check is a test case."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from fuzz.report import junit as module
from fuzz.report.junit import MAX_BYTES, VERDICT, junit
from fuzz.report.results import Check, Status
from fuzz.testing import HOSTILE, results


def suite(text: str) -> ET.Element:
    found = ET.fromstring(text).find("testsuite")
    assert found is not None
    return found


def cases(text: str) -> dict[str, ET.Element]:
    return {case.attrib["name"]: case for case in suite(text).iter("testcase")}


def check(name: str, status: Status = Status.PASSED, reason: str = "") -> Check:
    return Check("O1", "process-death", name, status, reason=reason)


@given(st.text(st.characters(codec=None)))
def test_any_text_of_a_target_leaves_valid_xml(text):
    told = junit(results(text))
    assert ET.fromstring(told.encode()).attrib["failures"] == "1"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_leaves_the_same_elements_as_harmless_text(text):
    hostile, harmless = (ET.fromstring(junit(results(t)).encode()) for t in (text, "x"))
    assert [e.tag for e in hostile.iter()] == [e.tag for e in harmless.iter()]


@pytest.mark.slow
def test_a_text_of_100_mb_is_cut_at_2_kb():
    told = junit(results("\x1b" * 100_000_000))
    longest = max(
        len(part or "") for e in ET.fromstring(told).iter() for part in [e.text, *e.attrib.values()]
    )
    assert longest < 20_000
    assert "(cut, 100,000,000 characters)" in told


def test_who_was_attacked_comes_first():
    first, second = list(suite(junit(results("x"))).iter("property"))[:2]
    assert first.attrib["name"] == "attacked"
    assert first.attrib["value"].startswith("Charging Station x x, firmware x")
    assert second.attrib["value"] == "This is not an OCA certification result."


def test_each_status_is_told_in_its_own_way():
    told = cases(junit(results("why")))
    assert told["passed: why"].find("*") is None
    assert told["remark: why"].findtext("system-out") == "remark: why"
    skipped = [told[f"{s}: why"].find("skipped") for s in ("not run", "inconclusive")]
    assert [s.attrib["message"] for s in skipped] == ["why", "inconclusive: why"]
    assert {
        k: suite(junit(results())).attrib[k] for k in ("tests", "failures", "skipped", "errors")
    } == {
        "tests": "6",
        "failures": "1",
        "skipped": "2",
        "errors": "0",
    }


def test_a_failure_holds_what_happened_and_how_to_see_it_again():
    case = cases(junit(results("boom")))["failed: boom"]
    failure = case.find("failure")
    assert case.attrib["classname"] == "ocppfuzz.run.process-death"
    assert case.attrib["file"] == "findings/O1-1a2b3c4d/boom"
    assert failure.attrib == {
        "message": "process-death (O1) on boom: boom. Wrong with it: boom. Sent: boom. Expected: boom.",
        "type": "critical",
    }
    lines = failure.text.splitlines()
    assert lines[0] == "boom"
    assert lines[-1] == "Replay: ocppfuzz replay boom"
    assert "Fingerprint: 1a2b3c4d5e6f7081" in lines


@pytest.mark.parametrize(("code", "errors"), [(0, "0"), (1, "0"), (3, "1"), (130, "1")])
def test_a_run_that_proves_nothing_is_an_error_and_never_green(code, errors):
    told = junit(replace(results("gone"), checks=(), exit_code=code))
    assert suite(told).attrib["errors"] == errors
    assert (cases(told)[VERDICT].find("error") is not None) == (errors == "1")


def test_where_there_is_no_room_those_that_failed_are_kept_and_the_cut_is_told(monkeypatch):
    monkeypatch.setattr(module, "MAX_CASES", 2)
    made = results()
    failed = next(c for c in made.checks if c.status is Status.FAILED)
    told = junit(replace(made, checks=(check("a"), check("b"), check("c"), failed)))
    assert list(cases(told)) == [VERDICT, "a", "failed: it ended"]
    cut = {p.attrib["name"]: p.attrib["value"] for p in suite(told).iter("property")}["cut"]
    assert cut == "2 test cases are left out, for this file would be too large"


def test_many_long_failures_stay_below_what_gitlab_takes():
    made = results("x" * 2_000)
    failed = next(c for c in made.checks if c.status is Status.FAILED)
    many = tuple(replace(failed, name=f"{n}") for n in range(3_000))
    told = junit(replace(made, checks=many))
    assert len(told.encode()) <= MAX_BYTES + 100
    assert len(cases(told)) == 1_501
