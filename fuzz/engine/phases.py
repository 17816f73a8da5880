"""The phases of a campaign: each yields cases, cheap and certain first.

Knows what `strategies` can make and what the target supports; must not know how cases are played or judged.
A phase goes on only when its last case was played, so what it yields next may depend on what was learned.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Container,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from fuzz.engine.cases import CaseMaker, call_text
from fuzz.engine.drawing import draw
from fuzz.engine.effects import effect_of
from fuzz.engine.line import PROBES
from fuzz.engine.neighbours import Neighbour, capped, neighbours, several
from fuzz.engine.seeds import Seeds
from fuzz.engine.support import Coverage, Support
from fuzz.engine.waits import Waits
from fuzz.ocppj.lenient import hear
from fuzz.records import Ability, Case, Effect, FrameKind, Observation, Side
from strategies.boundaries import Boundary, boundaries
from strategies.examples import example
from strategies.frames import envelope_faults, unsolicited
from strategies.labels import (
    Expectation,
    Fault,
    JsonObject,
    JsonValue,
    Kind,
    Position,
    Sender,
    Stance,
    Tier,
    Utterance,
    spell,
)
from strategies.payloads import payloads
from strategies.pool import Pool
from strategies.schema import MessageSchema, message_schema
from strategies.text import garble, text_faults
from strategies.variables import variable_breaks
from strategies.version import Version, version
from strategies.violations import Break, Site, apply, sites, violations

T = TypeVar("T")

SAMPLES_OF_UNSUPPORTED = 3
"""Boundaries, and breaks, that are asked of an action which the target says it does not support."""

BASES_PER_ACTION = 24
"""Messages of one action that one chunk mutates: half of them drawn, half of them stored ones."""

FIRST_BASES_PER_ACTION = 4
"""The same for the first chunk, which nobody should have to wait for."""

BASES_OF_COSTLY = 2
"""The same for actions that cost the target a boot each time they are accepted."""

ACTIONS = "actions"
"""The table of the actions that the target did not refuse as unsupported."""

COSTLY = frozenset({"Reset"})

CLOSES = frozenset({Fault.NOT_UTF8, Fault.BINARY})
"""What RFC 6455 lets a peer hang up for (1007, 1003)."""

MUTANTS_PER_BASE = 12
GARBLED_SHARE = 0.25

NEIGHBOURS_PER_ACTION = 8
LISTS_PER_ACTION = 4

_MIXED: JsonObject = {
    "getVariableData": [
        {"component": {"name": component}, "variable": {"name": variable}}
        for component, variable in (
            ("ClockCtrlr", "DateTime"),
            ("NoSuchCtrlr", "NoSuchVariable"),
            ("ClockCtrlr", "NoSuchVariable"),
        )
    ]
}
MANY = 60
"""Variables that are asked for in one CALL at most."""

_SLOT = "{call.id}"
_STAND_IN = "00000000-ocppfuzz"


@dataclass(slots=True)
class Ground:
    """What all phases of one campaign stand on.

    `abilities` are those of the target adapter, `owned` whether we started the target, `compression` whether
    permessage-deflate was negotiated with it, `catches` whether a catcher waits for whoever follows our addresses,
    `hurried` whether the whole must be over within minutes; `listeners` are told every observation, `waits` is what scenes
    wait for in vain.
    """

    version: Version
    side: Side
    seed: int
    support: Support
    coverage: Coverage
    pool: Pool = field(default_factory=Pool)
    components: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    full: bool = True
    tool: str = ""
    allowed: frozenset[Effect] = frozenset(Effect)
    seeds: Seeds = field(default_factory=lambda: Seeds(version()))
    items_per_message: Mapping[str, int] = field(default_factory=dict)
    abilities: frozenset[Ability] = frozenset()
    catches: bool = False
    late_visits: Callable[[], Sequence[Case]] = tuple
    owned: bool = False
    compression: bool = True
    hurried: bool = False
    listeners: list[Callable[[Observation], None]] = field(default_factory=list)
    waits: Waits = field(default_factory=Waits)
    _watched: dict[str, Observation | None] = field(default_factory=dict)

    def actions(self) -> list[str]:
        """The actions whose CALL we may send to this side, most harmless first."""
        sender = Sender.CSMS if self.side is Side.STATION else Sender.STATION
        names = [a for a in self.version.sent_by(sender) if self.asked(a)]
        order = list(Effect)
        return sorted(names, key=lambda a: (order.index(effect_of(a)), a))

    def asked(self, action: str) -> bool:
        """False for an action that --only or --exclude leaves out."""
        return (not self.only or action in self.only) and action not in self.exclude

    def learn(self, observation: Observation) -> None:
        """Take note of what an answer tells: about support, and about payloads worth starting from again."""
        self.support.learn(observation)
        self._note_action(observation)
        self.seeds.learn(observation)
        self.waits.learn(observation)
        for listen in self.listeners:
            listen(observation)
        if observation.case.id in self._watched:
            self._watched[observation.case.id] = observation

    def _note_action(self, observation: Observation) -> None:
        """Count the actions that are supported, and those of them that were ever served with a CALLRESULT."""
        action = observation.case.action
        if action in self.support.supported:
            self.coverage.plan(ACTIONS, (f"action {action}",))
            if observation.replies and observation.replies[0].kind is FrameKind.CALLRESULT:
                self.coverage.reach(f"action {action}")

    def watch(self, case_id: str) -> None:
        """Keep what will be seen of this case."""
        self._watched[case_id] = None

    def seen(self, case_id: str) -> Observation | None:
        """What was seen of a watched case; None when it was not played."""
        return self._watched[case_id]

    def maker(self, phase: str) -> CaseMaker:
        """A maker of cases for a phase."""
        return CaseMaker(self.side, phase, self.seed, known=self.components, tool=self.tool)


class Phase(Protocol):
    """A named source of cases. Those that inherit from it reach everything and leave nothing out, until they say so."""

    name: str

    def planned(self) -> int | None:
        """How many cases there will be, as far as can be told; None when the budget decides."""
        ...

    def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """The cases; `idle` serves the target while the phase has nothing ready."""
        ...

    def unreached(self) -> Iterable[str]:
        """What the phase could not reach, in words."""
        return ()

    def left_out(self) -> Mapping[str, int]:
        """How many cases the phase itself did not hand out, by reason."""
        return {}


@dataclass(slots=True)
class Replay(Phase):
    """Plays the corpus and earlier findings."""

    stored: Sequence[Case]
    name: str = "replay"

    def planned(self) -> int | None:
        """All that is stored."""
        return len(self.stored)

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """The stored cases in the order in which they were given."""
        for case in self.stored:
            yield case


@dataclass(slots=True)
class Systematic(Phase):
    """Plays every boundary and every violation site once, then envelopes, texts and unsolicited answers."""

    ground: Ground
    name: str = "systematic"

    def planned(self) -> int | None:
        """The size of all tables, as if every action were supported."""
        total = len(self._frames()) + 1 + len(self._variable_breaks()) + len(self._mixed())
        for action in self.ground.actions():
            schema = message_schema(action, Kind.REQUEST, self.ground.version)
            total += 1 + len(boundaries(schema)) + len(violations(schema, full=self.ground.full))
        return total

    def size(self) -> tuple[int, int]:
        """About how many cases a whole pass has for what is known to be supported, and after how many a target hangs up.

        Counted without making them. What a correct target hangs up for: text that is not UTF-8 and binary messages (RFC
        6455, 1007 and 1003), and every accepted Reset.
        """
        ground, frames = self.ground, self._frames()
        cases = len(frames) + 1 + len(self._variable_breaks()) + len(self._mixed())
        closing = sum(u.expectation.fault in CLOSES for u in frames)
        for action in ground.actions():
            if effect_of(action) not in ground.allowed:
                continue
            edges = boundaries(self._schema(action))
            rows = [len(edges), len(violations(self._schema(action), full=ground.full))]
            if action not in ground.support.supported:
                rows = [min(n, SAMPLES_OF_UNSUPPORTED) for n in rows]
            elif action in COSTLY:
                closing += 1 + sum(edge.expectation.stance is Stance.ACCEPT for edge in edges)
            cases += 1 + sum(rows)
        return cases, closing

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """Frames, then every kind of fault once, then what is heavy, then all the rest.

        Heavy cases are the killers, so that most of the light ones of each kind go before them; a campaign that is
        cut short should have met them all the same.
        """
        heavy: list[Case] = []
        for source in (self._examples(), self._other_cases()):
            for case in source:
                if case.heavy:
                    heavy.append(case)
                else:
                    yield case
        first, *others = self._ranks()
        for case in (*_light_first([*heavy, *first]), *_light_first(c for r in others for c in r)):
            yield case

    def _examples(self) -> Iterator[Case]:
        maker = self.ground.maker(self.name)
        for action in self.ground.actions():
            yield maker.example(action, example(self._schema(action)))

    def _schema(self, action: str) -> MessageSchema:
        return message_schema(action, Kind.REQUEST, self.ground.version)

    def table(self) -> Iterator[Case]:
        """Every case at once, in the order in which they are played, given what is known to be supported now."""
        yield from self._examples()
        yield from self._other_cases()
        yield from (case for rank in self._ranks() for case in rank)

    def _ranks(self) -> list[list[Case]]:
        """Every boundary and break; only when the examples were played is it known what is supported."""
        actions = self.ground.actions()
        needed = {a: [f"/{name}" for name in example(self._schema(a))] for a in actions}
        return _breadth_first([c for a in actions for c in self._of(a)], needed)

    def _of(self, action: str) -> list[Case]:
        """Every boundary and break of one action; a few of them for one that the target does not support."""
        ground, maker, schema = self.ground, self.ground.maker(self.name), self._schema(action)
        at_edges: Sequence[Boundary] = boundaries(schema)
        breaks: Sequence[Break] = violations(schema, full=ground.full)
        supported = action in ground.support.supported
        if not supported:
            at_edges = _sample(at_edges, SAMPLES_OF_UNSUPPORTED)
            breaks = _sample(breaks, SAMPLES_OF_UNSUPPORTED)
        edges = [maker.boundary(action, b) for b in at_edges]
        broken = [maker.broken(action, b) for b in breaks]
        if supported:
            ground.coverage.plan_cases("boundaries", edges)
            ground.coverage.plan_cases("violations", broken)
        return [*edges, *broken]

    def _other_cases(self) -> Iterator[Case]:
        ground, maker = self.ground, self.ground.maker(self.name)
        framed = [maker.utterance(u, _effect(u)) for u in self._frames()]
        ground.coverage.plan("envelopes and texts", (c.id for c in framed))
        yield from framed
        yield maker.twice(*PROBES[ground.side])
        yield from self._mixed()
        for broken in self._variable_breaks():
            yield maker.broken("SetVariables", broken)

    def _mixed(self) -> Sequence[Case]:
        """CALLs about variables of which some are there and some are not, and about many: each has its own result (B06.FR.01)."""
        action, simplest = PROBES[Side.STATION]
        if self.ground.side is not Side.STATION or not self.ground.asked(action):
            return ()
        accept = Expectation(Stance.ACCEPT, Tier.MODEL)
        maker = self.ground.maker(self.name)
        asked = {"mixed": _MIXED, "many": _everything_at_once(self.ground)}
        return tuple(
            maker.drawn(f"{name}/{action}", action, payload, simplest, accept, None)
            for name, payload in asked.items()
            if payload
        )

    def _variable_breaks(self) -> Sequence[Break]:
        ground = self.ground
        asked = ground.side is Side.STATION and ground.asked("SetVariables")
        return variable_breaks(ground.pool) if asked else ()

    def _frames(self) -> list[Utterance]:
        action, payload = PROBES[self.ground.side]
        version = self.ground.version
        sender = Sender.CSMS if self.ground.side is Side.STATION else Sender.STATION
        return [
            *envelope_faults(action, payload, version, sender=sender),
            *text_faults(action, payload, version),
            *unsolicited(version),
        ]


@dataclass(frozen=True, slots=True)
class Known:
    """What one chunk starts from: supported actions, and stored payloads by action.

    Taken before the chunk is drawn beside the one being played, so that no answer can come between.
    """

    supported: frozenset[str]
    seeds: Mapping[str, tuple[JsonValue, ...]]


@dataclass(slots=True)
class Generated(Phase):
    """Mutates drawn and stored messages many times each, and names what lies beside the target's own things.

    Goes on until the budget ends. Without `mutates` it only sends valid messages as they were drawn.
    """

    ground: Ground
    name: str = "generated"
    mutates: bool = True

    def planned(self) -> int | None:
        """Unknown: the budget decides."""
        return None

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """Chunk after chunk; the next one is drawn in a worker thread while this one is played."""
        number = 0
        pending = self._begin(number)
        try:
            while True:
                while not pending.done():
                    await idle(0.05)
                    await asyncio.sleep(0.005)
                ready = pending.result()
                if not ready:
                    return
                number += 1
                pending = self._begin(number)
                for case in ready:
                    yield case
        finally:
            pending.cancel()

    def _begin(self, number: int) -> asyncio.Task[list[Case]]:
        return asyncio.create_task(asyncio.to_thread(self.chunk, number, self.known(number)))

    def known(self, number: int) -> Known:
        """What was learned until now."""
        ground = self.ground
        supported = ground.support.known()
        if supported is None:
            # Played alone, this phase asks first: valid messages of its first chunks teach what is supported.
            supported = frozenset(ground.actions() if number <= 1 else ())
        return Known(supported, ground.seeds.snapshot())

    def chunk(self, number: int, known: Known) -> list[Case]:
        """The cases of one chunk: determined by version, seed, chunk number, pool and what is known."""
        ground = self.ground
        rng = random.Random(f"{ground.seed}/{number}")
        maker = ground.maker(self.name)
        cases: list[Case] = []
        for action in ground.actions():
            if action in known.supported and effect_of(action) in ground.allowed:
                seeds = known.seeds.get(action, ())
                chunk = _Chunk(ground, maker, action, number, rng)
                cases.extend(chunk.cases(seeds) if self.mutates else chunk.plain())
        rng.shuffle(cases)
        return cases


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What one chunk says of one action."""

    ground: Ground
    maker: CaseMaker
    action: str
    number: int
    rng: random.Random

    def cases(self, seeds: Sequence[JsonValue]) -> Iterator[Case]:
        """Drawn messages and their mutants, mutants of stored ones, neighbours."""
        from_corpus = self._bases() // 2 if seeds else 0
        all_sites = sites(self._schema())
        for i, payload in enumerate(self._drawn(self._bases() - from_corpus)):
            yield self._valid(f"{i}", payload)
            yield from self._mutants(f"{i}", payload, all_sites)
        for i in range(from_corpus):
            yield from self._mutants(f"seed-{i}", self._capped(self.rng.choice(seeds)), all_sites)
        yield from self._neighbours()

    def plain(self) -> Iterator[Case]:
        """Drawn messages as they are."""
        for i, payload in enumerate(self._drawn(self._bases())):
            yield self._valid(f"{i}", payload)

    def _bases(self) -> int:
        if self.action in COSTLY:
            return BASES_OF_COSTLY
        return BASES_PER_ACTION if self.number else FIRST_BASES_PER_ACTION

    def _schema(self) -> MessageSchema:
        return message_schema(self.action, Kind.REQUEST, self.ground.version)

    def _id(self, name: str) -> str:
        return f"generated/{self.ground.seed}/{self.number}/{self.action}/{name}"

    def _most(self) -> int | None:
        return self.ground.items_per_message.get(self.action)

    def _capped(self, payload: JsonValue) -> JsonValue:
        return capped(self.action, payload, self._most())

    def _drawn(self, count: int) -> list[JsonValue]:
        ground = self.ground
        strategy = payloads(self.action, Kind.REQUEST, pool=ground.pool, version=ground.version)
        drawn = draw(strategy, seed=self.rng.getrandbits(32), count=count)
        return [self._capped(payload) for payload in drawn]

    def _valid(self, name: str, payload: JsonValue) -> Case:
        simplest = example(self._schema())
        accept = Expectation(Stance.ACCEPT, Tier.MODEL)
        return self.maker.drawn(self._id(name), self.action, payload, simplest, accept, None)

    def _mutants(self, name: str, payload: JsonValue, all_sites: Sequence[Site]) -> Iterator[Case]:
        for j in range(MUTANTS_PER_BASE):
            id_ = self._id(f"{name}/{j}")
            if self.rng.random() < GARBLED_SHARE:
                yield _garbled(self.maker, id_, self.action, payload, self.rng)
            elif all_sites and (broken := self._broken(id_, payload, all_sites)):
                yield broken

    def _broken(self, id_: str, payload: JsonValue, all_sites: Sequence[Site]) -> Case | None:
        site = self.rng.choice(all_sites)
        operator = self.rng.choice(site.operators)
        done = apply(site, operator, payload, self.rng)
        if done is None:
            return None
        broken, mutation = done
        expectation = site.expectation(operator)
        return self.maker.drawn(id_, self.action, broken, payload, expectation, mutation)

    def _neighbours(self) -> Iterator[Case]:
        count = 1 if self.action in COSTLY else NEIGHBOURS_PER_ACTION
        known = neighbours(self._schema(), self.ground.pool)
        for near in self.rng.sample(known, min(count, len(known))):
            yield self._near(near.name, near)
        for i in range(LISTS_PER_ACTION):
            near_list = several(self.action, self.ground.pool, self.rng, self._most())
            if near_list is not None:
                yield self._near(f"{i}:{near_list.name}", near_list)

    def _near(self, name: str, near: Neighbour) -> Case:
        return self.maker.drawn(
            self._id(f"beside/{name}"),
            self.action,
            near.payload,
            near.control,
            near.expectation,
            near.mutation,
        )


