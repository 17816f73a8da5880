"""The schemas of one version as a small typed tree, every `$ref` resolved.

Knows the keywords that the OCPP 2.0.1 schema files use, and fails loudly on any other, so that no constraint is
ever dropped in silence. Must not know what Part 2 adds to the schemas (that is `primitives.py`) nor Hypothesis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from strategies.labels import Kind
from strategies.version import Version, version as version_named

Path: TypeAlias = "tuple[str | int, ...]"


class SchemaError(Exception):
    """A schema file says something that this compiler does not understand; the text names file and pointer."""


@dataclass(frozen=True, slots=True)
class Member:
    """One named member of an object."""

    name: str
    node: Node
    required: bool


@dataclass(frozen=True, slots=True)
class ObjectNode:
    """An object; `open` ones (CustomDataType) may hold members that the schema does not name.

    `type_name` is the type as Part 2 calls it, or `<Action>Request` / `<Action>Response` at the root.
    """

    members: tuple[Member, ...]
    open: bool
    type_name: str

    def member(self, name: str) -> Member | None:
        """The member called `name`, None when the schema does not name it."""
        return next((m for m in self.members if m.name == name), None)


@dataclass(frozen=True, slots=True)
class ArrayNode:
    """An array of `item`; `max_items` None means unbounded."""

    item: Node
    min_items: int
    max_items: int | None


@dataclass(frozen=True, slots=True)
class StringNode:
    """A string; `enum` is empty unless the value is one of a closed list. `field` is `<type name>.<member>`."""

    field: str
    max_length: int | None = None
    enum: tuple[str, ...] = ()
    date_time: bool = False


@dataclass(frozen=True, slots=True)
class IntegerNode:
    """An integer with inclusive bounds."""

    field: str
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class NumberNode:
    """A number with inclusive bounds."""

    field: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class BooleanNode:
    """True or false."""

    field: str


@dataclass(frozen=True, slots=True)
class AnyNode:
    """Any JSON value (`data` of DataTransfer)."""

    field: str


Node: TypeAlias = (
    "ObjectNode | ArrayNode | StringNode | IntegerNode | NumberNode | BooleanNode | AnyNode"
)


@dataclass(frozen=True, slots=True, eq=False)
class MessageSchema:
    """The tree of one message; compared by identity, as each is compiled once and hashing a tree is slow."""

    action: str
    kind: Kind
    root: ObjectNode

    @property
    def name(self) -> str:
        """The short name that ids begin with: `SetVariables.req`."""
        return f"{self.action}.{'req' if self.kind is Kind.REQUEST else 'res'}"


@dataclass(frozen=True, slots=True)
class Place:
    """A node and the way to it; the first element stands for all elements of an array."""

    path: Path
    node: Node
    required: bool


# --- pointers ---------------------------------------------------------------------------------------------


def pointer_of(path: Path) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in path)


def path_of(pointer: str) -> Path:
    """The path of a JSON pointer; a step of digits only is an array index, as no OCPP member is named so."""
    steps = (s.replace("~1", "/").replace("~0", "~") for s in pointer.split("/")[1:])
    return tuple(int(s) if s.isdecimal() else s for s in steps)


def places(schema: MessageSchema) -> Iterator[Place]:
    """Every node of the tree, parents first, members in the order of the file."""
    return _walk(Place((), schema.root, required=True))


def _walk(place: Place) -> Iterator[Place]:
    yield place
    match place.node:
        case ObjectNode(members=members):
            for m in members:
                yield from _walk(Place((*place.path, m.name), m.node, m.required))
        case ArrayNode(item=item):
            yield from _walk(Place((*place.path, 0), item, required=True))
        case _:
            pass


def node_at(schema: MessageSchema, path: Path) -> Node | None:
    """The node at `path`, None when the schema names none there."""
    node: Node | None = schema.root
    for step in path:
        match node:
            case ObjectNode():
                found = node.member(str(step))
                node = found.node if found else None
            case ArrayNode():
                node = node.item if isinstance(step, int) else None
            case _:
                return None
    return node


# --- the compiler -----------------------------------------------------------------------------------------

_IGNORED = frozenset(
    {
        "$schema",
        "$id",
        "comment",
        "description",
        "javaType",
        "title",
        "default",
        "definitions",
        # Stands beside an `items` that is an object, where JSON Schema gives it no effect.
        "additionalItems",
    }
)
_BY_TYPE: Mapping[str | None, frozenset[str]] = {
    "object": frozenset({"type", "properties", "required", "additionalProperties"}),
    "array": frozenset({"type", "items", "minItems", "maxItems"}),
    # The files give every enum an `additionalProperties`, which has no effect on strings.
    "string": frozenset({"type", "maxLength", "enum", "format", "additionalProperties"}),
    "integer": frozenset({"type", "minimum", "maximum"}),
    "number": frozenset({"type", "minimum", "maximum"}),
    "boolean": frozenset({"type"}),
    None: frozenset(),
}


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    definitions: Mapping[str, Any]

    def refuse(self, path: Path, why: str) -> SchemaError:
        return SchemaError(f"{self.name}#{pointer_of(path)}: {why}")


def compile_schema(raw: Mapping[str, Any], *, name: str) -> ObjectNode:
    """The tree of one parsed schema file.

    Raises:
        SchemaError: for a keyword or a type that this compiler does not know, or a `$ref` that leads nowhere.
    """
    file = _File(name, raw.get("definitions", {}))
    node = _node(file, raw, (), type_name=name, field="", seen=())
    if not isinstance(node, ObjectNode):
        raise file.refuse((), "the root of a message must be an object")
    return node


def _node(
    file: _File,
    raw: Mapping[str, Any],
    path: Path,
    *,
    type_name: str,
    field: str,
    seen: tuple[str, ...],
) -> Node:
    if "$ref" in raw:
        return _referred(file, raw, path, field=field, seen=seen)
    kind = raw.get("type")
    known = _BY_TYPE.get(kind) if kind is None or isinstance(kind, str) else None
    if known is None:
        raise file.refuse(path, f"unknown type {kind!r}")
    for keyword in raw:
        if keyword not in known and keyword not in _IGNORED:
            raise file.refuse((*path, keyword), f"unknown keyword {keyword!r} of a {kind or 'any'}")
    match kind:
        case "object":
            return _object(file, raw, path, type_name, seen)
        case "array":
            item = _node(
                file, raw["items"], (*path, "items"), type_name=type_name, field=field, seen=seen
            )
            return ArrayNode(item, raw.get("minItems", 0), raw.get("maxItems"))
        case "string":
            return _string(file, raw, path, field)
        case "integer":
            return IntegerNode(field, _whole(raw.get("minimum")), _whole(raw.get("maximum")))
        case "number":
            return NumberNode(field, raw.get("minimum"), raw.get("maximum"))
        case "boolean":
            return BooleanNode(field)
        case _:
            return AnyNode(field)


def _referred(
    file: _File, raw: Mapping[str, Any], path: Path, *, field: str, seen: tuple[str, ...]
) -> Node:
    others = set(raw) - {"$ref"} - _IGNORED
    name = str(raw["$ref"]).removeprefix("#/definitions/")
    if others or name not in file.definitions:
        raise file.refuse((*path, "$ref"), f"cannot follow {raw['$ref']!r} beside {sorted(others)}")
    if name in seen:
        raise file.refuse((*path, "$ref"), f"{name} contains itself")
    return _node(
        file,
        file.definitions[name],
        ("definitions", name),
        type_name=name,
        field=field,
        seen=(*seen, name),
    )


def _object(
    file: _File, raw: Mapping[str, Any], path: Path, type_name: str, seen: tuple[str, ...]
) -> ObjectNode:
    required: Sequence[str] = raw.get("required", ())
    properties: Mapping[str, Any] = raw.get("properties", {})
    for name in required:
        if name not in properties:
            raise file.refuse((*path, "required"), f"{name!r} is required but not described")
    is_open = raw.get("additionalProperties", True)
    if not isinstance(is_open, bool):
        raise file.refuse((*path, "additionalProperties"), "only true and false are understood")
    members = tuple(
        Member(
            name,
            _node(
                file,
                sub,
                (*path, "properties", name),
                type_name=name,
                field=f"{type_name}.{name}",
                seen=seen,
            ),
            name in required,
        )
        for name, sub in properties.items()
    )
    return ObjectNode(members, is_open, type_name)


def _string(file: _File, raw: Mapping[str, Any], path: Path, field: str) -> StringNode:
    form = raw.get("format")
    if form not in (None, "date-time"):
        raise file.refuse((*path, "format"), f"unknown format {form!r}")
    return StringNode(field, raw.get("maxLength"), tuple(raw.get("enum", ())), form is not None)


def _whole(bound: float | None) -> int | None:
    # The files write the bounds of integers as 0.0 and 100.0.
    return None if bound is None else int(bound)


_compiled: dict[tuple[str, str, str, Kind], MessageSchema] = {}


def message_schema(action: str, kind: Kind, version: Version | None = None) -> MessageSchema:
    """The tree of one message of `version` (2.0.1 unless told otherwise), compiled once.

    Raises:
        KeyError: for an action that the version does not have.
        SchemaError: when the file holds something unknown.
    """
    version = version or version_named()
    key = (version.name, str(version.schema_folder), action, kind)
    found = _compiled.get(key)
    if found is None:
        name = f"{action}{kind.value.capitalize()}"
        root = compile_schema(version.raw_schema(action, kind), name=name)
        found = _compiled[key] = MessageSchema(action, kind, root)
    return found
