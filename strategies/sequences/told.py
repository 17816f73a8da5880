"""Scenarios of what is told because it was agreed to: triggered messages (F06), values in reports (B07, B08).

And of what must not follow, because the message was refused (Part 4 section 4.1.7).
"""

from __future__ import annotations

from collections.abc import Iterable

from strategies.labels import JsonObject
from strategies.moves import Act, Ask, Await, Move, Pause
from strategies.pool import PoolVariable
from strategies.sequences.place import Place
from strategies.sequences.registry import late_scenario, scenario
from strategies.sequences.steps import (
    GLANCE_S,
    SETTLED_S,
    SIGN,
    UNDER_WAY_S,
    change_availability,
    charge,
    event,
    get_variable,
    leave,
    tell_status,
    token_json,
    told_of,
    trigger,
    with_variable,
)

_NEVER_WAITS_S = 1.5


@scenario
def triggers_while_charging(place: Place) -> Iterable[Move]:
    """Every message is asked for while somebody charges; then nothing waits any more."""
    n = place.evses[0]
    status = Ask("GetTransactionStatus", {"transactionId": "{tx.id}"})
    asked: list[Move] = [
        trigger("Heartbeat"),
        Await("Heartbeat"),
        *tell_status(place, place.connectors[-1]),
        trigger("TransactionEvent", (n, 0)),
        trigger("MeterValues", (n, 0)),
        trigger("LogStatusNotification"),
        trigger("FirmwareStatusNotification"),
        SIGN,
        Await("SignCertificate", timeout_s=place.prompt_s),
    ]
    idle: list[Move] = [Pause(_NEVER_WAITS_S), status, Ask("GetTransactionStatus", {})]
    return [*charge(place), *asked, *leave(place), *idle, Pause(_NEVER_WAITS_S)]


@late_scenario
def customer_told(place: Place) -> Iterable[Move]:
    """What is known of a customer is asked for, and then cleared; both is told (N09, N10)."""
    token = token_json(place.tokens[0])
    for number, clear in ((55, False), (56, True)):
        flags: JsonObject = {"requestId": number, "report": not clear, "clear": clear}
        yield Ask("CustomerInformation", {**flags, "idToken": token})
        yield told_of("NotifyCustomerInformation", number)


_FOLLOWS_S = 4.0
"""How long what is said at once may take."""


@late_scenario
def triggered_and_told(place: Place) -> Iterable[Move]:
    """What nothing else brings about is asked for: states of transfers, values of the last EVSE, and a transaction (F06.FR.04)."""
    last = place.evses[-1]
    for message in ("LogStatusNotification", "FirmwareStatusNotification"):
        yield trigger(message)
        yield Await(message, timeout_s=_FOLLOWS_S)
    yield trigger("MeterValues", (last, 0))
    yield Await("MeterValues", (("/evseId", str(last)),), _FOLLOWS_S)
    yield from charge(place)
    yield Pause(UNDER_WAY_S)
    yield trigger("TransactionEvent", (place.evses[0], 0))
    yield event(_FOLLOWS_S, triggerReason="Trigger")
    yield from leave(place)


_LONGEST_S = 10
"""As long an interval is waited for."""


@late_scenario
def heartbeats(place: Place) -> Iterable[Move]:
    """Heartbeats come every two seconds where nothing else is said, and no ping stands for them (G02)."""
    name = "OCPPCommCtrlr.HeartbeatInterval"
    found, pings = place.variable(name), place.variable("OCPPCommCtrlr.WebSocketPingInterval")
    if found is None or pings is None:
        return []
    seconds = max(2, int(found.min_limit or 0))
    if seconds > _LONGEST_S or str(seconds) == found.value:
        return []
    beat = Await("Heartbeat", timeout_s=3.0 * seconds + 3.0)
    beats = with_variable(place, name, str(seconds), [beat, beat])
    return with_variable(place, pings.name, "0", [get_variable(pings), *beats])


@scenario
def report_of_values(place: Place) -> Iterable[Move]:
    """What is set and read is told by reports in the same words, and a report of one component tells of no other."""
    plain = ("SecurityCtrlr.OrganizationName", "OCPPCommCtrlr.OfflineThreshold")
    found = [v for v in map(place.variable, plain) if v is not None]
    if not found:
        return []
    values = {"SecurityCtrlr.OrganizationName": "ocppfuzz", "OCPPCommCtrlr.OfflineThreshold": "77"}
    read: JsonObject = {"getVariableData": [_item(v) for v in found]}
    one: JsonObject = {"component": found[0].component_json(), "variable": found[0].variable_json()}
    component: JsonObject = {"component": found[-1].component_json()}
    moves: list[Move] = [
        Ask("GetVariables", read),
        Ask("GetReport", {"requestId": 48, "componentVariable": [one, component]}),
        Await("NotifyReport", (("/requestId", "48"),)),
        Ask("GetBaseReport", {"requestId": 49, "reportBase": "ConfigurationInventory"}),
        Await("NotifyReport", (("/requestId", "49"),)),
        Pause(GLANCE_S),
        Ask("GetVariables", read),
    ]
    for variable in found:
        moves = list(with_variable(place, variable.name, values[variable.name], moves))
    return moves


def _item(variable: PoolVariable) -> JsonObject:
    return {"component": variable.component_json(), "variable": variable.variable_json()}


@scenario
def refused_and_left_alone(place: Place) -> Iterable[Move]:
    """What is malformed is not carried out, be it only half of it: a start, a change of availability, a report, a stop."""
    n, _ = place.connectors[0]
    token: JsonObject = {"idToken": place.tokens[0][0]}
    start: JsonObject = {"remoteStartId": 17, "evseId": n, "idToken": token}
    down: JsonObject = {"operationalStatus": "Inoperative", "evse": {"id": n, "connectorId": "one"}}
    report: JsonObject = {"requestId": 50, "reportBase": "FullInventory", "customData": {}}
    stop: JsonObject = {"transactionId": "{tx.id}", "customData": {}}
    idle: list[Move] = [
        Pause(SETTLED_S),
        *tell_status(place),
        *_refused("ChangeAvailability", down),
        *_refused("GetBaseReport", report),
        Pause(SETTLED_S),
        *tell_status(place),
        change_availability("Operative", n),
    ]
    plugged: list[Move] = [
        Act(f"plug-in {n}"),
        Act(f"start-power {n}"),
        *_refused("RequestStartTransaction", start),
        Act(f"unplug {n}"),
    ]
    return [
        *idle,
        *plugged,
        *charge(place),
        *_refused("RequestStopTransaction", stop),
        *leave(place),
    ]


def _refused(action: str, payload: JsonObject) -> list[Move]:
    """A CALL that the schema of its action forbids, and a glance at what comes of it."""
    return [Ask(action, payload), Pause(GLANCE_S)]
