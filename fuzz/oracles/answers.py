"""Is every CALL answered once, and nothing else answered (O4)?

Knows counts and messageIds; must not look at what an answer says.
"""

from __future__ import annotations

from collections.abc import Iterator

from fuzz.ocppj.history import Deed
from fuzz.ocppj.lenient import hear
from fuzz.oracles.reading import ANSWERS, answers, happened, id_in_question, mentioned, reaction
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, FrameKind, Heard, Observation, Settled, Severity, Violation, Who
from strategies.labels import Fault, Position, Stance, Tier

_ANYBODYS = ("-1", "", None)


@oracle(
    "O4", name="unanswered-call", clause="FR.03; Part 4 sections 4.1.1 and 4.1.4", cwe="CWE-703"
)
def unanswered_call(obs: Observation) -> Iterator[Violation]:
    """Every CALL is answered exactly once, and nothing but a CALL is answered.

    A proper CALL gets one CALLRESULT or CALLERROR before the sender's time-out (FR.03). A message that is not proper
    may be dropped by Part 4 section 4.2.3 although FR.03 wants a CALLERROR: silence is a remark there, as it is when
    only later messages were answered in time. Two answers to one CALL, or one to an id that nobody used, can end up
    at another request. CALLRESULT and CALLERROR are never answered.

    Seen: a certificate of an unsupported kind that was never answered
    (https://github.com/EVerest/EVerest/commit/7f9ee34); a message of an unknown type that was dropped
    (https://github.com/EVerest/libocpp/commit/fb391b4).

    Fix: answer in one place, exactly once, also on the error path; drop answers that fit no CALL silently.
    """
    if obs.close is not None or obs.process is not None or obs.boots:
        return
    if obs.case.position is not Position.CALL:
        yield from _answered_an_answer(obs)
    elif not obs.replies:
        yield from _unanswered(obs)
    elif len(obs.replies) > 1:
        yield from _answered_again(obs)
    if obs.strays:
        yield from _stray(obs)


def _answered_an_answer(obs: Observation) -> Iterator[Violation]:
    broken = _may_be_no_answer(obs)
    if any(h.kind is FrameKind.CALLRESULT or not broken for h in obs.replies):
        text = "the target answered a CALLRESULT or CALLERROR; those are never answered"
        yield violation(
            "O4",
            Basis.HARDENING,
            Severity.LOW,
            "answer to an answer",
            text,
            clause="Part 4 section 4.2",
            remark=True,
        )


def _may_be_no_answer(obs: Observation) -> bool:
    """An answer too broken to be known as one may be taken for an unreadable message (Part 4 section 4.2.3)."""
    answer = obs.case.position is not Position.CALL
    return answer and (
        bool(obs.case.expectation.disputed) or obs.case.expectation.tier is Tier.JSON
    )


def _unanswered(obs: Observation) -> Iterator[Violation]:
    if obs.settled in (Settled.ANSWERED, Settled.CUT_SHORT) or answers(obs):
        return
    if not obs.said or _cut_off(obs):
        return
    if obs.case.expectation.fault is Fault.FRAME:
        return  # Nothing in such a frame need be looked at (O33).
    if _must_answer(obs) and obs.settled is Settled.BY_CLOCK:
        text = f"no answer within {obs.facts.message_timeout_s:g} s to a CALL that must have one"
        yield violation("O4", Basis.SHALL, Severity.MEDIUM, "no answer", text)
    else:
        text = (
            "no answer; Part 4 section 4.2.3 lets a bad message be dropped, FR.03 wants a CALLERROR"
        )
        if _must_answer(obs):
            text = "no answer while later CALLs were answered; FR.03 wants one"
        yield violation("O4", Basis.HARDENING, Severity.LOW, "no answer", text, remark=True)


def _cut_off(obs: Observation) -> bool:
    """Whether the connection ended before an answer, or one to a CALL behind it, could have come."""
    if not any(entry.kind == "close" for entry in obs.entries):
        return False
    seen = happened(obs)
    said = [i for i, h in enumerate(seen) if h.case and h.message_id == obs.call_id]
    if not said:
        return True
    for h in seen.happenings[said[-1] + 1 :]:
        if h.deed is Deed.TOLD and h.partner > said[-1]:
            return False
        if h.deed is Deed.CLOSED:
            return True
    return False


def _must_answer(obs: Observation) -> bool:
    expectation = obs.case.expectation
    if expectation.disputed or obs.case.heavy or expectation.stance is Stance.UNSPECIFIED:
        return False
    # What every schema allows is a proper message, whatever its values (Part 4 section 4.1.7).
    return expectation.tier is Tier.MODEL or reaction(obs).must_answer


def _answered_again(obs: Observation) -> Iterator[Violation]:
    if obs.case.expectation.tier is Tier.JSON:
        return  # Where one message ends is open in text that is not JSON.
    if len(obs.replies) > _times_said(obs):
        text = f"{len(obs.replies)} answers to one CALL"
        yield violation("O4", Basis.SHALL, Severity.MEDIUM, "answered twice", text)


def _times_said(obs: Observation) -> int:
    """How many answers there may be: one to each time that the CALL was said, and to each other CALL."""
    if not obs.call_id:
        return max(1, len(obs.said))
    others = [text for text in obs.said if obs.call_id not in text]
    calls = [text for text in others if hear(text, 0.0).kind is FrameKind.CALL]
    return max(1, sum(text.count(obs.call_id) for text in obs.said) + len(calls))


def _stray(obs: Observation) -> Iterator[Violation]:
    if any(_fits_nothing(obs, h) for h in obs.strays):
        text = "an answer with a messageId that no open CALL has"
        yield violation("O4", Basis.SHALL, Severity.MEDIUM, "stray answer", text)


def _fits_nothing(obs: Observation, heard: Heard) -> bool:
    return (
        heard.kind in ANSWERS
        and heard.message_id not in _ANYBODYS
        and not mentioned(obs, heard.message_id)
        and not id_in_question(obs)
        and not _objects_to_an_answer(obs, heard)
    )


def _objects_to_an_answer(obs: Observation, heard: Heard) -> bool:
    """True for a CALLERROR about an answer of the case's that is too broken to be known as one."""
    if heard.kind is not FrameKind.CALLERROR or not _may_be_no_answer(obs):
        return False
    id_ = str(heard.message_id)
    return any(e.who is Who.US and e.kind == "text" and id_ in e.text for e in obs.entries)
