"""What a person may ask of the TLS lab beyond what names the peer.

Knows values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LabOptions:
    """How the lab is played.

    `only` are shell patterns of case ids, `severity` the least severe that counts. `self_test` is `csms` for our own
    reference endpoint. `attended` says that somebody stands at the station. `fast` leaves out the good run after a
    refusal that was seen; `tune` lets the station wait as little as it accepts before a reconnect. `jobs` stations of
    our own are played with side by side. `resume` goes on behind the cases that the last run of this target finished.
    `name` is the host in the URL that the station dials. `root`, `issuer` and `issuer_key` are a PKI of the user's own;
    `declared` the PICS file of a station of theirs. `second` is a further identity that the CSMS knows, with certificate
    and key or password file; `revoked` a certificate with key that its CA has revoked; `client_ca` and `client_ca_key`
    the CA of stations' certificates.
    """

    only: tuple[str, ...] = ()
    severity: str = "info"
    self_test: str = ""
    attended: bool = True
    fast: bool = False
    tune: bool = False
    resume: bool = False
    jobs: int = 4
    with_secrets: bool = False
    name: str = ""
    root: Path | None = None
    issuer: Path | None = None
    issuer_key: Path | None = None
    declared: str = ""
    second: str = ""
    second_cert: Path | None = None
    second_key: Path | None = None
    second_password_file: Path | None = None
    revoked: Path | None = None
    revoked_key: Path | None = None
    client_ca: Path | None = None
    client_ca_key: Path | None = None
