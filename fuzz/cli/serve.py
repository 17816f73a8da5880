"""`ocppfuzz serve`: our reference ends on their own."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click

from fuzz import app
from fuzz.cli import completing
from fuzz.cli.options import end_options, examples, options_from
from fuzz.config import default_profile, password_of

_PATH = click.Path(path_type=Path)
_NO_TARGET = dict.fromkeys(("listen", "target", "start_cmd", "restart_cmd"))
"""What is served is ours: the target that a configuration file names is somebody else's business here."""


@click.group(
    name="serve",
    short_help="Run one of our reference ends on its own.",
    epilog=examples(
        "ocppfuzz serve station ws://127.0.0.1:9000/ocpp",
        "ocppfuzz serve station --csms wss://localhost:9000/ocpp --ca root.pem --console",
        "ocppfuzz serve csms --identity CS-1 --console",
    ),
)
def command() -> None:
    """Run one of our reference ends on its own, until Ctrl-C."""


@command.command(
    epilog=examples(
        "ocppfuzz serve station ws://127.0.0.1:9000/ocpp --identity CS-1 --console",
        "ocppfuzz serve station --csms wss://localhost:9000/ocpp --ca root.pem --cert cs.pem --key cs.key",
        "ocppfuzz serve station ws://127.0.0.1:9000/ocpp --state ./cs-1 --script morning.txt",
        "ocppfuzz serve station ws://127.0.0.1:9000/ocpp --bench --realistic-timing --defect P01",
        "ocppfuzz serve station ws://127.0.0.1:9000/ocpp --identity CS-1 --back-off 1 --defect evse-index",
    )
)
@click.argument("url", metavar="[URL]", required=False)
@click.option("--csms", metavar="URL", help="The CSMS, without the identity; or as the argument.")
@click.option(
    "--pics",
    metavar="NAME",
    shell_complete=completing.completes(completing.pics, files=True),
    help="PICS file of which it is built; see show pics.",
)
@click.option("--state", type=_PATH, metavar="DIR", help="Keep configuration, keys and queue here.")
@click.option("--console", is_flag=True, help="Play with it: type help, plug-in 1, status ...")
@click.option("--script", type=_PATH, metavar="FILE", help="Such lines to begin with.")
@click.option("--realistic-timing", is_flag=True, help="Answer as slowly as was measured.")
@click.option("--bench", is_flag=True, help="Redial after 30 s and more, boot in 90 s, stay dead.")
@click.option(
    "--back-off",
    type=click.FloatRange(0.1, 3600.0),
    metavar="S",
    help="Redial after S seconds at first, not after 10 to 20; it doubles all the same.",
)
@click.option("--files-anywhere", is_flag=True, help="Move files beyond this machine, too.")
@click.option("--edition", metavar="ED", help="Text that decides: ed3 (default) or 2025-09.")
@end_options
def station(url: str | None, csms: str | None, **given: Any) -> int:
    """Dial the CSMS at URL (without the identity) and behave as the reference Charging Station.

    An operator plays with it on standard input (--console) or in a script, one line an event: plug-in 1,
    present-token ABC, start-power 1, fault 1, cut-network, power-cycle, shift-clock 60, wait 5; help tells all.
    """
    where = _one_of(url, csms)
    stage = app.Stage(**{field.name: given.pop(field.name) for field in fields(app.Stage)})
    profile_given = given.get("security_profile") is not None
    options = options_from(given, **_NO_TARGET)
    if not profile_given:
        options = replace(options, security_profile=default_profile(where, options))
    app.serve_station(options, where, stage)
    return 0


@command.command(
    epilog=examples(
        "ocppfuzz serve csms --identity CS-1",
        "ocppfuzz serve csms --listen 3@127.0.0.1:9443 --listen 2@127.0.0.1:9444 --stations stations.toml",
        "ocppfuzz serve csms --identity CS-1 --security-profile 2 --password-file secret --console",
        "ocppfuzz serve csms --identity CS-1 --defect cert-identity-unbound",
    )
)
@click.option(
    "--listen",
    multiple=True,
    default=["127.0.0.1:9443"],
    metavar="[PROFILE@]HOST:PORT",
    help="Where stations dial, one security profile each; 127.0.0.1:9443. Repeatable.",
)
@click.option("--stations", type=_PATH, metavar="FILE", help="Stations, TOML: [[station]] each.")
@click.option("--pki", type=_PATH, metavar="DIR", help="Folder of `pki create`; else one is made.")
@click.option(
    "--organization", "organizations", multiple=True, metavar="NAME", help="Whose stations."
)
@click.option("--revoked", multiple=True, metavar="ID|SERIAL", help="Revoked from the start.")
@click.option("--interval-s", type=int, default=300, metavar="S", help="Heartbeat interval; 300.")
@click.option("--retry-s", type=int, default=10, metavar="S", help="When not accepted: 10.")
@click.option("--console", is_flag=True, help="Play with it: type help, revoke CS-1, stations ...")
@end_options
def csms(**given: Any) -> int:
    """Listen and behave as the reference CSMS: handshake, authentication, boot, certificates.

    Stations are named with --identity, or described in a file: identity, serial, security_profile, password, boot
    (Accepted, Pending, Rejected), pending_boots, allow_expired. The first line on standard output says, as JSON, where
    to dial. An operator plays with it on standard input: revoke CS-1, boot-status CS-1 Pending,
    trigger CS-1 SignChargingStationCertificate, events, stations; help tells all.
    """
    stage = app.CsmsStage(**{field.name: given.pop(field.name) for field in fields(app.CsmsStage)})
    profile_given = given.get("security_profile") is not None
    options = options_from(given, **_NO_TARGET)
    if not profile_given and password_of(options) is not None:
        options = replace(options, security_profile=2)
    if options.security_profile == 0 or options.decoys:
        raise click.UsageError("the reference CSMS has security profiles 1 to 3, and no decoys")
    app.serve_csms(options, stage)
    return 0


def _one_of(argument: str | None, option: str | None) -> str:
    if (argument is None) == (option is None):
        raise click.UsageError("name the CSMS once: as the argument URL, or with --csms URL")
    where = argument or option or ""
    if not where.startswith(("ws://", "wss://")):
        raise click.UsageError(
            f"{where!r} is no ws or wss URL; write such as ws://127.0.0.1:9000/ocpp"
        )
    return where