def _garbled(
    maker: CaseMaker, id_: str, action: str, payload: JsonValue, rng: random.Random
) -> Case:
    good = spell(call_text(action, payload))
    # A real id stands in for the slot: what is filled in later must not change how the text reads.
    said, mutation, fault = garble(good.replace(_SLOT, _STAND_IN, 1), rng)
    expectation = (
        Expectation(Stance.UNSPECIFIED, Tier.JSON)
        if fault is None
        else Expectation(Stance.REJECT, Tier.JSON, fault)
    )
    # A flipped character can make a CALLRESULT of a CALL; nobody has to answer that.
    answers = hear(said, 0.0).kind in (FrameKind.CALLRESULT, FrameKind.CALLERROR)
    position = Position.UNSOLICITED if answers else Position.CALL
    return maker.utterance(
        Utterance(
            id=id_,
            action=action,
            position=position,
            expectation=expectation,
            text=(said.replace(f'"{_STAND_IN}"', f'"{_SLOT}"', 1),)
            if isinstance(said, str)
            else None,
            raw=said if isinstance(said, bytes) else None,
            control=(good,),
            mutation=mutation,
        ),
        effect_of(action, payload),
    )


def _light_first(cases: Iterable[Case]) -> list[Case]:
    return sorted(cases, key=lambda case: case.heavy)


