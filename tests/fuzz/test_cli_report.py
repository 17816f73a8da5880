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
