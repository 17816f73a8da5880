"""Each case of the TLS lab is a check under its own id."""

from dataclasses import replace

import pytest

from fuzz.app.reporting import Desk
from fuzz.app.tls_results import STATUSES, TlsHarvest
from fuzz.config import RunOptions
from fuzz.lab.findings import fingerprint_of
from fuzz.records import Severity, Side, TargetFacts
from fuzz.report.results import Place, Status
from fuzz.report.tls import OUTCOMES, TlsReport, TlsRow
from tlslab.registry import all_cases

DESK = Desk("tls", RunOptions(), "--defect P50")
FAILED = TlsRow(
    "TS-31",
    "validity",
    "It ends.",
    "failed",
    "critical",
    "S5",
    ("A00.FR.308",),
    ("TC_A_05_CS",),
    ("open",),
    2.0,
    "findings/O18-1a2b3c4d",
    "TS-31 open",
)
PASSED = TlsRow("TS-34", "names", "It is taken.", "passed", "high")
FACTS = TargetFacts(Side.STATION, identity="CS-1", security_profile=2)


def harvest(*rows: TlsRow, strict: bool = False) -> TlsHarvest:
    made = TlsHarvest(replace(DESK, options=RunOptions(strict=strict)))
    made.report = TlsReport("x", rows, notes=("note",), strict=strict, facts=FACTS)
    return made


def test_every_outcome_of_the_lab_has_a_status():
    assert set(STATUSES) == set(OUTCOMES)


def test_a_failed_case_is_a_finding_at_its_folder():
    made = harvest(FAILED, PASSED).results(None)
    failed, passed = made.checks
    assert (failed.name, failed.group, failed.status) == ("TS-31", "validity", Status.FAILED)
    (issue,) = failed.issues
    assert issue.place == Place("findings/O18-1a2b3c4d/case.json")
    assert issue.replay == "ocppfuzz replay findings/O18-1a2b3c4d --defect P50"
    assert issue.text == "It ends. Seen: open"
    assert (issue.severity, issue.cwe) == (Severity.CRITICAL, "CWE-298")
    assert issue.fingerprint == fingerprint_of(all_cases()["TS-31"], "TS-31 open")
    assert (passed.status, passed.reason, passed.issues) == (Status.PASSED, "", ())
    assert (made.facts, made.exit_code, made.notes) == (FACTS, 1, ("note",))
    assert [rule.id for rule in made.rules] == ["TS-31", "TS-34"]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("not observed", Status.INCONCLUSIVE),
        ("passed with a remark", Status.REMARK),
        ("recorded", Status.PASSED),
        ("not asked", Status.NOT_RUN),
        ("n/a", Status.NOT_RUN),
    ],
)
def test_what_is_neither_passed_nor_failed_keeps_its_reason(outcome, status):
    row = replace(PASSED, outcome=outcome, why=("because",))
    (check,) = harvest(row).results(None).checks
    assert (check.status, check.reason) == (
        status,
        "" if status is Status.PASSED else "because",
    )


def test_a_remark_fails_only_when_it_is_strict():
    row = replace(PASSED, outcome="passed with a remark", why=("odd",))
    made = harvest(row, strict=True).results(None)
    assert (made.checks[0].status, made.exit_code) == (Status.FAILED, 1)
    assert made.checks[0].issues[0].replay == "ocppfuzz tls --only TS-34 --defect P50"
    assert made.checks[0].issues[0].place == DESK.place


def test_a_case_that_leaves_something_behind_is_allowed_when_it_is_played_again():
    theirs = RunOptions(listen="127.0.0.1:9000", edition="2025-09")
    lasting = next(c for c in all_cases().values() if c.effect == "persistent")
    row = replace(FAILED, id=lasting.id, folder="")
    made = TlsHarvest(replace(DESK, options=theirs))
    made.told(row)
    (issue,) = made.results(None).checks[0].issues
    assert issue.replay == (
        f"ocppfuzz tls --only {lasting.id} --defect P50 --allow persistent --edition 2025-09"
    )


def test_an_interrupted_run_tells_what_was_played_and_what_was_not():
    made = TlsHarvest(DESK, chosen=("TS-31", "TS-34"))
    made.told(PASSED)
    told = made.results(KeyboardInterrupt())
    assert (told.exit_code, told.reason) == (130, "stopped before its end")
    assert [(c.name, c.status, c.reason) for c in told.checks] == [
        ("TS-34", Status.PASSED, ""),
        ("TS-31", Status.NOT_RUN, "the run ended before it"),
    ]


def test_the_replay_of_our_own_csms_is_asked_for_in_the_words_of_replay():
    desk = replace(DESK, flags="--self-test csms --defect P50")
    made = TlsHarvest(desk)
    made.report = TlsReport("x", (FAILED,), facts=FACTS)
    ((issue,),) = (check.issues for check in made.results(None).checks)
    assert issue.replay == "ocppfuzz replay findings/O18-1a2b3c4d --self-test --defect P50"
