"""What several oracles read out of an observation: which replies answer the case, what was said, what a status means.

Knows OCPP-J shapes and status words; must not know verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fuzz.ocppj.history import History, history
from fuzz.ocppj.lenient import hear
from fuzz.oracles.reactions import LENIENT, PROPER, REACTIONS, Reaction
from fuzz.records import (
    FrameKind,
    Heard,
    Observation,
    SendBytes,
    SendFrames,
    SendText,
    Wait,
)
from strategies.labels import Channel, Fault, JsonValue, Position, Stance, Tier

_PLAIN = (SendText, SendBytes, SendFrames, Wait)

ANSWERS = (FrameKind.CALLRESULT, FrameKind.CALLERROR)

_POSITIVE = frozenset({"Accepted", "AcceptedCanceled", "RebootRequired", "Scheduled", "Unlocked"})
_ITEM = re.compile(r"/[A-Za-z]+/(\d{1,9})(?:/|$)")
_ID_FAULTS = frozenset({Fault.ID_EMPTY, Fault.ID_NOT_STRING, Fault.ID_TOO_LONG})


def scene(obs: Observation) -> History | None:
    """What happened, for a case that is more than messages said one after another; None for those."""
    if all(isinstance(step, _PLAIN) for step in obs.case.steps):
        return None
    return happened(obs)


def happened(obs: Observation) -> History:
    """What happened in any case; dear for a case of one message, so ask only where there is a reason to."""
    return history(obs.entries)


def reaction(obs: Observation) -> Reaction:
    """What a correct peer may do with the case's message."""
    expectation = obs.case.expectation
    if expectation.fault is not None:
        return REACTIONS[expectation.fault]
    return PROPER if expectation.stance is Stance.ACCEPT else LENIENT


def answers(obs: Observation) -> tuple[Heard, ...]:
    """The answers to the case's message, those included whose messageId only a lenient reader could have found."""
    if obs.replies or not obs.strays:
        return obs.replies
    return tuple(h for h in obs.strays if h.kind in ANSWERS and mentioned(obs, h.message_id))


def first_answer(obs: Observation) -> Heard | None:
    """The answer to judge when the message is a CALL; None when there is none or the message is another."""
    if obs.case.position is not Position.CALL:
        return None
    heard = answers(obs)
    return heard[0] if heard else None


def mentioned(obs: Observation, message_id: JsonValue) -> bool:
    """True when the id stands somewhere in what the case said, readable or not."""
    if not isinstance(message_id, str) or message_id in ("", "-1"):
        return False
    if any(message_id in text for text in obs.said):
        return True
    wanted = message_id.encode("utf-8", "surrogatepass")
    return any(isinstance(s, SendBytes) and wanted in s.data for s in obs.case.steps)


def id_in_question(obs: Observation) -> bool:
    """True when it is the messageId that is odd, so that another one may come back."""
    return obs.case.expectation.fault in _ID_FAULTS or any(
        m.channel is Channel.ENVELOPE and m.pointer == "/1" for m in obs.case.mutations
    )


def unsupported(obs: Observation) -> bool:
    """True when the target is known not to support the action, and so need not look at its payload."""
    supported = obs.facts.supported
    return denied(obs) or (supported is not None and obs.case.action not in supported)


def denied(obs: Observation) -> bool:
    """True when the target claims not to support the action: then nobody may rely on what it answers."""
    return obs.case.action in obs.facts.denied


def said_items(obs: Observation) -> tuple[JsonValue, ...]:
    """The elements of the last message said, () when it is no JSON array."""
    return hear(obs.said[-1], 0.0).items if obs.said else ()


def statuses(payload: JsonValue) -> Iterator[str]:
    """Every status that a response's payload tells, item by item where it has items."""
    if not isinstance(payload, dict):
        return
    yield from _status(payload)
    yield from _status(payload.get("idTokenInfo"))
    for key, value in payload.items():
        if key.endswith("Result") and isinstance(value, list):
            for item in value:
                yield from _status(item)


def _status(item: JsonValue) -> Iterator[str]:
    if isinstance(item, dict):
        for key in ("status", "attributeStatus"):
            value = item.get(key)
            if isinstance(value, str):
                yield value


def accepts(obs: Observation, payload: JsonValue) -> bool | None:
    """Whether the response accepts the case's message; None when it has no status to say so with.

    A message broken below the state model is accepted when any item is; where only a value is refused, its own item
    counts, and without knowing which, all of them.
    """
    told = list(statuses(payload))
    if not told:
        return None
    if obs.case.expectation.tier is not Tier.MODEL or len(told) == 1:
        return any(s in _POSITIVE for s in told)
    for mutation in obs.case.mutations:
        item = _ITEM.match(mutation.pointer)
        if item is not None and int(item[1]) < len(told):
            return told[int(item[1])] in _POSITIVE
    return all(s in _POSITIVE for s in told)
