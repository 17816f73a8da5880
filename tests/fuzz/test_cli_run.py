"""`run` hands the options over, shows events, and exits with the verdict."""

import json
from pathlib import Path

import pytest

from fuzz import app
from fuzz.cli import main
from fuzz.cli.options import campaign_flags, target_flags
from fuzz.config import RunOptions
from fuzz.errors import TargetUnavailable
from fuzz.records import CampaignEnded, Note, Side, Summary, TargetFacts

SUMMARY = Summary(TargetFacts(Side.STATION), 7, 5, 1.0, (), (), 0, {}, {}, (), (), 0)


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def asked(monkeypatch):
    """The options that the app was given; the campaign ends at once without a finding."""
    seen: list[RunOptions] = []

    def run(options, sink):
        seen.append(options)
        sink(Note("hello"))
        sink(CampaignEnded(SUMMARY))
        return SUMMARY

    monkeypatch.setattr(app, "run", run)
    return seen


def test_without_flags_the_defaults_are_asked_for(asked, capsys):
    assert main(["run"]) == 0
    assert asked == [RunOptions()]
    assert capsys.readouterr().out.startswith("hello\n\nNO FINDING: 5 cases in 1 s, seed 7.\n")


def test_every_flag_reaches_its_option(asked):
    flags = (
        "--seed 3 --max-time 9 --max-cases 8 --max-exchanges 6 --fail-fast --phases replay,generated --tier sites --only Reset "
        "--only GetLog,ClearCache --exclude ClearCache --allow persistent --corpus . --resume "
        "--listen 127.0.0.1:9000 --identity CS-1 --security-profile 2 --ca a --cert b --key c "
        "--password-file p --start-cmd s --restart-cmd r --on-stuck o --operator person --unattended --wait 7 --strict "
        "--catcher 127.0.0.1:8088 "
        "--edition 2025-09 --findings f --quiet --no-color"
    )
    assert main(["run", *flags.split()]) == 0
    assert asked == [
        RunOptions(
            seed=3,
            max_time_s=9,
            max_cases=8,
            max_exchanges=6,
            fail_fast=True,
            phases=("replay", "generated"),
            tier="sites",
            only=("Reset", "GetLog", "ClearCache"),
            exclude=("ClearCache",),
            allow=("persistent",),
            corpus_dir=Path(),
            resume=True,
            listen="127.0.0.1:9000",
            identity="CS-1",
            security_profile=2,
            ca=Path("a"),
            cert=Path("b"),
            key=Path("c"),
            password_file=Path("p"),
            start_cmd="s",
            restart_cmd="r",
            on_stuck="o",
            operator="person",
            unattended=True,
            wait_s=7,
            catcher="127.0.0.1:8088",
            strict=True,
            edition="2025-09",
            findings_dir=Path("f"),
            quiet=True,
            color=False,
        )
    ]


def test_defects_are_planted_in_the_embedded_station(asked):
    main(["run", "--defect", "P01,P02", "--decoy", "D-1"])
    assert (asked[0].defects, asked[0].decoys) == (("P01", "P02"), ("D-1",))


def test_the_file_is_read_and_flags_lie_over_it(asked):
    Path("other.toml").write_text("[run]\nseed = 1\nquiet = true\n")
    main(["run", "--config", "other.toml", "--seed", "2"])
    assert (asked[0].seed, asked[0].quiet) == (2, True)


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_exit_code_is_the_verdict(monkeypatch, code):
    summary = Summary(TargetFacts(Side.STATION), 7, 5, 1.0, (), (), 0, {}, {}, (), (), code)
    monkeypatch.setattr(app, "run", lambda options, sink: summary)
    assert main(["run"]) == code


def test_json_has_stdout_for_itself(asked, capsys):
    assert main(["run", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["seed"] == 7
    assert captured.err.startswith("\nNO FINDING")


def test_a_plan_sends_nothing(monkeypatch, asked, capsys):
    rows = (
        app.PlanRow("systematic", 9_187, 1, 0),
        app.PlanRow("generated", None, None, 2, "until the budget ends"),
    )
    plan = app.Plan(
        "embedded reference station",
        rows,
        not_asked=(("effect: Reset", 1),),
        max_time_s=60.0,
        notes=("Times assume.",),
    )
    monkeypatch.setattr(app, "plan", lambda options: plan)
    assert main(["run", "--plan"]) == 0
    assert asked == []
    assert (
        capsys.readouterr().out
        == """\
Plan for embedded reference station; nothing was sent. Time: at most 60 s.

phase       cases      reconnects  hand actions
systematic  9,187      1           0
generated   by budget  by budget   2             until the budget ends

Not asked

cases  reason
1      effect: Reset

Times assume.
"""
    )


def test_the_flags_that_name_the_target_again_are_quoted_for_a_shell():
    options = RunOptions(
        listen="127.0.0.1:9000", identity="CS 1", start_cmd="./a; b", security_profile=1
    )
    assert target_flags(options) == (
        "--listen 127.0.0.1:9000 --identity 'CS 1' --security-profile 1 --start-cmd './a; b'"
    )
    assert target_flags(RunOptions()) == ""
    assert target_flags(RunOptions(defects=("P01", "P02"))) == "--defect P01,P02"


def test_the_next_command_asks_for_the_same_cases_and_keeps_quiet_about_defaults():
    assert campaign_flags(RunOptions()) == ""
    options = RunOptions(
        phases=("systematic",),
        only=("Reset", "SetVariables"),
        strict=True,
        findings_dir=Path("my findings"),
    )
    assert campaign_flags(options) == (
        "--phases systematic --only Reset,SetVariables --strict --findings 'my findings'"
    )


def test_reports_are_written_beside_what_is_shown(asked, capsys):
    assert main(["run", "--junit", "out/j.xml", "--json", "out/r.json"]) == 0
    assert json.loads(Path("out/r.json").read_text())["seed"] == 7
    assert Path("out/j.xml").read_text().startswith("<?xml")
    assert "NO FINDING" in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_told_before_the_target_is_attacked(asked, capsys):
    assert main(["run", "--sarif", "."]) == 2
    assert main(["run", "--sarif", "x", "--markdown", "x"]) == 2
    assert asked == []
    assert capsys.readouterr().err == (
        "error: --sarif . is no file; name one\n"
        "error: --sarif and --markdown both name x; give each its own file\n"
    )


def test_a_target_that_never_came_is_reported_too(monkeypatch):
    def gone(options, sink):
        raise TargetUnavailable("nobody called")

    monkeypatch.setattr(app, "run", gone)
    assert main(["run", "--json", "r.json", "--listen", "127.0.0.1:9000"]) == 3
    told = json.loads(Path("r.json").read_text())
    assert (told["exit_code"], told["reason"]) == (3, "nobody called")
    assert told["target"]["url"] == "127.0.0.1:9000"


def test_a_plan_has_no_report(asked, capsys):
    assert main(["run", "--plan", "--junit", "j.xml"]) == 2
    assert "a plan has no report" in capsys.readouterr().err


def test_a_pics_file_that_is_none_is_told_before_anybody_waits(capsys):
    assert main(["run", "--listen", "127.0.0.1:9000", "--pics", "nobody"]) == 2
    assert "unknown PICS file 'nobody'" in capsys.readouterr().err
