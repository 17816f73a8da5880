"""What must outlive a reboot (B01.FR.07, G03.FR.08, G04.FR.09): the station itself, its variables, certificates, availability.

Knows what was accepted before a boot and what was read after it. Must not know why the station booted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from strategies.labels import JsonObject, JsonValue
from strategies.model.events import (
    Asked,
    Called,
    Closed,
    Event,
    Missed,
    Objection,
    Operated,
    Told,
    Topic,
    Weight,
    member,
    number,
    objects,
    text,
)
from strategies.model.facts import NEVER, Facts, Standing
from strategies.model.rule import Rule

_OTHERS_CHANGE = frozenset(
    {
        # By the answer to BootNotification, a new connection, an upgrade (B01.FR.04, B09, B10), or time.
        "heartbeatinterval",
        "activenetworkprofile",
        "networkconfigurationpriority",
        "securityprofile",
        "identity",
        "basicauthpassword",
        "datetime",
        "availabilitystate",
    }
)
LEAST_WAIT_S = 30.0
"""No station is said to stay away before this time."""


@dataclass(slots=True)
class _Value:
    """What one attribute was set to, and in which life of the station."""

    value: str
    name: str
    era: int
    exact: bool
    """Whether it was read as this, not only set to it."""
    due: bool = False
    """Whether it is to hold from the next boot on: what is read until then may be either (B05, RebootRequired)."""


class Keeping(Rule):
    """Follows accepted changes over boots."""

    def __init__(self, facts: Facts, volatile: Collection[str]) -> None:
        self._facts = facts
        self._volatile = frozenset(name.casefold() for name in volatile)
        self._values: dict[tuple[str, ...], _Value] = {}
        self._roots = Roots(facts)
        self._inoperative: dict[tuple[int, int], int] = {}
        self._shown: dict[tuple[int, int], str] = {}
        """What connectors were told to be since the last change of availability, in the life in which it was made."""
        self._last_set = self._last_change = ""
        self._going_s = NEVER
        self._by = ""
        self._gone = self._at_once = self._installs = False
        self._network = True

    def saw(self, event: Event) -> Iterator[Objection]:
        """What was lost over a boot."""
        yield from self._roots.saw(event)
        match event:
            case Asked():
                self._asked(event)
            case Told(asked=Asked(action="Reset")):
                self._reset(event)
            case Told(asked=Asked(action="SetVariables")):
                self._set(event)
            case Told(asked=Asked(action="GetVariables")):
                yield from self._read(event)
            case Told(asked=Asked(action="ChangeAvailability")):
                self._availability(event)
            case Called(action="BootNotification"):
                self._going_s, self._gone = NEVER, False
            case Called(action="StatusNotification"):
                yield from self._status(event)
            case Closed():
                self._gone |= self._going_s > NEVER
            case Operated():
                self._operated(event)
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether the station ever came back."""
        waits = [m.timeout_s for m in missed if m.action == "BootNotification"]
        away_s = end_s - self._going_s
        if not waits or self._going_s == NEVER or not self._network:
            return
        if not self._gone and away_s >= max(LEAST_WAIT_S, *waits) and self._may_reset():
            yield Objection(
                "B11, B12",
                "Reset accepted and not carried out",
                "Reset was accepted, and the station neither hung up nor said BootNotification",
                Topic.LOST,
                Weight.HIGH,
            )
        if self._gone and away_s >= max(LEAST_WAIT_S, *waits):
            yield Objection(
                "B01.FR.03",
                f"no BootNotification after {self._by}",
                f"nothing was heard of the station after {self._by}; a change it had accepted may be the cause",
                Topic.LOST,
                Weight.CRITICAL,
            )

    def _may_reset(self) -> bool:
        """Whether nothing may hold up a reset: a transaction that goes on, an answer that the station waits for, a firmware."""
        facts = self._facts
        idle = not any(t.ended_seq is None for t in facts.transactions.values())
        calm = facts.outstanding is None and facts.interrupted_s < self._going_s
        return self._by == "Reset" and calm and (idle or self._at_once) and not self._installs

    def _asked(self, event: Asked) -> None:
        """Until the answer is here, and if it never comes, nobody knows what holds."""
        if event.action == "SetVariables":
            for item in objects(event.payload, "setVariableData"):
                self._values.pop(_key(item), None)
            self._last_set = event.id
        elif event.action == "UpdateFirmware":
            self._installs = True
        elif event.action == "ChangeAvailability":
            self._inoperative.clear()
            self._shown.clear()
            self._last_change = event.id

    # --- the station --------------------------------------------------------------------------------------

    def _reset(self, event: Told) -> None:
        whole = isinstance(event.asked.payload, dict) and "evseId" not in event.asked.payload
        if event.status == "Accepted" and whole:
            self._going_s, self._by, self._gone = event.at_s, "Reset", False
            self._at_once = text(event.asked.payload, "type") == "Immediate"

    def _operated(self, event: Operated) -> None:
        match event.deed:
            case "power-cycle":
                self._going_s, self._by, self._gone = event.at_s, "power loss", True
            case "cut-network":
                # What a station does without a network, and how it comes back, is another question.
                self._network = False
            case _:
                pass

    # --- variables ----------------------------------------------------------------------------------------

    def _set(self, event: Told) -> None:
        asked = objects(event.asked.payload, "setVariableData")
        results = objects(event.payload, "setVariableResult")
        if len(asked) != len(results) or event.asked.id != self._last_set:
            return
        for item, result in zip(asked, results, strict=True):
            key = _key(item)
            status = text(result, "attributeStatus")
            if status in ("Accepted", "RebootRequired") and _key(result) == key:
                value = text(item, "attributeValue")
                due, boots = status == "RebootRequired", self._facts.boots
                self._values[key] = _Value(value, _name(item), boots, exact=False, due=due)

    def _read(self, event: Told) -> Iterator[Objection]:
        for result in objects(event.payload, "getVariableResult"):
            kept = self._values.get(_key(result))
            if kept is None or text(result, "attributeStatus") != "Accepted":
                continue
            value = member(result, "attributeValue")
            if not isinstance(value, str):
                continue
            if kept.era == self._facts.boots:
                if not kept.due:
                    kept.value, kept.exact = value, True
            elif not self._same(kept, value) and not self._excused(result):
                yield Objection(
                    "B05",
                    "accepted variable lost over a reboot",
                    f"{kept.name} was accepted before a reboot and reads otherwise after it",
                    Topic.LOST,
                )
                del self._values[_key(result)]

    def _same(self, kept: _Value, value: str) -> bool:
        if kept.exact:
            return kept.value == value
        # Implementation's choice: how a value is written that means the same.
        return kept.value.strip().casefold().replace(" ", "") == value.casefold().replace(" ", "")

    def _excused(self, item: JsonObject) -> bool:
        if text(item, "variable", "name").casefold() in _OTHERS_CHANGE:
            return True
        return (
            self._facts.standing is not Standing.ACCEPTED
            or _name(item).casefold() in self._volatile
        )

    # --- availability -------------------------------------------------------------------------------------

    def _availability(self, event: Told) -> None:
        payload = event.asked.payload
        evse, connector = number(payload, "evse", "id"), number(payload, "evse", "connectorId")
        if event.status != "Accepted" or event.asked.id != self._last_change:
            return
        if text(payload, "operationalStatus") == "Inoperative":
            self._inoperative[evse or 0, connector or 0] = self._facts.boots

    def _status(self, event: Called) -> Iterator[Objection]:
        evse, connector = number(event.payload, "evseId"), number(event.payload, "connectorId")
        status = text(event.payload, "connectorStatus")
        if evse is None:
            return
        here = (evse, connector or 0)
        places = [p for p in ((0, 0), (evse, 0), here) if p in self._inoperative]
        later = [p for p in places if self._inoperative[p] < self._facts.boots]
        if not later:
            self._shown[here] = status
        elif status == "Available":
            for place in later:
                del self._inoperative[place]
            yield self._available(before=self._shown.get(here, ""))

    @staticmethod
    def _available(before: str) -> Objection:
        """Lost is only what was there: a connector that nobody ever saw unavailable was perhaps never made so (B01.FR.07)."""
        if before == "Unavailable":
            return Objection(
                "B01.FR.07",
                "availability lost over a reboot",
                "a connector that was made Inoperative, and was unavailable, is Available after a reboot",
                Topic.LOST,
            )
        return Objection(
            "B01.FR.07, G03.FR.08, G04.FR.09",
            "Inoperative connector is Available",
            "a connector that was made Inoperative is Available after a reboot, and was not seen otherwise before",
        )


