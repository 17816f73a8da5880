"""Has every item of a GetVariables or SetVariables its own result (O35)?

Knows how items and results name an attribute. Must not look at statuses and values: O8 and O12 judge those.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from fuzz.ocppj.variables import folded, items_of, member_of, text_of
from fuzz.oracles.reading import said_items, scene
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, FrameKind, Observation, Severity, Violation
from strategies.labels import JsonObject, JsonValue, Kind, Position, Stance, Tier
from strategies.version import version

_LISTS: Mapping[str, tuple[str, str, str]] = {
    "GetVariables": ("getVariableData", "getVariableResult", "B06"),
    "SetVariables": ("setVariableData", "setVariableResult", "B05"),
}
_OWN_RULE = {"B05": "B05.FR.12", "B06": "B06.FR.11"}

_Exchange: TypeAlias = tuple[str, str, JsonValue, JsonValue]
_Name: TypeAlias = tuple[object, ...]


@oracle("O35", name="item-results", clause="B05.FR.01; B06.FR.01", cwe="CWE-573")
def item_results(obs: Observation) -> Iterator[Violation]:
    """Every variable that is asked for has one result, and every result is of one that was asked for.

    A response holds as many results as the request has items (B05.FR.01, B06.FR.01), each with the component and variable
    of its item (FR.02) and its attributeType, Actual where none was given (B05.FR.12, B06.FR.11). The order is free, and
    names are compared without regard to case. Asked only of requests that schema and Part 2 allow, within the target's
    own limits, and that name nothing twice; of responses that their schema allows (O6 has the others).

    Seen: items that were ordered by component and variable alone, so that two attributes of one variable counted as
    one.

    Fix: make each result from its item, whatever comes of looking the variable up.
    """
    for action, text, request, response in _exchanges(obs):
        data, results, block = _LISTS[action]
        if not _valid(obs, action, request, response) or _too_much(obs, action, text, request):
            continue
        asked, told = items_of(request, data), items_of(response, results)
        if not _plain(asked) or len({*map(_attribute, asked)}) < len(asked):
            continue
        if symptom := _difference(asked, told):
            clause = _OWN_RULE[block] if symptom == _OTHER_TYPE else f"{block}.FR.01; {block}.FR.02"
            text = f"{symptom} of {action}; items: {len(asked)}, results: {len(told)}"
            yield violation("O35", Basis.SHALL, Severity.MEDIUM, symptom, text, clause=clause)
            return


def _exchanges(obs: Observation) -> Iterator[_Exchange]:
    """Action, text, request and response of everything that was served; of a single message only if it is proper."""
    happened = scene(obs)
    if happened is not None:
        for call, answer in happened.asked():
            if call.action in _LISTS and answer is not None and not answer.error_code:
                yield call.action, call.text, call.payload, answer.payload
        return
    case, reply = obs.case, obs.replies[0] if obs.replies else None
    if case.action not in _LISTS or case.position is not Position.CALL or case.heavy:
        return
    proper = case.expectation.stance is Stance.ACCEPT or case.expectation.tier is Tier.MODEL
    if not proper or case.expectation.disputed or len(set(obs.said)) != 1 or reply is None:
        return
    items = said_items(obs)
    if len(items) == 4 and reply.kind is FrameKind.CALLRESULT and reply.message_id == items[1]:
        yield case.action, obs.said[0], items[3], reply.payload


def _valid(obs: Observation, action: str, request: JsonValue, response: JsonValue) -> bool:
    known = version(obs.case.version)
    try:
        return known.validator(action, Kind.REQUEST).is_valid(request) and known.validator(
            action, Kind.RESPONSE
        ).is_valid(response)
    except (ValueError, TypeError, RecursionError):
        return False  # Lone surrogates and great depth: nothing that a JSON Schema speaks about.


def _too_much(obs: Observation, action: str, text: str, request: JsonValue) -> bool:
    """True for more than the target takes at once (B06.FR.16, B06.FR.17): what becomes of the rest is its choice."""
    most, most_bytes = obs.facts.items_per_message, obs.facts.bytes_per_message
    size = len(text.encode("utf-8", "surrogatepass"))
    asked = items_of(request, _LISTS[action][0])
    return len(asked) > most.get(action, len(asked)) or size > most_bytes.get(action, size)


def _plain(asked: list[JsonObject]) -> bool:
    """True for names that every reader understands alike: ASCII, and EVSEs that are written as integers."""
    for item in asked:
        evse = member_of(member_of(item, "component"), "evse")
        numbers = [member_of(evse, name) for name in ("id", "connectorId")]
        if any(isinstance(number, float) for number in numbers):
            return False
        if not all(str(part).isascii() for part in folded(item)):
            return False
    return True


def _attribute(item: JsonObject) -> _Name:
    return (*folded(item), text_of(item, "attributeType") or "Actual")


_MISSING, _SURPLUS = "a result is missing", "more results than items"
_OTHER, _OTHER_TYPE = "a result of another variable", "a result of another attributeType"


def _difference(asked: list[JsonObject], told: list[JsonObject]) -> str:
    """What is wrong with the results, "" when nothing is."""
    if len(told) != len(asked):
        return _MISSING if len(told) < len(asked) else _SURPLUS
    if Counter(map(folded, asked)) != Counter(map(folded, told)):
        return _OTHER
    return "" if Counter(map(_attribute, asked)) == Counter(map(_attribute, told)) else _OTHER_TYPE
