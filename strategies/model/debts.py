"""What the Charging Station owes: messages that must follow what it agreed to, or what was done to it.

Knows which message settles which debt. A debt that is open at the end is objected to only where somebody waited for that
message in vain, so that no time limit is made up here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from strategies.labels import JsonValue
from strategies.model.events import (
    PROMPT_S,
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
    Told,
    Topic,
    Weight,
    number,
    text,
)
from strategies.model.facts import NEVER, REFUSALS, Facts, Standing
from strategies.model.registration import SENDS, proper_boot_answer
from strategies.model.rule import Rule

_FOLLOW_UPS: Mapping[str, tuple[str, str]] = {
    "GetBaseReport": ("NotifyReport", "B07"),
    "GetReport": ("NotifyReport", "B08"),
    "GetMonitoringReport": ("NotifyMonitoringReport", "N02"),
    "CustomerInformation": ("NotifyCustomerInformation", "N09"),
    "GetLog": ("LogStatusNotification", "N01"),
    "UpdateFirmware": ("FirmwareStatusNotification", "L01"),
}
_ATTEMPTS = "OCPPCommCtrlr.MessageAttempts/TransactionEvent"
_INTERVAL = "OCPPCommCtrlr.MessageAttemptInterval/TransactionEvent"
_MUTE = frozenset({Standing.OFF, Standing.BOOTING, Standing.REJECTED})
_MAY_NOT_SAY = _MUTE | {Standing.PENDING}
_TRANSACTION = frozenset({"TransactionEvent"})
_ENDS_BY_TOKEN = frozenset({"Authorized", "PowerPathClosed"})
_AGAIN_S = 2.8
"""How long a card must have been away to be read again."""

_TOLD_PENDING = frozenset({"GetBaseReport", "GetReport"})
"""What B02.FR.02 lets a station tell while Pending, beside what is triggered."""


_LONGEST_INTERVAL_S = 60
"""Nobody waits longer for a boot."""

_WAITED_S = 10.0
"""How long after an EV came or went nobody can say any more that what was done next came too soon."""

_Place: TypeAlias = tuple[int, int]
_Level: TypeAlias = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class _Debt:
    """One message that is owed since `since_s`; `frail` when a lost connection forgives it."""

    since_s: float
    actions: frozenset[str]
    objection: Objection
    pays: Callable[[Called], bool] = lambda called: True
    frail: bool = True
    place: tuple[int, int] = (0, 0)
    """The connector whose status is owed, (0, 0) for anything else: only who waited for a status of it missed it."""

    def missed_by(self, wait: Missed) -> bool:
        """Whether somebody who waited for this was waiting for what is owed."""
        if wait.action not in self.actions or not self.place[0]:
            return wait.action in self.actions
        where = dict(wait.where)
        named = where.get("/evseId", ""), where.get("/connectorId", "")
        return named == tuple(map(str, self.place)) and "/connectorStatus" in where

    waits: bool = True
    """Whether it may have to wait until a TransactionEvent was sent again, nobody knows when."""
    least_s: float = 0.0
    """How long it may take in any case."""
    stops: bool = False
    """Whether a token should end a transaction: that it ends when the EV has gone is no sign of it."""


class Debts(Rule):
    """Keeps book of what is owed."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._debts: list[_Debt] = []
        self._asked_in: dict[str, Standing] = {}
        """How far the station had come when it was asked; `OFF` stands for not far enough to be held to anything."""
        self._held = False
        """Whether the last TransactionEvent may have to be sent again: how long it waits for that is a variable, and
        all others wait behind it (E13.FR.02)."""
        self._made: dict[_Level, set[_Place]] = {}
        """The connectors that were Available when a level was made Inoperative."""
        self._levels: set[_Level] = set()
        self._cycled = False
        """Whether the power was lost since the last boot."""
        self._withheld = False
        """Whether a firmware that is to be installed may keep everybody out (L01.FR.07)."""
        self._shown_s: dict[str, float] = {}
        """When each token was held before a reader last."""
        self._refused = False
        """Whether any token was."""
        self._stops: set[str] = set()
        """The transactions of which a remote stop was accepted."""
        self._groups: dict[str, list[tuple[str, str]]] = {}
        """The groupIdTokens that each token was answered with, as pairs of idToken and type."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What an event settles, forgives and brings about; objects to what can be settled no more."""
        if isinstance(event, Called | Opened | Closed | Died):
            # It went on without an answer.
            waiting = self._facts.outstanding
            self._held |= waiting is not None and waiting.action in _TRANSACTION
        match event:
            case Called():
                self._called(event)
            case Asked():
                doubtful = self._facts.standing is Standing.UNKNOWN and self._facts.boots > 0
                self._asked_in[event.id] = Standing.OFF if doubtful else self._facts.standing
                self._disturbed(event)
            case Told():
                self._told(event)
            case Answered(called=Called(action="BootNotification")):
                self._boot_answered(event)
            case Answered(called=Called(action="TransactionEvent")):
                self._held = not _surely_taken(event)
                self._refused |= _refuses(event)
            case Operated(deed="unplug"):
                yield from self._too_late(event)
                self._unplugged(event)
                self._cable(event, "Occupied")
            case Operated(deed="plug-in" | "fault"):
                self._cable(event, "Available")
            case Operated(deed="clear-fault"):
                self._cable(event, "Faulted")
            case Operated(deed="present-token"):
                self._shown(event)
            case Answered() if _refuses(event):
                self._refused = True
            case Answered(called=Called(action="Authorize")):
                self._authorized(event)
            case Operated(deed="cut-network") | Opened() | Closed():
                self._forgive()
                self._in_flight(event.at_s, power=self._cycled)
            case Operated(deed="power-cycle"):
                self._forgive()
                self._cycled = True
            case Died():
                self._forgive()
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """What is still owed although somebody waited for it; nothing by a station that is away, which O29 tells of."""
        if self._facts.away:
            return
        for debt in self._debts:
            since_s = max(debt.since_s, self._able_s())
            if debt.actions == _TRANSACTION:
                # Only once its boot was accepted may it tell of a transaction (B02.FR.02, B03.FR.02).
                since_s = max(since_s, self._facts.booted_s)
                if (self._held and debt.waits) or self._facts.standing in _MAY_NOT_SAY:
                    continue
            waits = [m.timeout_s for m in missed if debt.missed_by(m)]
            if any(end_s - since_s >= max(wait, debt.least_s) for wait in waits):
                yield debt.objection

    def _able_s(self) -> float:
        """Since when the station could have sent a message: one CALL that nobody answers holds up all others."""
        waiting = self._facts.outstanding
        return 0.0 if waiting is None else waiting.at_s + self._facts.timeout_s + 1.0

    def _forgive(self) -> None:
        self._debts = [debt for debt in self._debts if not debt.frail]

    def _called(self, event: Called) -> None:
        if event.action == "BootNotification":
            self._forgive()
            self._cycled = False
        self._debts = [
            debt for debt in self._debts if not (event.action in debt.actions and debt.pays(event))
        ]

    def _told(self, event: Told) -> None:
        action, asked = event.asked.action, event.asked.payload
        standing = self._asked_in.get(event.asked.id, Standing.OFF)
        # What crosses a boot may be answered in another standing than it was asked in.
        crosses = self._facts.booted_s >= event.asked.at_s
        if event.status not in ("Accepted", "AcceptedCanceled") or standing in _MUTE or crosses:
            return
        if action == "TriggerMessage":
            self._triggered(event)
        elif standing is Standing.PENDING and action not in _TOLD_PENDING:
            # Implementation's choice: what becomes of everything else that may not be said while Pending (B02.FR.02).
            return
        elif action in _FOLLOW_UPS:
            message, rule = _FOLLOW_UPS[action]
            self._follow_up(event, message, rule)
        elif action == "RequestStopTransaction":
            self._stopped(event, text(asked, "transactionId"))
        elif action == "Reset" and text(asked, "type") == "Immediate":
            self._reset(event)
        elif action == "ChangeAvailability":
            self._availability(event)

    def _triggered(self, event: Told) -> None:
        wanted = text(event.asked.payload, "requestedMessage")
        if not wanted:
            return
        objection = Objection(
            "F06.FR.04",
            "TriggerMessage accepted, nothing follows",
            f"TriggerMessage({wanted}) was accepted, and the message never came",
        )
        evse = number(event.asked.payload, "evse", "id")
        connector = number(event.asked.payload, "evse", "connectorId")

        def pays(called: Called) -> bool:
            # F06.FR.03: where the message is about no place, which one was named does not matter.
            if called.action == "MeterValues" and evse is not None:
                return number(called.payload, "evseId") == evse
            if called.action != "StatusNotification" or evse is None or connector is None:
                return True
            place = number(called.payload, "evseId"), number(called.payload, "connectorId")
            return place == (evse, connector)

        actions = SENDS.get(wanted, frozenset({wanted}))
        self._debts.append(_Debt(event.at_s, actions, objection, pays))

    def _follow_up(self, event: Told, message: str, rule: str) -> None:
        wanted = number(event.asked.payload, "requestId")
        objection = Objection(
            rule,
            f"{event.asked.action} accepted, no {message} follows",
            f"{event.asked.action} was accepted, and no {message} with its requestId came",
        )

        def pays(called: Called) -> bool:
            return number(called.payload, "requestId") in (wanted, None)

        self._debts.append(_Debt(event.at_s, frozenset({message}), objection, pays))

    def _boot_answered(self, event: Answered) -> None:
        if event.error_code:
            self._boot_refused(event)
        status, interval_s = text(event.payload, "status"), number(event.payload, "interval") or 0
        waits = status in ("Pending", "Rejected") and 0 < interval_s <= _LONGEST_INTERVAL_S
        if not waits or not event.prompt or not proper_boot_answer(event.payload):
            return
        # An interval of 0 leaves the wait to the station; who is Rejected may hang up, and is forgiven then (B03.FR.04).
        objection = Objection(
            "B02.FR.04, B03.FR.06",
            f"no BootNotification after {status}",
            f"a boot was {status} with an interval of {interval_s} s, and the station did not say it again",
        )
        action, least_s = frozenset({"BootNotification"}), interval_s * 1.5 + 5.0
        self._debts.append(_Debt(event.at_s, action, objection, least_s=least_s))

    def _boot_refused(self, event: Answered) -> None:
        # Implementation's choice: how long a station waits before it says BootNotification again, so that this is a note.
        objection = Objection(
            "B01.FR.08",
            "no BootNotification after a CALLERROR",
            "the BootNotification was answered with a CALLERROR, and the station did not say it again",
            weight=Weight.NOTE,
        )
        self._debts.append(_Debt(event.at_s, frozenset({"BootNotification"}), objection))

    # --- transactions -------------------------------------------------------------------------------------

    def _stopped(self, event: Told, id_: str) -> None:
        found = self._facts.transaction(id_)
        if found is None or not found.open or found.last_s < self._facts.shaken_s:
            return
        objection = Objection(
            "F03",
            "RequestStopTransaction accepted, nothing follows",
            "RequestStopTransaction was accepted, and no event of that transaction says RemoteStop, nor that it ended",
        )
        # Implementation's choice: whether what is stopped already is told once more.
        again = id_.casefold() in self._stops
        self._stops.add(id_.casefold())
        if again:
            self._owe_event(event.at_s, id_, objection)
        else:
            self._owe_event(event.at_s, id_, objection, tells=_tells_remote_stop, stops=True)

    def _too_late(self, event: Operated) -> Iterator[Objection]:
        """What an EV that goes ends in any case: a token should have done so long before, or there was no time for it."""
        for debt in self._debts:
            able = self._facts.outstanding is None and not self._facts.away
            if debt.stops and able and event.at_s - debt.since_s >= PROMPT_S:
                yield debt.objection
        self._debts = [debt for debt in self._debts if not debt.stops]

    def _shown(self, event: Operated) -> None:
        """E07.FR.01: the token that began a transaction ends it, or says at least that it should (TxStopPoint)."""
        facts, words = self._facts, event.words.split()
        token = "".join(words[1:2]).casefold()
        before_s, self._shown_s[token] = self._shown_s.get(token, NEVER), event.at_s
        running = [t for t in facts.transactions.values() if t.open]
        if len(running) != 1 or len(facts.plugged) != 1 or self._refused or facts.away:
            return
        found, own = running[0], (token, "".join(words[2:3]))
        mine = found.token is not None and (found.token[0].casefold(), found.token[1]) == own
        calm = not found.offline and found.last_s >= facts.shaken_s and found.evse in facts.plugged
        # A reader ignores a card that it has just read.
        if not (mine and calm) or event.at_s - before_s < _AGAIN_S:
            return
        points = facts.settings.of("TxCtrlr.TxStopPoint")
        named = set() if points is None else {p.strip() for p in points.value.split(",")}
        if named & _ENDS_BY_TOKEN:
            objection = Objection(
                "E06, E07",
                "transaction not ended at its stop point",
                f"the token of a transaction was shown again, TxStopPoint is {points.value if points else ''},"
                " and no Ended came",
            )
            self._owe_event(event.at_s, found.id, objection, kind="Ended", stops=True)
        else:
            objection = Objection(
                "E07.FR.01",
                "own token ends nothing",
                "the token of a transaction was shown again, and no event tells that it was stopped",
            )
            self._owe_event(event.at_s, found.id, objection, tells=_tells_stop, stops=True)

    def _authorized(self, event: Answered) -> None:
        """C09: another token of the group that the transaction belongs to ends it like its own."""
        facts, asked = self._facts, text(event.called.payload, "idToken", "idToken").casefold()
        accepted = text(event.payload, "idTokenInfo", "status") == "Accepted" and event.prompt
        group = (
            text(event.payload, "idTokenInfo", "groupIdToken", "idToken").casefold(),
            text(event.payload, "idTokenInfo", "groupIdToken", "type"),
        )
        self._groups.setdefault(asked, []).append(group)
        running = [t for t in facts.transactions.values() if t.open]
        # An EV that waits elsewhere may come first.
        if len(running) != 1 or len(facts.plugged) != 1 or not (accepted and all(group)):
            return
        found = running[0]
        own = "" if found.token is None else found.token[0].casefold()
        same = own not in ("", asked) and self._groups.get(own) == [group]
        calm = not found.offline and found.last_s >= facts.shaken_s and found.evse in facts.plugged
        if same and calm and event.proper and not (self._refused or found.remote_starts):
            objection = Objection(
                "C09",
                "token of the group ends nothing",
                "a token of the group that a transaction belongs to was accepted, and no event tells that it was stopped",
            )
            self._owe_event(event.at_s, found.id, objection, tells=_tells_stop, stops=True)

    def _reset(self, event: Told) -> None:
        if not isinstance(event.asked.payload, dict) or "evseId" in event.asked.payload:
            return
        for found in self._facts.transactions.values():
            if found.open and found.last_s > self._facts.shaken_s:
                objection = Objection(
                    "B12",
                    "transaction not ended by Reset",
                    "Reset(Immediate) was accepted while a transaction ran, whose Ended never came",
                    Topic.LOST,
                )
                self._owe_event(event.at_s, found.id, objection, kind="Ended", frail=False)

    def _unplugged(self, event: Operated) -> None:
        for found in self._facts.transactions.values():
            if not found.open or found.evse != event.evse or found.evse not in self._facts.plugged:
                continue
            offline = self._facts.interrupted_s > found.last_s
            objection = Objection(
                "E09",
                "unplugging never told",
                "the EV was unplugged during a transaction, and no later event of it came",
                Topic.LOST if offline else Topic.STATE,
                Weight.HIGH if offline else Weight.MEDIUM,
            )
            self._owe_event(event.at_s, found.id, objection, frail=False, tells=_may_tell_unplugged)

    def _in_flight(self, at_s: float, *, power: bool = False) -> None:
        """E04, E08, E12: what was sent and not answered is sent again; Updated may be thinned out.

        Only where the scene has shown that one transmission is not all, and the pause before the next one is short.
        """
        lost, settings = self._facts.outstanding, self._facts.settings
        attempts, interval = settings.of(_ATTEMPTS), settings.of(_INTERVAL)
        if lost is None or attempts is None or interval is None or interval.value not in ("0", "1"):
            return
        kind = text(lost.payload, "eventType")
        again = attempts.value.isdecimal() and attempts.value not in ("0", "1")
        if lost.action != "TransactionEvent" or kind not in ("Started", "Ended") or not again:
            return
        objection = Objection(
            "E04, E12",
            "unanswered TransactionEvent lost with its connection",
            f"the connection was lost before a TransactionEvent ({kind}) was answered, and it never came again",
            Topic.LOST,
            Weight.HIGH,
        )
        id_ = text(lost.payload, "transactionInfo", "transactionId").casefold()
        seq = number(lost.payload, "seqNo")

        def pays(called: Called) -> bool:
            same = text(called.payload, "transactionInfo", "transactionId").casefold() == id_
            # A transaction that the power took may be ended anew.
            ended_anew = power and text(called.payload, "eventType") == "Ended"
            return same and (number(called.payload, "seqNo") == seq or ended_anew)

        self._debts.append(_Debt(at_s, _TRANSACTION, objection, pays, frail=False, waits=False))

    def _owe_event(
        self,
        since_s: float,
        id_: str,
        objection: Objection,
        *,
        kind: str = "",
        frail: bool = True,
        stops: bool = False,
        tells: Callable[[Called], bool] = lambda called: True,
    ) -> None:
        def pays(called: Called) -> bool:
            same = text(called.payload, "transactionInfo", "transactionId").casefold()
            wanted = (kind,) if kind else ("Updated", "Ended")
            fits = same == id_.casefold() and text(called.payload, "eventType") in wanted
            return fits and tells(called)

        self._debts.append(_Debt(since_s, _TRANSACTION, objection, pays, frail, stops=stops))

    # --- availability -------------------------------------------------------------------------------------

    def _disturbed(self, event: Asked) -> None:
        """What may change a status by itself ends what an EV had to bring about."""
        self._withheld |= event.action == "UpdateFirmware"
        if event.action in ("ChangeAvailability", "Reset", "UpdateFirmware"):
            self._debts = [debt for debt in self._debts if not debt.place[0]]
        if event.action == "ChangeAvailability":
            self._levels.add(_level(event.payload))

    def _availability(self, event: Told) -> None:
        level = _level(event.asked.payload)
        status = text(event.asked.payload, "operationalStatus")
        if status == "Inoperative":
            within = {p for p in self._facts.statuses if _is_within(p, level)}
            self._made[level] = {p for p in within if self._facts.statuses[p] == "Available"}
            due, before = self._made[level], "Available"
        elif status == "Operative" and self._levels == {level}:
            # Where another level was changed, too, it may be that one which keeps a connector as it is.
            due, before = self._made.pop(level, set()), "Unavailable"
        else:
            return
        for place in sorted(due):
            if self._facts.statuses[place] == before:
                self._owe_status(
                    event.at_s,
                    place,
                    before,
                    Objection(
                        "G03.FR.04, G04.FR.05",
                        "ChangeAvailability accepted, no status follows",
                        f"ChangeAvailability({status}) was accepted, and a connector that was {before} was not told to"
                        " be anything else",
                    ),
                )

    def _cable(self, event: Operated, before: str) -> None:
        """G01: an EV that comes or goes, and a fault, is told of by itself; another deed there begins anew."""
        place, facts = (event.evse, 1), self._facts
        self._debts = [
            d for d in self._debts if d.place != place or event.at_s - d.since_s >= _WAITED_S
        ]
        first = event.words.split()[2:] in ([], ["1"])
        held = facts.boots == 0 or facts.standing is Standing.ACCEPTED
        if not first or not held or facts.away or self._withheld:
            return
        if facts.statuses.get(place) == before:
            rule, what = _DEEDS[event.deed]
            objection = Objection(
                rule,
                f"{what}, no status follows",
                f"{what} at a connector that was {before}, and its status was not told by itself",
            )
            self._owe_status(event.at_s, place, before, objection)

    def _owe_status(self, since_s: float, place: _Place, before: str, objection: Objection) -> None:
        def pays(called: Called) -> bool:
            if called.action == "NotifyEvent":
                return True
            same = number(called.payload, "evseId"), number(called.payload, "connectorId")
            return same == place and text(called.payload, "connectorStatus") != before

        actions = frozenset({"StatusNotification", "NotifyEvent"})
        self._debts.append(_Debt(since_s, actions, objection, pays, place=place))


