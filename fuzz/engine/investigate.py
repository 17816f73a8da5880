"""From a suspicion to a finding: repeat it, play its control, find the real culprit, shrink it (design section 2).

Knows cases, observations and violations; plays through an executor. Must not know phases or budgets of a campaign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from fuzz.engine.carrying import before, joined
from fuzz.engine.effects import outlasts
from fuzz.engine.executor import Executor
from fuzz.engine.shrinker import Shrinker, size
from fuzz.engine.stage import is_scene
from fuzz.engine.tidy import leftovers
from fuzz.ocppj.history import history
from fuzz.records import (
    Ask,
    Case,
    Entry,
    Finding,
    FindingStatus,
    Gauge,
    Observation,
    Operator,
    RepeatSteps,
    Run,
    SendText,
    Step,
    Violation,
    Wait,
    Who,
)
from strategies.labels import Expectation, Position, Repeated, Stance, Tier

Judge: TypeAlias = Callable[[Observation], Sequence[Violation]]

STOPPING = frozenset({"O1", "O2", "O3", "O5"})
"""Oracles whose symptom may show later than its cause."""

ENDING = frozenset({"O1", "O2", "O3"})
"""Oracles whose symptom a target that restarts by itself shows too, whatever it is sent."""

IDLE_FACTOR, MAX_IDLE_S = 3.0, 60.0
"""How long nothing is said, to see whether the target does it by itself: as a multiple of what the case took."""

MEASURED = frozenset({"O20", "O21"})
"""Oracles that judge readings of figures, which are not needed for any other; a reading counts only if it repeats always."""

HEAPS = ("O20", "memory")
"""The oracle, and how its symptom begins, that speaks of memory: a heap that is collected fills before it is."""

FILLED = 2**27
"""Characters after which such a heap is as big as it gets, or grows for ever."""

MOST_TIMES, MOST_LENGTHS = 8, 4
"""How many times more often, and how many times longer, a case may say what it says to find that out."""

LEVELS_OFF = "memory grew no further when more was said"

SILENCES = frozenset({("O4", "no answer"), ("O5", "CALL unserved")})
"""Oracles and symptoms that the clock decides: once it did, nobody has to wait that long in every play that repeats it."""

SURE_S, LEADING_S = 5.0, 1.0
"""How long an answer is waited for at least then: in plays that count, and in those that only lead a search."""

UNPROVOKED = frozenset({"O6"})
"""Oracles that judge what the target says of its own accord too: there a control would prove nothing."""

BY_ITSELF = "it happens by itself as well: nothing was said, and it was seen again"

TRIES = 3

MAX_RUN_CHARACTERS = 2**20
"""How much text is kept of one play that repeats a finding."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often a symptom showed in how many plays, the last play that showed it, and all of them."""

    hits: int
    tries: int
    last: Observation | None
    runs: tuple[Run, ...] = ()


def plays_to_confirm(finding: Finding) -> int:
    """At most how many plays it takes to make sure of a finding: itself, its control, and silence."""
    return TRIES * (1 + _controlled(finding)) + (finding.violation.oracle in ENDING)


def _controlled(finding: Finding) -> bool:
    return bool(finding.case.control) and finding.violation.oracle not in UNPROVOKED


def as_control(case: Case) -> Case:
    """The case with only its fault undone: a message to which a target may not object."""
    return replace(
        case,
        id=f"{case.id}/control",
        steps=case.control,
        control=(),
        mutations=(),
        expectation=Expectation(Stance.ACCEPT, Tier.PRIMITIVE),
    )


def as_silence(case: Case, took_s: float) -> Case:
    """Nothing said for some time instead of a case that took `took_s`."""
    return replace(
        as_control(case),
        id=f"{case.id}/silence",
        steps=(Wait(min(IDLE_FACTOR * took_s, MAX_IDLE_S)),),
        position=Position.UNSOLICITED,
        heavy=False,
    )


