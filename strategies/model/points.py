"""Where transactions begin and end (E01 to E03, E06, E07): at the points that TxStartPoint and TxStopPoint name.

Knows the two variables, where this scene has shown them, and what somebody did at the station. Must not know why else a
transaction may end (`reasons` does). Points that nobody can see from outside (ParkingBayOccupancy, DataSigned) leave
everything open, and so does whatever was interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strategies.model.events import (
    PROMPT_S,
    Answered,
    Asked,
    Called,
    Event,
    Missed,
    Objection,
    Operated,
    Told,
    Weight,
    member,
    number,
    text,
)
from strategies.model.facts import NEVER, Facts, Standing, Transaction
from strategies.model.rule import Rule

_UNSEEN = frozenset({"ParkingBayOccupancy", "DataSigned", ""})
_BY_EV = frozenset({"PowerPathClosed", "EnergyTransfer"})
_HARMLESS = frozenset({"GetVariables", "GetTransactionStatus", "ClearCache", "TriggerMessage"})


@dataclass(slots=True)
class _Owed:
    """A Started that is due since `at_s`, at the point `what`."""

    at_s: float
    what: str
    later: bool = False
    """Whether something else was done a good while later, with which another station's transaction would begin."""


class Points(Rule):
    """Follows the deeds that are points, and what is told of them."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._let_in = self._came = False
        """Whether anybody was let in, or may have been, and whether an EV came since the last transaction had ended."""
        self._early: Objection | None = None
        """What is wrong where the station asks about tokens, which nobody knows before it has asked about one."""
        self._owed: _Owed | None = None
        self._other_s = NEVER
        """When anything last happened that begins or ends transactions in ways of its own."""
        self._stirred_s = NEVER
        """When the first of the last deeds was done that a transaction may begin with: it is told a moment later."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether a transaction begins or ends before its point; after transactions took note of the event."""
        match event:
            case Operated():
                self._operated(event)
            case Called(action="Authorize") if self._early is not None:
                yield self._early
                self._early = None
            case Called(action="TransactionEvent"):
                yield from self._transaction(event)
            case Answered(called=Called(action="Authorize")):
                self._authorized(event)
            case Answered() if member(event.payload, "idTokenInfo", "status") not in (
                None,
                "Accepted",
            ):
                self._other(event.at_s)
            case Told(asked=Asked(action="RequestStartTransaction")):
                self._let_in = True
                self._stir(event.at_s)
            case Asked() if event.action not in _HARMLESS:
                self._other(event.at_s)
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether a transaction never began although its point was reached, and somebody waited for it."""
        owed, facts = self._owed, self._facts
        waits = [m.timeout_s for m in missed if _waits_for_started(m)]
        calm = not facts.away and facts.outstanding is None
        if owed is None or not calm or facts.shaken_s > owed.at_s:
            return
        if any(end_s - owed.at_s >= wait for wait in waits):
            yield _not_begun(owed)

    def _shaken_s(self) -> float:
        return max(self._facts.shaken_s, self._other_s)

    def _stir(self, at_s: float) -> None:
        if at_s - self._stirred_s > PROMPT_S:
            self._stirred_s = at_s

    def _other(self, at_s: float) -> None:
        self._let_off(at_s)
        self._other_s = at_s

    def _let_off(self, at_s: float) -> None:
        """Nothing more is expected but what should have come long ago."""
        overdue = self._owed is not None and at_s - self._owed.at_s >= PROMPT_S
        self._owed = self._owed if overdue else None
        self._early = None

    def _points(self, name: str) -> frozenset[str]:
        """The points of TxCtrlr.`name`; none where they are unknown, cannot be seen, or something happened since."""
        found = self._facts.settings.of(f"TxCtrlr.{name}")
        if found is None or self._shaken_s() > found.since_s:
            return frozenset()
        points = frozenset(part.strip() for part in found.value.split(","))
        return frozenset() if points & _UNSEEN else points

    # --- beginning ----------------------------------------------------------------------------------------

    def _operated(self, event: Operated) -> None:
        if self._owed is not None:
            self._owed.later |= event.at_s - self._owed.at_s >= PROMPT_S
        match event.deed:
            case "plug-in":
                self._came = True
                self._stir(event.at_s)
                # An EV that has not left does not come.
                here = event.evse in self._facts.plugged
                free = self._facts.outstanding is None and not here
                if free and "EVConnected" in self._points("TxStartPoint"):
                    self._owe(event.at_s, "EVConnected")
            case "present-token":
                self._let_in = True
                self._stir(event.at_s)
            case "unplug":
                self._let_off(event.at_s)
            case "start-power" | "stop-power":
                pass
            case _:
                self._other(event.at_s)

    def _owe(self, at_s: float, what: str) -> None:
        facts = self._facts
        ready = facts.standing is Standing.ACCEPTED or facts.boots == 0
        idle = not any(t.ended_seq is None for t in facts.transactions.values())
        if ready and idle and self._owed is None:
            self._owed = _Owed(at_s, what)

    def _authorized(self, event: Answered) -> None:
        info = member(event.payload, "idTokenInfo")
        accepted = text(info, "status") == "Accepted" and event.prompt and not event.error_code
        if not accepted:
            self._other(event.at_s)
        elif "Authorized" in self._points("TxStartPoint") and member(info, "evseId") is None:
            self._owe(event.at_s, "Authorized")

    def _transaction(self, event: Called) -> Iterator[Objection]:
        found = self._facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        if found is None or member(event.payload, "offline") is True:
            return
        match text(event.payload, "eventType"):
            case "Started":
                owed, self._owed = self._owed, None
                if owed is not None and owed.later and self._facts.shaken_s < owed.at_s:
                    yield _not_begun(owed)
                yield from self._began(event)
            case "Ended":
                yield from self._ended(event, found)
                # The EV that had come was told of to the end.
                self._came &= bool(self._facts.plugged)
            case _:
                pass

    def _began(self, event: Called) -> Iterator[Objection]:
        points, facts = self._points("TxStartPoint"), self._facts
        known = facts.settings.of("TxCtrlr.TxStartPoint")
        evse = number(event.payload, "evse", "id")
        if known is None or not points or not facts.operated or self._stirred_s < known.since_s:
            return
        if points <= _BY_EV and not self._came and not facts.plugged:
            yield Objection(
                "E01, E03",
                "transaction began before the EV came",
                f"TxStartPoint is {', '.join(sorted(points))}, and a transaction began before any EV was plugged in",
            )
        state = text(event.payload, "transactionInfo", "chargingState")
        if points == {"EnergyTransfer"} and state in ("Idle", "EVConnected"):
            yield Objection(
                "E01, E02",
                "transaction began before energy flowed",
                f"TxStartPoint is EnergyTransfer alone, and a transaction began with the chargingState {state}",
            )
        if "EVConnected" not in points and not self._let_in and evse in facts.plugged:
            self._early = Objection(
                "E01, E02",
                "transaction began before anybody was let in",
                f"TxStartPoint is {', '.join(sorted(points))}, and a transaction began as the EV was plugged in",
            )

    # --- end ----------------------------------------------------------------------------------------------

    def _ended(self, event: Called, found: Transaction) -> Iterator[Objection]:
        plugged_s = self._facts.plugged.get(found.evse, float("inf"))
        by_token = text(event.payload, "triggerReason") == "StopAuthorized"
        stays = found.begun and not found.offline and plugged_s < found.first_s
        if by_token and stays and self._points("TxStopPoint") == {"EVConnected"}:
            yield Objection(
                "E06, E07",
                "transaction ended before its stop point",
                "TxStopPoint is EVConnected alone, and a transaction was ended by a token with the EV still plugged in",
                weight=Weight.MEDIUM,
            )


def _not_begun(owed: _Owed) -> Objection:
    return Objection(
        "E01, E02",
        f"no transaction at its start point {owed.what}",
        f"{owed.what} is among the TxStartPoints and was reached, and no Started came",
    )


def _waits_for_started(missed: Missed) -> bool:
    return missed.action == "TransactionEvent" and dict(missed.where).get("/eventType") == "Started"
