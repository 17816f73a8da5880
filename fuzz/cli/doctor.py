"""`ocppfuzz doctor`: who dials in, and how, or how far dialling comes; nothing is attacked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import fuzz
from fuzz import app
from fuzz.cli.options import display_for, examples, options_from, showing_options, target_options
from fuzz.report.safe import safe

WAIT_S = 60.0


@click.command(
    name="doctor",
    short_help="Tell who dials in and how, or how far dialling comes.",
    epilog=examples(
        "ocppfuzz doctor",
        "ocppfuzz doctor --listen 127.0.0.1:9000",
        "ocppfuzz doctor --listen 127.0.0.1:9000 --wait 300",
        "ocppfuzz doctor --target ws://127.0.0.1:9000/ocpp/{identity} --identity CS-1",
        "ocppfuzz doctor --target wss://127.0.0.1:9443/ocpp/{identity} --identity CS-1 --ca root.pem",
    ),
)
@target_options
@showing_options
def command(**given: Any) -> int:
    """Wait for a station and tell how it dialled: TLS, subprotocols, identity, what it said at boot.

    With --target a CSMS is dialled as a station would, and each step is a line with what was seen: DNS, TCP, TLS, chain,
    expiry, name, credentials, subprotocol, boot, clock. A step that fails says what to do next.
    """
    options = options_from(given, wait_s=WAIT_S)
    if shadow := shadowing(Path.cwd()):
        click.echo(
            f"warning: {shadow} hides ocppfuzz's package under `python -m pytest`; rename it"
        )
    with display_for(options) as display:
        diagnosis = app.doctor(options, display)
    width = max((len(topic) for topic, _ in diagnosis.facts), default=0)
    for topic, seen in diagnosis.facts:
        click.echo(f"{safe(topic, 60):<{width}}  {safe(seen, 400)}")
    _print_checks(diagnosis.checks)
    for advice in diagnosis.advice:
        click.echo(f"check: {safe(advice, 400)}")
    return 0 if diagnosis.connected else 3


def _print_checks(checks: Sequence[app.Check]) -> None:
    width = max((len(check.topic) for check in checks), default=0)
    for check in checks:
        line = f"{check.mark:<4}  {check.topic:<{width}}  {safe(check.seen, 400)}"
        click.echo(line + (f"; next: {safe(check.advice, 400)}" if check.advice else ""))


def shadowing(folder: Path) -> Path | None:
    """A folder `fuzz` of somebody else that Python would find before ours; None when there is none."""
    other = folder / "fuzz"
    if other.is_dir() and other.resolve() != Path(fuzz.__file__).parent.resolve():
        return other
    return None
