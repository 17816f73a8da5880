"""What connectors are said to be (G01, G03, G04): as the cable, the fault and the accepted changes of availability have it.

Knows what somebody did at the station and what it agreed to. Must not know when a status is due (`debts` does), nor what
lasts over a boot (`keeping` does).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from strategies.labels import JsonValue
from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Closed,
    Died,
    Event,
    Missed,
    Objection,
    Opened,
    Operated,
    Stray,
    Told,
    Topic,
    Unread,
    Weight,
    member,
    number,
    objects,
    text,
)
from strategies.model.facts import NEVER, Facts, Standing
from strategies.model.registration import proper_boot_answer
from strategies.model.rule import Rule

_Place = tuple[int, int]
_STATION: _Place = (0, 0)
_NOWHERE: _Place = (-1, -1)
_STATUS = "/connectorStatus"
SETTLED_S = 1.0
"""How long after something was done a status must be asked for to be judged by it."""

_HELD = Standing.UNKNOWN, Standing.ACCEPTED
"""How far a station has come that must accept what is so already."""

_STATUSES = frozenset({"Available", "Faulted", "Occupied", "Reserved", "Unavailable"})
_HARMLESS = frozenset({"GetTransactionStatus", "GetVariables", "TriggerMessage"})

_PROMPT_S = 0.3
"""A CALL that waited longer for its answer held up others, whose statuses may be of before."""


@dataclass(slots=True)
class _Change:
    """One level of availability: what it is now, None where nobody can tell, and since when."""

    operative: bool | None
    since_s: float


@dataclass(slots=True)
class _Asked:
    """A ChangeAvailability under way, and what was known of its level before; `sure` when the station had agreed to that."""

    id: str
    before: _Change | None
    sure: bool = False
    running: str = ""
    """The id of the only transaction that was ever seen at its EVSE, where it runs."""


@dataclass(slots=True)
class _Scheduled:
    """A change to Inoperative that waits for a transaction to end and its EV to leave (G03.FR.05, G04.FR.06)."""

    at_s: float
    transaction: str


@dataclass(slots=True)
class _Deeds:
    """What somebody did at one EVSE last."""

    plugged: bool = False
    faulted: bool = False
    at_s: float = NEVER
    let_in: bool = False


@dataclass(slots=True)
class _News:
    """An EV that came while there was no network, whether the CSMS heard of it, and until when there was anything to tell."""

    at_s: float
    told: bool = False
    until_s: float = float("inf")


@dataclass(slots=True)
class _Levels:
    """Availability as it was agreed to, by level; absent where nothing is known."""

    known: dict[_Place, _Change] = field(default_factory=dict)
    asked: dict[_Place, _Asked] = field(default_factory=dict)
    agreed: set[_Place] = field(default_factory=set)
    """What is known because the station accepted it, and nothing was asked since."""
    scheduled: dict[_Place, _Scheduled] = field(default_factory=dict)

    def of(self, place: _Place) -> list[_Change | None]:
        """The levels that a connector's availability is made of: its station's, its EVSE's and its own."""
        return [self.known.get(level) for level in (_STATION, (place[0], 0), place)]


