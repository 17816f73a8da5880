"""Each stored case that was replayed is a check under its path."""

from dataclasses import replace
from pathlib import Path

from fuzz import store
from fuzz.app import Replayed
from fuzz.app.replay_results import ReplayHarvest
from fuzz.app.reporting import Desk
from fuzz.config import RunOptions
from fuzz.oracles.registry import violation
from fuzz.records import (
    Basis,
    Finding,
    FindingStatus,
    ReplayOutcome,
    Severity,
    Side,
    TargetFacts,
    Violation,
)
from fuzz.report.results import Place, Results, Status
from fuzz.testing import case

FACTS = TargetFacts(Side.STATION, identity="CS-1", security_profile=2)
DEATH = violation("O1", Basis.STOPPED_SERVING, Severity.HIGH, "exit 1", "it ended")
SILENT = violation("O4", Basis.SHALL, Severity.MEDIUM, "no answer", "it kept silent")
PLAYED = case(action="Reset")
MARK = store.fingerprint(DEATH, PLAYED)
FINDING = Finding(MARK, DEATH, PLAYED, PLAYED, FACTS, FindingStatus.CONFIRMED, 3, 3)
FILE = Path("corpus/schema/a.json")


def replayed(
    outcome: ReplayOutcome, item: object = FINDING, broken: Violation | None = None
) -> Replayed:
    path = Path("findings/O1-1a") if isinstance(item, Finding) else FILE
    return Replayed(path, outcome, "why", item, broken, FACTS)  # type: ignore[arg-type]


def results(*found: Replayed, code: int = 1) -> Results:
    harvest = ReplayHarvest(Desk("replay", RunOptions(), "--defect P01"), code)
    for one in found:
        harvest.told(one)
    return harvest.results(None)


def test_a_reproduced_finding_fails_under_its_own_fingerprint():
    made = results(replayed(ReplayOutcome.REPRODUCED, broken=DEATH))
    (check,) = made.checks
    assert (check.name, check.status) == ("findings/O1-1a", Status.FAILED)
    assert (check.group, check.action, check.position) == ("findings", "Reset", "call")
    (issue,) = check.issues
    assert issue.fingerprint == MARK
    assert issue.place == Place("findings/O1-1a/case.json")
    assert issue.replay == "ocppfuzz replay findings/O1-1a --defect P01"
    assert issue.certainty == "reproduced: why"
    assert (made.facts, made.exit_code) == (FACTS, 1)


def test_a_changed_finding_is_told_as_what_it_is_now():
    (issue,) = results(replayed(ReplayOutcome.CHANGED, broken=SILENT)).issues
    assert (issue.rule, issue.text) == ("O4", "it kept silent")
    assert issue.fingerprint == store.fingerprint(SILENT, PLAYED)


def test_a_stored_case_that_an_oracle_objects_to_is_a_finding_at_its_file():
    (issue,) = results(replayed(ReplayOutcome.REPRODUCED, PLAYED, DEATH)).issues
    assert (issue.fingerprint, issue.place) == (MARK, Place("corpus/schema/a.json"))


def test_what_is_fixed_or_not_run_is_no_finding():
    made = results(replayed(ReplayOutcome.FIXED), replayed(ReplayOutcome.NOT_RUN, PLAYED), code=3)
    assert [(c.status, c.reason) for c in made.checks] == [
        (Status.PASSED, ""),
        (Status.NOT_RUN, "why"),
    ]
    assert (made.issues, made.exit_code) == ((), 3)


def test_a_target_that_never_came_is_told_by_its_options():
    made = results(replace(replayed(ReplayOutcome.NOT_RUN), facts=None), code=3)
    assert made.facts.identity == "embedded reference station"
