"""Turns what `strategies` can say into cases: text with slots, control, effect, provenance.

Knows the shape of a CALL and the shapes that `strategies` hands over; must not know how a case is played.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from fuzz.engine.effects import effect_of
from fuzz.records import (
    Ask,
    Case,
    Effect,
    Provenance,
    RepeatSteps,
    SendBytes,
    SendText,
    Side,
    Step,
)
from strategies.boundaries import Boundary
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonValue,
    Mutation,
    Position,
    Repeated,
    Stance,
    Text,
    Tier,
    Utterance,
    spell,
)
from strategies.violations import Break

_ASKED = re.compile(r'^\[2,"[^"]*","(\w+)"', re.MULTILINE)
_RUN = re.compile(r"(.)\1{255,}", re.DOTALL)


def compact(text: str) -> Text:
    """The text with runs of 256 and more equal characters folded, so that cases stay small on disk."""
    parts: list[str | Repeated] = []
    end = 0
    for run in _RUN.finditer(text):
        if run.start() > end:
            parts.append(text[end : run.start()])
        parts.append(Repeated(run.group(1), run.end() - run.start()))
        end = run.end()
    if end < len(text) or not parts:
        parts.append(text[end:])
    return tuple(parts)


def call_text(action: JsonValue, payload: JsonValue) -> Text:
    """A CALL with a slot for its id; any JSON may stand for action and payload."""
    return compact(
        f'[2,"{{call.id}}",{json.dumps(action)},{json.dumps(payload, separators=(",", ":"))}]'
    )


def actions_of(case: Case) -> frozenset[str]:
    """The action that a case is about, and those of the other CALLs that its scene makes; empty when it names none."""
    asked = _ASKED.findall("\n".join(_asks(case.steps)))
    return frozenset(asked) | ({case.action} if case.action else frozenset())


def _asks(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        if isinstance(step, RepeatSteps):
            yield from _asks(step.steps)
        elif isinstance(step, Ask):
            yield spell(step.text)


class CaseMaker:
    """Makes cases for one side, phase and seed.

    `known` are the lower-case names of the components that the target has; they decide whether a SetVariables
    can change anything.
    """

    def __init__(
        self, side: Side, phase: str, seed: int, *, known: Iterable[str] = (), tool: str = ""
    ) -> None:
        self._side = side
        self._phase = phase
        self._seed = seed
        self._known = frozenset(known)
        self._tool = tool
        self._index = 0

    def example(self, action: str, payload: JsonValue) -> Case:
        """The simplest valid CALL of an action: shows whether the target supports it."""
        expectation = Expectation(Stance.ACCEPT, Tier.MODEL)
        return self._call(f"{action}.req#example", action, payload, None, expectation, None)

    def boundary(self, action: str, boundary: Boundary) -> Case:
        """A value at an edge; the control is a plain CALL of the same shape."""
        return self._call(
            boundary.id,
            action,
            boundary.payload,
            boundary.control,
            boundary.expectation,
            boundary.mutation,
            heavy=boundary.heavy,
        )

    def broken(self, action: str, broken: Break) -> Case:
        """A payload that breaks exactly one rule; the control is what it was made from."""
        return self._call(
            broken.id, action, broken.payload, broken.control, broken.expectation, broken.mutation
        )

    def drawn(
        self,
        id_: str,
        action: str,
        payload: JsonValue,
        control: JsonValue,
        expectation: Expectation,
        mutation: Mutation | None,
    ) -> Case:
        """A generated CALL."""
        return self._call(id_, action, payload, control, expectation, mutation)

    def twice(self, action: str, payload: JsonValue) -> Case:
        """The same CALL two times with one messageId, the second while the first may still be in process (F3, F9)."""
        first = call_text(action, payload)
        again = compact(spell(first).replace("{call.id}", "{call.previous}"))
        return self._case(
            "envelope/id:in-use",
            action,
            (SendText(first), SendText(again)),
            (SendText(first), SendText(first)),
            # Reuse for a retransmission is allowed by later errata, so this is judged for safety only.
            Expectation(
                Stance.UNSPECIFIED,
                Tier.RPC,
                Fault.ID_IN_USE,
                "later errata allow it for retransmissions",
            ),
            Mutation(Channel.ENVELOPE, "/1", "messageId", "in-use"),
            Effect.NONE,
        )

    def utterance(self, said: Utterance, effect: Effect | None = None) -> Case:
        """An envelope, text or unsolicited message as `strategies` made it."""
        step: Step = (
            SendText(said.text)
            if said.text is not None
            else SendBytes(said.raw or b"", said.raw_opcode)
        )
        return self._case(
            said.id,
            said.action,
            (step,),
            (SendText(said.control),) if said.control is not None else (),
            said.expectation,
            said.mutation,
            effect or Effect.VOLATILE,
            position=said.position,
            heavy=said.heavy,
        )

    def _call(
        self,
        id_: str,
        action: str,
        payload: JsonValue,
        control: JsonValue,
        expectation: Expectation,
        mutation: Mutation | None,
        *,
        heavy: bool = False,
    ) -> Case:
        return self._case(
            id_,
            action,
            (SendText(call_text(action, payload)),),
            (SendText(call_text(action, control)),) if control is not None else (),
            expectation,
            mutation,
            effect_of(action, payload, known=self._known),
            heavy=heavy,
        )

    def _case(
        self,
        id_: str,
        action: str,
        steps: tuple[Step, ...],
        control: tuple[Step, ...],
        expectation: Expectation,
        mutation: Mutation | None,
        effect: Effect,
        *,
        position: Position = Position.CALL,
        heavy: bool = False,
    ) -> Case:
        self._index += 1
        return Case(
            id=id_,
            side=self._side,
            steps=steps,
            control=control,
            expectation=expectation,
            effect=effect,
            position=position,
            action=action,
            mutations=() if mutation is None else (mutation,),
            provenance=Provenance(self._phase, self._seed, self._index, self._tool),
            heavy=heavy,
        )
