"""Runs the reference station on its own, against any CSMS."""

from __future__ import annotations

import asyncio
import contextlib

from fuzz.config import RunOptions, password_of
from fuzz.station.shell import StationOptions, serve_station as serve


def serve_station(options: RunOptions, csms: str) -> None:
    """Dial `csms` and behave as the reference station until Ctrl-C."""
    station = StationOptions(
        csms=csms,
        identity=options.identity or "OCPPFUZZ0001",
        security_profile=options.security_profile,
        ca=options.ca,
        certificate=options.cert,
        key=options.key,
        password=password_of(options),
        defects=options.defects,
        decoys=options.decoys,
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(station))
