"""When things are said to have happened (E01 to E12): in the order of their numbers, and when they did, not when they are told.

Knows timestamps of TransactionEvents, and compares them only with one another: whose clock is right is nobody's to say here.
A clock that was set, or that may have lost the time, leaves everything open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from strategies.labels import JsonValue
from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Died,
    Event,
    Objection,
    Operated,
    Weight,
    moment,
    number,
    objects,
    text,
)
from strategies.model.facts import Facts, Transaction
from strategies.model.rule import Rule

_SAME_S = 0.5
"""Two answers that tell the time set a clock to the same."""

_BACK_S = 2.0
"""So much earlier is no matter of two things that happen at once."""

_LASTED_S = 2.5
_AT_ONCE_S = 1.0
_BEGINS = frozenset({"Authorized", "CablePluggedIn"})
"""Reasons that are deeds, and so come when they are done; energy may take a while to flow."""

_GONE = frozenset({"EVCommunicationLost", "EVDeparted"})
_Key: TypeAlias = tuple[str, int]


@dataclass(slots=True)
class _Session:
    """An EV that came without a network; `ready` lists what was done for it, `lasted_s` counts from the last of that."""

    ready: set[str]
    since_s: float
    lasted_s: float = 0.0
    times: int = 1


class Moments(Rule):
    """Follows the station's clock, and what it writes of the time."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._lost = False
        """Whether nobody can compare its moments any more."""
        self._offset: float | None = None
        """How far the time that the CSMS tells is ahead of ours."""
        self._stamps: dict[_Key, float] = {}
        self._before: frozenset[str] = frozenset()
        """The transactions that were told before the network was cut."""
        self._sessions: dict[int, _Session] = {}
        self._cut_s: float | None = None
        """When the network was cut, as long as it is."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with a moment; after transactions took note of the event."""
        match event:
            case Operated():
                self._operated(event)
            case Died() | Called(action="BootNotification"):
                self._doubt()
            case Asked(action="SetVariables") if _sets_clock(event.payload):
                self._lost = True
            case Answered(called=Called(action="BootNotification" | "Heartbeat")):
                self._told_time(event)
            case Called(action="TransactionEvent") if not self._lost:
                yield from self._transaction(event)
            case _:
                pass

    # --- the clock ----------------------------------------------------------------------------------------

    def _doubt(self) -> None:
        """A clock that may be another one from now on can be compared only where nothing was written before."""
        used = self._facts.transactions or self._facts.plugged or self._sessions
        self._lost |= bool(used)

    def _told_time(self, event: Answered) -> None:
        told = seconds(event.payload, "currentTime")
        offset = None if told is None else told - event.at_s
        same = self._offset is not None and offset is not None
        if not same or abs((offset or 0.0) - (self._offset or 0.0)) > _SAME_S:
            self._doubt()
        self._offset = offset

    # --- what was done without a network ------------------------------------------------------------------

    def _operated(self, event: Operated) -> None:
        match event.deed:
            case "shift-clock":
                self._lost = True
            case "power-cycle":
                self._doubt()
                self._sessions.clear()
            case "cut-network":
                self._cut_s = event.at_s
                self._before = frozenset(self._facts.transactions)
                self._sessions.clear()
            case "restore-network":
                self._cut_s = None
                self._sessions = {n: s for n, s in self._sessions.items() if s.lasted_s}
            case "plug-in" | "present-token" | "start-power" | "unplug" if self._cut_s is not None:
                self._done_offline(event)
            case _:
                self._sessions.clear()

    def _done_offline(self, event: Operated) -> None:
        if event.deed == "plug-in":
            times = self._sessions[event.evse].times + 1 if event.evse in self._sessions else 1
            self._sessions[event.evse] = _Session({"plug-in"}, event.at_s, times=times)
            return
        for evse, session in self._sessions.items():
            if session.lasted_s or event.evse not in (0, evse):
                continue
            if event.deed == "unplug":
                whole = session.ready == {"plug-in", "present-token", "start-power"}
                session.lasted_s = event.at_s - session.since_s if whole else _AT_ONCE_S
            else:
                session.ready.add(event.deed)
                session.since_s = event.at_s

    # --- what is told -------------------------------------------------------------------------------------

    def _transaction(self, event: Called) -> Iterator[Objection]:
        found = self._facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        seq, stamp = number(event.payload, "seqNo"), seconds(event.payload, "timestamp")
        if found is None or seq is None or stamp is None:
            return
        key = found.id.casefold()
        # Values may be read before something else happens, and told behind it.
        measured = text(event.payload, "triggerReason").startswith("MeterValue")
        before, after = self._stamps.get((key, seq - 1)), self._stamps.get((key, seq + 1))
        if not measured:
            self._stamps.setdefault((key, seq), stamp)
        late = before is not None and before - stamp > _BACK_S
        if (late or (after is not None and stamp - after > _BACK_S)) and not measured:
            yield Objection(
                "E01, E02, E06",
                "timestamps of a transaction run backwards",
                f"an event (seqNo {seq}) is said to have happened seconds before the one that it follows, or after the"
                " one that it comes before",
                weight=Weight.LOW,
            )
        if text(event.payload, "eventType") == "Ended":
            yield from self._lasted(event, found, stamp)

    def _lasted(self, event: Called, found: Transaction, ended: float) -> Iterator[Objection]:
        session = self._sessions.pop(found.evse, None)
        reason = text(event.payload, "transactionInfo", "stoppedReason")
        left = reason == "EVDisconnected" or text(event.payload, "triggerReason") in _GONE
        if session is None or session.lasted_s < _LASTED_S or session.times > 1 or not left:
            return
        started = next((p for p in found.told.values() if p.get("eventType") == "Started"), None)
        begun = seconds(started, "timestamp")
        by_deed = text(started, "triggerReason") in _BEGINS
        later = {k: t for k, t in self._facts.transactions.items() if k not in self._before}
        mine = [t for t in later.values() if t.evse == found.evse]
        if by_deed and begun is not None and len(mine) == 1 and ended - begun < _AT_ONCE_S:
            yield Objection(
                "E04, E12",
                "offline events told with the time of sending",
                f"an EV came and left {session.lasted_s:.1f} s later without a network, and the timestamps of Started and"
                f" Ended are {ended - begun:.1f} s apart",
            )


def seconds(value: JsonValue, name: str) -> float | None:
    """A member that is a dateTime, in seconds since 1970; None where it says no offset, or is none."""
    found = moment(value, name)
    return None if found is None else found.timestamp()


def _sets_clock(payload: JsonValue) -> bool:
    items = objects(payload, "setVariableData")
    return any(text(item, "component", "name").casefold() == "clockctrlr" for item in items)
