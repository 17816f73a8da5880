"""`ocppfuzz corpus`: the cases that every campaign plays first, kept small, true and growing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fuzz import app
from fuzz.cli.options import (
    display_for,
    examples,
    json_option,
    judging_options,
    options_from,
    own_or_named,
    self_test_option,
    showing_options,
    target_options,
)
from fuzz.report.safe import safe

if TYPE_CHECKING:
    from fuzz.app.corpora import Checked, Merged

_PATH = click.Path(path_type=Path)

_corpus_option = click.option(
    "--corpus", "corpus_dir", type=_PATH, metavar="DIR", help="Default: ./corpus."
)
_config_option = click.option(
    "--config", "config", type=_PATH, metavar="FILE", help="Default: ./ocppfuzz.toml."
)
_by_content = click.option(
    "--by-content", is_flag=True, help="Play nothing; only what is equal counts as the same."
)


@click.group(
    name="corpus",
    short_help="Add, list, merge, check, promote and import cases.",
    epilog=examples(
        "ocppfuzz corpus list",
        "ocppfuzz corpus import station.log capture.pcapng --keylog keys.txt",
        "ocppfuzz corpus minimise",
        "ocppfuzz corpus check",
    ),
)
def command() -> None:
    """Keep the cases that every campaign plays first.

    One case a file, `<family>/<name>.json`. What a machine adds is named by its content, what people named stays.
    """


@command.command(
    name="add",
    short_help="Add case files or findings.",
    epilog=examples(
        "ocppfuzz corpus add my-case.json",
        "ocppfuzz corpus add findings/O4-1a2b3c4d --family field",
    ),
)
@click.argument("paths", nargs=-1, required=True, type=_PATH, metavar="PATH...")
@click.option("--family", default="", metavar="NAME", help="Default: as it was, or `added`.")
@_corpus_option
@_config_option
@json_option
def add(paths: tuple[Path, ...], family: str, **given: Any) -> int:
    """Add cases that the corpus does not hold yet; what is known by its wire is passed over."""
    options = options_from(given)
    _print(app.corpus_add(paths, options, family), as_json=options.json)
    return 0


@command.command(
    name="list",
    short_help="Show family, id, purpose and clause of every case.",
    epilog=examples(
        "ocppfuzz corpus list",
        "ocppfuzz corpus list --corpus nightly --json",
    ),
)
@_corpus_option
@_config_option
@json_option
def list_(**given: Any) -> int:
    """Show every case with what it is for, and how many there are."""
    options = options_from(given)
    found = app.corpus_list(options)
    if options.json:
        for one in found:
            value = {
                "family": one.family,
                "id": one.id,
                "purpose": one.purpose,
                "clause": one.clause,
            }
            click.echo(json.dumps(value, sort_keys=True))
        return 0
    for one in found:
        click.echo(
            f"{safe(one.family, 30):<14}{safe(one.id, 80)}: {safe(one.purpose, 160)} [{safe(one.clause, 80)}]"
        )
    families = Counter(one.family for one in found)
    counted = ", ".join(f"{safe(name, 30)} {count}" for name, count in sorted(families.items()))
    click.echo(f"{len(found)} cases{': ' if counted else ''}{counted}")
    return 0


@command.command(
    name="merge",
    short_help="Add what shows something new from other corpora.",
    epilog=examples(
        "ocppfuzz corpus merge ../other/corpus",
        "ocppfuzz corpus merge nightly --listen 127.0.0.1:9000 --identity CS-1",
    ),
)
@click.argument("sources", nargs=-1, required=True, type=_PATH, metavar="DIR...")
@_corpus_option
@_by_content
@target_options
@judging_options
@showing_options
@json_option
def merge(sources: tuple[Path, ...], by_content: bool, **given: Any) -> int:
    """Play the cases, and add the smallest of those that make the target show something new.

    What is shown: states, answer classes and statuses, how connections end, what oracles object to. Played on the embedded
    station unless a target is named. What cannot be played counts as new unless it is equal. Killed, it goes on when it
    is called again.
    """
    options = options_from(given)
    with display_for(options) as display:
        done = app.corpus_merge(sources, options, display, by_content=by_content)
    _print(done, as_json=options.json)
    return 0


@command.command(
    name="minimise",
    short_help="Take away what shows nothing of its own.",
    epilog=examples(
        "ocppfuzz corpus minimise --by-content",
        "ocppfuzz corpus minimise --listen 127.0.0.1:9000 --identity CS-1",
    ),
)
@_corpus_option
@_by_content
@target_options
@judging_options
@showing_options
@json_option
def minimise(by_content: bool, **given: Any) -> int:
    """Keep the smallest set of cases with the same behaviours. Hand-named cases and regressions stay."""
    options = options_from(given)
    with display_for(options) as display:
        done = app.corpus_minimise(options, display, by_content=by_content)
    _print(done, as_json=options.json)
    return 0


@command.command(
    name="check",
    short_help="Prove that every case says what it claims.",
    epilog=examples(
        "ocppfuzz corpus check",
        "ocppfuzz corpus check --corpus nightly --no-play",
    ),
)
@_corpus_option
@click.option("--no-play", is_flag=True, help="Look at the files only.")
@target_options
@judging_options
@showing_options
@json_option
def check(no_play: bool, **given: Any) -> int:
    """Prove that every case is well formed, unique, named rightly, and true of the healthy embedded station.

    Exit code 1 when any is not, 3 when there is none.
    """
    options = options_from(given)
    with display_for(options) as display:
        checked = app.corpus_check(options, display, play=not no_play)
    _print_checked(checked, as_json=options.json)
    return 1 if checked.problems else 0 if checked.cases else 3


@command.command(
    name="promote",
    short_help="Move a fixed finding into the regression corpus.",
    epilog=examples(
        "ocppfuzz corpus promote findings/O4-1a2b3c4d --listen 127.0.0.1:9000 --identity CS-1",
        "ocppfuzz corpus promote findings/O4-1a2b3c4d --unverified",
    ),
)
@click.argument("path", type=_PATH, metavar="FINDING")
@_corpus_option
@click.option("--unverified", is_flag=True, help="Do not play it first.")
@click.option("--name", default="", metavar="NAME", help="Default: as the finding's folder.")
@self_test_option
@target_options
@judging_options
@showing_options
def promote(path: Path, unverified: bool, name: str, **given: Any) -> int:
    """Play a finding, and when it is fixed, move its case into the family `regression`."""
    options = own_or_named(given)
    with display_for(options) as display:
        written = app.corpus_promote(path, options, display, unverified=unverified, name=name)
    click.echo(f"promoted  {safe(str(written), 300)}")
    return 0


@command.command(
    name="import",
    short_help="Make cases of recorded traffic.",
    epilog=examples(
        "ocppfuzz corpus import messages.jsonl",
        "ocppfuzz corpus import csms.log --recorded-by csms",
        "ocppfuzz corpus import capture.pcapng --keylog keys.txt",
    ),
)
@click.argument("paths", nargs=-1, required=True, type=_PATH, metavar="FILE...")
@_corpus_option
@click.option("--keylog", type=_PATH, metavar="FILE", help="TLS secrets (CLIENT_RANDOM lines).")
@click.option(
    "--recorded-by",
    type=click.Choice(["station", "csms"]),
    help="Whose log it is, where it only says send and receive.",
)
@_config_option
@json_option
def import_(
    paths: tuple[Path, ...], keylog: Path | None, recorded_by: str | None, **given: Any
) -> int:
    """Make cases of what was recorded: JSON lines, logs of the `ocpp` package, HAR, pcap or pcapng.

    What a station said becomes cases for a CSMS, what a CSMS said cases for a station. messageIds become slots; identities,
    tokens, serial numbers, certificates, passwords and addresses become placeholders. A JSON line is
    {"direction": "station->csms", "message": [2, ...], "connection": "CS-1"}; direction may be send or receive.
    """
    options = options_from(given)
    done = app.corpus_import(
        paths, options, keylog=keylog, recorded_by=recorded_by, told=_tell_progress
    )
    _print(done, as_json=options.json)
    return 0


def _tell_progress(path: Path, percent: int) -> None:
    click.echo(f"{safe(str(path), 200)}: {percent} % read", err=True)


def _print(done: Merged, *, as_json: bool) -> None:
    if as_json:
        value = {
            "added": [str(p) for p in done.added],
            "removed": [str(p) for p in done.removed],
            "known": done.known,
            "played": done.played,
            "passed_over": done.passed_over,
        }
        click.echo(json.dumps(value, sort_keys=True))
        return
    for path in done.added:
        click.echo(f"added     {safe(str(path), 300)}")
    for path in done.removed:
        click.echo(f"removed   {safe(str(path), 300)}")
    for reason, count in sorted(done.passed_over.items()):
        click.echo(f"passed over, {count} times: {safe(reason, 300)}")
    click.echo(
        f"{len(done.added)} added, {len(done.removed)} removed, {done.known} known before, "
        f"{done.played} played"
    )


def _print_checked(checked: Checked, *, as_json: bool) -> None:
    if as_json:
        value = {
            "cases": checked.cases,
            "played": checked.played,
            "problems": [{"path": str(p.path), "text": p.text} for p in checked.problems],
            "not_played": [{"path": str(p.path), "text": p.text} for p in checked.not_played],
        }
        click.echo(json.dumps(value, sort_keys=True))
        return
    for problem in checked.problems:
        click.echo(f"wrong       {safe(str(problem.path), 300)}: {safe(problem.text, 500)}")
    for problem in checked.not_played:
        click.echo(f"not played  {safe(str(problem.path), 300)}: {safe(problem.text, 300)}")
    click.echo(f"{checked.cases} cases, {checked.played} played, {len(checked.problems)} wrong")
