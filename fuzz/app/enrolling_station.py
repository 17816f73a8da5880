"""`pki enroll` from the options to what was done.

Knows which certificates meet the station now and which it is to have. Must not know how it is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fuzz.app.rig import dialled, how_to_dial, lab_in
from fuzz.app.tls_material import material_for
from fuzz.clock import Clock, SystemClock
from fuzz.config import RunOptions, host_and_port, password_of
from fuzz.errors import UsageError
from fuzz.lab.enrolling import Done, enroll, undo
from fuzz.lab.options import LabOptions
from fuzz.lab.stations import Place, connected_station
from tlslab import own
from tlslab.authority import Authority
from tlslab.pki import LabError


def enroll_station(
    options: RunOptions, lab: LabOptions, *, back: bool, note: Callable[[str], None]
) -> Done:
    """Wait for the station, as it is now, and bring it under the lab's root, or take it back.

    Raises:
        UsageError: the options name no station, or certificates that cannot be used.
        TargetUnavailable: nobody came, or the station refuses.
    """
    if options.listen is None or not options.identity:
        raise UsageError(
            "enrolling needs --listen HOST:PORT and --identity: where it dials, and who it is"
        )
    return asyncio.run(_enrolled(options, lab, SystemClock(), back=back, note=note))


async def _enrolled(
    options: RunOptions,
    lab: LabOptions,
    clock: Clock,
    *,
    back: bool,
    note: Callable[[str], None],
) -> Done:
    host, port = host_and_port(options.listen or "")
    name = lab.name or dialled(host)
    kept = lab_in(options.findings_dir / "private" / "pki", name, options.identity)
    material = material_for(options, lab, kept, clock)
    profile = options.security_profile
    place = Place(
        host=host,
        port=port,
        name=name,
        identity=options.identity,
        security_profile=profile,
        edition=options.edition,
        password=password_of(options) if profile < 3 else None,
        wait_s=options.wait_s,
    )
    memory = options.findings_dir / "private" / f"enrolled-{_plain(options.identity)}.json"
    async with connected_station(place, clock, material) as rig:
        for line in how_to_dial(f"{rig.bench.server.url}", options, None):
            note(line)
        if back:
            return await undo(rig.session, _theirs(lab, clock), memory)
        return await enroll(rig.session, own.from_lab(kept, now=clock.now), memory)


def _theirs(lab: LabOptions, clock: Clock) -> Authority | None:
    if lab.client_ca is None or lab.client_ca_key is None:
        return None
    try:
        return own.from_ca(lab.client_ca, lab.client_ca_key, now=clock.now)
    except LabError as error:
        raise UsageError(str(error)) from None


def _plain(identity: str) -> str:
    """An identity as a part of a file's name."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in identity)[:80]
