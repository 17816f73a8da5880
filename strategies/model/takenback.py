"""What becomes of energy when the CSMS takes it back (E05, C15, F03): it ends, at once or soon.

Knows answers to TransactionEvents that refuse a token, and remote stops that were accepted. Must not know who was let in at
first (`energy` does). A station with MaxEnergyOnInvalidId may let some more energy flow; judged is only one that said in
this scene that it has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strategies.labels import JsonValue
from strategies.model.events import (
    PROMPT_S,
    Answered,
    Asked,
    Called,
    Event,
    Objection,
    Operated,
    Told,
    Topic,
    Weight,
    objects,
    text,
)
from strategies.model.facts import NEVER, REFUSALS, Facts
from strategies.model.rule import Rule

_ALLOWANCE = "maxenergyoninvalidid"
_ENDS = frozenset({"Authorized", "PowerPathClosed"})
_DECIDE = ("StopTxOnInvalidId", "TxStopPoint")
_PROMPT_S = 0.5
"""A CALL that waited longer for its answer may have held up others, which then tell of before."""

_MAY_GO_ON = frozenset({"RequestStartTransaction", "SetVariables", "Reset", "ChangeAvailability"})
"""CALLs by which energy may flow again, or that may be what a stop has to wait for."""

_STOPPED_S = 3.0
"""How long energy may flow on after a remote stop: some ramp down before they open anything."""

SOON_S = 2.0
"""How long energy may flow on until a station has heard and done what it is told."""


@dataclass(slots=True)
class _Refusal:
    """A transaction whose token was refused, and when."""

    at_s: float
    over: bool = False


class TakenBack(Rule):
    """Follows refusals, and whether energy flows on."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._none_allowed = False
        self._refusals: dict[str, _Refusal] = {}
        self._stops: dict[str, float] = {}
        """The transactions whose remote stop was accepted, and when, as long as nothing was done since."""
        self._held_up_s = NEVER
        self._done_s = self._asked_s = NEVER
        """When anything was last done, or asked, that may end a transaction."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether energy flows although its token was refused for a while, as the EV leaves."""
        match event:
            case Told(asked=Asked(action="GetVariables")):
                self._read(event)
            case Answered():
                if not event.proper or event.at_s - event.called.at_s > _PROMPT_S:
                    self._held_up_s = event.at_s
                if event.called.action == "TransactionEvent":
                    self._answered(event)
            case Called(action="TransactionEvent"):
                yield from self._in_spite_of_a_stop(event)
                yield from self._ended(event)
                self._told(event)
            case Told(asked=Asked(action="RequestStopTransaction"), status="Accepted"):
                self._stops[text(event.asked.payload, "transactionId").casefold()] = event.at_s
            case Asked() if event.action in _MAY_GO_ON:
                self._stops.clear()
                self._done_s = self._asked_s = event.at_s
            case Operated():
                self._stops.clear()
                self._done_s = event.at_s
                if event.deed == "unplug":
                    yield from self._flows_on(event)
                    yield from self._goes_on(event)
            case _:
                pass

    def _read(self, event: Told) -> None:
        for item in objects(event.payload, "getVariableResult"):
            if text(item, "variable", "name").casefold() != _ALLOWANCE:
                continue
            absent = text(item, "attributeStatus") in ("UnknownComponent", "UnknownVariable")
            self._none_allowed = absent or text(item, "attributeValue") == "0"

    def _answered(self, event: Answered) -> None:
        token = text(event.called.payload, "idToken", "idToken")
        status = text(event.payload, "idTokenInfo", "status")
        id_ = text(event.called.payload, "transactionInfo", "transactionId").casefold()
        if token and status in REFUSALS and not event.error_code and event.prompt:
            self._refusals.setdefault(id_, _Refusal(event.at_s))

    def _told(self, event: Called) -> None:
        """Anything but Charging is the end of it; so is what does not say how the EV charges."""
        id_ = text(event.payload, "transactionInfo", "transactionId").casefold()
        refusal = self._refusals.get(id_)
        state = text(event.payload, "transactionInfo", "chargingState")
        ends = text(event.payload, "eventType") == "Ended" or state not in ("", "Charging")
        reason = text(event.payload, "triggerReason")
        if refusal is not None:
            refusal.over |= ends or reason == "Deauthorized"

    def _ended(self, event: Called) -> Iterator[Objection]:
        """C15, E05: where StopTxOnInvalidId is false, a refusal takes the energy and not the transaction."""
        facts, info = self._facts, "transactionInfo"
        id_ = text(event.payload, info, "transactionId").casefold()
        refusal, found = self._refusals.get(id_), facts.transaction(id_)
        stops, points = (facts.settings.of(f"TxCtrlr.{n}") for n in _DECIDE)
        if refusal is None or found is None or stops is None or points is None:
            return
        said = text(event.payload, "triggerReason"), text(event.payload, info, "stoppedReason")
        taken = text(event.payload, "eventType") == "Ended" and "deauthorized" in (
            s.casefold() for s in said
        )
        goes_on = stops.value.casefold() == "false" and stops.since_s < found.first_s
        goes_on &= "EnergyTransfer" not in points.value and self._none_allowed
        plugged_s = facts.plugged.get(found.evse, float("inf"))
        calm = max(facts.interrupted_s, facts.unread_s) < plugged_s < found.first_s
        if taken and goes_on and calm and self._done_s < refusal.at_s:
            yield Objection(
                "C15, E05",
                "transaction ended by a refusal although StopTxOnInvalidId is false",
                "StopTxOnInvalidId is false, the token of a transaction was refused, and the transaction was ended by that",
            )

    def _in_spite_of_a_stop(self, event: Called) -> Iterator[Objection]:
        """F03.FR.02: energy is over even where the transaction is not, since TxStopPoint has not come."""
        facts = self._facts
        id_ = text(event.payload, "transactionInfo", "transactionId").casefold()
        stopped_s, found = self._stops.get(id_), facts.transaction(id_)
        if stopped_s is None or found is None or facts.outstanding is not None:
            return
        # `found` has this event already: its state is the one that was told last.
        told = text(event.payload, "transactionInfo", "chargingState")
        charges = told == "Charging" or (found.state == "Charging" and _draws_power(event.payload))
        shaken = max(facts.shaken_s, self._held_up_s) > found.first_s or found.offline
        if charges and found.open and not shaken and event.at_s - stopped_s > _STOPPED_S:
            yield Objection(
                "F03.FR.02",
                "Charging goes on after a remote stop",
                f"RequestStopTransaction was accepted, and energy flows on EVSE {found.evse} all the same",
                Topic.ENERGY,
                Weight.CRITICAL,
            )

    def _goes_on(self, event: Operated) -> Iterator[Objection]:
        """E05: where StopTxOnInvalidId is true and an authorization that is lost is a stop point, it is the end."""
        facts = self._facts
        stops, points = (facts.settings.of(f"TxCtrlr.{n}") for n in _DECIDE)
        named = set() if points is None else {p.strip() for p in points.value.split(",")}
        if stops is None or stops.value.casefold() != "true" or not named & _ENDS:
            return
        for id_, refusal in self._refusals.items():
            found = facts.transaction(id_)
            if found is None or found.evse != event.evse or not self._none_allowed:
                continue
            last_s = max(facts.interrupted_s, facts.unread_s, self._asked_s)
            known = max(stops.since_s, points.since_s if points else NEVER) < found.first_s
            calm = last_s < refusal.at_s and facts.outstanding is None and known
            late_s = event.at_s - max(refusal.at_s, self._held_up_s)
            if calm and found.open and not found.offline and late_s >= PROMPT_S:
                yield Objection(
                    "E05",
                    "transaction goes on although its token was refused",
                    "StopTxOnInvalidId is true, the token of a transaction was refused, and it did not end although losing"
                    f" the authorization is among its TxStopPoints ({', '.join(sorted(named))})",
                )

    def _flows_on(self, event: Operated) -> Iterator[Objection]:
        facts = self._facts
        for id_, refusal in self._refusals.items():
            found = facts.transaction(id_)
            if found is None or found.evse != event.evse or not self._none_allowed or refusal.over:
                continue
            calm = max(facts.interrupted_s, facts.unread_s) < refusal.at_s
            charges = found.open and found.state == "Charging" and facts.outstanding is None
            if calm and charges and event.at_s - refusal.at_s > SOON_S:
                yield Objection(
                    "E05.FR.01, C15.FR.04",
                    "Charging goes on with a token that was refused",
                    f"the token of a transaction was refused, and energy flows on EVSE {found.evse} all the same",
                    Topic.ENERGY,
                    Weight.CRITICAL,
                )


def _draws_power(payload: JsonValue) -> bool:
    """Whether an event that need not say how an EV charges measured that it does."""
    samples = [s for v in objects(payload, "meterValue") for s in objects(v, "sampledValue")]
    power = [s.get("value") for s in samples if text(s, "measurand") == "Power.Active.Import"]
    return any(isinstance(w, int | float) and not isinstance(w, bool) and w > 0 for w in power)
