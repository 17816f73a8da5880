"""The phase `resource`: the same again and again, and the same ever longer, with readings of what it cost between.

Knows what to repeat and how long a ladder of sizes is climbed. Must not know what growth is too much.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from fuzz.engine.cases import call_text
from fuzz.engine.effects import effect_of
from fuzz.engine.line import PROBES
from fuzz.engine.phases import Ground, Phase
from fuzz.records import (
    Ability,
    Ask,
    Case,
    Disconnect,
    Effect,
    Figures,
    Gauge,
    Misbehave,
    Provenance,
    RepeatSteps,
    SendText,
    Side,
    Step,
    Wait,
)
from strategies.examples import example
from strategies.floods import (
    BLOCKS,
    FAILURES,
    IDLE,
    SIZES,
    START,
    WARM,
    Flood,
    Growth,
    floods,
    growths,
)
from strategies.labels import (
    Channel,
    Expectation,
    Kind,
    Mutation,
    Position,
    Sender,
    Stance,
    Tier,
    spell,
)
from strategies.schema import message_schema

ABRUPT = 1006
CONNECTIONS = 16
"""Connections in one block."""

ROUNDS, ATTEMPTS = 10, 3
"""Connections in one block that fail before they come about: so many rounds of so many attempts in a row."""

REST_S = 0.4
"""How long a target rests between two readings while nothing is said."""

ROUNDS_OF_ALL = 18
"""How often each action is asked in one block."""

RUNGS = 4
"""Sizes at which the ladder of one growth begins, each four times the one before."""

ENOUGH_S = 1.0
"""Processor time that one rung may cost before the next one, up to sixteen times as dear, is spared."""

GENTLE = 4
"""How many times less a target gets that we did not start."""

_HEAVY = 2**20
_ONCE = frozenset(
    {
        "ChangeAvailability",
        "CustomerInformation",
        "GetBaseReport",
        "GetLog",
        "GetMonitoringReport",
        "GetReport",
        "PublishFirmware",
        "RequestStartTransaction",
        "Reset",
        "SetNetworkProfile",
        "SetVariables",
        "TriggerMessage",
        "UnlockConnector",
        "UpdateFirmware",
    }
)
"""Actions that set off more than their answer, or have a flood of their own."""


@dataclass(slots=True)
class Resource(Phase):
    """Plays every flood, then every growth as far as the target stays quick.

    On a target that we did not start it plays only when `named` says that somebody asked for it.
    """

    ground: Ground
    named: bool = False
    name: str = "resource"

    def planned(self) -> int | None:
        """What is learned decides how far each ladder is climbed."""
        return None

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """The first rung of every ladder, one case of each kind of flood, all others, and the higher rungs."""
        if not self._may():
            return
        first, others = _one_of_each(list(self._slopes()))
        self.ground.coverage.plan("floods", (case.id for case in (*first, *others)))
        climbing = [g for g in growths() if self._fits(g.action, g.sender)]
        for case in self._climb(climbing, 0):
            yield case
        for case in (*first, *others):
            yield case
        for rung in range(1, RUNGS if self.ground.owned else 1):
            for case in self._climb(climbing, rung):
                yield case

    def unreached(self) -> Sequence[str]:
        """What is not played, or played and not read."""
        if not self._may():
            return ["resource: floods a target that we did not start only when the phase is named"]
        if Ability.FIGURES not in self.ground.abilities:
            return ["resource: nobody can read the memory and the processor time of the target"]
        return []

    def _may(self) -> bool:
        return self.ground.owned or self.named

    # --- the same again and again --------------------------------------------------------------------------

    def _slopes(self) -> Iterator[Case]:
        for flood in floods():
            if self._fits(flood.action, flood.sender):
                yield self._flooded(flood)
        yield from self._mixed()
        yield self._reconnecting("orderly", 1000)
        yield self._reconnecting("abrupt", ABRUPT)
        if self.ground.side is Side.STATION:
            for way in FAILURES:
                yield self._failing(way)

    def _flooded(self, flood: Flood) -> Case:
        said = SendText(flood.text)
        steps = (said,) if flood.unasked else (said, self._harmless())
        block = RepeatSteps(steps, self._times(flood.times))
        size = len(spell(flood.text))
        return self._case(
            f"flood/{flood.name}",
            self._measured(block),
            "flood",
            flood.name,
            action=flood.action,
            heavy=size >= _HEAVY,
            unasked=flood.unasked,
        )

    def _mixed(self) -> Iterator[Case]:
        """Whatever may be asked again and again, in turn: which of it leaves something behind, the smallest case tells."""
        version = self.ground.version
        asked = [
            Ask(call_text(action, example(message_schema(action, Kind.REQUEST, version))))
            for action in self.ground.actions()
            if action in self.ground.support.supported - _ONCE and self._harmless_enough(action)
        ]
        if asked:
            block = RepeatSteps(tuple(asked), self._times(ROUNDS_OF_ALL))
            # So many different ones have met each cache soon.
            steps = self._measured(block, warm=replace(block, times=max(1, block.times // 3)))
            yield self._case("mixture/every-action", steps, "flood", "every-action")

    def _harmless_enough(self, action: str) -> bool:
        """Whether the simplest example of an action may be said often."""
        return effect_of(action) in self.ground.allowed & {
            Effect.NONE,
            Effect.VOLATILE,
            Effect.PERSISTENT,
        }

    def _reconnecting(self, name: str, code: int) -> Case:
        block = RepeatSteps((Disconnect(code), self._harmless()), self._times(CONNECTIONS))
        return self._case(f"reconnect/{name}", self._measured(block), "reconnect", name)

    def _failing(self, way: str) -> Case:
        round_ = (Misbehave(way, ATTEMPTS), Disconnect(ABRUPT), self._harmless())
        block = RepeatSteps(round_, self._times(ROUNDS))
        return self._case(f"handshake/{way}", self._measured(block), "handshake", way)

    def _measured(self, block: Step, *, warm: Step | None = None) -> tuple[Step, ...]:
        """Once to warm up, three times with a reading behind each, and three readings at rest."""
        steps: list[Step] = [
            warm or block,
            self._harmless(),
            Gauge(WARM),
            Wait(REST_S / 2),
            Gauge(START),
        ]
        for label in BLOCKS:
            steps += [block, self._harmless(), Gauge(label)]
        for label in IDLE:
            steps += [Wait(REST_S), Gauge(label)]
        return tuple(steps)

    def _harmless(self) -> Ask:
        """Answered when all that was said before was looked at."""
        return Ask(call_text(*PROBES[self.ground.side]))

    def _times(self, times: int) -> int:
        return times if self.ground.owned else max(1, times // GENTLE)

    # --- the same ever longer ------------------------------------------------------------------------------

    def _climb(self, climbing: list[Growth], rung: int) -> Iterator[Case]:
        """One rung of every ladder that is still climbed; one that was dear is climbed no further."""
        for growth in list(climbing):
            case = self._rung(growth, growth.smallest * 4**rung)
            self.ground.watch(case.id)
            yield case
            seen = self.ground.seen(case.id)
            if seen is None or seen.close is not None or _spent(seen.figures) > ENOUGH_S:
                climbing.remove(growth)

    def _rung(self, growth: Growth, count: int) -> Case:
        lengths = [1, *(count * 2**doublings for doublings in range(len(SIZES)))]
        steps: list[Step] = []
        for length, label in zip(lengths, (START, *SIZES), strict=True):
            steps += [SendText(growth.text(length)), self._harmless(), Gauge(label)]
        return self._case(
            f"growth/{growth.name}/{count}",
            steps,
            "growth",
            growth.name,
            action=growth.action,
        )

    # --- both ----------------------------------------------------------------------------------------------

    def _fits(self, action: str, sender: Sender) -> bool:
        """True when we may say it, and the target did not say that it knows no such action."""
        ground = self.ground
        ours = Sender.CSMS if ground.side is Side.STATION else Sender.STATION
        if sender not in (ours, Sender.BOTH):
            return False
        if not action:
            return True
        return (
            ground.asked(action)
            and action not in ground.support.refused
            and effect_of(action) in ground.allowed
        )

    def _case(
        self,
        id_: str,
        steps: Sequence[Step],
        family: str,
        operator: str,
        *,
        action: str = "",
        heavy: bool = False,
        unasked: bool = False,
    ) -> Case:
        # Of what is very long nobody need read more than that it is.
        tier = Tier.MODEL if unasked else Tier.JSON
        return Case(
            id=f"{self.name}/{id_}",
            side=self.ground.side,
            steps=tuple(steps),
            expectation=Expectation(Stance.UNSPECIFIED, tier),
            effect=effect_of(action) if action else Effect.VOLATILE,
            position=Position.UNSOLICITED if unasked else Position.CALL,
            action=action,
            mutations=(Mutation(Channel.PAYLOAD, "", family, operator),),
            provenance=Provenance(self.name, self.ground.seed, tool=self.ground.tool),
            heavy=heavy,
        )


def _spent(figures: Sequence[Figures]) -> float:
    """Processor time between the first reading and the last; 0 where the machine does not tell."""
    told = [f.processor_s for f in figures if f.processor_s is not None]
    return told[-1] - told[0] if told else 0.0


def _one_of_each(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """The first case of each kind and the heaviest of all, and the others, heavy ones last."""
    kinds: dict[str, Case] = {}
    for case in cases:
        if not case.heavy:
            kinds.setdefault(case.id.split("/")[1], case)
    first = [*kinds.values(), *[c for c in cases if c.heavy][-1:]]
    others = [c for c in cases if c not in first]
    return first, sorted(others, key=lambda case: case.heavy)
