"""A silence that may come of CALLs that crossed: by what it is known, and the case in which they cross for certain.

Knows transcripts and scenes. Must not know what an oracle says of either, nor who plays the case.
"""

from __future__ import annotations

from fuzz.engine.investigate import SILENCES
from fuzz.engine.line import PROBES
from fuzz.engine.phases import Ground
from fuzz.engine.staging import effect, steps
from fuzz.ocppj.crossings import unanswered_crossing
from fuzz.ocppj.history import history
from fuzz.records import Case, Observation, Provenance, Side, Violation
from strategies.labels import Channel, Expectation, Mutation, Position, Stance, Tier
from strategies.moves import Ask, Await, Withhold, asks
from strategies.sequences import answered, trigger

CROSSED = ("O28", "crossing CALL unanswered")
"""The oracle and the symptom that tell of CALLs of which one keeps the other from being served."""

SILENT = SILENCES | {CROSSED}
"""The oracles and symptoms that a crossing may lie behind: it shows by chance, and not when its case is played alone."""


def may_come_of_a_crossing(observation: Observation, violation: Violation) -> bool:
    """True for a silence that began when a CALL of ours crossed one of the target's own (Part 4 section 4.1.1)."""
    if (violation.oracle, violation.symptom) not in SILENT:
        return False
    within_s = observation.facts.message_timeout_s
    return unanswered_crossing(history(observation.entries), within_s) is not None


def sure_crossing(ground: Ground) -> Case | None:
    """A harmless CALL that comes while the target waits for an answer; None where no CALL of the target can be had."""
    if ground.side is not Side.STATION:
        return None
    harmless = Ask(*PROBES[ground.side])
    moves = (
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        harmless,
        answered({"currentTime": "{time.now}"}),
    )
    if not all(map(ground.asked, asks(moves))):
        return None
    return Case(
        id="crossing",
        side=ground.side,
        steps=steps(moves),
        expectation=Expectation(Stance.UNSPECIFIED, Tier.MODEL),
        effect=effect(moves),
        position=Position.CALLRESULT,
        mutations=(Mutation(Channel.PAYLOAD, "", "scenario", "crossing"),),
        provenance=Provenance("suspicions", ground.seed, 0, ground.tool),
    )
