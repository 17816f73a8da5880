"""Judges one payload: by the published schema, then by the Part 2 primitives that schemas cannot express.

Knows which error code fits which keyword (Part 4 section 4.3). Reads the raw schema files only, never the IR of
`strategies`, so that a message maker and this judge cannot share a blind spot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

import jsonschema_rs

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import ErrorCode
from strategies.labels import JsonValue, Kind, Sender
from strategies.version import Version

Check: TypeAlias = Callable[[Any], str | None]
"""Says what is wrong with a schema-valid value, None when nothing is."""

TOO_LONG = "a string is longer than allowed"
MISSING = "a required member is missing"
NOT_LISTED = "a value is none of the listed ones"
TOO_MANY = "a list has too many items"
WRONG_TYPE = "a member has the wrong type"
NO_TIME = "a dateTime is not one of RFC 3339"
TOO_FINE_TIME = "a dateTime has more than three fraction digits"
BAD_IDENTIFIER = "an identifierString holds a character that is not allowed"

_BY_KEYWORD: Mapping[str, tuple[ErrorCode, str]] = {
    "required": (ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, MISSING),
    "minItems": (ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, "a list has too few items"),
    "maxItems": (ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, TOO_MANY),
    "additionalProperties": (ErrorCode.FORMAT_VIOLATION, "a member is not defined"),
    "type": (ErrorCode.TYPE_CONSTRAINT_VIOLATION, WRONG_TYPE),
    "enum": (ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, NOT_LISTED),
    "maxLength": (ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, TOO_LONG),
    "minimum": (ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "a number is too small"),
    "maximum": (ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "a number is too large"),
    "format": (ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, NO_TIME),
}

# Part 2 section 2.1.4: the characters of an identifierString.
_IDENTIFIER = re.compile(r"[A-Za-z0-9*\-_=:+|@.]*")

# Fields that the tables of Part 2 call identifierString, by class; "" stands for any class.
_IDENTIFIER_FIELDS = frozenset(
    {
        ("ComponentType", "name"),
        ("ComponentType", "instance"),
        ("VariableType", "name"),
        ("VariableType", "instance"),
        ("IdTokenType", "idToken"),
        ("AdditionalInfoType", "additionalIdToken"),
        ("CertificateHashDataType", "issuerNameHash"),
        ("CertificateHashDataType", "serialNumber"),
        ("ModemType", "iccid"),
        ("ModemType", "imsi"),
        ("APNType", "preferredNetwork"),
        ("", "transactionId"),
        ("", "checksum"),
    }
)
_MAX_DECIMALS = 6
_MAX_FRACTION = 3


def validate_payload(
    action: str, kind: Kind, payload: JsonValue, version: Version
) -> RemoteProtocolError | None:
    """The first fault of a payload as an error to answer with, None when it is proper.

    Raises KeyError for an action that this version does not have.
    """
    return validate_schema(action, kind, payload, version) or _validate_primitives(
        action, kind, payload, version
    )


def validate_schema(
    action: str, kind: Kind, payload: JsonValue, version: Version
) -> RemoteProtocolError | None:
    """The first fault that the published schema sees."""
    if not isinstance(payload, dict):
        return RemoteProtocolError(ErrorCode.FORMAT_VIOLATION, "the payload is not an object")
    validator = version.validator(action, kind)
    if validator.is_valid(payload):
        return None
    try:
        # Stops at the first error; a list of all of them grows with what the peer sends.
        validator.validate(payload)
    except jsonschema_rs.ValidationError as error:
        return RemoteProtocolError(*_fit(error))
    return None


def _fit(error: jsonschema_rs.ValidationError) -> tuple[ErrorCode, str]:
    keyword = str(error.schema_path[-1])
    if keyword == "enum" and not isinstance(error.instance, str):
        keyword = "type"
    unknown = (ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "a value is not allowed")
    return _BY_KEYWORD.get(keyword, unknown)


def _validate_primitives(
    action: str, kind: Kind, payload: JsonValue, version: Version
) -> RemoteProtocolError | None:
    check = _primitive_check(action, kind, version)
    wrong = check(payload) if check else None
    return RemoteProtocolError(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, wrong) if wrong else None


_CHECKS: dict[tuple[str, Kind, str], Check | None] = {}


def _primitive_check(action: str, kind: Kind, version: Version) -> Check | None:
    key = (action, kind, version.name)
    if key not in _CHECKS:
        schema = version.raw_schema(action, kind)
        _CHECKS[key] = _Planner(schema, to_station=_goes_to_station(action, kind, version)).plan(
            schema, "", ""
        )
    return _CHECKS[key]


def _goes_to_station(action: str, kind: Kind, version: Version) -> bool:
    asker = Sender.CSMS if kind is Kind.REQUEST else Sender.STATION
    return version.actions[action] is asker


class _Planner:
    """Turns a raw schema into one function that looks only where a primitive rule applies."""

    def __init__(self, root: dict[str, Any], *, to_station: bool) -> None:
        self._root = root
        self._to_station = to_station

    def plan(self, schema: dict[str, Any], owner: str, member: str) -> Check | None:
        """The check of one place in the schema; None when nothing can be wrong below it."""
        if "$ref" in schema:
            owner = schema["$ref"].rsplit("/", 1)[-1]
            return self.plan(self._root["definitions"][owner], owner, member)
        match schema.get("type"):
            case "object":
                return self._object(schema, owner)
            case "array":
                item = self.plan(schema["items"], owner, member)
                return _each(item) if item else None
            case "integer":
                return _int32
            case "number":
                return _decimal if self._to_station else None
            case "string":
                return _string(schema, owner, member)
            case _:
                return None

    def _object(self, schema: dict[str, Any], owner: str) -> Check | None:
        checks = {
            name: check
            for name, part in schema.get("properties", {}).items()
            if (check := self.plan(part, owner, name)) is not None
        }
        return _members(checks) if checks else None


def _string(schema: dict[str, Any], owner: str, member: str) -> Check | None:
    if schema.get("format") == "date-time":
        return _date_time
    if (owner, member) in _IDENTIFIER_FIELDS or ("", member) in _IDENTIFIER_FIELDS:
        return _identifier
    return None


def _members(checks: Mapping[str, Check]) -> Check:
    def check(value: Any) -> str | None:
        for name, member in checks.items():
            if name in value and (wrong := member(value[name])):
                return wrong
        return None

    return check


def _each(item: Check) -> Check:
    def check(value: Any) -> str | None:
        for element in value:
            if wrong := item(element):
                return wrong
        return None

    return check


def _int32(value: Any) -> str | None:
    return None if -(2**31) <= value < 2**31 else "an integer needs more than 32 bits"


@lru_cache(maxsize=256)
def _decimal(value: Any) -> str | None:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    too_fine = isinstance(exponent, int) and exponent < -_MAX_DECIMALS
    return f"a decimal has more than {_MAX_DECIMALS} digits after the point" if too_fine else None


def _date_time(value: Any) -> str | None:
    digits = re.match(r"\d*", value.partition(".")[2], re.ASCII)
    too_fine = digits is not None and digits.end() > _MAX_FRACTION
    return TOO_FINE_TIME if too_fine else None


def _identifier(value: Any) -> str | None:
    return None if _IDENTIFIER.fullmatch(value) else BAD_IDENTIFIER