def _everything_at_once(ground: Ground) -> JsonObject:
    """A question about as many variables as the target takes in one CALL (B06.FR.16); none where it told of few."""
    most = min(ground.items_per_message.get("GetVariables", MANY), MANY)
    known = [v for v in ground.pool.variables if v.mutability != "WriteOnly"][:most]
    items: list[JsonValue] = [
        {"component": v.component_json(), "variable": v.variable_json()} for v in known
    ]
    return {"getVariableData": items} if len(items) > len(_MIXED) else {}


_AT_ONCE = frozenset({("maxLength", "at"), ("maxItems", "at")})
"""The largest of what is legal (keyword, operator): every target meets it one day, so that all of it comes first."""

_INSTEAD = frozenset({("enum", "unknown"), ("type", "null"), ("type", "array"), ("type", "object")})
"""What stands in place of what a message must name, so that whoever looks into it finds nothing there."""


def _breadth_first(cases: Sequence[Case], needed: Mapping[str, Container[str]]) -> list[list[Case]]:
    """What comes at once and the first case of every class of mutation, the second ones, and so on, in order.

    `needed` are the pointers to what stands at the top of the simplest message of each action.
    """
    nth: Counter[str] = Counter()
    ranked: list[list[Case]] = [[]]
    for case in _over_actions(cases):
        at_once = _comes_at_once(case, needed[case.action])
        rank = 0 if at_once else nth[case.mutation_class]
        nth[case.mutation_class] += not at_once
        while len(ranked) <= rank:
            ranked.append([])
        ranked[rank].append(case)
    return ranked


