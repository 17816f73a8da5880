"""`report pack` says where the pack lies and how it is told apart."""

from pathlib import Path

import pytest

from fuzz import app
from fuzz.cli import main


@pytest.fixture
def packed(monkeypatch):
    asked = []

    def pack_finding(folder, output, *, embargo):
        asked.append((folder, output, embargo))
        return Path("O4-1\x1b.zip"), "ab" * 32

    monkeypatch.setattr(app, "pack_finding", pack_finding)
    return asked


def test_a_pack_is_named_with_its_digest(packed, capsys):
    assert main(["report", "pack", "findings/O4-1"]) == 0
    assert capsys.readouterr().out == f"O4-1\\x1b.zip\nSHA-256 {'ab' * 32}\n"
    assert packed == [(Path("findings/O4-1"), None, "")]


def test_output_and_embargo_are_handed_on(packed):
    main(["report", "pack", "f", "-o", "x.zip", "--embargo", "until May"])
    assert packed == [(Path("f"), Path("x.zip"), "until May")]


def test_a_folder_that_is_no_finding_is_one_line(tmp_path, capsys):
    assert main(["report", "pack", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {tmp_path} is no folder of a finding")


def test_the_help_says_where_a_pack_is_left_and_that_it_need_not_be_committed(capsys):
    assert main(["report", "pack", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "left in the present folder" in told
    assert "need not be committed" in told


# --- html -------------------------------------------------------------------------------------------------


@pytest.fixture
def looked(monkeypatch):
    asked = []

    def look_at(paths, output, csv, *, compare):
        asked.append((paths, output, csv, compare))
        return output, True

    monkeypatch.setattr(app, "look_at", look_at)
    return asked


def test_the_page_is_made_of_the_usual_folder_and_named(looked, capsys):
    assert main(["report", "html"]) == 0
    assert capsys.readouterr() == ("ocppfuzz-report.html\n", "")
    assert looked == [((Path("findings"),), Path("ocppfuzz-report.html"), None, False)]


def test_folders_are_compared_in_the_order_given(looked):
    assert main(["report", "html", "--compare", "a", "b", "-o", "x.html"]) == 0
    assert looked == [((Path("a"), Path("b")), Path("x.html"), None, True)]


def test_a_table_of_several_folders_is_refused(looked, capsys):
    assert main(["report", "html", "--compare", "a", "b", "--csv", "x.csv"]) == 2
    assert "--csv is about one folder" in capsys.readouterr().err
    assert looked == []


def test_without_the_plotting_library_it_says_how_to_get_pictures(monkeypatch, capsys):
    monkeypatch.setattr(app, "look_at", lambda *_, **__: (Path("x.html"), False))
    assert main(["report", "html"]) == 0
    assert "pip install 'ocppfuzz[report]'" in capsys.readouterr().err
