"""Does the same message in other bytes get the same answer (O26)?

Knows scenes that say one CALL plain, spelled otherwise, and plain again. Must not judge either answer by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from fuzz.ocppj.history import Happening, History
from fuzz.ocppj.variables import describe, items_of, named
from fuzz.oracles.reading import denied, scene, statuses
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, Observation, Severity, Violation
from strategies.labels import JsonValue
from strategies.samemeaning import KEYWORD

_READS = frozenset(
    {"GetInstalledCertificateIds", "GetLocalListVersion", "GetTransactionStatus", "GetVariables"}
)
"""Actions whose whole answer must be the same; of others only how it turned out."""


@oracle("O26", name="metamorphic", clause="Part 4 section 4.1.2; RFC 8259", cwe="CWE-436")
def metamorphic(obs: Observation) -> Iterator[Violation]:
    """The same CALL in other bytes gets the same kind of answer.

    White space, the order of members, and characters written as escapes carry no meaning in JSON (RFC 8259 sections 2,
    4 and 7), so a CALL that differs by nothing else must be answered alike: by a CALLRESULT with the same statuses, or
    by the same error code; what is only read, by the same payload. The CALL is said plain before and after: where those
    two answers differ, or are missing, nothing follows from a third.

    Seen: messages in fragments that were lost, duplicate members of which another one counted, 1.0 refused where 1
    is served.

    Fix: hand the whole text to a JSON parser before anything looks into it; compare names and values only when they are
    decoded.
    """
    if denied(obs) or not any(m.keyword == KEYWORD for m in obs.case.mutations):
        return
    happened = scene(obs)
    triple = None if happened is None else _triple(happened)
    if triple is None:
        return
    before, other, after = (_outcome(obs, call, answer) for call, answer in triple)
    if before is None or before != after or other == before:
        return
    symptom = _difference(before, other)
    text = f"{obs.case.action} said in other bytes of the same meaning: {symptom}"
    yield violation("O26", Basis.SHALL, Severity.MEDIUM, symptom, text)


_Pair = tuple[Happening, Happening | None]
_Outcome = tuple[str, tuple[str, ...], str]


def _triple(happened: History) -> tuple[_Pair, _Pair, _Pair] | None:
    """A CALL said plain, spelled otherwise, and plain again; None unless the history has exactly that."""
    said = [pair for pair in happened.asked() if pair[0].case]
    if len(said) != 3 or len({_meaning(call) for call, _ in said}) != 1:
        return None
    before, other, after = (_bytes(call) for call, _ in said)
    return (said[0], said[1], said[2]) if before == after != other else None


def _meaning(call: Happening) -> str:
    # As text, because Python takes 1, 1.0 and true for equal.
    return f"{call.action} {json.dumps(call.payload, sort_keys=True)}"


def _bytes(call: Happening) -> str:
    return call.text.replace(call.message_id, "", 1)


def _outcome(obs: Observation, call: Happening, answer: Happening | None) -> _Outcome | None:
    """How an answer turned out: its error code, its statuses, and what was read; None without an answer."""
    if answer is None:
        return None
    if answer.error_code:
        return answer.error_code, (), ""
    read = _payload(obs, answer.payload) if call.action in _READS else None
    return "", tuple(statuses(answer.payload)), json.dumps(read, sort_keys=True)


def _payload(obs: Observation, payload: JsonValue) -> JsonValue:
    """What was read, without the values of variables that change by themselves."""
    results = items_of(payload, "getVariableResult")
    if not results:
        return payload
    volatile = {name.lower() for name in obs.facts.volatile}
    return [
        {k: v for k, v in item.items() if k != "attributeValue"}
        if describe(named(item)).lower() in volatile
        else item
        for item in results
    ]


def _difference(plain: _Outcome, other: _Outcome | None) -> str:
    if other is None:
        return "not answered"
    if plain[0] != other[0]:
        return f"refused with {other[0]}" if other[0] else "served, though refused when plain"
    return "another status" if plain[1] != other[1] else "other values"
