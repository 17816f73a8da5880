"""`init` asks five questions, or none, and ends with the next two commands."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fuzz.app import beginning
from fuzz.cli import init, main
from fuzz.config import load_config


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def asked(typed: str, *arguments: str):
    return CliRunner().invoke(init.command, arguments, input=typed, standalone_mode=False)


def test_with_yes_nothing_is_asked_and_the_next_commands_come_last(capsys):
    assert main(["init", "--yes"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "wrote ocppfuzz.toml, and ocppfuzz.schema.json beside it for editors",
        "the Basic password is not in it: export OCPPFUZZ_PASSWORD=...",
        "Next:",
        "  ocppfuzz doctor",
        "  ocppfuzz run",
    ]
    assert load_config().listen == "127.0.0.1:9000"
    assert json.loads(Path("ocppfuzz.schema.json").read_text())["title"] == "ocppfuzz.toml"


def test_five_questions_are_asked_and_enter_takes_the_default():
    done = asked("\n\n\n\n\n")
    assert [line for line in done.output.splitlines() if "?" in line] == [
        "What do you want to attack?",
        "Where do we wait for it (HOST:PORT)? [127.0.0.1:9000]: ",
        "Identity of the station? [CS-1]: ",
        "Which security profile?",
        "How strict?",
    ]
    assert load_config().security_profile == 1


def test_certificates_are_asked_for_where_there_are_some():
    done = asked("csms\nwss://127.0.0.1/{identity}\nCS-9\n3\nroot.pem\na.pem\na.key\nstrict\n")
    assert done.exception is None, done.output
    options = load_config()
    assert (options.target, options.identity, options.security_profile, options.strict) == (
        "wss://127.0.0.1/{identity}",
        "CS-9",
        3,
        True,
    )
    assert (options.ca, options.cert, options.key) == (
        Path("root.pem"),
        Path("a.pem"),
        Path("a.key"),
    )


def test_what_cannot_be_is_asked_again():
    done = asked("satelite\nstation\n9000\n127.0.0.1:9001\n\n5\n1\n\n")
    assert "'satelite' is not possible here; write one of station, csms, embedded" in done.output
    assert "'9000' is not HOST:PORT" in done.output
    assert load_config().listen == "127.0.0.1:9001"


def test_what_options_answer_is_not_asked():
    done = asked(
        "usual\n",
        "--listen",
        "127.0.0.1:9001",
        "--identity",
        "CS-2",
        "--security-profile",
        "2",
        "--certificates",
        "lab",
    )
    assert done.output.splitlines()[0] == "How strict?"
    assert load_config().identity == "CS-2"


def test_beyond_loopback_a_person_must_say_yes():
    refused = asked("\n0.0.0.0:9000\n\nn\n")
    assert "nothing is written" in str(refused.exception)
    assert not Path("ocppfuzz.toml").exists()
    assert asked("\n0.0.0.0:9000\n\ny\n\n\n").exception is None
    assert load_config().authorized


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--yes", "--listen", "0.0.0.0:9000"], "Give --authorized if you may attack it"),
        (["--yes", "--listen", "x:1", "--target", "ws://x"], "name different sides"),
        (["--yes", "--side", "csms", "--security-profile", "3"], "write one of 1, 0"),
        (["--yes", "--ca", "root.pem"], "leave --ca away"),
        (["--yes", "--identity", "a:b"], "identity 'a:b' is none"),
        (["--side", "ship"], "Invalid value for '--side'"),
        ([], "the input ended before the last question; --yes"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_nothing_is_written(
    capsys, monkeypatch, arguments, said
):
    monkeypatch.setattr("click.termui.visible_prompt_func", _nobody)
    assert main(["init", *arguments]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("error: ") == 1
    assert list(Path().iterdir()) == []


def _nobody(_=""):
    raise EOFError


def test_another_file_is_named_in_the_next_commands(capsys):
    assert main(["init", "--yes", "--side", "embedded", "-o", "a b.toml"]) == 0
    assert capsys.readouterr().out.endswith(
        "Next:\n  ocppfuzz doctor --config 'a b.toml'\n  ocppfuzz run --config 'a b.toml'\n"
    )
    assert main(["init", "--yes", "-o", "a b.toml"]) == 2
    assert main(["init", "--yes", "-o", "a b.toml", "--force"]) == 0


def test_the_words_of_the_options_are_those_of_the_questions():
    assert (
        tuple(beginning.SIDES),
        tuple(beginning.CERTIFICATES),
        tuple(beginning.STRICTNESS),
    ) == (init.SIDES, init.CERTIFICATES, init.STRICTNESS)
