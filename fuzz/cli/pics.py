"""`ocppfuzz pics`: makes a PICS file of a station, and compares one with a station."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fuzz import app
from fuzz.cli.options import (
    display_for,
    examples,
    options_from,
    print_table,
    showing_options,
    target_options,
)

WAIT_S = 60.0


@click.group(
    name="pics",
    short_help="Draft a PICS file, or check one against a station.",
    epilog=examples(
        "ocppfuzz pics draft --listen 127.0.0.1:9000 -o my.pics.toml",
        "ocppfuzz pics check my.pics.toml --listen 127.0.0.1:9000",
        "ocppfuzz show pics my.pics.toml",
    ),
)
def command() -> None:
    """What a station claims, and what it shows. Nothing is attacked."""


@command.command(
    name="draft",
    epilog=examples(
        "ocppfuzz pics draft --listen 127.0.0.1:9000 -o my.pics.toml",
        "ocppfuzz pics draft --listen 127.0.0.1:9000 --identity CS-1 --security-profile 2 -o my.pics.toml",
    ),
)
@click.option(
    "-o",
    "--output",
    "file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The PICS file to write.",
)
@target_options
@showing_options
def draft(file: Path, **given: Any) -> int:
    """Wait for a station and fill a PICS file; each line says observed or assumed."""
    options = options_from(given, wait_s=WAIT_S)
    with display_for(options) as display:
        made = app.draft_pics(options, file, display)
    _print(made)
    return 0


@command.command(
    name="check",
    epilog=examples(
        "ocppfuzz pics check my.pics.toml --listen 127.0.0.1:9000",
        "ocppfuzz pics check dc-2evse-ccs1",
    ),
)
@click.argument("file", metavar="FILE")
@target_options
@showing_options
def check(file: str, **given: Any) -> int:
    """Wait for a station and tell which answers of FILE it contradicts; exit 1 when there are any."""
    options = options_from(given, wait_s=WAIT_S)
    with display_for(options) as display:
        made = app.check_pics(file, options, display)
    _print(made)
    return 1 if made.rows else 0


def _print(table: app.Table) -> None:
    print_table(table.title, table.headings, [row.cells for row in table.rows], table.note)
