"""`show` prints a registry as a table."""

import re
from pathlib import Path

from fuzz import app
from fuzz.app import glossary, showing
from fuzz.cli import main, show
from fuzz.config import PHASES

TABLE = app.Table("Things", ("id", "text"), (app.Row(("1", "one")),), "a note")


def test_show_prints_a_table(monkeypatch, capsys):
    monkeypatch.setattr(app, "show", {"oracles": TABLE}.__getitem__)
    assert main(["show", "oracles"]) == 0
    assert capsys.readouterr().out == "Things\n\nid  text\n1   one\n\na note\n"


def test_the_topics_of_the_help_are_those_that_there_are(capsys):
    assert {*show.TOPICS} == {*showing.TOPICS, "pics", "config-schema", "completion"}
    assert main(["show", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"TOPIC is one of {', '.join(show.TOPICS)}; NAME" in told


def test_the_words_fit_on_a_screen(capsys):
    assert main(["show", "words"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 100
    assert [line for line in lines if "`" in line] == []
    assert any(line.split()[:2] == ["oracle", "one"] for line in lines)


def test_the_words_of_the_readme_are_these():
    text = (Path(__file__).parents[2] / "README.md").read_text().partition("\n## Words\n")[2]
    _, *rows = re.findall(r"^\| (.+?) \| (.+) \|$", text, re.M)
    assert dict(rows) == {"---": "---", **glossary.WORDS}


def test_the_phases_of_the_words_are_all_of_them():
    told = glossary.plain(glossary.WORDS["phase"]).partition(": ")[2]
    assert tuple(told.split(", ")) == PHASES


def test_the_schema_of_the_configuration_is_printed_as_it_is(capsys):
    assert main(["show", "config-schema"]) == 0
    assert capsys.readouterr().out == app.config_schema_text()
