"""`replay` and `shrink` say what became of each stored case."""

import json
from pathlib import Path

import pytest

from fuzz import app
from fuzz.cli import main
from fuzz.records import (
    Basis,
    Case,
    Finding,
    Naming,
    ReplayOutcome,
    Severity,
    Side,
    TargetFacts,
    Violation,
)
from fuzz.store import save_finding
from strategies.labels import Expectation, Stance, Tier

REPRODUCED, FIXED, CHANGED, NOT_RUN = (
    ReplayOutcome.REPRODUCED,
    ReplayOutcome.FIXED,
    ReplayOutcome.CHANGED,
    ReplayOutcome.NOT_RUN,
)


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def played(monkeypatch):
    """Lets the app answer with these outcomes, and keeps the paths that it was asked for."""
    asked: list[object] = []

    def install(*outcomes: ReplayOutcome):
        def replay(paths, options, sink):
            asked.append((paths, options.defects))
            return [app.Replayed(Path(f"f/{n}"), o, "why\x1b") for n, o in enumerate(outcomes)]

        monkeypatch.setattr(app, "replay", replay)
        return asked

    return install


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((FIXED, FIXED), 0),
        ((FIXED, REPRODUCED), 1),
        ((CHANGED,), 1),
        ((NOT_RUN, REPRODUCED), 1),
        ((NOT_RUN, FIXED), 3),
        ((), 3),
    ],
)
def test_the_exit_code_tells_the_worst_outcome(played, outcomes, code):
    played(*outcomes)
    assert main(["replay", "x"]) == code


def test_each_case_is_one_line(played, capsys):
    asked = played(REPRODUCED, NOT_RUN)
    main(["replay", "a", "b", "--defect", "P01"])
    assert asked == [((Path("a"), Path("b")), ("P01",))]
    assert capsys.readouterr().out == "reproduced  f/0: why\\x1b\nnot run     f/1: why\\x1b\n"


def test_each_case_is_one_object_for_programs(played, capsys):
    played(FIXED)
    main(["replay", "a", "--json"])
    assert json.loads(capsys.readouterr().out) == {
        "path": "f/0",
        "outcome": "fixed",
        "text": "why\x1b",
    }


def test_reports_are_written_of_what_was_played_before_an_interrupt(monkeypatch):
    def replay(paths, options, sink, told):
        told(app.Replayed(Path("a"), FIXED, "why"))
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "replay", replay)
    assert main(["replay", "a", "b", "--ndjson", "r.ndjson"]) == 130
    events = [json.loads(line) for line in Path("r.ndjson").read_text().splitlines()]
    assert [e["event"] for e in events] == ["begin", "check", "end"]
    assert (events[1]["name"], events[1]["status"]) == ("a", "passed")
    assert (events[2]["exit_code"], events[2]["reason"]) == (130, "stopped before its end")


def test_a_file_that_cannot_be_read_is_named(capsys):
    assert main(["replay", "none.json"]) == 2
    assert capsys.readouterr().err.startswith("error: none.json: cannot be read: No such file")


@pytest.mark.parametrize(("outcome", "code"), [(REPRODUCED, 0), (FIXED, 0), (NOT_RUN, 3)])
def test_shrink_is_given_the_folder_and_enough_time(monkeypatch, tmp_path, capsys, outcome, code):
    asked: list[object] = []

    def shrink(path, options, sink):
        asked.append((path, options.max_time_s))
        return app.Replayed(path, outcome, "12 characters now")

    monkeypatch.setattr(app, "shrink", shrink)
    (tmp_path / "O1-1").mkdir()
    (tmp_path / "O1-1" / "case.json").touch()
    assert main(["shrink", "O1-1/case.json"]) == code
    assert main(["shrink", "O1-1", "--max-time", "5"]) == code
    assert asked == [(tmp_path / "O1-1", 600.0), (tmp_path / "O1-1", 5.0)]
    assert capsys.readouterr().out == f"{outcome.value}: 12 characters now\n" * 2


def test_what_changed_is_shown_beside_what_was_expected(monkeypatch, capsys):
    changed = app.Replayed(Path("f/1"), CHANGED, "now b, was a", expected="a\x1b", seen="b")
    monkeypatch.setattr(app, "replay", lambda *_: [changed])
    assert main(["replay", "x"]) == 1
    assert capsys.readouterr().out == "changed     f/1\n  expected  a\\x1b\n  seen      b\n"
    main(["replay", "x", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["expected"], told["seen"]) == ("a\x1b", "b")


def test_a_pack_that_was_changed_is_one_line_and_nothing_is_played(tmp_path, capsys):
    pack = tmp_path / "p.zip"
    pack.write_bytes(b"PK no more")
    assert main(["replay", str(pack)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {pack}: it is no whole zip file")


@pytest.fixture
def elsewhere(tmp_path):
    """A finding of a station that somebody else started."""
    case = Case("c", Side.STATION, (), Expectation(Stance.REJECT, Tier.RPC))
    silence = Violation("O4", "unanswered-call", Basis.SHALL, Severity.MEDIUM, "no answer", "t")
    named = Naming(listen="127.0.0.1:9000", identity="CS-1")
    facts = TargetFacts(Side.STATION, identity="CS-1", security_profile=1, naming=named)
    return save_finding(Finding("1a2b3c4d5e6f7081", silence, case, case, facts), tmp_path)


@pytest.mark.parametrize("command", [["replay"], ["shrink"], ["corpus", "promote"]])
def test_what_was_found_elsewhere_is_not_played_on_our_own_station_unasked(
    elsewhere, capsys, command
):
    assert main([*command, str(elsewhere)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert "--listen 127.0.0.1:9000 --identity CS-1 --security-profile 1" in line
    assert "--self-test" in line


def test_our_own_station_is_named_by_a_flag_over_the_target_of_the_file(monkeypatch, tmp_path):
    asked = []

    def replay(paths, options, sink):
        asked.append((options.listen, options.self_test))
        return [app.Replayed(Path("a"), FIXED, "")]

    monkeypatch.setattr(app, "replay", replay)
    (tmp_path / "ocppfuzz.toml").write_text('[target]\nlisten = "127.0.0.1:9000"\n')
    main(["replay", "a"])
    main(["replay", "a", "--self-test"])
    assert asked == [("127.0.0.1:9000", False), (None, True)]


def test_our_own_station_and_another_target_are_not_both_named(capsys):
    assert main(["replay", "a", "--self-test", "--listen", "127.0.0.1:0"]) == 2
    assert "leave --listen and --target away" in capsys.readouterr().err
