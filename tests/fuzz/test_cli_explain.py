"""`explain` reads like this."""

from fuzz import app
from fuzz.app.meaning import Explanation
from fuzz.cli import main

TOLD = Explanation(
    "unanswered-call (O4)",
    "Every CALL is answered.",
    "Because. " * 15,
    ("Part 4", "Part 2"),
    "CWE-703",
    "somewhere",
    "answer once",
    ("it says \x1b[2J",),
)
GOLDEN = """\
unanswered-call (O4)

Found    it says \\x1b[2J
Holds    Every CALL is answered.
Why      Because. Because. Because. Because. Because. Because. Because. Because. Because. Because.
         Because. Because. Because. Because. Because.
Written  Part 4
         Part 2
         CWE-703
Seen     somewhere
Fix      answer once
"""


def test_an_explanation_reads_like_this(monkeypatch, capsys):
    monkeypatch.setattr(app, "explain", lambda name: TOLD)
    assert main(["explain", "O4"]) == 0
    assert capsys.readouterr().out == GOLDEN


def test_what_is_unknown_is_one_line_with_the_nearest_name(capsys):
    assert main(["explain", "zombi"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "nearest: zombie (O5)" in line
