"""The stateful phase: scenes that only mean something as a whole, plain first.

Knows scenarios and how they become cases; must not know how scenes are played or judged.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from fuzz.engine.phases import Ground
from fuzz.engine.staging import effect, steps
from fuzz.records import Ability, Case, Provenance, Side
from strategies.labels import Channel, Expectation, Mutation, Position, Stance, Tier
from strategies.moves import Move, Tell, acts, asks, flat
from strategies.sequences import Place, Scenario, scenarios

OWNED_BOOT_S = 30.0
BOOT_S = 120.0
"""How long we wait for a boot of a target that we started, and of any other."""

PATIENCE = 5.0
"""How many times longer we look at a target that we did not start."""


@dataclass(slots=True)
class Stateful:
    """Plays every scenario."""

    ground: Ground
    name: str = "stateful"
    _index: int = field(default=0)

    def planned(self) -> int | None:
        """The budget decides."""
        return None

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """Every scenario once."""
        playable = self._playable()
        self.ground.coverage.plan("scenarios", (self._id(s) for s in playable))
        for told in playable:
            yield self._plain(told)

    def unreached(self) -> Sequence[str]:
        """What cannot be played for want of somebody at the target."""
        return [
            f"scenario {told.name}: needs somebody at the target for {', '.join(sorted(acts(told.moves)))}"
            for told in self._known()
            if acts(told.moves) and Ability.OPERATOR not in self.ground.abilities
        ]

    def _place(self) -> Place:
        return Place(self.ground.pool, OWNED_BOOT_S if self.ground.owned else BOOT_S)

    def _known(self) -> list[Scenario]:
        if self.ground.side is not Side.STATION:
            return []
        return [s for s in scenarios(self._place()) if all(map(self.ground.asked, asks(s.moves)))]

    def _playable(self) -> list[Scenario]:
        ground = self.ground
        able = Ability.OPERATOR in ground.abilities
        return [
            s
            for s in self._known()
            if (able or not acts(s.moves)) and effect(s.moves) in ground.allowed
        ]

    def _id(self, told: Scenario) -> str:
        return f"{self.name}/{told.name}"

    def _plain(self, told: Scenario) -> Case:
        return self._case(self._id(told), told.moves, told.name)

    def _case(self, id_: str, moves: Sequence[Move], operator: str) -> Case:
        self._index += 1
        told = any(isinstance(move, Tell) for move in flat(moves))
        return Case(
            id=id_,
            side=self.ground.side,
            steps=steps(moves, patience=1.0 if self.ground.owned else PATIENCE),
            expectation=Expectation(Stance.UNSPECIFIED, Tier.MODEL),
            effect=effect(moves),
            position=Position.CALLRESULT if told else Position.CALL,
            mutations=(Mutation(Channel.PAYLOAD, "", "scenario", operator),),
            provenance=Provenance(self.name, self.ground.seed, self._index, self.ground.tool),
        )
