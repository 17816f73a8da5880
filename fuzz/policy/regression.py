"""What a build came to, for whoever shows it.

Knows the judgement and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fuzz.policy.judgement import Judgement
from fuzz.policy.lock import Ahead
from fuzz.policy.quirks import Quirk
from fuzz.records import Summary, TargetFacts


@dataclass(frozen=True, slots=True)
class Regression:
    """What a build came to.

    `handshakes` counts the cases of the TLS lab by outcome, `left_out` cases that were not asked, by reason, `night`
    handshakes and messages that wait for the night. `ahead` is
    what is newer than the lock, `added` and `removed` are what was done to the baseline. `summary` is None where no
    messages were played. `warnings` are told beside the verdict, `notes` at the end.
    """

    judgement: Judgement
    facts: TargetFacts
    mode: str
    summary: Summary | None
    handshakes: Mapping[str, int]
    ahead: Ahead
    left_out: Mapping[str, int] = field(default_factory=dict)
    night: Mapping[str, int] = field(default_factory=dict)
    quirks: tuple[Quirk, ...] = ()
    baseline: str = ""
    lock: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """That of the build."""
        return self.judgement.exit_code
