"""`record` hands over what it was told, and shows and judges what came of it."""

import json
from pathlib import Path

import pytest

from fuzz import app
from fuzz.app.recording import Recorded, Sighting
from fuzz.cli import main
from fuzz.records import Basis, Severity, Side, Violation

ASKED = ("record", "--listen", "127.0.0.1:9000", "--target", "ws://c/{identity}")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def recorded(monkeypatch):
    """Lets the command record this, and gives the options that it was told."""
    done = Recorded(connections=2, refused=1)
    done.stations["CS-\x1b[2J1"] = None
    done.messages.update({Side.STATION: 3, Side.CSMS: 2})
    done.files.append(Path("recorded/CS-1.jsonl"))
    told: list[app.RecordOptions] = []

    def record(options, tell):
        told.append(options)
        for kind in ("ready", "connection", "seen", "trouble"):
            tell(kind, f"{kind} \x1b[31m")
        return done

    monkeypatch.setattr(app, "record", record)
    return done, told


def seen(done: Recorded, *, remark: bool = False) -> None:
    found = Violation(
        "O6", "invalid-payload", Basis.SCHEMA, Severity.MEDIUM, "s", "t", remark=remark
    )
    done.seen["CS-1", Side.STATION, "O6", "s"] = Sighting("CS-1", Side.STATION, found, "f:1", 4)


def test_lines_and_a_summary_are_shown_with_nothing_of_a_terminal_in_them(recorded, capsys):
    assert main([*ASKED]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.splitlines() == [
        *(f"{kind} \\x1b[31m" for kind in ("ready", "connection", "seen", "trouble")),
        "2 connections of 1 station, 1 refused, 5 messages",
        "seen: 0 violations, 0 remarks",
        "next: ocppfuzz corpus import recorded/CS-1.jsonl --corpus corpus",
    ]


def test_quiet_leaves_out_who_comes_and_goes(recorded, capsys):
    assert main([*ASKED, "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "connection \\x1b" not in out
    assert "seen \\x1b" in out


def test_json_is_alone_on_stdout(recorded, capsys):
    done, _ = recorded
    seen(done)
    assert main([*ASKED, "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["messages"] == {"station": 3, "csms": 2}
    assert outcome["files"] == ["recorded/CS-1.jsonl"]
    assert [(s["oracle"], s["side"], s["times"]) for s in outcome["seen"]] == [("O6", "station", 4)]


@pytest.mark.parametrize(
    ("flags", "remark", "code"),
    [
        ((), False, 0),
        (("--fail-on", "medium"), False, 1),
        (("--fail-on", "high"), False, 0),
        (("--fail-on", "schema"), False, 1),
        (("--fail-on", "info"), True, 0),
    ],
)
def test_what_was_seen_fails_a_build_only_where_it_is_asked_to(recorded, flags, remark, code):
    seen(recorded[0], remark=remark)
    assert main([*ASKED, *flags]) == code


def test_what_could_not_be_recorded_is_our_failure(recorded):
    recorded[0].trouble.append("disk full")
    assert main([*ASKED]) == 3


def test_a_bar_that_nobody_knows_is_a_usage_error(recorded, capsys):
    assert main([*ASKED, "--fail-on", "awful"]) == 2
    assert recorded[1] == []
    assert "'awful'" in capsys.readouterr().err


def test_every_option_is_handed_over(recorded):
    flags = (
        "--recorded r --cert c --key k --ca a --upstream-ca ua --upstream-cert uc --upstream-key uk"
    )
    assert main([*ASKED, *flags.split(), "--max-time", "2.5"]) == 0
    files = {n: Path(v) for n, v in zip(("folder", "cert", "key", "ca"), "rcka", strict=True)}
    upstream = {f"upstream_{n}": Path(v) for n, v in (("ca", "ua"), ("cert", "uc"), ("key", "uk"))}
    expected = app.RecordOptions(
        "127.0.0.1:9000", "ws://c/{identity}", max_time_s=2.5, **files, **upstream
    )
    assert recorded[1] == [expected]


def test_what_was_recorded_is_imported_at_the_end(recorded, tmp_path, capsys):
    (tmp_path / "recorded").mkdir()
    said = {
        "direction": "csms->station",
        "connection": "CS-1",
        "message": '[2,"1","ClearCache",{}]',
    }
    (tmp_path / "recorded" / "CS-1.jsonl").write_text(json.dumps(said) + "\n")
    assert main([*ASKED, "--corpus", "mine"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "corpus: 1 case added, 0 known before"
    assert len(list((tmp_path / "mine").glob("*/*.json"))) == 1
