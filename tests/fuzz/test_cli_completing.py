"""At Tab the shell is offered what the command would take, and nothing is imported before."""

import subprocess
import sys
from dataclasses import fields

import pytest
from click.shell_completion import ShellComplete

from fuzz.cli import COMMANDS, cli, completing, main
from fuzz.config import EFFECTS, PHASES, RunOptions, load_config


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def offered(line: str) -> list[str]:
    """What is offered for the last word of a command line, which may be empty."""
    *words, begun = line.split(" ")
    shell = ShellComplete(cli, {}, "ocppfuzz", "_OCPPFUZZ_COMPLETE")
    return [item.value for item in shell.get_completions(words, begun)]


def test_commands_and_their_subcommands_are_offered():
    assert offered("") == list(COMMANDS)
    assert offered("rep") == ["replay", "report"]
    assert offered("serve s") == ["station"]


def test_a_word_that_is_no_command_offers_commands_and_no_complaint():
    assert offered("rnu ") == list(COMMANDS)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run --pha", ["--phases"]),
        ("run --phases s", ["systematic", "stateful"]),
        ("run --phases stateful,s", ["stateful,systematic"]),
        ("run --phases ", list(PHASES)),
        ("run --oracles unan", ["unanswered-call"]),
        ("run --defect evse-", ["evse-index"]),
        ("run --defect evse-index,short-a", ["evse-index,short-array"]),
        ("run --only reset,Clearc", ["reset,ClearCache", "reset,ClearChargingProfile"]),
        ("run --tier ", ["sites", "full"]),
        ("run --edition 2", ["2025-09"]),
        ("run --security-profile ", ["0", "1", "2", "3"]),
        ("run --pics dc", ["dc-2evse-ccs1"]),
        ("serve station --pics ac", ["ac-1evse-type2"]),
        ("serve csms --defect cert-", ["cert-identity-unbound"]),
        ("run --defect cert-", ["cert-ops-insecure", "cert-install-no-answer"]),
        ("tls --self-test csms --defect cert-", ["cert-identity-unbound"]),
        ("tls --only TS-0", [f"TS-0{n}" for n in range(1, 10)]),
        ("tls --severity hi", ["high"]),
        ("regress --mode n", ["nightly"]),
        ("show co", ["coverage", "config-schema", "completion"]),
        ("explain process-d", ["process-death"]),
        ("init --strictness ", ["lenient", "usual", "strict"]),
    ],
)
def test_the_words_of_an_option_are_offered(line, words):
    assert offered(line) == words


@pytest.mark.parametrize(
    "line", ["run --pics ./my", "explain findings/O4", "run --ca r", "replay f"]
)
def test_where_a_file_is_meant_the_shell_looks_for_one(line):
    shell = ShellComplete(cli, {}, "ocppfuzz", "_OCPPFUZZ_COMPLETE")
    *words, begun = line.split(" ")
    assert [item.type for item in shell.get_completions(words, begun)] == ["file"]


@pytest.mark.parametrize(
    "option", ["--phases", "--allow", "--only", "--exclude", "--tier", "--edition"]
)
def test_what_is_offered_is_taken(option):
    field = {"--phases": "phases", "--allow": "allow", "--only": "only", "--exclude": "exclude"}
    words = offered(f"run {option} ")
    name = field.get(option, option.removeprefix("--"))
    assert name in {f.name for f in fields(RunOptions)}
    for word in words:
        load_config(None, {name: word if name in ("tier", "edition") else (word,)})
    assert set(words) <= set(EFFECTS[2:]) or option != "--allow"


def test_how_to_switch_it_on_is_told(capsys):
    assert main(["show", "completion"]) == 0
    told = capsys.readouterr().out
    for shell, file, line in completing.SHELLS:
        assert any(row.split() == [shell, file, *line.split()] for row in told.splitlines())


def test_a_word_is_looked_up_without_the_rest_of_the_product():
    program = (
        "import os, sys; from fuzz.cli import main\n"
        "os.environ |= {'_OCPPFUZZ_COMPLETE': 'bash_complete', 'COMP_WORDS': 'ocppfuzz run --pha', 'COMP_CWORD': '2'}\n"
        "try:\n    main([])\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('hypothesis', 'scapy', 'rich', 'cryptography', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "plain,--phases\n[]\n"
