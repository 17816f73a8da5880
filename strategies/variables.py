"""Values by a target's own device model: those it must refuse (wrong for data type, limits or list), and another valid one.

Knows the pool and Part 2's data types of variables; must not know what a target does with a value. Each case sets
one variable that the target calls writable; its control sets that variable to the value it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonObject,
    Kind,
    Mutation,
    Stance,
    Tier,
)
from strategies.pool import Pool, PoolVariable
from strategies.primitives import INT32_MAX
from strategies.violations import Break, Site, render

MAX_ATTRIBUTE_VALUE = 1_000
"""The longest attributeValue that the schema of SetVariables lets through."""

POINTER = "/setVariableData/0/attributeValue"

_INTEGER = re.compile(r"-?\d{1,10}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Wrong:
    keyword: str
    label: str
    value: str
    doubt: str = ""


def variable_breaks(pool: Pool) -> tuple[Break, ...]:
    """Every wrong value for every writable variable of the pool whose value is known, one item a case."""
    return tuple(
        _break(known, known.value, wrong)
        for known in pool.variables
        if known.mutability == "ReadWrite"
        and known.value is not None
        and len(known.value) <= MAX_ATTRIBUTE_VALUE
        for wrong in _wrong_values(known)
        if wrong.value != known.value
    )


def _break(known: PoolVariable, present: str, wrong: _Wrong) -> Break:
    stance = Stance.UNSPECIFIED if wrong.doubt else Stance.REJECT
    return Break(
        f"SetVariables.req/{known.name}#{wrong.keyword}:{wrong.label}",
        Site("SetVariables", Kind.REQUEST, POINTER, wrong.keyword, (wrong.label,)),
        _set(known, wrong.value),
        _set(known, present),
        Mutation(
            Channel.PAYLOAD,
            POINTER,
            wrong.keyword,
            wrong.label,
            before=render(present),
            after=render(wrong.value),
        ),
        Expectation(stance, Tier.MODEL, Fault.DEVICE_MODEL, wrong.doubt),
    )


def _set(known: PoolVariable, value: str) -> JsonObject:
    return {
        "setVariableData": [
            {
                "component": known.component_json(),
                "variable": known.variable_json(),
                "attributeValue": value,
            }
        ]
    }


# --- wrong values, by data type (Part 2, VariableCharacteristicsType and DataEnumType) -----------------------


def _wrong_values(known: PoolVariable) -> Iterator[_Wrong]:
    match known.data_type:
        case "boolean":
            yield from _BOOLEANS
        case "integer":
            yield from _INTEGERS
            yield from _beyond_limits(known)
        case "decimal":
            yield from _DECIMALS
            yield from _beyond_limits(known)
        case "dateTime":
            yield from _DATE_TIMES
        case "OptionList" | "MemberList" | "SequenceList":
            yield from _not_listed(known)
        case "string":
            yield from _too_long(known)
        case _:
            # An unknown data type says nothing of its values.
            return


_SPELLING = "Part 2 section 2.1.4 spells it otherwise, many readers convert it"

_BOOLEANS = (
    _Wrong("dataType", "text", "maybe"),
    _Wrong("dataType", "number", "2"),
    _Wrong("dataType", "empty", ""),
    _Wrong("dataType", "upper-case", "TRUE", _SPELLING),
    _Wrong("dataType", "one", "1", _SPELLING),
)
_INTEGERS = (
    _Wrong("dataType", "text-after", "12abc"),
    _Wrong("dataType", "fraction", "1.5"),
    _Wrong("dataType", "empty", ""),
    _Wrong("dataType", "two-numbers", "1 2"),
    _Wrong("dataType", "2**31", str(2**31)),
    _Wrong("dataType", "2**64", str(2**64)),
    _Wrong("dataType", "hexadecimal", "0x10"),
    _Wrong("dataType", "plus", "+1", _SPELLING),
    _Wrong("dataType", "leading-zero", "01", _SPELLING),
    _Wrong("dataType", "space", " 1", _SPELLING),
)
_DECIMALS = (
    _Wrong("dataType", "text", "abc"),
    _Wrong("dataType", "empty", ""),
    _Wrong("dataType", "comma", "1,5"),
    _Wrong("dataType", "two-points", "1.5.2"),
    _Wrong("dataType", "not-a-number", "NaN"),
    _Wrong("dataType", "infinity", "Infinity"),
    _Wrong("dataType", "plus", "+1", _SPELLING),
)
_DATE_TIMES = (
    _Wrong("dataType", "text", "yesterday"),
    _Wrong("dataType", "month-13", "2026-13-01T00:00:00Z"),
    _Wrong("dataType", "number", "1767225600"),
    _Wrong("dataType", "empty", "", "an empty value may mean that no moment is set"),
)


def _beyond_limits(known: PoolVariable) -> Iterator[_Wrong]:
    if known.min_limit is not None and known.min_limit > -INT32_MAX:
        yield _Wrong("minLimit", "below", _written(known.min_limit - 1))
    if known.max_limit is not None and known.max_limit < INT32_MAX:
        yield _Wrong("maxLimit", "above", _written(known.max_limit + 1))


def _written(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:.6f}".rstrip("0")


def _not_listed(known: PoolVariable) -> Iterator[_Wrong]:
    if not known.values:
        return
    first = known.values[0]
    yield _Wrong("valuesList", "unlisted", "ocppfuzz")
    if first.swapcase() not in known.values:
        yield _Wrong("valuesList", "wrong-case", first.swapcase(), "the list may ignore case")
    if known.data_type == "OptionList":
        if len(known.values) > 1:
            yield _Wrong("valuesList", "two-options", ",".join(known.values[:2]))
    else:
        yield _Wrong("valuesList", "listed-and-unlisted", f"{first},ocppfuzz")
        yield _Wrong("valuesList", "twice", f"{first},{first}", "no text forbids a repetition")


def _too_long(known: PoolVariable) -> Iterator[_Wrong]:
    # For a string the limit is the greatest length.
    if known.max_limit is None or not 0 < known.max_limit < MAX_ATTRIBUTE_VALUE:
        return
    most = int(known.max_limit)
    yield _Wrong("maxLimit", "one-more", "x" * (most + 1))
    if most + 1 < MAX_ATTRIBUTE_VALUE:
        yield _Wrong("maxLimit", "far-more", "x" * MAX_ATTRIBUTE_VALUE)


# --- another valid value ------------------------------------------------------------------------------------


def other_value(known: PoolVariable) -> str | None:
    """A value unlike the present one that data type, limits and list allow; None where none is known to be."""
    present = known.value
    if present is None:
        return None
    match known.data_type:
        case "boolean":
            return {"true": "false", "false": "true"}.get(present.lower())
        case "integer" | "decimal":
            return _next_number(known, present)
        case "OptionList":
            return next((v for v in known.values if v != present), None)
        case "MemberList" | "SequenceList":
            return _other_list(known, [v.strip() for v in present.split(",")])
        case "string":
            return _other_text(known, present)
        case _:
            return None


def farthest_value(known: PoolVariable) -> str | None:
    """The largest value that its limits allow: what is cut off or overflows does so there. None where none is told."""
    most = known.max_limit
    if most is None or known.value is None or not 0 < most <= INT32_MAX:
        return None
    match known.data_type:
        case "integer":
            return str(int(most))
        case "string":
            return "x" * min(int(most), MAX_ATTRIBUTE_VALUE)
        case _:
            return None


def _next_number(known: PoolVariable, present: str) -> str | None:
    if not _INTEGER.match(present):
        return None
    low = -INT32_MAX if known.min_limit is None else known.min_limit
    high = INT32_MAX if known.max_limit is None else known.max_limit
    number = int(present)
    return next((str(n) for n in (number + 1, number - 1) if low <= n <= high), None)


def _other_list(known: PoolVariable, present: list[str]) -> str | None:
    if len(present) > 1:
        return ",".join(present[:-1])
    return next((v for v in known.values if v not in present), None)


def _other_text(known: PoolVariable, present: str) -> str | None:
    most = MAX_ATTRIBUTE_VALUE if known.max_limit is None else int(known.max_limit)
    longer = f"{present}x"
    return longer if len(longer) <= most else None
