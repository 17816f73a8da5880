"""What base reports name: a variable that was told once does not vanish because another value was set (B07).

Knows components and variables of NotifyReport by name. Must not know the order of parts (`reports` does), nor values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from strategies.labels import JsonObject
from strategies.model.events import (
    Asked,
    Called,
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

_PLAIN = frozenset({"GetBaseReport", "GetVariables", "SetVariables", "GetReport"})
"""CALLs that neither add nor remove a variable, unless a component is switched on or off."""

_BASES = frozenset({"FullInventory", "ConfigurationInventory"})
"""What a SummaryInventory names depends on what is wrong just now."""

_SWITCHES = frozenset({"enabled", "available", "active"})
_Name = tuple[object, ...]


@dataclass(slots=True)
class _Telling:
    """One report under way; `whole` until a part is missing or cannot be understood."""

    base: str
    names: set[_Name] = field(default_factory=set)
    writable: set[_Name] = field(default_factory=set)
    next: int = 0
    whole: bool = True


class Inventory(Rule):
    """Compares each whole report with the last whole one of the same base."""

    def __init__(self) -> None:
        self._telling: dict[int, _Telling] = {}
        self._told: dict[str, set[_Name]] = {}
        self._writable: set[_Name] = set()
        """What the last FullInventory says can be set."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What a report that is complete lacks."""
        match event:
            case Asked(action="GetBaseReport"):
                self._begin(event)
            case Asked():
                if event.action not in _PLAIN or _switches(event):
                    self._forget()
            case Told(asked=Asked(action="GetBaseReport")) if event.status != "Accepted":
                self._telling.pop(number(event.asked.payload, "requestId") or 0, None)
            case Called(action="NotifyReport"):
                yield from self._part(event)
            case Called(action="BootNotification") | Operated() | Opened() | Died():
                self._forget()
            case _:
                pass

    def _forget(self) -> None:
        self._telling.clear()
        self._told.clear()

    def _begin(self, event: Asked) -> None:
        id_ = number(event.payload, "requestId")
        if id_ is not None:
            # Two reports under one id cannot be told apart.
            telling = _Telling(text(event.payload, "reportBase"), whole=id_ not in self._telling)
            self._telling[id_] = telling

    def _part(self, event: Called) -> Iterator[Objection]:
        id_ = number(event.payload, "requestId")
        telling = self._telling.get(-1 if id_ is None else id_)
        if telling is None:
            return
        telling.whole &= number(event.payload, "seqNo") == telling.next
        telling.next += 1
        for item in objects(event.payload, "reportData"):
            telling.names.add(_name(item))
            if any(_is_settable(a) for a in objects(item, "variableAttribute")):
                telling.writable.add(_name(item))
        if member(event.payload, "tbc") is True:
            return
        del self._telling[id_ or 0]
        if telling.whole and telling.base in _BASES:
            yield from self._complete(telling)

    def _beside(self) -> Iterator[Objection]:
        """B07.FR.07, B07.FR.08: one inventory is what can be set of the other; absent mutability is no ground."""
        full, settings = map(self._told.get, ("FullInventory", "ConfigurationInventory"))
        if full is None or settings is None:
            return
        for base, lacks in (
            ("ConfigurationInventory", self._writable - settings),
            ("FullInventory", settings - full),
        ):
            if lacks:
                yield Objection(
                    "B07",
                    f"{base} lacks what the other inventory names",
                    f"{base} does not name {_first(lacks)}, which by the other inventory is there, and can be set",
                    weight=Weight.LOW,
                )

    def _complete(self, telling: _Telling) -> Iterator[Objection]:
        missing = self._told.get(telling.base, set()) - telling.names
        self._told[telling.base] = telling.names
        if telling.base == "FullInventory":
            self._writable = telling.writable
            yield from _required(telling.names)
        yield from self._beside()
        if missing:
            example = _first(missing)
            yield Objection(
                "B07",
                "variables missing from a later report",
                f"{telling.base} names {len(missing)} variables less than before, {example} among them, "
                "and nothing that was asked in between removes one",
            )


def _first(names: set[_Name]) -> str:
    return min(".".join(str(part) for part in name if part) for name in names)


def _is_settable(attribute: JsonObject) -> bool:
    actual = text(attribute, "type") in ("", "Actual")
    return actual and text(attribute, "mutability") in ("ReadWrite", "WriteOnly")


_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "AuthCtrlr": ("AuthorizeRemoteStart", "LocalAuthorizeOffline", "LocalPreAuthorize"),
    "ClockCtrlr": ("DateTime", "TimeSource"),
    "DeviceDataCtrlr": (
        "BytesPerMessage/GetReport",
        "BytesPerMessage/GetVariables",
        "BytesPerMessage/SetVariables",
        "ItemsPerMessage/GetReport",
        "ItemsPerMessage/GetVariables",
        "ItemsPerMessage/SetVariables",
    ),
    "OCPPCommCtrlr": (
        "FileTransferProtocols",
        "MessageAttemptInterval/TransactionEvent",
        "MessageAttempts/TransactionEvent",
        "MessageTimeout/Default",
        "NetworkConfigurationPriority",
        "NetworkProfileConnectionAttempts",
        "OfflineThreshold",
        "ResetRetries",
        "UnlockOnEVSideDisconnect",
    ),
    "SampledDataCtrlr": (
        "TxEndedInterval",
        "TxEndedMeasurands",
        "TxStartedMeasurands",
        "TxUpdatedInterval",
        "TxUpdatedMeasurands",
    ),
    "SecurityCtrlr": ("CertificateEntries", "OrganizationName", "SecurityProfile"),
    "TxCtrlr": (
        "EVConnectionTimeOut",
        "StopTxOnEVSideDisconnect",
        "StopTxOnInvalidId",
        "TxStartPoint",
        "TxStopPoint",
    ),
}
"""Variables of the whole station that are required of everybody, with their instance after a slash."""


def _required(names: set[_Name]) -> Iterator[Objection]:
    there = {(n[0], n[2], n[3]) for n in names}
    for component, variables in _REQUIRED.items():
        for variable in variables:
            name, _, instance = variable.partition("/")
            if (component.casefold(), name.casefold(), instance.casefold()) not in there:
                yield Objection(
                    "B07, referenced variables",
                    "required variable not in FullInventory",
                    f"FullInventory does not name {component}.{variable}, which every station must have",
                    weight=Weight.LOW,
                )
                return


def _name(item: object) -> _Name:
    value = item if isinstance(item, dict) else {}
    parts = (
        text(value, "component", "name"),
        text(value, "component", "instance"),
        text(value, "variable", "name"),
        text(value, "variable", "instance"),
    )
    evse = number(value, "component", "evse", "id")
    return (*(p.casefold() for p in parts), evse, number(value, "component", "evse", "connectorId"))


def _switches(event: Asked) -> bool:
    """Whether a CALL may switch a component on or off, whose variables may come and go with it."""
    items = objects(event.payload, "setVariableData")
    names = {text(item, "variable", "name").casefold() for item in items}
    return event.action == "SetVariables" and bool(names & _SWITCHES)
