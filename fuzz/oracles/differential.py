"""Do two targets, or two versions of one, agree about the same case (O27)?

Knows two observations of one case. Must not know which of them is right: nobody is, before somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator

from fuzz.oracles.reading import accepts, first_answer
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, FrameKind, Observation, Severity, Violation


@oracle("O27", name="disagreement", clause="Part 4 section 4.2.3", cwe="CWE-436", compares=True)
def disagreement(obs: Observation) -> Iterator[Violation]:
    """Two targets do the same with the same message.

    One observation alone shows nothing: `ocppfuzz diff` plays each case on both and asks `compare`. What is compared
    is whether a message was accepted, refused, left unanswered, or cost the connection or the process; not the error
    code, for which the specification leaves a choice.

    Seen: two respected libraries choose the same error code for only half of the ways in which a message can break
    its schema.

    Fix: look at which of both is right; between two versions of one software, a difference that is in no change log
    is a regression.
    """
    return iter(())


def outcome(obs: Observation) -> str:
    """What became of a case, in words: `accepted`, `refused`, `no answer`, `closed`, `died`, or "" without a verdict."""
    if obs.inconclusive:
        return ""
    if obs.process is not None:
        return "died"
    answer = first_answer(obs)
    if answer is None:
        return "closed" if obs.close is not None else "no answer"
    if answer.kind is FrameKind.CALLERROR:
        return "refused"
    return "refused" if accepts(obs, answer.payload) is False else "accepted"


def compare(first: Observation, second: Observation) -> Violation | None:
    """The disagreement of two targets about one case, None where they agree or nothing can be said."""
    one, other = outcome(first), outcome(second)
    if not one or not other or one == other:
        return None
    text = f"{one} by the first target, {other} by the second"
    return violation("O27", Basis.HARDENING, Severity.INFO, f"{one} / {other}", text)
