"""A build in reports: only what fails it is failed, what is accepted is marked, nothing is told twice."""

from dataclasses import replace
from datetime import date

import pytest

from fuzz.app.regress_results import RegressHarvest
from fuzz.app.reporting import Desk
from fuzz.config import RunOptions
from fuzz.errors import TargetUnavailable
from fuzz.policy.failing import fail_on
from fuzz.policy.judgement import Policy, State, Visit, judge
from fuzz.policy.quirks import Quirk
from fuzz.policy.regression import Regression
from fuzz.records import Severity, Summary
from fuzz.report.results import Place, Status
from fuzz.report.tls import TlsRow
from fuzz.store import save_baseline
from fuzz.testing import accepted, finding, violation

NEW = finding(violation("O4"))
POLICY = Policy(fail_on("high"), date(2026, 6, 1))
OPTIONS = RunOptions(phases=("replay",))


def summary(*findings) -> Summary:
    return Summary(NEW.facts, 7, 5, 1.0, findings, (), 0, {}, {}, (), (), int(bool(findings)))


def results(*findings, visits=(), policy=POLICY, **more):
    judgement = judge(findings, visits, policy, facts=NEW.facts, tool="ocppfuzz", **more)
    harvest = RegressHarvest(Desk("regress", OPTIONS), "ocppfuzz regress --listen 127.0.0.1:9000")
    harvest.told(TlsRow("TS-31", "validity", "title", "passed", "critical"))
    harvest.build = Regression(
        judgement, NEW.facts, "pr", summary(*findings), {}, policy.ahead, baseline="ci/known.json"
    )
    return harvest.results(None)


def by_rule(made, rule):
    return [check for check in made.checks if check.rule == rule]


def test_handshakes_and_messages_are_one_run():
    made = results()
    assert (made.command, made.exit_code, made.reason) == ("regress", 0, "")
    assert by_rule(made, "TS-31")[0].status is Status.PASSED
    assert made.details["mode"] == "pr"


def test_a_new_finding_fails_its_check():
    made = results(NEW)
    (check,) = by_rule(made, "O4")
    assert (made.exit_code, check.status) == (1, Status.FAILED)
    assert [issue.accepted for issue in made.issues] == [""]


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (replace(POLICY, known=(accepted(NEW),)), "accepted: ticket 12"),
        (replace(POLICY, quirks=(Quirk("O4", "they know", model="M*"),)), "muted: they know"),
    ],
)
def test_an_accepted_finding_is_a_note_and_suppressed(policy, reason):
    made = results(NEW, policy=policy)
    (check,) = by_rule(made, "O4")
    assert (made.exit_code, check.status, check.reason) == (0, Status.REMARK, reason)
    assert [issue.accepted for issue in made.issues] == [reason]


def test_a_finding_below_the_bar_stays_to_be_seen():
    low = finding(violation("O4", severity=Severity.LOW))
    made = results(low)
    (check,) = by_rule(made, "O4")
    assert check.status is Status.REMARK
    assert [(i.accepted, i.below) for i in made.issues] == [("", "below --fail-on high")]
    assert made.verdict == "no finding, 1 that fails nothing"


def test_what_only_the_case_of_an_entry_showed_is_told_once_at_that_case():
    known = accepted(NEW)
    visits = [Visit(known, State.SEEN, 1, 1)]
    made = results(visits=visits, policy=replace(POLICY, known=(known,)))
    (issue,) = made.issues
    assert issue.place == Place("ci/known/one.json")
    assert issue.accepted == "accepted: ticket 12"
    assert (
        results(NEW, visits=visits, policy=replace(POLICY, known=(known,))).issues[0].place
        != issue.place
    )


def test_a_stale_entry_fails_at_its_line_of_the_baseline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = accepted(NEW)
    save_baseline(tmp_path / "ci" / "known.json", [known])
    visits = [Visit(known, State.PASSED, 0, 3)]
    made = results(visits=visits, policy=replace(POLICY, known=(known,)))
    (check,) = by_rule(made, "baseline")
    assert (made.exit_code, check.status) == (1, Status.FAILED)
    assert made.issues[0].place == Place("ci/known.json", 7)
    assert "played 3 of 3 and passed" in made.issues[0].text
    assert made.issues[0].replay == (
        "ocppfuzz regress --listen 127.0.0.1:9000 --baseline ci/known.json --update-baseline"
    )


def test_a_run_that_was_cut_short_says_so():
    made = results(not_run=("corpus/a", "corpus/b"))
    assert (made.exit_code, made.reason) == (3, "2 of the list did not run")


def test_a_build_that_failed_on_the_way_reports_what_it_had():
    harvest = RegressHarvest(Desk("regress", OPTIONS))
    harvest.told(TlsRow("TS-31", "validity", "title", "passed", "critical"))
    made = harvest.results(TargetUnavailable("nobody called"))
    assert (made.exit_code, made.reason) == (3, "nobody called")
    assert [check.rule for check in made.checks] == ["TS-31"]
