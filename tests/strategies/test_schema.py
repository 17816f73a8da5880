from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from strategies.labels import Kind
from strategies.schema import (
    AnyNode,
    ArrayNode,
    BooleanNode,
    IntegerNode,
    MessageSchema,
    Node,
    NumberNode,
    ObjectNode,
    SchemaError,
    StringNode,
    compile_schema,
    message_schema,
    node_at,
    path_of,
    places,
    pointer_of,
)
from strategies.version import version

MESSAGES = [(a, k) for a in version().actions for k in Kind]


def constraints_of_file(
    raw: dict[str, Any], definitions: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Every constraint that a schema file states, by a walk that shares nothing with the compiler."""
    if "$ref" in raw:
        yield from constraints_of_file(definitions[raw["$ref"].rpartition("/")[2]], definitions)
        return
    for keyword in ("type", "maxLength", "minItems", "maxItems", "minimum", "maximum", "format"):
        if keyword in raw:
            yield keyword, raw[keyword]
    if "enum" in raw:
        yield "enum", tuple(raw["enum"])
    if raw.get("type") == "object":
        yield "required", tuple(sorted(raw.get("required", ())))
        yield "open", raw.get("additionalProperties", True)
        for sub in raw.get("properties", {}).values():
            yield from constraints_of_file(sub, definitions)
    if "items" in raw:
        yield from constraints_of_file(raw["items"], definitions)


def constraints_of_node(node: Node) -> Iterator[tuple[str, Any]]:
    match node:
        case ObjectNode():
            yield "type", "object"
            yield "required", tuple(sorted(m.name for m in node.members if m.required))
            yield "open", node.open
        case ArrayNode():
            yield "type", "array"
            yield "minItems", node.min_items
            if node.max_items is not None:
                yield "maxItems", node.max_items
        case StringNode():
            yield "type", "string"
            if node.max_length is not None:
                yield "maxLength", node.max_length
            if node.enum:
                yield "enum", node.enum
            if node.date_time:
                yield "format", "date-time"
        case IntegerNode() | NumberNode():
            yield "type", "integer" if isinstance(node, IntegerNode) else "number"
            if node.minimum is not None:
                yield "minimum", node.minimum
            if node.maximum is not None:
                yield "maximum", node.maximum
        case BooleanNode():
            yield "type", "boolean"
        case AnyNode():
            pass


def test_there_are_128_messages() -> None:
    assert len(MESSAGES) == 128


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
def test_the_tree_holds_every_constraint_of_the_file(action: str, kind: Kind) -> None:
    raw = version().raw_schema(action, kind)
    stated = sorted(map(repr, constraints_of_file(raw, raw["definitions"])))
    kept = [c for p in places(message_schema(action, kind)) for c in constraints_of_node(p.node)]
    # Bounds are written 0.0 in the files and kept as integers.
    assert sorted(map(repr, kept)) == [s.replace(".0)", ")") for s in stated]


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
def test_every_place_is_found_again_by_its_pointer(action: str, kind: Kind) -> None:
    schema = message_schema(action, kind)
    for place in places(schema):
        assert path_of(pointer_of(place.path)) == place.path
        assert node_at(schema, place.path) == place.node


def test_a_message_is_compiled_once() -> None:
    assert message_schema("Reset", Kind.REQUEST) is message_schema("Reset", Kind.REQUEST)


def test_names_tell_request_from_response() -> None:
    assert message_schema("Reset", Kind.REQUEST).name == "Reset.req"
    assert message_schema("Reset", Kind.RESPONSE).name == "Reset.res"


def test_leaves_know_their_type_and_member() -> None:
    schema: MessageSchema = message_schema("SetVariables", Kind.REQUEST)
    node = node_at(schema, ("setVariableData", 0, "component", "name"))
    assert node == StringNode("ComponentType.name", max_length=50)


def test_a_path_that_the_schema_does_not_name_leads_nowhere() -> None:
    schema = message_schema("SetVariables", Kind.REQUEST)
    assert node_at(schema, ("setVariableData", "component")) is None
    assert node_at(schema, ("nothing", 0)) is None


@pytest.mark.parametrize(
    ("sub", "where"),
    [
        ({"type": "string", "pattern": "a+"}, "X#/properties/a/pattern"),
        ({"type": "string", "format": "uri"}, "X#/properties/a/format"),
        ({"type": "integer", "maxLength": 3}, "X#/properties/a/maxLength"),
        ({"oneOf": []}, "X#/properties/a/oneOf"),
        ({"type": ["string", "null"]}, "X#/properties/a"),
        ({"type": "null"}, "X#/properties/a"),
        ({"$ref": "#/definitions/Nowhere"}, "X#/properties/a/$ref"),
        ({"$ref": "#/definitions/Loop"}, "X#/definitions/Loop/properties/again/$ref"),
        ({"$ref": "#/definitions/Loop", "maxLength": 3}, "X#/properties/a/$ref"),
        ({"type": "object", "required": ["b"]}, "X#/properties/a/required"),
        ({"type": "object", "additionalProperties": {}}, "X#/properties/a/additionalProperties"),
    ],
)
def test_what_is_not_understood_is_refused_with_file_and_pointer(
    sub: dict[str, Any], where: str
) -> None:
    loop = {"type": "object", "properties": {"again": {"$ref": "#/definitions/Loop"}}}
    raw = {"type": "object", "properties": {"a": sub}, "definitions": {"Loop": loop}}
    with pytest.raises(SchemaError) as caught:
        compile_schema(raw, name="X")
    assert str(caught.value).startswith(where + ":")


def test_a_message_that_is_no_object_is_refused() -> None:
    with pytest.raises(SchemaError, match="root of a message"):
        compile_schema({"type": "string"}, name="X")


def test_an_unknown_action_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        message_schema("Nonsense", Kind.REQUEST)
