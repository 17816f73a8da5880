"""How messages name a variable of the device model, and how such names are compared and shown.

Knows ComponentType, VariableType and attributeType (Part 2). Trusts nothing: what is not proper is left out. Must not
know what any variable means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from strategies.labels import JsonObject, JsonValue

MAX_NAME = 100

Key: TypeAlias = tuple[str, str, int | None, int | None, str, str]


def describe(item: Mapping[str, JsonValue]) -> str:
    """`Component[evse].Variable[instance]` of a SetVariables item, for people; unlike for unlike attributes."""
    component, instance, evse, connector, variable, variable_instance = key_of(item)
    place = f"[{evse},{connector}]" if connector is not None else f"[{evse}]"
    first = f"{component}/{instance}" if instance else component
    name = f"{first}{place if evse is not None else ''}.{variable}"
    name += f"[{variable_instance}]" if variable_instance else ""
    type_ = text_of(item, "attributeType")
    return f"{name} ({type_})" if type_ not in ("", "Actual") else name


def named(item: JsonValue) -> JsonObject:
    """Which attribute an item names, in lower-level parts that are proper: nothing else of it is kept."""
    made: JsonObject = {}
    for holder in ("component", "variable"):
        found = member_of(item, holder)
        made[holder] = {
            key: text[:MAX_NAME] for key in ("name", "instance") if (text := text_of(found, key))
        }
    evse = member_of(member_of(item, "component"), "evse")
    numbers = {k: n for k in ("id", "connectorId") if (n := number_of(evse, k)) is not None}
    if numbers and isinstance(component := made["component"], dict):
        component["evse"] = {**numbers}
    if type_ := text_of(item, "attributeType"):
        made["attributeType"] = type_[:MAX_NAME]
    return made


def key_of(item: Mapping[str, JsonValue]) -> Key:
    """Component, its instance, EVSE, connector, variable and its instance, as they are written."""
    component, variable = item.get("component"), item.get("variable")
    evse = member_of(component, "evse")
    return (
        text_of(component, "name"),
        text_of(component, "instance"),
        number_of(evse, "id"),
        number_of(evse, "connectorId"),
        text_of(variable, "name"),
        text_of(variable, "instance"),
    )


def folded(item: Mapping[str, JsonValue]) -> tuple[object, ...]:
    """The key without regard to case, as names are compared (Part 2, identifierString)."""
    return tuple(part.lower() if isinstance(part, str) else part for part in key_of(item))


def member_of(value: JsonValue | Mapping[str, JsonValue], name: str) -> JsonValue:
    """The member of an object, None where there is no such thing."""
    return value.get(name) if isinstance(value, Mapping) else None


def text_of(value: JsonValue | Mapping[str, JsonValue], name: str) -> str:
    """The member when it is a string, else ""."""
    found = member_of(value, name)
    return found if isinstance(found, str) else ""


def number_of(value: JsonValue, name: str) -> int | None:
    """The member when it is a 32-bit integer, else None."""
    found = member_of(value, name)
    whole = isinstance(found, int) and not isinstance(found, bool)
    return found if whole and isinstance(found, int) and abs(found) < 2**31 else None


def items_of(payload: JsonValue, name: str) -> list[JsonObject]:
    """The objects in a list of a payload, such as setVariableData."""
    found = member_of(payload, name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
