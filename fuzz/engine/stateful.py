"""The stateful phase: scenes that only mean something as a whole, plain first, then with a hostile message in their midst.

Knows scenarios, walks and tables of hostile messages, and how they become cases; must not know how scenes are played or
judged. What comes next depends on which states the target has shown (`fuzz.engine.scheduler`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice

from fuzz.engine.cases import call_text
from fuzz.engine.course import worth
from fuzz.engine.drawing import walk
from fuzz.engine.effects import effect_of
from fuzz.engine.executor import names_canary
from fuzz.engine.phases import Ground, Phase
from fuzz.engine.scheduler import Scheduler, places
from fuzz.engine.staging import effect, steady_points, steps
from fuzz.ocppj.history import history
from fuzz.records import (
    Ability,
    Case,
    Effect,
    Observation,
    Provenance,
    SendText,
    Settle,
    Side,
    Step,
)
from strategies.boundaries import Boundary, boundaries
from strategies.jobs import jobs
from strategies.labels import (
    Channel,
    Expectation,
    JsonObject,
    Kind,
    Mutation,
    Position,
    Stance,
    Tier,
)
from strategies.meetings import meetings
from strategies.moves import Move, Tell, acts, asks, flat
from strategies.schema import message_schema
from strategies.sequences import Place, Scenario, scenarios
from strategies.sessions import sessions
from strategies.violations import Break, violations
from strategies.walks import changes, machine

BOOT_S = 120.0
PROMPT_S = 36.0
"""How long a target that we did not start may take to boot, and to say what it was told to say."""

PATIENCE = 5.0
"""How many times longer we look at a target that we did not start."""

WALKS_AT_ONCE = 10
RULES_PER_WALK = 12
WALK_SHARE = 0.35
"""How much of the endless part are walks; half of them have a hostile message in their midst."""

BARREN = 5
"""Chunks of walks in a row of which none may be played, after which there are none for this target."""

SLOW_EVERY = 25
"""Cases between two scenarios that wait for the target's own time-outs."""

_HARMLESS = frozenset({Effect.NONE, Effect.VOLATILE})
_CHANGES = frozenset({Effect.PERSISTENT, Effect.ENERGISE})
_NEVER_BY_CHANCE = frozenset(
    {"Reset", "UpdateFirmware", "SetNetworkProfile", "SetVariables", "CertificateSigned"}
)
"""What a lenient target may take although it is broken, and is then another one than the scene counts on."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A hostile CALL that can stand in the midst of any scene, and the harmless one in its place."""

    id: str
    action: str
    payload: JsonObject
    control: JsonObject
    mutation: Mutation
    expectation: Expectation


