"""What reports say of variables (B07, B08): the values that GetVariables tells, of the kind that they say themselves.

Knows NotifyReport and the data types of the device model. Must not know which variables a station must have, nor what a
SetVariables should have done (the oracle of what is read back does).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from strategies.labels import JsonObject, JsonValue
from strategies.model.events import (
    Asked,
    Called,
    Closed,
    Died,
    Event,
    Objection,
    Opened,
    Operated,
    Told,
    Weight,
    member,
    number,
    objects,
    text,
)
from strategies.model.rule import Rule

_READS = frozenset({"GetBaseReport", "GetReport", "GetVariables", "GetTransactionStatus"})
_STIRS = frozenset({"TransactionEvent", "StatusNotification", "BootNotification"})
_Name = tuple[object, ...]
_READABLE = ("", "ReadOnly", "ReadWrite")
_MAY_BE_UNSAID = ("evse", "", "power", "")
"""Of EVSE.Power a station may know only how far it goes (TC_B_53)."""


@dataclass(slots=True)
class _Report:
    """What was asked for under one requestId: the base, or the components and variables."""

    base: str
    wanted: list[JsonObject] = field(default_factory=list)
    next: int = 0
    told: list[JsonObject] = field(default_factory=list)
    """What was told so far, as long as no part is missing."""


class Readings(Rule):
    """Compares reports with what else was said of the same variables."""

    def __init__(self, volatile: Collection[str]) -> None:
        self._volatile = frozenset(name.casefold() for name in volatile)
        self._values: dict[_Name, str] = {}
        self._there: set[_Name] = set()
        """What GetVariables could read."""
        self._reports: dict[int, _Report | None] = {}
        self._fresh: set[int | str] = set()
        """The requestIds and messageIds of what was asked since anything may have changed: parts of a report that was
        asked for before tell what was so then."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with a part of a report, or with a reading after it."""
        match event:
            case Asked(action="GetBaseReport" | "GetReport"):
                self._asked(event)
            case Asked() if event.action not in _READS:
                self._forget()
            case Asked(action="GetVariables"):
                self._fresh.add(event.id)
            case Told(asked=Asked(action="GetVariables")) if event.asked.id in self._fresh:
                yield from self._read(event)
            case Called(action="NotifyReport"):
                yield from self._part(event)
            case Called() if event.action in _STIRS:
                self._forget()
            case Operated() | Opened() | Closed() | Died():
                self._forget()
            case _:
                pass

    def _forget(self) -> None:
        """Anything may have another value from now on."""
        self._values.clear()
        self._there.clear()
        self._fresh.clear()

    def _asked(self, event: Asked) -> None:
        id_ = number(event.payload, "requestId")
        if id_ is None:
            return
        wanted = objects(event.payload, "componentVariable")
        made = _Report(text(event.payload, "reportBase"), wanted)
        criteria = member(event.payload, "componentCriteria")
        # Two reports under one id cannot be told apart, and criteria add what nobody named (B08.FR.05).
        again = id_ in self._reports
        self._reports[id_] = None if again or criteria is not None else made
        if not again:
            self._fresh.add(id_)

    # --- values -------------------------------------------------------------------------------------------

    def _read(self, event: Told) -> Iterator[Objection]:
        for result in objects(event.payload, "getVariableResult"):
            value = member(result, "attributeValue")
            actual = text(result, "attributeType") in ("", "Actual")
            if actual and text(result, "attributeStatus") == "Accepted":
                self._there.add(_name(result))
            if actual and text(result, "attributeStatus") == "Accepted" and isinstance(value, str):
                yield from self._says(result, value)

    def _says(self, item: JsonObject, value: str) -> Iterator[Objection]:
        name = _name(item)
        before = self._values.setdefault(name, value)
        if _plain(before) != _plain(value) and self._lasts(item) and not _goes_on(before, value):
            self._values[name] = value
            yield Objection(
                "B06, B07",
                "report and GetVariables disagree",
                f"{_written(item)} has one value in a report and another in GetVariables, and nothing was set",
            )

    def _lasts(self, item: JsonObject) -> bool:
        return _written(item).casefold() not in self._volatile

    # --- reports ------------------------------------------------------------------------------------------

    def _part(self, event: Called) -> Iterator[Objection]:
        id_ = number(event.payload, "requestId")
        report = self._reports.get(-1 if id_ is None else id_)
        for item in objects(event.payload, "reportData"):
            for attribute in objects(item, "variableAttribute"):
                yield from self._attribute(item, attribute, report, told=id_ in self._fresh)
            if report is not None and report.wanted and not _named(item, report.wanted):
                yield Objection(
                    "B08",
                    "report of what was not asked for",
                    f"GetReport named components and variables, and NotifyReport tells of {_written(item)}",
                    weight=Weight.LOW,
                )

        if report is not None and report.wanted:
            yield from self._lacks(event, report, fresh=id_ in self._fresh)

    def _lacks(self, event: Called, report: _Report, *, fresh: bool) -> Iterator[Objection]:
        """B08.FR.05: what was named and is there is told, once all parts have come."""
        whole = number(event.payload, "seqNo") == report.next
        report.next = report.next + 1 if whole else -1
        report.told += objects(event.payload, "reportData")
        if not (whole and fresh) or member(event.payload, "tbc") is True:
            return
        for one in report.wanted:
            both = text(one, "component", "name") and text(one, "variable", "name")
            here = both and _name(one) in self._there
            if here and not any(_is_that(item, one) for item in report.told):
                yield Objection(
                    "B08",
                    "report without what was asked for",
                    f"GetReport named {_written(one)}, which GetVariables reads, and no part of the report tells of it",
                    weight=Weight.LOW,
                )

    def _attribute(
        self, item: JsonObject, attribute: JsonObject, report: _Report | None, *, told: bool
    ) -> Iterator[Objection]:
        value, mutability = member(attribute, "value"), text(attribute, "mutability")
        if (
            report is not None
            and report.base == "ConfigurationInventory"
            and mutability == "ReadOnly"
        ):
            yield Objection(
                "B07.FR.07",
                "ConfigurationInventory names what cannot be set",
                f"ConfigurationInventory tells of {_written(item)}, which is ReadOnly",
                weight=Weight.LOW,
            )
        if text(attribute, "type") not in ("", "Actual"):
            return
        if value is None and mutability in _READABLE and _name(item)[:4] != _MAY_BE_UNSAID:
            yield Objection(
                "B07, VariableAttributeType",
                "report without a value",
                f"NotifyReport tells of {_written(item)}, which can be read, without its value",
                weight=Weight.LOW,
            )
        if not isinstance(value, str):
            return
        if mutability == "WriteOnly" and value:
            yield Objection(
                "B07",
                "report tells what is WriteOnly",
                f"NotifyReport tells the value of {_written(item)}, which is WriteOnly",
            )
        if value and (kind := _wrong_kind(value, member(item, "variableCharacteristics"))):
            yield Objection(
                "B07",
                "reported value is not of its own kind",
                f"the value of {_written(item)} is {kind} by what the same report says of it",
                weight=Weight.LOW,
            )
        if told:
            yield from self._says(item, value)


