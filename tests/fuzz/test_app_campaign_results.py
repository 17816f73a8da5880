"""A campaign becomes checks: each oracle at each action and position, passed only where it could see."""

from dataclasses import replace
from pathlib import Path

import pytest

from fuzz.app.campaign_results import NEVER_CAME, CampaignHarvest, results_of
from fuzz.app.reporting import Desk
from fuzz.config import RunOptions
from fuzz.errors import TargetUnavailable
from fuzz.oracles.registry import oracles, violation
from fuzz.records import (
    Basis,
    CampaignStarted,
    Case,
    Effect,
    Finding,
    FindingReported,
    FindingStatus,
    Naming,
    Severity,
    Side,
    Summary,
    TargetFacts,
    Turnout,
)
from fuzz.report.results import Check, Place, Status
from fuzz.testing import case
from strategies.labels import Position

FACTS = TargetFacts(Side.STATION, identity="CS-1", security_profile=3)
OPTIONS = RunOptions(phases=("generated",))
DEATH = violation("O1", Basis.STOPPED_SERVING, Severity.CRITICAL, "exit 1", "it ended")
ODD = violation("O7", Basis.SHALL, Severity.LOW, "arity", "it is odd", remark=True)


def finding(action: str = "Reset", *, fingerprint: str = "1a2b3c4d5e6f7081") -> Finding:
    played: Case = case(action=action)
    return Finding(fingerprint, DEATH, played, played, FACTS, FindingStatus.CONFIRMED, 3, 3)


def summary(*turnouts: Turnout, findings: tuple[Finding, ...] = ()) -> Summary:
    return Summary(
        FACTS, 7, 5, 1.0, findings, (), 0, {}, {}, (), (), int(bool(findings)), turnouts=turnouts
    )


def checks(*turnouts: Turnout, options: RunOptions = OPTIONS, **given: object) -> dict[str, Check]:
    made = results_of(summary(*turnouts, **given), Desk("run", options, "--defect P01"))
    names = [check.name for check in made.checks]
    assert len(names) == len(set(names))
    return {check.name: check for check in made.checks}


RESET = Turnout("Reset", Position.CALL, judged=4)


def test_each_oracle_at_each_place_is_a_check():
    made = checks(RESET, Turnout("Reset", Position.CALLRESULT, judged=1))
    assert len(made) == 2 * len(oracles())
    check = made["unanswered-call (O4): Reset, CALLRESULT"]
    assert check == Check(
        "O4",
        "unanswered-call",
        "unanswered-call (O4): Reset, CALLRESULT",
        Status.PASSED,
        "Reset",
        "callresult",
        played=1,
    )


def test_the_same_places_have_the_same_checks_in_whatever_order_they_came():
    other = Turnout("GetLog", Position.CALL, judged=1)
    assert list(checks(RESET, other)) == list(checks(other, RESET))


def test_a_finding_fails_the_check_of_its_case_and_tells_how_to_replay_it():
    made = checks(RESET, findings=(finding(),))
    check = made["process-death (O1): Reset, CALL"]
    assert check.status is Status.FAILED
    (issue,) = check.issues
    assert issue.place == Place("findings/O1-1a2b3c4d/case.json")
    assert issue.replay == "ocppfuzz replay findings/O1-1a2b3c4d --defect P01"
    assert [c.name for c in made.values() if c.status is Status.FAILED] == [check.name]


def test_the_replay_of_what_had_to_be_allowed_allows_it_and_names_the_text_that_decides():
    theirs = replace(FACTS, naming=Naming(listen="127.0.0.1:9000"), edition="2025-09")
    lasting = replace(case(action="Reset"), effect=Effect.PERSISTENT)
    made = checks(RESET, findings=(replace(finding(), case=lasting, facts=theirs),))
    (issue,) = made["process-death (O1): Reset, CALL"].issues
    assert issue.replay.endswith("--defect P01 --allow persistent --edition 2025-09")


def test_what_adds_to_a_finding_elsewhere_is_neither_passed_nor_told_twice():
    same = (("O1", "1a2b3c4d5e6f7081"),)
    made = checks(
        replace(RESET, objections=same),
        Turnout("GetLog", Position.CALL, judged=1, objections=same),
        findings=(finding(),),
    )
    check = made["process-death (O1): GetLog, CALL"]
    assert (check.status, check.issues) == (Status.INCONCLUSIVE, ())
    assert check.reason == "adds to 1a2b3c4d of process-death (O1): Reset, CALL"


def test_an_objection_that_became_no_finding_is_inconclusive():
    made = checks(replace(RESET, objections=(("O1", "gone"),)))
    assert made["process-death (O1): Reset, CALL"].reason == "an objection that did not repeat"


def test_a_remark_is_told_in_its_words():
    check = checks(replace(RESET, remarks=((ODD, 3),)))["rpc-shape (O7): Reset, CALL"]
    assert (check.status, check.reason) == (Status.REMARK, "it is odd")


