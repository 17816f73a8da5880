"""What the target itself named: variables, EVSEs, ids, tokens and certificates, for messages to name them again.

Knows the shape of NotifyReport.reportData and trusts none of it: what is not proper is skipped, and all sizes are
bounded. Must not import Hypothesis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from strategies.labels import JsonObject, JsonValue
from strategies.primitives import IDENTIFIER, INT32_MAX

MAX_VARIABLES = 5_000
MAX_IDS = 64
MAX_VALUES = 100

_MAX_NAME = 50
_MAX_VALUE = 2_500
_MAX_VALUES_LIST = 1_000
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class PoolVariable:
    """One variable of the target's device model, its Actual attribute (Part 2 section 2.49 and following).

    Empty instances mean that there is none. `value` is None when it is not known, as for WriteOnly ones.
    """

    component: str
    variable: str
    component_instance: str = ""
    variable_instance: str = ""
    evse_id: int | None = None
    connector_id: int | None = None
    data_type: str = ""
    mutability: str = "ReadWrite"
    min_limit: int | float | None = None
    max_limit: int | float | None = None
    values: tuple[str, ...] = ()
    value: str | None = None

    @property
    def name(self) -> str:
        """For ids: `EVSE[1].Power`, with instances after a slash."""
        evse = "" if self.evse_id is None else f"[{self.evse_id}]"
        if self.connector_id is not None:
            evse = f"[{self.evse_id},{self.connector_id}]"
        first = "/".join(filter(None, (self.component, self.component_instance)))
        return f"{first}{evse}.{'/'.join(filter(None, (self.variable, self.variable_instance)))}"

    def component_json(self) -> JsonObject:
        """A fresh ComponentType."""
        made: JsonObject = {"name": self.component}
        if self.component_instance:
            made["instance"] = self.component_instance
        if self.evse_id is not None:
            made["evse"] = self._evse_json(self.evse_id)
        return made

    def _evse_json(self, evse_id: int) -> JsonObject:
        if self.connector_id is None:
            return {"id": evse_id}
        return {"id": evse_id, "connectorId": self.connector_id}

    def variable_json(self) -> JsonObject:
        """A fresh VariableType."""
        made: JsonObject = {"name": self.variable}
        if self.variable_instance:
            made["instance"] = self.variable_instance
        return made


@dataclass(frozen=True, slots=True)
class CertificateHash:
    """One CertificateHashDataType."""

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str

    def json(self) -> JsonObject:
        """A fresh CertificateHashDataType."""
        return {
            "hashAlgorithm": self.hash_algorithm,
            "issuerNameHash": self.issuer_name_hash,
            "issuerKeyHash": self.issuer_key_hash,
            "serialNumber": self.serial_number,
        }


@dataclass(frozen=True, slots=True)
class Pool:
    """Everything that messages may name; an empty pool is legal and names nothing.

    `id_tokens` are pairs of IdTokenType.type and idToken.
    """

    variables: tuple[PoolVariable, ...] = ()
    evse_ids: tuple[int, ...] = ()
    connector_ids: tuple[int, ...] = ()
    request_ids: tuple[int, ...] = ()
    transaction_ids: tuple[str, ...] = ()
    id_tokens: tuple[tuple[str, str], ...] = ()
    certificate_hashes: tuple[CertificateHash, ...] = ()

    @classmethod
    def from_report(cls, report_data: Sequence[JsonValue]) -> Pool:
        """What the reportData entries of a base report name, in their order, without repetition."""
        found = islice(_variables(report_data), MAX_VARIABLES)
        variables = tuple({v.name.lower(): v for v in found}.values())
        return cls(
            variables=variables,
            evse_ids=_ids(v.evse_id for v in variables),
            connector_ids=_ids(v.connector_id for v in variables),
        )


def _ids(found: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(sorted({i for i in found if i})[:MAX_IDS])


def _variables(report: Sequence[JsonValue]) -> Iterator[PoolVariable]:
    for entry in report:
        made = _variable(entry) if isinstance(entry, dict) else None
        if made is not None:
            yield made


def _variable(entry: Mapping[str, JsonValue]) -> PoolVariable | None:
    component, variable = _object(entry, "component"), _object(entry, "variable")
    names = [
        _name(holder, key)
        for holder, key in (
            (component, "name"),
            (variable, "name"),
            (component, "instance"),
            (variable, "instance"),
        )
    ]
    evse = component.get("evse")
    places = (_id(evse, "id"), _id(evse, "connectorId"))
    if None in names or not names[0] or not names[1] or (evse is not None and places[0] is None):
        return None
    actual = _actual(entry)
    traits = _object(entry, "variableCharacteristics")
    return PoolVariable(
        names[0],
        names[1],
        names[2] or "",
        names[3] or "",
        *places,
        data_type=_text(traits, "dataType", _MAX_NAME),
        # The schema's default, and for the Actual attribute only.
        mutability=_text(actual, "mutability", _MAX_NAME) or "ReadWrite",
        min_limit=_limit(traits, "minLimit"),
        max_limit=_limit(traits, "maxLimit"),
        values=_values(traits),
        value=_value(actual),
    )


def _actual(entry: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    attributes = entry.get("variableAttribute")
    for attribute in attributes[:4] if isinstance(attributes, list) else ():
        if isinstance(attribute, dict) and attribute.get("type", "Actual") == "Actual":
            return attribute
    # No Actual attribute: nothing is known, so nothing may be written.
    return {"mutability": "ReadOnly"}


def _object(holder: Mapping[str, JsonValue], key: str) -> Mapping[str, JsonValue]:
    found = holder.get(key)
    return found if isinstance(found, dict) else {}


def _name(holder: Mapping[str, JsonValue], key: str) -> str | None:
    found = holder.get(key, "")
    proper = isinstance(found, str) and len(found) <= _MAX_NAME and not IDENTIFIER.broken(found)
    return found if proper and isinstance(found, str) else None


def _text(holder: Mapping[str, JsonValue], key: str, most: int) -> str:
    found = holder.get(key)
    return found if isinstance(found, str) and len(found) <= most else ""


def _value(actual: Mapping[str, JsonValue]) -> str | None:
    found = actual.get("value")
    return found if isinstance(found, str) and len(found) <= _MAX_VALUE else None


def _id(evse: JsonValue, key: str) -> int | None:
    found = evse.get(key) if isinstance(evse, dict) else None
    whole = isinstance(found, int) and not isinstance(found, bool)
    return found if whole and isinstance(found, int) and 0 <= found <= INT32_MAX else None


def _limit(traits: Mapping[str, JsonValue], key: str) -> int | float | None:
    found = traits.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    # False for NaN too; beyond this a float cannot say "one more".
    return found if -_EXACT <= found <= _EXACT else None


def _values(traits: Mapping[str, JsonValue]) -> tuple[str, ...]:
    listed = _text(traits, "valuesList", _MAX_VALUES_LIST)
    return tuple(dict.fromkeys(v.strip() for v in listed.split(",") if v.strip()))[:MAX_VALUES]