def _bounded(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries of a play as far as they are kept: a target that pours out text must not fill our memory."""
    room = MAX_RUN_CHARACTERS
    for kept, entry in enumerate(entries):
        room -= len(entry.text)
        if room < 0:
            note = f"{len(entries) - kept} further entries are not kept"
            return (*entries[:kept], Entry(entry.at_s, Who.HARNESS, "note", note))
    return entries


async def anew(executor: Executor, case: Case) -> None:
    """Have a target on which nothing of a case was played yet.

    What people did at it, a busy heap, and a network profile or long work that a scene began outlive any connection.
    """
    lasts = any(isinstance(step, Operator | Gauge) for step in case.steps)
    lasts = lasts or (is_scene(case) and outlasts(case))
    if executor.owned and lasts:
        await executor.restart()
    else:
        await executor.fresh()


class Investigator:
    """Confirms, controls and shrinks one violation at a time."""

    def __init__(self, executor: Executor, judge: Judge, shrinker: Shrinker) -> None:
        self._executor = executor
        self._judge = judge
        self._shrinker = shrinker
        self._shrunk: Counter[tuple[str, str]] = Counter()

    def same(self, observation: Observation, violation: Violation) -> bool:
        """True when an observation shows the symptom again."""
        if observation.inconclusive:
            return False
        return any(
            v.oracle == violation.oracle and v.symptom == violation.symptom
            for v in self._judge(observation)
        )

    async def repeat(
        self, case: Case, violation: Violation, *, control: bool = False, tries: int = TRIES
    ) -> Repeats:
        """Play a case, or its control, on fresh connections and count the symptom; one guilty control says it all.

        A silence is waited out until one play shows it; the further ones wait much longer than any answer took so far.
        """
        hits, last = 0, None
        runs: list[Run] = []
        played = as_control(case) if control else case
        for played_times in range(1, tries + 1):
            await anew(self._executor, case)
            spared = hits > 0 and not control and _is_silence(violation)
            least_s = SURE_S if spared else None
            observation = await self._executor.play_again(played, least_s, linger=True)
            shown = self.same(observation, violation)
            told = _bounded(observation.entries)
            runs.append(Run(control, shown, told, observation.inconclusive))
            if shown:
                hits, last = hits + 1, last if spared else observation
                if control:
                    return Repeats(1, played_times, last, tuple(runs))
        return Repeats(hits, tries, last, tuple(runs))

    async def culprit(self, window: Sequence[Case], violation: Violation) -> Case | None:
        """The case among those played before that brings the symptom about by itself, by bisection."""
        least_s = SURE_S if _is_silence(violation) else None
        return await self._bisect(window, frozenset({violation.oracle}), least_s)

    async def stopper(self, window: Sequence[Case]) -> Case | None:
        """The case among those played before behind which the target serves no more, by bisection."""
        return await self._bisect(window, STOPPING, None)

    async def _bisect(
        self, window: Sequence[Case], oracles: frozenset[str], least_s: float | None
    ) -> Case | None:
        suspects = list(window)
        if not suspects or not await self._shows(suspects, oracles, least_s):
            return None
        while len(suspects) > 1:
            half = len(suspects) // 2
            first, second = suspects[:half], suspects[half:]
            if await self._shows(second, oracles, least_s):
                suspects = second
            elif await self._shows(first, oracles, least_s):
                suspects = first
            else:
                return None
        return suspects[0]

    async def _shows(
        self, cases: Sequence[Case], oracles: frozenset[str], least_s: float | None
    ) -> bool:
        await self._executor.fresh()
        for i, case in enumerate(cases):
            last = i == len(cases) - 1
            observation = await self._executor.play_again(case, least_s, linger=last)
            if any(v.oracle in oracles and not v.remark for v in self._judge(observation)):
                return True
        return False

    async def carried(self, recent: Sequence[Case], finding: Finding) -> Case | None:
        """The finding's scene behind one that was played before it, where it shows the symptom again; None otherwise."""
        for earlier in before(recent, finding.original):
            await anew(self._executor, finding.original)
            left = leftovers(history((await self._executor.play(earlier)).entries))
            observation = await self._executor.play(finding.original, linger=True)
            if self.same(observation, finding.violation):
                return joined(earlier, left, finding.original)
        return None

    async def confirm(self, finding: Finding) -> Finding:
        """The finding with k of n, control, and its status; a control that fails too acquits the fault."""
        seen = await self.repeat(finding.case, finding.violation)
        if not seen.hits:
            return replace(
                finding,
                confirmed=0,
                tries=seen.tries,
                status=FindingStatus.UNCONFIRMED,
                runs=seen.runs,
            )
        control = Repeats(0, 0, None)
        if _controlled(finding):
            control = await self.repeat(finding.case, finding.violation, control=True)
        measured = finding.violation.oracle in MEASURED
        least = seen.tries if measured else seen.tries // 2 + 1
        certain = seen.hits >= least and not control.hits
        if certain and await self._by_itself(finding, seen.last):
            certain, finding = False, replace(finding, notes=(*finding.notes, BY_ITSELF))
        if certain and not await self._goes_on(finding):
            certain, finding = False, replace(finding, notes=(*finding.notes, LEVELS_OFF))
        return replace(
            finding,
            confirmed=seen.hits,
            tries=seen.tries,
            control_hits=control.hits,
            control_tries=control.tries,
            status=FindingStatus.CONFIRMED if certain else FindingStatus.UNCONFIRMED,
            entries=seen.last.entries if seen.last is not None else finding.entries,
            runs=seen.runs + control.runs,
            tapes=seen.last.tapes if seen.last is not None else finding.tapes,
        )

    async def _by_itself(self, finding: Finding, seen: Observation | None) -> bool:
        """True when the same happens while nothing is said for longer than the case took."""
        if finding.violation.oracle not in ENDING or seen is None or not seen.entries:
            return False
        took_s = max(entry.at_s for entry in seen.entries)
        await anew(self._executor, finding.case)
        observation = await self._executor.play(as_silence(finding.case, took_s), linger=True)
        return self.same(observation, finding.violation)

    async def _goes_on(self, finding: Finding) -> bool:
        """False for memory that grows only until a heap is full; true of all else."""
        oracle, symptom = HEAPS
        violation, longer = finding.violation, _longer(finding.case)
        if violation.oracle != oracle or not violation.symptom.startswith(symptom):
            return True
        if longer == finding.case:
            return True
        return bool((await self.repeat(longer, violation, tries=1)).hits)

    async def once_more(
        self, case: Case, violation: Violation
    ) -> list[tuple[Observation, Violation]]:
        """A fresh play of a case with what the same oracle objects to in it, if it does."""
        await anew(self._executor, case)
        observation = await self._executor.play_again(case, None, linger=True, back=True)
        found = [
            v for v in self._judge(observation) if v.oracle == violation.oracle and not v.remark
        ]
        return [(observation, v) for v in found[:1]]

    async def shrink(
        self, finding: Finding, progress: Callable[[Finding], None] | None = None
    ) -> Finding:
        """The finding with the smallest case that still shows the symptom, and that case's transcript.

        `progress` is told what would be lost if it ended now; nothing of a scene or a silence, which are proved only at the
        end: a smaller case that is met with silence is waited for once as long as an answer may take.
        The second finding of one symptom gets half of the budget, the third a third: they seldom tell more. What is
        measured stays as it is: a little less of it is as much as noise.
        """
        if finding.violation.oracle in MEASURED:
            return finding
        shown: dict[tuple[object, ...], Observation] = {}
        scene = is_scene(finding.case)
        linger = finding.violation.oracle in STOPPING and (
            scene or not await self._shows_at_once(finding)
        )

        leading_s = LEADING_S if _is_silence(finding.violation) else None

        async def still(case: Case, least_s: float | None = leading_s) -> bool:
            if scene:
                # What one candidate leaves behind, or dies of later, must not be blamed on the next.
                await anew(self._executor, case)
            observation = await self._executor.play_again(case, least_s, linger=linger)
            if not self.same(observation, finding.violation):
                return False
            shown[case.steps] = observation
            if progress is not None and not (scene or least_s):
                progress(_with(finding, case, observation, "its search was cut short"))
            return True

        begin = finding.case
        if (bare := _ungauged(begin)) != begin and bare.steps and await still(bare):
            begin = bare
        symptom = (finding.violation.oracle, finding.violation.symptom)
        self._shrunk[symptom] += 1
        share = 1 / self._shrunk[symptom]
        case, note = await self._shrinker.shrink(begin, still, share=share)
        unproved = (scene or leading_s) and case.steps != finding.case.steps
        if unproved and not await still(case, None):
            case, note = finding.case, "a smaller case did not show it again"
        return _with(finding, case, shown.get(case.steps), note)

    async def _shows_at_once(self, finding: Finding) -> bool:
        """True when the symptom is seen without waiting for it, which makes shrinking many times quicker."""
        await self._executor.fresh()
        leading_s = LEADING_S if _is_silence(finding.violation) else None
        seen = await self._executor.play_again(finding.case, leading_s)
        if self.same(seen, finding.violation):
            return True
        # What is late must not be blamed on the first candidate.
        await self._executor.serve(self._executor.pace.linger_s)
        await self._executor.fresh()
        return False


def _is_silence(violation: Violation) -> bool:
    return (violation.oracle, violation.symptom) in SILENCES


def _with(finding: Finding, case: Case, seen: Observation | None, note: str) -> Finding:
    entries = finding.entries if seen is None else seen.entries
    tapes = finding.tapes if seen is None else seen.tapes
    return replace(finding, case=case, entries=entries, tapes=tapes, not_minimal=note)


def _ungauged(case: Case) -> Case:
    """The case without its readings of figures."""
    return replace(case, steps=tuple(s for s in case.steps if not isinstance(s, Gauge)))


def _longer(case: Case) -> Case:
    """The case with everything that it only says repeated, and said at more length, until a heap is full."""
    more = max(1, FILLED // max(1, size(case)))
    times, lengths = min(MOST_TIMES, more), max(1, min(MOST_LENGTHS, more // MOST_TIMES))

    def drawn_out(step: Step) -> Step:
        match step:
            case SendText():
                return replace(step, text=tuple(_run(part, lengths) for part in step.text))
            case RepeatSteps() if all(isinstance(s, SendText | Ask) for s in step.steps):
                inner = tuple(map(drawn_out, step.steps))
                return replace(step, steps=inner, times=step.times * times)
            case _:
                return step

    return replace(case, steps=tuple(map(drawn_out, case.steps)))


def _run(part: str | Repeated, lengths: int) -> str | Repeated:
    return part if isinstance(part, str) else replace(part, times=part.times * lengths)
