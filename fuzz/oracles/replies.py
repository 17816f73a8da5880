"""Does the target's own protocol go on after an answer of ours that was bad? Its part of O5, which `liveness` speaks.

Knows who asked what and when; must not know what was wrong with the answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from fuzz.ocppj.history import Deed, Happening, History
from fuzz.oracles.reading import scene
from fuzz.oracles.registry import violation
from fuzz.records import Basis, Observation, Severity, Violation
from strategies.labels import Position

_ANSWERS = (Position.CALLRESULT, Position.CALLERROR)
_BREAKS = (Deed.OPENED, Deed.CLOSED, Deed.ENDED)
_SLACK_S = 2.0
"""How much longer than its MessageTimeout a target may take."""


def stuck(obs: Observation) -> Iterator[Violation]:
    """A target that accepted to send a Heartbeat (F06.FR.04) after a bad answer, and sends nothing any more.

    It may take what it cannot read for no answer and wait; so it is judged only when it was silent for longer than its
    MessageTimeout, on the connection over which it accepted.
    """
    seen = scene(obs) if obs.case.position in _ANSWERS else None
    accepted = _last_acceptance(seen) if seen is not None else None
    if seen is None or accepted is None:
        return
    behind = [h for h in seen if h.at_s >= accepted.at_s]
    if any(h.deed is Deed.CALLED or h.deed in _BREAKS for h in behind):
        return
    silent_s = behind[-1].at_s - accepted.at_s
    if silent_s > obs.facts.message_timeout_s + _SLACK_S:
        yield violation(
            "O5",
            Basis.STOPPED_SERVING,
            Severity.HIGH,
            "own CALLs stuck after an answer",
            f"for {silent_s:.0f} s after a bad answer the target sent no CALL of its own,"
            " not even the Heartbeat that it accepted to send",
            clause="Part 4 section 4.1.1; F06.FR.04",
            cwe="CWE-833",
        )


def _last_acceptance(seen: History) -> Happening | None:
    """The target's answer to the last CALL of the case that asked for a Heartbeat, when it accepted."""
    told = None
    for asked, answer in seen.asked("TriggerMessage"):
        payload = asked.payload if isinstance(asked.payload, dict) else {}
        if asked.case and payload.get("requestedMessage") == "Heartbeat":
            told = answer
    payload = told.payload if told is not None and isinstance(told.payload, dict) else {}
    return told if payload.get("status") == "Accepted" else None
