"""What a CSMS process can be told, and the command line that tells it.

Knows the options and their defaults, and reads the files that they name.
"""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fuzz.config import ConfigError, host_and_port
from fuzz.csms.enrolment import Enrolled, check_enrolment, hash_password, read_enrolment
from fuzz.csms.tls import Material
from fuzz.errors import UsageError
from tlslab.pki import Lab, LabError

PASSWORD_VARIABLE = "OCPPFUZZ_PASSWORD"
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Listener:
    """One port, and the only security profile that is served on it (A00.FR.006). Port 0 lets the machine choose."""

    host: str = "127.0.0.1"
    port: int = 0
    security_profile: int = 3


@dataclass(frozen=True, slots=True)
class CsmsOptions:
    """One CSMS to run.

    Attributes:
        listeners: where stations may dial.
        enrolled: which stations there are.
        material: certificates and CA; needed unless every listener is of security profile 1.
        name: the host in the URLs that are printed, that of the CSMS certificate.
        defects: names of planted defects.
        revoked: serial numbers (hex) and identities that are revoked from the start.
        interval_s: the heartbeat interval.
        retry_s: the interval given with Pending and Rejected.
        console: whether an operator's lines are taken from standard input.
    """

    listeners: tuple[Listener, ...]
    enrolled: tuple[Enrolled, ...]
    material: Material = field(default_factory=Material)
    name: str = "localhost"
    defects: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    interval_s: int = 300
    retry_s: int = 10
    console: bool = False
    verbose: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for options that contradict each other."""
        if not self.listeners:
            raise UsageError("nowhere to listen; give --listen HOST:PORT")
        check_enrolment(self.enrolled)
        if not self.material.certificates and any(x.security_profile > 1 for x in self.listeners):
            raise UsageError("security profiles 2 and 3 need certificates; give --pki FOLDER")
        if self.interval_s <= 0 or self.retry_s <= 0:
            raise UsageError("intervals are positive")


def material_of(folder: Path) -> tuple[Material, str]:
    """The certificates of a lab folder, its root being the CA of CSMS and stations; and the name of the CSMS.

    Raises UsageError when the folder holds no lab.
    """
    try:
        lab = Lab.load(folder)
        root, csms = lab.root.read(), lab.csms.read()
        certificates = (csms, lab.csms_rsa.read())
    except LabError as error:
        raise UsageError(str(error)) from None
    names = [str(a.value) for a in csms.x509.subject if a.oid.dotted_string == "2.5.4.3"]
    owners = tuple(str(a.value) for a in root.x509.subject if a.oid.dotted_string == "2.5.4.10")
    material = Material(certificates, (root.certificate,), root, owners)
    return material, names[0] if names else "localhost"


def enrol(identity: str, security_profile: int, password: str | None, serial: str = "") -> Enrolled:
    """One station out of flags. Raises UsageError without the password that its security profile needs."""
    hashed = "" if password is None else hash_password(password, secrets.token_bytes(SALT_BYTES))
    return Enrolled(identity, security_profile, serial, hashed)


def read_stations(file: Path) -> tuple[Enrolled, ...]:
    """The stations of a TOML file. Raises UsageError when it cannot be read."""
    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError):
        raise UsageError(f"cannot read {file}") from None
    return tuple(read_enrolment(text, str(file), secrets.token_bytes(SALT_BYTES)))


def listener(text: str, security_profile: int = 3) -> Listener:
    """A listener out of `HOST:PORT`, or `PROFILE@HOST:PORT`. Raises UsageError."""
    profile, at, place = text.rpartition("@")
    try:
        host, port = host_and_port(place)
    except ConfigError as error:
        raise UsageError(str(error)) from None
    if at and profile not in ("1", "2", "3"):
        raise UsageError(f"{text!r}: no security profile {profile!r}; write such as 2@{place}")
    return Listener(host, port, int(profile) if at else security_profile)


# --- the command line -------------------------------------------------------------------------------------


def parse(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> CsmsOptions:
    """The options of a command line. Exits with code 2 as argparse does when it cannot be read."""
    given = _parser().parse_args(arguments)
    profile: int = given.security_profile
    password = environ.get(PASSWORD_VARIABLE)
    enrolled = [] if given.stations is None else [*read_stations(given.stations)]
    enrolled += [enrol(name, profile, None if profile == 3 else password) for name in given.names]
    material, name = material_of(given.pki) if given.pki else (Material(), "localhost")
    if given.organizations:
        material = replace(material, organizations=tuple(given.organizations))
    return CsmsOptions(
        tuple(listener(place, profile) for place in given.listen),
        tuple(enrolled),
        material,
        name,
        tuple(given.defects),
        tuple(given.revoked),
        given.interval_s,
        given.retry_s,
        given.console,
        given.verbose,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fuzz.csms", allow_abbrev=False)
    add = parser.add_argument
    add("--listen", action="append", default=[], metavar="[PROFILE@]HOST:PORT")
    add("--security-profile", type=int, choices=(1, 2, 3), default=3)
    add("--pki", type=Path, metavar="DIR", help="lab folder with the certificates of the CSMS")
    add("--stations", type=Path, metavar="FILE", help="stations, TOML")
    add("--organization", dest="organizations", action="append", default=[], metavar="NAME")
    add("--identity", dest="names", action="append", default=[], metavar="ID")
    add("--revoked", action="append", default=[], metavar="ID|SERIAL")
    add("--defect", dest="defects", action="append", default=[], metavar="NAME")
    add("--interval-s", type=int, default=300, metavar="S", help="heartbeat interval")
    add("--retry-s", type=int, default=10, metavar="S", help="interval of a boot not accepted")
    add("--console", action="store_true", help="take an operator's lines on standard input")
    add("--verbose", action="store_true", help="one line for each message, too")
    return parser
