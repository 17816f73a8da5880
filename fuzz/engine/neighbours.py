"""Messages about what lies just beside the things that the target named: one EVSE too many, a variable that is not there.

Knows the pool, schemas and what the specification leaves to the station; must not know how a case is played. All of
them are proper messages; only the device behind them lacks what they name.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from fuzz.engine.effects import effect_of
from fuzz.records import Effect
from strategies.examples import example_with
from strategies.labels import (
    Channel,
    Expectation,
    JsonObject,
    JsonValue,
    Mutation,
    Stance,
    Tier,
)
from strategies.pool import Pool, PoolVariable
from strategies.primitives import EVSE_ID, REAL_ID, primitives_of
from strategies.schema import IntegerNode, MessageSchema, Place, places, pointer_of

CERTAIN = Expectation(Stance.ACCEPT, Tier.MODEL)
"""What is unknown is told by a status of its item (use cases B05 and B06): no CALLERROR about form."""

UP_TO_THE_TARGET = Expectation(Stance.UNSPECIFIED, Tier.MODEL)
"""The specification names no one answer to a number that the device does not have."""

LISTS = {"GetVariables": "getVariableData", "SetVariables": "setVariableData"}
"""The actions whose lists have a limit that the target declares (ItemsPerMessage), and those lists."""

ABSENT = "LabAbsent"
LIST_LENGTHS = (2, 3)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One message beside what is there; `control` names what is."""

    name: str
    payload: JsonObject
    control: JsonObject
    expectation: Expectation
    mutation: Mutation


@lru_cache(maxsize=256)
def neighbours(schema: MessageSchema, pool: Pool) -> tuple[Neighbour, ...]:
    """Every neighbour of what the pool names, for one request; none for an empty pool."""
    found = [*_beyond(schema, pool)]
    if schema.action in LISTS:
        found += _absent_variables(schema.action, pool)
    return tuple(found)


def _beyond(schema: MessageSchema, pool: Pool) -> Iterator[Neighbour]:
    for place in places(schema):
        last = _last(place, pool)
        if last is None or "customData" in place.path:
            continue
        pointer = pointer_of(place.path)
        yield Neighbour(
            f"{pointer}#{last + 1}",
            example_with(schema, place.path, last + 1),
            example_with(schema, place.path, last),
            UP_TO_THE_TARGET,
            _mutation(pointer, "beyond-last", str(last + 1), keyword="integer"),
        )


def _last(place: Place, pool: Pool) -> int | None:
    """The greatest number that the target has at a place for EVSEs or connectors, None elsewhere."""
    if not isinstance(place.node, IntegerNode):
        return None
    kinds = primitives_of(place.node, to_station=True)
    if EVSE_ID not in kinds and REAL_ID not in kinds:
        return None
    known = pool.connector_ids if place.path[-1] == "connectorId" else pool.evse_ids
    return max(known, default=None)


def _absent_variables(action: str, pool: Pool) -> Iterator[Neighbour]:
    components: set[str] = set()
    for known in _askable(action, pool):
        where = known.name.rpartition(".")[0]
        control = _listed(action, [_item(action, known)])
        if where not in components:
            components.add(where)
            yield _absent(action, known, control, {"name": ABSENT}, "name")
        instance: JsonObject = {"name": known.variable, "instance": ABSENT}
        yield _absent(action, known, control, instance, "instance")


def _absent(
    action: str, known: PoolVariable, control: JsonObject, variable: JsonObject, member: str
) -> Neighbour:
    item = {**_item(action, known), "variable": variable}
    pointer = f"/{LISTS[action]}/0/variable/{member}"
    return Neighbour(
        f"{known.name}#absent-{member}",
        _listed(action, [item]),
        control,
        CERTAIN,
        _mutation(pointer, f"absent-{member}", ABSENT),
    )


def several(action: str, pool: Pool, rng: random.Random, most: int | None) -> Neighbour | None:
    """Two or three variables of the target in one message, set to the values that they have; None without enough."""
    known = _askable(action, pool)
    length = rng.choice(LIST_LENGTHS)
    if len(known) < length or (most is not None and most < length):
        return None
    chosen = rng.sample(known, length)
    items = [_item(action, v) for v in chosen]
    return Neighbour(
        "+".join(v.name for v in chosen),
        _listed(action, items),
        _listed(action, items[:1]),
        CERTAIN,
        _mutation(f"/{LISTS[action]}", "several", str(length)),
    )


def capped(action: str, payload: JsonValue, most: int | None) -> JsonValue:
    """The payload with no more list items than the target takes at once (B06.FR.16)."""
    name = LISTS.get(action)
    items = payload.get(name) if name is not None and isinstance(payload, dict) else None
    if most is None or most < 1 or not isinstance(items, list) or len(items) <= most:
        return payload
    return {**payload, name: items[:most]}  # type: ignore[dict-item]


@lru_cache(maxsize=16)
def _askable(action: str, pool: Pool) -> tuple[PoolVariable, ...]:
    if action not in LISTS:
        return ()
    return tuple(known for known in pool.variables if _harmless(action, known))


def _harmless(action: str, known: PoolVariable) -> bool:
    """True when an item of the action about this variable can neither fail nor change anything."""
    if action == "GetVariables":
        return known.mutability != "WriteOnly"
    writable = known.mutability == "ReadWrite" and known.value is not None
    if not writable or len(known.value or "") > 1000:
        return False
    return effect_of(action, _listed(action, [_item(action, known)])) is not Effect.LOCK_OUT


def _item(action: str, known: PoolVariable) -> JsonObject:
    made: JsonObject = {"component": known.component_json(), "variable": known.variable_json()}
    if action == "SetVariables":
        made["attributeValue"] = known.value or ""
    return made


def _listed(action: str, items: list[JsonObject]) -> JsonObject:
    return {LISTS[action]: list(items)}


def _mutation(
    pointer: str, operator: str, after: str, *, keyword: str = "device-model"
) -> Mutation:
    # Numbers share the keyword of their boundaries: what dies of both dies of one cause.
    return Mutation(Channel.PAYLOAD, pointer, keyword, operator, after=after)
