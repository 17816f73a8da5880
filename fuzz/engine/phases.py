"""The phases of a campaign: each yields cases, cheap and certain first.

Knows what `strategies` can make and what the target supports; must not know how cases are played or judged.
A phase goes on only when its last case was played, so what it yields next may depend on what was learned.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fuzz.engine.cases import CaseMaker, call_text
from fuzz.engine.drawing import draw
from fuzz.engine.effects import effect_of
from fuzz.engine.executor import PROBES
from fuzz.engine.support import Coverage, Support
from fuzz.ocppj.lenient import hear
from fuzz.records import Case, Effect, FrameKind, Side
from strategies.boundaries import boundaries
from strategies.examples import example
from strategies.frames import envelope_faults, unsolicited
from strategies.labels import (
    Expectation,
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
from strategies.schema import message_schema
from strategies.text import garble, text_faults
from strategies.variables import variable_breaks
from strategies.version import Version
from strategies.violations import Site, apply, sites, violations

SAMPLES_OF_UNSUPPORTED = 3
"""Boundaries, and breaks, that are asked of an action which the target says it does not support."""

DRAWS_PER_ACTION = 24
MUTANTS_PER_DRAW = 12
GARBLED_SHARE = 0.25

_SLOT = "{call.id}"
_STAND_IN = "00000000-ocppfuzz"


@dataclass(slots=True)
class Ground:
    """What all phases of one campaign stand on."""

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
    seeds: Sequence[Case] = ()

    def actions(self) -> list[str]:
        """The actions whose CALL we may send to this side, most harmless first."""
        sender = Sender.CSMS if self.side is Side.STATION else Sender.STATION
        names = [a for a in self.version.sent_by(sender) if self.asked(a)]
        order = list(Effect)
        return sorted(names, key=lambda a: (order.index(effect_of(a)), a))

    def asked(self, action: str) -> bool:
        """False for an action that --only or --exclude leaves out."""
        return (not self.only or action in self.only) and action not in self.exclude

    def maker(self, phase: str) -> CaseMaker:
        """A maker of cases for a phase."""
        return CaseMaker(self.side, phase, self.seed, known=self.components, tool=self.tool)


class Phase(Protocol):
    """A named source of cases."""

    name: str

    def planned(self) -> int | None:
        """How many cases there will be, as far as can be told; None when the budget decides."""
        ...

    def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """The cases; `idle` serves the target while the phase has nothing ready."""
        ...


@dataclass(slots=True)
class Replay:
    """Plays the corpus and earlier findings."""

    stored: Sequence[Case]
    name: str = "replay"

    def planned(self) -> int | None:
        """All that is stored."""
        return len(self.stored)

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """The stored cases in the order of their ids."""
        for case in self.stored:
            yield case


@dataclass(slots=True)
class Systematic:
    """Plays every boundary and every violation site once, then envelopes, texts and unsolicited answers."""

    ground: Ground
    name: str = "systematic"

    def planned(self) -> int | None:
        """The size of all tables, as if every action were supported."""
        total = len(self._frames()) + len(variable_breaks(self.ground.pool))
        for action in self.ground.actions():
            schema = message_schema(action, Kind.REQUEST, self.ground.version)
            total += 1 + len(boundaries(schema)) + len(violations(schema, full=self.ground.full))
        return total

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """Light cases action by action, then the heavy ones, which are the killers."""
        heavy: list[Case] = []
        for source in (self._payload_cases(), self._other_cases()):
            for case in source:
                if case.heavy:
                    heavy.append(case)
                else:
                    yield case
        for case in heavy:
            yield case

    def _payload_cases(self) -> Iterator[Case]:
        ground, maker = self.ground, self.ground.maker(self.name)
        for action in ground.actions():
            schema = message_schema(action, Kind.REQUEST, ground.version)
            simplest = example(schema)
            yield maker.example(action, simplest)
            edges = [maker.boundary(action, b) for b in boundaries(schema)]
            broken = [maker.broken(action, b) for b in violations(schema, full=ground.full)]
            if action not in ground.support.supported:
                yield from _sample(edges, SAMPLES_OF_UNSUPPORTED)
                yield from _sample(broken, SAMPLES_OF_UNSUPPORTED)
                continue
            ground.coverage.plan("boundaries", (c.id for c in edges))
            ground.coverage.plan("violations", (c.id for c in broken))
            yield from edges
            yield from broken

    def _other_cases(self) -> Iterator[Case]:
        ground, maker = self.ground, self.ground.maker(self.name)
        framed = [maker.utterance(u, _effect(u)) for u in self._frames()]
        ground.coverage.plan("envelopes and texts", (c.id for c in framed))
        yield from framed
        yield maker.twice(*PROBES[ground.side])
        if ground.side is Side.STATION and ground.asked("SetVariables"):
            for broken in variable_breaks(ground.pool):
                yield maker.broken("SetVariables", broken)

    def _frames(self) -> list[Utterance]:
        action, payload = PROBES[self.ground.side]
        version = self.ground.version
        sender = Sender.CSMS if self.ground.side is Side.STATION else Sender.STATION
        return [
            *envelope_faults(action, payload, version, sender=sender),
            *text_faults(action, payload, version),
            *unsolicited(version),
        ]


@dataclass(slots=True)
class Generated:
    """Draws valid messages with Hypothesis and mutates each many times, until the budget ends."""

    ground: Ground
    name: str = "generated"
    first_chunk: int = 0

    def planned(self) -> int | None:
        """Unknown: the budget decides."""
        return None

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """Chunk after chunk; the next one is drawn in a worker thread while this one is played."""
        chunk = self.first_chunk
        pending = asyncio.create_task(asyncio.to_thread(self.chunk, chunk))
        try:
            while True:
                while not pending.done():
                    await idle(0.05)
                    await asyncio.sleep(0)
                ready = pending.result()
                if not ready:
                    return
                chunk += 1
                pending = asyncio.create_task(asyncio.to_thread(self.chunk, chunk))
                for case in ready:
                    yield case
        finally:
            pending.cancel()

    def chunk(self, number: int) -> list[Case]:
        """The cases of one chunk: determined by version, seed, chunk number, pool, support and corpus."""
        ground = self.ground
        rng = random.Random(f"{ground.seed}/{number}")
        maker = ground.maker(self.name)
        cases: list[Case] = []
        for action in ground.actions():
            if action in ground.support.supported and effect_of(action) in ground.allowed:
                cases.extend(self._of_action(maker, action, number, rng))
        rng.shuffle(cases)
        return cases

    def _of_action(
        self, maker: CaseMaker, action: str, number: int, rng: random.Random
    ) -> Iterator[Case]:
        ground = self.ground
        schema = message_schema(action, Kind.REQUEST, ground.version)
        # A Reset costs the target a boot, so few of them go a long way.
        count = 2 if action == "Reset" else DRAWS_PER_ACTION
        drawn = draw(
            payloads(action, Kind.REQUEST, pool=ground.pool, version=ground.version),
            seed=rng.getrandbits(32),
            count=count,
        )
        simplest = example(schema)
        all_sites = sites(schema)
        accept = Expectation(Stance.ACCEPT, Tier.MODEL)
        for i, payload in enumerate(drawn):
            name = f"generated/{ground.seed}/{number}/{action}/{i}"
            yield maker.drawn(name, action, payload, simplest, accept, None)
            for j in range(MUTANTS_PER_DRAW):
                if rng.random() < GARBLED_SHARE:
                    yield _garbled(maker, f"{name}/{j}", action, payload, rng)
                elif all_sites and (
                    case := _broken(maker, f"{name}/{j}", action, payload, all_sites, rng)
                ):
                    yield case


def _broken(
    maker: CaseMaker,
    id_: str,
    action: str,
    payload: JsonValue,
    all_sites: Sequence[Site],
    rng: random.Random,
) -> Case | None:
    site = rng.choice(all_sites)
    operator = rng.choice(site.operators)
    done = apply(site, operator, payload, rng)
    if done is None:
        return None
    broken, mutation = done
    return maker.drawn(id_, action, broken, payload, site.expectation(operator), mutation)


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


def _sample(cases: Sequence[Case], count: int) -> Iterable[Case]:
    step = max(1, len(cases) // count)
    return list(cases[::step])[:count]


def _effect(said: Utterance) -> Effect:
    return effect_of(said.action) if said.action else Effect.VOLATILE
