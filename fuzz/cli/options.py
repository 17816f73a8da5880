"""The flags that several commands share, and how they become `RunOptions`.

A flag's destination is the field that it sets. Checks of values belong into `fuzz.config`.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fuzz.cli import completing
from fuzz.config import PHASES, RunOptions, load_config

if TYPE_CHECKING:
    from fuzz.app import Plan
    from fuzz.report.terminal import Display

F = TypeVar("F", bound=Callable[..., Any])


def examples(*lines: str) -> str:
    """The epilog of a command: one example a line, as `--help` shows it."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


_PATH = click.Path(path_type=Path)
STDOUT = "-"


def _words(ctx: click.Context, option: click.Parameter, value: Iterable[str]) -> tuple[str, ...]:
    """`--only A,B --only C` means A, B and C."""
    return tuple(word.strip() for text in value for word in text.split(",") if word.strip())


def _many(
    name: str,
    field: str,
    metavar: str,
    help_: str,
    words: Callable[[click.Context], completing.Words],
) -> Callable[[F], F]:
    return click.option(
        name,
        field,
        metavar=metavar,
        multiple=True,
        callback=_words,
        shell_complete=completing.completes(words, many=True),
        help=f"{help_} Repeatable, or A,B.",
    )


_END: list[Callable[[Any], Any]] = [
    click.option(
        "--config", "config", type=_PATH, metavar="FILE", help="Default: ./ocppfuzz.toml."
    ),
    click.option("--identity", metavar="ID", help="Identity of the station, ours or theirs."),
    click.option(
        "--security-profile",
        shell_complete=completing.completes(completing.security_profiles),
        type=int,
        metavar="0-3",
        help="0: ws:// without password.",
    ),
    click.option("--ca", type=_PATH, metavar="FILE", help="Root certificate of the peer (PEM)."),
    click.option("--cert", type=_PATH, metavar="FILE", help="Our certificate (PEM)."),
    click.option("--key", type=_PATH, metavar="FILE", help="Our private key (PEM)."),
    click.option("--password-file", type=_PATH, metavar="FILE", help="Or set OCPPFUZZ_PASSWORD."),
    _many("--defect", "defects", "NAME", "Plant a defect in our station.", completing.defects),
    _many("--decoy", "decoys", "NAME", "Let our station be odd, but legal.", completing.decoys),
]

_TARGET: list[Callable[[Any], Any]] = [
    click.option("--listen", metavar="HOST:PORT", help="Wait here for a station to attack."),
    click.option("--target", metavar="URL", help="Attack a CSMS: ws(s)://host/path/{identity}."),
    *_END,
    click.option(
        "--pics",
        shell_complete=completing.completes(completing.pics, files=True),
        metavar="FILE|NAME",
        help="PICS file of the station: what it claims.",
    ),
    click.option("--start-cmd", metavar="CMD", help="Command that starts the target."),
    click.option("--restart-cmd", metavar="CMD", help="Command, or http://..., that restarts it."),
    click.option(
        "--on-stuck",
        metavar="HOW",
        help="Who brings it back when it stays away: a command, or http://... to post to.",
    ),
    click.option(
        "--operator",
        metavar="HOW",
        help="Who plugs in and presents tokens: cmd:COMMAND, http://..., class:MODULE:NAME, person.",
    ),
    click.option("--unattended", is_flag=True, default=None, help="Ask no person for anything."),
    click.option(
        "--catcher", metavar="HOST:PORT", help="Address of ours that injections make it call."
    ),
    click.option("--wait", "wait_s", type=float, metavar="S", help="How long to wait for it."),
]

_JUDGING: list[Callable[[Any], Any]] = [
    click.option("--strict", is_flag=True, default=None, help="Remarks count as findings."),
    _many(
        "--oracles",
        "oracles",
        "ORACLE",
        "Only these may speak; `ocppfuzz show oracles`.",
        completing.oracles,
    ),
    click.option(
        "--edition",
        shell_complete=completing.completes(completing.editions),
        metavar="ED",
        help="Text that decides: ed3 (default) or 2025-09.",
    ),
    _many(
        "--allow", "allow", "EFFECT", "persistent, lock-out, energise, one-way.", completing.effects
    ),
    click.option(
        "--findings", "findings_dir", type=_PATH, metavar="DIR", help="Default: ./findings."
    ),
]

_SHOWING: list[Callable[[Any], Any]] = [
    click.option(
        "--quiet", is_flag=True, default=None, help="Confirmed findings and the end only."
    ),
    click.option("--color/--no-color", default=None, help="Default: where the terminal can."),
]


