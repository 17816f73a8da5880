"""`ocppfuzz diff`: two configuration files in, disagreements out."""

import json
from pathlib import Path

import pytest

from fuzz import app
from fuzz.app.differing import Difference, Disagreement
from fuzz.cli import main
from fuzz.testing import case


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    paths = tmp_path / "old.toml", tmp_path / "new.toml"
    for path, identity in zip(paths, ("OLD", "NEW"), strict=True):
        path.write_text(f'[target]\nlisten = "127.0.0.1:0"\nidentity = "{identity}"\n')
    return str(paths[0]), str(paths[1])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int | None]]:
    seen: list[tuple[str, str, int | None]] = []

    def diff(first, second, sink):
        seen.append((first.identity, second.identity, first.max_cases))
        found = Disagreement("payload:type:number", "refused", "accepted", 7, case())
        return Difference(("old one", "new one"), 9, (found,) if first.max_cases != 1 else ())

    monkeypatch.setattr(app, "diff", diff)
    return seen


def test_disagreements_are_printed_and_are_exit_code_1(asked, files, capsys):
    assert main(["diff", *files]) == 1
    assert asked == [("OLD", "NEW", None)]
    out = capsys.readouterr().out
    assert "First:  old one\nSecond: new one\n" in out
    assert "7 of 9 cases differ." in out


def test_agreement_is_exit_code_0(asked, files, capsys):
    assert main(["diff", *files, "--max-cases", "1"]) == 0
    assert asked == [("OLD", "NEW", 1)]
    assert "0 of 9 cases differ." in capsys.readouterr().out


def test_a_program_can_read_it(asked, files, capsys):
    assert main(["diff", *files, "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["disagreements"]
    assert (found["kind"], found["count"]) == ("payload:type:number", 7)


def test_a_file_that_is_not_there_is_a_usage_error(files, capsys):
    assert main(["diff", files[0], "/no/such.toml"]) == 2
    assert "no/such.toml" in capsys.readouterr().err