# --- data types (VariableCharacteristicsType) ---------------------------------------------------------------

_INTEGER = re.compile(r"[+-]?\d+\Z", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?\Z", re.ASCII)
_LISTS = frozenset({"OptionList", "MemberList", "SequenceList"})
_NUMBERS: Mapping[str, re.Pattern[str]] = {"integer": _INTEGER, "decimal": _DECIMAL}


def _wrong_kind(value: str, described: JsonValue) -> str:
    """What is wrong with a value by its own characteristics, "" where nothing is."""
    kind = text(described, "dataType")
    if kind == "boolean" and value.casefold() not in ("true", "false"):
        return "no boolean"
    if kind in _NUMBERS:
        if not _NUMBERS[kind].match(value) or len(value) > _LONGEST_NUMBER:
            return f"no {kind}"
        return _beyond(float(value), described)
    if kind == "dateTime" and not _is_moment(value):
        return "no dateTime"
    listed = [v.strip() for v in text(described, "valuesList").split(",") if v.strip()]
    if kind in _LISTS and listed:
        parts = [value] if kind == "OptionList" else value.split(",")
        known = {v.casefold() for v in listed}
        if any(p.strip() and p.strip().casefold() not in known for p in parts):
            return "not in its valuesList"
    return ""


_LONGEST_NUMBER = 30
_FRACTION = re.compile(r"[+-]?[0-9]{1,30}\.[0-9]{1,30}")


def _beyond(value: float, described: JsonValue) -> str:
    low, high = _limit(described, "minLimit"), _limit(described, "maxLimit")
    if low is not None and value < low:
        return "below its minLimit"
    return "above its maxLimit" if high is not None and value > high else ""


def _limit(described: JsonValue, name: str) -> float | None:
    value = member(described, name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_moment(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _goes_on(before: str, value: str) -> bool:
    """Whether both are times, or fractions as they are measured: such change by themselves, be it known of them or not."""
    both = before, value
    return all("T" in v and _is_moment(v) for v in both) or all(map(_FRACTION.fullmatch, both))


def _plain(value: str) -> str:
    return value.strip().casefold()


# --- names --------------------------------------------------------------------------------------------------


def _name(item: JsonObject) -> _Name:
    names = (
        text(item, "component", "name"),
        text(item, "component", "instance"),
        text(item, "variable", "name"),
        text(item, "variable", "instance"),
    )
    evse = number(item, "component", "evse", "id")
    return (*(n.casefold() for n in names), evse, number(item, "component", "evse", "connectorId"))


def _written(item: JsonObject) -> str:
    return f"{text(item, 'component', 'name')}.{text(item, 'variable', 'name')}"


def _named(item: JsonObject, wanted: list[JsonObject]) -> bool:
    """Whether a variable is one of those that GetReport named; what it left open is any (B08.FR.21 to FR.23)."""
    return any(_is_that(item, one) for one in wanted)


def _is_that(item: JsonObject, one: JsonObject) -> bool:
    paths = (("component", "name"), ("component", "instance"), ("variable", "name"))
    for path in (*paths, ("variable", "instance")):
        asked = text(one, *path).casefold()
        if asked and asked != text(item, *path).casefold():
            return False
    evse = number(one, "component", "evse", "id")
    return evse is None or evse == number(item, "component", "evse", "id")
