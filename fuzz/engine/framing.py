"""The phase `frames`: what can be done below whole messages, and to those who connect (RFC 6455, RFC 7692).

Knows the table of framings and the ways to receive a caller badly. Must not know what a peer does with any of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import assert_never

from fuzz.engine.cases import call_text
from fuzz.engine.line import PROBES
from fuzz.engine.phases import Ground, Phase
from fuzz.records import (
    Ask,
    Case,
    Disconnect,
    Effect,
    Misbehave,
    Provenance,
    RepeatSteps,
    SendFrames,
    Side,
    Step,
    Wait,
)
from fuzz.transport.misbehaving import UNCOMPRESSED, WAYS
from strategies.labels import Channel, Expectation, Mutation, Position, Stance, Tier
from strategies.wsfaults import DEFLATE, Again, Cut, Framing, Part, Pause, framings

TABLE = "frames"
"""The name of the table whose exhaustion is a printed number."""

ABRUPT = 1006
FAILURES = 2
"""Attempts to connect that fail in one way before one succeeds."""

CHOICE = "101-no-subprotocol"
"""The answer after which a client may stay or go (RFC 6455 section 4.1), so that there is most to be done wrong."""

LATER_S = 2.5
"""How long we look what becomes of a connection that was not wanted."""


@dataclass(slots=True)
class Frames(Phase):
    """Plays every framing once, the handshakes that fail behind them but for one, and what is heavy last.

    A target that we did not start meets what is heavy first, and last of all answers after which a client may give up
    for good: nobody is there to start it again.
    """

    ground: Ground
    name: str = "frames"

    def planned(self) -> int | None:
        """The size of the table."""
        return len(self._all())

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """The cases in the order of the table."""
        every = self._all()
        self.ground.coverage.plan(TABLE, (case.id for case in every))
        for case in every:
            yield case

    def _all(self) -> list[Case]:
        asked = self.ground.asked(PROBES[self.ground.side][0])
        framed = [self._framed(f) for f in self._table()] if asked else []
        light, heavy = [c for c in framed if not c.heavy], [c for c in framed if c.heavy]
        if self.ground.owned:
            shakes = sorted(self._handshakes(), key=lambda c: c.mutations[0].operator != CHOICE)
            return [*shakes[:1], *light, *shakes[1:], *heavy]
        return [*light, *heavy, *sorted(self._handshakes(), key=_may_end_it)]

    def _table(self) -> tuple[Framing, ...]:
        # A client masks and a server does not (RFC 6455 section 5.1).
        every = framings(*PROBES[self.ground.side], masked=self.ground.side is Side.CSMS)
        return tuple(f for f in every if self.ground.compression or f.family != DEFLATE)

    def _framed(self, framing: Framing) -> Case:
        steps = [step for part in framing.parts for step in self._steps(part)]
        if framing.uncompressed:
            steps = [Misbehave(UNCOMPRESSED), Disconnect(1000), *steps]
        return self._case(
            framing.id,
            tuple(steps),
            framing.expectation,
            framing.mutation,
            control=self._control(framing),
            heavy=framing.heavy,
            calls=framing.calls,
        )

    def _control(self, framing: Framing) -> tuple[Step, ...]:
        if framing.control:
            return (SendFrames(framing.control),)
        return self._cut_off() if Cut() in framing.parts else ()

    def _cut_off(self) -> tuple[Step, ...]:
        """A connection that ends abruptly, and nothing else: some targets cannot bear even that."""
        return (Disconnect(ABRUPT), self._harmless())

    def _steps(self, part: Part) -> Iterator[Step]:
        match part:
            case bytes():
                yield SendFrames(part)
            case Again():
                yield RepeatSteps((SendFrames(part.data),), part.times)
            case Pause():
                yield Wait(part.seconds)
            case Cut():
                yield from self._cut_off()
            case _:
                assert_never(part)

    def _harmless(self) -> Ask:
        return Ask(call_text(*PROBES[self.ground.side]))

    def _handshakes(self) -> Iterator[Case]:
        """A station that is cut off and then received badly must come back all the same."""
        if self.ground.side is not Side.STATION:
            return
        times = FAILURES if self.ground.owned else 1
        for way in WAYS:
            looks = (Wait(LATER_S),) if way == CHOICE else ()
            yield self._case(
                f"frames/handshake/{way}",
                (Misbehave(way, times), *self._cut_off(), *looks),
                Expectation(Stance.UNSPECIFIED, Tier.MODEL),
                Mutation(Channel.HANDSHAKE, "", "handshake", way),
                control=self._cut_off(),
            )

    def _case(
        self,
        id_: str,
        steps: tuple[Step, ...],
        expectation: Expectation,
        mutation: Mutation,
        *,
        control: tuple[Step, ...] = (),
        heavy: bool = False,
        calls: bool = False,
    ) -> Case:
        return Case(
            id=id_,
            side=self.ground.side,
            steps=steps,
            control=control,
            expectation=expectation,
            effect=Effect.VOLATILE,
            position=Position.CALL if calls else Position.UNSOLICITED,
            action=PROBES[self.ground.side][0] if calls else "",
            mutations=(mutation,),
            provenance=Provenance(self.name, self.ground.seed, tool=self.ground.tool),
            heavy=heavy,
        )


def _may_end_it(case: Case) -> bool:
    """True for a handshake that a client must take for broken (RFC 6455 section 4.1), not for a server that is busy."""
    return case.mutations[0].operator.startswith("101-")