def _over_actions(cases: Sequence[Case]) -> list[Case]:
    """The first case of every class of each action, then the second ones: each action has a way of its own to go wrong."""
    nth: Counter[tuple[str, str]] = Counter()
    numbered: list[tuple[int, Case]] = []
    for case in cases:
        kind = case.action, case.mutation_class
        numbered.append((nth[kind], case))
        nth[kind] += 1
    return [case for _, case in sorted(numbered, key=lambda entry: entry[0])]


def _comes_at_once(case: Case, needed: Container[str]) -> bool:
    """What is legal at its limits; and what a message must name, absent, of another kind, or no word of its list.

    What a message must name decides which way a target takes, and where it is not there, there may be none (CWE-476,
    CWE-478).
    """
    if case.expectation.stance is Stance.ACCEPT:
        return any((m.keyword, m.operator) in _AT_ONCE for m in case.mutations)
    return any(
        m.pointer in needed
        if (m.keyword, m.operator) in _INSTEAD
        else (m.pointer, m.keyword) == ("", "required")
        for m in case.mutations
    )


def _sample(items: Sequence[T], count: int) -> Sequence[T]:
    step = max(1, len(items) // count)
    return items[::step][:count]


def _effect(said: Utterance) -> Effect:
    return effect_of(said.action) if said.action else Effect.VOLATILE
