"""The journal of the lab: what was finished is known after a break, of the same run only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fuzz.errors import StoreError
from fuzz.lab.journal import FILE, Journal
from fuzz.report.tls import TlsRow

ROW = TlsRow("TS-31", "validity", "t", "passed", "high", "S1", ("A00.FR.308",), ("TC_A_05_CS",))


def test_what_was_finished_is_known_afterwards(tmp_path: Path) -> None:
    Journal(tmp_path, "embedded", resume=False).add(ROW)
    assert Journal(tmp_path, "embedded", resume=True).rows == {"TS-31": ROW}
    assert Journal(tmp_path, "embedded", resume=True).rows == {"TS-31": ROW}


def test_another_run_begins_anew(tmp_path: Path) -> None:
    Journal(tmp_path, "embedded", resume=False).add(ROW)
    assert Journal(tmp_path, "another", resume=True).rows == {}


def test_a_look_at_some_cases_costs_nothing_that_is_known(tmp_path: Path) -> None:
    Journal(tmp_path, "embedded", resume=False).add(ROW)
    look = Journal(tmp_path, "embedded", resume=False, anew=False)
    assert look.rows == {}
    look.add(replace(ROW, id="TS-32"))
    assert set(Journal(tmp_path, "embedded", resume=True).rows) == {"TS-31", "TS-32"}


def test_without_resume_nothing_is_known(tmp_path: Path) -> None:
    Journal(tmp_path, "embedded", resume=False).add(ROW)
    assert Journal(tmp_path, "embedded", resume=False).rows == {}


@pytest.mark.parametrize("broken", ['{"id": "TS', "[]", "null", '{"id": 1}', "\x00"])
def test_a_line_that_a_kill_cut_off_counts_for_nothing(tmp_path: Path, broken: str) -> None:
    Journal(tmp_path, "embedded", resume=False).add(ROW)
    with (tmp_path / FILE).open("a") as file:
        file.write(broken)
    assert Journal(tmp_path, "embedded", resume=True).rows == {"TS-31": ROW}


def test_a_finished_run_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "embedded", resume=False)
    journal.finished()
    journal.finished()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        Journal(tmp_path / "file", "embedded", resume=False)
