"""How phases share a campaign: by turns, each for as much as its turn is worth, so that none starves another.

Knows phases and what a case costs; must not know how a case is played. Costs are counted out of the cases themselves,
never measured, so that the same phases give the same order on any machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from fuzz.engine.effects import names_credentials
from fuzz.engine.phases import CLOSES, COSTLY, Phase
from fuzz.records import Case, Disconnect, Expect, Misbehave, RepeatSteps, Step, Wait
from strategies.labels import Fault, Stance

TURNS: dict[str, tuple[int, int]] = {
    "replay": (450, 400),
    "systematic": (1_150, 1_400),
    "frames": (270, 200),
    "stateful": (2_000, 3_400),
    "answers": (500, 500),
    "injection": (190, 100),
    "twins": (150, 300),
    "resource": (1_110, 300),
    "generated": (50, 600),
}
"""What the first turn of a phase is worth, and each later one, in steps; what is not named plays to its end at once.

In the first round every phase gets as far as the kinds of fault that it meets first, within about 5,000 exchanges. Later
ones let scenes go before tables: all of them are to be played within 20,000 exchanges.
"""

WEIGHTS = {"replay": 2, "systematic": 4}
"""How much of the time a phase gets where the clock ends the campaign, beside 1 for any other.

Tables want to be finished, and whoever stored a case wants to see it played.
"""

MAX_COST = 300
"""Steps that one case counts for at most: what repeats one message is quicker than its number says."""


@dataclass(slots=True)
class Course:
    """One phase under way. `index` is the number of cases it gave so far; the first `skip` were played before."""

    phase: Phase
    idle: Callable[[float], Awaitable[None]]
    skip: float = 0
    index: int = 0
    played: int = 0
    begun: bool = False
    over: bool = False
    _cases: AsyncIterator[Case] | None = field(default=None)

    async def next(self) -> Case | None:
        """The next case of the phase, None at its end."""
        if self._cases is None:
            self._cases = self.phase.cases(self.idle)
        try:
            case = await anext(self._cases)
        except StopAsyncIteration:
            self.over = True
            return None
        self.index += 1
        return case

    async def aclose(self) -> None:
        """Leave the phase where it is."""
        if isinstance(self._cases, AsyncGenerator):
            await self._cases.aclose()


def turn_of(phase: str, *, first: bool, alone: bool, clocked: bool = False) -> float:
    """What one turn of a phase is worth in steps; without end when it has the campaign for itself.

    Where only the clock ends the campaign (`clocked`), it is also the clock that ends a turn of the tables: they are quick,
    and want to be finished.
    """
    if alone or phase not in TURNS or (clocked and phase in WEIGHTS):
        return float("inf")
    return TURNS[phase][0 if first else 1]


def share_of(phase: str, phases: Sequence[str]) -> float:
    """The share of the time that one of the phases may take, where the clock ends the campaign; all make 1."""
    return WEIGHTS.get(phase, 1) / sum(WEIGHTS.get(name, 1) for name in phases)


def cost_of(case: Case) -> int:
    """What a case counts for in its phase's turn: its steps, and what it waits for three times as much."""
    return min(MAX_COST, max(1, worth(case.steps)))


def reconnects_of(case: Case) -> int:
    """How often a correct target has to come back: for what it may or must hang up for, and for what we hang up in.

    RFC 6455 section 7.1.7 has a peer fail the connection for a frame that breaks its rules. Whoever is received badly
    comes once more.
    """
    expected = case.expectation
    if expected.stance is Stance.ACCEPT:
        ends = case.action in COSTLY or names_credentials(case)
    else:
        broken = expected.stance is Stance.REJECT and expected.fault is Fault.FRAME
        ends = broken or expected.fault in CLOSES
    received_badly = sum(step.times for step in case.steps if isinstance(step, Misbehave))
    return (count_of(case.steps, Disconnect) or int(ends)) + received_badly


def beyond_the_first(cases: Iterable[Case]) -> frozenset[str]:
    """The ids of the cases that make a target come back, but for the first of each kind.

    One broken UTF-8 text tells most of what all of them do, and each of them costs a target its back-off.
    """
    met: set[tuple[str, ...]] = set()
    beyond: set[str] = set()
    for case in cases:
        if reconnects_of(case):
            kind = _kind(case)
            if kind in met:
                beyond.add(case.id)
            met.add(kind)
    return frozenset(beyond)


def _kind(case: Case) -> tuple[str, ...]:
    """What is broken, or which rule of which message is kept; what may be asked of whom must not decide who is first."""
    legal = case.expectation.stance is Stance.ACCEPT
    what = case.mutation_class.rpartition(":")[0]
    return case.effect.value, case.action if legal else "", what


def easy_first(cases: Iterable[Case]) -> list[Case]:
    """Cheap cases before dear ones, and heavy ones last; of equal ones the families take turns, so that each is met early."""
    met: Counter[tuple[bool, int, str]] = Counter()

    def place(case: Case) -> tuple[bool, int, int]:
        heavy, cost, family = case.heavy, cost_of(case), case.id.rpartition("/")[0]
        met[heavy, cost, family] += 1
        return heavy, cost, met[heavy, cost, family]

    return sorted(cases, key=place)


def count_of(steps: Sequence[Step], kind: type) -> int:
    """How many steps of a kind are played, repeated ones as often as they are."""
    return sum(
        s.times * count_of(s.steps, kind) if isinstance(s, RepeatSteps) else isinstance(s, kind)
        for s in steps
    )


def worth(steps: Iterable[Step]) -> int:
    """What steps count for in a turn: one each, and three for each that is waited in; repeated ones each time."""
    total = 0
    for step in steps:
        match step:
            case RepeatSteps():
                total += step.times * worth(step.steps)
            case Expect() | Wait():
                total += 3
            case _:
                total += 1
    return total
