"""Keeps a confirmed killer from eating the budget: the rest of its class is sampled, and counted as blocked.

Knows mutation classes; must not know how cases are played.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from fuzz.records import Case

SAMPLE_EVERY = 25
"""One in so many cases of a closed class is still played; half as many after each one that did it again."""

PATIENCE = 3
"""So many cases of a class may end a connection or go unanswered for good before the rest is sampled."""


@dataclass(slots=True)
class Quarantine:
    """Classes that cost the target a restart, a connection or a long silence."""

    offences: Counter[str] = field(default_factory=Counter)
    closed: dict[str, str] = field(default_factory=dict)
    blocked: Counter[str] = field(default_factory=Counter)
    _passed: Counter[str] = field(default_factory=Counter)
    _gaps: dict[str, int] = field(default_factory=dict)

    def offend(self, case: Case, reason: str) -> None:
        """Count one costly case; a class that did it often enough is closed, a closed one sampled less."""
        class_ = case.mutation_class
        self.offences[class_] += 1
        if class_ in self.closed:
            self._gaps[class_] = 2 * self._gaps.get(class_, SAMPLE_EVERY)
        elif self.offences[class_] >= PATIENCE:
            self.close(case, reason)

    def close(self, case: Case, reason: str) -> None:
        """Close the class of a case at once; valid messages are never closed as a class."""
        if case.mutations:
            self.closed.setdefault(case.mutation_class, reason)

    def blocks(self, case: Case) -> bool:
        """True when a case is to be left out; now and then one of a closed class still goes through."""
        class_ = case.mutation_class
        reason = self.closed.get(class_)
        if reason is None:
            return False
        self._passed[class_] += 1
        if self._passed[class_] >= self._gaps.get(class_, SAMPLE_EVERY):
            self._passed[class_] = 0
            return False
        self.blocked[reason] += 1
        return True

    def reason(self, case: Case) -> str:
        """Why the class of a case is sampled only; "" when it is not."""
        return self.closed.get(case.mutation_class, "")
