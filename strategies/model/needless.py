"""Questions that the station need not ask (C01.FR.03, C05.FR.01, F01.FR.02): who began a transaction, or was let in from afar.

Knows tokens that were shown, remote starts that were accepted, and Authorize. Must not know what becomes of an answer
(`energy` does).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Event,
    Objection,
    Operated,
    Told,
    Weight,
    objects,
    text,
)
from strategies.model.facts import NEVER, REFUSALS, Facts
from strategies.model.rule import Rule

_ASKS = "AuthCtrlr.AuthorizeRemoteStart"


class Needless(Rule):
    """Follows tokens that the station has its answer about."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._shown: Counter[str] = Counter()
        self._last = ""
        self._last_s = NEVER
        """When that one was shown to a station that waited for no answer; never, where it did."""
        self._given: dict[str, str] = {}
        """Tokens of remote starts that were accepted, and by which rule nobody is asked about them."""
        self._plain = True
        """False once anything may have made a station ask all the same."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether the station asks about a token that it must not ask about."""
        match event:
            case Operated(deed="present-token"):
                self._last = event.token
                self._shown[self._last] += 1
                self._last_s = event.at_s if self._facts.outstanding is None else NEVER
            case Asked(action="SetVariables"):
                items = objects(event.payload, "setVariableData")
                names = {text(item, "component", "name").casefold() for item in items}
                self._plain &= "authctrlr" not in names
            case Asked(action="SendLocalList" | "RequestStopTransaction" | "Reset"):
                # What ends a transaction crosses what is shown.
                self._plain = False
            case Told(asked=Asked(action="RequestStartTransaction"), status="Accepted"):
                self._begun(event)
            case Answered() if text(event.payload, "idTokenInfo", "status") in REFUSALS:
                self._plain = False
            case Called(action="Authorize"):
                yield from self._asks(event)
            case _:
                pass

    def _begun(self, event: Told) -> None:
        asked = event.asked.payload
        token, asks = text(asked, "idToken", "idToken").casefold(), self._facts.settings.of(_ASKS)
        if text(asked, "idToken", "type") == "Central":
            self._given[token] = "C05.FR.01"
        elif asks is not None and asks.value.casefold() == "false":
            self._given[token] = "F01.FR.02"

    def _asks(self, event: Called) -> Iterator[Objection]:
        token = text(event.payload, "idToken", "idToken").casefold()
        rule = self._given.get(token, "")
        if rule and not self._shown[token] and self._facts.operated:
            yield Objection(
                rule,
                "Authorize for a remote start that needs none",
                "a remote start was accepted, nobody showed its token, and the station asks whether it is valid",
                weight=Weight.LOW,
            )
        if self._is_own(token):
            yield Objection(
                "C01.FR.03",
                "Authorize for the token that began the transaction",
                "the token of a transaction was shown again to end it, and the station asks whether it is valid",
                weight=Weight.LOW,
            )

    def _is_own(self, token: str) -> bool:
        """Whether a token began the only transaction that runs, and was shown for the second time."""
        facts = self._facts
        running = [t for t in facts.transactions.values() if t.ended_seq is None]
        if len(running) != 1 or len(facts.plugged) != 1 or not self._plain:
            return False
        found = running[0]
        mine = found.token is not None and found.token[0].casefold() == token
        came_s = facts.plugged.get(found.evse, NEVER)
        # Of an EV that came since, or came again, nobody knows yet whose it is.
        calm = found.begun and not found.offline and facts.shaken_s < came_s < found.first_s
        charges = found.state == "Charging"
        again = self._last == token and self._shown[token] == 2 and self._last_s > found.first_s
        return mine and calm and charges and again and not found.remote_starts