def _campaign(seed: str, max_time: str, phases: str, tier: str) -> list[Callable[[Any], Any]]:
    """What every campaign may be told; commands differ in what they do where nothing is said."""
    return [
        click.option("--seed", type=int, metavar="N", help=seed),
        click.option("--max-time", "max_time_s", type=float, metavar="S", help=max_time),
        click.option("--max-cases", type=int, metavar="N", help="Stop after so many cases."),
        click.option(
            "--max-exchanges", type=int, metavar="N", help="Stop after so many exchanged messages."
        ),
        _many("--phases", "phases", "PHASE", f"{', '.join(PHASES)}{phases}.", completing.phases),
        click.option(
            "--tier",
            shell_complete=completing.completes(completing.tiers),
            metavar="TIER",
            help=tier,
        ),
        _many("--only", "only", "ACTION", "Only these actions.", completing.actions),
        _many("--exclude", "exclude", "ACTION", "All actions but these.", completing.actions),
        click.option(
            "--corpus",
            "corpus_dir",
            type=_PATH,
            metavar="DIR",
            help="Default: ./corpus, else ours.",
        ),
    ]


_PLAN = click.option(
    "--plan", is_flag=True, default=None, help="Say what would be sent; send nothing."
)

_CAMPAIGN: list[Callable[[Any], Any]] = [
    *_campaign(
        seed="Default: drawn, and printed.",
        max_time="Seconds; 60, or none with a number of cases or exchanges.",
        phases="",
        tier="full (default), or sites: one operator each.",
    ),
    click.option(
        "--fail-fast", is_flag=True, default=None, help="Stop at the first confirmed finding."
    ),
    click.option(
        "--resume", is_flag=True, default=None, help="Go on where a campaign was stopped."
    ),
    _PLAN,
]

_BUILD = _campaign(
    seed="Default: 0, so that each build is the same; drawn at night, and printed.",
    max_time="Seconds for the whole build; 1800, with --mode nightly 3600.",
    phases=" (default: the first two, with --mode nightly all)",
    tier="sites (default): one operator each; full, which is the default of --mode nightly.",
)
_BUILD.append(_PLAN)


_REPORTS: list[Callable[[Any], Any]] = [
    click.option("--junit", type=_PATH, metavar="FILE", help="Write JUnit XML: Jenkins, GitLab."),
    click.option("--sarif", type=_PATH, metavar="FILE", help="Write SARIF: GitHub code scanning."),
    click.option(
        "--json",
        is_flag=False,
        flag_value=STDOUT,
        metavar="[FILE]",
        help="Write everything as JSON; without FILE, or with -, the outcome on stdout.",
    ),
    click.option("--ndjson", type=_PATH, metavar="FILE", help="Write the same, an object a line."),
    click.option("--markdown", type=_PATH, metavar="FILE", help="Write a pull request's comment."),
    click.option(
        "--gitlab-codequality", type=_PATH, metavar="FILE", help="Write GitLab's Code Quality."
    ),
    click.option("--html", type=_PATH, metavar="FILE", help="Write one page to look at."),
]
"""In the order in which `fuzz.report.files` names them."""