# --- certificates ---------------------------------------------------------------------------------------------

_Hash = tuple[str, ...]
_LASTING = frozenset({"ManufacturerRootCertificate", "MORootCertificate", "V2GRootCertificate"})
"""Roots that only InstallCertificate and DeleteCertificate change: one for CSMSs may go by itself (M05.FR.12)."""
_CHANGES = frozenset({"InstallCertificate", "DeleteCertificate"})
_SERVING = (Standing.UNKNOWN, Standing.ACCEPTED)


class Roots:
    """Follows lists of installed roots over boots: what nobody changed is listed in the same words (M03, M05)."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._listed: dict[str, tuple[int, frozenset[_Hash]]] = {}
        self._updated = False

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether a list is another one after a boot."""
        match event:
            case Asked(action=action) | Told(asked=Asked(action=action)) if action in _CHANGES:
                # Until it is listed again, nobody knows what there is.
                self._listed.clear()
            case Asked(action="UpdateFirmware"):
                # Other firmware may bring roots of its own.
                self._updated = True
            case Told(asked=Asked(action="GetInstalledCertificateIds")):
                yield from self._list(event)
            case _:
                pass

    def _list(self, event: Told) -> Iterator[Objection]:
        told = event.status in ("Accepted", "NotFound")
        if not told or self._updated or self._facts.standing not in _SERVING:
            return
        chains = objects(event.payload, "certificateHashDataChain")
        asked = member(event.asked.payload, "certificateType")
        for use in _LASTING if asked is None else _LASTING & _texts(asked):
            now = frozenset(_hash(c) for c in chains if text(c, "certificateType") == use)
            era, before = self._listed.get(use, (self._facts.boots, now))
            self._listed[use] = self._facts.boots, now
            if era < self._facts.boots and before != now:
                yield Objection(
                    "M03",
                    "another list of certificates after a reboot",
                    f"{use} is listed otherwise after a reboot than before it, although nothing was installed or deleted",
                    Topic.LOST,
                )


