"""The finite table of ways to break a payload: (message, JSON pointer, keyword, operator).

Knows which operators break which keyword, and does it on the simplest payload or on a drawn one. Must not draw
valid values itself nor know how a message is sent. The promise: every validator error lies at the named pointer,
the named keyword is among the errors, and others are there only where the site declares them (`also`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TypeAlias

from strategies.examples import example, sample
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonObject,
    JsonValue,
    Kind,
    Mutation,
    Stance,
    Tier,
)
from strategies.schema import (
    AnyNode,
    ArrayNode,
    BooleanNode,
    IntegerNode,
    MessageSchema,
    Node,
    NumberNode,
    ObjectNode,
    Path,
    Place,
    StringNode,
    places,
    pointer_of,
)

Breaker: TypeAlias = Callable[[JsonValue, Node], JsonValue]
"""A broken value made from a valid one; the valid one stays as it is."""

FAR_CHARACTERS = 20_000
"""The bound of "far": enough to pass every buffer that fits the schema, little enough for any link."""

_FAULTS: Mapping[str, Fault] = {
    "required": Fault.MISSING,
    "additionalProperties": Fault.EXTRA,
    "type": Fault.TYPE,
    "maxLength": Fault.VALUE,
    "enum": Fault.VALUE,
    "minimum": Fault.VALUE,
    "maximum": Fault.VALUE,
    "minItems": Fault.OCCURRENCE,
    "maxItems": Fault.OCCURRENCE,
    "format": Fault.DATE_TIME,
}
_DISPUTED: Mapping[str, str] = {
    "integral-float": "Draft 6 counts 1.0 as an integer, Draft 4 does not",
}


@dataclass(frozen=True, slots=True)
class Site:
    """One rule at one place, and the operators that break it.

    `pointer` is where a validator reports the error: for `required` the object that lacks `member`. `also` are
    the keywords that fail there as well.
    """

    action: str
    kind: Kind
    pointer: str
    keyword: str
    operators: tuple[str, ...]
    member: str = ""
    also: frozenset[str] = frozenset()
    trail: tuple[Node, ...] = field(default=(), repr=False, compare=False)
    path: Path = field(default=(), repr=False, compare=False)

    @property
    def id(self) -> str:
        """Stable over releases and seeds: `SetVariables.req/setVariableData/0/component#required`."""
        half = "req" if self.kind is Kind.REQUEST else "res"
        where = f"{self.pointer}/{self.member}" if self.member else self.pointer
        return f"{self.action}.{half}{where}#{self.keyword}"

    @property
    def fault(self) -> Fault:
        """The class of the fault; what is no keyword of a schema is a rule of the target's device model."""
        return _FAULTS.get(self.keyword, Fault.DEVICE_MODEL)

    def expectation(self, operator: str) -> Expectation:
        """What a correct peer does: reject, unless validators disagree about the operator."""
        tier = Tier.MODEL if self.fault is Fault.DEVICE_MODEL else Tier.SCHEMA
        disputed = _DISPUTED.get(operator, "")
        stance = Stance.UNSPECIFIED if disputed else Stance.REJECT
        return Expectation(stance, tier, self.fault, disputed)


def fault_of(keyword: str) -> Fault | None:
    """The class of the fault that breaking a keyword of a schema is; None for what is none."""
    return _FAULTS.get(keyword)


@dataclass(frozen=True, slots=True)
class Break:
    """A payload that breaks one rule, beside the valid payload that it was made from."""

    id: str
    site: Site
    payload: JsonObject
    control: JsonObject
    mutation: Mutation
    expectation: Expectation


# --- the table --------------------------------------------------------------------------------------------


@cache
def sites(schema: MessageSchema) -> tuple[Site, ...]:
    """Every rule of a message that can be broken, parents first; the payload's own type is the envelope's matter."""
    return tuple(s for place in places(schema) for s in _sites_at(schema, place))


def _sites_at(schema: MessageSchema, place: Place) -> Iterator[Site]:
    node, path = place.node, place.path
    trail = _trail(schema.root, path)
    for keyword, operators, member in _rules(node):
        if keyword == "type" and not path:
            continue
        is_enum = isinstance(node, StringNode) and bool(node.enum)
        yield Site(
            schema.action,
            schema.kind,
            pointer_of(path),
            keyword,
            operators,
            member,
            also=frozenset({"enum"}) if is_enum and keyword == "type" else frozenset(),
            trail=trail,
            path=path,
        )