def _all_of(options: list[Callable[[Any], Any]]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


end_options = _all_of(_END)
target_options = _all_of(_TARGET)
json_option = click.option(
    "--json", is_flag=True, default=None, help="The outcome as JSON on stdout."
)
reports_options = _all_of(_REPORTS)
judging_options = _all_of(_JUDGING)
showing_options = _all_of(_SHOWING)
campaign_options = _all_of(_CAMPAIGN)
build_options = _all_of(_BUILD)
capture_option = click.option(
    "--capture-interface",
    metavar="NAME",
    help="Keep real packets of this interface, in private/; needs the right to capture.",
)
"""For commands that write findings; `replay` writes none."""

self_test_option = click.option(
    "--self-test",
    "self_test",
    is_flag=True,
    default=None,
    help="Play on our own station what was found on another target.",
)
"""For commands that play stored findings; `own_or_named` reads it."""


def options_from(given: dict[str, Any], **defaults: object) -> RunOptions:
    """The options of the configuration file with the given flags over it. Raises `ConfigError`."""
    config = given.pop("config", None)
    flags = {name: value for name, value in given.items() if value not in (None, ())}
    return load_config(config, defaults | flags)


def own_or_named(given: dict[str, Any], **defaults: object) -> RunOptions:
    """`options_from` for stored findings: with `--self-test` the target of the file is not meant."""
    if given.get("self_test"):
        if given.get("listen") or given.get("target"):
            raise click.UsageError(
                "--self-test means our own station; leave --listen and --target away"
            )
        defaults |= dict.fromkeys(("listen", "target", "start_cmd", "restart_cmd"))
    return options_from(given, **defaults)


def reports_from(given: dict[str, Any]) -> dict[str, Path]:
    """Take the report files out of the given flags, by format; `--json` without a file stays behind as a flag."""
    names = ("junit", "sarif", "json", "ndjson", "markdown", "gitlab_codequality", "html")
    named = {name.replace("_", "-"): given.pop(name, None) for name in names}
    if named["json"] == STDOUT:
        given["json"], named["json"] = True, None
    wanted = {name: Path(file) for name, file in named.items() if file is not None}
    for name, file in wanted.items():
        if str(file) == STDOUT:
            raise click.UsageError(f"--{name} goes into a file; only --json can be printed")
    if wanted and given.get("plan"):
        raise click.UsageError(f"a plan has no report; leave --{next(iter(wanted))} away")
    return wanted


def display_for(options: RunOptions) -> Display:
    """Where events are shown: stdout, or stderr when stdout is for JSON."""
    from fuzz.report.terminal import Context, make_display
    from fuzz.report.words import reached_of

    return make_display(
        sys.stderr if options.json else sys.stdout,
        Context(
            options.findings_dir,
            target_flags(options),
            campaign_flags(options),
            reached_of(options.only, options.exclude),
        ),
        quiet=options.quiet or options.json,
        color=options.color,
    )


def target_flags(options: RunOptions) -> str:
    """The flags that name the same target again, as a shell reads them."""
    given: list[tuple[str, object]] = [
        ("--listen", options.listen),
        ("--target", options.target),
        ("--identity", options.identity or None),
        ("--security-profile", None if _as_default(options) else options.security_profile),
        ("--ca", options.ca),
        ("--cert", options.cert),
        ("--key", options.key),
        ("--password-file", options.password_file),
        ("--pics", options.pics),
        ("--start-cmd", options.start_cmd),
        ("--restart-cmd", options.restart_cmd),
        ("--operator", options.operator),
        ("--catcher", options.catcher),
        ("--defect", ",".join(options.defects) or None),
        ("--decoy", ",".join(options.decoys) or None),
        ("--self-test", "" if options.self_test else None),
    ]
    return _spelt(given)


def campaign_flags(options: RunOptions) -> str:
    """The flags that ask for the same cases again, where they are not the defaults: `--resume` compares them."""
    usual = RunOptions()
    names = ("phases", "tier", "only", "exclude", "strict", "oracles", "edition", "allow")
    folders = {"corpus_dir": "--corpus", "findings_dir": "--findings"}
    given = [
        (folders.get(name, f"--{name}"), getattr(options, name))
        for name in (*names, *folders)
        if getattr(options, name) != getattr(usual, name)
    ]
    return _spelt([(flag, _value(value)) for flag, value in given])


def _value(value: object) -> object:
    match value:
        case tuple():
            return ",".join(value)
        case True:
            return ""
        case _:
            return value


def _spelt(given: Iterable[tuple[str, object]]) -> str:
    """Flags as a shell reads them; None is left out, "" stands for a flag without a value."""
    return " ".join(
        f"{flag} {shlex.quote(str(value))}" if value != "" else flag
        for flag, value in given
        if value is not None
    )


def _as_default(options: RunOptions) -> bool:
    return options.embedded and options.security_profile == RunOptions().security_profile


def print_table(
    title: str, headings: Iterable[str], rows: Iterable[Iterable[str]], note: str = ""
) -> None:
    """Print a table to stdout."""
    from fuzz.report.tables import table_lines

    made = table_lines(title, tuple(headings), [tuple(r) for r in rows], note)
    for line in made:
        click.echo(line.text)


def print_plan(plan: Plan, options: RunOptions) -> None:
    """Print a plan to stdout, as JSON where that is asked for."""
    if options.json:
        click.echo(json.dumps(asdict(plan), sort_keys=True))
        return
    rows = [
        (row.phase, _number(row.cases), _number(row.reconnects), str(row.hand_actions), row.note)
        for row in plan.rows
    ]
    time = "no limit" if plan.max_time_s is None else f"at most {plan.max_time_s:g} s"
    print_table(
        f"Plan for {plan.target}; nothing was sent. Time: {time}.",
        ("phase", "cases", "reconnects", "hand actions", ""),
        rows,
    )
    if plan.not_asked:
        click.echo()
        counts = [(f"{count:,}", reason) for reason, count in plan.not_asked]
        print_table("Not asked", ("cases", "reason"), counts)
    if plan.notes:
        click.echo()
    for note in plan.notes:
        click.echo(note)


def _number(value: int | None) -> str:
    return "by budget" if value is None else f"{value:,}"
