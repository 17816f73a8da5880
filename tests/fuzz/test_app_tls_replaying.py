"""Stored cases of the TLS lab are played together, and each has its own outcome."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fuzz.app import tls_replaying
from fuzz.config import RunOptions
from fuzz.errors import TargetUnavailable
from fuzz.lab.findings import stored_case
from fuzz.lab.options import LabOptions
from fuzz.records import Case, ReplayOutcome, TlsStep
from tlslab.registry import all_cases


def row(id_: str, outcome: str, *why: str) -> SimpleNamespace:
    return SimpleNamespace(id=id_, outcome=outcome, symptom=f"{id_} let in", title="", why=why)


def stored(id_: str) -> tuple[Path, Case]:
    return Path(f"{id_}.json"), stored_case(all_cases()[id_])


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[LabOptions]:
    """What the lab was asked for, one entry a run."""
    asked: list[LabOptions] = []
    rows = {
        "TS-31": row("TS-31", "passed"),
        "TS-32": row("TS-32", "failed", "it came in"),
        "TS-23": row("TS-23", "n/a", "no RSA"),
        "TC-13": row("TC-13", "passed"),
    }

    def tls(_options: RunOptions, lab: LabOptions, **_more: Any) -> tuple[Any, list[Any]]:
        asked.append(lab)
        return SimpleNamespace(rows=[rows[id_] for id_ in lab.only], facts=None), []

    monkeypatch.setattr(tls_replaying, "tls", tls)
    return asked


def replayed(*cases: tuple[Path, Case]) -> dict[str, tuple[ReplayOutcome, str]]:
    outcomes = tls_replaying.replay_handshakes(cases, RunOptions(), print, print)
    return {o.path.stem: (o.outcome, o.text) for o in outcomes}


def test_each_of_them_has_its_own_outcome(played: list[LabOptions]) -> None:
    assert replayed(stored("TS-31"), stored("TS-32"), stored("TS-23")) == {
        "TS-31": (ReplayOutcome.FIXED, "TS-31 passed"),
        "TS-32": (ReplayOutcome.REPRODUCED, "TS-32 let in"),
        "TS-23": (ReplayOutcome.NOT_RUN, "no RSA"),
    }


def test_those_of_one_side_are_one_run_of_the_lab(played: list[LabOptions]) -> None:
    replayed(stored("TS-31"), stored("TC-13"), stored("TS-32"))
    assert [(lab.only, lab.self_test) for lab in played] == [
        (("TS-31", "TS-32"), ""),
        (("TC-13",), "csms"),
    ]


def test_what_the_lab_does_not_know_is_not_run_and_stops_no_other(played: list[LabOptions]) -> None:
    path, case = stored("TS-31")
    strange = Case("x", case.side, (TlsStep("TS-00"),), case.expectation)
    assert replayed((Path("strange.json"), strange), (path, case)) == {
        "strange": (ReplayOutcome.NOT_RUN, "no case is called TS-00"),
        "TS-31": (ReplayOutcome.FIXED, "TS-31 passed"),
    }


def test_what_we_could_not_do_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def tls(*_given: Any, **_more: Any) -> None:
        raise TargetUnavailable("nobody came")

    monkeypatch.setattr(tls_replaying, "tls", tls)
    assert replayed(stored("TS-31")) == {"TS-31": (ReplayOutcome.NOT_RUN, "nobody came")}
