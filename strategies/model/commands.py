"""What the CSMS may be told: remote start and stop, unlocking, availability (F01 to F03, F05, G03, G04).

Knows which answers contradict what the Charging Station said before. Where a station may choose, both answers are right.
"""

from __future__ import annotations

from collections.abc import Iterator

from strategies.labels import JsonObject, JsonValue
from strategies.model.events import (
    Asked,
    Called,
    Event,
    Objection,
    Operated,
    Told,
    Topic,
    Weight,
    number,
    objects,
    text,
)
from strategies.model.facts import Facts, Standing, Transaction
from strategies.model.rule import Rule

_NEVER_WERE = frozenset({"never-heard-of", "00000000-0000-0000-0000-000000000000"})
"""transactionIds that we made up; of any other a station may know from before."""

_HELD = Standing.UNKNOWN, Standing.ACCEPTED
"""How far a station has come that is held to the rules here; `registration` judges the others."""


class Commands(Rule):
    """Follows what was agreed to."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._busy: dict[str, bool] = {}
        self._over: dict[str, bool] = {}
        self._starts: dict[int, list[str]] = {}
        self._refused: dict[int, int] = {}
        self._stopped: dict[str, bool] = {}
        self._inoperative: dict[int, float] = {}
        self._last_change = ""
        self._began: dict[int, set[str]] = {}
        self._runs: dict[str, bool] = {}
        self._locked: set[str] = set()
        """The transactions in which energy surely flowed as a connector was to be unlocked last."""
        self._nowhere: set[int] = set()
        self._uncached = False
        """Whether the station says itself that it has no cache of tokens, or that it is off."""
        self._no_connector: set[tuple[int, int]] = set()
        """EVSEs and connectors that are an UnknownComponent."""
        self._connector: set[int] = set()
        """EVSEs of which a connector is a known component: only there another one may be told to be none."""
        self._faulted: set[int] = set()
        """EVSEs that say Faulted of themselves, as long as nothing was done since."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with an answer, or with a transaction that follows from none."""
        match event:
            case Asked():
                self._asked(event)
            case Told(asked=Asked(action="RequestStartTransaction")):
                yield from self._started(event)
            case Told(asked=Asked(action="Reset")):
                evse = number(event.asked.payload, "evseId")
                if event.status in ("Accepted", "Scheduled") and evse in self._nowhere:
                    yield _on_no_evse("B11, B12", "Reset", evse or 0)
            case Told(asked=Asked(action="ClearCache"), status="Accepted") if self._uncached:
                yield Objection(
                    "C11.FR.04",
                    "ClearCache accepted without a cache",
                    "ClearCache was accepted by a station that says itself that it has no cache, or that it is off",
                    weight=Weight.LOW,
                )
            case Told(asked=Asked(action="RequestStopTransaction")):
                yield from self._stop(event)
            case Told(asked=Asked(action="ChangeAvailability")):
                yield from self._availability(event)
            case Told(asked=Asked(action="UnlockConnector")):
                yield from self._unlocked(event)
            case Told(asked=Asked(action="GetVariables")):
                self._read(event)
            case Called(action="TransactionEvent"):
                yield from self._transaction(event)
            case Called(action="StatusNotification" | "NotifyEvent") | Operated():
                self._faulted.clear()
            case _:
                pass

    def _asked(self, event: Asked) -> None:
        """What was certain when a CALL was made."""
        facts, payload = self._facts, event.payload
        if event.action == "ChangeAvailability":
            self._busy[event.id] = any(
                facts.surely_open(t) and _covers(payload, t) for t in facts.transactions.values()
            )
            # Until the answer is here nobody knows which of the two holds.
            self._inoperative.clear()
            self._last_change = event.id
        elif event.action == "RequestStartTransaction":
            remote_start = number(payload, "remoteStartId")
            if remote_start is not None:
                self._starts.setdefault(remote_start, []).append(event.id)
            evse = number(payload, "evseId")
            self._busy[event.id] = any(
                facts.surely_open(t) and t.evse == evse and t.state == "Charging"
                for t in facts.transactions.values()
            )
        elif event.action == "SetVariables":
            self._uncached = False
        elif event.action == "RequestStopTransaction":
            found = facts.transaction(text(payload, "transactionId"))
            self._over[event.id] = found is not None and found.ended_seq is not None
            self._runs[event.id] = found is not None and facts.surely_open(found)
            # It may be carried out although its answer is lost.
            self._stopped[text(payload, "transactionId").casefold()] = False

        elif event.action == "UnlockConnector":
            locked = [
                t
                for t in facts.transactions.values()
                if facts.surely_open(t) and t.token is not None and _locks(payload, t)
            ]
            self._runs[event.id] = bool(locked)
            self._locked = {t.id.casefold() for t in locked if facts.outstanding is None}

    def _read(self, event: Told) -> None:
        """What the station says of its own EVSEs: that there is none of that number, or that it is Faulted."""
        for item in objects(event.payload, "getVariableResult"):
            name = text(item, "component", "name"), text(item, "variable", "name")
            if [n.casefold() for n in name] == ["authcachectrlr", "enabled"]:
                off = text(item, "attributeValue").casefold() == "false"
                self._uncached = off or text(item, "attributeStatus") == "UnknownComponent"
            evse = number(item, "component", "evse", "id")
            self._read_connector(item, evse)
            whole = number(item, "component", "evse", "connectorId") is None
            if evse is None or not whole or text(item, "component", "name").casefold() != "evse":
                continue
            if text(item, "attributeStatus") == "UnknownComponent":
                self._nowhere.add(evse)
            state = text(item, "variable", "name").casefold() == "availabilitystate"
            if state and text(item, "attributeValue") == "Faulted":
                self._faulted.add(evse)

    def _read_connector(self, item: JsonObject, evse: int | None) -> None:
        connector = number(item, "component", "evse", "connectorId")
        named = text(item, "component", "name").casefold() == "connector"
        if evse is None or connector is None or not named:
            return
        if text(item, "attributeStatus") == "UnknownComponent":
            self._no_connector.add((evse, connector))
        elif text(item, "attributeStatus") == "Accepted":
            self._connector.add(evse)

    def _is_nowhere(self, evse: int | None, connector: int | None) -> bool:
        """Whether a place is not there, by what the station said of it."""
        none = (evse, connector) in self._no_connector and evse in self._connector
        return none or evse in self._nowhere

    # --- remote start and stop ----------------------------------------------------------------------------

    def _started(self, event: Told) -> Iterator[Objection]:
        asked, facts = event.asked, self._facts
        remote_start = number(asked.payload, "remoteStartId")
        if remote_start is not None and (event.error_code or event.status == "Rejected"):
            self._refused[remote_start] = self._refused.get(remote_start, 0) + 1
        evse = number(asked.payload, "evseId")
        if event.status != "Accepted":
            return
        if evse is not None and evse < 0:
            yield Objection(
                "F01",
                "RequestStartTransaction accepted on a negative EVSE",
                f"RequestStartTransaction was accepted on EVSE {evse}, and no EVSE has a negative number",
                weight=Weight.LOW,
            )
        if self._busy.get(asked.id) and facts.outstanding is None:
            yield Objection(
                "F01",
                "RequestStartTransaction accepted on a busy EVSE",
                f"RequestStartTransaction was accepted on EVSE {evse}, where a transaction charges",
            )
        if evse is not None and evse in self._nowhere:
            yield _on_no_evse("F01", asked.action, evse)
        if evse is not None and evse in self._faulted:
            yield Objection(
                "F01.FR.23",
                "RequestStartTransaction accepted on a faulted EVSE",
                f"RequestStartTransaction was accepted on EVSE {evse}, whose AvailabilityState was just read as Faulted",
            )
        if evse is not None and self._is_inoperative(evse, asked.at_s):
            yield Objection(
                "F01",
                "RequestStartTransaction accepted on an inoperative EVSE",
                f"RequestStartTransaction was accepted on EVSE {evse}, which was made Inoperative",
            )
        yield from self._names_what_runs(event, evse)

    def _names_what_runs(self, event: Told, evse: int | None) -> Iterator[Objection]:
        """F01.FR.13: where a transaction waits for somebody already, the answer says which."""
        facts = self._facts
        running = [t for t in facts.transactions.values() if t.evse == evse and t.open]
        if len(running) != 1 or facts.outstanding is not None:
            return
        found, named = running[0], text(event.payload, "transactionId")
        waits = found.token is None and not (found.remote_starts or found.offline)
        here = facts.plugged.get(found.evse, float("inf")) <= found.first_s
        calm = facts.shaken_s < found.last_s < event.asked.at_s
        if waits and here and calm and named.casefold() != found.id.casefold():
            yield Objection(
                "F01.FR.13",
                "remote start without the transaction that runs",
                f"RequestStartTransaction was accepted on EVSE {evse}, where a transaction without a token runs, and the"
                f" answer names {'another one' if named else 'none'}",
                weight=Weight.LOW,
            )

    def _stop(self, event: Told) -> Iterator[Objection]:
        id_ = text(event.asked.payload, "transactionId")
        accepted = event.status == "Accepted"
        self._stopped[id_.casefold()] = accepted or self._stopped.get(id_.casefold(), False)
        if accepted and self._over.get(event.asked.id):
            yield Objection(
                "F03",
                "RequestStopTransaction accepted for an ended transaction",
                "RequestStopTransaction was accepted for a transaction whose Ended had come already",
            )
        if accepted and id_ in _NEVER_WERE and self._facts.standing in _HELD:
            yield Objection(
                "F03.FR.08",
                "RequestStopTransaction accepted for a transaction that never was",
                "RequestStopTransaction was accepted for a transactionId that no station gave",
            )
        found = self._facts.transaction(id_)
        runs = found is not None and found.open and self._facts.outstanding is None
        if event.status == "Rejected" and runs and self._runs.get(event.asked.id):
            yield Objection(
                "F03.FR.07",
                "RequestStopTransaction rejected for a running transaction",
                "RequestStopTransaction was rejected for a transaction that ran before and after it",
            )

    def _transaction(self, event: Called) -> Iterator[Objection]:
        id_ = text(event.payload, "transactionInfo", "transactionId")
        reason = text(event.payload, "triggerReason")
        if reason == "RemoteStop":
            yield from self._remote_stop(id_)
        ended = text(event.payload, "eventType") == "Ended"
        if ended and reason == "UnlockCommand" and id_.casefold() in self._locked:
            yield Objection(
                "F05.FR.02",
                "authorized transaction ended by UnlockConnector",
                "a transaction in which an EV charged was ended, as it says itself, by an UnlockConnector; it goes on, and the"
                " answer is OngoingAuthorizedTransaction",
                weight=Weight.HIGH,
            )
        remote_start = number(event.payload, "transactionInfo", "remoteStartId")
        if remote_start is not None and id_:
            yield from self._remote_start(remote_start, id_)

    def _remote_stop(self, id_: str) -> Iterator[Objection]:
        known = id_.casefold() in self._stopped
        others = any(
            accepted for other, accepted in self._stopped.items() if other != id_.casefold()
        )
        if not known and others:
            yield Objection(
                "F03",
                "another transaction was stopped",
                "RequestStopTransaction was accepted for one transaction, and another one was stopped by it",
                weight=Weight.HIGH,
            )

    def _remote_start(self, remote_start: int, id_: str) -> Iterator[Objection]:
        asked = self._starts.get(remote_start, [])
        if asked and self._refused.get(remote_start) == len(asked):
            yield Objection(
                "F01",
                "remote start carried out although Rejected",
                f"a transaction names remoteStartId {remote_start}, whose request was refused",
                weight=Weight.HIGH,
            )
        began = self._began.setdefault(remote_start, set())
        began.add(id_.casefold())
        if len(began) > 1 and len(set(asked)) == 1:
            note = len(asked) > 1
            yield Objection(
                "F01",
                "one remote start carried out twice",
                "two transactions came of one RequestStartTransaction"
                + (" that was sent again with its messageId" if note else ""),
                Topic.AGAIN,
                Weight.NOTE if note else Weight.MEDIUM,
            )

    def _unlocked(self, event: Told) -> Iterator[Objection]:
        evse = number(event.asked.payload, "evseId")
        if event.status != "Unlocked":
            return
        if self._is_nowhere(evse, number(event.asked.payload, "connectorId")):
            yield _on_no_evse("F05.FR.03", event.asked.action, evse)
        if self._runs.get(event.asked.id) and self._facts.outstanding is None:
            yield Objection(
                "F05.FR.02",
                "connector unlocked while an EV charges",
                f"UnlockConnector was answered Unlocked on EVSE {evse}, where an authorized transaction charges",
                weight=Weight.HIGH,
            )

    # --- availability -------------------------------------------------------------------------------------

    def _availability(self, event: Told) -> Iterator[Objection]:
        payload = event.asked.payload
        evse = number(payload, "evse", "id")
        nowhere = self._is_nowhere(evse, number(payload, "evse", "connectorId"))
        if event.status == "Accepted" and nowhere:
            yield _on_no_evse("G03", event.asked.action, evse)
        inoperative = text(payload, "operationalStatus") == "Inoperative"
        if not inoperative or event.status != "Accepted":
            return
        if self._busy.get(event.asked.id) and self._facts.outstanding is None:
            yield Objection(
                "G03.FR.05, G04.FR.06",
                "ChangeAvailability accepted during a transaction",
                "ChangeAvailability(Inoperative) was Accepted while a transaction ran; Scheduled is due",
                weight=Weight.LOW,
            )
            return
        whole = number(payload, "evse", "connectorId") is None
        if whole and event.asked.id == self._last_change:
            self._inoperative[number(payload, "evse", "id") or 0] = event.at_s

    def _is_inoperative(self, evse: int, at_s: float) -> bool:
        return any(
            place in (0, evse) and since < at_s for place, since in self._inoperative.items()
        )


def _on_no_evse(rule: str, action: str, evse: int | None) -> Objection:
    return Objection(
        rule,
        f"{action} accepted on an EVSE that is not there",
        f"{action} was accepted on EVSE {evse}, where it, or the connector that was named, is an UnknownComponent by the"
        " station's own word",
    )


def _locks(request: JsonValue, running: Transaction) -> bool:
    """True when an UnlockConnector is about the connector through which energy flows."""
    place = number(request, "evseId"), number(request, "connectorId")
    return running.state == "Charging" and place == (running.evse, running.connector)


def _covers(request: JsonValue, running: Transaction) -> bool:
    """True when a change of availability concerns the connector of a transaction."""
    evse, connector = number(request, "evse", "id"), number(request, "evse", "connectorId")
    if evse is None:
        return isinstance(request, dict) and "evse" not in request
    return evse == running.evse and connector in (None, running.connector)
