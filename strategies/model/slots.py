"""Network profiles (B09, B10, A05): which may be stored at all, and a slot of one that was may be named in the order of slots.

Knows profiles that were accepted in this scene, and the slot that the station says it uses. Must not know what was stored
before: whatever else is named may be empty, and is then refused with good reason (B10.FR.02).
"""

from __future__ import annotations

from collections.abc import Iterator

from strategies.labels import JsonObject
from strategies.model.events import (
    Asked,
    Called,
    Event,
    Objection,
    Told,
    Weight,
    number,
    objects,
    text,
)
from strategies.model.rule import Rule

_COMPONENT = "ocppcommctrlr"
_PRIORITY, _ACTIVE = "networkconfigurationpriority", "activenetworkprofile"


class Slots(Rule):
    """Follows which slots surely hold a profile of the security profile that is in force."""

    def __init__(self, profile: int) -> None:
        """`profile` is the security profile of the connection, 0 where it is not known or there is none."""
        self._profile = profile
        self._stored: set[int] = set()
        self._active: int | None = None
        self._there: frozenset[int | None] | None = None
        """The slots that there are, by what a report said since the last boot; None where nobody knows."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with an order of slots that was refused."""
        match event:
            case Asked(action="SetNetworkProfile"):
                # Until it is answered nobody knows what the slot holds.
                self._stored.discard(_slot(event))
            case Told(asked=Asked(action="SetNetworkProfile"), status="Accepted"):
                self._store(event.asked)
                yield from self._must_not(event.asked)
            case Called(action="NotifyReport"):
                self._told(event)
            case Called(action="BootNotification"):
                self._there = None
            case Told(asked=Asked(action="GetVariables")):
                self._read(event)
            case Told(asked=Asked(action="SetVariables")):
                yield from self._ordered(event)
            case _:
                pass

    def _store(self, asked: Asked) -> None:
        # A lower profile is to be refused, and a higher one may want for certificates (A05.FR.02, FR.03, FR.08).
        level = number(asked.payload, "connectionData", "securityProfile")
        if level == self._profile > 0:
            self._stored.add(_slot(asked))

    def _must_not(self, asked: Asked) -> Iterator[Objection]:
        level = number(asked.payload, "connectionData", "securityProfile")
        # Later editions allow to go from 3 back to 2 where a variable does (A05.FR.08).
        lower = level is not None and level < self._profile and (self._profile, level) != (3, 2)
        if lower:
            yield Objection(
                "B09.FR.04, A00.FR.005",
                "network profile of lower security accepted",
                f"SetNetworkProfile with securityProfile {level} was accepted over a connection of profile {self._profile}",
                weight=Weight.HIGH,
            )
        if self._there is not None and _slot(asked) not in self._there:
            yield Objection(
                "B09.FR.05",
                "network profile accepted in a slot that is not there",
                f"SetNetworkProfile was accepted in slot {_slot(asked)}, which the valuesList of"
                " NetworkConfigurationPriority does not name",
            )

    def _told(self, event: Called) -> None:
        for item in objects(event.payload, "reportData"):
            if not _is(item, _PRIORITY):
                continue
            listed = text(item, "variableCharacteristics", "valuesList")
            slots = frozenset(_number(slot.strip()) for slot in listed.split(","))
            self._there = None if None in slots else slots

    def _read(self, event: Told) -> None:
        for item in objects(event.payload, "getVariableResult"):
            if _is(item, _ACTIVE) and text(item, "attributeStatus") == "Accepted":
                self._active = _number(text(item, "attributeValue"))

    def _ordered(self, event: Told) -> Iterator[Objection]:
        asked = [i for i in objects(event.asked.payload, "setVariableData") if _is(i, _PRIORITY)]
        told = [i for i in objects(event.payload, "setVariableResult") if _is(i, _PRIORITY)]
        if len(asked) != 1 or len(told) != 1:
            return
        value = text(asked[0], "attributeValue")
        slots = [_number(slot) for slot in value.split(",")]
        known = set(slots) <= self._stored | {self._active}
        # One that is named twice is no order.
        ordered = None not in slots and len(set(slots)) == len(slots) and self._stored & set(slots)
        if text(told[0], "attributeStatus") == "Rejected" and known and ordered:
            yield Objection(
                "B10.FR.01, A05.FR.04",
                "slot of an accepted profile refused",
                f"NetworkConfigurationPriority {value} was Rejected, although each of its slots is in use, or was"
                " Accepted by SetNetworkProfile with the same security profile",
            )


def _slot(asked: Asked) -> int:
    slot = number(asked.payload, "configurationSlot")
    return -1 if slot is None else slot


def _number(slot: str) -> int | None:
    return int(slot) if slot.isascii() and slot.isdecimal() and len(slot) < 6 else None


def _is(item: JsonObject, variable: str) -> bool:
    """True for an item about a variable of the communication controller as it is."""
    component = text(item, "component", "name").casefold()
    actual = text(item, "attributeType") in ("", "Actual")
    return (
        actual and component == _COMPONENT and text(item, "variable", "name").casefold() == variable
    )
