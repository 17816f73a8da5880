"""The ledger of a campaign: what came of its cases, a page for each action and position.

Knows cases, observations and objections. Must not know what a report makes of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from fuzz.records import Case, Observation, Turnout, Violation
from strategies.labels import Position


@dataclass(slots=True)
class _Page:
    judged: int = 0
    inconclusive: int = 0
    measured: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    remarks: dict[str, tuple[Violation, int]] = field(default_factory=dict)
    objections: dict[tuple[str, str], None] = field(default_factory=dict)


@dataclass(slots=True)
class Ledger:
    """Counts as a campaign goes on; the pages are in the order in which their first case came."""

    _pages: dict[tuple[str, Position], _Page] = field(default_factory=dict)

    def played(self, observation: Observation) -> None:
        """A case was played, whether it came to a verdict or not."""
        page = self._page(observation.case)
        page.judged += not observation.inconclusive
        page.inconclusive += bool(observation.inconclusive)
        page.measured += bool(observation.figures)

    def left_out(self, case: Case, reason: str) -> None:
        """A case was passed over."""
        self._page(case).left_out[reason] += 1

    def remark(self, violation: Violation, case: Case) -> None:
        """A tolerated deviation was seen; the first one of each oracle is kept."""
        remarks = self._page(case).remarks
        first, count = remarks.get(violation.oracle, (violation, 0))
        remarks[violation.oracle] = (first, count + 1)

    def objection(self, violation: Violation, case: Case, fingerprint: str) -> None:
        """An oracle objected; `fingerprint` names the finding that it became, or that it adds nothing to."""
        self._page(case).objections[violation.oracle, fingerprint] = None

    def turnouts(self) -> tuple[Turnout, ...]:
        """Every page, as it is now."""
        return tuple(
            Turnout(
                action,
                position,
                judged=page.judged,
                inconclusive=page.inconclusive,
                measured=page.measured,
                left_out=dict(page.left_out),
                remarks=tuple(page.remarks.values()),
                objections=tuple(page.objections),
            )
            for (action, position), page in self._pages.items()
        )

    def _page(self, case: Case) -> _Page:
        return self._pages.setdefault((case.action, case.position), _Page())