class Places(Rule):
    """Follows each connector."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._deeds: dict[int, _Deeds] = {}
        self._levels = _Levels()
        self._slow_s = NEVER
        self._triggered: dict[_Place, float] = {}
        self._told_s: dict[_Place, float] = {}
        self._news: dict[int, _News] = {}
        self._booted_s = NEVER
        self._refused_boot = False
        self._back_s = NEVER
        self._stirred_s = NEVER
        """When anything was last done, asked or told that may change what a connector is."""
        self._offline = False
        self._withheld = False
        """Whether a firmware that is to be installed may keep everybody out (L01.FR.07)."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with a status that is told."""
        if isinstance(event, Called) and self._facts.outstanding is not None:
            # What had waited behind a CALL that nobody answered.
            self._slow_s = event.at_s
        self._fall_due(event)
        self._stirs(event)
        match event:
            case Operated():
                self._operated(event)
            case Asked(action="ChangeAvailability"):
                self._change_asked(event)
            case Told(asked=Asked(action="ChangeAvailability")):
                yield from self._as_it_is(event)
                self._changed(event)
            case Asked(action="RequestStartTransaction" | "Reset"):
                self._levels.scheduled.clear()
            case Asked(action="TriggerMessage"):
                wanted = text(event.payload, "requestedMessage")
                if wanted == "StatusNotification":
                    self._triggered[_place(event.payload)] = event.at_s
            case Asked(action="UpdateFirmware"):
                self._withheld = True
            case Told(asked=Asked(action="RequestStartTransaction"), status="Accepted"):
                self._let_in()
            case Told(asked=Asked(action="GetVariables")):
                yield from self._read(event)
            case Answered():
                self._answered(event)
                slow = event.at_s - event.called.at_s > _PROMPT_S or not event.proper
                self._slow_s = event.at_s if slow else self._slow_s
            case Opened() | Closed() | Died() | Stray() | Unread():
                if isinstance(event, Died):
                    self._levels.scheduled.clear()
                self._back_s = event.at_s if isinstance(event, Opened) else self._back_s
                self._slow_s = event.at_s
            case Called(action="StatusNotification"):
                yield from self._status(event)
            case Called(action="TransactionEvent"):
                yield from self._energy(event)
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """What was due of a connector that somebody waited to hear of: after a boot, and what changed while offline."""
        if self._facts.outstanding is not None or self._facts.away:
            return
        for wait in missed:
            where = dict(wait.where)
            place = where.get("/evseId", ""), where.get("/connectorId", "")
            if wait.action != "StatusNotification" or not all(p.isdecimal() for p in place):
                continue
            yield from self._never_told(end_s, wait, (int(place[0]), int(place[1])))

    def _never_told(self, end_s: float, wait: Missed, place: _Place) -> Iterator[Objection]:
        boot_s, told_s = self._booted_s, self._told_s.get(place, NEVER)
        if boot_s > NEVER and told_s < boot_s and end_s - boot_s >= wait.timeout_s:
            yield Objection(
                "B01.FR.05",
                "no status of a connector after a boot",
                "the boot was accepted, and the status of a connector that was waited for never came",
            )
        news = self._news.get(place[0])
        waited = dict(wait.where).get(_STATUS) == "Occupied"
        if news is None or news.told or not waited or self._back_s < news.at_s:
            return
        # What was undone before it was told need not be told any more.
        if min(end_s, news.until_s) - self._back_s >= wait.timeout_s:
            yield Objection(
                "B04.FR.02",
                "change of a status while offline never told",
                "an EV was plugged in without a network, and the status of its connector was not told when it was back",
            )

    # --- what was done ------------------------------------------------------------------------------------

    def _operated(self, event: Operated) -> None:
        deeds = self._deeds.setdefault(event.evse, _Deeds()) if event.evse else _Deeds()
        match event.deed:
            case "plug-in" | "unplug":
                deeds.plugged, deeds.let_in = event.deed == "plug-in", False
                if deeds.plugged and self._offline:
                    self._news[event.evse] = _News(event.at_s)
                elif not deeds.plugged and event.evse in self._news:
                    news = self._news[event.evse]
                    news.until_s = min(news.until_s, event.at_s)
                # Connectors are told apart by nothing else.
                deeds.at_s = event.at_s if event.words.split()[2:] in ([], ["1"]) else float("inf")
            case "fault" | "clear-fault":
                deeds.faulted, deeds.at_s = event.deed == "fault", event.at_s
            case "present-token":
                self._let_in()
            case "cut-network" | "restore-network":
                self._offline, self._slow_s = event.deed == "cut-network", event.at_s
            case "power-cycle":
                self._slow_s = event.at_s
                self._levels.scheduled.clear()
            case _:
                pass

    def _answered(self, event: Answered) -> None:
        if event.called.action != "BootNotification":
            return
        again = text(event.called.payload, "reason") == "Triggered"
        status = text(event.payload, "status")
        if not again or self._refused_boot:
            accepted = event.proper and status == "Accepted"
            self._booted_s = event.at_s if accepted else NEVER
        # Who was not accepted before has told of no connector yet, whatever the next boot is for (TC_B_02).
        self._refused_boot = status in ("Pending", "Rejected") and proper_boot_answer(event.payload)

    def _stirs(self, event: Event) -> None:
        match event:
            case Operated() | Opened() | Closed() | Died() | Unread() | Stray():
                self._stirred_s = event.at_s
            case Called(action="TransactionEvent" | "BootNotification"):
                self._stirred_s = event.at_s
            case Asked() | Told():
                action = event.action if isinstance(event, Asked) else event.asked.action
                if action not in _HARMLESS:
                    self._stirred_s = event.at_s
            case _:
                pass

    def _read(self, event: Told) -> Iterator[Objection]:
        """The device model knows of a connector what was told of it, as long as nothing stirs."""
        for item in objects(event.payload, "getVariableResult"):
            names = text(item, "component", "name"), text(item, "variable", "name")
            if [n.casefold() for n in names] != ["connector", "availabilitystate"]:
                continue
            evse = member(item, "component", "evse")
            place = number(evse, "id") or 0, number(evse, "connectorId") or 0
            said, told_s = text(item, "attributeValue"), self._told_s.get(place, NEVER)
            told = self._facts.statuses.get(place, "")
            settled = told_s - self._stirred_s >= SETTLED_S and self._facts.outstanding is None
            if settled and {said, told} <= _STATUSES and said != told:
                yield Objection(
                    "G01, Connector.AvailabilityState",
                    "AvailabilityState of a connector is not what was told",
                    f"a connector was told {told}, nothing happened since, and its AvailabilityState reads {said}",
                    weight=Weight.LOW,
                )

    def _let_in(self) -> None:
        for deeds in self._deeds.values():
            deeds.let_in = True

    # --- what was agreed to -------------------------------------------------------------------------------

    def _change_asked(self, event: Asked) -> None:
        place, levels = _place(event.payload), self._levels
        under_way = place in levels.asked
        before = None if under_way else levels.known.get(place)
        sure = place in levels.agreed and self._facts.standing in _HELD
        levels.asked[place] = _Asked(event.id, before, sure, self._running(place))
        levels.agreed.discard(place)
        levels.scheduled.pop(place, None)
        levels.known[place] = _Change(None, event.at_s)

    def _changed(self, event: Told) -> None:
        payload = event.asked.payload
        place = _place(payload)
        asked = self._levels.asked.pop(place, None)
        if asked is None or asked.id != event.asked.id:
            return
        operative = {"Operative": True, "Inoperative": False}.get(
            text(payload, "operationalStatus")
        )
        if event.status == "Accepted":
            self._levels.known[place] = _Change(operative, event.at_s)
            self._levels.agreed.add(place)
        elif event.status == "Scheduled" and operative is False and asked.running:
            self._levels.scheduled[place] = _Scheduled(event.at_s, asked.running)
        elif event.status != "Scheduled" and asked.before is not None:
            # Refused: it is what it was.
            self._levels.known[place] = _Change(asked.before.operative, event.at_s)

    def _as_it_is(self, event: Told) -> Iterator[Objection]:
        """G03.FR.03, G04.FR.04: what is so already is Accepted, whatever runs there."""
        place = _place(event.asked.payload)
        asked = self._levels.asked.get(place)
        if asked is None or asked.id != event.asked.id or not asked.sure or asked.before is None:
            return
        wanted = text(event.asked.payload, "operationalStatus")
        same = asked.before.operative is (wanted == "Operative")
        if same and wanted and event.status in ("Scheduled", "Rejected"):
            yield Objection(
                "G03.FR.03, G04.FR.04",
                "ChangeAvailability to what it is already not Accepted",
                f"ChangeAvailability({wanted}) was answered {event.status}, and the station had agreed to that before",
            )

    def _running(self, level: _Place) -> str:
        """The id of the only transaction that was seen at an EVSE, where it runs; of the station nobody knows all of them."""
        found = [t for t in self._facts.transactions.values() if t.evse == level[0]]
        only = found[0] if level[0] and len(found) == 1 else None
        inside = only is not None and level[1] in (0, only.connector)
        return only.id if only and inside and only.open and not only.offline else ""

    def _fall_due(self, event: Event) -> None:
        """A change that was scheduled is made when its transaction was told to have ended, and its EV has left."""
        facts, levels = self._facts, self._levels
        for level, waits in list(levels.scheduled.items()):
            found = facts.transaction(waits.transaction)
            others = [t for t in facts.transactions.values() if t.evse == level[0]]
            # A connection may come and go: a boot, and what went wrong, may bring about another order.
            shaken = max(facts.failed_s, facts.unread_s, facts.booted_s) > waits.at_s
            if found is None or len(others) > 1 or found.offline or shaken:
                del levels.scheduled[level]
                continue
            deeds = self._deeds.get(found.evse)
            left = deeds is not None and not deeds.plugged and deeds.at_s > waits.at_s
            if left and found.ended_seq is not None and found.ended_seq in found.taken:
                levels.known[level] = _Change(operative=False, since_s=event.at_s)
                del levels.scheduled[level]

    # --- what is told -------------------------------------------------------------------------------------

    def _status(self, event: Called) -> Iterator[Objection]:
        place = number(event.payload, "evseId") or 0, number(event.payload, "connectorId") or 0
        told, facts = text(event.payload, "connectorStatus"), self._facts
        self._told_s[place] = event.at_s
        if told == "Unavailable":
            yield from self._too_soon(place)
        if told == "Occupied" and place[0] in self._news:
            self._news[place[0]].told = True
        steady_s = max(self._slow_s, facts.failed_s, facts.interrupted_s, facts.booted_s)
        levels = self._levels.of(place)
        since_s = max([c.since_s for c in levels if c is not None], default=NEVER)
        # What comes by itself may have waited its turn; what was asked for later on is of now.
        asked_s = self._triggered.get(place, NEVER)
        if not (place[0] and place[1]) or asked_s - max(steady_s, since_s) < SETTLED_S:
            return
        yield from self._availability(told, levels)
        yield from self._cable(asked_s, place, told)
        if told in ("Available", "Occupied"):
            self._learn(place, levels)

    def _too_soon(self, place: _Place) -> Iterator[Objection]:
        """G03.FR.05, G04.FR.06: what was scheduled waits until the transaction is over."""
        facts = self._facts
        for waits in self._levels.scheduled.values():
            found = facts.transaction(waits.transaction)
            runs = found is not None and found.open and place == (found.evse, found.connector)
            # Nothing was done since that ends a transaction, of which a status may be told first.
            calm = max(facts.disturbed_s, facts.shaken_s) < waits.at_s
            if runs and calm and place[0] in facts.plugged:
                yield Objection(
                    "G03.FR.05, G04.FR.06",
                    "Unavailable although only Scheduled",
                    "ChangeAvailability was answered Scheduled, and the connector is told Unavailable while the"
                    " transaction goes on",
                )

    def _availability(self, told: str, levels: list[_Change | None]) -> Iterator[Objection]:
        operative = [None if c is None else c.operative for c in levels]
        if told == "Unavailable" and all(operative) and not self._withheld:
            yield Objection(
                "G03, G04",
                "Unavailable although Operative",
                "a connector is told Unavailable, and neither it nor its EVSE nor the station was made Inoperative",
            )
        if told == "Available" and False in operative:
            yield Objection(
                "G03, G04",
                "Available although Inoperative",
                "a connector is told Available, and it, its EVSE or the station was made Inoperative",
            )

    def _energy(self, event: Called) -> Iterator[Objection]:
        """G03, G04: where a level was Inoperative already as the EV came, it charges nobody."""
        facts = self._facts
        found = facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        charges = text(event.payload, "transactionInfo", "chargingState") == "Charging"
        if found is None or not (charges and found.begun) or found.offline:
            return
        came_s = facts.plugged.get(found.evse, NEVER)
        # What began before, or was told late, may be of a time when the place could be used.
        shaken_s = max(facts.shaken_s, facts.booted_s, self._slow_s)
        for level in self._levels.of((found.evse, found.connector)):
            closed = level is not None and level.operative is False
            if level is None or not closed or found.first_s < came_s or shaken_s > level.since_s:
                continue
            if came_s - level.since_s >= SETTLED_S:
                yield Objection(
                    "G03, G04",
                    "Charging although Inoperative",
                    f"energy flows on EVSE {found.evse}, which was made Inoperative before the EV came",
                    Topic.ENERGY,
                    Weight.HIGH,
                )
                return

    def _learn(self, place: _Place, levels: list[_Change | None]) -> None:
        """What can be used is Operative on every level that nobody changed."""
        for level, known in zip((_STATION, (place[0], 0), place), levels, strict=True):
            if known is None:
                self._levels.known[level] = _Change(operative=True, since_s=NEVER)

    def _cable(self, asked_s: float, place: _Place, told: str) -> Iterator[Objection]:
        deeds = self._deeds.get(place[0])
        # An EVSE has one cable at most in use; which of several connectors it is, the deeds do not tell.
        if deeds is None or place[1] != 1 or asked_s - deeds.at_s < SETTLED_S:
            return
        if deeds.faulted:
            wrong = "" if told in ("Faulted", "Unavailable") else "Faulted"
        elif told == "Faulted":
            wrong = "mended"
        elif told == "Available":
            wrong = "Occupied" if deeds.plugged else ""
        elif told == "Occupied":
            # Implementation's choice: whether somebody who was let in and has not plugged in yet occupies a place.
            wrong = "" if deeds.plugged or deeds.let_in else "Available"
        else:
            wrong = ""
        if wrong:
            yield _other(told, wrong)


_WRONG: Mapping[str, str] = {
    "Faulted": "a connector with a fault is told as if it had none",
    "mended": "a connector whose fault was mended is told Faulted",
    "Occupied": "a connector with an EV plugged in is told Available",
    "Available": "a connector whose EV was unplugged is told Occupied",
}


def _other(told: str, wrong: str) -> Objection:
    return Objection("G01", f"{told} although {_NAMES[wrong]}", _WRONG[wrong])


_NAMES: Mapping[str, str] = {
    "Faulted": "there is a fault",
    "mended": "the fault was mended",
    "Occupied": "an EV is plugged in",
    "Available": "the EV was unplugged",
}


def _place(asked: JsonValue) -> _Place:
    """Which level a ChangeAvailability is about; one that is nowhere where it cannot be understood."""
    if not isinstance(asked, dict) or "evse" not in asked:
        return _STATION
    evse, connector = number(asked, "evse", "id"), number(asked, "evse", "connectorId")
    named = member(asked, "evse", "connectorId") is not None
    if not evse or evse < 0 or (named and not connector):
        return _NOWHERE
    return evse, connector or 0
