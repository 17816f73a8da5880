"""`ocppfuzz pki`: the lab's certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fuzz import app
from fuzz.cli.options import end_options, examples, options_from

_PATH = click.Path(path_type=Path)


@click.group(
    name="pki",
    short_help="Make certificates for a lab, and look at some.",
    epilog=examples(
        "ocppfuzz pki create lab --name csms.example --serial CS-1",
        "ocppfuzz pki show lab/root.pem",
        "ocppfuzz pki enroll --listen 0.0.0.0:9000 --identity CS-1 --security-profile 1",
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


@command.command(
    epilog=examples(
        "ocppfuzz pki enroll --listen 0.0.0.0:9000 --identity CS-1 --security-profile 1",
        "ocppfuzz pki enroll --listen 0.0.0.0:9000 --identity CS-1 --cert csms.pem --key csms.key --ca root.pem",
        "ocppfuzz pki enroll --listen 0.0.0.0:9000 --identity CS-1 --undo",
    )
)
@click.option("--listen", metavar="HOST:PORT", help="Where the station dials now.")
@click.option("--name", default="", metavar="HOST", help="The host in the URL that it dials.")
@click.option("--undo", is_flag=True, help="Take the lab's root away again.")
@click.option(
    "--client-ca", type=_PATH, metavar="FILE", help="Your CA, for the certificate after --undo."
)
@click.option("--client-ca-key", type=_PATH, metavar="FILE", help="Its key.")
@click.option("--wait", "wait_s", type=float, metavar="S", help="How long to wait for it.")
@click.option("--findings", "findings_dir", type=_PATH, metavar="DIR", help="Default: ./findings.")
@end_options
def enroll(
    name: str,
    client_ca: Path | None,
    client_ca_key: Path | None,
    *,
    undo: bool,
    **given: Any,
) -> int:
    """Install the lab's root on a real station over its present connection, and sign its certificate.

    Afterwards `ocppfuzz tls --listen` can play every case that needs the key of a CA. --cert and --key are the
    present CSMS certificate, --ca the root of the station's present certificate (security profile 3).
    """
    from fuzz.app.enrolling_station import enroll_station
    from fuzz.lab.options import LabOptions

    options = options_from(given)
    lab = LabOptions(name=name, client_ca=client_ca, client_ca_key=client_ca_key)
    done = enroll_station(options, lab, back=undo, note=click.echo)
    for line in done.lines:
        click.echo(line)
    return 0
