"""What speaks against a campaign itself: a run that hardly reached anything proves little, however clean it is.

Knows counters. Must not know how they came about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

ENOUGH = 200
"""Cases below which shares say nothing."""

MANY_UNASKED, LONG_UNASKED = 20, 100_000
"""Messages and characters of its own, an average case, above which a target counts as flooding us."""

FEW_SERVED, FEW_VALID, MANY_TIMED_OUT = 0.02, 0.05, 0.05
RESTARTS = 20


@dataclass(slots=True)
class Doubts:
    """Counters of a campaign. `valid` are cases that a correct peer accepts, `timed_out` those the clock decided.

    `played` counts every case, `cases` those that are answered; `unasked` are messages that answer nothing of ours.
    """

    cases: int = 0
    valid: int = 0
    timed_out: int = 0
    scenes: int = 0
    transactions: int = 0
    played: int = 0
    unasked: int = 0
    unasked_characters: int = 0
    answers: Counter[str] = field(default_factory=Counter)

    def words(self, *, restarts: int, unexplained: int = 0) -> Iterator[str]:
        """Each doubt as one sentence with the next step; `unexplained` are ends of a connection or a process."""
        if unexplained:
            yield (
                f"{unexplained:,} x the target hung up, restarted or died for no reason that could be found; does it "
                "restart by itself?"
            )
        if (
            self.unasked > MANY_UNASKED * self.played
            or self.unasked_characters > LONG_UNASKED * self.played
        ):
            yield (
                f"it floods us: {self.unasked:,} messages of its own with {self.unasked_characters:,} characters during "
                f"{self.played:,} cases, which may have delayed its answers"
            )
        if self.cases < ENOUGH:
            return
        served = self.answers["CALLRESULT"]
        if served < FEW_SERVED * self.cases:
            yield (
                f"only {served:,} of {self.cases:,} cases were answered with a CALLRESULT; is the target booted, and "
                "does it support what is asked?"
            )
        if self.valid < FEW_VALID * self.cases:
            yield (
                f"only {self.valid:,} of {self.cases:,} messages were valid, so little was executed; "
                "add the phases generated and stateful"
            )
        if self.scenes and not self.transactions:
            yield (
                "no transaction was seen, so nothing behind one was tested; give --operator, or allow 'energise'"
            )
        if self.timed_out > MANY_TIMED_OUT * self.cases:
            yield (
                f"{self.timed_out:,} of {self.cases:,} cases ended at the target's time-out; silence costs most of the "
                "time, and slow answers may pass for none"
            )
        if restarts > RESTARTS:
            yield (
                f"the target was restarted {restarts:,} times; what was played just before each may have been falsified"
            )
