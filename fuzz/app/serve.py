"""Runs the reference station on its own, against any CSMS."""

from __future__ import annotations

import asyncio

from fuzz.app import Stage
from fuzz.config import RunOptions, password_of
from fuzz.station.shell import StationOptions, serve_until_told


def serve_station(options: RunOptions, csms: str, stage: Stage) -> None:
    """Dial `csms` and behave as the reference station until Ctrl-C or SIGTERM; all that it knows is kept by then."""
    asyncio.run(serve_until_told(_station_options(options, csms, stage)))


def _station_options(options: RunOptions, csms: str, stage: Stage) -> StationOptions:
    usual = StationOptions(csms=csms)
    return StationOptions(
        csms=csms,
        identity=options.identity or usual.identity,
        security_profile=options.security_profile,
        ca=options.ca,
        certificate=options.cert,
        key=options.key,
        password=password_of(options),
        pics=stage.pics or usual.pics,
        defects=options.defects,
        decoys=options.decoys,
        state=stage.state,
        console=stage.console,
        script=stage.script,
        realistic_timing=stage.realistic_timing,
        bench=stage.bench,
        edition=options.edition,
        files_anywhere=stage.files_anywhere,
    )
