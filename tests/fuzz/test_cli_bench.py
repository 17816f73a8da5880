"""`bench` prints the tables of the app."""

from fuzz import app
from fuzz.cli import main

TABLE = app.Table("Things", ("id", "text"), (app.Row(("1", "one")),), "a note")


def test_bench_prints_its_tables(monkeypatch, capsys):
    monkeypatch.setattr(app, "bench", lambda options, sink: [TABLE])
    assert main(["bench"]) == 0
    assert capsys.readouterr().out == "Things\n\nid  text\n1   one\n\na note\n\n"
