"""The reference CSMS without its sockets: who comes in, what stations say, what an operator does, what follows from it.

Sans-IO: events and questions in, commands and answers out; the clock and the message ids are handed in. Must not know
TLS, files or processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from fuzz.clock import Clock
from fuzz.csms.admission import MAX_REVOKED, Doorkeeper
from fuzz.csms.enrolment import Enrolled
from fuzz.csms.events import (
    Admitted,
    BytesReceived,
    Command,
    Event,
    Lost,
    Note,
    Opened,
    OperatorEvent,
    Refused,
    Restore,
    Revoke,
    SetBootStatus,
    TellEvents,
    TellStations,
    TextReceived,
    Tick,
    Trigger,
    Upgrade,
)
from fuzz.csms.hooks import Hooks
from fuzz.csms.station import Rules, Station
from strategies.version import Version

_MAX_TOLD = 20


class Csms:
    """Every station that is enrolled, and the door that they come through."""

    def __init__(
        self,
        enrolled: Sequence[Enrolled],
        *,
        rules: Rules,
        hooks: Hooks,
        clock: Clock,
        version: Version,
        ids: Callable[[], str],
    ) -> None:
        self._clock = clock
        self.door = Doorkeeper(enrolled, rules.organizations, hooks)
        self.stations: Mapping[str, Station] = {
            one.identity: Station(
                one,
                rules=rules,
                hooks=hooks,
                clock=clock,
                version=version,
                ids=ids,
                drop=self.door.drop,
            )
            for one in enrolled
        }
        self._by_connection: dict[int, Station] = {}

    def vouch(self, chain: Sequence[bytes]) -> str:
        """Why a TLS client with this chain (DER, its own first) gets no further; "" when it may ask to upgrade."""
        return self.door.vouch(chain, self._clock.now())

    def admit(self, upgrade: Upgrade) -> Admitted | Refused:
        """Which station asks to upgrade, or with what it is turned away."""
        return self.door.admit(upgrade, self._clock.monotonic())

    @property
    def deadline(self) -> float | None:
        """When the next `Tick` is due."""
        times = [s.deadline for s in self._by_connection.values() if s.deadline is not None]
        return min(times, default=None)

    def handle(self, event: Event) -> Sequence[Command]:
        """Everything that follows from one event. Never raises, whatever a station says."""
        match event:
            case Opened():
                return self._opened(event)
            case TextReceived(connection, text):
                return self._heard(connection, text)
            case BytesReceived(connection):
                return self._heard(connection, None)
            case Lost(connection):
                return self._lost(connection)
            case Tick():
                return [c for s in tuple(self._by_connection.values()) for c in s.tick()]
            case _:
                return self._told(event)

    def _opened(self, event: Opened) -> Sequence[Command]:
        station = self.stations[event.identity]
        if station.connection is not None:
            self._by_connection.pop(station.connection, None)
        self._by_connection[event.connection] = station
        return station.connected(
            event.connection,
            event.chain[0] if event.chain else b"",
            certified=event.security_profile == 3,
            expired=self.door.expired(event.chain, self._clock.now()),
        )

    def _heard(self, connection: int, text: str | None) -> Sequence[Command]:
        station = self._by_connection.get(connection)
        # What comes over a connection that was given up is nobody's.
        return () if station is None else station.heard(text)

    def _lost(self, connection: int) -> Sequence[Command]:
        station = self._by_connection.pop(connection, None)
        if station is None:
            return ()
        station.lost()
        return (Note(f"{station.enrolled.identity}: disconnected"),)

    # --- the operator -------------------------------------------------------------------------------------

    def _told(self, event: OperatorEvent) -> Sequence[Command]:
        match event:
            case Revoke(what):
                if len(self.door.revoked) >= MAX_REVOKED:
                    return (Note(f"no more than {MAX_REVOKED} can be revoked"),)
                self.door.revoked |= _both(what)
                return (Note(f"revoked {what}"),)
            case Restore(what):
                self.door.revoked -= _both(what)
                return (Note(f"restored {what}"),)
            case SetBootStatus(identity, status):
                told = Note(f"boot status of {identity} is {status.value}")
                return self._with(identity, lambda station: station.set_boot_status(status), told)
            case Trigger(identity, message):
                return self._with(identity, lambda station: station.trigger(message))
            case TellStations():
                return [Note(_line(station)) for station in self.stations.values()]
            case TellEvents(identity):
                return self._events(identity)
            case _:
                assert_never(event)

    def _with(
        self, identity: str, work: Callable[[Station], list[Command]], *first: Command
    ) -> Sequence[Command]:
        station = self.stations.get(identity)
        if station is None:
            return (Note(f"no station {identity!r}; known: {', '.join(self.stations)}"),)
        return [*first, *work(station)]

    def _events(self, identity: str) -> Sequence[Command]:
        if identity:
            return self._with(identity, _events_of)
        return [c for station in self.stations.values() for c in _events_of(station)]


def _both(what: str) -> set[str]:
    """An identity as it is, and a serial number as tools write it, with colons or 0x."""
    return {what, what.lower().removeprefix("0x").replace(":", "").lstrip("0")}


def _line(station: Station) -> str:
    """One station as an operator sees it."""
    boot = station.voice.facts.boot
    what = f"{boot.vendor} {boot.model} {boot.firmware}".strip() if boot else "never booted"
    state = "connected" if station.connection is not None else "not connected"
    accepted = "accepted" if station.accepted else station.boot_status.value.lower()
    profile = station.enrolled.security_profile
    return f"{station.enrolled.identity}: {state}, {accepted}, security profile {profile}, {what!a}"


def _events_of(station: Station) -> list[Command]:
    newest = list(station.voice.facts.security_events)[-_MAX_TOLD:]
    return [
        Note(f"{station.enrolled.identity}: {event.timestamp!a} {event.type!a} {event.tech_info!a}")
        for event in newest
    ]
