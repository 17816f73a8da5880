"""Availability and status: ChangeAvailability, StatusNotification (Part 2, G01, G03, G04; B01.FR.05, B04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeAlias

from fuzz.ocppj.peer import Unanswered
from fuzz.station.blocks.base import Block, Handler, member, status, whole
from fuzz.station.context import Context, Outcome, Trigger
from fuzz.station.events import OperatorEvent, PowerCycle
from strategies.labels import JsonObject, JsonValue

Place: TypeAlias = tuple[int, int]
"""(evseId, connectorId); 0 stands for the whole station or the whole EVSE."""

_STATION: Place = (0, 0)


class AvailabilityBlock(Block):
    """Keeps one operational state for the station, each EVSE and each connector; the effective one is all of them."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._connectors = context.pics.each_connector()
        self._places = {_STATION, *((evse, 0) for evse in context.pics.evses), *self._connectors}
        self._inoperative: set[Place] = set()
        self._told: dict[Place, str] = {}
        self._install_live_values()
        context.usable = self._usable
        context.status_changed = self._tell_changes
        context.ended_listeners.append(lambda _evse: self._tell_changes())

    def handlers(self) -> Mapping[str, Handler]:
        """Answers ChangeAvailability."""
        return {"ChangeAvailability": self._change}

    def triggers(self) -> Mapping[str, Trigger]:
        """A StatusNotification can be asked for, of one connector (F06.FR.12)."""
        return {"StatusNotification": self._triggered}

    def power_on(self) -> None:
        """The CSMS knows no status yet."""
        self._told.clear()

    def accepted(self) -> None:
        """The status of every connector follows an accepted boot (B01.FR.05)."""
        for place in self._connectors:
            self._tell(place)

    def connected(self, offline_s: float) -> None:
        """After a long absence every status is told again, after a short one only what changed (B04.FR.01, FR.02)."""
        if offline_s > self.context.model.number("OCPPCommCtrlr", "OfflineThreshold"):
            self._told.clear()
        self._tell_changes()

    def happened(self, event: OperatorEvent) -> None:
        """A plug or a fault changes a status (G01); without power nobody hears of it."""
        if not self.context.rebooting and not isinstance(event, PowerCycle):
            self._tell_changes()

    def lasting(self) -> JsonObject:
        """What was made inoperative stays so (B01.FR.07, G03.FR.08, G04.FR.09)."""
        return {"inoperative": [list(place) for place in sorted(self._inoperative)]}

    def restore(self, lasting: Mapping[str, JsonValue]) -> None:
        """Takes over places that exist."""
        stored = lasting.get("inoperative")
        listed = stored if isinstance(stored, list) else []
        self._inoperative = {place for place in self._places if list(place) in listed}

    def _change(self, request: JsonObject) -> JsonObject:
        place = _place(request)
        if place not in self._places:
            known_evse = (place[0], 0) in self._places
            return status("Rejected", "UnknownConnectorId" if known_evse else "UnknownEvse")
        inoperative = request["operationalStatus"] == "Inoperative"
        if inoperative is not (place in self._inoperative):
            self._inoperative ^= {place}
            self.context.dirty = True
            self._tell_changes()
        # G03.FR.05, G04.FR.06: what is busy changes after its transaction, the rest has changed already (TC_G_14).
        return status("Scheduled" if inoperative and self._is_busy(place) else "Accepted")

    def _is_busy(self, place: Place) -> bool:
        number, connector = place
        plugged = self.context.evses[number].plugged if number else 0
        elsewhere = connector and plugged not in (0, connector)
        return bool(self.context.transactions.on(number)) and not elsewhere

    def _triggered(self, request: JsonObject) -> bool:
        place = _place(request)
        return place in self._connectors and self._tell(place, triggered=True)

    def _tell_changes(self) -> None:
        for place in self._connectors:
            if self._told.get(place) != self._state(place):
                self._tell(place)

    def _tell(self, place: Place, *, triggered: bool = False) -> bool:
        state = self._state(place)
        payload: JsonObject = {
            "timestamp": self.context.timestamp(),
            "connectorStatus": state,
            "evseId": place[0],
            "connectorId": place[1],
        }

        def hear(outcome: Outcome) -> None:
            # Lost on the way: the CSMS does not know it, and is told after the reconnect (B04.FR.02).
            if isinstance(outcome, Unanswered) and self._told.get(place) == state:
                del self._told[place]

        said = self.context.ask("StatusNotification", payload, triggered=triggered, then=hear)
        if said:
            self._told[place] = state
        return said

    def _state(self, place: Place) -> str:
        """The ConnectorStatus of a place, after the EVSE that it is or is a part of."""
        number, connector = place
        evse = self.context.evses.get(number)
        if evse is None:
            return "Available" if self._is_operative(place) else "Unavailable"
        if connector in evse.faulted or (not connector and evse.faulted):
            return "Faulted"
        plugged = bool(evse.plugged) and connector in (0, evse.plugged)
        # What is made inoperative while an EV charges is so once that is over.
        busy = plugged and bool(self.context.transactions.on(number))
        if not busy and (self.context.withheld or not self._is_operative(place)):
            return "Unavailable"
        return "Occupied" if plugged else "Available"

    def _is_operative(self, place: Place) -> bool:
        return not {_STATION, (place[0], 0), place} & self._inoperative

    def _usable(self, number: int) -> bool:
        """Whether a session may begin: at the connector that is plugged in, at any one when none is."""
        evse = self.context.evses.get(number)
        if evse is None:
            return False
        connectors = [evse.plugged] if evse.plugged else range(1, evse.connectors + 1)
        return any(self._is_operative((number, c)) and c not in evse.faulted for c in connectors)

    def _install_live_values(self) -> None:
        for name, place in self._components():
            variable = self.context.model.named(
                name, "AvailabilityState", evse=place[0] or None, connector=place[1] or None
            )
            self.context.model.live[variable.key] = partial(self._state, place)

    def _components(self) -> Iterator[tuple[str, Place]]:
        yield "ChargingStation", _STATION
        yield from (("EVSE", (evse, 0)) for evse in self.context.pics.evses)
        yield from (("Connector", place) for place in self._connectors)


def _place(request: JsonObject) -> Place:
    if "evse" not in request:
        return _STATION
    evse = member(request, "evse")
    # Numbers begin at 1: a request that says 0 means no place that exists.
    return (
        whole(evse["id"]) or -1,
        (whole(evse["connectorId"]) or -1) if "connectorId" in evse else 0,
    )
