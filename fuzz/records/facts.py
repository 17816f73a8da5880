"""What is known of a target before a verdict.

Knows names and numbers. Must not know where they were learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fuzz.records.case import Side


@dataclass(frozen=True, slots=True)
class Naming:
    """How a target was named, so that it can be named again; no password, and no file of keys.

    Neither `listen` nor `target` means an end of our own, with what was planted in it.
    """

    listen: str = ""
    target: str = ""
    identity: str = ""
    pics: str = ""
    defects: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """True when an end of our own was attacked."""
        return not self.listen and not self.target


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What is known about the target before a verdict: declared, learned or assumed.

    `supported` holds the actions that the target did not refuse as unknown or unsupported in the baseline;
    None while that is not known. `message_timeout_s` is its own MessageTimeout, else 30.
    `declared` and `denied` are actions that the target claims to support, and not to, by its PICS file or base report
    (`fuzz.pics.claims` says how they are written); what is in neither is not known.
    `volatile` are the names of variables that change by themselves, learned while nothing was asked
    (`fuzz.ocppj.variables.describe` says how they are written). `clock_offset_s` is how far its clock is ahead of
    ours, as far as its messages tell; None when they do not. `naming` is how it was named; None where that is not known.
    """

    side: Side
    url: str = ""
    identity: str = ""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    security_profile: int = 0
    edition: str = "ed3"
    version: str = "2.0.1"
    supported: frozenset[str] | None = None
    declared: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    message_timeout_s: float = 30.0
    items_per_message: Mapping[str, int] = field(default_factory=dict)
    bytes_per_message: Mapping[str, int] = field(default_factory=dict)
    volatile: frozenset[str] = frozenset()
    clock_offset_s: float | None = None
    naming: Naming | None = None
