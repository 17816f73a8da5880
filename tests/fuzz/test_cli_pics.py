"""`pics` drafts and checks, and its exit code tells whether an answer is contradicted."""

from pathlib import Path

import pytest

from fuzz import app
from fuzz.cli import main
from fuzz.errors import TargetUnavailable


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def table(*rows):
    return app.Table("t", ("item", "declared"), tuple(app.Row(row) for row in rows), "a note")


def test_a_draft_names_its_file(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(
        app, "draft_pics", lambda o, file, sink: asked.append((o.listen, file)) or table(("a", "b"))
    )
    assert main(["pics", "draft", "--listen", "127.0.0.1:9000", "-o", "my.pics.toml"]) == 0
    assert asked == [("127.0.0.1:9000", Path("my.pics.toml"))]
    assert "a note" in capsys.readouterr().out


@pytest.mark.parametrize(("rows", "code"), [((), 0), ((("C-13", "No"),), 1)])
def test_a_contradiction_is_exit_1(monkeypatch, capsys, rows, code):
    monkeypatch.setattr(app, "check_pics", lambda file, o, sink: table(*rows))
    assert main(["pics", "check", "my.pics.toml", "--listen", "127.0.0.1:9000"]) == code
    assert ("C-13" in capsys.readouterr().out) == bool(rows)


def test_no_station_is_exit_3(monkeypatch, capsys):
    def nobody(file, options, sink):
        raise TargetUnavailable("nobody called")

    monkeypatch.setattr(app, "check_pics", nobody)
    assert main(["pics", "check", "x.toml"]) == 3
    assert capsys.readouterr().err == "error: nobody called\n"


def test_a_file_is_not_overwritten(tmp_path, capsys):
    (tmp_path / "my.toml").write_text("mine")
    assert main(["pics", "draft", "-o", "my.toml"]) == 2
    assert "my.toml exists" in capsys.readouterr().err
    assert (tmp_path / "my.toml").read_text() == "mine"


def test_show_pics_prints_every_section(capsys):
    assert main(["show", "pics", "ac-1evse-type2"]) == 0
    printed = capsys.readouterr().out
    for title in ("Hardware", "Core features", "Advanced Security", "Performance measurement"):
        assert f"ac-1evse-type2: {title}" in printed


def test_only_show_pics_takes_a_name(capsys):
    assert main(["show", "oracles", "x"]) == 2
    assert main(["show", "pics", "dc-2evse"]) == 2
    assert "dc-2evse-ccs1" in capsys.readouterr().err


def test_a_station_that_dials_in_is_not_built_of_a_pics_file(capsys, tmp_path):
    words = [
        "--listen",
        "127.0.0.1:9000",
        "--pics",
        "dc-2evse-ccs1",
        "-o",
        str(tmp_path / "x.toml"),
    ]
    assert main(["pics", "draft", *words]) == 2
    assert "--pics is what our own station is built of" in capsys.readouterr().err
