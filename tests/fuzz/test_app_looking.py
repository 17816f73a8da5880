"""A page is made of whatever lies in a folder; what cannot make one is told in one line."""

import json
from dataclasses import replace

import pytest

from fuzz import store
from fuzz.app import Replayed, looking, remembering
from fuzz.app.looking import look_at, memory_of
from fuzz.errors import UsageError
from fuzz.records import ReplayOutcome, Run
from fuzz.report.document import document
from fuzz.report.page.look import Memory
from fuzz.store import PastRun
from fuzz.testing import finding, results, us

FOUND = replace(finding(), first_seen="2026-01-01T00:00:00Z")
FAULT, CONTROL = (us(0, [2, "1", "Reset", {}]),), (us(0, [2, "1", "Heartbeat", {}]),)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fuzz.report.page.render.can_draw", lambda: False)
    runs = (Run(False, True, FAULT), Run(True, False, CONTROL))
    store.save_finding(replace(FOUND, runs=runs), tmp_path / "findings")
    return tmp_path / "findings"


def made(*paths, compare=False, csv=None) -> str:
    path, _ = look_at(paths, looking.Path("page.html"), csv, compare=compare)
    return path.read_text("utf-8")


def test_findings_alone_make_a_page_that_says_so(folder):
    told = made(folder)
    assert "only its findings are told" in told
    assert "CALL Reset" in told
    assert "CALL Heartbeat" in told


def test_the_report_of_a_run_is_told_with_the_conversations_of_its_findings(folder):
    told = results()
    check = next(c for c in told.checks if c.issues)
    issue = replace(
        check.issues[0], fingerprint=FOUND.fingerprint, replay="ocppfuzz replay x --defect P01"
    )
    store.save_report(
        folder, "run", document(replace(told, checks=(replace(check, issues=(issue,)),)))
    )
    page = made(folder)
    assert page.count("<article") == 1
    assert "ocppfuzz replay x --defect P01" in page
    assert "CALL Heartbeat" in page


def test_findings_of_another_run_stand_beside_those_of_the_last_one(folder):
    store.save_report(folder, "run", document(results()))
    page = made(folder)
    assert page.count("<article") == 2
    assert "1 of these findings are not of this run" in page


def test_tests_at_risk_are_written_as_csv_too(folder):
    made(folder, csv=looking.Path("risk.csv"))
    assert looking.Path("risk.csv").read_text().startswith("test,mandatory,")


def test_a_document_alone_is_enough(folder, tmp_path):
    (tmp_path / "report.json").write_text(document(results("boom")))
    assert "process-death (O1) on boom" in made(tmp_path / "report.json")
    store.save_report(folder, "run", document(results()))
    assert "2 targets side by side" in made(folder, tmp_path / "report.json", compare=True)


@pytest.mark.parametrize(
    ("paths", "compare", "words"),
    [
        (["none"], False, "none is no folder of findings and no report"),
        (["empty"], False, "empty holds neither a finding nor the report of a run"),
        (["findings", "empty"], False, "one folder makes one report; give --compare"),
        (["findings"], True, "--compare takes 2 to 12 folders or reports, not 1"),
        (["findings", "empty"], True, "findings holds no report of a run"),
        (["bad.json"], False, "bad.json is no report of ocppfuzz"),
    ],
)
def test_what_cannot_make_a_page_is_told(folder, tmp_path, paths, compare, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.json").write_text(json.dumps({"a": 1}))
    with pytest.raises(UsageError, match=words):
        made(*map(looking.Path, paths), compare=compare)
    assert not (tmp_path / "page.html").exists()


# --- what is remembered -------------------------------------------------------------------------------------


def run(began: str, firmware: str, *found: str, command="run", proven=True, fixed=()) -> PastRun:
    return PastRun(command, began, "V M", firmware, proven, found, tuple(fixed))


@pytest.mark.parametrize(
    ("past", "memory"),
    [
        ((), Memory()),
        ((run("1", "a", "f"),), Memory("1", "a", "1", "a")),
        ((run("1", "a", "f"), run("2", "b", "f")), Memory("1", "a", "2", "b")),
        ((run("1", "a", "f"), run("2", "b")), Memory("1", "a", "1", "a", missed="b")),
        ((run("1", "a", "f"), run("2", "b", proven=False)), Memory("1", "a", "1", "a")),
        ((run("1", "a", "f"), run("2", "b", command="tls")), Memory("1", "a", "1", "a")),
        (
            (run("1", "a", "f"), run("2", "b", command="replay", fixed="f")),
            Memory("1", "a", "1", "a", fixed="b"),
        ),
        (
            (run("1", "a", "f"), run("2", "b", fixed="f"), run("3", "c", "f")),
            Memory("1", "a", "3", "c"),
        ),
    ],
)
def test_a_finding_is_remembered_by_the_runs_that_met_it(past, memory):
    assert memory_of("f", None, past) == memory


def test_a_replay_that_finds_it_mended_is_remembered_with_the_firmware(folder):
    store.remember(folder, run("2026-01-02", "1.2", FOUND.fingerprint))
    path = next(p for p in folder.iterdir() if p.name.startswith("O4-"))
    facts = replace(FOUND.facts, firmware="1.3")
    remembering.remember_replay([Replayed(path, ReplayOutcome.FIXED, "", FOUND, facts=facts)])
    assert memory_of(FOUND.fingerprint, FOUND, store.past_runs(folder)).fixed == "1.3"
    assert "fixed in 1.3" in made(folder)


def test_a_folder_that_remembers_nothing_is_left_as_it_is(folder):
    path = next(p for p in folder.iterdir() if p.name.startswith("O4-"))
    before = sorted(folder.rglob("*"))
    remembering.remember_replay([Replayed(path, ReplayOutcome.FIXED, "", FOUND)])
    assert sorted(folder.rglob("*")) == before
