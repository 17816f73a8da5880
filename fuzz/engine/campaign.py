"""A campaign: phases in order, every case judged, every suspicion investigated, everything saved on the way.

Knows phases, executor, investigator and store by their seams. Must not know which end is attacked, how its
process is started, or how anything is shown: it sends engine events to a sink.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from fuzz.clock import Clock, rfc3339
from fuzz.engine.effects import CREDENTIAL_VARIABLES
from fuzz.engine.executor import Executor
from fuzz.engine.inventory import Inventory
from fuzz.engine.investigate import STOPPING, Investigator, Judge
from fuzz.engine.phases import Ground, Phase
from fuzz.engine.quarantine import Quarantine
from fuzz.errors import TargetUnavailable
from fuzz.records import (
    CampaignEnded,
    CampaignStarted,
    Case,
    Effect,
    EngineEvent,
    Finding,
    FindingReported,
    FindingStatus,
    FrameKind,
    Heard,
    Note,
    Observation,
    PhaseEnded,
    PhaseStarted,
    Progress,
    RemarkReported,
    SendText,
    Settled,
    Summary,
    Violation,
)
from strategies.labels import spell

BATCH = 25
"""Cases after which a harmless CALL must be served (O5), where none was needed before."""

PROGRESS_EVERY_S = 0.25
SAVE_EVERY_S = 1.0
MAX_FINDINGS_PER_SYMPTOM = 6
"""Broken rules that become findings of one symptom; further ones are only named by the first: mend that one."""

SLOW_S = 1.0
"""A case that took longer than this counts as costly when it ended in silence."""


class Findings(Protocol):
    """Where findings and the state of the campaign are kept."""

    def fingerprint(self, violation: Violation, case: Case) -> str:
        """The name under which equal findings meet."""
        ...

    def save(self, finding: Finding) -> None:
        """Write a finding, or merge it with what is there. Raises `StoreError`."""
        ...

    def checkpoint(self, phase: str, index: int, state: CampaignTally) -> None:
        """Write how far the campaign has come. Raises `StoreError`."""
        ...


@dataclass(slots=True)
class CampaignTally:
    """Counters of a campaign, kept over stop and resume."""

    cases: int = 0
    inconclusive: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    not_asked: Counter[str] = field(default_factory=Counter)
    remarks: dict[tuple[str, str], RemarkReported] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a campaign ends, and what it may do: `skip` is (phase, cases to pass over) when resumed."""

    max_time_s: float | None = None
    max_cases: int | None = None
    allowed: frozenset[Effect] = frozenset(Effect)
    credentials: bool = False
    skip: tuple[str, int] | None = None


class Stop(Exception):
    """The budget is used up."""


