"""What one station is configured with when it starts.

Knows values only; who reads them is the core and its blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """What one station is configured with, apart from its PICS file.

    `ids` gives message ids that were never used before, `random` numbers from 0 up to 1. The back-off values replace the
    variables of the device model when given; a wait that the CSMS sets counts all the same, up to a few seconds.
    `boot_retry_s` is the self-chosen wait when the CSMS names none. `csms` is the URL of network profile slot 0, `password`
    its Basic password. `certificate` and `key` are the station's own chain and key, PEM; `roots` are pairs of an
    InstallCertificateUseEnumType and a PEM certificate. What the state of an earlier start holds goes before all of these.
    `edition` is `ed3` or `2025-09`.
    """

    ids: Callable[[], str]
    random: Callable[[], float]
    identity: str = "OCPPFUZZ0001"
    security_profile: int = 1
    backoff_min_s: float | None = None
    backoff_range_s: float | None = None
    boot_retry_s: float = 10.0
    csms: str = "ws://localhost"
    password: str = ""
    certificate: str = ""
    key: str = ""
    roots: tuple[tuple[str, str], ...] = ()
    edition: str = "ed3"

    @property
    def errata(self) -> bool:
        """Whether the errata of 2025 count, not Edition 3 alone."""
        return self.edition == "2025-09"