_DEEDS: Mapping[str, tuple[str, str]] = {
    "plug-in": ("G01.FR.03, G01.FR.04", "EV plugged in"),
    "unplug": ("G01.FR.03, G01.FR.04", "EV unplugged"),
    "fault": ("G01", "fault"),
    "clear-fault": ("G01", "fault mended"),
}
"""What is done at a connector, by which rule its status is told then, and in words."""


def _level(asked: JsonValue) -> _Level:
    """The EVSE and connector that a ChangeAvailability names, None for each that it does not."""
    return number(asked, "evse", "id"), number(asked, "evse", "connectorId")


def _is_within(place: _Place, level: _Level) -> bool:
    return level[0] in (None, place[0]) and level[1] in (None, place[1]) and 0 not in place


_TAKES_ENERGY = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})


def _surely_taken(event: Answered) -> bool:
    """True for an acknowledgement of a TransactionEvent that no reader could take for anything else."""
    if event.error_code or not event.prompt:
        return False
    status = text(event.payload, "idTokenInfo", "status")
    plain: JsonValue = {"idTokenInfo": {"status": status}}
    known = status in REFUSALS or status == "Accepted"
    return event.proper or event.payload == {} or (known and event.payload == plain)


def _refuses(event: Answered) -> bool:
    return text(event.payload, "idTokenInfo", "status") not in ("", "Accepted")


def _tells_stop(called: Called) -> bool:
    stops = text(called.payload, "triggerReason") == "StopAuthorized"
    return stops or text(called.payload, "eventType") == "Ended"


def _tells_remote_stop(called: Called) -> bool:
    stops = text(called.payload, "triggerReason") == "RemoteStop"
    return stops or text(called.payload, "eventType") == "Ended"


def _may_tell_unplugged(called: Called) -> bool:
    """False for what waited to be sent from before: energy that is metered, and an EV that takes some or none."""
    reason = text(called.payload, "triggerReason")
    state = text(called.payload, "transactionInfo", "chargingState")
    metered = reason in ("MeterValuePeriodic", "MeterValueClock")
    before = metered or (reason == "ChargingStateChanged" and state in _TAKES_ENERGY)
    return text(called.payload, "eventType") == "Ended" or not before
