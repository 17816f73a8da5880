"""The case: data from which the wire is determined.

Knows steps and what the tables of `strategies` promise of a fault. Must not know what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fuzz.records.steps import Step
from strategies.labels import Expectation, Mutation, Position

CASE_FORMAT = 1


class Side(StrEnum):
    """Which end is attacked."""

    STATION = "station"
    CSMS = "csms"


class Preamble(StrEnum):
    """The state that the target is brought into before the first step."""

    CONNECTED = "connected"
    BOOTED = "booted"


class Effect(StrEnum):
    """What a case may leave behind on the target, harmless first (design 2.7)."""

    NONE = "none"
    VOLATILE = "volatile"
    PERSISTENT = "persistent"
    LOCK_OUT = "lock-out"
    ENERGISE = "energise"
    ONE_WAY = "one-way"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a case came from: enough to make it again."""

    phase: str
    seed: int = 0
    index: int = 0
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Data from which the wire is determined (design 2.1).

    `control` is the same conversation with only the fault undone; empty when there is none.
    `action` is "" when the message names none. `purpose` says for people what the case is for, `clause` what decides it,
    `mirrors` which kind of real bug it is like.
    """

    id: str
    side: Side
    steps: tuple[Step, ...]
    expectation: Expectation
    control: tuple[Step, ...] = ()
    preamble: Preamble = Preamble.BOOTED
    effect: Effect = Effect.VOLATILE
    position: Position = Position.CALL
    action: str = ""
    mutations: tuple[Mutation, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance("unknown"))
    heavy: bool = False
    version: str = "2.0.1"
    purpose: str = ""
    clause: str = ""
    mirrors: str = ""

    @property
    def mutation_class(self) -> str:
        """What this case does, without pointer and values: the unit of quarantine."""
        return "+".join(m.class_ for m in self.mutations) or "valid"
