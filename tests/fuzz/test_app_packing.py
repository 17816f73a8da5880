"""A finding's folder becomes a pack, and comes back as the finding that it was."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fuzz import store
from fuzz.app.dossier import files_of
from fuzz.app.packing import load_pack, pack_finding
from fuzz.errors import CaseFormatError, UsageError
from fuzz.records import (
    Basis,
    Case,
    Entry,
    Finding,
    FindingStatus,
    Run,
    SendText,
    Severity,
    Side,
    TargetFacts,
    Violation,
    Who,
)
from strategies.labels import Expectation, Stance, Tier

CASE = Case("c", Side.STATION, (SendText(("[]",)),), Expectation(Stance.REJECT, Tier.RPC))
ENTRY = Entry(0.0, Who.US, "text", "[]")
FINDING = Finding(
    "1a2b3c4d5e6f7081",
    Violation("O4", "unanswered-call", Basis.SHALL, Severity.MEDIUM, "no answer", "t"),
    CASE,
    CASE,
    TargetFacts(Side.STATION, vendor="V", clock_offset_s=-2.5),
    status=FindingStatus.CONFIRMED,
    entries=(ENTRY,),
    runs=(Run(False, True, (ENTRY,)), Run(True, False, (ENTRY,))),
    first_seen="2026-01-02T03:04:05.678Z",
    made_with="ocppfuzz 0.1.0, Python 3.11.7, OpenSSL 3.5.0",
)


@pytest.fixture
def folder(tmp_path) -> Path:
    evidence = {"private/keys.log": b"CLIENT_RANDOM a b", "my notes.txt": b"call Bob"}
    return store.save_finding(FINDING, tmp_path, render=files_of, evidence=evidence)


def test_a_pack_holds_everything_but_what_is_private(folder, tmp_path):
    path, digest = pack_finding(folder, tmp_path / "p.zip")
    files = store.read_pack(path)
    named = ["REPORT.md", "case.json", "finding.json", "manifest.json", "repro.py", "runs.ndjson"]
    assert sorted(files) == [*named, "transcript.ndjson"]
    assert b"CLIENT_RANDOM" not in path.read_bytes()
    assert digest == store.digest(path.read_bytes())
    assert len(files["runs.ndjson"].splitlines()) == 2


def test_the_manifest_tells_versions_times_and_how_wrong_the_target_s_clock_is(folder, tmp_path):
    path, _ = pack_finding(folder, tmp_path / "p.zip")
    manifest = json.loads(store.read_pack(path)["manifest.json"])
    assert manifest["finding"] == "O4-1a2b3c4d"
    assert manifest["clock_offset_s"] == -2.5
    assert manifest["times_utc"] == {"first_seen": "2026-01-02T03:04:05.678Z"}
    assert manifest["versions"]["found_with"] == FINDING.made_with
    assert manifest["versions"]["packed_with"].startswith("ocppfuzz 0.1.0, Python 3.")


def test_a_pack_comes_back_as_the_finding(folder, tmp_path):
    path, _ = pack_finding(folder, tmp_path / "p.zip")
    assert load_pack(path) == store.load_finding(folder)


def test_the_same_finding_gives_the_same_bytes(folder, tmp_path):
    first, _ = pack_finding(folder, tmp_path / "1.zip")
    second, _ = pack_finding(folder, tmp_path / "2.zip")
    assert first.read_bytes() == second.read_bytes()


def test_an_embargo_is_written_into_the_pack_alone(folder, tmp_path):
    path, _ = pack_finding(folder, tmp_path / "p.zip", embargo="until 2027-03-01")
    assert b"until 2027-03-01" in store.read_pack(path)["REPORT.md"]
    assert "until 2027" not in (folder / "REPORT.md").read_text("utf-8")


def test_without_a_name_a_pack_is_called_like_its_finding(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pack_finding(folder, None)[0] == Path("O4-1a2b3c4d.zip")


def test_a_folder_without_a_finding_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="is no folder of a finding"):
        pack_finding(tmp_path, None)


def test_a_sealed_pack_of_something_else_is_refused(tmp_path):
    store.save_pack(store.pack({"case.json": b"{}"}, {}), tmp_path / "p.zip")
    with pytest.raises(CaseFormatError):
        load_pack(tmp_path / "p.zip")


def test_runs_that_were_not_repeated_leave_no_file(tmp_path):
    folder = store.save_finding(replace(FINDING, runs=()), tmp_path, render=files_of)
    assert not (folder / "runs.ndjson").exists()


def test_without_an_output_the_pack_is_left_in_the_present_folder(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pack_finding(folder, None)[0] == Path("O4-1a2b3c4d.zip")
    assert (tmp_path / "O4-1a2b3c4d.zip").is_file()
