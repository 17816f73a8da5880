"""The command line answers every mistake with one line and the right exit code."""

import subprocess
import sys

import click
import pytest

from fuzz import __version__, app
from fuzz.cli import COMMANDS, cli, main
from fuzz.config import ConfigError
from fuzz.errors import CaseFormatError, OcppfuzzError, StoreError, TargetUnavailable, UsageError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def fails_with(monkeypatch):
    def install(error: BaseException) -> None:
        def show(topic: str):
            raise error

        monkeypatch.setattr(app, "show", show)

    return install


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ocppfuzz {__version__}\n"


def test_without_a_command_the_help_is_printed(capsys):
    assert main([]) == 0
    assert "Attacks an OCPP 2.0.1 Charging Station or CSMS" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(capsys, command):
    assert main([command, "--help"]) == 0
    assert f"\n  Examples:\n    ocppfuzz {command}" in capsys.readouterr().out


def test_help_and_version_stay_quick():
    heavy = ("hypothesis", "scapy", "rich", "cryptography", "jsonschema_rs", "asyncio")
    program = (
        "import sys; from fuzz.cli import main\n"
        "for args in (['--version'], ['--help'], ['run', '--help'], ['serve', '--help']): main(args)\n"
        f"print('loaded:', [m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("loaded: []\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "error: unknown command 'rnu'; did you mean run?"),
        (["qqq"], "error: unknown command 'qqq'; known: init, run, "),
        (["run", "--tier", "fll"], "error: unknown tier: 'fll'; did you mean full?"),
        (["run", "--only", "Rset"], "error: unknown action: 'Rset'; did you mean Reset?"),
        (["run", "--sed", "1"], "error: No such option '--sed'"),
        (["run", "--seed", "x"], "error: Invalid value for '--seed'"),
        (["run", "--listen", "x"], "error: 'x' is not HOST:PORT"),
        (["run", "--listen", "192.0.2.1:9000"], "error: 192.0.2.1:9000 is beyond loopback"),
        (["run", "--config", "none.toml"], "error: cannot read none.toml"),
        (["replay"], "error: Missing argument 'PATH...'; see ocppfuzz replay --help"),
        (["show", "orcles"], "error: unknown topic 'orcles'; did you mean oracles?"),
    ],
)
def test_a_usage_error_is_one_line_and_exit_2(capsys, arguments, message):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TargetUnavailable("nobody came"), 3),
        (StoreError("disk full"), 3),
        (OcppfuzzError("other"), 3),
        (UsageError("no"), 2),
        (CaseFormatError("bad file"), 2),
        (ConfigError("bad key"), 2),
    ],
)
def test_what_we_could_not_do_is_one_line_with_its_exit_code(capsys, fails_with, error, code):
    fails_with(error)
    assert main(["show", "oracles"]) == code
    assert capsys.readouterr().err == f"error: {error}\n"


def test_what_a_target_said_is_made_safe_in_errors(capsys, fails_with):
    fails_with(TargetUnavailable("it said \x1b[2J\n"))
    main(["show", "oracles"])
    assert capsys.readouterr().err == "error: it said \\x1b[2J\\n\n"


def test_a_bug_of_ours_is_exit_3_and_says_where_to_go(capsys, fails_with):
    fails_with(ZeroDivisionError("oops"))
    assert main(["show", "oracles"]) == 3
    text = capsys.readouterr().err
    assert text.startswith(
        "error: a bug in ocppfuzz, no verdict on the target: ZeroDivisionError: oops"
    )
    assert "please report it" in text
    assert "Traceback" not in text


def test_a_traceback_is_shown_on_request_only(capsys, fails_with):
    fails_with(ZeroDivisionError("oops"))
    assert main(["--debug", "show", "oracles"]) == 3
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_ctrl_c_ends_with_130(capsys, fails_with, error):
    fails_with(error)
    assert main(["show", "oracles"]) == 130
    assert capsys.readouterr().err.strip() == "error: stopped; what was found so far is saved"


def test_the_commands_are_those_of_the_help():
    assert cli.list_commands(click.Context(cli)) == list(COMMANDS)


def test_a_reader_who_went_away_leaves_no_traceback():
    program = (
        f'{sys.executable} -c \'from fuzz.cli import main; main(["run", "--help"])\' | head -c 1'
    )
    done = subprocess.run(program, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""
