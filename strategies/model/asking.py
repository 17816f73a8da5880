"""Whom nobody asked about (C01.FR.02): energy takes a token that the CSMS has judged, where nothing else can let it in.

And the other way round: a token that is shown where an EV waits is asked about. Knows what the station says of its own cache,
list and rules, and Authorize. Must not know what the answer was (`energy` does). Judged is only a station that said in this
scene that it has no other way to know a token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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
    Topic,
    Weight,
    member,
    objects,
    text,
)
from strategies.model.facts import NEVER, Facts
from strategies.model.rule import Rule

WAYS: Mapping[tuple[str, str], str] = {
    ("AuthCacheCtrlr", "Enabled"): "false",
    ("AuthCtrlr", "DisableRemoteAuthorization"): "false",
    ("AuthCtrlr", "Enabled"): "true",
    ("LocalAuthListCtrlr", "Enabled"): "false",
}
"""What makes a station let somebody in unasked, and the value at which it does not."""

_OPTIONAL = "AuthCtrlr"
"""Where a variable that is unknown is as good as this value; elsewhere the whole component must be."""

_LETS_IN = frozenset({"RequestStartTransaction", "SendLocalList", "SetVariables"})
_READS = frozenset({"GetVariables", "GetBaseReport", "GetReport", "GetTransactionStatus"})
_WAITS = ("Authorize", "TransactionEvent")
_GOES_WITH_IT = ("plug-in", "present-token", "start-power")
"""What is done where somebody wants to charge, and gives a station no reason to let a token be."""


class Asking(Rule):
    """Follows tokens that were shown, and those that the station asked about."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._closed: set[tuple[str, str]] = set()
        """The ways that the station says are closed."""
        self._shown: set[str] = set()
        self._asked: set[str] = set()
        self._plain = True
        """Whether nothing happened that may keep a station from taking a token."""
        self._since_s: float | None = None
        self._ignored_s = 0.0
        """Since when the only token that was shown is waiting to be asked about, and how long one did in vain."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether energy flows for a token that nobody was asked about; after transactions took note of the event."""
        self._wait(event)
        match event:
            case Told(asked=Asked(action="GetVariables")):
                self._read(event)
            case Asked() if event.action in _LETS_IN:
                self._closed.clear()
            case Operated(deed="present-token"):
                self._shown.add(event.token)
            case Called(action="Authorize"):
                self._asked.add(text(event.payload, "idToken", "idToken").casefold())
            case Called(action="TransactionEvent"):
                yield from self._transaction(event)
            case _:
                pass

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether somebody waited in vain for the station to do anything about a token."""
        waits = [m.timeout_s for m in missed if m.action in _WAITS]
        if self._since_s is not None and self._facts.outstanding is None:
            self._ignored_s = end_s - self._since_s
        if waits and self._ignored_s >= max(PROMPT_S, *waits):
            yield Objection(
                "C01.FR.02",
                "token that nobody was asked about",
                "a token was shown where an EV is plugged in, the station knows no token by itself, and it never asked",
            )

    def _wait(self, event: Event) -> None:
        match event:
            case Operated(deed="present-token"):
                alone = self._plain and not self._shown and bool(self._facts.plugged)
                ready = alone and self._closed == set(WAYS) and self._facts.outstanding is None
                self._since_s = event.at_s if ready else None
            case Operated(deed="unplug") if self._since_s is not None:
                if self._facts.outstanding is None:
                    self._ignored_s = event.at_s - self._since_s
                self._since_s = None
            case Operated() if event.deed in _GOES_WITH_IT:
                pass
            case Called() if event.action not in (*_WAITS, "BootNotification"):
                pass
            case Asked() if event.action in _READS:
                pass
            case Answered() if event.proper and event.prompt and not event.error_code:
                # What the station had to ask waited for this one.
                self._since_s = None if self._since_s is None else max(self._since_s, event.at_s)
            case Told():
                pass
            case _:
                self._plain, self._since_s = False, None

    def _read(self, event: Told) -> None:
        for item in objects(event.payload, "getVariableResult"):
            status, value = text(item, "attributeStatus"), text(item, "attributeValue")
            named = text(item, "component", "name"), text(item, "variable", "name")
            for way, shut in WAYS.items():
                if [n.casefold() for n in named] != [n.casefold() for n in way]:
                    continue
                absent = status == "UnknownComponent"
                absent |= way[0] == _OPTIONAL and status == "UnknownVariable"
                if absent or (status == "Accepted" and value.casefold() == shut):
                    self._closed.add(way)

    def _transaction(self, event: Called) -> Iterator[Objection]:
        facts = self._facts
        found = facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        charges = text(event.payload, "transactionInfo", "chargingState") == "Charging"
        if found is None or not charges or found.token is None or self._closed != set(WAYS):
            return
        token, came_s = found.token[0].casefold(), facts.plugged.get(found.evse, NEVER)
        online = not found.offline and member(event.payload, "offline") is not True
        calm = max(facts.interrupted_s, facts.unread_s) < came_s < found.first_s
        if online and calm and found.begun and token in self._shown - self._asked:
            yield Objection(
                "C01.FR.02",
                "Charging with a token that nobody was asked about",
                "energy flows for a token that was shown, the station has neither cache nor list, and it never asked",
                Topic.ENERGY,
                Weight.HIGH,
            )
