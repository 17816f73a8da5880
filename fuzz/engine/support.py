"""What the target supports, learned from its own answers, and how much of the tables was reached.

Knows observations and action names; must not know phases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fuzz.records import Observation
from strategies.labels import Stance

UNSUPPORTED_CODES = frozenset({"NotSupported", "NotImplemented"})


@dataclass(slots=True)
class Support:
    """Actions that the target answered in earnest, and those that it refused as unknown or unsupported."""

    supported: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def learn(self, observation: Observation) -> None:
        """Take note of the answer to a valid CALL; anything else teaches nothing."""
        case = observation.case
        if case.expectation.stance is not Stance.ACCEPT or not observation.replies:
            return
        reply = observation.replies[0]
        code = reply.error_code
        if isinstance(code, str) and code in UNSUPPORTED_CODES:
            self.refused.add(case.action)
            self.supported.discard(case.action)
        elif case.action not in self.refused:
            self.supported.add(case.action)

    def known(self) -> frozenset[str] | None:
        """The supported actions, None while nothing was learned."""
        return frozenset(self.supported) if self.supported or self.refused else None


@dataclass(slots=True)
class Coverage:
    """For each table the entries that exist for supported actions, and those that were played to a verdict."""

    total: dict[str, set[str]] = field(default_factory=dict)
    reached: dict[str, set[str]] = field(default_factory=dict)

    def plan(self, table: str, ids: Iterable[str]) -> None:
        """Add entries that are to be reached."""
        self.total.setdefault(table, set()).update(ids)

    def holds(self, case_id: str) -> bool:
        """True when a table has this entry."""
        return any(case_id in ids for ids in self.total.values())

    def reach(self, case_id: str) -> None:
        """Count a case that was played to a verdict; ids that no table holds are ignored."""
        for table, ids in self.total.items():
            if case_id in ids:
                self.reached.setdefault(table, set()).add(case_id)
                return

    def left(self, table: str) -> list[str]:
        """The entries of a table that were not reached."""
        return sorted(self.total.get(table, set()) - self.reached.get(table, set()))

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """For each table (reached, total)."""
        return {
            table: (len(self.reached.get(table, ())), len(ids)) for table, ids in self.total.items()
        }
