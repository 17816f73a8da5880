"""Every command in README, docs and `--help` is one that the command line takes, and every page can be reached.

Lines with a `$` before them are run by tests/e2e/test_docs.py too, but for those of `console`, which take too long.
"""

import contextlib
import re
import shlex
from dataclasses import fields
from pathlib import Path

import click
import pytest
import yaml

from fuzz.cli import cli
from fuzz.config import RunOptions, load_config

ROOT = Path(__file__).parents[2]
PAGES = (
    "bench",
    "ci",
    "reports",
    "bug-report",
    "certificates",
    "campaigns",
    "tls-lab",
    "reference-station",
    "corpus",
)
TEXTS = {name: ROOT / name for name in ("README.md", *(f"docs/{page}.md" for page in PAGES))}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
SPAN = re.compile(r"`(ocppfuzz [^`\n]+)`")
ENDS = ("&", "|", ";", ">", "2>&1")


def commands(text: str):
    """The words of every `ocppfuzz ...` in a block, without what a shell makes of the rest of the line."""
    blocks = "\n".join(
        body for language, body in FENCE.findall(text) if language in ("", "sh", "console")
    )
    lines = re.sub(r"\\\n\s*", " ", blocks).splitlines()
    yield from _words(line.removeprefix("$ ") for line in lines)


def mentions(text: str):
    """The words of every `ocppfuzz ...` in the midst of a sentence, where arguments may be left out."""
    yield from _words(SPAN.findall(FENCE.sub("", text)))


def _words(lines):
    for line in lines:
        if line.startswith("ocppfuzz ") and "..." not in line:
            words = shlex.split(line, comments=True)[1:]
            end = next((n for n, word in enumerate(words) if word in ENDS), len(words))
            yield words[:end]


ALL = [(name, words) for name, file in TEXTS.items() for words in commands(file.read_text())]
MENTIONED = [(name, words) for name, file in TEXTS.items() for words in mentions(file.read_text())]


def every_command(command=cli, path=("ocppfuzz",)):
    """The words that lead to each command and subcommand, and the command."""
    yield path, command
    context = click.Context(command)
    names = command.list_commands(context) if isinstance(command, click.Group) else ()
    for name in names:
        yield from every_command(command.get_command(context, name), (*path, name))


COMMANDS = [pytest.param(path, c, id=" ".join(path)) for path, c in every_command()]


def shown_examples(command):
    """The examples of a command's help, without the remark behind two spaces."""
    lines = (command.epilog or "").partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
    return [line.strip().partition("  ")[0] for line in lines]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OCPPFUZZ_PASSWORD", raising=False)


def parsed(words: list[str]) -> click.Context:
    """The innermost context of a command that is parsed, and not run. Raises what click raises."""
    for word in words:
        if re.fullmatch(r"[\w.-]+\.toml", word):
            Path(word).touch()  # two commands want to see their files
    context = cli.make_context("ocppfuzz", list(words))
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest:
            break
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    return context


def named(pairs):
    return pytest.mark.parametrize(
        ("name", "words"), pairs, ids=[f"{name}: {shlex.join(words)}" for name, words in pairs]
    )


@named(ALL)
def test_a_command_that_is_written_down_is_one_and_its_options_go_together(name, words):
    given = {k: v for k, v in parsed(words).params.items() if v not in (None, (), False)}
    if words[0] in ("init", "serve", "pki", "show", "explain", "diff", "record"):
        return
    # What the file of such a reader says: who may be attacked, and where.
    said = {"authorized": True, "identity": "CS-1"}
    if not {"listen", "target", "defects", "self_test"} & set(given):
        said["listen"] = "127.0.0.1:9000"
    known = {field.name for field in fields(RunOptions)}
    load_config(None, said | {k: v for k, v in given.items() if k in known})


@named(MENTIONED)
def test_a_command_that_is_mentioned_is_one(name, words):
    with contextlib.suppress(click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        parsed(words)


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_command_says_what_its_options_are_for_and_shows_examples(path, command):
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert [option.name for option in options if not option.help] == []
    examples = shown_examples(command)
    assert any(example.startswith(" ".join(path)) for example in examples)
    for example in examples:
        words = shlex.split(example)
        assert words[0] == "ocppfuzz"
        if "COMMAND" not in words:
            parsed(words[1:])


@pytest.mark.parametrize(
    "words",
    [["run", "--sed", "1"], ["rum"], ["replay"], ["pki", "creat"], ["tls", "--severity", "x"]],
)
def test_a_command_that_is_none_would_be_seen(words):
    with pytest.raises(click.ClickException):
        parsed(words)


def test_enough_is_looked_at():
    assert len(ALL) > 60
    assert len(MENTIONED) > 20
    assert {name for name, _ in ALL} == set(TEXTS)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_reached_from_the_readme(page):
    assert (
        f"(docs/{page}.md)" in TEXTS["README.md"].read_text().partition("A run ends like this")[0]
    )


def test_links_between_texts_lead_somewhere():
    for file in TEXTS.values():
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text()):
            assert (file.parent / target).is_file(), f"{file.name}: {target}"


def test_no_other_page_lies_in_docs():
    assert sorted(f.stem for f in (ROOT / "docs").glob("*.md")) == sorted(PAGES)


def test_what_the_job_gives_to_the_action_is_asked_for_there():
    (workflow,) = [
        b for lang, b in FENCE.findall(TEXTS["docs/ci.md"].read_text()) if lang == "yaml"
    ]
    (_, step) = yaml.safe_load(workflow)["jobs"]["fuzz"]["steps"]
    assert set(step["with"]) <= set(yaml.safe_load((ROOT / "action.yml").read_text())["inputs"])


def test_every_picture_is_shown_and_made_by_the_script():
    shown = {
        (file.parent / picture).resolve()
        for file in TEXTS.values()
        for picture in re.findall(r"\]\(([^)]*pictures/[^)]+)\)", file.read_text())
    }
    assert shown == set((ROOT / "docs/pictures").iterdir())
    script = (ROOT / "tests/make_pictures.py").read_text()
    assert [file for file in shown if f'"{file.name}"' not in script] == []
