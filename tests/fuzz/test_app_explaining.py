"""Every oracle and every case of the TLS lab explains itself."""

import re
from dataclasses import replace

import pytest

from fuzz import store
from fuzz.app.explaining import explain, of_oracle
from fuzz.app.packing import pack_finding
from fuzz.errors import UsageError
from fuzz.oracles.registry import oracles
from fuzz.records import (
    Basis,
    Case,
    Finding,
    FindingStatus,
    SendText,
    Severity,
    Side,
    TargetFacts,
    TlsStep,
    Violation,
)
from strategies.labels import Expectation, Stance, Tier
from tlslab.registry import all_cases

CASE = Case("c", Side.STATION, (SendText(("[]",)),), Expectation(Stance.REJECT, Tier.RPC))
FINDING = Finding(
    "1a2b3c4d5e6f7081",
    Violation("O4", "unanswered-call", Basis.SHALL, Severity.MEDIUM, "no answer", "t", "FR.03"),
    CASE,
    CASE,
    TargetFacts(Side.STATION, edition="2025-09"),
    status=FindingStatus.CONFIRMED,
    confirmed=3,
    tries=3,
)


@pytest.mark.parametrize("known", oracles(), ids=lambda o: o.id)
def test_every_oracle_says_what_holds_why_where_what_was_seen_and_how_to_mend_it(known):
    told = of_oracle(known, "ed3")
    assert told.name == f"{known.name} ({known.id})"
    assert told.holds.endswith(".")
    assert len(told.why) > 80
    assert told.sources
    assert re.fullmatch(r"CWE-\d+", told.cwe)
    assert len(told.seen) > 40
    assert len(told.fix) > 40
    assert "Fix:" not in told.why + told.seen
    assert "Seen:" not in told.why + told.fix


def test_what_was_seen_names_published_bugs_by_public_references_only():
    told = " ".join(of_oracle(known, "ed3").seen for known in oracles())
    links = re.findall(r"https?://[^\s);]+", told)
    assert len(re.findall(r"CVE-\d{4}-\d{4,}", told)) >= 5
    # A commit or a merged change mends; an open issue would tell of a bug that is still there.
    assert all(
        re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/(commit/[0-9a-f]{7}|pull/\d+)", x)
        for x in links
    )


@pytest.mark.parametrize("name", ["unanswered-call", "O4", "o4", "UNANSWERED-CALL"])
def test_an_oracle_is_found_by_name_and_id(name):
    assert explain(name).name == "unanswered-call (O4)"


@pytest.mark.parametrize("id_", sorted(all_cases()))
def test_every_case_of_the_lab_explains_itself(id_):
    told = explain(id_.lower())
    assert id_ in told.name
    assert told.holds
    assert "Attack position" in told.why
    assert told.fix


def test_a_finding_and_its_pack_tell_the_same_with_what_was_found(tmp_path):
    folder = store.save_finding(FINDING, tmp_path)
    told = explain(str(folder))
    assert told.found == ("t (no answer)", "CALL", "reproduced 3 of 3, no control")
    assert told.sources == (
        "OCPP 2.0.1 Part 4, OCPP-J (Edition 3 with the errata sheet of 2025-09), requirement FR.03",
    )
    path, _ = pack_finding(folder, tmp_path / "p.zip")
    assert explain(str(path)) == told


def test_a_finding_of_the_lab_is_explained_by_its_case(tmp_path):
    case = replace(CASE, steps=(TlsStep("TS-01"),))
    violation = replace(FINDING.violation, oracle="O18", name="hello TS-01")
    folder = store.save_finding(replace(FINDING, case=case, violation=violation), tmp_path)
    assert explain(str(folder)).name == "TLS lab, hello (TS-01)"


def test_what_is_unknown_names_the_nearest():
    with pytest.raises(UsageError, match="nearest: unanswered-call"):
        explain("unanswerd-call")


def test_a_finding_without_its_folder_says_how_findings_are_named():
    with pytest.raises(UsageError, match=r"there is no O4-1a2b3c4d here; .* findings/O4-1a2b3c4d"):
        explain("O4-1a2b3c4d")


def test_a_folder_without_a_finding_and_an_unknown_oracle_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match="is no folder of a finding"):
        explain(str(tmp_path))
    stranger = replace(FINDING, violation=replace(FINDING.violation, oracle="O99"))
    folder = store.save_finding(stranger, tmp_path)
    with pytest.raises(UsageError, match="no oracle O99"):
        explain(str(folder))