def _texts(value: JsonValue) -> frozenset[str]:
    found = value if isinstance(value, list) else ()
    return frozenset(v for v in found if isinstance(v, str))


def _hash(chain: JsonValue) -> _Hash:
    """What a certificate is called by; hex is the same in either case, a serial number with leading zeros or without."""
    names = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash")
    data = (text(chain, "certificateHashData", name).lower() for name in names)
    return (*data, text(chain, "certificateHashData", "serialNumber").lower().lstrip("0"))


def _key(item: JsonValue) -> tuple[str, ...]:
    """Which attribute is meant; names are the same in either case of letters."""
    evse = number(item, "component", "evse", "id"), number(item, "component", "evse", "connectorId")
    names = (
        text(item, "component", "name"),
        text(item, "component", "instance"),
        text(item, "variable", "name"),
        text(item, "variable", "instance"),
        text(item, "attributeType") or "Actual",
    )
    return (*(name.casefold() for name in names), str(evse[0]), str(evse[1]))


def _name(item: JsonValue) -> str:
    """How a variable is written for people: `Component.Variable`, with evse and instances where there are any."""
    evse = number(item, "component", "evse", "id")
    connector = number(item, "component", "evse", "connectorId")
    place = "" if evse is None else f"[{evse}]" if connector is None else f"[{evse},{connector}]"
    instance = text(item, "component", "instance")
    first = text(item, "component", "name") + (f"/{instance}" if instance else "")
    variable_instance = text(item, "variable", "instance")
    last = text(item, "variable", "name") + (f"[{variable_instance}]" if variable_instance else "")
    return f"{first}{place}.{last}"
