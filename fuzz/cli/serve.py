"""`ocppfuzz serve`: our reference ends on their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from fuzz import app
from fuzz.cli.options import end_options, examples, options_from
from fuzz.config import default_profile


@click.group(
    name="serve",
    short_help="Run one of our reference ends on its own.",
    epilog=examples(
        "ocppfuzz serve station ws://127.0.0.1:9000/ocpp",
        "ocppfuzz serve station wss://localhost:9000/ocpp --ca root.pem --defect P01",
    ),
)
def command() -> None:
    """Run one of our reference ends on its own, until Ctrl-C."""


@command.command(
    epilog=examples(
        "ocppfuzz serve station ws://127.0.0.1:9000/ocpp --identity CS-1",
        "ocppfuzz serve station wss://localhost:9000/ocpp --ca root.pem --cert cs.pem --key cs.key",
    )
)
@click.argument("csms", metavar="URL")
@end_options
def station(csms: str, **given: Any) -> int:
    """Dial the CSMS at URL (without the identity) and behave as the reference Charging Station."""
    if not csms.startswith(("ws://", "wss://")):
        raise click.UsageError(
            f"{csms!r} is no ws or wss URL; write such as ws://127.0.0.1:9000/ocpp"
        )
    profile_given = given.get("security_profile") is not None
    options = options_from(given)
    if not profile_given:
        options = replace(options, security_profile=default_profile(csms, options))
    app.serve_station(options, csms)
    return 0
