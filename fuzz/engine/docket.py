"""The docket of a campaign: remarks and suspicions, followed up until each is a finding or is dropped.

Knows violations, findings and the investigator; must not know phases or budgets. A candidate is on disk before its
confirmation starts, so that a kill at any moment loses none.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from fuzz.clock import Clock, rfc3339
from fuzz.engine.crossing import CROSSED, SILENT, may_come_of_a_crossing
from fuzz.engine.investigate import (
    ENDING,
    MEASURED,
    STOPPING,
    Investigator,
    as_control,
    plays_to_confirm,
)
from fuzz.engine.ledger import Ledger
from fuzz.engine.quarantine import Quarantine
from fuzz.engine.stage import is_scene
from fuzz.errors import TargetUnavailable
from fuzz.records import (
    Case,
    EngineEvent,
    Finding,
    FindingReported,
    FindingStatus,
    FollowUp,
    Observation,
    Pursuit,
    RemarkReported,
    Violation,
)

MAX_FINDINGS_PER_SYMPTOM = 6
"""Broken rules that become findings of one symptom; further ones are only named by the first: mend that one."""

MAX_ALSO = 50

MAX_LEANED = 2
"""Suspicions of one symptom whose cause is looked for in the cases before."""

MAX_IN_VAIN = 4
"""Suspicions of one symptom that came to nothing, after which a further one must show again at once to be followed up."""

MAX_UNTRACED = 5
"""Silences that nothing played before them explains, after which no further one is traced: each takes time-outs."""

MAX_CROSSED = 3
"""Silences for which CALLs are made to cross, and are both answered: a target that copes with it always will."""

_ALIKE = {
    ("payload", "growth", "digits"): ("text", "number"),
    ("payload", "growth", "unknown-action"): ("envelope", "action"),
    ("payload", "flood", "unknown-action"): ("envelope", "action"),
}
"""Alterations that bend the rule of another one, only more and more: (channel, keyword, operator), and that rule."""


class Shelf(Protocol):
    """Where findings are kept."""

    def fingerprint(self, violation: Violation, case: Case) -> str:
        """The name under which equal findings meet."""
        ...

    def save(self, finding: Finding) -> None:
        """Write a finding, or merge it with what is there. Raises `StoreError`."""
        ...

    def drop(self, finding: Finding) -> None:
        """Take back a finding that turned out innocent. Raises `StoreError`."""
        ...


@dataclass(slots=True)
class Docket:
    """What was objected to so far. `recent` are the cases played last, newest last, for deaths that come late.

    `crossing` is a case in which CALLs cross for certain, None where none can be had. `innocent` counts what did not show
    again, by its name; `unexplained` counts what ended a connection or a process, and was nothing that we said.
    """

    investigator: Investigator
    shelf: Shelf
    quarantine: Quarantine
    clock: Clock
    sink: Callable[[EngineEvent], None]
    tool: str
    exchanges: Callable[[], int]
    crossing: Case | None = None
    findings: dict[str, Finding] = field(default_factory=dict)
    remarks: dict[tuple[str, str], RemarkReported] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    innocent: Counter[str] = field(default_factory=Counter)
    unexplained: int = 0
    _acquitted: set[str] = field(default_factory=set)
    _leaned: Counter[tuple[str, str]] = field(default_factory=Counter)
    _in_vain: Counter[tuple[str, str]] = field(default_factory=Counter)
    _crossed: int = 0
    _untraced: int = 0

    def confirmed(self) -> list[Finding]:
        """The findings that repeated, without those whose control failed too."""
        return [f for f in self.findings.values() if f.status is FindingStatus.CONFIRMED]

    def unconfirmed(self) -> list[Finding]:
        """What did not repeat, or showed without its fault too: inconclusive, and told apart."""
        return [f for f in self.findings.values() if f.status is FindingStatus.UNCONFIRMED]

    @property
    def silent(self) -> bool:
        """True once the target is known to fall silent: the next silence is seldom news, and is made sure of anyhow."""
        return any((f.violation.oracle, f.violation.symptom) in SILENT for f in self.confirmed())

    @property
    def dropped(self) -> int:
        """How many suspicions came to nothing."""
        return self.innocent.total()

    def candidates(self) -> list[Finding]:
        """The findings whose confirmation never ended."""
        return [f for f in self.findings.values() if f.status is FindingStatus.CANDIDATE]

    def save(self) -> None:
        """Write every finding as it is known now."""
        for finding in self.findings.values():
            self.shelf.save(finding)

    async def take(
        self, observation: Observation, violations: Iterable[Violation], recent: Sequence[Case]
    ) -> None:
        """Note the remarks among the violations, and follow up the rest.

        What cannot be followed up because the target is gone stays a candidate. Raises `TargetUnavailable` then.
        """
        suspicions = deque(v for v in violations if not v.remark)
        for violation in violations:
            if violation.remark:
                self._remark(violation, observation.case)
        try:
            while suspicions:
                await self.suspect(observation, suspicions.popleft(), recent)
        except TargetUnavailable:
            for violation in suspicions:
                if self._known(violation, observation.case) is None:
                    self._open(observation, violation)
            raise

    def _remark(self, violation: Violation, case: Case) -> None:
        self.ledger.remark(violation, case)
        key = (violation.oracle, violation.symptom)
        known = self.remarks.get(key)
        if known is None:
            self.remarks[key] = remark = RemarkReported(violation, case.id)
            self.sink(remark)
        else:
            self.remarks[key] = replace(known, count=known.count + 1)

    async def suspect(
        self, observation: Observation, violation: Violation, recent: Sequence[Case]
    ) -> None:
        """Follow a violation up, and whatever it leads to, until nothing is left to ask."""
        todo = deque([(observation, violation)])
        while todo:
            seen, objection = todo.popleft()
            todo.extend(await self._follow_up(seen, objection, recent))

    async def _follow_up(
        self, observation: Observation, violation: Violation, recent: Sequence[Case]
    ) -> list[tuple[Observation, Violation]]:
        """Confirm and shrink one suspicion; the suspicions that it turns into when its own case is innocent."""
        case = observation.case
        if self.shelf.fingerprint(violation, case) in self._acquitted:
            return []
        known = self._known_crossing(observation, violation)
        if known is not None:
            # The case itself is innocent: its class goes on being played.
            self.ledger.objection(known.violation, case, known.fingerprint)
            self._again(known, case, known.violation)
            return []
        known = self._known(violation, case)
        if known is not None:
            self.ledger.objection(violation, case, known.fingerprint)
            self._again(known, case, violation)
            return []
        opened = self._open(observation, violation)
        self.ledger.objection(violation, case, opened.fingerprint)
        if crossed := await self._of_a_crossing(observation, opened):
            self._forget(opened)
            return crossed
        return await self._examine(opened, recent)

    async def _of_a_crossing(
        self, observation: Observation, finding: Finding
    ) -> list[tuple[Observation, Violation]]:
        """What becomes of CALLs that cross for certain, where a silence may come of some that crossed by chance.

        By itself such a case shows nothing, and each of its plays that crosses by chance again costs a time-out.
        """
        violation, crossing = finding.violation, self.crossing
        if crossing is None or self._crossed >= MAX_CROSSED:
            return []
        if finding.case == crossing or not may_come_of_a_crossing(observation, violation):
            return []
        self.sink(FollowUp(finding, Pursuit.CROSSING, 1))
        told = await self.investigator.once_more(crossing, replace(violation, oracle=CROSSED[0]))
        crossed = [(seen, v) for seen, v in told if (v.oracle, v.symptom) == CROSSED]
        self._crossed += not crossed
        return crossed

    async def reopen(self) -> None:
        """Go on where a killed campaign stopped: its killers are known, its candidates are confirmed now."""
        for finding in self.confirmed():
            if finding.violation.oracle in STOPPING:
                self.quarantine.close(finding.original, _blocked_by(finding))
        for finding in self.candidates():
            for observation, violation in await self._examine(finding, ()):
                await self.suspect(observation, violation, ())

    async def _examine(
        self, finding: Finding, recent: Sequence[Case]
    ) -> list[tuple[Observation, Violation]]:
        symptom = (finding.violation.oracle, finding.violation.symptom)
        if self._in_vain[symptom] >= MAX_IN_VAIN and not await self._shows_at_once(finding):
            return []
        self.sink(FollowUp(finding, Pursuit.CONFIRMING, plays_to_confirm(finding)))
        finding = await self.investigator.confirm(finding)
        if finding.status is FindingStatus.CONFIRMED:
            await self._settle(finding)
            return []
        again = await self._innocent(finding, recent)
        self._in_vain[symptom] += not again
        if again and (finding.control_hits or finding.violation.oracle not in STOPPING):
            self._acquit(finding)
        else:
            self._keep(finding)
        return again

    async def _shows_at_once(self, finding: Finding) -> bool:
        """One play of what came to nothing again and again before; kept as what it is when it shows nothing either."""
        if await self.investigator.once_more(finding.original, finding.violation):
            return True
        self.innocent[_unseen(finding.violation)] += 1
        self.unexplained += finding.violation.oracle in ENDING
        self._keep(replace(finding, status=FindingStatus.UNCONFIRMED, confirmed=0, tries=1))
        return False

    def _acquit(self, finding: Finding) -> None:
        """Forget a finding whose control fails as well: its message is a killer without its fault."""
        self._acquitted.add(finding.fingerprint)
        self._forget(finding)
        if finding.violation.oracle in STOPPING:
            self.quarantine.close(
                finding.original, "classes whose messages fail without their fault too"
            )

    def _forget(self, finding: Finding) -> None:
        self.findings.pop(finding.fingerprint, None)
        self.shelf.drop(finding)

    def _open(self, observation: Observation, violation: Violation) -> Finding:
        case = observation.case
        finding = Finding(
            fingerprint=self.shelf.fingerprint(violation, case),
            violation=violation,
            case=case,
            original=case,
            facts=observation.facts,
            entries=observation.entries,
            tapes=observation.tapes,
            tool=self.tool,
            first_seen=rfc3339(self.clock.now()),
            exchanges=self.exchanges(),
        )
        self.findings[finding.fingerprint] = finding
        self.shelf.save(finding)
        return finding

    async def _settle(self, finding: Finding) -> None:
        if finding.violation.oracle in STOPPING:
            self.quarantine.close(finding.case, _blocked_by(finding))
        self._keep(replace(finding, not_minimal="it was not made smaller yet"))
        if finding.violation.oracle not in MEASURED:
            self.sink(FollowUp(finding, Pursuit.SHRINKING))
        smaller = await self.investigator.shrink(finding)
        self._keep(smaller)
        if finding.violation.oracle not in MEASURED:
            self.sink(FollowUp(smaller, Pursuit.SHRUNK))

    async def _innocent(
        self, finding: Finding, recent: Sequence[Case]
    ) -> list[tuple[Observation, Violation]]:
        """Who else may have done it: the control, when it fails as well; or what was played just before."""
        violation = finding.violation
        if finding.control_hits:
            suspects = [as_control(finding.original)]
        elif not finding.confirmed and violation.oracle in STOPPING:
            suspects = await self._traced(finding, recent) or await self._leaning(finding, recent)
        elif not finding.confirmed:
            suspects = await self._leaning(finding, recent)
        else:
            suspects = []
        again = [
            pair for case in suspects for pair in await self.investigator.once_more(case, violation)
        ]
        self.innocent[_unseen(violation)] += not again
        self.unexplained += not again and violation.oracle in ENDING
        return again

    async def _traced(self, finding: Finding, recent: Sequence[Case]) -> list[Case]:
        """The case played before it that did it, if one did; silences that come and go are traced a few times only."""
        violation = finding.violation
        silent = (violation.oracle, violation.symptom) in SILENT
        if silent and self._untraced >= MAX_UNTRACED:
            return []
        self.sink(FollowUp(finding, Pursuit.SEARCHING))
        before = [c for c in recent if c is not finding.original]
        culprit = await self.investigator.culprit(before, violation)
        self._untraced += silent and culprit is None
        return [] if culprit is None else [culprit]

    async def _leaning(self, finding: Finding, recent: Sequence[Case]) -> list[Case]:
        """The finding's case and one before it made one, where it takes both."""
        if not self._may_lean(finding):
            return []
        if finding.violation.oracle not in STOPPING:  # Of those it was told that one looks.
            self.sink(FollowUp(finding, Pursuit.SEARCHING))
        pair = await self.investigator.carried(recent, finding)
        return [] if pair is None else [pair]

    def _may_lean(self, finding: Finding) -> bool:
        """Whether to look for its cause in the cases before it: a few times for each symptom, since it takes long.

        What a single message shows is its own doing, unless it stops the target.
        """
        violation = finding.violation
        leans = is_scene(finding.original) or violation.oracle in STOPPING
        if violation.oracle in MEASURED or not leans:
            return False
        self._leaned[violation.oracle, violation.symptom] += 1
        return self._leaned[violation.oracle, violation.symptom] <= MAX_LEANED

    def _known_crossing(self, observation: Observation, violation: Violation) -> Finding | None:
        """The finding of CALLs that must not cross, where a silence may come of some that did."""
        known = [
            f for f in self.confirmed() if (f.violation.oracle, f.violation.symptom) == CROSSED
        ]
        return known[0] if known and may_come_of_a_crossing(observation, violation) else None

    def _known(self, violation: Violation, case: Case) -> Finding | None:
        """The finding beside which a suspicion would tell nothing new: same symptom by the same rule, or too many."""
        same = self.findings.get(self.shelf.fingerprint(violation, case))
        if same is not None:
            return same
        symptom = (violation.oracle, violation.symptom)
        alike = [
            f for f in self.confirmed() if (f.violation.oracle, f.violation.symptom) == symptom
        ]
        same_rule = [f for f in alike if by_chance(case) or rules(f.original) == rules(case)]
        if same_rule:
            return same_rule[0]
        return alike[0] if len(alike) >= MAX_FINDINGS_PER_SYMPTOM else None

    def _again(self, known: Finding, case: Case, violation: Violation) -> None:
        if violation.oracle in STOPPING:
            self.quarantine.close(case, _blocked_by(known))
        if (
            case.id not in known.also
            and case.id != known.original.id
            and len(known.also) < MAX_ALSO
        ):
            self.findings[known.fingerprint] = replace(known, also=(*known.also, case.id))

    def _keep(self, finding: Finding) -> None:
        self.findings[finding.fingerprint] = finding
        self.shelf.save(finding)
        self.sink(FindingReported(finding))


def rules(case: Case) -> frozenset[tuple[str, str]]:
    """The rules that a case bends, as (channel, keyword)."""
    return frozenset(
        _ALIKE.get((m.channel.value, m.keyword, m.operator), (m.channel.value, m.keyword))
        for m in case.mutations
    )


def by_chance(case: Case) -> bool:
    """True for a message that no rule was bent for: when it does what a mutated one did, it is the same defect."""
    return all(m.keyword == "garble" for m in case.mutations)


def _unseen(violation: Violation) -> str:
    return f"{violation.name} ({violation.oracle}) that was not seen again"


def _blocked_by(finding: Finding) -> str:
    return f"finding {finding.violation.oracle}-{finding.fingerprint[:8]}"
