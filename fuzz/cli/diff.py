"""`ocppfuzz diff`: where two targets, or two versions of one, disagree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fuzz import app
from fuzz.cli.options import display_for, examples, json_option, print_table, showing_options
from fuzz.config import load_config
from fuzz.report.safe import safe

if TYPE_CHECKING:
    from fuzz.app.differing import Difference

_CONFIG = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(
    name="diff",
    short_help="Play the same cases on two targets, and tell where they disagree.",
    epilog=examples(
        "ocppfuzz diff old-firmware.toml new-firmware.toml",
        "ocppfuzz diff one.toml other.toml --max-cases 500",
    ),
)
@click.argument("first", type=_CONFIG, metavar="FIRST.toml")
@click.argument("second", type=_CONFIG, metavar="SECOND.toml")
@click.option("--max-cases", type=click.IntRange(1), metavar="N", help="Only so many cases.")
@showing_options
@json_option
def command(first: Path, second: Path, max_cases: int | None, **given: Any) -> int:
    """Ask two targets the same, each described by a configuration file; 1 when they disagree."""
    flags: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if max_cases is not None:
        flags["max_cases"] = max_cases
    here, there = load_config(first, flags), load_config(second, flags)
    with display_for(here) as display:
        found = app.diff(here, there, display)
    if here.json:
        click.echo(json.dumps(_plain(found), sort_keys=True))
    else:
        _print(found)
    return 1 if found.disagreements else 0


def _print(found: Difference) -> None:
    for name, who in zip(("First: ", "Second:"), found.targets, strict=True):
        click.echo(f"{name} {who}")
    click.echo()
    rows = [
        (f"{d.count:,}", d.kind, d.first, d.second, safe(d.example.id, 80))
        for d in found.disagreements
    ]
    if rows:
        headings = ("cases", "what was bent", "first", "second", "for example")
        print_table("Disagreements", headings, rows)
    click.echo(f"{sum(d.count for d in found.disagreements):,} of {found.compared:,} cases differ.")


def _plain(found: Difference) -> dict[str, object]:
    return {
        "targets": list(found.targets),
        "compared": found.compared,
        "disagreements": [
            {
                "kind": d.kind,
                "first": d.first,
                "second": d.second,
                "count": d.count,
                "example": d.example.id,
            }
            for d in found.disagreements
        ],
    }
