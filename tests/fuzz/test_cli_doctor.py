"""`doctor` tells what it saw, or what to check."""

from pathlib import Path

import pytest

import fuzz
from fuzz import app
from fuzz.cli import main
from fuzz.cli.doctor import shadowing


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_doctor_prints_what_it_saw(monkeypatch, capsys):
    seen = app.Diagnosis(True, (("identity", "CS-1\x1b"), ("TLS version", "TLSv1.2")))
    monkeypatch.setattr(app, "doctor", lambda options, sink: seen)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out == "identity     CS-1\\x1b\nTLS version  TLSv1.2\n"


def test_doctor_says_what_to_check_when_nobody_called(monkeypatch, capsys):
    waited: list[float] = []

    def doctor(options, sink):
        waited.append(options.wait_s)
        return app.Diagnosis(False, (), ("is it powered?",))

    monkeypatch.setattr(app, "doctor", doctor)
    assert main(["doctor", "--listen", "127.0.0.1:9000"]) == 3
    assert main(["doctor", "--listen", "127.0.0.1:9000", "--wait", "5"]) == 3
    assert waited == [60.0, 5.0]
    assert capsys.readouterr().out == "check: is it powered?\n" * 2


def test_a_check_is_one_line_with_what_to_do_next(monkeypatch, capsys):
    checks = (
        app.Check("TCP", "answers"),
        app.Check("name", "made for *.x", "mend it"),
        app.Check("clock", "5 h\x1b[2J behind", "set it\n", ok=False),
    )
    monkeypatch.setattr(app, "doctor", lambda options, sink: app.Diagnosis(False, (), (), checks))
    assert main(["doctor", "--target", "ws://127.0.0.1:1/{identity}", "--identity", "CS-1"]) == 3
    assert capsys.readouterr().out.splitlines() == [
        "ok    TCP    answers",
        "odd   name   made for *.x; next: mend it",
        "FAIL  clock  5 h\\x1b[2J behind; next: set it\\n",
    ]


def test_doctor_warns_of_a_folder_that_hides_our_package(tmp_path):
    assert shadowing(tmp_path) is None
    (tmp_path / "fuzz").mkdir()
    assert shadowing(tmp_path) == tmp_path / "fuzz"
    assert shadowing(Path(fuzz.__file__).parents[1]) is None
