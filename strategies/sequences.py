"""Scenarios: what a tester does with a Charging Station to see how it keeps its states, as moves.

Knows the use cases of OCPP 2.0.1 Part 2 and what a target said of itself. Must not know how moves are played, nor what
a correct station answers: oracles do. A scenario begins at a booted, idle station and puts things back where it can.
One decorated function each; the first sentence of its docstring is its text in reports.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from strategies.labels import JsonObject, JsonValue
from strategies.moves import (
    Act,
    Again,
    Answer,
    AnswerText,
    Ask,
    Await,
    Leave,
    Move,
    Pause,
    Tell,
    Withhold,
    flat,
)
from strategies.pool import Pool, PoolVariable

TOKEN = ("04A1B2C3", "ISO14443")
OTHER_TOKEN = ("04D4E5F6", "ISO14443")
NOWHERE = "http://127.0.0.1:9/ocppfuzz"
"""Where no transfer ever succeeds: the discard port of the station itself (RFC 863)."""

UNDER_WAY_S = 2.2
"""How long somebody charges until whatever was done before has had its effect."""

GLANCE_S = 0.3
"""How long we look whether something happens that must not."""

DEAD_S = 4.0
"""How long a connection is left half-open."""

_NOW = '"currentTime":"{time.now}"'


@dataclass(frozen=True, slots=True)
class Place:
    """The station that a scenario is played at: its EVSEs, tokens and variables.

    `boot_s` is how long its boot may take, `prompt_s` what it was told to say (36 s in the certificate).
    """

    pool: Pool = field(default_factory=Pool)
    boot_s: float = 30.0
    prompt_s: float = 12.0

    @property
    def evses(self) -> tuple[int, ...]:
        """Its EVSEs; one where it named none."""
        return self.pool.evse_ids or (1,)

    @property
    def connectors(self) -> Sequence[tuple[int, int]]:
        """Its connectors as pairs of EVSE and connector; the first of each EVSE where it named none."""
        named = {(v.evse_id, v.connector_id) for v in self.pool.variables}
        pairs = sorted((e, c) for e, c in named if e and c)
        return pairs or [(evse, 1) for evse in self.evses]

    @property
    def tokens(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Two different tokens, as pairs of idToken and type."""
        known = [t for t in self.pool.id_tokens if t[0] and " " not in t[0]]
        first, second, *_ = (*known, TOKEN, OTHER_TOKEN)
        return first, second

    def variable(self, name: str) -> PoolVariable | None:
        """The writable variable of this name (`TxCtrlr.TxStartPoint`, an instance behind a slash), if its value is known."""
        for v in self.pool.variables:
            if v.name == name and v.mutability == "ReadWrite" and v.value is not None:
                return v
        return None

    def value(self, name: str, default: str) -> str:
        """The value of a variable, whether or not it is writable."""
        found = (v.value for v in self.pool.variables if v.name == name)
        return next((v for v in found if v is not None), default)


