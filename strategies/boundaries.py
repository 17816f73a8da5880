"""The finite list of values at, just inside and far inside each constraint, and of values only Part 2 refuses.

Knows the tree, the primitive types and what no device could mind; must not know how a message is sent. Below a
nested `customData` nothing is listed but its presence: the type is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from strategies.examples import example, example_with, sample
from strategies.labels import (
    Channel,
    Expectation,
    JsonObject,
    JsonValue,
    Mutation,
    Stance,
    Tier,
)
from strategies.primitives import (
    INT32_MAX,
    INT32_MIN,
    Value,
    goes_to_station,
    primitives_of,
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
from strategies.violations import render


@dataclass(frozen=True, slots=True)
class Boundary:
    """A payload with one value at an edge.

    ACCEPT at tier MODEL means that nothing about the device could refuse it; ACCEPT at tier PRIMITIVE that its
    own limits still may. `control` is the simplest payload with a neutral value in the same place.
    """

    id: str
    pointer: str
    keyword: str
    label: str
    payload: JsonObject
    expectation: Expectation
    mutation: Mutation
    heavy: bool
    control: JsonObject


@dataclass(frozen=True, slots=True)
class _Edge:
    """A value for one place, before it is put there."""

    keyword: str
    label: str
    value: JsonValue
    doubt: str = ""
    sure: bool = False
    heavy: bool = False


FAR_COUNT = 20
"""Elements of an unbounded array: more than most devices take in one message, little enough for any."""

HEAVY_LENGTH = 65_536

# Rules of Part 2 that couple fields or need a state make even simple values refusable.
_COUPLED = frozenset(
    {
        "CustomerInformation",
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "PublishFirmwareStatusNotification",
        "RequestStartTransaction",
        "SetChargingProfile",
        "TransactionEvent",
    }
)
_COUPLED_ENUMS = frozenset({"VariableCharacteristicsType.dataType", "VariableAttributeType.type"})

# Numbers that the sender makes up and the receiver only repeats.
_FREE_NUMBERS = frozenset({"requestId", "remoteStartId", "reservationId", "seqNo", "eventId"})

# Longer strings may meet the device's own limit of a message or of a value.
_CERTAIN_LENGTH = 255

_CERTAIN_TIMES = frozenset(
    {
        "utc",
        "offset-zero",
        "offset-first",
        "offset-last",
        "1-fraction-digit",
        "2-fraction-digits",
        "3-fraction-digits",
        "leap-day",
        "last-second-of-day",
    }
)


@cache
def boundaries(schema: MessageSchema) -> tuple[Boundary, ...]:
    """Every edge of a message, parents first; ids are unique and stable over releases and seeds."""
    return tuple(b for place in places(schema) for b in _boundaries_at(schema, place))


def _boundaries_at(schema: MessageSchema, place: Place) -> Iterator[Boundary]:
    if isinstance(place.node, ObjectNode):
        yield from _member_choices(schema, place.path, place.node)
    if not place.path or _inside_custom_data(place.path):
        return
    to_station = goes_to_station(schema.action, schema.kind)
    for edge in _edges(place.node, to_station=to_station):
        expectation = _expectation(schema, place.node, edge, to_station=to_station)
        yield _boundary(schema, place.path, edge, _payload(schema, place, edge.value), expectation)


def _inside_custom_data(path: Path) -> bool:
    return "customData" in path[:-1] and path != ("customData", "vendorId")


def _boundary(
    schema: MessageSchema,
    path: Path,
    edge: _Edge,
    payload: JsonObject,
    expectation: Expectation,
) -> Boundary:
    pointer = pointer_of(path)
    mutation = Mutation(
        Channel.PAYLOAD, pointer, edge.keyword, edge.label, after=render(edge.value)
    )
    return Boundary(
        f"{schema.name}{pointer}#{edge.keyword}:{edge.label}",
        pointer,
        edge.keyword,
        edge.label,
        payload,
        expectation,
        mutation,
        edge.heavy,
        example(schema, pointer),
    )


def _payload(schema: MessageSchema, place: Place, value: JsonValue) -> JsonObject:
    if isinstance(place.node, StringNode) and value == "NoAuthorization":
        # Part 2 section 3.43: there is no token then.
        payload = example_with(schema, (*place.path[:-1], "idToken"), "")
        return _with(payload, place.path, value)
    return example_with(schema, place.path, value)


def _with(payload: JsonObject, path: Path, value: JsonValue) -> JsonObject:
    target: JsonValue = payload
    for step in path[:-1]:
        target = target[step]  # type: ignore[index]
    target[path[-1]] = value  # type: ignore[index]
    return payload


# --- what a correct peer does -----------------------------------------------------------------------------


def _expectation(
    schema: MessageSchema, node: Node, edge: _Edge, *, to_station: bool
) -> Expectation:
    for primitive in primitives_of(node, to_station=to_station):
        if primitive.broken(edge.value):
            doubt = edge.doubt or primitive.doubt
            stance = Stance.UNSPECIFIED if doubt else Stance.REJECT
            return Expectation(stance, Tier.PRIMITIVE, primitive.fault, doubt)
    if edge.doubt:
        return Expectation(Stance.UNSPECIFIED, Tier.PRIMITIVE, disputed=edge.doubt)
    certain = edge.sure and schema.action not in _COUPLED
    return Expectation(Stance.ACCEPT, Tier.MODEL if certain else Tier.PRIMITIVE)


# --- edges of one place -----------------------------------------------------------------------------------


def _edges(node: Node, *, to_station: bool) -> Iterator[_Edge]:
    match node:
        case ObjectNode():
            if node.open:
                yield _extra_in_custom_data(node)
        case ArrayNode():
            yield from _counts(node)
        case StringNode():
            yield from _strings(node)
        case IntegerNode():
            yield from _integers(node)
        case NumberNode():
            yield from _numbers(to_station=to_station)
        case BooleanNode():
            for value in (True, False):
                yield _Edge("boolean", str(value).lower(), value, sure=True)
        case AnyNode():
            yield from _anything()


def _extra_in_custom_data(node: ObjectNode) -> _Edge:
    extra: JsonObject = {"ocppfuzz": [None, {"": -0.5}, "\U0001f50c"]}
    inner = sample(node)
    if not isinstance(inner, dict):
        raise TypeError("an object's sample is an object")
    return _Edge("additionalProperties", "extra-member", {**inner, **extra}, sure=True)


def _counts(node: ArrayNode) -> Iterator[_Edge]:
    least, most = node.min_items, node.max_items
    wanted = [("minItems", "at", max(1, least)), ("minItems", "inside", least + 1)]
    wanted += (
        [("items", "far", FAR_COUNT)]
        if most is None
        else [("maxItems", "inside", most - 1), ("maxItems", "at", most)]
    )
    seen = set()
    for keyword, label, count in wanted:
        if count >= 1 and (most is None or count <= most) and count not in seen:
            seen.add(count)
            value: JsonValue = [sample(node.item) for _ in range(count)]
            yield _Edge(keyword, label, value, sure=count == 1)


def _strings(node: StringNode) -> Iterator[_Edge]:
    if node.enum:
        sure = node.field not in _COUPLED_ENUMS
        for member in node.enum:
            yield _Edge("enum", member, member, sure=sure)
        return
    if node.max_length is not None:
        yield from _lengths(node, node.max_length)
    for primitive in primitives_of(node, to_station=True):
        for value in (*primitive.edges, *primitive.wrong):
            sure = not node.date_time or value.label in _CERTAIN_TIMES
            yield _valued(primitive.name, value, sure=sure)


def _valued(keyword: str, value: Value, *, sure: bool) -> _Edge:
    return _Edge(keyword, value.label, value.value, value.doubt, sure)


def _lengths(node: StringNode, most: int) -> Iterator[_Edge]:
    for label, length in (("empty", 0), ("one", 1), ("inside", most - 1), ("at", most)):
        sure = 0 < length <= _CERTAIN_LENGTH
        yield _Edge("maxLength", label, _filled(node, length), sure=sure)
    if not primitives_of(node, to_station=True):
        yield _Edge("maxLength", "at-astral", "\U0001f50c" * most, _COUNTING)
        yield _Edge("text", "not-ascii", "Säule 充电"[:most])
        yield _Edge("text", "control-characters", "\x00\x1b\x7f\u202e"[:most], _CONTROLS)


_COUNTING = "a character outside the basic plane counts once in the schema and twice in UTF-16"
_CONTROLS = "no text says whether a string may hold control characters"


def _filled(node: StringNode, length: int) -> str:
    for primitive in primitives_of(node, to_station=True):
        if primitive.fill and (made := primitive.fill(length)) is not None:
            return made
    return "x" * length


def _integers(node: IntegerNode) -> Iterator[_Edge]:
    free = node.field.partition(".")[2] in _FREE_NUMBERS
    plain = (0, 1, 2, 3, 4, -1, INT32_MAX, INT32_MIN)
    for value in _inside(node, plain):
        yield _Edge("integer", _power(value), value, sure=value == 1 or (free and value >= 0))
    if node.minimum is not None:
        yield _Edge("minimum", "at", node.minimum)
        yield _Edge("minimum", "inside", node.minimum + 1)
    if node.maximum is not None:
        yield _Edge("maximum", "inside", node.maximum - 1)
        yield _Edge("maximum", "at", node.maximum)
    for primitive in primitives_of(node, to_station=True)[:1]:
        for wrong in primitive.wrong:
            if isinstance(wrong.value, int) and list(_inside(node, (wrong.value,))):
                yield _valued(primitive.name, wrong, sure=False)


def _inside(node: IntegerNode, values: Iterable[int]) -> Iterator[int]:
    for value in values:
        low = node.minimum is None or value > node.minimum + 1
        high = node.maximum is None or value < node.maximum - 1
        if low and high:
            yield value


def _power(value: int) -> str:
    return {INT32_MAX: "2**31-1", INT32_MIN: "-2**31"}.get(value, str(value))


def _numbers(*, to_station: bool) -> Iterator[_Edge]:
    yield _Edge("number", "0", 0, sure=True)
    yield _Edge("number", "1", 1, sure=True)
    # A multiple of 0.1 that binary arithmetic takes for none.
    yield _Edge("number", "8.1", 8.1, sure=True)
    for label, value in (
        ("-1", -1),
        ("minus-zero", -0.0),
        ("half", 0.5),
        ("integral-float", 2.0),
        ("6-decimals", 0.000001),
        ("6-decimals-large", 123456.123456),
        ("2**53+1", 2**53 + 1),
        ("1e15", 1e15),
        ("1e308", 1e308),
    ):
        yield _Edge("number", label, value)
    keyword = "decimal" if to_station else "number"
    yield _Edge(keyword, "7-decimals", 0.1234567)
    yield _Edge(keyword, "tiny", 1e-300)


def _anything() -> Iterator[_Edge]:
    values: tuple[tuple[str, JsonValue], ...] = (
        ("null", None),
        ("true", True),
        ("zero", 0),
        ("half", 0.5),
        ("empty-string", ""),
        ("string", "lab"),
        ("empty-array", []),
        ("empty-object", {}),
        ("mixed-array", [None, 1, "a", [], {}]),
        ("nested", {"a": {"b": {"c": {"d": {"e": {"f": {}}}}}}}),
        ("empty-name", {"": ""}),
        ("2**64", 2**64),
    )
    for label, value in values:
        # Part 4 section 4.1.5 forbids null for what is left out; here the type is open.
        doubt = "null stands for an absent member elsewhere" if value is None else ""
        yield _Edge("any", label, value, doubt, sure=label != "2**64")
    yield _Edge("any", "64-KiB", "x" * HEAVY_LENGTH, heavy=True)


# --- which members are there ------------------------------------------------------------------------------


def _member_choices(schema: MessageSchema, path: Path, node: ObjectNode) -> Iterator[Boundary]:
    optional = [m for m in node.members if not m.required]
    pointer = pointer_of(path)
    if not path:
        yield _choice(schema, path, "required-only", example(schema), certain=True)
        yield _choice(schema, path, "everything", _everything(node), certain=False)
    for m in optional:
        alone = example(schema, f"{pointer}/{m.name}")
        yield _choice(schema, path, f"alone-{m.name}", alone, certain=True)
    if len(optional) > 1:
        full: JsonValue = {m.name: sample(m.node) for m in node.members}
        payload = example_with(schema, path, full) if path else full
        if isinstance(payload, dict):
            yield _choice(schema, path, "all", payload, certain=False)


def _choice(
    schema: MessageSchema, path: Path, label: str, payload: JsonObject, *, certain: bool
) -> Boundary:
    certain = certain and schema.action not in _COUPLED
    expectation = Expectation(Stance.ACCEPT, Tier.MODEL if certain else Tier.PRIMITIVE)
    return _boundary(schema, path, _Edge("properties", label, payload), payload, expectation)


def _everything(node: ObjectNode) -> JsonObject:
    return {m.name: _whole(m.node) for m in node.members}


def _whole(node: Node) -> JsonValue:
    match node:
        case ObjectNode():
            return _everything(node)
        case ArrayNode():
            return [_whole(node.item)]
        case _:
            return sample(node)
