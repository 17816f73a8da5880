"""`ocppfuzz shrink`: a stored finding, made smaller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fuzz import app
from fuzz.cli.options import (
    display_for,
    examples,
    own_or_named,
    self_test_option,
    showing_options,
    target_options,
)
from fuzz.records import ReplayOutcome
from fuzz.report.safe import safe


@click.command(
    name="shrink",
    short_help="Make the case of a stored finding smaller.",
    epilog=examples(
        "ocppfuzz shrink findings/O1-1a2b3c4d",
        "ocppfuzz shrink findings/O1-1a2b3c4d --listen 127.0.0.1:9000 --max-time 1800",
    ),
)
@click.argument("path", type=click.Path(path_type=Path), metavar="PATH")
@click.option("--max-time", "max_time_s", type=float, metavar="S", help="Seconds; 600.")
@self_test_option
@target_options
@showing_options
def command(path: Path, **given: Any) -> int:
    """Play a stored finding again and make its case smaller; the stored one is replaced."""
    options = own_or_named(given, max_time_s=600.0)
    folder = path.resolve()
    with display_for(options) as display:
        shrunk = app.shrink(folder.parent if folder.is_file() else folder, options, display)
    click.echo(f"{shrunk.outcome.value}: {safe(shrunk.text, 300)}")
    return 3 if shrunk.outcome is ReplayOutcome.NOT_RUN else 0
