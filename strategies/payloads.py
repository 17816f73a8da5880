"""Hypothesis strategies of valid payloads: valid by schema, by primitive type, and unobjectionable in meaning.

Knows the tree, the primitive types and the pool; draws only from Hypothesis, through its public interface, and
filters nothing. One strategy draws a whole message, because nested strategies cost several times as much.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from strategies.examples import sample
from strategies.labels import JsonObject, JsonValue, Kind
from strategies.pool import Pool, PoolVariable
from strategies.primitives import (
    BASE64,
    CERTIFICATE,
    CSR,
    EVSE_ID,
    EXPIRED_CERTIFICATE,
    IDENTIFIER,
    INT32_MAX,
    LAB_CSR,
    LANGUAGE,
    REAL_ID,
    URL,
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
    StringNode,
    message_schema,
)
from strategies.version import Version

Make: TypeAlias = Callable[[DrawFn], JsonValue]

MAX_ELEMENTS = 3
"""Elements of a drawn array; more are the boundary list's matter."""


def payloads(
    action: str, kind: Kind, *, pool: Pool | None = None, version: Version | None = None
) -> SearchStrategy[JsonObject]:
    """Valid payloads of one message; with a pool they often name what the target named.

    Raises:
        KeyError: for an action that the version does not have.
    """
    return _strategy(message_schema(action, kind, version), pool or Pool())


@lru_cache(maxsize=512)
def _strategy(schema: MessageSchema, pool: Pool) -> SearchStrategy[JsonObject]:
    return _drawn(_Compiler(pool).object(schema.root, depth=0))


@st.composite
def _drawn(draw: DrawFn, make: Callable[[DrawFn], JsonObject]) -> JsonObject:
    return make(draw)


# --- containers -------------------------------------------------------------------------------------------