@dataclass(slots=True)
class Stateful(Phase):
    """Plays every scenario, then scenarios and walks with hostile messages in them for as long as there is time."""

    ground: Ground
    name: str = "stateful"
    scheduler: Scheduler = field(default_factory=Scheduler)
    _index: int = 0
    _arms: dict[str, str] = field(default_factory=dict)
    _rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(f"{self.ground.seed}/{self.name}")

    def planned(self) -> int | None:
        """The budget decides."""
        return None

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """Every quick scenario once, then what the scheduler chooses, with a slow scenario now and then."""
        playable = self._playable()
        if not playable:
            return
        self._plan(playable)
        self.ground.listeners.append(self._learn)
        slow = iter([told for told in playable if told.slow])
        quick = [told for told in playable if not told.slow]
        for number, told in enumerate(quick, 1):
            yield self._plain(told)
            if number % SLOW_EVERY == 0 and not self.ground.hurried:
                for patient in islice(slow, 1):
                    yield self._plain(patient)
        walks = self._walks()
        for number in count():
            if number % SLOW_EVERY == 0 and (late := next(slow, None)) is not None:
                yield self._plain(late)
            elif (case := self._endless(playable, walks)) is not None:
                yield case
            else:
                return

    def _endless(
        self, playable: Sequence[Scenario], walks: Iterator[tuple[int, tuple[Move, ...]]]
    ) -> Case | None:
        """A walk or a hostile scene, by chance; None where the target takes neither."""
        if self._rng.random() < WALK_SHARE and (found := next(walks, None)) is not None:
            return self._walk(*found)
        if (case := self._hostile_scene(playable)) is not None:
            return case
        found = next(walks, None)
        return None if found is None else self._walk(*found)

    def unreached(self) -> Sequence[str]:
        """What cannot be played for want of somebody at the target."""
        if Ability.OPERATOR in self.ground.abilities:
            return ()
        missed = [s for s in self._known() if acts(s.moves)]
        words = sorted({word for s in missed for word in acts(s.moves)})
        if not missed:
            return ()
        return (
            f"{len(missed)} scenarios that need somebody at the target ({', '.join(words)}); see --operator",
        )

    # --- what is learned -----------------------------------------------------------------------------------

    def _plan(self, playable: Sequence[Scenario]) -> None:
        coverage = self.ground.coverage
        coverage.plan("scenarios", (self._id(s) for s in playable))
        coverage.plan_states(changes())

    def _learn(self, observation: Observation) -> None:
        arm = self._arms.get(observation.case.id)
        if arm is None or observation.inconclusive:
            return
        happened = history(observation.entries)
        self.scheduler.learn(arm, observation.case, happened)
        before = ""
        for place in places(happened):
            self.ground.coverage.reach_state(place, before)
            before = place

    # --- scenarios -----------------------------------------------------------------------------------------

    def _place(self) -> Place:
        if self.ground.owned:
            return Place(self.ground.pool)
        return Place(self.ground.pool, BOOT_S, PROMPT_S)

    def _known(self) -> list[Scenario]:
        if self.ground.side is not Side.STATION:
            return []
        place, changes = self._place(), self.ground.allowed >= _CHANGES
        scenes = (*scenarios(place), *meetings(place, changes=changes))
        told = (*scenes, *jobs(place, changes=changes), *sessions(place))
        return [s for s in _in_breadth(told) if all(map(self.ground.asked, asks(s.moves)))]

    def _playable(self) -> list[Scenario]:
        return [s for s in self._known() if self._may(s.moves)]

    def _may(self, moves: Sequence[Move]) -> bool:
        """Whether moves can be made at this target, and do no more than they may."""
        able = Ability.OPERATOR in self.ground.abilities or not acts(moves)
        asked = all(map(self.ground.asked, asks(moves)))
        if not self.ground.catches and names_canary(steps(moves)):
            return False
        return able and asked and effect(moves) in self.ground.allowed

    def _comes(self, moves: Sequence[Move]) -> bool:
        """False for moves that wait for what this target never sends."""
        return not self.ground.waits.hopeless(steps(moves))

    def _id(self, told: Scenario) -> str:
        return f"{self.name}/{told.name}"

    def _plain(self, told: Scenario) -> Case:
        return self._scene(self._id(told), _family(told), told.moves, told.name)

    def _hostile_scene(self, playable: Sequence[Scenario]) -> Case | None:
        """A scenario that shows rare states, with a hostile message at one of its points."""
        families: dict[str, list[Scenario]] = {}
        for told in playable:
            if not told.slow and steady_points(told.moves) and self._comes(told.moves):
                families.setdefault(_family(told), []).append(told)
        piece = self._piece()
        if not families or piece is None:
            return None
        host = self._rng.choice(families[self.scheduler.choose(sorted(families), self._rng)])
        return self._hostile(self._id(host), _family(host), host.moves, piece)

    # --- walks ---------------------------------------------------------------------------------------------

    def _walks(self) -> Iterator[tuple[int, tuple[Move, ...]]]:
        """Walks that may be played at this target; it ends where chance brings forth none that may."""
        numbers = count()
        barren = 0
        for chunk in count():
            if barren == BARREN:
                return
            barren += 1
            drawn: list[tuple[Move, ...]] = []
            operated = Ability.OPERATOR in self.ground.abilities
            made = machine(self._place(), drawn.append, operated=operated)
            seed = self.ground.seed * 1_000_003 + chunk
            walk(made, seed=seed, count=WALKS_AT_ONCE, steps=RULES_PER_WALK)
            for moves in dict.fromkeys(map(repr, drawn)):
                found = next(d for d in drawn if repr(d) == moves)
                if found and self._may(found) and self._comes(found):
                    barren = 0
                    yield next(numbers), found

    def _walk(self, number: int, moves: tuple[Move, ...]) -> Case:
        id_ = f"{self.name}/walk/{self.ground.seed}/{number}"
        piece = self._piece() if number % 2 and steady_points(moves) else None
        if piece is not None:
            return self._hostile(id_, "walk", moves, piece)
        return self._scene(id_, "walk", moves, "walk")

    # --- hostile messages ----------------------------------------------------------------------------------

    def _piece(self) -> Piece | None:
        """A hostile CALL by chance that leaves the scene as it is; None where there is none."""
        refused = self.ground.support.refused | _NEVER_BY_CHANCE
        actions = [a for a in self.ground.actions() if a not in refused]
        for _ in range(20 if actions else 0):
            action = self._rng.choice(actions)
            schema = message_schema(action, Kind.REQUEST, self.ground.version)
            table: Sequence[Boundary | Break] = self._rng.choice(
                (boundaries(schema), violations(schema, full=self.ground.full))
            )
            entry = self._rng.choice(table) if table else None
            if entry is not None and _stays_a_guest(action, entry):
                return Piece(
                    entry.id,
                    action,
                    entry.payload,
                    entry.control,
                    entry.mutation,
                    entry.expectation,
                )
        return None

    def _hostile(self, id_: str, arm: str, moves: Sequence[Move], piece: Piece) -> Case:
        at = self._rng.choice(steady_points(moves))
        patience = self._patience()
        before, after = steps(moves[:at], patience=patience), steps(moves[at:], patience=patience)

        def scene(payload: JsonObject) -> tuple[Step, ...]:
            return (*before, SendText(call_text(piece.action, payload)), Settle(), *after)

        worst = max(effect(moves), effect_of(piece.action, piece.payload), key=list(Effect).index)
        return self._case(
            Case(
                id=f"{id_}/{piece.id}@{at}",
                side=self.ground.side,
                steps=scene(piece.payload),
                control=scene(piece.control) if piece.control != piece.payload else (),
                expectation=piece.expectation,
                effect=worst,
                action=piece.action,
                mutations=(piece.mutation,),
                provenance=self._provenance(),
            ),
            arm,
        )

    # --- cases ---------------------------------------------------------------------------------------------

    def _scene(self, id_: str, arm: str, moves: Sequence[Move], operator: str) -> Case:
        answers = any(isinstance(m, Tell) and m.text[:2] != "[2" for m in flat(moves))
        return self._case(
            Case(
                id=id_,
                side=self.ground.side,
                steps=steps(moves, patience=self._patience()),
                expectation=Expectation(Stance.UNSPECIFIED, Tier.MODEL),
                effect=effect(moves),
                position=Position.CALLRESULT if answers else Position.CALL,
                mutations=(Mutation(Channel.PAYLOAD, "", "scenario", operator),),
                provenance=self._provenance(),
            ),
            arm,
        )

    def _case(self, case: Case, arm: str) -> Case:
        """The case, noted so that what is seen of it counts for its arm."""
        self._arms = {case.id: arm}
        return case

    def _patience(self) -> float:
        return 1.0 if self.ground.owned else PATIENCE

    def _provenance(self) -> Provenance:
        self._index += 1
        return Provenance(self.name, self.ground.seed, self._index, self.ground.tool)


def _in_breadth(told: Iterable[Scenario]) -> list[Scenario]:
    """One scenario of every family, then a second one and what is late, and so on; cheap ones first: what is shallow shows early."""
    number: Counter[str] = Counter()
    ranked: list[tuple[int, int, Scenario]] = []
    for scenario in told:
        family = _family(scenario)
        ranked.append((number[family] + scenario.late, worth(steps(scenario.moves)), scenario))
        number[family] += 1
    return [scenario for *_, scenario in sorted(ranked, key=lambda entry: entry[:2])]


def _family(told: Scenario) -> str:
    """The part of a scenario's name that all of its kind share: they get their share of the budget together."""
    return told.name.partition("/")[0]


def _stays_a_guest(action: str, entry: Boundary | Break) -> bool:
    """Whether a hostile message changes nothing at a station that is right, and little at any other."""
    if isinstance(entry, Boundary) and entry.heavy:
        return False
    harmless = effect_of(action, entry.payload) in _HARMLESS
    return harmless or entry.expectation.stance is Stance.REJECT
