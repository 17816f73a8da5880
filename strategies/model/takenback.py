"""What becomes of energy when the CSMS refuses the token of a running transaction (E05, C15): it ends, at once or soon.

Knows answers to TransactionEvents. Must not know who was let in at first (`energy` does). A station with MaxEnergyOnInvalidId
may let some more energy flow; judged is only one that said in this scene that it has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strategies.model.events import (
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
from strategies.model.facts import REFUSALS, Facts

_ALLOWANCE = "maxenergyoninvalidid"
SOON_S = 2.0
"""How long energy may flow on until a station has heard and done what it is told."""


@dataclass(slots=True)
class _Refusal:
    """A transaction whose token was refused, and when."""

    at_s: float
    over: bool = False


class TakenBack:
    """Follows refusals, and whether energy flows on."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._none_allowed = False
        self._refusals: dict[str, _Refusal] = {}

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether energy flows although its token was refused for a while, as the EV leaves."""
        match event:
            case Told(asked=Asked(action="GetVariables")):
                self._read(event)
            case Answered(called=Called(action="TransactionEvent")):
                self._answered(event)
            case Called(action="TransactionEvent"):
                self._told(event)
            case Operated(deed="unplug"):
                yield from self._flows_on(event)
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
