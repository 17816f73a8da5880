"""What a station process can be told, and the command line that tells it.

Knows the options and their defaults; opens nothing but the password file.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fuzz.errors import UsageError

PASSWORD_VARIABLE = "OCPPFUZZ_PASSWORD"


@dataclass(frozen=True, slots=True)
class StationOptions:
    """One station to run. `password` is the Basic password of security profiles 1 and 2.

    What is None is as the PICS file, or a station on a bench, has it.
    """

    csms: str
    identity: str = "OCPPFUZZ0001"
    security_profile: int = 1
    password: str | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    pics: str = "dc-2evse-ccs1"
    defects: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()
    backoff_min_s: float | None = None
    backoff_range_s: float | None = None
    boot_delay_s: float | None = None
    boot_retry_s: float = 10.0
    decoy_delay_s: float = 3.0
    state: Path | None = None
    console: bool = False
    script: Path | None = None
    realistic_timing: bool = False
    bench: bool = False
    edition: str = "ed3"
    files_anywhere: bool = False
    ping: bool = False
    verbose: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for options that contradict each other."""
        if not _is_websocket_url(self.csms):
            raise UsageError(
                f"--csms {self.csms!r} is no WebSocket URL; write ws://host/... or wss://host/..."
            )
        if not 0 < len(self.identity) <= 48 or ":" in self.identity:
            raise UsageError(
                f"--identity {self.identity!r} must have 1 to 48 characters and no ':'"
            )
        if self.security_profile >= 2 and not self.csms.startswith("wss://"):
            raise UsageError(
                f"security profile {self.security_profile} needs wss://; --csms has ws://"
            )
        if self.security_profile == 3 and not (self.certificate and self.key):
            raise UsageError("security profile 3 needs --cert and --key")


def parse(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> StationOptions:
    """The options of a command line. Exits with code 2 as argparse does when it cannot be read."""
    given = vars(_parser().parse_args(arguments))
    password_file: Path | None = given.pop("password_file")
    password = environ.get(PASSWORD_VARIABLE)
    if password_file is not None:
        password = _read(password_file)
    return StationOptions(
        **{**given, "defects": tuple(given["defects"]), "decoys": tuple(given["decoys"])},
        password=password,
    )


def _is_websocket_url(url: str) -> bool:
    """Whether a station can dial it; credentials have options of their own, so that no log shows them."""
    try:
        parts = urlsplit(url)
        dialable = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return dialable and parts.username is None and not parts.query and not parts.fragment


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--password-file {path} cannot be read: {error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz.station",
        description="A reference OCPP 2.0.1 Charging Station that dials a CSMS.",
    )
    add = parser.add_argument
    add("--csms", required=True, metavar="URL", help="endpoint without the identity")
    add("--identity", default=StationOptions.__dataclass_fields__["identity"].default)
    add("--security-profile", type=int, choices=(1, 2, 3), default=1)
    add("--ca", type=Path, metavar="FILE", help="root certificates of the CSMS, PEM")
    add(
        "--cert",
        dest="certificate",
        type=Path,
        metavar="FILE",
        help="own certificate chain, PEM (security profile 3)",
    )
    add("--key", type=Path, metavar="FILE", help="own private key, PEM (security profile 3)")
    add(
        "--password-file",
        type=Path,
        metavar="FILE",
        help=f"Basic password; otherwise from the environment variable {PASSWORD_VARIABLE}",
    )
    add("--pics", default="dc-2evse-ccs1", metavar="NAME")
    add("--defect", dest="defects", action="append", default=[], metavar="NAME")
    add("--decoy", dest="decoys", action="append", default=[], metavar="NAME")
    add("--backoff-min-s", type=float, metavar="S", help="instead of RetryBackOffWaitMinimum")
    add("--backoff-range-s", type=float, metavar="S", help="instead of RetryBackOffRandomRange")
    add("--boot-delay-s", type=float, metavar="S", help="how long a reboot takes")
    add(
        "--boot-retry-s",
        type=float,
        default=10.0,
        metavar="S",
        help="wait when no interval is given",
    )
    add("--decoy-delay-s", type=float, default=3.0, metavar="S", help="how slow decoy D-5 is")
    add("--state", type=Path, metavar="DIR", help="keep here what must outlive the process")
    add("--console", action="store_true", help="take an operator's lines on standard input")
    add("--script", type=Path, metavar="FILE", help="lines of an operator to begin with")
    add("--realistic-timing", action="store_true", help="answer as slowly as was measured")
    add("--bench", action="store_true", help="be as slow and stubborn as on a test bench")
    add("--edition", choices=("ed3", "2025-09"), default="ed3", help="text of 2.0.1 that decides")
    add("--files-anywhere", action="store_true", help="move files beyond this machine, too")
    add("--ping", action="store_true", help="send pings every WebSocketPingInterval")
    add("--verbose", action="store_true", help="one line for each message, too")
    return parser