@pytest.mark.parametrize(
    ("page", "status", "reason"),
    [
        (
            Turnout("Reset", Position.CALL, inconclusive=2),
            Status.INCONCLUSIVE,
            "its cases were disturbed by something else",
        ),
        (
            Turnout("Reset", Position.CALL, left_out={"rare": 1, "not allowed": 2}),
            Status.NOT_RUN,
            "not allowed",
        ),
    ],
)
def test_where_nothing_came_to_a_verdict_the_reason_is_told(page, status, reason):
    check = checks(page)["unanswered-call (O4): Reset, CALL"]
    assert (check.status, check.reason) == (status, reason)


@pytest.mark.parametrize(
    ("oracle", "options", "measured", "status"),
    [
        ("process-death (O1)", OPTIONS, 0, Status.PASSED),
        ("process-death (O1)", replace(OPTIONS, listen="127.0.0.1:1"), 0, Status.NOT_RUN),
        (
            "process-death (O1)",
            replace(OPTIONS, listen="127.0.0.1:1", start_cmd="x"),
            0,
            Status.PASSED,
        ),
        ("log-patterns (O30)", replace(OPTIONS, target="ws://x"), 0, Status.NOT_RUN),
        ("resource-slope (O20)", OPTIONS, 0, Status.NOT_RUN),
        ("resource-slope (O20)", OPTIONS, 1, Status.PASSED),
        ("injection (O24)", OPTIONS, 0, Status.NOT_RUN),
        ("injection (O24)", replace(OPTIONS, phases=("injection",)), 0, Status.PASSED),
    ],
)
def test_an_oracle_that_could_see_nothing_has_not_passed(oracle, options, measured, status):
    made = checks(replace(RESET, measured=measured), options=options)
    assert made[f"{oracle}: Reset, CALL"].status is status


def test_an_action_that_was_wanted_and_never_came_is_not_run():
    systematic = replace(OPTIONS, phases=("systematic",), only=("Reset", "GetLog"))
    made = checks(RESET, options=systematic)
    assert {c.action for c in made.values()} == {"Reset", "GetLog"}
    check = made["unanswered-call (O4): GetLog, CALL"]
    assert (check.status, check.reason) == (Status.NOT_RUN, NEVER_CAME)


def test_only_the_oracles_that_were_asked_are_told():
    made = checks(RESET, options=replace(OPTIONS, oracles=("O4", "process-death")))
    assert {c.rule for c in made.values()} == {"O1", "O4"}


def test_names_that_only_our_messages_know_are_one_place():
    odd = [Turnout(a, Position.CALL, judged=2) for a in ("reset", "x" * 99, "")]
    made = checks(*odd)
    assert len(made) == len(oracles())
    assert made["unanswered-call (O4): no action, CALL"].played == 6


def test_a_finding_beside_the_table_has_a_check_of_its_own():
    made = checks(RESET, findings=(finding("GetLog"), finding("GetLog", fingerprint="22")))
    assert len(made["process-death (O1): GetLog, CALL"].issues) == 2


def test_the_whole_tells_who_how_long_and_what_else_is_known():
    told = replace(summary(RESET), reason="60 s are over", left_changed=("X",), warnings=("slow",))
    made = results_of(told, Desk("run", OPTIONS, began="now"))
    assert (made.facts, made.exit_code, made.reason) == (FACTS, 0, "60 s are over")
    assert (made.seed, made.seconds, made.began) == (7, 1.0, "now")
    assert (made.notes, made.left_changed) == (("slow",), ("X",))
    assert made.details["cases"] == 5
    assert {rule.id for rule in made.rules} == {o.id for o in oracles()}


def test_a_campaign_without_a_summary_tells_what_was_confirmed_so_far():
    harvest = CampaignHarvest(Desk("run", OPTIONS))
    harvest.heard(CampaignStarted(FACTS, 7, (), None, None))
    candidate = replace(finding("GetLog", fingerprint="2"), status=FindingStatus.CANDIDATE)
    for known in (candidate, finding(), finding()):
        harvest.heard(FindingReported(known))
    made = harvest.results(TargetUnavailable("it is gone"))
    assert (made.facts, made.exit_code, made.reason) == (FACTS, 3, "it is gone")
    assert [c.name for c in made.checks] == ["process-death (O1): Reset, CALL"]
    assert [i.folder for i in made.issues] == [str(Path("findings") / "O1-1a2b3c4d")]


def test_a_target_that_never_came_is_told_by_its_address():
    harvest = CampaignHarvest(Desk("run", replace(OPTIONS, listen="127.0.0.1:9000")))
    made = harvest.results(TargetUnavailable("nobody called"))
    assert (made.facts.url, made.checks, made.reason) == ("127.0.0.1:9000", (), "nobody called")