class Campaign:
    """Runs phases against one target and reports what came of it."""

    def __init__(
        self,
        executor: Executor,
        investigator: Investigator,
        judge: Judge,
        ground: Ground,
        inventory: Inventory,
        findings: Findings,
        clock: Clock,
        limits: Limits,
        sink: Callable[[EngineEvent], None],
        *,
        tool: str,
        tally: CampaignTally | None = None,
    ) -> None:
        self._executor = executor
        self._investigator = investigator
        self._judge = judge
        self._ground = ground
        self._inventory = inventory
        self._findings = findings
        self._clock = clock
        self._limits = limits
        self._sink = sink
        self._tool = tool
        self._tally = tally or CampaignTally()
        self._quarantine = Quarantine()
        self._window: deque[Case] = deque(maxlen=BATCH)
        self._recent: deque[Case] = deque(maxlen=2 * BATCH)
        self._by_id: dict[str, Observation] = {}
        self._started = clock.monotonic()
        self._last_progress = 0.0
        self._last_save = 0.0
        self._phase = ""
        self._index = 0
        self._stopping = False
        self._reason = ""
        self._served_calls = 0

    # --- the whole ----------------------------------------------------------------------------------------

    def stop(self, reason: str) -> None:
        """End after the present case (Ctrl-C): everything stays saved."""
        self._stopping = True
        self._reason = reason

    async def run(self, phases: Sequence[Phase]) -> Summary:
        """Play all phases and tell the outcome; a target that stays away ends the campaign, saved."""
        self._sink(
            CampaignStarted(
                self._executor.facts,
                self._ground.seed,
                tuple(p.name for p in phases),
                self._limits.max_time_s,
                self._limits.max_cases,
            )
        )
        unavailable = ""
        try:
            for phase in phases:
                await self._run_phase(phase)
            # Some deaths come late: give the last cases a moment before the target counts as alive.
            await self._executor.serve(self._executor.pace.linger_s)
            self._window.extend(self._recent)
            await self._checkpoint()
        except Stop as stop:
            self._reason = self._reason or str(stop)
        except TargetUnavailable as gone:
            unavailable = str(gone)
            self._sink(Note(unavailable, "action"))
        await self._put_back(unavailable)
        self._save(force=True)
        summary = self._summary(unavailable)
        self._sink(CampaignEnded(summary))
        return summary

    async def _put_back(self, unavailable: str) -> None:
        if unavailable:
            self._inventory.lost.extend(self._inventory.changed)
            return
        try:
            await self._inventory.put_back(self._executor)
        except TargetUnavailable as gone:
            self._sink(Note(f"could not put everything back: {gone}", "warning"))
            self._inventory.lost.extend(self._inventory.changed)

    async def _run_phase(self, phase: Phase) -> None:
        resumed = self._limits.skip
        skip = resumed[1] if resumed is not None and resumed[0] == phase.name else 0
        self._phase, self._index = phase.name, 0
        self._sink(PhaseStarted(phase.name, phase.planned()))
        before, complete = self._tally.cases, False
        try:
            async for case in phase.cases(self._executor.serve):
                self._check_budget()
                self._index += 1
                if self._index > skip:
                    await self._one(case)
            await self._checkpoint()
            complete = True
        finally:
            self._progress(force=True)
            self._sink(PhaseEnded(phase.name, self._tally.cases - before, complete))

    def _check_budget(self) -> None:
        limits = self._limits
        if self._stopping:
            raise Stop(self._reason)
        if limits.max_cases is not None and self._tally.cases >= limits.max_cases:
            raise Stop(f"{limits.max_cases} cases played")
        if limits.max_time_s is not None and self._elapsed() >= limits.max_time_s:
            raise Stop(f"{limits.max_time_s:g} s are over")

    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._started

    # --- one case -----------------------------------------------------------------------------------------

    async def _one(self, case: Case) -> None:
        why = self._left_out(case)
        if why:
            self._tally.not_asked[why] += 1
            return
        if self._quarantine.blocks(case):
            return
        if case.heavy:
            await self._checkpoint()
        started = self._clock.monotonic()
        observation = await self._executor.play(case)
        self._window.append(case)
        self._recent.append(case)
        await self._digest(observation, self._clock.monotonic() - started)
        await self._late_answers()
        if case.heavy or len(self._window) == BATCH:
            await self._checkpoint()
        self._progress()
        self._save()

    def _left_out(self, case: Case) -> str:
        if not self._limits.credentials and _names_credentials(case):
            return "would change how we get in (allow 'lock-out' by name)"
        if case.effect not in self._limits.allowed:
            return f"effect {case.effect.value} is not allowed on this target"
        return ""

    async def _digest(self, observation: Observation, took_s: float) -> None:
        """Count, learn, judge and investigate one observation."""
        case = observation.case
        self._tally.cases += 1
        self._tally.answers[answer_class(observation)] += 1
        self._learn(observation)
        violations = self._judge(observation)
        if observation.inconclusive:
            self._tally.inconclusive += 1
        else:
            self._ground.coverage.reach(case.id)
        if observation.close is not None and not observation.restart_asked:
            self._quarantine.offend(case, "classes that end the connection")
            self._window.clear()
        elif (
            took_s > max(SLOW_S, 10 * self._executor.pace.slowest_s)
            and observation.settled is not Settled.ANSWERED
        ):
            self._quarantine.offend(case, "classes that go unanswered for long")
        for violation in violations:
            if violation.remark:
                self._remark(violation, case)
            else:
                await self._suspect(observation, violation)
        await self._follow_changes(observation)

    def _learn(self, observation: Observation) -> None:
        self._ground.support.learn(observation)
        if observation.replies and observation.replies[0].kind is FrameKind.CALLRESULT:
            self._served_calls += 1
        known = self._ground.support.known()
        if known != self._executor.facts.supported:
            self._executor.facts = replace(self._executor.facts, supported=known)
        if observation.call_id is not None:
            self._by_id[observation.call_id] = observation
            while len(self._by_id) > 4 * BATCH:
                del self._by_id[next(iter(self._by_id))]

    async def _follow_changes(self, observation: Observation) -> None:
        self._inventory.note(observation)
        if observation.case.effect is Effect.LOCK_OUT and self._inventory.changed:
            await self._inventory.put_back(self._executor, only=list(self._inventory.changed))

    async def _late_answers(self) -> None:
        """Judge again what was answered a second time after its play was over."""
        for message_id, heard in self._executor.late_answers():
            earlier = self._by_id.get(message_id)
            if earlier is None:
                continue
            revised = replace(earlier, replies=(*earlier.replies, heard))
            known = {(v.oracle, v.symptom) for v in self._judge(earlier)}
            for violation in self._judge(revised):
                if (violation.oracle, violation.symptom) in known:
                    continue
                if violation.remark:
                    self._remark(violation, earlier.case)
                else:
                    await self._suspect(revised, violation)

    async def _checkpoint(self) -> None:
        """After a batch the target must still serve; if not, one of the batch did it."""
        window = list(self._window)
        self._window.clear()
        if not window:
            return
        if self._executor.connected and await self._executor.probe():
            return
        await self._hunt(window)

    async def _hunt(self, window: Sequence[Case]) -> None:
        """The target stopped serving behind a batch: play the last case again, alone, and see what it says."""
        self._sink(
            Note("the target stopped serving after a batch; looking for the case that did it")
        )
        for case in reversed(window):
            await self._executor.fresh()
            observation = await self._executor.play(case, linger=True)
            violations = [
                v for v in self._judge(observation) if v.oracle in STOPPING and not v.remark
            ]
            if violations:
                await self._suspect(observation, violations[0])
                return
        self._tally.inconclusive += 1

    # --- suspicions ---------------------------------------------------------------------------------------

    def _remark(self, violation: Violation, case: Case) -> None:
        key = (violation.oracle, violation.symptom)
        known = self._tally.remarks.get(key)
        if known is None:
            self._tally.remarks[key] = remark = RemarkReported(violation, case.id)
            self._sink(remark)
        else:
            self._tally.remarks[key] = replace(known, count=known.count + 1)

    async def _suspect(self, observation: Observation, violation: Violation) -> None:
        """Follow a violation up, unless it is known; a candidate is on disk before its confirmation starts."""
        case = observation.case
        fingerprint = self._findings.fingerprint(violation, case)
        known = self._tally.findings.get(fingerprint) or self._crowded(violation, case)
        if known is not None:
            self._again(known, case)
            if violation.oracle in STOPPING:
                self._quarantine.close(case, f"finding {known.fingerprint[:8]}")
            return
        window = [c for c in self._recent if c is not case]
        finding = Finding(
            fingerprint=fingerprint,
            violation=violation,
            case=case,
            original=case,
            facts=self._executor.facts,
            entries=observation.entries,
            tool=self._tool,
            first_seen=rfc3339(self._clock.now()),
        )
        self._tally.findings[fingerprint] = finding
        self._findings.save(finding)
        finding = await self._investigator.confirm(finding)
        if (
            finding.status is FindingStatus.UNCONFIRMED
            and not finding.confirmed
            and violation.oracle in STOPPING
        ):
            await self._blame(window, violation)
        if finding.status is FindingStatus.CONFIRMED:
            finding = await self._confirmed(finding)
        else:
            self._tally.inconclusive += 1
        self._keep(finding)

    def _crowded(self, violation: Violation, case: Case) -> Finding | None:
        """The finding beside which this one would tell nothing new: same symptom by the same rule, or too many."""
        alike = [
            f
            for f in self._confirmed_findings()
            if (f.violation.oracle, f.violation.symptom) == (violation.oracle, violation.symptom)
        ]
        same_rule = [f for f in alike if rules(f.original) == rules(case)]
        if same_rule:
            return same_rule[0]
        return alike[0] if len(alike) >= MAX_FINDINGS_PER_SYMPTOM else None

    async def _confirmed(self, finding: Finding) -> Finding:
        if finding.violation.oracle in STOPPING:
            self._quarantine.close(finding.case, f"finding {finding.fingerprint[:8]}")
        self._keep(finding)
        return await self._investigator.shrink(finding)

    async def _blame(self, window: Sequence[Case], violation: Violation) -> None:
        """The case seen last is innocent; look among those played just before."""
        culprit = await self._investigator.culprit(window, violation)
        if culprit is None:
            return
        await self._executor.fresh()
        observation = await self._executor.play(culprit, linger=True)
        again = [
            v for v in self._judge(observation) if v.oracle == violation.oracle and not v.remark
        ]
        if again:
            await self._suspect(observation, again[0])

    def _keep(self, finding: Finding) -> None:
        self._tally.findings[finding.fingerprint] = finding
        self._findings.save(finding)
        self._sink(FindingReported(finding))

    def _again(self, known: Finding, case: Case) -> None:
        if case.id not in known.also and case.id != known.original.id and len(known.also) < 50:
            self._tally.findings[known.fingerprint] = replace(known, also=(*known.also, case.id))

    # --- telling ------------------------------------------------------------------------------------------

    def _progress(self, *, force: bool = False) -> None:
        now = self._elapsed()
        if not force and now - self._last_progress < PROGRESS_EVERY_S:
            return
        self._last_progress = now
        tally = self._tally
        self._sink(
            Progress(
                phase=self._phase,
                cases=tally.cases,
                elapsed_s=now,
                rate=tally.cases / now if now else 0.0,
                findings=len(self._confirmed_findings()),
                remarks=len(tally.remarks),
                inconclusive=tally.inconclusive,
                answers=dict(tally.answers),
                coverage=self._ground.coverage.counts(),
            )
        )

    def _save(self, *, force: bool = False) -> None:
        now = self._elapsed()
        if force or now - self._last_save >= SAVE_EVERY_S:
            self._last_save = now
            self._findings.checkpoint(self._phase, self._index, self._tally)

    def _confirmed_findings(self) -> list[Finding]:
        return [f for f in self._tally.findings.values() if f.status is FindingStatus.CONFIRMED]

    def _summary(self, unavailable: str) -> Summary:
        tally = self._tally
        found = sorted(
            self._confirmed_findings(), key=lambda f: (-f.violation.severity, f.fingerprint)
        )
        for finding in tally.findings.values():
            self._findings.save(finding)
        reason = unavailable or self._reason
        code = 1 if found else 3 if unavailable or not self._served_calls else 0
        if code == 3 and not unavailable:
            reason = "no CALL was served with a CALLRESULT, so nothing is proven"
        return Summary(
            facts=self._executor.facts,
            seed=self._ground.seed,
            cases=tally.cases,
            elapsed_s=self._elapsed(),
            findings=tuple(found),
            remarks=tuple(tally.remarks.values()),
            inconclusive=tally.inconclusive,
            answers=dict(tally.answers),
            coverage=self._ground.coverage.counts(),
            left_changed=tuple(self._inventory.lost),
            unavailable=(unavailable,) if unavailable else (),
            exit_code=code,
            reason=reason,
            blocked=dict(self._quarantine.blocked),
            not_asked=dict(tally.not_asked),
        )


def rules(case: Case) -> frozenset[tuple[str, str]]:
    """The rules that a case bends, as (channel, keyword)."""
    return frozenset((m.channel.value, m.keyword) for m in case.mutations)


def answer_class(observation: Observation) -> str:
    """The class of a target's reaction, for counting: CALLRESULT, an error code, silence, closed, died."""
    if observation.process is not None:
        return "died"
    if observation.replies:
        return _reply_class(observation.replies[0])
    return "closed" if observation.close is not None else "silence"


def _reply_class(reply: Heard) -> str:
    if reply.kind is FrameKind.CALLRESULT:
        return "CALLRESULT"
    return reply.error_code[:40] if isinstance(reply.error_code, str) else "malformed CALLERROR"


def _names_credentials(case: Case) -> bool:
    """True when a SetVariables names a password or an identity: even a broken one may be taken by a lenient target."""
    if case.action != "SetVariables":
        return False
    text = "".join(spell(s.text).lower() for s in case.steps if isinstance(s, SendText))
    return any(f'"{name}"' in text for name in CREDENTIAL_VARIABLES)
