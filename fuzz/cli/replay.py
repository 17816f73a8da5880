"""`ocppfuzz replay`: stored cases again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fuzz import app
from fuzz.cli.options import (
    display_for,
    examples,
    judging_options,
    own_or_named,
    reports_from,
    reports_options,
    self_test_option,
    showing_options,
    target_flags,
    target_options,
)
from fuzz.records import ReplayOutcome
from fuzz.report.safe import safe
from fuzz.report.words import attacked

if TYPE_CHECKING:
    from fuzz.config import RunOptions
    from fuzz.report.terminal import Display


@click.command(
    name="replay",
    short_help="Play stored findings or cases again.",
    epilog=examples(
        "ocppfuzz replay findings/O4-1a2b3c4d --defect P05",
        "ocppfuzz replay findings --listen 127.0.0.1:9000 --identity CS-1",
        "ocppfuzz replay O4-1a2b3c4d.zip --defect P05",
        "ocppfuzz replay corpus/frames/empty-array.json",
        "ocppfuzz replay corpus --junit junit.xml --sarif ocppfuzz.sarif",
    ),
)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@self_test_option
@target_options
@judging_options
@showing_options
@reports_options
def command(paths: tuple[Path, ...], **given: Any) -> int:
    """Play stored findings or cases again: reproduced, fixed, changed, or not run.

    PATH is a finding's folder, a pack (.zip) that is verified first, a case file, or a folder of these. Exit code 1 when
    anything is reproduced or changed, 3 when something could not be run, 0 when all is fixed.

    Without a target it is our own embedded station that is attacked. What was found on another target is played there
    with --self-test or --defect only; else name that target again, here or in ocppfuzz.toml.

    A folder that `run` made remembers the outcome for `report html`. Nothing is written beside a finding, so there is no
    --capture-interface here: `run` and `regress` have it.
    """
    wanted, config = reports_from(given), given.get("config")
    options = own_or_named(given)
    with display_for(options) as display:
        replayed = _replay(paths, options, display, wanted, config)
    app.remember_replay(replayed)
    _print(replayed, as_json=options.json)
    return exit_code(replayed)


def _replay(
    paths: tuple[Path, ...],
    options: RunOptions,
    display: Display,
    wanted: dict[str, Path],
    config: Path | None,
) -> list[app.Replayed]:
    """The replay, with the wanted reports behind it."""
    if not wanted:
        return app.replay(paths, options, display)
    from fuzz.app.replay_results import ReplayHarvest
    from fuzz.app.reporting import desk, reporting

    harvest = ReplayHarvest(desk("replay", options, target_flags(options), config))
    with reporting(harvest, wanted):
        replayed = app.replay(paths, options, display, harvest.told)
        harvest.exit_code = exit_code(replayed)
    return replayed


def exit_code(replayed: Sequence[app.Replayed]) -> int:
    """1 when anything is still wrong, 3 when something is not known, 0 when all is fixed."""
    outcomes = {r.outcome for r in replayed}
    if outcomes & {ReplayOutcome.REPRODUCED, ReplayOutcome.CHANGED}:
        return 1
    return 3 if ReplayOutcome.NOT_RUN in outcomes or not outcomes else 0


def _print(replayed: Sequence[app.Replayed], *, as_json: bool) -> None:
    for one in replayed:
        if as_json:
            value = {"path": str(one.path), "outcome": one.outcome, "text": one.text}
            if one.facts is not None:
                value["attacked"] = attacked(one.facts)
            if one.expected:
                value |= {"expected": one.expected, "seen": one.seen}
            click.echo(json.dumps(value, sort_keys=True))
        else:
            text = f": {safe(one.text, 300)}" if one.text and not one.expected else ""
            click.echo(f"{one.outcome.value:<10}  {safe(str(one.path), 300)}{text}")
            if one.expected:
                click.echo(
                    f"  expected  {safe(one.expected, 300)}\n  seen      {safe(one.seen, 300)}"
                )
