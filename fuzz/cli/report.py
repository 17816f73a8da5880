"""`ocppfuzz report`: what leaves the house."""

from __future__ import annotations

from pathlib import Path

import click

from fuzz import app
from fuzz.cli.options import examples
from fuzz.errors import UsageError
from fuzz.report.safe import safe

_PATH = click.Path(path_type=Path)


@click.group(
    name="report",
    short_help="Make a page to look at, or seal a finding for whoever mends it.",
    epilog=examples(
        "ocppfuzz report html",
        "ocppfuzz report html --compare run-1.4 run-1.5",
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
@click.option("-o", "--output", type=_PATH, metavar="FILE", help="Default: ./O4-1a2b3c4d.zip.")
@click.option("--embargo", default="", metavar="TEXT", help="A note in REPORT.md: until when.")
def pack(finding: Path, output: Path | None, embargo: str) -> int:
    """Seal the folder FINDING in one zip: case, runs, capture, repro.py, REPORT.md and a manifest.

    Nothing secret goes into it. `ocppfuzz replay` verifies a pack before it plays it.

    The zip is left in the present folder. It is for whoever mends the finding and need not be committed: it can be made
    again as long as the finding's folder is there.
    """
    path, digest = app.pack_finding(finding, output, embargo=embargo)
    click.echo(f"{safe(str(path), 300)}\nSHA-256 {digest}")
    return 0


@command.command(
    name="html",
    epilog=examples(
        "ocppfuzz report html",
        "ocppfuzz report html findings -o report.html --csv tests-at-risk.csv",
        "ocppfuzz report html --compare station-1.4 station-1.5 other.json -o compare.html",
    ),
)
@click.argument("paths", nargs=-1, type=_PATH, metavar="[PATH...]")
@click.option("-o", "--output", type=_PATH, metavar="FILE", help="Where; ./ocppfuzz-report.html.")
@click.option("--csv", type=_PATH, metavar="FILE", help="Certification tests at risk, as CSV.")
@click.option("--compare", is_flag=True, help="Put several folders or reports side by side.")
def html(paths: tuple[Path, ...], output: Path | None, csv: Path | None, compare: bool) -> int:
    """Write one HTML page of what was found and reached: no script, nothing beside it, nothing loaded.

    PATH is a folder of findings (./findings without one), or a report that --json FILE wrote.
    """
    if compare and csv is not None:
        raise UsageError("--csv is about one folder; leave --compare or --csv away")
    found = paths or (Path("findings"),)
    path, pictures = app.look_at(
        found, output or Path("ocppfuzz-report.html"), csv, compare=compare
    )
    click.echo(safe(str(path), 300))
    if not pictures and not compare:
        click.echo("without pictures: pip install 'ocppfuzz[report]' draws them", err=True)
    return 0
