"""What the target supports, learned from its own answers, and how much of the tables was reached.

Knows observations and action names; must not know phases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fuzz.records import Case, Constraint, Observation, Reach
from strategies.labels import Position, Stance

STATES, TRANSITIONS = "states", "transitions"
"""The tables of where a target can be, and of the ways from there to elsewhere."""

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
    _rules: dict[str, tuple[str, Position, str]] = field(default_factory=dict)

    def plan_cases(self, table: str, cases: Iterable[Case]) -> None:
        """Add cases that are to be reached, each under the message and the rule that it meets."""
        made = list(cases)
        self.plan(table, (case.id for case in made))
        for case in made:
            keyword = case.mutations[0].keyword if case.mutations else "valid"
            self._rules[case.id] = (case.action, case.position, keyword)

    def plan_states(self, changes: Iterable[tuple[str, str]]) -> None:
        """Add states that are to be seen, and the changes between them."""
        for change in changes:
            self.plan(STATES, map(_place, change))
            self.plan(TRANSITIONS, (_arrow(*change),))

    def reach_state(self, state: str, before: str = "") -> None:
        """Count a state in which the target was seen; `before` is where it was just then, "" when not known."""
        self.reach(_place(state))
        self.reach(_arrow(before, state))

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

    def reach_told(self) -> Reach:
        """Everything one by one, in an order that no seed changes."""
        everything = set().union(*self.reached.values())
        totals = Counter(self._rules.values())
        reached = Counter(rule for id_, rule in self._rules.items() if id_ in everything)
        states, changes = self.total.get(STATES, set()), self.total.get(TRANSITIONS, set())
        return Reach(
            tuple(Constraint(*rule, reached[rule], totals[rule]) for rule in sorted(totals)),
            {state.removeprefix(_STATE): state in everything for state in sorted(states)},
            {_ends(change): change in everything for change in sorted(changes)},
        )


_STATE, _CHANGE, _TO = "state ", "change ", " to "


def _place(state: str) -> str:
    return f"{_STATE}{state}"


def _arrow(before: str, after: str) -> str:
    return f"{_CHANGE}{before}{_TO}{after}"


def _ends(change: str) -> tuple[str, str]:
    before, _, after = change.removeprefix(_CHANGE).partition(_TO)
    return before, after
