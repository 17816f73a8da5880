"""Versions of fingerprints, and what was renamed from each to the next, so that baselines outlive an upgrade.

Knows names only. Whoever changes what makes two findings the same adds one `Renaming` here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Renaming:
    """What changed between two versions.

    `oracles` maps an old id to (new id, new name), `symptoms` an oracle's new id and old symptom to the new symptom,
    `fingerprints` old ones to new ones where neither explains it.
    """

    oracles: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    symptoms: Mapping[tuple[str, str], str] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)


RENAMINGS: Sequence[Renaming] = ()
"""The n-th leads from version n to version n + 1."""

FINGERPRINT_VERSION = 1 + len(RENAMINGS)
