"""The reference station as a target: a process of its own that dials us.

Knows the command line of `python -m fuzz.station`. Must not import it: our own station gets no privileges over a
real one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import fuzz
from fuzz.target.owned import ProcessTarget

_PASSWORD_VARIABLE = "OCPPFUZZ_PASSWORD"


class EmbeddedTarget(ProcessTarget):
    """The reference station; implements `Target`.

    Args:
        csms: the endpoint that it dials, without the identity.
        identity: its identity and serial number.
        security_profile: 1, 2 or 3.
        ca: the roots that it trusts.
        certificate: its own certificate, for security profile 3.
        key: the key of `certificate`.
        password: its Basic password, for security profiles 1 and 2; handed over where other users cannot see it.
        defects: planted defects to switch on.
        decoys: odd but lawful habits to switch on.
        backoff_min_s: RetryBackOffWaitMinimum; small, because a campaign waits for it after every lost connection.
        backoff_range_s: RetryBackOffRandomRange. Both None leave it to the variables of the device model.
        boot_delay_s: how long it takes to boot.
        state: where it keeps what must outlive a restart; None keeps nothing.
        pics: the PICS file of which it is built; None is its default.
        edition: the text of 2.0.1 that it follows, `ed3` or `2025-09`; None is its default.
        script: what its operator does from the start on.
        extra: further options of its command line, such as `--realistic-timing`.
    """

    def __init__(
        self,
        *,
        csms: str,
        identity: str,
        security_profile: int = 1,
        ca: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        password: str | None = None,
        defects: Sequence[str] = (),
        decoys: Sequence[str] = (),
        backoff_min_s: float | None = 0.1,
        backoff_range_s: float | None = 0.0,
        boot_delay_s: float = 0.0,
        state: Path | None = None,
        pics: str | None = None,
        edition: str | None = None,
        script: Path | None = None,
        extra: Sequence[str] = (),
    ) -> None:
        options: dict[str, object] = {
            "--csms": csms,
            "--identity": identity,
            "--security-profile": security_profile,
            "--ca": ca,
            "--cert": certificate,
            "--key": key,
            "--backoff-min-s": backoff_min_s,
            "--backoff-range-s": backoff_range_s,
            "--boot-delay-s": boot_delay_s,
            "--state": state,
            "--pics": pics,
            "--edition": edition,
            "--script": script,
        }
        switches = [("--defect", name) for name in defects] + [("--decoy", name) for name in decoys]
        # -P: the folder that we are called in may hold another `fuzz`.
        command = [sys.executable, "-P", "-m", "fuzz.station", "--console", *_spelt(options)]
        command += [word for switch in switches for word in switch]
        command += extra
        super().__init__("embedded station", command, environment(password), console=True)


def _spelt(options: Mapping[str, object]) -> Iterator[str]:
    """The options as words; `=` keeps a value that begins with a dash from being read as an option."""
    for name, value in options.items():
        if value is not None:
            yield f"{name}={value}"


def environment(password: str | None) -> Mapping[str, str]:
    """Our own environment, in which this very `fuzz` is found first."""
    here = str(Path(fuzz.__file__).resolve().parent.parent)
    found = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *_path()]), "PYTHONUNBUFFERED": "1"}
    if password is not None:
        found[_PASSWORD_VARIABLE] = password
    return found


def _path() -> Iterator[str]:
    if "PYTHONPATH" in os.environ:
        yield os.environ["PYTHONPATH"]
