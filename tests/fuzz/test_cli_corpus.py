"""`corpus` says what became of each case, in lines or as JSON, with nothing of a file unescaped."""

import json
from pathlib import Path

import pytest

from fuzz import app
from fuzz.app.corpora import Checked, Listed, Merged, Problem
from fuzz.cli import main


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def answers(monkeypatch):
    """Lets one function of the app answer with a value, and keeps what it was asked."""
    asked: list[tuple[tuple[object, ...], dict[str, object]]] = []

    def install(name: str, value: object):
        def function(*given: object, **named: object) -> object:
            asked.append((given, named))
            return value

        monkeypatch.setattr(app, name, function)
        return asked

    return install


MERGED = Merged([Path("c/a\x1b.json")], [Path("c/b.json")], 3, 4, {"odd\x07": 2})


@pytest.mark.parametrize(
    ("words", "function"),
    [
        (["add", "x"], "corpus_add"),
        (["merge", "x"], "corpus_merge"),
        (["minimise"], "corpus_minimise"),
        (["import", "x"], "corpus_import"),
    ],
)
def test_what_changes_a_corpus_tells_every_file_and_what_it_passed_over(
    capsys, answers, words: list[str], function: str
) -> None:
    answers(function, MERGED)
    assert main(["corpus", *words]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 added, 1 removed, 3 known before, 4 played"
    assert "passed over, 2 times: odd" in out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert main(["corpus", *words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "added": ["c/a\x1b.json"],
        "removed": ["c/b.json"],
        "known": 3,
        "played": 4,
        "passed_over": {"odd\x07": 2},
    }


def test_a_list_counts_by_family(capsys, answers) -> None:
    answers("corpus_list", [Listed("f", "a", "why\x1b", "B01"), Listed("g", "b", "x", "y")])
    assert main(["corpus", "list"]) == 0
    first, _, last = capsys.readouterr().out.splitlines()
    assert first.split() == ["f", "a:", *first.split()[2:]]
    assert "\x1b" not in first
    assert first.endswith("[B01]")
    assert last == "2 cases: f 1, g 1"


@pytest.mark.parametrize(
    ("checked", "code", "last"),
    [
        (Checked(2, 2, ()), 0, "2 cases, 2 played, 0 wrong"),
        (Checked(2, 1, (Problem(Path("a"), "bad"),)), 1, "2 cases, 1 played, 1 wrong"),
        (Checked(0, 0, ()), 3, "0 cases, 0 played, 0 wrong"),
        (Checked(1, 0, (), (Problem(Path("a"), "csms"),)), 0, "1 cases, 0 played, 0 wrong"),
    ],
)
def test_a_check_fails_where_anything_is_wrong(
    capsys, answers, checked: Checked, code: int, last: str
) -> None:
    asked = answers("corpus_check", checked)
    assert main(["corpus", "check", "--no-play"]) == code
    assert capsys.readouterr().out.splitlines()[-1] == last
    assert asked[0][1] == {"play": False}
    assert main(["corpus", "check", "--json"]) == code
    assert json.loads(capsys.readouterr().out)["cases"] == checked.cases


def test_a_promotion_tells_where_the_case_lies(capsys, answers) -> None:
    asked = answers("corpus_promote", Path("corpus/regression/x.json"))
    assert main(["corpus", "promote", "findings/O4-1", "--unverified", "--name", "x"]) == 0
    assert capsys.readouterr().out == "promoted  corpus/regression/x.json\n"
    assert asked[0][1] == {"unverified": True, "name": "x"}


@pytest.mark.parametrize(
    "words",
    [
        ["import", "none.log"],
        ["import"],
        ["import", "x", "--recorded-by", "nobody"],
        ["import", "x", "--keylog", "none"],
        ["add", "none.json"],
        ["merge", "none"],
        ["minimise", "--corpus", "none"],
        ["check", "--corpus", "none"],
        ["promote", "none"],
        ["list", "--corpus", "none"],
        ["grow"],
    ],
)
def test_a_mistake_is_one_line_and_code_2(capsys, words: list[str]) -> None:
    assert main(["corpus", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")


@pytest.mark.parametrize(
    "data", [b"\x00\x01", b"\x0a\x0d\x0d\x0a" + b"\xff" * 60, b"\xd4\xc3\xb2\xa1\x02"]
)
def test_a_hostile_file_is_one_line_and_code_2(capsys, tmp_path, data: bytes) -> None:
    (tmp_path / "hostile").write_bytes(data)
    assert main(["corpus", "import", "hostile"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: hostile: ")
