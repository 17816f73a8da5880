"""`show` prints a registry as a table."""

from fuzz import app
from fuzz.cli import main

TABLE = app.Table("Things", ("id", "text"), (app.Row(("1", "one")),), "a note")


def test_show_prints_a_table(monkeypatch, capsys):
    monkeypatch.setattr(app, "show", {"oracles": TABLE}.__getitem__)
    assert main(["show", "oracles"]) == 0
    assert capsys.readouterr().out == "Things\n\nid  text\n1   one\n\na note\n"
