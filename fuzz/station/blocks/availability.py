"""Availability and status: ChangeAvailability, StatusNotification (Part 2, G01, G03, G04; B01.FR.05, B04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeAlias

from fuzz.station.blocks.base import Block, Handler, member, status, whole
from fuzz.station.context import Context, Trigger
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
        before = set(self._inoperative)
        if request["operationalStatus"] == "Inoperative":
            self._inoperative.add(place)
        else:
            self._inoperative.discard(place)
        if before != self._inoperative:
            self.context.dirty = True
            self._tell_changes()
        return status("Accepted")

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
        said = self.context.ask("StatusNotification", payload, triggered=triggered)
        if said:
            self._told[place] = state
        return said

    def _state(self, place: Place) -> str:
        evse, _ = place
        levels = {_STATION, (evse, 0), place}
        return "Unavailable" if levels & self._inoperative else "Available"

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
