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

LONG_WAITED_S, SLOW_RETURN_S = 10.0, 3.0
"""Seconds in all, and an average return, below which nobody has to do anything about reconnects."""

FEW_SERVED, FEW_VALID, MANY_TIMED_OUT = 0.02, 0.05, 0.05
RESTARTS = 20


@dataclass(frozen=True, slots=True)
class Returns:
    """How often a target came back, how long it was waited for in all, and in how long a campaign, seconds."""

    count: int = 0
    waited_s: float = 0.0
    elapsed_s: float = 0.0
    station: bool = True

    def words(self) -> Iterator[str]:
        """That most of the time went into them, with what shortens them."""
        if self.waited_s < max(LONG_WAITED_S, SLOW_RETURN_S * self.count, self.elapsed_s / 2):
            return
        remedy = (
            "for the bench set RetryBackOffWaitMinimum, RetryBackOffRandomRange and RetryBackOffRepeatTimes of the "
            "station's OCPPCommCtrlr to 1, 0 and 0; or "
        )
        yield (
            f"{self.count:,} reconnects took {self.waited_s:.0f} of {self.elapsed_s:.0f} s, so little was played; "
            f"{remedy if self.station else ''}give a longer --max-time"
        )


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

    def words(
        self, *, restarts: int, unexplained: int = 0, returns: Returns | None = None
    ) -> Iterator[str]:
        """Each doubt as one sentence with the next step; `unexplained` are ends of a connection or a process."""
        if returns is not None:
            yield from returns.words()
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
