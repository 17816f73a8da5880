"""A campaign: phases in order, every case judged, every suspicion investigated, everything saved on the way.

Knows phases, executor, investigator and store by their seams. Must not know which end is attacked, how its
process is started, or how anything is shown: it sends engine events to a sink.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from fuzz.clock import Clock
from fuzz.engine.course import Course, cost_of, share_of, turn_of
from fuzz.engine.crossing import sure_crossing
from fuzz.engine.docket import Docket, Shelf
from fuzz.engine.doubts import Doubts, Returns
from fuzz.engine.effects import names_credentials
from fuzz.engine.executor import Executor
from fuzz.engine.inventory import Inventory
from fuzz.engine.investigate import STOPPING, SURE_S, Investigator, Judge
from fuzz.engine.ledger import Ledger
from fuzz.engine.phases import ACTIONS, Ground, Phase, Systematic
from fuzz.engine.quarantine import Quarantine
from fuzz.engine.stage import is_scene, needs_hands
from fuzz.engine.vault import Vault
from fuzz.errors import TargetUnavailable
from fuzz.ocppj.history import history
from fuzz.records import (
    Ability,
    CampaignEnded,
    CampaignStarted,
    Case,
    Effect,
    EngineEvent,
    Finding,
    FrameKind,
    FullPass,
    Heard,
    Note,
    Observation,
    PhaseEnded,
    PhaseStarted,
    Progress,
    RemarkReported,
    Settled,
    Side,
    Summary,
)
from strategies.labels import Position, Stance

BATCH = 25
"""Cases after which a harmless CALL must be served (O5), where none was needed before."""

LATE_S, MOST_RECENT = 1.0, 1_000
"""How long after its cause a death may come, in seconds and in cases; two batches are looked at in any case."""

PROGRESS_EVERY_S = 0.25
SAVE_EVERY_S = 1.0
MAX_KEPT_CHARACTERS = 100_000
"""Characters of an observation up to which it is kept, in case that a second answer comes late."""

MAX_REASONS = 20
SAMPLED = "of actions not known to be supported, or not allowed, few are played or none"
SLOW_S = 1.0
"""A case that took longer than this counts as costly when it ended in silence."""


class Findings(Shelf, Protocol):
    """Where findings and the state of the campaign are kept."""

    def checkpoint(self, phase: str, played: Mapping[str, int], state: CampaignTally) -> None:
        """Write which phase is on, and how many cases of each were played. Raises `StoreError`."""
        ...


@dataclass(slots=True)
class CampaignTally:
    """Counters of a campaign, kept over stop and resume.

    `missed` are the ids of table entries that were passed over without a verdict.
    """

    cases: int = 0
    inconclusive: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    not_asked: Counter[str] = field(default_factory=Counter)
    remarks: dict[tuple[str, str], RemarkReported] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)
    disturbed: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a campaign ends, and what it may do; `skip` holds the cases of each phase to pass over when resumed."""

    max_time_s: float | None = None
    max_cases: int | None = None
    max_exchanges: int | None = None
    fail_fast: bool = False
    allowed: frozenset[Effect] = frozenset(Effect)
    skip: Mapping[str, int] = field(default_factory=dict)


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
        vault: Vault | None = None,
    ) -> None:
        self._executor = executor
        self._judge = judge
        self._ground = ground
        self._inventory = inventory
        self._findings = findings
        self._clock = clock
        self._limits = limits
        self._sink = sink
        self._vault = vault
        self._tally = tally or CampaignTally()
        self._quarantine = Quarantine()
        self._ledger = Ledger()
        self._docket = Docket(
            investigator,
            findings,
            self._quarantine,
            clock,
            sink,
            tool,
            lambda: executor.exchanges,
            crossing=sure_crossing(ground),
            findings=self._tally.findings,
            remarks=self._tally.remarks,
            ledger=self._ledger,
        )
        self._window: deque[Case] = deque(maxlen=BATCH)
        self._recent: deque[tuple[float, Case]] = deque(maxlen=MOST_RECENT)
        self._by_id: dict[str, Observation] = {}
        self._started = clock.monotonic()
        self._last_progress = 0.0
        self._last_save = 0.0
        self._phase = ""
        self._left: dict[str, Counter[str]] = {}
        self._played: dict[str, int] = dict(limits.skip)
        self._stopping = False
        self._reason = ""
        self._served_calls = 0
        self._doubts = Doubts()
        self._phases: Sequence[Phase] = ()

    # --- the whole ----------------------------------------------------------------------------------------

    @property
    def stopped(self) -> bool:
        """True when somebody wanted it to end."""
        return self._stopping

    def stop(self, reason: str) -> None:
        """End after the present case (Ctrl-C): everything stays saved."""
        self._stopping = True
        self._reason = reason

    async def run(self, phases: Sequence[Phase]) -> Summary:
        """Play all phases and tell the outcome; a target that stays away ends the campaign, saved."""
        self._phases = phases
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
        if not self._limits.skip:
            # A folder that cannot be written is told before the target is bothered.
            self._save(force=True)
        try:
            await self._docket.reopen()
            await self._run_phases(phases)
            if not self._stopping:
                await self._last_look()
        except TargetUnavailable as gone:
            unavailable = str(gone)
            self._sink(Note(unavailable, "action"))
        # What comes behind the campaign decides for itself how long it waits.
        self._executor.least_s = None
        await self._put_back(unavailable)
        self._save(force=True)
        summary = self._summary(unavailable)
        self._sink(CampaignEnded(summary))
        return summary

    async def _run_phases(self, phases: Sequence[Phase]) -> None:
        courses = [
            Course(p, self._executor.serve, skip=self._limits.skip.get(p.name, 0)) for p in phases
        ]
        try:
            while waiting := [c for c in courses if not c.over]:
                for course in waiting:
                    await self._turn(course, alone=len(waiting) == 1)
        except Stop as stop:
            self._reason = self._reason or str(stop)
        finally:
            for course in courses:
                await course.aclose()
                if course.begun and not course.over:
                    self._end(course)

    async def _last_look(self) -> None:
        """Some deaths come late: give the last cases a moment before the target counts as alive."""
        await self._executor.serve(self._executor.pace.linger_s)
        self._window.extend(self._lately())
        await self._checkpoint()

    async def _put_back(self, unavailable: str) -> None:
        if unavailable:
            return
        try:
            await self._inventory.put_back(self._executor)
            if self._vault is not None:
                self._inventory.lost.extend(await self._vault.put_back(self._executor))
        except TargetUnavailable as gone:
            self._sink(Note(f"could not put everything back: {gone}", "warning"))

    async def _turn(self, course: Course, *, alone: bool) -> None:
        """Play cases of one phase until its turn is used up."""
        self._phase = course.phase.name
        limits = self._limits
        clocked = limits.max_time_s is not None and limits.max_cases is limits.max_exchanges is None
        left = turn_of(self._phase, first=not course.begun, alone=alone, clocked=clocked)
        if not course.begun:
            course.begun = True
            self._sink(PhaseStarted(self._phase, course.phase.planned()))
            self._save(force=not course.skip)
        until = self._elapsed() + self._longest_turn_s(alone=alone)
        while left > 0 and self._elapsed() < until:
            self._check_budget()
            case = await course.next()
            if case is None:
                break
            self._played[self._phase] = course.index
            if course.index > course.skip:
                left -= cost_of(case)
                course.played += 1
                await self._one(case)
            elif case.id not in self._tally.missed:
                self._ground.coverage.reach(case.id)
        await self._checkpoint()
        if course.over:
            self._end(course)

    def _longest_turn_s(self, *, alone: bool) -> float:
        """Where the clock ends a campaign it also ends a turn, so that each phase gets two of them at least."""
        budget = self._limits.max_time_s
        if alone or budget is None:
            return math.inf
        return budget / 2 * share_of(self._phase, [p.name for p in self._phases])

    def _end(self, course: Course) -> None:
        self._progress(force=True)
        left = Counter(self._left.get(course.phase.name, {}))
        played = course.played - left.total()
        left.update(course.phase.left_out())
        planned = course.phase.planned()
        if planned is not None and course.over and not course.skip:
            # Tables count every action as supported, until the target says what it does not know.
            left[SAMPLED] += max(0, planned - played - left.total())
        self._sink(PhaseEnded(course.phase.name, played, course.over, dict(+left)))

    def _check_budget(self) -> None:
        limits = self._limits
        if self._stopping:
            raise Stop(self._reason)
        if limits.max_cases is not None and self._tally.cases >= limits.max_cases:
            raise Stop(f"{limits.max_cases} cases played")
        if limits.max_exchanges is not None and self._executor.exchanges >= limits.max_exchanges:
            raise Stop(f"{limits.max_exchanges} messages exchanged")
        if limits.fail_fast and self._docket.confirmed():
            raise Stop("a finding is confirmed, and --fail-fast")
        if limits.max_time_s is not None and self._elapsed() >= limits.max_time_s:
            raise Stop(f"{limits.max_time_s:g} s are over")

    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._started

    # --- one case -----------------------------------------------------------------------------------------

    async def _one(self, case: Case) -> None:
        why = self._left_out(case)
        if why:
            self._tally.not_asked[why] += 1
        if why or self._quarantine.blocks(case):
            told = why or self._quarantine.reason(case)
            self._left.setdefault(self._phase, Counter())[told] += 1
            self._ledger.left_out(case, told)
            self._miss(case)
            return
        if self._vault is not None:
            case = self._vault.sealed(case)
        if case.heavy:
            await self._checkpoint()
        started = self._clock.monotonic()
        observation = await self._executor.play(case)
        self._window.append(case)
        self._recent.append((started, case))
        await self._digest(observation, self._clock.monotonic() - started)
        await self._late_answers()
        if case.heavy or len(self._window) == BATCH:
            await self._checkpoint()
        self._progress()
        self._save()

    def _lately(self) -> list[Case]:
        """The cases played last, of which one may be what a late death comes of."""
        since_s = self._clock.monotonic() - LATE_S
        told = list(self._recent)
        few = len(told) - 2 * BATCH
        return [case for i, (at_s, case) in enumerate(told) if i >= few or at_s >= since_s]

    def _miss(self, case: Case) -> None:
        if self._ground.coverage.holds(case.id):
            self._tally.missed.add(case.id)

    def _left_out(self, case: Case) -> str:
        if names_credentials(case):
            if self._vault is None:
                return "would change how we get in (allow 'lock-out' by name)"
            if why := self._vault.refuses(case):
                return why
        if case.effect not in self._limits.allowed:
            return f"effect {case.effect.value} is not allowed on this target"
        if Ability.OPERATOR not in self._ground.abilities and needs_hands(case.steps):
            return "needs somebody at the target; see --operator"
        if action := self._ground.waits.hopeless(case.steps):
            return f"would wait for {action}, which never came"
        return ""

    async def _digest(self, observation: Observation, took_s: float) -> None:
        """Count, learn, judge and investigate one observation."""
        case = observation.case
        self._tally.cases += 1
        self._tally.answers[answer_class(observation)] += 1
        self._ledger.played(observation)
        self._doubt(observation)
        self._learn(observation)
        violations = self._judge(observation)
        if observation.inconclusive:
            self._disturbed(observation.inconclusive)
            self._miss(case)
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
        if violations:
            await self._docket.take(observation, violations, self._lately())
        self._spare()
        await self._follow_changes(observation)

    def _spare(self) -> None:
        """Wait out no further silence of a target that is known to fall silent, unless something depends on it."""
        executor = self._executor
        if executor.least_s is not None or not self._docket.silent:
            return
        executor.least_s = SURE_S
        if (waits_s := executor.answer_within_s) < executor.facts.message_timeout_s:
            told = f"it is known to fall silent, so answers are waited for {waits_s:.0f} s from here on"
            self._sink(
                Note(f"{told}, and as long as they may take where a silence is made sure of")
            )

    def _disturbed(self, why: str) -> None:
        """Count one case that proved nothing; what a target makes up of reasons is bounded."""
        disturbed = self._tally.disturbed
        self._tally.inconclusive += 1
        known = why in disturbed or len(disturbed) < MAX_REASONS
        disturbed[why[:200] if known else "other reasons"] += 1

    def _doubt(self, observation: Observation) -> None:
        doubts, case = self._doubts, observation.case
        doubts.scenes += is_scene(case)
        doubts.played += 1
        unasked = (*observation.calls, *observation.strays)
        doubts.unasked += len(unasked)
        doubts.unasked_characters += sum(len(h.text) for h in unasked)
        doubts.transactions += any(h.action == "TransactionEvent" for h in observation.calls)
        if case.position in (Position.CALLRESULT, Position.CALLERROR):
            return  # What answers a CALL of the target's is never answered itself.
        doubts.cases += 1
        doubts.answers[answer_class(observation)] += 1
        doubts.valid += case.expectation.stance is not Stance.REJECT
        doubts.timed_out += observation.settled is Settled.BY_CLOCK

    def _learn(self, observation: Observation) -> None:
        self._ground.learn(observation)
        self._served_calls += answer_class(observation) == "CALLRESULT"
        known = self._ground.support.known()
        if known != self._executor.facts.supported:
            self._executor.facts = replace(self._executor.facts, supported=known)
        if observation.call_id is not None and _weight(observation) <= MAX_KEPT_CHARACTERS:
            self._by_id[observation.call_id] = observation
            while len(self._by_id) > 4 * BATCH:
                del self._by_id[next(iter(self._by_id))]

    async def _follow_changes(self, observation: Observation) -> None:
        self._inventory.note(observation)
        if self._vault is not None:
            self._vault.claim(self._inventory.changed)
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
            new = [v for v in self._judge(revised) if (v.oracle, v.symptom) not in known]
            await self._docket.take(revised, new, self._lately())

    async def _checkpoint(self) -> None:
        """After a batch the target must still serve; if not, one of the batch did it, or of the one before."""
        looked_at = bool(self._window)
        self._window.clear()
        if not looked_at:
            return
        if self._executor.connected and await self._executor.probe():
            return
        if why := self._executor.hung_up:
            self._disturbed(f"we hung up: {why}")
            return
        # What takes its time to die was well when the batch before was looked at.
        await self._hunt(self._lately())

    async def _hunt(self, window: Sequence[Case]) -> None:
        """The target stopped serving behind a batch: play again what came before, alone, the last one first.

        One that we start ourselves may die some times more: what came before is halved first, which finds late deaths too.
        """
        self._sink(
            Note("the target stopped serving after a batch; looking for the case that did it")
        )
        owned = self._executor.owned
        found = await self._docket.investigator.stopper(window) if owned else None
        for case in reversed(window[-2 * BATCH :]) if found is None else [found]:
            await self._executor.fresh()
            observation = await self._executor.play(case, linger=True)
            violations = [
                v for v in self._judge(observation) if v.oracle in STOPPING and not v.remark
            ]
            if violations:
                await self._docket.take(observation, violations[:1], window)
                return
        self._disturbed("the target stopped serving after a batch, and no case of it did it again")

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
                findings=len(self._docket.confirmed()),
                remarks=len(tally.remarks),
                inconclusive=tally.inconclusive + self._docket.dropped,
                answers=dict(tally.answers),
                coverage=self._ground.coverage.counts(),
            )
        )

    def _save(self, *, force: bool = False) -> None:
        now = self._elapsed()
        if force or now - self._last_save >= SAVE_EVERY_S:
            self._last_save = now
            self._findings.checkpoint(self._phase, self._played, self._tally)

    def _summary(self, unavailable: str) -> Summary:
        tally = self._tally
        self._docket.save()
        # A target that never came back cannot confirm anything; what it did before still stands.
        open_ends = self._docket.candidates() if unavailable else []
        found = sorted(
            [*self._docket.confirmed(), *open_ends],
            key=lambda f: (-f.violation.severity, f.fingerprint),
        )
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
            left_changed=tuple(self._inventory.left_changed()),
            unavailable=(unavailable,) if unavailable else (),
            exit_code=code,
            reason=reason,
            blocked=dict(self._quarantine.blocked),
            not_asked=dict(tally.not_asked),
            exchanges=self._executor.exchanges,
            warnings=tuple(
                self._doubts.words(
                    restarts=self._executor.restarts,
                    unexplained=self._unexplained(),
                    returns=self._returns(),
                )
            ),
            unreached=tuple(self._unreached()),
            turnouts=self._ledger.turnouts(),
            unconfirmed=tuple(self._docket.unconfirmed()),
            full_pass=self._full_pass(),
            disturbed=tally.disturbed + self._docket.innocent,
            reach=self._ground.coverage.reach_told(),
            answer_times_s=tuple(self._executor.pace.answers_s),
        )

    def _full_pass(self) -> FullPass | None:
        """What the systematic phase costs from end to end; None where it was not asked for, or nothing was measured."""
        answers, returns = self._executor.pace.answers_s, self._executor.pace.returns_s
        for phase in self._phases:
            if isinstance(phase, Systematic) and answers:
                reconnect_s = sum(returns) / len(returns) if returns else None
                return FullPass(*phase.size(), sum(answers) / len(answers), reconnect_s)
        return None

    def _returns(self) -> Returns:
        absence, side = self._executor.absence, self._executor.facts.side
        return Returns(absence.returns, absence.waited_s, self._elapsed(), side is Side.STATION)

    def _unexplained(self) -> int:
        """Ends of a connection or a process that no finding accounts for."""
        known = any(f.violation.oracle in STOPPING for f in self._docket.confirmed())
        return self._docket.unexplained + (0 if known else self._executor.lost)

    def _unreached(self) -> Iterator[str]:
        if never := self._ground.coverage.left(ACTIONS):
            names = ", ".join(name.removeprefix("action ") for name in never)
            yield f"actions that were never served with a CALLRESULT: {names}"
        for phase in self._phases:
            yield from phase.unreached()


def answer_class(observation: Observation) -> str:
    """The class of a target's reaction, for counting: CALLRESULT, an error code, silence, closed, died."""
    if observation.process is not None:
        return "died"
    if observation.replies:
        return _reply_class(observation.replies[0])
    if observation.close is not None:
        return "closed"
    if is_scene(observation.case) and (last := _last_told(observation)):
        return last
    return "silence"


def _last_told(observation: Observation) -> str:
    """The class of the last answer to a CALL that belongs to a scene, "" when there was none."""
    told = [answer for h, answer in history(observation.entries).asked() if h.case and answer]
    return (told[-1].error_code or "CALLRESULT") if told else ""


def _weight(observation: Observation) -> int:
    heard = (*observation.replies, *observation.strays, *observation.calls)
    return sum(len(h.text) for h in heard)


def _reply_class(reply: Heard) -> str:
    if reply.kind is FrameKind.CALLRESULT:
        return "CALLRESULT"
    return reply.error_code[:40] if isinstance(reply.error_code, str) else "malformed CALLERROR"
