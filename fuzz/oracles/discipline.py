"""Does the target keep to one CALL at a time, and answer while it waits itself (O28)?

Knows who asked when and who answered; must not know what any message means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fuzz.ocppj.crossings import BREAKS, EVER_S, open_before, unanswered_crossing
from fuzz.ocppj.history import Deed, Happening, History
from fuzz.oracles.reading import happened, scene
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, Observation, Settled, Severity, Violation
from strategies.labels import Stance

SURE_S = 5.0
"""So soon nobody has given up waiting: how long a target waits is its own choice (Part 2 section 3.2)."""

_LONG_ENOUGH = 0.9


@oracle("O28", name="concurrency", clause="Part 4 section 4.1.1; FR.01", cwe="CWE-833")
def concurrency(obs: Observation) -> Iterator[Violation]:
    """The target has one CALL of its own open at most, and answers ours meanwhile.

    A CALL waits until the one before is answered or has timed out (FR.01); a second one within five seconds cannot be
    explained by a time-out. What we held back counts as open; a broken answer of ours closes it, and so does a new
    connection. CALLs may cross each other, so one of ours must be answered while the target waits for us: when it is
    not, until the time-out or for good, both ends wait for each other. InternalError to a CALL that crossed is a finding
    only where an equal one was served in the same scene while nothing was open.

    Seen: concurrent requests that ended in a deadlock (https://github.com/lorenzodonini/ocpp-go/commit/118355f); a
    refusal of whatever crossed a CALL, sent again at once.

    Fix: one queue for what is sent, and a reader that never waits for an answer itself.
    """
    if scene(obs) is None and len(obs.calls) < 2:
        return
    seen = happened(obs)
    stuck = next(_deadlock(obs, seen), None)
    if stuck is not None:
        yield stuck
    elif obs.probes.same_connection is not False and obs.settled is not Settled.BY_CLOCK:
        yield from two_at_once(seen)
        yield from _refusals(seen)


def _refusals(seen: History) -> Iterator[Violation]:
    """The first action that broke down in a crossing, and was served in the same scene without one."""
    whole = seen.happenings
    alone = {
        (h.action, str(h.payload))
        for index, h in enumerate(whole)
        if h.deed is Deed.ASKED and _served(seen, h) and open_before(whole, index, EVER_S) is None
    }
    for index, h in enumerate(whole):
        told = seen.partner(h) if h.deed is Deed.ASKED else None
        if told is None or told.error_code != "InternalError":
            continue
        crossed = open_before(whole, index, EVER_S)
        if crossed is not None and (h.action, str(h.payload)) in alone:
            text = f"{h.action} crossed the target's own {crossed.action} and was answered with InternalError; without one it was served"
            yield violation(
                "O28", Basis.STOPPED_SERVING, Severity.MEDIUM, "crossing CALL breaks down", text
            )
            return


def _served(seen: History, asked: Happening) -> bool:
    told = seen.partner(asked)
    return told is not None and not told.error_code


def _deadlock(obs: Observation, seen: History) -> Iterator[Violation]:
    """The first of our CALLs that was never answered, when it crossed one of the target's."""
    found = unanswered_crossing(seen, obs.facts.message_timeout_s)
    if found is None:
        return
    index, crossed = found
    ours = seen.happenings[index]
    # What is broken may be dropped.
    dropped = ours.case and obs.case.expectation.stance is Stance.REJECT
    if not dropped and _waited(obs, seen.happenings, index):
        text = f"{ours.action or 'a CALL'} crossed the target's own {crossed.action}, and was never answered"
        yield violation(
            "O28", Basis.STOPPED_SERVING, Severity.HIGH, "crossing CALL unanswered", text
        )


def _waited(obs: Observation, whole: Sequence[Happening], index: int) -> bool:
    """True when there was time enough to answer the CALL at `index` before its connection ended."""
    end_s = whole[index].at_s
    for h in whole[index + 1 :]:
        if h.deed in BREAKS:
            return end_s - whole[index].at_s >= _LONG_ENOUGH * obs.facts.message_timeout_s
        end_s = h.at_s
    long_enough = end_s - whole[index].at_s >= _LONG_ENOUGH * obs.facts.message_timeout_s
    return long_enough or obs.probes.same_connection is False


def two_at_once(seen: History) -> Iterator[Violation]:
    """The first CALL of the target that it sent while an earlier one was surely open."""
    whole = seen.happenings
    for index, h in enumerate(whole):
        if h.deed is not Deed.CALLED:
            continue
        first = open_before(whole, index, SURE_S)
        if first is not None:
            text = f"{h.action} was sent while {first.action} had no answer"
            yield violation(
                "O28",
                Basis.SHALL,
                Severity.MEDIUM,
                "two CALLs at once",
                text,
                cwe="CWE-573",
            )
            return
