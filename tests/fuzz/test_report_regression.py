"""A build in words: the verdict first, then what fails it, then everything else, harmless whatever a target says."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fuzz.policy.failing import fail_on
from fuzz.policy.judgement import Policy, State, Visit, judge
from fuzz.policy.lock import Ahead
from fuzz.policy.quirks import Quirk
from fuzz.policy.regression import Regression
from fuzz.records import Severity
from fuzz.report.regression import regression_lines, regression_value
from fuzz.testing import accepted, finding, violation

NEW = finding()
OLD = accepted(NEW)
POLICY = Policy(fail_on("high"), date(2026, 6, 1))


def build(findings=(), visits=(), policy=POLICY, *, not_run=(), unproven="", **more) -> Regression:
    judgement = judge(
        findings,
        visits,
        policy,
        facts=NEW.facts,
        tool="ocppfuzz",
        not_run=not_run,
        unproven=unproven,
    )
    made = Regression(
        judgement,
        NEW.facts,
        "pr",
        None,
        {"passed": 3, "failed": 1},
        policy.ahead,
        baseline="known.json",
        lock="ocppfuzz.lock",
        seconds=4.0,
    )
    return replace(made, **more)


def text(made: Regression) -> str:
    return "\n".join(line.text for line in regression_lines(made, Path("findings")))


def test_a_build_that_passes_says_so_and_whom_it_attacked():
    lines = text(build()).splitlines()
    assert lines[0] == "BUILD PASSES: pr: 0 messages and 4 handshakes in 4 s."
    assert lines[1].startswith("Attacked: Charging Station Vendor Model, firmware 1.2")
    assert lines[2] == "This is not an OCA certification result."
    assert "Handshakes: 1 failed, 3 passed" in lines


def test_a_warning_stands_beside_the_verdict_and_is_harmless():
    made = build(warnings=("there is no baseline \x1b[2Jknown.json",))
    lines = text(made).splitlines()
    assert lines[3] == "warning: there is no baseline \\x1b[2Jknown.json"
    assert regression_value(made)["notes"] == ["there is no baseline \x1b[2Jknown.json"]


def test_a_new_finding_comes_first():
    shown = text(build([NEW]))
    assert shown.startswith("BUILD FAILS: 1 new finding. ")
    assert "HIGH     name-of-O4 (O4): silence was seen" in shown
    assert "findings/O4-ffffffff" in shown
    assert shown.endswith(
        """
Next: ocppfuzz explain findings/O4-ffffffff
      mend it, then: ocppfuzz replay findings/O4-ffffffff
      or accept it for a while: this build with --baseline known.json --update-baseline --reason 'ticket 12'"""
    )


def test_what_comes_next_meets_the_same_target():
    lines = regression_lines(build([NEW]), Path("findings"), "--start-cmd './a b'")
    again = [line.text for line in lines if "mend it" in line.text]
    assert again == [
        "      mend it, then: ocppfuzz replay findings/O4-ffffffff --start-cmd './a b'"
    ]


def test_a_stale_entry_says_how_it_is_removed():
    stale = [
        Visit(OLD, State.PASSED, 0, 3),
        Visit(accepted(finding(fingerprint="e" * 16)), State.PASSED, 0, 3),
    ]
    shown = text(build(visits=stale, policy=replace(POLICY, known=(OLD,))))
    assert shown.startswith("BUILD FAILS: 2 stale baseline entries. ")
    assert "STALE    O4-ffffffff name-of-O4 (O4): played 3 of 3 and passed" in shown
    assert "remove it from known.json, or run with --update-baseline" in shown


@pytest.mark.parametrize(
    ("policy", "found", "words"),
    [
        (
            replace(POLICY, known=(accepted(NEW, expires="2026-12-31"),)),
            NEW,
            ("Accepted:", "ticket 12, until 2026-12-31"),
        ),
        (
            replace(POLICY, known=(OLD,)),
            replace(NEW, fingerprint="0" * 16),
            ("Accepted:", "ticket 12; adds to O4-ffffffff"),
        ),
        (
            replace(POLICY, quirks=(Quirk("O4", "they know", vendor="Vendor"),)),
            NEW,
            ("Muted by a quirk:", "they know"),
        ),
        (
            replace(POLICY, ahead=Ahead(checks=frozenset({"O4"}))),
            NEW,
            ("Newer than the lock", "This version has more than ocppfuzz.lock:", "1 checks: O4"),
        ),
        (
            POLICY,
            finding(violation(severity=Severity.LOW)),
            ("Does not fail a build:", "below --fail-on high"),
        ),
    ],
)  # fmt: skip
def test_what_does_not_fail_a_build_is_listed_with_its_reason(policy, found, words):
    shown = text(build([found], policy=policy))
    assert shown.startswith("BUILD PASSES")
    for word in words:
        assert word in shown


def test_an_entry_without_a_verdict_is_listed():
    visits = [Visit(OLD, State.NOT_ASKED, why="one killer a run")]
    shown = text(build(visits=visits, policy=replace(POLICY, known=(OLD,))))
    assert "O4-ffffffff  not asked: one killer a run" in shown


def test_what_did_not_run_is_counted_and_named():
    shown = text(build(not_run=tuple(f"corpus/{n}" for n in range(30))))
    assert shown.startswith("CUT SHORT: 30 of the list did not run.")
    assert "corpus/19 and 10 more" in shown
    assert text(build(unproven="nobody came")).startswith("NOTHING PROVEN: nobody came.")


def test_strings_of_a_target_are_harmless():
    evil = finding(violation(symptom="\x1b[2J\u202e"))
    assert "\x1b" not in text(build([evil], notes=("\x1b]0;x\x07",)))
    assert "\u202e" not in text(build([evil]))


def test_programs_are_told_where_each_finding_stands():
    value = regression_value(build([NEW], [Visit(OLD, State.PASSED, 0, 3)], not_run=("corpus/a",)))
    assert (value["exit_code"], value["mode"], value["not_run"]) == (1, "pr", ["corpus/a"])
    assert [(f["oracle"], f["standing"]) for f in value["findings"]] == [("O4", "fails")]
    assert [(e["entry"], e["state"]) for e in value["baseline"]] == [("O4-ffffffff", "passed")]
