"""What a Charging Station said about itself: boot facts, reported variables, security events; all of it bounded.

Reads payloads that nobody has validated: a member of the wrong type counts as absent. Must not know how they came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from strategies.labels import JsonObject, JsonValue

MAX_REPORTS = 64
MAX_WEIGHT = 16_000_000
MAX_EVENTS = 200
MAX_TEXT = 512


@dataclass(frozen=True, slots=True)
class BootFacts:
    """The members of one BootNotificationRequest; an absent one is ""."""

    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One SecurityEventNotificationRequest."""

    type: str
    timestamp: str = ""
    tech_info: str = ""


class Facts:
    """What the station has said so far.

    Attributes:
        boot: the latest BootNotification, None before the first.
        boots: how many there were.
        boot_reasons: the reasons of the latest ones, oldest first.
        security_events: the latest ones, oldest first.
        statuses: connectorStatus by (evseId, connectorId).
    """

    def __init__(self) -> None:
        self.boot: BootFacts | None = None
        self.boots = 0
        self.boot_reasons: deque[str] = deque(maxlen=MAX_EVENTS)
        self.security_events: deque[SecurityEvent] = deque(maxlen=MAX_EVENTS)
        self.statuses: dict[tuple[int, int], str] = {}
        self._reports: dict[int, list[JsonObject]] = {}
        self._complete: set[int] = set()
        self._weight = 0

    def note_boot(self, payload: JsonValue) -> None:
        """The station booted, or says so."""
        station = member(payload, "chargingStation")
        self.boot = BootFacts(
            vendor=text(station, "vendorName"),
            model=text(station, "model"),
            firmware=text(station, "firmwareVersion"),
            serial=text(station, "serialNumber"),
            reason=text(payload, "reason"),
        )
        self.boots += 1
        self.boot_reasons.append(self.boot.reason)

    def note_security_event(self, payload: JsonValue) -> None:
        """The station reports a security event (A04)."""
        self.security_events.append(
            SecurityEvent(
                text(payload, "type"), text(payload, "timestamp"), text(payload, "techInfo")
            )
        )

    def note_status(self, payload: JsonValue) -> None:
        """The station reports a connector's status (G01)."""
        evse, connector = integer(payload, "evseId"), integer(payload, "connectorId")
        if evse is None or connector is None:
            return
        if (evse, connector) in self.statuses or len(self.statuses) < MAX_EVENTS:
            self.statuses[evse, connector] = text(payload, "connectorStatus")

    def note_report(self, payload: JsonValue) -> None:
        """The station reports variables (B07); beyond the bounds they are counted as complete but not kept."""
        request_id = integer(payload, "requestId")
        if request_id is None or self._full(request_id):
            return
        kept = self._reports.setdefault(request_id, [])
        for item in items(payload, "reportData"):
            if isinstance(item, dict) and self._has_room(item):
                kept.append(item)
        if member(payload, "tbc") is not True:
            self._complete.add(request_id)

    def _has_room(self, item: JsonObject) -> bool:
        heavier = self._weight + weight(item)
        if heavier > MAX_WEIGHT:
            return False
        self._weight = heavier
        return True

    def _full(self, request_id: int) -> bool:
        return request_id not in self._reports and len(self._reports) >= MAX_REPORTS

    @property
    def reports(self) -> Mapping[int, list[JsonObject]]:
        """The ReportDataType objects received so far, by requestId."""
        return self._reports

    def complete(self, request_id: int) -> bool:
        """True when the last part (`tbc` false or absent) of that report has come."""
        return request_id in self._complete

    def forget_report(self, request_id: int) -> None:
        """Make room: the report is dropped."""
        self._weight -= sum(map(weight, self._reports.pop(request_id, [])))
        self._complete.discard(request_id)


def member(value: JsonValue, name: str) -> JsonValue:
    """The member of an object; None when absent or when `value` is no object."""
    return value.get(name) if isinstance(value, dict) else None


def text(value: JsonValue, name: str) -> str:
    """A member that is a string, cut to a sane length; "" otherwise."""
    found = member(value, name)
    return found[:MAX_TEXT] if isinstance(found, str) else ""


def integer(value: JsonValue, name: str) -> int | None:
    """A member that is an integer; None otherwise (a boolean is no integer)."""
    found = member(value, name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def items(value: JsonValue, name: str) -> list[JsonValue]:
    """A member that is an array; [] otherwise."""
    found = member(value, name)
    return found if isinstance(found, list) else []


def weight(value: JsonValue) -> int:
    """Roughly the bytes that a value takes; a loop, because the peer chooses how deep it nests."""
    total = 0
    pending: list[JsonValue] = [value]
    while pending:
        found = pending.pop()
        total += 64
        if isinstance(found, str):
            total += len(found)
        elif isinstance(found, list):
            pending.extend(found)
        elif isinstance(found, dict):
            total += sum(map(len, found))
            pending.extend(found.values())
    return total