def _trail(root: ObjectNode, path: Path) -> tuple[Node, ...]:
    trail: list[Node] = [root]
    for step in path:
        node = trail[-1]
        if isinstance(node, ArrayNode):
            trail.append(node.item)
        elif isinstance(node, ObjectNode) and (found := node.member(str(step))):
            trail.append(found.node)
        else:
            raise KeyError(pointer_of(path))
    return tuple(trail)


def _rules(node: Node) -> Iterator[tuple[str, tuple[str, ...], str]]:
    if not isinstance(node, AnyNode):
        yield "type", _type_operators(node), ""
    match node:
        case ObjectNode():
            for m in node.members:
                if m.required:
                    yield "required", ("missing",), m.name
            if not node.open:
                yield "additionalProperties", _extra_operators(node), ""
        case ArrayNode():
            if node.min_items:
                yield "minItems", ("empty",), ""
            if node.max_items is not None:
                yield "maxItems", ("one-more", "far-more"), ""
        case StringNode():
            if node.enum:
                yield "enum", ("unknown", "wrong-case", "empty", "padded"), ""
            if node.max_length is not None and not node.enum:
                yield "maxLength", ("one-more", "far-more"), ""
            if node.date_time:
                yield "format", tuple(_DATE_TIMES), ""
        case IntegerNode() | NumberNode():
            if node.minimum is not None:
                yield "minimum", ("one-less", "far-less"), ""
            if node.maximum is not None:
                yield "maximum", ("one-more", "far-more"), ""
        case _:
            pass


def _extra_operators(node: ObjectNode) -> tuple[str, ...]:
    always = ("extra-member", "extra-null", "extra-empty-name", "extra-proto")
    return (*always, "extra-case") if node.members else always


def _type_operators(node: Node) -> tuple[str, ...]:
    match node:
        case ObjectNode():
            return ("string", "null", "boolean", "integer", "number", "array")
        case ArrayNode():
            return ("object", "null", "boolean", "integer", "number", "string")
        case StringNode():
            return ("integer", "null", "boolean", "number", "array", "object")
        case IntegerNode():
            return ("string", "null", "boolean", "number", "integral-float", "array", "object")
        case NumberNode():
            return ("string", "null", "boolean", "array", "object")
        case BooleanNode():
            return ("string", "null", "integer", "number", "array", "object")
        case AnyNode():
            return ()


# --- the operators ----------------------------------------------------------------------------------------

_DATE_TIMES: Mapping[str, JsonValue] = {
    "no-zone": "2026-01-01T00:00:00",
    "date-only": "2026-01-01",
    "empty": "",
    "month-13": "2026-13-01T00:00:00Z",
    "day-30-of-february": "2026-02-30T00:00:00Z",
    "hour-25": "2026-01-01T25:00:00Z",
    "minute-60": "2026-01-01T00:60:00Z",
    "text": "yesterday",
    "unix-seconds": "1767225600",
    "space-for-t": "2026-01-01 00:00:00Z",
    "no-seconds": "2026-01-01T00:00Z",
    "comma": "2026-01-01T00:00:00,5Z",
    "point-without-fraction": "2026-01-01T00:00:00.Z",
    "ends-with-point": "2026-01-01T00:00:00.",
    "basic-format": "20260101T000000Z",
    "offset-without-colon": "2026-01-01T00:00:00+0100",
    "offset-24": "2026-01-01T00:00:00+24:00",
    "newline-after": "2026-01-01T00:00:00Z\n",
}
# What a lenient parser would turn into the right type, so that coercion shows.
_AS_STRING = {ObjectNode: "{}", BooleanNode: "true", IntegerNode: "1", NumberNode: "1.5"}


def _drop(member: str) -> Breaker:
    def breaker(value: JsonValue, node: Node) -> JsonValue:
        return {k: v for k, v in _as_object(value).items() if k != member}

    return breaker


def _add(name: str, what: JsonValue) -> Breaker:
    return lambda value, node: {**_as_object(value), name: what}


def _add_case(value: JsonValue, node: Node) -> JsonValue:
    if not isinstance(node, ObjectNode):
        raise TypeError(f"not an object: {node}")
    first = next((m for m in node.members if m.name != "customData"), node.members[0])
    return {**_as_object(value), first.name[0].upper() + first.name[1:]: sample(first.node)}


