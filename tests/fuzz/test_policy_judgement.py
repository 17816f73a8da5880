"""Where a finding stands, and the exit code that follows."""

from dataclasses import replace
from datetime import date

import pytest

from fuzz.policy.failing import fail_on
from fuzz.policy.judgement import Policy, Standing, State, Visit, judge, place
from fuzz.policy.lock import Ahead
from fuzz.policy.quirks import Quirk
from fuzz.records import Severity, TlsStep
from fuzz.testing import accepted, case, finding, violation

TODAY = date(2026, 6, 1)
NEW = finding()
KNOWN = accepted(NEW)
POLICY = Policy(fail_on("high"), TODAY)


def outcome(findings=(), visits=(), policy=POLICY, **more):
    return judge(findings, visits, policy, facts=NEW.facts, tool="ocppfuzz 0.1.0", **more)


@pytest.mark.parametrize(
    ("policy", "standing", "why"),
    [
        (POLICY, Standing.FAILS, ""),
        (replace(POLICY, known=(KNOWN,)), Standing.ACCEPTED, "ticket 12"),
        (
            replace(POLICY, known=(accepted(NEW, expires="2026-05-31"),)),
            Standing.FAILS,
            "was accepted until 2026-05-31",
        ),
        (
            replace(POLICY, quirks=(Quirk("O4", "they know", vendor="Vendor"),)),
            Standing.MUTED,
            "they know",
        ),
        (replace(POLICY, fail_on=fail_on("critical")), Standing.BELOW, "below --fail-on critical"),
        (
            replace(POLICY, ahead=Ahead(checks=frozenset({"O4"}))),
            Standing.ADVISORY,
            "the check O4 is newer than the lock",
        ),
        (
            replace(POLICY, ahead=Ahead(cases=frozenset({NEW.case.id}))),
            Standing.ADVISORY,
            "its cases are newer than the lock",
        ),
        (
            replace(POLICY, ahead=Ahead(phases=frozenset({NEW.case.provenance.phase}))),
            Standing.ADVISORY,
            f"the phase {NEW.case.provenance.phase} is newer than the lock",
        ),
    ],
)
def test_a_finding_stands_where_the_policy_puts_it(policy, standing, why):
    placed = place(NEW, policy)
    assert (placed.standing, placed.why) == (standing, why)


def test_one_locked_case_that_shows_it_is_enough_to_count():
    found = replace(NEW, also=("an older case",))
    policy = replace(POLICY, ahead=Ahead(cases=frozenset({NEW.case.id})))
    assert place(found, policy).standing is Standing.FAILS


def test_a_handshake_is_muted_by_its_own_name():
    shown = replace(case(), steps=(TlsStep("TS-31"),))
    policy = replace(POLICY, quirks=(Quirk("TS-31", "old firmware", firmware="1.*"),))
    assert place(finding(violation("O18"), shown), policy).standing is Standing.MUTED


# --- the exit code ------------------------------------------------------------------------------------------


def test_only_what_fails_the_build_is_exit_1():
    assert outcome([NEW]).exit_code == 1
    assert outcome([NEW], policy=replace(POLICY, known=(KNOWN,))).exit_code == 0
    assert outcome([finding(violation(severity=Severity.MEDIUM))]).exit_code == 0
    assert outcome().exit_code == 0


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.PASSED, 1),
        (State.SEEN, 0),
        (State.CHANGED, 0),
        (State.INCONCLUSIVE, 0),
        (State.NOT_ASKED, 0),
        (State.NOT_RUN, 0),
    ],
)
def test_an_entry_fails_the_build_only_when_every_play_passed(state, code):
    judged = outcome(visits=[Visit(KNOWN, state, 0, 3)], policy=replace(POLICY, known=(KNOWN,)))
    assert judged.exit_code == code
    assert bool(judged.stale) is (state is State.PASSED)


def test_an_expired_entry_that_is_still_so_fails_the_build_though_no_phase_showed_it():
    expired = accepted(NEW, expires="2026-01-31")
    policy = replace(POLICY, known=(expired,))
    judged = outcome(visits=[Visit(expired, State.SEEN, 1, 1)], policy=policy)
    (placed,) = judged.at(Standing.FAILS)
    assert (placed.finding.fingerprint, placed.finding.confirmed) == (NEW.fingerprint, 1)


def test_a_finding_and_the_play_of_its_entry_are_told_once():
    visits = [Visit(KNOWN, State.SEEN, 1, 1)]
    judged = outcome([NEW, NEW], visits, replace(POLICY, known=(KNOWN,)))
    assert [p.finding for p in judged.placed] == [NEW]


def test_a_run_that_was_cut_short_proves_nothing_unless_that_is_allowed():
    assert outcome(not_run=("corpus/a",)).exit_code == 3
    assert outcome(not_run=("corpus/a",), allow_incomplete=True).exit_code == 0
    assert outcome([NEW], not_run=("corpus/a",)).exit_code == 1
    assert outcome(unproven="nobody came", allow_incomplete=True).exit_code == 3
