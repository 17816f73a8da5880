"""`bench` prints the tables of the app."""

from pathlib import Path

from fuzz import app
from fuzz.cli import main

TABLE = app.Table("Things", ("id", "text"), (app.Row(("1", "one")),), "a note")


def test_bench_prints_its_tables(monkeypatch, capsys):
    monkeypatch.setattr(app, "bench", lambda options, sink: [TABLE])
    assert main(["bench"]) == 0
    assert capsys.readouterr().out == "Things\n\nid  text\n1   one\n\na note\n\n"


def test_bench_tls_prints_its_tables_and_hands_on_where_sslyze_is(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(app, "bench_tls", lambda sslyze: asked.append(sslyze) or [TABLE])
    assert main(["bench", "tls", "--sslyze", "venv/bin/python"]) == 0
    assert capsys.readouterr().out == "Things\n\nid  text\n1   one\n\na note\n\n"
    monkeypatch.setenv("OCPPFUZZ_SSLYZE", "other/python")
    assert main(["bench", "tls"]) == 0
    assert asked == [Path("venv/bin/python"), Path("other/python")]


def test_an_environment_without_sslyze_is_a_usage_error(capsys, tmp_path):
    assert main(["bench", "tls", "--sslyze", str(tmp_path / "nothing")]) == 2
    assert "cannot run sslyze with" in capsys.readouterr().err


def test_bench_record_prints_its_tables(monkeypatch, capsys):
    monkeypatch.setattr(app, "bench_record", lambda: [TABLE])
    assert main(["bench", "record"]) == 0
    assert capsys.readouterr().out == "Things\n\nid  text\n1   one\n\na note\n\n"