def _lengthen(length: Callable[[int], int]) -> Breaker:
    def breaker(value: JsonValue, node: Node) -> JsonValue:
        if (
            not isinstance(node, StringNode)
            or node.max_length is None
            or not isinstance(value, str)
        ):
            raise TypeError(f"not a bounded string: {node}")
        return value + _run(length(node.max_length) - len(value))

    return breaker


@lru_cache(maxsize=512)
def _run(count: int) -> str:
    # One object for every payload that is as long: the whole table in memory stays small.
    return "x" * count


def _far(bound: int) -> int:
    return max(bound + 1, min(bound * 1000, FAR_CHARACTERS))


def _multiply(*, far: bool) -> Breaker:
    def breaker(value: JsonValue, node: Node) -> JsonValue:
        if not isinstance(node, ArrayNode) or node.max_items is None or not isinstance(value, list):
            raise TypeError(f"not a bounded array: {node}")
        items = value or [sample(node.item)]
        count = node.max_items + 1
        if far:
            size = len(json.dumps(items[0]))
            count = max(count + 1, min(node.max_items * 1000, FAR_CHARACTERS // size))
        return [*items, *(items[0] for _ in range(count - len(items)))]

    return breaker


def _swap_case(value: JsonValue, node: Node) -> JsonValue:
    return _as_string(value).swapcase()


def _bound(side: str, offset: float) -> Breaker:
    return lambda value, node: getattr(node, side) + offset


def _pad(value: JsonValue, node: Node) -> JsonValue:
    return _as_string(value) + " "


def _text_of(value: JsonValue, node: Node) -> JsonValue:
    return _AS_STRING.get(type(node), "[]")


def _wrap(value: JsonValue, node: Node) -> JsonValue:
    return [value]


def _constant(value: JsonValue) -> Breaker:
    return lambda _, node: value.copy() if isinstance(value, dict | list) else value


@dataclass(frozen=True, slots=True)
class Operator:
    """One way to break one keyword; `text` says for people what it does."""

    keyword: str
    name: str
    text: str
    breaker: Breaker = field(repr=False)


_TABLE = (
    Operator("required", "missing", "leaves a required member out", _drop("")),
    Operator(
        "additionalProperties",
        "extra-member",
        "adds a member that the schema does not name",
        _add("ocppfuzz", 1),
    ),
    Operator(
        "additionalProperties",
        "extra-null",
        "adds an unknown member that is null",
        _add("ocppfuzz", None),
    ),
    Operator(
        "additionalProperties",
        "extra-empty-name",
        "adds a member whose name is empty",
        _add("", ""),
    ),
    Operator(
        "additionalProperties",
        "extra-proto",
        "adds a member called __proto__",
        _add("__proto__", {"ocppfuzz": True}),
    ),
    Operator(
        "additionalProperties",
        "extra-case",
        "adds a known member again, spelt with a capital",
        _add_case,
    ),
    Operator("type", "null", "puts null", _constant(None)),
    Operator("type", "boolean", "puts true", _constant(True)),  # noqa: FBT003 - the value itself
    Operator("type", "integer", "puts an integer", _constant(1)),
    Operator("type", "number", "puts a number that is no integer", _constant(1.5)),
    Operator("type", "integral-float", "writes the integer as 1.0", _constant(1.0)),
    Operator("type", "string", "puts a string that a lenient parser would convert", _text_of),
    Operator("type", "object", "puts an empty object", _constant({})),
    Operator("type", "array", "wraps the value in an array", _wrap),
    Operator("minItems", "empty", "empties the array", _constant([])),
    Operator("maxItems", "one-more", "adds one element too many", _multiply(far=False)),
    Operator("maxItems", "far-more", "adds far too many elements", _multiply(far=True)),
    Operator(
        "maxLength",
        "one-more",
        "makes the string one character too long",
        _lengthen(lambda n: n + 1),
    ),
    Operator("maxLength", "far-more", "makes the string far too long", _lengthen(_far)),
    Operator("enum", "unknown", "puts a word that is not in the list", _constant("ocppfuzz")),
    Operator("enum", "wrong-case", "swaps the case of the letters", _swap_case),
    Operator("enum", "empty", "puts an empty string", _constant("")),
    Operator("enum", "padded", "adds a space at the end", _pad),
    Operator("minimum", "one-less", "goes below the minimum by one", _bound("minimum", -1)),
    Operator("minimum", "far-less", "goes below the minimum by far", _bound("minimum", -(2**31))),
    Operator("maximum", "one-more", "goes above the maximum by one", _bound("maximum", 1)),
    Operator("maximum", "far-more", "goes above the maximum by far", _bound("maximum", 2**30)),
    *(
        Operator("format", name, f"writes the dateTime as {value!r}", _constant(value))
        for name, value in _DATE_TIMES.items()
    ),
)

OPERATORS: Mapping[tuple[str, str], Operator] = {(o.keyword, o.name): o for o in _TABLE}
"""Every operator by keyword and name; a new one is one line above and its name at the rule it breaks."""


def _as_object(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _as_string(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _breaker(site: Site, operator: str) -> Breaker:
    if operator not in site.operators:
        raise ValueError(f"{site.id} has no operator {operator!r}; known: {site.operators}")
    return (
        _drop(site.member)
        if site.keyword == "required"
        else OPERATORS[site.keyword, operator].breaker
    )


# --- breaking one payload ---------------------------------------------------------------------------------

_ABSENT = object()


def apply(
    site: Site, operator: str, payload: JsonValue, rng: random.Random
) -> tuple[JsonObject, Mutation] | None:
    """A copy of a valid payload with the rule broken, and what was done.

    Members that are absent on the way are added in their simplest form; of an array one element is chosen. Only
    the containers on the way are copied, the rest is shared. None when the payload has another shape.

    Raises:
        ValueError: for an operator that the site does not have.
    """
    breaker = _breaker(site, operator)
    holder: JsonObject = {"": payload}
    cursor: JsonObject | list[JsonValue] = holder
    step: str | int = ""
    actual: list[str | int] = []
    for node, wanted in zip(site.trail, site.path, strict=False):
        inner = _opened(cursor[step], node)  # type: ignore[index]
        if inner is None:
            return None
        cursor[step] = inner  # type: ignore[index]
        cursor, step = inner, _chosen(inner, wanted, rng)
        actual.append(step)
        _fill(cursor, step, site.trail[len(actual)])
    before: JsonValue = cursor[step]  # type: ignore[index]
    try:
        after = breaker(before, site.trail[-1])
    except TypeError:
        return None
    cursor[step] = after  # type: ignore[index]
    mutation = Mutation(
        Channel.PAYLOAD,
        pointer_of(tuple(actual)),
        site.keyword,
        operator,
        before=site.member or render(before),
        after=render(after),
    )
    return _as_object(holder[""]), mutation


def _opened(value: JsonValue, node: Node) -> JsonObject | list[JsonValue] | None:
    if isinstance(value, dict):
        return dict(value) if isinstance(node, ObjectNode) else None
    if isinstance(value, list):
        return list(value) if isinstance(node, ArrayNode) else None
    return None


def _chosen(
    container: JsonObject | list[JsonValue], step: str | int, rng: random.Random
) -> str | int:
    return rng.randrange(len(container)) if isinstance(step, int) and container else step


def _fill(container: JsonObject | list[JsonValue], step: str | int, node: Node) -> None:
    if isinstance(container, list):
        if not container:
            container.append(sample(node))
    elif step not in container:
        container[str(step)] = sample(node)


def render(value: JsonValue) -> str:
    """A short JSON-like text of a value, for people; long ones are cut."""
    match value:
        case str():
            cut = json.dumps(value[:40])
            return cut if len(value) <= 40 else f"{cut}... ({len(value)} characters)"
        case dict():
            return "{" + ", ".join(sorted(value)[:8]) + "}"
        case list():
            return f"[{len(value)} elements]"
        case int() if value.bit_length() > 256:
            # Python refuses to print integers of more than 4300 digits.
            return f"an integer of {value.bit_length()} bits"
        case _:
            return json.dumps(value)


# --- the table, spelled out -------------------------------------------------------------------------------


@cache
def violations(schema: MessageSchema, *, full: bool) -> tuple[Break, ...]:
    """Each site broken once on the simplest payload, or with `full` by each of its operators."""
    return tuple(
        _break(schema, site, operator)
        for site in sites(schema)
        for operator in (site.operators if full else site.operators[:1])
    )


def _break(schema: MessageSchema, site: Site, operator: str) -> Break:
    # A required member that is to be dropped must first be there, and its object with it.
    control = example(schema, site.pointer)
    # One element in every array, so that nothing is left to chance.
    done = apply(site, operator, control, random.Random(0))
    if done is None:
        raise AssertionError(f"{site.id}:{operator} does not apply to its own example")
    payload, mutation = done
    return Break(
        f"{site.id}:{operator}", site, payload, control, mutation, site.expectation(operator)
    )
