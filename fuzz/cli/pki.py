"""`ocppfuzz pki`: the lab's certificates."""

from __future__ import annotations

from pathlib import Path

import click

from fuzz import app
from fuzz.cli.options import examples


@click.group(
    name="pki",
    short_help="Make certificates for a lab, and look at some.",
    epilog=examples(
        "ocppfuzz pki create lab --name csms.example --serial CS-1",
        "ocppfuzz pki show lab/root.pem",
    ),
)
def command() -> None:
    """Make certificates for a lab, and look at certificates."""


@command.command(
    epilog=examples(
        "ocppfuzz pki create lab",
        "ocppfuzz pki create lab --name csms.example --name localhost --serial CS-1",
    )
)
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option(
    "--name", "names", multiple=True, help="Host name of the CSMS; localhost. Repeatable."
)
@click.option("--serial", default="OCPPFUZZ0001", help="Identity in the station's certificate.")
def create(folder: Path, names: tuple[str, ...], serial: str) -> int:
    """Create a root, CSMS and station certificate with keys (0600) in FOLDER."""
    if folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(
            f"folder {folder} is not empty; keys are never overwritten, choose another"
        )
    for what, path in app.pki_create(folder, names, serial):
        click.echo(f"{path}  {what}")
    return 0


@command.command(epilog=examples("ocppfuzz pki show lab/root.pem"))
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
def show(file: Path) -> int:
    """Print the certificates of a PEM file in words."""
    from fuzz.report.certificate import certificate_facts

    for name, value in certificate_facts(file):
        if name == "subject":
            click.echo()
        click.echo(f"{name:<24} {value}")
    return 0
