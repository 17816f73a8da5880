"""Runs our reference ends on their own: the station against any CSMS, the CSMS for any station."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fuzz.app import CsmsStage, Stage
from fuzz.app.rig import lab_in
from fuzz.clock import SystemClock
from fuzz.config import RunOptions, password_of
from fuzz.csms.enrolment import Enrolled
from fuzz.csms.options import (
    CsmsOptions,
    Listener,
    enrol,
    listener,
    material_of,
    read_stations,
)
from fuzz.csms.shell import Ports, announce, serve_until_told as serve_csms_until_told
from fuzz.csms.tls import Material
from fuzz.errors import UsageError
from fuzz.station.shell import StationOptions, serve_until_told
from tlslab.describe import Description
from tlslab.pki import Files, Lab, LabError, issue

_LAB_FOLDER = "csms-lab"


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
        backoff_min_s=stage.back_off,
        backoff_range_s=None if stage.back_off is None else 0.0,
        edition=options.edition,
        files_anywhere=stage.files_anywhere,
    )


# --- the CSMS ---------------------------------------------------------------------------------------------


def serve_csms(options: RunOptions, stage: CsmsStage) -> None:
    """Listen and behave as the reference CSMS until Ctrl-C or SIGTERM."""
    enrolled = _enrolled(options, stage)
    listeners = tuple(listener(place, options.security_profile) for place in stage.listen)
    material, name, lines = _material(options, stage, listeners, enrolled)
    if stage.organizations:
        material = replace(material, organizations=stage.organizations)
    made = CsmsOptions(
        listeners,
        enrolled,
        material,
        name,
        options.defects,
        stage.revoked,
        stage.interval_s,
        stage.retry_s,
        stage.console,
    )

    def ready(ports: Ports) -> None:
        announce(ports)
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    asyncio.run(serve_csms_until_told(made, ready=ready))


def _enrolled(options: RunOptions, stage: CsmsStage) -> tuple[Enrolled, ...]:
    found = () if stage.stations is None else read_stations(stage.stations)
    if options.identity:
        password = None if options.security_profile == 3 else password_of(options)
        found = (*found, enrol(options.identity, options.security_profile, password))
    if not found:
        raise UsageError("no station is named; give --identity ID, or --stations FILE")
    return found


def _material(
    options: RunOptions,
    stage: CsmsStage,
    listeners: Sequence[Listener],
    enrolled: Sequence[Enrolled],
) -> tuple[Material, str, list[str]]:
    """Certificates, the name that they are for, and what a person must know of them."""
    if all(one.security_profile == 1 for one in listeners):
        return Material(), "localhost", []
    if options.cert is not None and options.key is not None:
        return _own_material(options, options.cert, options.key)
    folder = stage.pki or options.findings_dir / "private" / _LAB_FOLDER
    if stage.pki is None:
        lab_in(folder, listeners[0].host, enrolled[0].name)
    material, name = material_of(folder)
    lab = Lab(folder)
    lines = [f"root certificate to install on stations: {lab.root.certificate}"]
    lines += [
        f"certificate and key of {one.identity}: {files.certificate} {files.key}"
        for one in enrolled
        if one.security_profile == 3
        for files in [_station_files(lab, one.name)]
    ]
    return material, name, lines


def _own_material(
    options: RunOptions, certificate: Path, key: Path
) -> tuple[Material, str, list[str]]:
    """A finished CSMS certificate; without the key of a CA no station is certified."""
    try:
        own = Files(certificate, key).read()
        roots = () if options.ca is None else (options.ca.read_bytes(),)
    except (LabError, OSError) as error:
        raise UsageError(f"{error}") from None
    names = [str(a.value) for a in own.x509.subject if a.oid.dotted_string == "2.5.4.3"]
    owners = tuple(str(a.value) for a in own.x509.subject if a.oid.dotted_string == "2.5.4.10")
    return Material((own,), roots, None, owners), names[0] if names else "localhost", []


def _station_files(lab: Lab, serial: str) -> Files:
    """Certificate and key of one station, made when there are none yet."""
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in serial)
    files = Files(lab.folder / f"station-{safe}.pem", lab.folder / f"station-{safe}.key")
    if not files.certificate.exists():
        now = SystemClock().now()
        root = lab.root.read()
        files.write(issue(Description(serial), now=now, issuer=root))
    return files
