"""`ocppfuzz report`: what leaves the house."""

from __future__ import annotations

from pathlib import Path

import click

from fuzz import app
from fuzz.cli.options import examples
from fuzz.report.safe import safe

_PATH = click.Path(path_type=Path)


@click.group(
    name="report",
    short_help="Seal a finding for whoever mends it.",
    epilog=examples(
        "ocppfuzz report pack findings/O4-1a2b3c4d",
        "ocppfuzz replay O4-1a2b3c4d.zip",
    ),
)
def command() -> None:
    """Hand on what was found."""


@command.command(
    epilog=examples(
        "ocppfuzz report pack findings/O4-1a2b3c4d",
        'ocppfuzz report pack findings/O4-1a2b3c4d -o report.zip --embargo "until 2027-03-01"',
    )
)
@click.argument("finding", type=_PATH)
@click.option("-o", "--output", type=_PATH, metavar="FILE", help="Where; O4-1a2b3c4d.zip.")
@click.option("--embargo", default="", metavar="TEXT", help="A note in REPORT.md: until when.")
def pack(finding: Path, output: Path | None, embargo: str) -> int:
    """Seal the folder FINDING in one zip: case, runs, capture, repro.py, REPORT.md and a manifest.

    Nothing secret goes into it. `ocppfuzz replay` verifies a pack before it plays it.
    """
    path, digest = app.pack_finding(finding, output, embargo=embargo)
    click.echo(f"{safe(str(path), 300)}\nSHA-256 {digest}")
    return 0
