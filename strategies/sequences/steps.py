"""What scenarios are put together from: one or a few moves each, with what they wait for.

Knows payloads and the words of the station's console. Must not know which scenario takes which of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from strategies.labels import JsonObject, JsonValue
from strategies.moves import Act, Answer, Ask, Await, Move, Pause, Tell
from strategies.pool import PoolVariable
from strategies.sequences.place import Place

NOWHERE = "http://127.0.0.1:9/ocppfuzz"
"""Where no transfer ever succeeds: the discard port of the station itself (RFC 863)."""

UNDER_WAY_S = 2.2
"""How long somebody charges until whatever was done before has had its effect."""

GLANCE_S = 0.3
"""How long we look whether something happens that must not."""

TIMED_OUT_S = 2.5
"""How long until an EVConnectionTimeOut of a second is over, however a station counts."""

SHOWN_AGAIN_S = 3.0
"""How long a card must have been away from a reader that ignores one which it has just read."""

SETTLED_S = 1.2
"""How long a station has until what was done shows in what it says."""


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


def other_values(variable: PoolVariable) -> list[str]:
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


def with_variable(place: Place, name: str, value: str, moves: Iterable[Move]) -> Iterator[Move]:
    """The moves with a variable changed before and put back afterwards; unchanged where it cannot be written."""
    found = place.variable(name)
    changes = found is not None and found.value != value
    if found is not None and changes:
        yield set_variable(found, value)
    yield from moves
    if found is not None and changes:
        yield set_variable(found, found.value or "")


def sent_again_soon(place: Place, moves: Iterable[Move]) -> Iterable[Move]:
    """The moves with two attempts a second apart for each TransactionEvent (E13); nothing where that cannot be set."""
    attempts = "OCPPCommCtrlr.MessageAttempts/TransactionEvent"
    interval = "OCPPCommCtrlr.MessageAttemptInterval/TransactionEvent"
    if place.variable(interval) is None:
        return []
    return with_variable(place, interval, "1", with_variable(place, attempts, "2", moves))


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
    if place.variable(name) is None or not samples(place):
        return []
    goes_on = event(place.prompt_s, triggerReason="MeterValuePeriodic")
    inner = [*charge(place), Pause(UNDER_WAY_S), goes_on, *moves, *leave(place)]
    return list(with_variable(place, name, every_s, inner))


def samples(place: Place) -> bool:
    """Whether a station tells of meter values while somebody charges, as far as it said."""
    on = place.value("SampledDataCtrlr.Enabled", "true").casefold() != "false"
    return on and bool(place.value("SampledDataCtrlr.TxUpdatedMeasurands", "any").strip())


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


def tell_status(place: Place, where: tuple[int, int] | None = None) -> list[Move]:
    """Ask for the status of a connector, the first one unless another is given, and wait for it."""
    evse, connector = pair = place.connectors[0] if where is None else where
    told = (("/evseId", str(evse)), ("/connectorId", str(connector)))
    return [trigger("StatusNotification", pair), Await("StatusNotification", told)]


def status(pair: tuple[int, int], word: str, timeout_s: float = 12.0) -> Await:
    """The status of one connector."""
    where = (("/evseId", str(pair[0])), ("/connectorId", str(pair[1])))
    return Await("StatusNotification", (*where, ("/connectorStatus", word)), timeout_s)


def tells_at_once(place: Place) -> bool:
    """False where a station may keep a change of status to itself until it has lasted a while (MinimumStatusDuration)."""
    named = [v.value for v in place.pool.variables if v.variable == "MinimumStatusDuration"]
    return all(value in (None, "0") for value in named)


def settled(place: Place, where: tuple[int, int] | None = None) -> list[Move]:
    """Ask for the status of a connector, once it shows what was done; over when nothing is on its way any more."""
    # A status that came by itself may be taken for the one that was asked for: what is done next waits for both.
    return [Pause(SETTLED_S), *tell_status(place, where), Pause(0.2)]


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


def booted_at_last(place: Place, answer: str, cause: Iterable[Move]) -> Iterator[Move]:
    """What makes the station boot, its boot answered so at first, and what brings it to be accepted in the end."""
    if answer != "Accepted":
        yield boot_answer(answer, 60 if answer == "Pending" else 1)
    yield from cause
    yield booted(place)
    if answer == "Pending":
        yield from (Pause(GLANCE_S), trigger("BootNotification"))
    if answer != "Accepted":
        yield booted(place)


def judged(status: str, group: str = "") -> JsonObject:
    """An answer about a token."""
    info: JsonObject = {"status": status}
    if group:
        info["groupIdToken"] = {"idToken": group, "type": "Central"}
    return {"idTokenInfo": info}


def answered(payload: JsonValue, id_: str = "{asked.id}") -> Tell:
    """A CALLRESULT for a CALL that the station made before."""
    return Tell(f'[3,"{id_}",{json.dumps(payload, separators=(",", ":"))}]')


def change_availability(status: str, evse: int = 0, connector: int = 0) -> Ask:
    """ChangeAvailability of the whole station, of an EVSE, or of one of its connectors; 0 names none."""
    payload: JsonObject = {"operationalStatus": status}
    if evse:
        where: JsonObject = {"id": evse}
        if connector:
            where["connectorId"] = connector
        payload["evse"] = where
    return Ask("ChangeAvailability", payload)


def update_firmware(
    number: int, url: str = NOWHERE, *, signer: str = "", retries: int | None = None
) -> Ask:
    """UpdateFirmware at once, with a signature that is none where there is a signer.

    More tries come a minute apart: none for a signer and one for nobody, unless `retries` says how many.
    """
    tries = (0 if signer else 1) if retries is None else retries
    firmware: JsonObject = {"location": url, "retrieveDateTime": "2026-01-01T00:00:00Z"}
    if signer:
        firmware |= {"signingCertificate": signer, "signature": "AAAA"}
    payload: JsonObject = {"requestId": number, "retries": tries, "retryInterval": 60}
    return Ask("UpdateFirmware", {**payload, "firmware": firmware})


def get_log(
    number: int, url: str = NOWHERE, kind: str = "DiagnosticsLog", *, retries: int = 2
) -> Ask:
    """GetLog, with some more tries a minute apart."""
    payload: JsonObject = {"requestId": number, "logType": kind, "log": {"remoteLocation": url}}
    return Ask("GetLog", {**payload, "retries": retries, "retryInterval": 60})


def told_of(message: str, number: int, status: str = "", *, timeout_s: float = 12.0) -> Await:
    """What is told of the work that has this requestId; any status unless one is given."""
    where = (("/requestId", str(number)), *((("/status", status),) if status else ()))
    return Await(message, where, timeout_s)


SIGN = trigger("SignChargingStationCertificate")
"""Have the station ask for a new certificate."""
