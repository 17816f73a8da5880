"""Two cases made one: what a target does wrong in a case may lean on what the one before left behind.

Knows cases and what undoes a scene. Must not know how a case is played or judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fuzz.engine.stage import is_scene, needs_hands
from fuzz.engine.tidy import Leftovers
from fuzz.records import Case, Effect, Operator, Settle, Step
from strategies.labels import Channel, Mutation

LONGEST = 200
"""Steps of two cases up to which they are made one: longer ones are not made smaller in any sensible time."""

BACK = 3
"""How many cases are tried."""


def before(recent: Sequence[Case], case: Case) -> list[Case]:
    """The cases of its kind played last before `case`, newest first, that may be made one with it: scenes, or messages.

    What is done by hand leans on what was done by hand: who was let in, which cable is where.
    """
    hands = needs_hands(case.steps)
    told = [c for c in reversed(recent) if c is not case and is_scene(c) == is_scene(case)]
    told = [c for c in told if needs_hands(c.steps) or not hands]
    return [c for c in told[:BACK] if len(c.steps) + len(case.steps) <= LONGEST]


def joined(earlier: Case, left: Leftovers, later: Case) -> Case:
    """`later` behind `earlier`, with what people undid between them: one case that needs nothing before it."""
    undone: tuple[Step, ...] = tuple(Operator(*words) for words in left.words)
    return replace(
        later,
        id=f"{earlier.id}+{later.id}",
        steps=(*earlier.steps, *undone, Settle(), *later.steps),
        control=(),
        effect=max(earlier.effect, later.effect, key=list(Effect).index),
        mutations=(*later.mutations, _behind(earlier)),
        heavy=earlier.heavy or later.heavy,
    )


def _behind(earlier: Case) -> Mutation:
    return Mutation(Channel.PAYLOAD, "", "scenario", "behind", before=earlier.id)