class _Compiler:
    """Turns the tree into functions that draw, for one pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def node(self, node: Node, depth: int) -> Make:
        """What draws a value of one node."""
        match node:
            case ObjectNode():
                return self._pooled(node, self.object(node, depth))
            case ArrayNode():
                return self._array(node, depth)
            case _:
                leaf = _leaf(node, self._pool)
                return lambda draw: draw(leaf)

    def object(self, node: ObjectNode, depth: int) -> Callable[[DrawFn], JsonObject]:
        """What draws an object: one draw decides which optional members are there."""
        always = _ALWAYS.get(node.type_name, ())
        required = [m for m in node.members if m.required or m.name in always]
        optional = [m for m in node.members if m not in required]
        firm = [(m.name, self.node(m.node, depth + 1)) for m in required]
        loose = [(1 << i, m.name, self.node(m.node, depth + 1)) for i, m in enumerate(optional)]
        mask = _masks(len(loose), depth)
        finish = _FINISH.get(node.type_name)
        named = self._variable_of(node)

        def make(draw: DrawFn) -> JsonObject:
            made = {name: member(draw) for name, member in firm}
            chosen = draw(mask) if mask is not None else 0
            for bit, name, member in loose:
                if chosen & bit:
                    made[name] = member(draw)
            if named is not None and (known := draw(named)) is not None:
                _name_variable(draw, made, known, node)
            if finish is not None:
                finish(made)
            return made

        return make

    def _array(self, node: ArrayNode, depth: int) -> Make:
        item = self.node(node.item, depth + 1)
        most = min(MAX_ELEMENTS, node.max_items or MAX_ELEMENTS)
        count = st.integers(max(1, node.min_items), max(most, node.min_items))
        return lambda draw: [item(draw) for _ in range(draw(count))]

    def _variable_of(self, node: ObjectNode) -> SearchStrategy[PoolVariable | None] | None:
        if not self._pool.variables or not (node.member("component") and node.member("variable")):
            return None
        strangers = [None] * (1 + len(self._pool.variables) // 3)
        return st.sampled_from([*strangers, *self._pool.variables])

    def _pooled(self, node: ObjectNode, make: Make) -> Make:
        known: Sequence[JsonObject] = ()
        if node.type_name == "IdTokenType":
            known = [{"type": t, "idToken": i} for t, i in self._pool.id_tokens]
        elif node.type_name == "CertificateHashDataType":
            known = [c.json() for c in self._pool.certificate_hashes]
        if not known:
            return make
        choice = st.sampled_from([None, *known, *known])

        def chosen(draw: DrawFn) -> JsonValue:
            found = draw(choice)
            return make(draw) if found is None else dict(found)

        return chosen


def _masks(count: int, depth: int) -> SearchStrategy[int] | None:
    """Which optional members: any set at the root, few of them further down, so that messages stay small."""
    if not count:
        return None
    if depth == 0:
        return st.integers(0, (1 << count) - 1)
    singles = [1 << i for i in range(count)]
    pairs = [a | b for a, b in pairwise(singles)]
    return st.sampled_from([0] * (count + 1) + singles + pairs + [(1 << count) - 1])


def _name_variable(draw: DrawFn, made: JsonObject, known: PoolVariable, node: ObjectNode) -> None:
    made["component"] = known.component_json()
    if "variable" in made:
        made["variable"] = known.variable_json()
    if node.type_name == "SetVariableDataType":
        made["attributeValue"] = draw(st.sampled_from(plausible_values(known)))
        # Only of the Actual attribute the pool knows what it takes.
        made.pop("attributeType", None)


def plausible_values(known: PoolVariable) -> tuple[str, ...]:
    """Values that a variable of the target would take, its own first; at least one."""
    found: list[str] = []
    if known.value is not None and len(known.value) <= 1000:
        found.append(known.value)
    if known.data_type in ("integer", "decimal"):
        limits = (known.min_limit, known.max_limit)
        found += [f"{x:g}" for x in limits if x is not None and abs(x) < 1e6]
    elif known.data_type == "boolean":
        found += ["true", "false"]
    else:
        found += known.values
    return tuple(found) or ("1",)


# --- rules between fields ---------------------------------------------------------------------------------

_ALWAYS: Mapping[str, tuple[str, ...]] = {
    # The value may be left out only of what is WriteOnly.
    "VariableAttributeType": ("value",),
    # L01.FR.20, N01.FR.13: may be left out only when idle.
    "FirmwareStatusNotificationRequest": ("requestId",),
    "LogStatusNotificationRequest": ("requestId",),
    "PublishFirmwareStatusNotificationRequest": ("requestId",),
}


def _one_customer(made: JsonObject) -> None:
    # N09.FR.04, N09.FR.09: exactly one of the three.
    ways = [w for w in ("idToken", "customerCertificate", "customerIdentifier") if w in made]
    for extra in ways[1:]:
        del made[extra]
    if not ways:
        made["customerIdentifier"] = "lab"


def _no_token(made: JsonObject) -> None:
    # Part 2 section 3.43: there is no token then.
    if made["type"] == "NoAuthorization":
        made["idToken"] = ""


def _two_languages(made: JsonObject) -> None:
    # C01.FR.11, C01.FR.17.
    if "language2" in made:
        made["language1"], made["language2"] = "en", "nl"


_FINISH: Mapping[str, Callable[[JsonObject], None]] = {
    "CustomerInformationRequest": _one_customer,
    "IdTokenType": _no_token,
    "IdTokenInfoType": _two_languages,
}

# --- leaves -----------------------------------------------------------------------------------------------

_SMALL: Mapping[str, tuple[int, int]] = {
    "chargingPriority": (-9, 9),
    "configurationSlot": (1, 5),
    "interval": (1, 86_400),
    "messageTimeout": (1, 600),
    "multiplier": (-3, 3),
    "numberOfPhasesUsed": (0, 3),
    "numberPhases": (1, 3),
    "phaseToUse": (1, 3),
    "retries": (0, 5),
    "retryInterval": (0, 3600),
    "securityProfile": (1, 3),
    "severity": (0, 9),
    "simPin": (0, 9999),
    "stackLevel": (0, 9),
}
_IDENTIFIER_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-_=:+|@."
_ANYTHING = (
    "null",
    "true",
    "0",
    "-0.5",
    '"lab"',
    '""',
    "[]",
    "{}",
    '[1,"a",null,{"b":[]}]',
    '{"a":{"b":{"c":[{}]}},"":" "}',
)


def _leaf(node: Node, pool: Pool) -> SearchStrategy[JsonValue]:
    match node:
        case AnyNode():
            # No null: whether it may stand for "absent" is disputed, and the boundary list holds it.
            return st.sampled_from(_ANYTHING[1:]).map(json.loads)
        case BooleanNode():
            return st.booleans()
        case NumberNode():
            return _numbers(node)
        case IntegerNode():
            return _integers(node, pool)
        case StringNode():
            return _strings(node, pool)
        case ObjectNode() | ArrayNode():
            raise TypeError(f"not a leaf: {node}")


def _numbers(node: NumberNode) -> SearchStrategy[JsonValue]:
    if node.minimum is not None or node.maximum is not None:
        raise TypeError(f"no number of this version is bounded, but {node.field} is")
    # Thousandths: never more than three decimals once written out.
    return st.integers(-1_000, 10**9).map(lambda n: n / 1000 if n % 5 else n // 1000)


def _integers(node: IntegerNode, pool: Pool) -> SearchStrategy[JsonValue]:
    name = node.field.partition(".")[2]
    kinds = primitives_of(node, to_station=True)
    if name == "requestId" and pool.request_ids:
        return st.sampled_from([*pool.request_ids, 1, 0, INT32_MAX])
    if EVSE_ID in kinds:
        return st.sampled_from([*(pool.evse_ids or (1, 2)), *pool.evse_ids, 1, 3])
    if REAL_ID in kinds:
        known = pool.evse_ids if name == "evseId" else pool.connector_ids
        return st.sampled_from([*(known or (1, 2)), *known, 1, 3])
    low, high = _SMALL.get(name, (0, INT32_MAX))
    low = low if node.minimum is None else max(low, node.minimum)
    return st.integers(low, high if node.maximum is None else min(high, node.maximum))


def _strings(node: StringNode, pool: Pool) -> SearchStrategy[JsonValue]:
    if node.enum:
        return st.sampled_from(node.enum)
    if node.date_time:
        return _DATE_TIMES
    most = 100 if node.max_length is None else node.max_length
    if node.field.endswith(".transactionId") and pool.transaction_ids:
        return st.sampled_from([*pool.transaction_ids, "Lab"])
    kinds = primitives_of(node, to_station=True)
    if not kinds:
        return _texts(min(most, 20))
    return _of_primitive(kinds[0].name, node, most)


def _of_primitive(name: str, node: StringNode, most: int) -> SearchStrategy[JsonValue]:
    if name == IDENTIFIER.name:
        return _identifiers(most)
    if name == BASE64.name:
        return st.binary(min_size=1, max_size=36).map(lambda b: base64.b64encode(b).decode())
    if name == URL.name:
        return _identifiers(20).map(lambda tail: f"https://lab.invalid/{tail}")
    if name == LANGUAGE.name:
        return st.sampled_from(["en", "nl", "de-AT", "zh-Hant"])
    return st.just(_TEXT_OF[name]) if name in _TEXT_OF else st.just(sample(node))


_TEXT_OF = {CERTIFICATE.name: EXPIRED_CERTIFICATE, CSR.name: LAB_CSR}


@lru_cache(maxsize=64)
def _identifiers(most: int) -> SearchStrategy[JsonValue]:
    return st.text(_IDENTIFIER_CHARACTERS, min_size=1, max_size=min(most, 12))


@lru_cache(maxsize=64)
def _texts(most: int) -> SearchStrategy[JsonValue]:
    # Neither control characters nor surrogates: whether a string may hold them is disputed.
    letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf", "Cn", "Co"])
    return st.text(letters, min_size=1, max_size=min(most, 12))


def _date_time(n: int) -> str:
    """One of many spellings of a moment of this century; 0 is the plainest."""
    n, zone = divmod(n, 5)
    n, digits = divmod(n, 4)
    offset = timedelta(minutes=(0, 0, 0, 330, -720)[zone])
    moment = datetime(2026, 1, 1, tzinfo=timezone(offset)) + timedelta(seconds=n)
    fraction = f".{n % 1000:03}"[: digits + 1] if digits else ""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction
    return text + ("Z" if zone == 0 else moment.isoformat()[-6:])


_DATE_TIMES: SearchStrategy[JsonValue] = st.integers(0, 20 * 10**9).map(_date_time)
