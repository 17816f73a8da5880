"""The model says once what each format repeats."""

from dataclasses import replace

import pytest

from fuzz.records import Severity
from fuzz.report.results import Rule, Status
from fuzz.testing import results


def test_the_first_line_tells_who_was_attacked():
    assert results("x").attacked.startswith("Charging Station x x, firmware x, identity x, at x")


def test_a_finding_of_two_checks_is_told_once_and_the_worst_first():
    made = results()
    failed = next(c for c in made.checks if c.status is Status.FAILED)
    mild = replace(failed.issues[0], fingerprint="00", severity=Severity.LOW)
    twice = replace(made, checks=(replace(failed, issues=(mild,)), failed, failed))
    assert [i.fingerprint for i in twice.issues] == ["1a2b3c4d5e6f7081", "00"]


def test_every_status_is_counted_even_where_it_is_none():
    assert set(results().counts.values()) == {1}
    assert set(replace(results(), checks=()).counts.values()) == {0}


def test_a_rule_that_nobody_described_is_made_of_the_finding():
    made = replace(results("x"), rules=())
    assert made.rule(made.issues[0]) == Rule(
        "O1", "O1", "process-death (O1) on x", "process-death (O1) on x"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "1 finding"),
        ({"checks": (), "exit_code": 0}, "no finding"),
        ({"exit_code": 3}, "not everything is proven"),
        ({"exit_code": 130}, "stopped"),
    ],
)
def test_the_verdict_follows_from_the_exit_code_first(changes, words):
    assert replace(results(), **changes).verdict == words


def test_an_accepted_finding_is_no_open_one():
    accepted = results(accepted="known")
    assert accepted.verdict == "1 failed"
    assert replace(accepted, checks=accepted.checks[:1]).verdict == "no finding"


def test_findings_that_fail_nothing_are_counted_apart():
    made = results()
    failed = next(c for c in made.checks if c.status is Status.FAILED)
    below = [
        replace(failed.issues[0], fingerprint=f"{n}", below="below --fail-on high")
        for n in range(2)
    ]
    both = replace(made, checks=(failed, replace(failed, issues=tuple(below))))
    assert both.verdict == "1 finding, 2 that fail nothing"