Script: TypeAlias = Callable[[Place], Iterable[Move]]
Variants: TypeAlias = Callable[[Place], Iterable[tuple[str, Script]]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario at one place. `slow` ones wait for the station's own time-outs."""

    name: str
    text: str
    moves: tuple[Move, ...]
    slow: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    text: str
    variants: Variants
    slow: bool


_REGISTRY: list[_Entry] = []


def scenario(script: Script) -> Script:
    """Registers a function that tells the moves of one scenario, under its own name with hyphens."""
    _register(script, lambda _place: [("", script)], slow=False)
    return script


def slow_scenario(script: Script) -> Script:
    """Registers a scenario that waits for time-outs of the station itself."""
    _register(script, lambda _place: [("", script)], slow=True)
    return script


def scenarios_over(variants: Variants) -> Variants:
    """Registers a function that tells several scenarios of one kind, each with what is behind its name."""
    _register(variants, variants, slow=False)
    return variants


def _register(told: Callable[..., object], variants: Variants, *, slow: bool) -> None:
    text = (inspect.getdoc(told) or "").splitlines()[0]
    _REGISTRY.append(_Entry(told.__name__.replace("_", "-"), text, variants, slow))


def scenarios(place: Place) -> tuple[Scenario, ...]:
    """Every scenario that can be played at a place, quick ones first; none that changes what the place has not."""
    made = [
        Scenario("/".join(filter(None, (e.name, name))), e.text, _afresh(script(place)), e.slow)
        for e in _REGISTRY
        for name, script in e.variants(place)
    ]
    return tuple(sorted((s for s in made if s.moves), key=lambda s: s.slow))


def _afresh(moves: Iterable[Move]) -> tuple[Move, ...]:
    """The moves on a station that asks about each token: what is cached from earlier scenes is not asked about (C10)."""
    told = tuple(moves)
    asks = any(isinstance(m, Await) and m.action == "Authorize" for m in flat(told))
    return (Ask("ClearCache", {}), *told) if asks else told


# --- pieces -------------------------------------------------------------------------------------------------


def set_variable(variable: PoolVariable, value: str) -> Ask:
    """SetVariables with one item."""
    item: JsonObject = {
        "attributeValue": value,
        "component": variable.component_json(),
        "variable": variable.variable_json(),
    }
    return Ask("SetVariables", {"setVariableData": [item]})


def get_variable(variable: PoolVariable) -> Ask:
    """GetVariables with one item."""
    item: JsonObject = {
        "component": variable.component_json(),
        "variable": variable.variable_json(),
    }
    return Ask("GetVariables", {"getVariableData": [item]})


def with_variable(place: Place, name: str, value: str, moves: Iterable[Move]) -> Iterator[Move]:
    """The moves with a variable changed before and put back afterwards; unchanged where it cannot be written."""
    found = place.variable(name)
    changes = found is not None and found.value != value
    if found is not None and changes:
        yield set_variable(found, value)
    yield from moves
    if found is not None and changes:
        yield set_variable(found, found.value or "")


def token_json(token: tuple[str, str]) -> JsonObject:
    """A fresh IdTokenType."""
    return {"idToken": token[0], "type": token[1]}


def present(token: tuple[str, str]) -> Act:
    """Hold a token before the reader."""
    return Act(f"present-token {token[0]} {token[1]}")


def event(timeout_s: float = 12.0, **fields: str) -> Await:
    """A TransactionEvent with these fields, `chargingState` and `stoppedReason` of its transactionInfo included."""
    info = ("chargingState", "stoppedReason")
    where = tuple((f"/transactionInfo/{k}" if k in info else f"/{k}", v) for k, v in fields.items())
    return Await("TransactionEvent", where, timeout_s)


ENDED = event(eventType="Ended")
CHARGING = event(chargingState="Charging")


def charge(place: Place, evse: int = 0) -> list[Move]:
    """Plug in, show the token, take energy; over when energy flows."""
    n = evse or place.evses[0]
    return [Act(f"plug-in {n}"), present(place.tokens[0]), Act(f"start-power {n}"), CHARGING]


def charge_on(place: Place, moves: Iterable[Move]) -> list[Move]:
    """Moves while somebody has been charging for so long that nothing from before can still end it; nothing without events.

    The station says every second that it goes on: whatever is done then meets a transaction that surely runs.
    """
    name, every_s = "SampledDataCtrlr.TxUpdatedInterval", "1"
    if place.variable(name) is None:
        return []
    goes_on = event(place.prompt_s, triggerReason="MeterValuePeriodic")
    inner = [*charge(place), Pause(UNDER_WAY_S), goes_on, *moves, *leave(place)]
    return list(with_variable(place, name, every_s, inner))


def leave(place: Place, evse: int = 0) -> list[Move]:
    """Unplug, and wait for the end of the transaction."""
    return [Act(f"unplug {evse or place.evses[0]}"), ENDED]


def reset(kind: str = "Immediate") -> Ask:
    """A Reset of the whole station."""
    return Ask("Reset", {"type": kind})


def booted(place: Place) -> Await:
    """The next BootNotification."""
    return Await("BootNotification", timeout_s=place.boot_s)


def reboot(place: Place) -> list[Move]:
    """Reset at once, and wait for the boot."""
    return [reset(), booted(place)]


def trigger(message: str, evse: tuple[int, int] | None = None) -> Ask:
    """TriggerMessage, for one connector where it is given; connector 0 means the whole EVSE."""
    payload: JsonObject = {"requestedMessage": message}
    if evse is not None:
        number, connector = evse
        payload["evse"] = {"id": number, **({"connectorId": connector} if connector else {})}
    return Ask("TriggerMessage", payload)


def tell_status(place: Place) -> list[Move]:
    """Ask for the status of a connector, and wait for it."""
    return [trigger("StatusNotification", place.connectors[0]), Await("StatusNotification")]


def start_remotely(place: Place, evse: int | None = None, number: int = 7) -> Ask:
    """RequestStartTransaction on the first EVSE unless another one is given; 0 names none."""
    payload: JsonObject = {"remoteStartId": number, "idToken": token_json(place.tokens[0])}
    n = place.evses[0] if evse is None else evse
    if n:
        payload["evseId"] = n
    return Ask("RequestStartTransaction", payload)


def stop_remotely(transaction: str = "{tx.id}") -> Ask:
    """RequestStopTransaction, of the transaction told last unless another one is given."""
    return Ask("RequestStopTransaction", {"transactionId": transaction})


def boot_answer(status: str, interval: int) -> Answer:
    """What the next BootNotification is answered."""
    now: JsonObject = {"status": status, "interval": interval, "currentTime": "{time.now}"}
    return Answer("BootNotification", now)


def judged(status: str, group: str = "") -> JsonObject:
    """An answer about a token."""
    info: JsonObject = {"status": status}
    if group:
        info["groupIdToken"] = {"idToken": group, "type": "Central"}
    return {"idTokenInfo": info}


def answered(payload: JsonValue, id_: str = "{asked.id}") -> Tell:
    """A CALLRESULT for a CALL that the station made before."""
    return Tell(f'[3,"{id_}",{json.dumps(payload, separators=(",", ":"))}]')


# --- booting (B01 to B03) -------------------------------------------------------------------------------------


@scenario
def boot_accepted(place: Place) -> Iterable[Move]:
    """The station boots and is accepted at once."""
    return [*reboot(place), *tell_status(place)]


@scenario
def boot_pending(place: Place) -> Iterable[Move]:
    """The boot is Pending, the station is asked this and that, and accepted after a trigger."""
    heartbeat = PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")
    return [
        boot_answer("Pending", 60),
        *reboot(place),
        start_remotely(place),
        stop_remotely("never-heard-of"),
        get_variable(heartbeat),
        trigger("Heartbeat"),
        Ask("GetBaseReport", {"requestId": 11, "reportBase": "ConfigurationInventory"}),
        trigger("BootNotification"),
        booted(place),
        *tell_status(place),
    ]


@scenario
def boot_pending_then_plugged(place: Place) -> Iterable[Move]:
    """Somebody comes to charge while the boot is Pending."""
    n = place.evses[0]
    return [
        boot_answer("Pending", 60),
        *reboot(place),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        start_remotely(place),
        trigger("BootNotification"),
        booted(place),
        Act(f"unplug {n}"),
    ]


@scenario
def boot_rejected(place: Place) -> Iterable[Move]:
    """The boot is Rejected, the station is asked all the same, and accepted when it asks again."""
    return [
        boot_answer("Rejected", 1),
        *reboot(place),
        start_remotely(place),
        Ask("GetBaseReport", {"requestId": 12, "reportBase": "ConfigurationInventory"}),
        trigger("Heartbeat"),
        booted(place),
        *tell_status(place),
    ]


@scenario
def boot_rejected_in_use(place: Place) -> Iterable[Move]:
    """Somebody comes to charge while the boot is Rejected."""
    n = place.evses[0]
    return [
        boot_answer("Rejected", 1),
        *reboot(place),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        booted(place),
        Act(f"unplug {n}"),
    ]


@slow_scenario
def boot_refused_by_error(place: Place) -> Iterable[Move]:
    """The BootNotification is answered with a CALLERROR, and the station asks again."""
    refused = Answer("BootNotification", error="InternalError")
    return [refused, *reboot(place), booted(place), *tell_status(place)]


@scenario
def boot_answered_late(place: Place) -> Iterable[Move]:
    """The answer to BootNotification comes late, after other CALLs."""
    return [
        Withhold("BootNotification"),
        *reboot(place),
        get_variable(PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")),
        start_remotely(place),
        Tell(f'[3,"{{asked.id}}",{{"status":"Accepted","interval":300,{_NOW}}}]'),
        *tell_status(place),
    ]


@scenario
def boot_answered_twice(place: Place) -> Iterable[Move]:
    """BootNotification is answered Pending, and then Accepted under the same messageId."""
    return [
        boot_answer("Pending", 60),
        *reboot(place),
        Tell(f'[3,"{{asked.id}}",{{"status":"Accepted","interval":300,{_NOW}}}]'),
        start_remotely(place),
        trigger("BootNotification"),
        booted(place),
    ]


@scenario
def boot_without_reset(place: Place) -> Iterable[Move]:
    """BootNotification is asked for although the last one was accepted."""
    return [trigger("BootNotification"), trigger("Heartbeat"), Await("Heartbeat")]


# --- authorisation (block C) ----------------------------------------------------------------------------------


@scenarios_over
def authorization_refused(place: Place) -> Iterable[tuple[str, Script]]:
    """A token that is not accepted is shown, and the EV wants energy."""
    for status in ("Blocked", "Expired", "Invalid", "NoCredit", "Unknown", "ConcurrentTx"):
        yield status.lower(), partial(_refused, status)


def _refused(status: str, place: Place) -> list[Move]:
    n = place.evses[0]
    return [
        Answer("Authorize", judged(status)),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_elsewhere(place: Place) -> Iterable[Move]:
    """The token is accepted for another EVSE than the one in use."""
    n = place.evses[0]
    info: JsonObject = {"idTokenInfo": {"status": "Accepted", "evseId": [place.evses[-1] + 50]}}
    return [
        Answer("Authorize", info),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_carried_over(place: Place) -> Iterable[Move]:
    """Somebody is authorised and unplugs, and another EV comes."""
    n = place.evses[0]
    return [
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Pause(0.05),
        Act(f"unplug {n}"),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_used_up(place: Place) -> Iterable[Move]:
    """Somebody charges and leaves, and another EV comes without a token."""
    n = place.evses[0]
    return [
        *charge(place),
        *leave(place),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_over_a_reset(place: Place) -> Iterable[Move]:
    """Somebody is authorised, the station is reset, and the EV wants energy."""
    n = place.evses[0]
    return [
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        *reboot(place),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_over_a_cut(place: Place) -> Iterable[Move]:
    """Somebody is authorised, the connection is cut, he leaves, and another EV comes."""
    n = place.evses[0]
    return [
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Leave(1006),
        Act(f"unplug {n}"),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        *tell_status(place),
    ]


@scenario
def authorization_late(place: Place) -> Iterable[Move]:
    """The answer to Authorize comes after the EV wanted energy."""
    n = place.evses[0]
    return [
        Withhold("Authorize"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        answered(judged("Accepted")),
        CHARGING,
        *leave(place),
    ]


@scenario
def authorization_swapped(place: Place) -> Iterable[Move]:
    """Authorize is refused, after an acceptance under the messageId of the CALL before it."""
    n = place.evses[0]
    return [
        trigger("Heartbeat"),
        Await("Heartbeat"),
        Withhold("Authorize"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        answered(judged("Accepted"), "{asked.previous}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        answered(judged("Blocked")),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_changed_mind(place: Place) -> Iterable[Move]:
    """Authorize is refused, and accepted by a second answer to the same CALL."""
    n = place.evses[0]
    return [
        Answer("Authorize", judged("Blocked")),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        answered(judged("Accepted")),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def authorization_by_error(place: Place) -> Iterable[Move]:
    """Authorize is answered with a CALLERROR, and the EV wants energy."""
    n = place.evses[0]
    return [
        Answer("Authorize", error="InternalError"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def second_token(place: Place) -> Iterable[Move]:
    """Another token, of nobody here, is shown while somebody charges, and its authorisation is used up."""
    n = place.evses[0]
    used_up: list[Move] = [Act(f"plug-in {n}"), Pause(0.1), Act(f"unplug {n}")]
    return [*_shown_meanwhile(place, judged("Accepted")), *leave(place), *used_up]


@scenario
def second_token_of_the_group(place: Place) -> Iterable[Move]:
    """Another token of the same group is shown while somebody charges."""
    ends: list[Move] = [ENDED, Act(f"unplug {place.evses[0]}")]
    return [*_shown_meanwhile(place, judged("Accepted", "GROUP-A")), *ends]


@scenario
def second_token_refused(place: Place) -> Iterable[Move]:
    """Another token of the same group is shown while somebody charges, and refused."""
    return [*_shown_meanwhile(place, judged("Blocked", "GROUP-A")), *leave(place)]


def _shown_meanwhile(place: Place, answer: JsonObject) -> list[Move]:
    other = place.tokens[1]
    return [
        Answer("Authorize", judged("Accepted", "GROUP-A")),
        Answer("Authorize", answer),
        *charge(place),
        present(other),
        Await("Authorize", (("/idToken/idToken", other[0]),), 10.0),
        Pause(0.1),
    ]


@scenario
def token_taken_back(place: Place) -> Iterable[Move]:
    """The token of a running transaction is refused in the answer to a TransactionEvent."""
    n = place.evses[0]
    refusals: list[Move] = [Answer("TransactionEvent", judged("Blocked")) for _ in range(3)]
    return [
        *refusals,
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Await("TransactionEvent"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        ENDED,
    ]


# --- transactions (block E) -----------------------------------------------------------------------------------


@scenario
def plug_first(place: Place) -> Iterable[Move]:
    """An EV is plugged in, somebody shows a token, charges, shows it again and leaves."""
    n = place.evses[0]
    return [
        *charge(place),
        Act(f"stop-power {n}"),
        Act(f"start-power {n}"),
        present(place.tokens[0]),
        ENDED,
        Act(f"unplug {n}"),
    ]


@scenario
def token_first(place: Place) -> Iterable[Move]:
    """Somebody shows a token before he plugs in."""
    n = place.evses[0]
    return [
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        CHARGING,
        *leave(place),
    ]


@scenarios_over
def transaction_points(place: Place) -> Iterable[tuple[str, Script]]:
    """Transactions begin and end at other points than before, with the EV or the token first."""
    for name in ("TxStartPoint", "TxStopPoint"):
        found = place.variable(f"TxCtrlr.{name}")
        for value in () if found is None else found.values:
            if found is not None and value != found.value:
                yield f"{name}-{value}", partial(_points, f"TxCtrlr.{name}", value)


def _points(variable: str, value: str, place: Place) -> Iterable[Move]:
    n = place.evses[0]
    both: list[Move] = [
        *charge(place),
        *leave(place),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        CHARGING,
        present(place.tokens[0]),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        Pause(GLANCE_S),
    ]
    return with_variable(place, variable, value, both)


@scenario
def nobody_plugs_in(place: Place) -> Iterable[Move]:
    """A token is shown, EVConnectionTimeOut passes, and only then an EV comes."""
    n = place.evses[0]
    if place.variable("TxCtrlr.EVConnectionTimeOut") is None:
        return []
    moves: list[Move] = [
        present(place.tokens[0]),
        Await("Authorize"),
        Pause(1.3),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]
    return with_variable(place, "TxCtrlr.EVConnectionTimeOut", "1", moves)


@scenario
def two_transactions(place: Place) -> Iterable[Move]:
    """Somebody charges twice, with a reset between."""
    return [*charge(place), *leave(place), *reboot(place), *charge(place), *leave(place)]


@scenario
def many_transactions(place: Place) -> Iterable[Move]:
    """Somebody charges four times in a row."""
    return [Again((*charge(place), *leave(place)), 4)]


@scenario
def two_evses(place: Place) -> Iterable[Move]:
    """Two EVs charge at the same time, and one of them leaves."""
    if len(place.evses) < 2:
        return []
    first, second = place.evses[:2]
    _, other = place.tokens
    return [
        *charge(place, first),
        Act(f"plug-in {second}"),
        present(other),
        Act(f"start-power {second}"),
        CHARGING,
        Act(f"unplug {first}"),
        ENDED,
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        Act(f"unplug {second}"),
        ENDED,
    ]


@scenario
def fault_while_charging(place: Place) -> Iterable[Move]:
    """A connector fails while somebody charges, and is mended."""
    n = place.evses[0]
    return [
        *charge(place),
        Act(f"fault {n}"),
        ENDED,
        Act(f"clear-fault {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        *tell_status(place),
    ]


@scenario
def power_lost_while_charging(place: Place) -> Iterable[Move]:
    """The power goes while somebody charges, and comes back."""
    n = place.evses[0]
    return [*charge(place), Act("power-cycle"), booted(place), ENDED, Act(f"unplug {n}")]


@scenario
def meter_over_a_power_cut(place: Place) -> Iterable[Move]:
    """Somebody charges, the power goes and comes back, and somebody charges again at the same place."""
    charged: list[Move] = [*charge(place), Pause(1.0), *leave(place)]
    return [*charged, Act("power-cycle"), booted(place), *charge(place), *leave(place)]


@scenario
def transaction_status(place: Place) -> Iterable[Move]:
    """GetTransactionStatus is asked before, during and after a transaction, and for one that never was."""
    of_it = Ask("GetTransactionStatus", {"transactionId": "{tx.id}"})
    of_all = Ask("GetTransactionStatus", {})
    unknown = Ask("GetTransactionStatus", {"transactionId": "never-heard-of"})
    return [of_all, unknown, *charge(place), of_it, of_all, *leave(place), of_it, of_all]


@scenario
def event_refused(place: Place) -> Iterable[Move]:
    """TransactionEvents are answered with CALLERRORs (E13)."""
    refused: list[Move] = [Answer("TransactionEvent", error="InternalError") for _ in range(3)]
    moves: list[Move] = [*refused, *charge(place), *leave(place)]
    inner = with_variable(place, "OCPPCommCtrlr.MessageAttempts/TransactionEvent", "2", moves)
    name = "OCPPCommCtrlr.MessageAttemptInterval/TransactionEvent"
    return with_variable(place, name, "1", inner) if place.variable(name) else []


@scenario
def event_answered_late(place: Place) -> Iterable[Move]:
    """The answer to a TransactionEvent comes late, and once more."""
    n = place.evses[0]
    return [
        Withhold("TransactionEvent"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Await("TransactionEvent"),
        get_variable(PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")),
        answered({}),
        answered({}),
        *leave(place),
    ]


# --- remote start and stop (F01 to F03) -----------------------------------------------------------------------


@scenario
def remote_start(place: Place) -> Iterable[Move]:
    """A transaction is started and stopped remotely with the EV plugged in."""
    n = place.evses[0]
    return [
        Act(f"plug-in {n}"),
        start_remotely(place),
        Act(f"start-power {n}"),
        CHARGING,
        stop_remotely(),
        ENDED,
        Act(f"unplug {n}"),
    ]


@scenario
def remote_start_first(place: Place) -> Iterable[Move]:
    """A transaction is started remotely before the EV is plugged in."""
    n = place.evses[0]
    return [
        start_remotely(place),
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        CHARGING,
        *leave(place),
    ]


@scenario
def remote_start_twice(place: Place) -> Iterable[Move]:
    """A transaction is started remotely while one runs, on the same EVSE and on any."""
    return [
        *charge(place),
        start_remotely(place, number=8),
        start_remotely(place, number=9),
        Ask("GetTransactionStatus", {}),
        *leave(place),
    ]


@scenario
def remote_start_under_way(place: Place) -> Iterable[Move]:
    """Somebody else's transaction is started remotely where one has been running for a while."""
    kind, number = place.tokens[1][1], place.tokens[1][0]
    payload: JsonObject = {
        "remoteStartId": 8,
        "idToken": {"idToken": number, "type": kind},
        "evseId": place.evses[0],
    }
    return charge_on(place, [Ask("RequestStartTransaction", payload)])


@scenario
def remote_start_while_authorizing(place: Place) -> Iterable[Move]:
    """A transaction is started remotely while the station waits to hear of a token."""
    n = place.evses[0]
    return [
        Withhold("Authorize"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        start_remotely(place),
        answered(judged("Accepted")),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]


@scenario
def remote_start_nowhere(place: Place) -> Iterable[Move]:
    """A transaction is started remotely on an EVSE that does not exist, and on one that is unavailable or faulted."""
    n = place.evses[0]
    return [
        start_remotely(place, place.evses[-1] + 50),
        start_remotely(place, -1),
        _availability("Inoperative", n),
        start_remotely(place),
        _availability("Operative", n),
        Act(f"fault {n}"),
        Pause(0.05),
        start_remotely(place),
        Act(f"clear-fault {n}"),
    ]


@scenario
def remote_start_times_out(place: Place) -> Iterable[Move]:
    """A transaction is started remotely, EVConnectionTimeOut passes, and only then an EV comes."""
    n = place.evses[0]
    if place.variable("TxCtrlr.EVConnectionTimeOut") is None:
        return []
    late: list[Move] = [
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
    ]
    moves: list[Move] = [start_remotely(place), Pause(1.3), *late]
    return with_variable(place, "TxCtrlr.EVConnectionTimeOut", "1", moves)


@scenario
def remote_stop_of_others(place: Place) -> Iterable[Move]:
    """Transactions that never were, or are over, are stopped remotely while another one runs."""
    near = "{tx.id}"
    return [
        stop_remotely("never-heard-of"),
        *charge(place),
        stop_remotely("never-heard-of"),
        stop_remotely("00000000-0000-0000-0000-000000000000"),
        Ask("GetTransactionStatus", {"transactionId": near}),
        stop_remotely(near),
        ENDED,
        stop_remotely(near),
        stop_remotely(near),
        Act(f"unplug {place.evses[0]}"),
    ]


# --- reset (B11, B12) -----------------------------------------------------------------------------------------


@scenario
def reset_while_charging(place: Place) -> Iterable[Move]:
    """The station is reset at once while somebody charges."""
    n = place.evses[0]
    return [*charge(place), *reboot(place), ENDED, Act(f"unplug {n}")]


@scenario
def reset_when_idle(place: Place) -> Iterable[Move]:
    """The station is to be reset when it is idle, while somebody charges."""
    n = place.evses[0]
    return [
        *charge(place),
        reset("OnIdle"),
        Pause(GLANCE_S),
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        Act(f"unplug {n}"),
        ENDED,
        booted(place),
    ]


@scenario
def reset_when_idle_now(place: Place) -> Iterable[Move]:
    """The station is to be reset when it is idle, and is."""
    return [reset("OnIdle"), booted(place), *tell_status(place)]


@scenario
def reset_of_an_evse(place: Place) -> Iterable[Move]:
    """One EVSE is to be reset while somebody charges there."""
    n = place.evses[0]
    return [
        *charge(place),
        Ask("Reset", {"type": "OnIdle", "evseId": place.evses[-1] + 50}),
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        Act(f"unplug {n}"),
        ENDED,
    ]


@scenario
def reset_while_uploading(place: Place) -> Iterable[Move]:
    """The station is reset while it tries to upload a log."""
    return [_get_log(31), Await("LogStatusNotification"), *reboot(place), *tell_status(place)]


@scenario
def reset_while_updating(place: Place) -> Iterable[Move]:
    """The station is reset while new firmware is downloaded, if it began to."""
    return [_update(32), Pause(GLANCE_S), *reboot(place), *tell_status(place)]


# --- availability (G03, G04) ----------------------------------------------------------------------------------


def _availability(status: str, evse: int = 0, connector: int = 0) -> Ask:
    payload: JsonObject = {"operationalStatus": status}
    if evse:
        where: JsonObject = {"id": evse}
        if connector:
            where["connectorId"] = connector
        payload["evse"] = where
    return Ask("ChangeAvailability", payload)


@scenarios_over
def availability(place: Place) -> Iterable[tuple[str, Script]]:
    """Something is made unavailable and available again, over a reboot too."""
    evse, connector = place.connectors[0]
    for name, where in (("station", ()), ("evse", (evse,)), ("connector", (evse, connector))):
        yield name, partial(_unavailable, where)


def _unavailable(where: tuple[int, ...], place: Place) -> list[Move]:
    evse, _ = place.connectors[0]
    return [
        _availability("Inoperative", *where),
        Await("StatusNotification", (("/connectorStatus", "Unavailable"),), 10.0),
        start_remotely(place, evse),
        *reboot(place),
        Await("StatusNotification", (("/connectorStatus", "Unavailable"),), 10.0),
        *tell_status(place),
        _availability("Operative", *where),
        Await("StatusNotification", (("/connectorStatus", "Available"),), 10.0),
    ]


@scenario
def unavailable_while_charging(place: Place) -> Iterable[Move]:
    """An EVSE is to become unavailable while somebody charges there, and does when he leaves."""
    n = place.evses[0]
    return [
        *charge(place),
        _availability("Inoperative", n),
        Pause(GLANCE_S),
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        *leave(place),
        *tell_status(place),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        _availability("Operative", n),
        *tell_status(place),
    ]


@scenario
def unavailable_under_way(place: Place) -> Iterable[Move]:
    """An EVSE is to become unavailable where somebody has been charging for a while."""
    moves = charge_on(place, [_availability("Inoperative", place.evses[0])])
    back: list[Move] = [_availability("Operative", place.evses[0]), *tell_status(place)]
    return [*moves, *back] if moves else []


@scenario
def availability_over_a_power_cut(place: Place) -> Iterable[Move]:
    """An EVSE is unavailable when the power goes, and must be when it comes back."""
    n = place.evses[0]
    return [
        _availability("Inoperative", n),
        Pause(0.1),
        Act("power-cycle"),
        booted(place),
        *tell_status(place),
        _availability("Operative", n),
        *tell_status(place),
    ]


# --- reports (B07, B08) ---------------------------------------------------------------------------------------


def _report(number: int, base: str) -> Ask:
    return Ask("GetBaseReport", {"requestId": number, "reportBase": base})


@scenarios_over
def report(place: Place) -> Iterable[tuple[str, Script]]:
    """A base report is asked for."""
    for number, base in enumerate(
        ("FullInventory", "ConfigurationInventory", "SummaryInventory"), 41
    ):
        yield base, partial(_one_report, number, base)


def _one_report(number: int, base: str, place: Place) -> list[Move]:
    return [_report(number, base), Pause(GLANCE_S), *tell_status(place)]


@scenario
def report_without_texts(place: Place) -> Iterable[Move]:
    """Whatever text may be empty is emptied, and the report still names every variable."""
    texts = [v for v in place.pool.variables if _may_be_empty(v)]
    if not texts:
        return []
    return [
        _report(46, "FullInventory"),
        Pause(2 * GLANCE_S),
        *(set_variable(v, "") for v in texts),
        _report(47, "FullInventory"),
        Pause(2 * GLANCE_S),
        *(set_variable(v, v.value or "") for v in texts),
    ]


def _may_be_empty(variable: PoolVariable) -> bool:
    """Whether a variable is a writable text, of no bearing on who the station is or how it comes back."""
    plain = variable.data_type == "string" and variable.mutability == "ReadWrite"
    lasting = variable.component == "OCPPCommCtrlr" or variable.variable == "Identity"
    return plain and not lasting and bool(variable.value)


@scenario
def report_within_a_report(place: Place) -> Iterable[Move]:
    """Another report is asked for while one is being told."""
    return [
        Withhold("NotifyReport"),
        _report(44, "FullInventory"),
        Await("NotifyReport", timeout_s=10.0),
        _report(45, "SummaryInventory"),
        _report(44, "FullInventory"),
        answered({}),
        Pause(GLANCE_S),
        *tell_status(place),
    ]


@scenario
def report_over_a_reset(place: Place) -> Iterable[Move]:
    """The station is reset while it tells a report."""
    return [
        Withhold("NotifyReport"),
        _report(46, "FullInventory"),
        Await("NotifyReport", timeout_s=10.0),
        *reboot(place),
        *tell_status(place),
    ]


# --- firmware, logs, customers (L01, N01, N09) ----------------------------------------------------------------


def _update(number: int, url: str = NOWHERE) -> Ask:
    firmware: JsonObject = {"location": url, "retrieveDateTime": "2026-01-01T00:00:00Z"}
    payload: JsonObject = {"requestId": number, "retries": 1, "retryInterval": 60}
    return Ask("UpdateFirmware", {**payload, "firmware": firmware})


def _get_log(number: int, url: str = NOWHERE, kind: str = "DiagnosticsLog") -> Ask:
    payload: JsonObject = {"requestId": number, "logType": kind, "log": {"remoteLocation": url}}
    return Ask("GetLog", {**payload, "retries": 2, "retryInterval": 60})


@scenario
def firmware_from_nowhere(place: Place) -> Iterable[Move]:
    """New firmware is to come from where there is none, twice."""
    return [_update(51), _update(52), Pause(GLANCE_S), *tell_status(place)]


@scenario
def firmware_while_charging(place: Place) -> Iterable[Move]:
    """New firmware is to come while somebody charges."""
    return [*charge(place), _update(53), Pause(GLANCE_S), *leave(place)]


@scenarios_over
def log(place: Place) -> Iterable[tuple[str, Script]]:
    """A log is to be uploaded to where nobody takes it, and another one meanwhile."""
    for kind in ("DiagnosticsLog", "SecurityLog"):
        yield kind, partial(_two_logs, kind)


def _two_logs(kind: str, place: Place) -> list[Move]:
    # It is tried again for an hour, so that the second one comes while the first is under way.
    log: JsonObject = {"remoteLocation": NOWHERE}
    request: JsonObject = {"requestId": 61, "logType": kind, "log": log}
    return [
        Ask("GetLog", {**request, "retries": 60, "retryInterval": 60}),
        Await("LogStatusNotification", timeout_s=10.0),
        _get_log(62, kind=kind),
        Pause(GLANCE_S),
        *tell_status(place),
    ]


@scenario
def log_while_charging(place: Place) -> Iterable[Move]:
    """A log is to be uploaded while somebody charges."""
    return [*charge(place), _get_log(63), Pause(GLANCE_S), *leave(place)]


@scenario
def customer_information(place: Place) -> Iterable[Move]:
    """What is known of a customer is asked for and cleared, while he charges."""

    def about(number: int, *, clear: bool) -> Ask:
        token = token_json(place.tokens[0])
        flags: JsonObject = {"requestId": number, "report": not clear, "clear": clear}
        return Ask("CustomerInformation", {**flags, "idToken": token})

    return [
        *charge(place),
        about(64, clear=False),
        about(65, clear=True),
        about(66, clear=False),
        Pause(GLANCE_S),
        *leave(place),
    ]


# --- certificate renewal (A02, A03) ---------------------------------------------------------------------------

_SIGN = trigger("SignChargingStationCertificate")


def _asked_to_sign(place: Place) -> Await:
    return Await("SignCertificate", timeout_s=place.prompt_s)


def _signed(chain: str) -> Ask:
    return Ask(
        "CertificateSigned",
        {"certificateChain": chain, "certificateType": "ChargingStationCertificate"},
    )


@scenario
def certificate_renewal(place: Place) -> Iterable[Move]:
    """A new certificate is asked for and something else comes back, and nothing was asked for before."""
    return [
        _signed("no certificate"),
        Answer("SignCertificate", {"status": "Accepted"}),
        _SIGN,
        _asked_to_sign(place),
        _signed("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        _signed("no certificate"),
        *tell_status(place),
    ]


@scenario
def certificate_never_comes(place: Place) -> Iterable[Move]:
    """A new certificate is promised and does not come: the station waits before it asks again (A02.FR.17)."""
    promised: list[Move] = [Answer("SignCertificate", {"status": "Accepted"})] * 6
    return [*promised, _SIGN, _asked_to_sign(place), Pause(4.0)]


@scenario
def certificate_refused(place: Place) -> Iterable[Move]:
    """A new certificate is refused, by an answer and by a CALLERROR, and asked for again."""
    return [
        _SIGN,
        _asked_to_sign(place),
        Answer("SignCertificate", error="InternalError"),
        _SIGN,
        _asked_to_sign(place),
        _SIGN,
        _asked_to_sign(place),
    ]


@scenario
def certificate_for_nobody(place: Place) -> Iterable[Move]:
    """A new certificate is asked for without an OrganizationName, and again with it."""
    without: list[Move] = [_SIGN, Pause(GLANCE_S)]
    changed = list(with_variable(place, "SecurityCtrlr.OrganizationName", "", without))
    return (
        [*changed, _SIGN, _asked_to_sign(place), *tell_status(place)] if changed != without else []
    )


# --- what bears on coming back (B09, B10, A05) ----------------------------------------------------------------

_BACK = (
    "OCPPCommCtrlr.NetworkConfigurationPriority",
    "OCPPCommCtrlr.NetworkProfileConnectionAttempts",
    "OCPPCommCtrlr.RetryBackOffWaitMinimum",
    "OCPPCommCtrlr.RetryBackOffRandomRange",
    "OCPPCommCtrlr.RetryBackOffRepeatTimes",
    "OCPPCommCtrlr.WebSocketPingInterval",
    "OCPPCommCtrlr.HeartbeatInterval",
    "OCPPCommCtrlr.OfflineThreshold",
    "OCPPCommCtrlr.MessageTimeout/Default",
    "OCPPCommCtrlr.ResetRetries",
    "ClockCtrlr.TimeSource",
    "ClockCtrlr.NtpSource",
    "ClockCtrlr.TimeZone",
    "AuthCtrlr.Enabled",
    "TxCtrlr.EVConnectionTimeOut",
)


@scenarios_over
def changed_over_a_reset(place: Place) -> Iterable[tuple[str, Script]]:
    """A variable that bears on coming back is changed, read back, and read again after a reset."""
    for name in _BACK:
        found = place.variable(name)
        for value in () if found is None else _other_values(found):
            yield f"{name}={value}", partial(_changed, name, value)


def _other_values(variable: PoolVariable) -> list[str]:
    """Values that the variable's own description allows, but the present one; limits, or members of its list."""
    found: list[str] = []
    if variable.values:
        found = [*variable.values, ",".join(reversed(variable.values))]
    elif variable.data_type == "boolean":
        found = ["true", "false"]
    elif variable.min_limit is not None:
        found = [str(int(variable.min_limit)), str(int(variable.min_limit) + 1)]
    elif variable.data_type == "string" or not variable.data_type:
        found = ["UTC"] if variable.variable == "TimeZone" else []
    return [v for v in dict.fromkeys(found) if v != variable.value][:2]


def _changed(name: str, value: str, place: Place) -> list[Move]:
    found = place.variable(name)
    assert found is not None
    read = get_variable(found)
    moves: list[Move] = [read, *reboot(place), read]
    return [*with_variable(place, name, value, moves), read]


_PASSWORDS = {
    "longest": "{secret.password.40}",
    "with-a-colon": "{secret.password.10}:{secret.password.11}",
    "with-every-sign": "{secret.password.16}*-_=:+|@.",
}
"""Passwords that any station must take: 16 to 40 letters, digits and these signs (A01.FR.10, passwordString)."""


@scenarios_over
def password_changed(place: Place) -> Iterable[tuple[str, Script]]:
    """The password of Basic authentication is changed, and the station comes back with the new one."""
    for name, value in _PASSWORDS.items():
        yield name, partial(_password_changed, value)


def _password_changed(value: str, place: Place) -> list[Move]:
    password = PoolVariable("SecurityCtrlr", "BasicAuthPassword")
    return [set_variable(password, value), Pause(GLANCE_S), *tell_status(place)]


@scenario
def weaker_profile(place: Place) -> Iterable[Move]:
    """A network profile without security is to be used, and the station is reset."""
    found = place.variable("OCPPCommCtrlr.NetworkConfigurationPriority")
    free = [v for v in (found.values if found is not None else ()) if v.isdecimal()]
    slots = [v for v in free if found is not None and v not in (found.value or "").split(",")]
    if found is None or not slots:
        return []
    connection: JsonObject = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "ws://127.0.0.1:9/ocpp",
        "messageTimeout": 30,
        "securityProfile": 0,
        "ocppInterface": "Wired0",
    }
    slot: JsonObject = {"configurationSlot": int(slots[0]), "connectionData": connection}
    return [
        Ask("SetNetworkProfile", slot),
        set_variable(found, slots[0]),
        get_variable(found),
        *reboot(place),
        get_variable(found),
        set_variable(found, found.value or ""),
    ]


# --- offline and back (B04, E04, E12) -------------------------------------------------------------------------


def _offline(place: Place, moves: Iterable[Move]) -> Iterable[Move]:
    # A token that was refused in an earlier scene and is cached as such would be refused here too (C12.FR.05).
    forgotten = Ask("ClearCache", {})
    name = "AuthCtrlr.OfflineTxForUnknownIdEnabled"
    return with_variable(place, name, "true", [forgotten, Act("cut-network"), *moves])


def _session(place: Place, evse: int) -> tuple[Move, ...]:
    """A session that nobody waits for."""
    return (
        Act(f"plug-in {evse}"),
        present(place.tokens[0]),
        Act(f"start-power {evse}"),
        Act(f"unplug {evse}"),
    )


@scenario
def offline_session(place: Place) -> Iterable[Move]:
    """Somebody charges and leaves while the network is gone."""
    moves: list[Move] = [
        *_session(place, place.evses[0]),
        Pause(0.1),
        Act("restore-network"),
        ENDED,
    ]
    return _offline(place, [*moves, *tell_status(place)])


@scenario
def offline_many_sessions(place: Place) -> Iterable[Move]:
    """Many charge and leave while the network is gone, and the power goes too."""
    sessions = Again(_session(place, place.evses[0]), 8)
    back: list[Move] = [
        Act("power-cycle"),
        Pause(0.1),
        Act("restore-network"),
        booted(place),
        ENDED,
    ]
    return _offline(place, [sessions, *back, *tell_status(place)])


@scenario
def offline_power_cut(place: Place) -> Iterable[Move]:
    """The power goes while somebody charges without a network."""
    n = place.evses[0]
    moves: list[Move] = [
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Act("power-cycle"),
        Pause(0.1),
        Act("restore-network"),
        booted(place),
        ENDED,
        Act(f"unplug {n}"),
    ]
    return _offline(place, moves)


@scenario
def offline_while_charging(place: Place) -> Iterable[Move]:
    """The network goes and comes back while somebody charges, and he leaves meanwhile."""
    n = place.evses[0]
    moves: list[Move] = [
        Act("cut-network"),
        Pause(0.1),
        Act(f"unplug {n}"),
        Act("restore-network"),
        ENDED,
    ]
    return [*charge(place), *moves, *tell_status(place)]


@scenario
def offline_across(place: Place) -> Iterable[Move]:
    """The network goes and comes back while somebody charges on."""
    moves: list[Move] = [Act("cut-network"), Pause(0.1), Act("restore-network")]
    return [*charge(place), *moves, *tell_status(place), *leave(place)]


@scenario
def offline_refused(place: Place) -> Iterable[Move]:
    """Somebody begins to charge without a network, and his token is refused when it is back."""
    n = place.evses[0]
    refusals: list[Move] = [Answer("TransactionEvent", judged("Invalid")) for _ in range(4)]
    moves: list[Move] = [
        *refusals,
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Pause(0.1),
        Act("restore-network"),
        Await("TransactionEvent"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        ENDED,
    ]
    return _offline(place, moves)


@scenarios_over
def cut_while_charging(place: Place) -> Iterable[tuple[str, Script]]:
    """The connection ends while somebody charges, properly, badly or without a word."""
    for code in (1000, 1001, 1002, 1006, 1011, 1012):
        yield str(code), partial(_cut_while_charging, code)


def _cut_while_charging(code: int, place: Place) -> list[Move]:
    return [*charge(place), Leave(code), *tell_status(place), *leave(place)]


@scenario
def cut_with_a_call_open(place: Place) -> Iterable[Move]:
    """The connection is cut while the station waits for an answer, which comes over the next one."""
    return [
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        Leave(1006),
        *tell_status(place),
        answered({"currentTime": "{time.now}"}, "{asked.previous}"),
        *tell_status(place),
    ]


@slow_scenario
def half_open(place: Place) -> Iterable[Move]:
    """The connection dies without a word; whether the station dials again meanwhile or not, it is served on one."""
    return [Leave(0), Pause(DEAD_S), *tell_status(place), *tell_status(place)]


@slow_scenario
def half_open_with_pings(place: Place) -> Iterable[Move]:
    """The connection of a station that sends pings dies without a word: it may notice, and dial a second time."""
    noticed: list[Move] = [
        Leave(1000),
        *tell_status(place),
        Leave(0),
        Pause(DEAD_S),
        *tell_status(place),
    ]
    return with_variable(place, "OCPPCommCtrlr.WebSocketPingInterval", "1", noticed)


@slow_scenario
def half_open_with_a_call_open(place: Place) -> Iterable[Move]:
    """The connection dies without a word while the station waits for an answer."""
    return [
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        Leave(0),
        Pause(DEAD_S),
        *tell_status(place),
        *tell_status(place),
    ]


@scenario
def cut_again_and_again(place: Place) -> Iterable[Move]:
    """The connection is cut five times."""
    return [Again((Leave(1006), *tell_status(place)), 5)]


# --- answers out of order, CALLs that cross (Part 4 section 4.1.1) ---------------------------------------------

_HEARTBEAT_ANSWER: JsonObject = {"currentTime": "{time.now}"}


@scenario
def crossing(place: Place) -> Iterable[Move]:
    """A CALL comes while the station waits for an answer, which comes afterwards."""
    return [
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        get_variable(PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")),
        trigger("StatusNotification", place.connectors[0]),
        answered(_HEARTBEAT_ANSWER),
        Await("StatusNotification"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
    ]


@scenario
def crossing_while_charging(place: Place) -> Iterable[Move]:
    """CALLs come while the station waits for the answer to a TransactionEvent."""
    n = place.evses[0]
    return [
        Withhold("TransactionEvent"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Act(f"start-power {n}"),
        Await("TransactionEvent"),
        Ask("GetTransactionStatus", {"transactionId": "{tx.id}"}),
        stop_remotely(),
        answered({}),
        ENDED,
        Act(f"unplug {n}"),
    ]


@scenario
def two_calls_at_once(place: Place) -> Iterable[Move]:
    """A second CALL comes while the first one is in process."""
    item = '{"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}'
    call = f'[2,"{{call.id}}","GetVariables",{{"getVariableData":[{item}]}}]'
    return [Tell(call), get_variable(PoolVariable("OCPPCommCtrlr", "HeartbeatInterval"))]


@scenario
def answer_to_nothing(place: Place) -> Iterable[Move]:
    """Answers come to CALLs that were answered before, or never made, while the station waits for another."""
    return [
        trigger("Heartbeat"),
        Await("Heartbeat"),
        answered(_HEARTBEAT_ANSWER),
        Withhold("StatusNotification"),
        trigger("StatusNotification", place.connectors[0]),
        Await("StatusNotification"),
        answered(_HEARTBEAT_ANSWER, "{asked.previous}"),
        answered(_HEARTBEAT_ANSWER, "never-asked"),
        trigger("Heartbeat"),
        Pause(GLANCE_S),
        answered({}),
        Await("Heartbeat"),
    ]


@scenarios_over
def answer_garbled(place: Place) -> Iterable[tuple[str, Script]]:
    """An answer of ours is not what it should be."""
    for name, text in _GARBLED:
        for action in ("Heartbeat", "SignCertificate", "StatusNotification"):
            yield f"{action}-{name}", partial(_garbled, action, text)


_GARBLED = (
    ("empty", '[3,"{call.id}",{}]'),
    ("null", '[3,"{call.id}",null]'),
    ("short", '[3,"{call.id}"]'),
    ("wrong-type", '[3,"{call.id}",{"status":7,"currentTime":[]}]'),
    ("error-null", '[4,"{call.id}","GenericError",null,{}]'),
    ("error-short", '[4,"{call.id}"]'),
    ("error-unknown", '[4,"{call.id}","NoSuchError","",{}]'),
)


def _garbled(action: str, text: str, place: Place) -> list[Move]:
    asked = {"SignCertificate": _SIGN}.get(action, trigger(action))
    if action == "StatusNotification":
        asked = trigger(action, place.connectors[0])
    first: list[Move] = [AnswerText(action, text), asked, Await(action)]
    return [*first, trigger("Heartbeat"), Await("Heartbeat")]


@scenarios_over
def boot_garbled(place: Place) -> Iterable[tuple[str, Script]]:
    """The answer to BootNotification is not what it should be."""
    for name, text in _GARBLED:
        yield name, partial(_boot_garbled, text)


def _boot_garbled(text: str, place: Place) -> list[Move]:
    heartbeat = PoolVariable("OCPPCommCtrlr", "HeartbeatInterval")
    first: list[Move] = [AnswerText("BootNotification", text), *reboot(place)]
    return [*first, Pause(0.1), get_variable(heartbeat)]


@scenarios_over
def authorization_garbled(place: Place) -> Iterable[tuple[str, Script]]:
    """The answer to Authorize is not what it should be, and the EV wants energy."""
    for name, text in _GARBLED:
        yield name, partial(_authorization_garbled, text)


def _authorization_garbled(text: str, place: Place) -> list[Move]:
    n = place.evses[0]
    return [
        AnswerText("Authorize", text),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        Pause(GLANCE_S),
        Act(f"unplug {n}"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
    ]


def _past_timeout(place: Place) -> Pause:
    told = place.value("OCPPCommCtrlr.MessageTimeout/Default", "30")
    return Pause(min(float(told) if told.isdecimal() else 30.0, 60.0) + 1.0)


@slow_scenario
def answer_after_its_time(place: Place) -> Iterable[Move]:
    """An answer comes after its time, while the station waits for another one."""
    return [
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        _past_timeout(place),
        Withhold("Heartbeat"),
        trigger("Heartbeat"),
        Await("Heartbeat"),
        answered(_HEARTBEAT_ANSWER, "{asked.previous}"),
        trigger("StatusNotification", place.connectors[0]),
        Pause(GLANCE_S),
        answered(_HEARTBEAT_ANSWER),
        Await("StatusNotification"),
    ]


@slow_scenario
def authorization_never_answered(place: Place) -> Iterable[Move]:
    """Authorize is never answered, and the EV wants energy."""
    n = place.evses[0]
    return [
        Withhold("Authorize"),
        Act(f"plug-in {n}"),
        present(place.tokens[0]),
        Await("Authorize"),
        Act(f"start-power {n}"),
        _past_timeout(place),
        Act(f"unplug {n}"),
        *tell_status(place),
    ]


@slow_scenario
def boot_never_answered(place: Place) -> Iterable[Move]:
    """BootNotification is never answered, and answered when it comes again."""
    return [
        Withhold("BootNotification"),
        *reboot(place),
        _past_timeout(place),
        Await("BootNotification", timeout_s=90.0),
        *tell_status(place),
    ]
