"""Keeps a confirmed killer from eating the budget: the rest of its class is sampled, and counted as blocked.

Knows mutation classes; must not know how cases are played.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from fuzz.records import Case

SAMPLE_EVERY = 25
PATIENCE = 3
"""So many cases of a class may end a connection or go unanswered for good before the rest is sampled."""


@dataclass(slots=True)
class Quarantine:
    """Classes that cost the target a restart, a connection or a long silence."""

    offences: Counter[str] = field(default_factory=Counter)
    closed: dict[str, str] = field(default_factory=dict)
    blocked: Counter[str] = field(default_factory=Counter)
    _seen: Counter[str] = field(default_factory=Counter)

    def offend(self, case: Case, reason: str) -> None:
        """Count one costly case; a class that did it often enough is closed."""
        self.offences[case.mutation_class] += 1
        if self.offences[case.mutation_class] >= PATIENCE:
            self.close(case, reason)

    def close(self, case: Case, reason: str) -> None:
        """Close the class of a case at once; valid messages are never closed as a class."""
        if case.mutations:
            self.closed.setdefault(case.mutation_class, reason)

    def blocks(self, case: Case) -> bool:
        """True when a case is to be left out; one in every `SAMPLE_EVERY` of a closed class still goes through."""
        reason = self.closed.get(case.mutation_class)
        if reason is None:
            return False
        self._seen[case.mutation_class] += 1
        if self._seen[case.mutation_class] % SAMPLE_EVERY == 0:
            return False
        self.blocked[reason] += 1
        return True
