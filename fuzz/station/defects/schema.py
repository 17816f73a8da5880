"""Schema defects: values that pass, or break something, although the rules are plain."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import replace
from typing import Any

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call, ErrorCode
from fuzz.ocppj.payloads import (
    BAD_IDENTIFIER,
    NO_TIME,
    NOT_LISTED,
    TOO_FINE_TIME,
    TOO_LONG,
    TOO_MANY,
    WRONG_TYPE,
    validate_schema,
)
from fuzz.records import Expect, FrameKind, Heard, Operator, Wait
from fuzz.station.blocks.base import member, objects, status
from fuzz.station.blocks.reports import ReportsBlock
from fuzz.station.defects.reading import DEATH, peek
from fuzz.station.defects.registry import Defect, ask, plants, say
from fuzz.station.device_model import Checked, Variable
from fuzz.station.events import Command, Event, SendText
from fuzz.station.hooks import Dying, Hooks
from strategies.labels import JsonObject, JsonValue, Kind
from strategies.version import Version


@plants(
    Defect(
        "P19",
        mirrors=("C1", "C2", "C3"),
        oracle="O1",
        symptom="exit 70",
        witness=(say('[2,"{call.id}","Reset",{"type":"OnIdle","evseId":3}]'),),
    )
)
def evse_index(hooks: Hooks) -> Hooks:
    """The process dies on a proper CALL that names an EVSE beyond the last one."""

    def handle(call: Call) -> JsonObject:
        last = len(hooks.context.pics.connectors)
        if any(number > last for number in _evse_numbers(call.payload)):
            raise Dying(DEATH)
        return hooks.handle(call)

    return replace(hooks, handle=handle)


_SET_MAYBE = ask(
    "SetVariables",
    '{"setVariableData":[{"attributeValue":"maybe",'
    '"component":{"name":"AuthCtrlr"},"variable":{"name":"Enabled"}}]}',
)


@plants(
    Defect(
        "P20",
        mirrors=("C8",),
        oracle="O8 O12",
        symptom="Accepted",
        witness=(_SET_MAYBE,),
    )
)
def bool_coerce(hooks: Hooks) -> Hooks:
    """SetVariables accepts any text for a boolean and stores false."""

    def check_value(variable: Variable, text: str) -> Checked:
        if variable.data_type == "boolean" and text not in ("true", "false"):
            return Checked("false")
        return hooks.check_value(variable, text)

    return replace(hooks, check_value=check_value)


@plants(
    Defect(
        "P21",
        mirrors=("C9", "A16"),
        oracle="O8 O12",
        symptom="Accepted",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"12abc","component":'
                '{"name":"TxCtrlr"},"variable":{"name":"EVConnectionTimeOut"}}]}',
            ),
        ),
    )
)
def int_suffix(hooks: Hooks) -> Hooks:
    """SetVariables reads an integer as far as it looks like one, cuts it to 32 bits and forgets its range."""

    def check_value(variable: Variable, text: str) -> Checked:
        digits = _LEADING_INTEGER.match(text)
        if variable.data_type != "integer" or digits is None:
            return hooks.check_value(variable, text)
        number = int(digits.group()[:_LONGEST_INTEGER])
        return Checked(str((number + 2**31) % 2**32 - 2**31))

    return replace(hooks, check_value=check_value)


_LEADING_INTEGER = re.compile(r"-?[0-9]+")
_LONGEST_INTEGER = 1000


@plants(
    Defect(
        "P23",
        side="both",
        mirrors=("C13", "C20"),
        oracle="O8",
        symptom="CALLRESULT",
        witness=(
            ask(
                "GetVariables",
                '{"getVariableData":[{"component":{"name":" "},"variable":{"name":"x"}}]}',
            ),
        ),
    )
)
def primitive_blind(hooks: Hooks) -> Hooks:
    """Rules that only Part 2 knows, such as the characters of an identifierString, are not checked."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        unseen = error is not None and error.text in (BAD_IDENTIFIER, TOO_FINE_TIME)
        return None if unseen else error

    return replace(hooks, validate=validate)


_TIMEOUT = '"component":{"name":"TxCtrlr"},"variable":{"name":"EVConnectionTimeOut"}'


@plants(
    Defect(
        "P122",
        mirrors=("A26",),
        oracle="O12",
        symptom="refused and stored",
        witness=(
            ask(
                "SetVariables",
                f'{{"setVariableData":[{{"attributeValue":"77",{_TIMEOUT}}},{{}}]}}',
            ),
            ask("GetVariables", f'{{"getVariableData":[{{{_TIMEOUT}}}]}}'),
        ),
    )
)
def refused_but_stored(hooks: Hooks) -> Hooks:
    """SetVariables that breaks its schema is refused, yet those of its items that are in order are stored."""

    def fault(item: JsonObject, version: Version) -> RemoteProtocolError | None:
        payload: JsonObject = {"setVariableData": [item]}
        return hooks.validate("SetVariables", Kind.REQUEST, payload, version)

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if error is None or action != "SetVariables" or not isinstance(payload, dict):
            return error
        proper = [i for i in objects(payload.get("setVariableData")) if fault(i, version) is None]
        with contextlib.suppress(RemoteProtocolError):
            hooks.handle(Call("", action, {"setVariableData": [*proper]}))
        return error

    return replace(hooks, validate=validate)


_EMPTIED = ask(
    "SetVariables",
    '{"setVariableData":[{"attributeValue":"",'
    '"component":{"name":"SecurityCtrlr"},"variable":{"name":"OrganizationName"}}]}',
)


@plants(
    Defect(
        "P127",
        mirrors=("E8",),
        oracle="O12 O11",
        symptom="report ends early",
        witness=(
            _EMPTIED,
            ask("GetBaseReport", '{"requestId":1,"reportBase":"FullInventory"}'),
            Expect("NotifyReport"),
        ),
        depth=1,
    )
)
def report_cut_short(hooks: Hooks) -> Hooks:
    """A report ends, as if it were complete, before the first variable that was set to an empty text."""
    model = hooks.context.model
    reports = next(block for block in hooks.blocks if isinstance(block, ReportsBlock))
    healthy = reports._report

    def report(request: JsonObject, chosen: list[Variable]) -> JsonObject:
        changed = model.changed()
        empty = [at for at, found in enumerate(chosen) if changed.get(found.label) == ""]
        kept = chosen[: empty[0]] if empty else chosen
        return healthy(request, kept) if kept else status("EmptyResultSet")

    reports._report = report  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P131",
        mirrors=("C22",),
        oracle="O6",
        symptom="Occupied",
        witness=(
            Operator("plug-in", "1"),
            Operator("present-token", "04A1B2C3"),
            Expect("TransactionEvent"),
            ask(
                "ChangeAvailability",
                '{"operationalStatus":"Inoperative","evse":{"id":1,"connectorId":1}}',
            ),
        ),
        depth=2,
    )
)
def odd_status_when_busy(hooks: Hooks) -> Hooks:
    """ChangeAvailability of something in use is answered with a status that the schema does not know."""

    def handle(call: Call) -> JsonObject:
        answer = hooks.handle(call)
        waits = call.action == "ChangeAvailability" and answer["status"] == "Scheduled"
        return status("Occupied") if waits else answer

    return replace(hooks, handle=handle)


_GET_TWO = ask(
    "GetVariables",
    '{"getVariableData":[{"component":{"name":"ClockCtrlr"},"variable":{"name":"DateTime"}},'
    '{"component":{"name":"NoSuchCtrlr"},"variable":{"name":"x"}}]}',
)


@plants(
    Defect(
        "P140",
        mirrors=(),
        oracle="O35",
        symptom="a result is missing",
        witness=(_GET_TWO,),
    )
)
def unknown_left_out(hooks: Hooks) -> Hooks:
    """GetVariables leaves out the results of variables that the station does not know, where it knows another."""

    def handle(call: Call) -> JsonObject:
        answer = hooks.handle(call)
        results = answer.get("getVariableResult")
        if isinstance(results, list):
            known = [r for r in results if not _unknown(r)]
            return {**answer, "getVariableResult": [*(known or results)]}
        return answer

    return replace(hooks, handle=handle)


def _unknown(result: Any) -> bool:
    return str(result.get("attributeStatus", "")).startswith("Unknown")


_SET_TARGET = ask(
    "SetVariables",
    '{"setVariableData":[{"attributeType":"Target","attributeValue":"30",'
    '"component":{"name":"TxCtrlr"},"variable":{"name":"EVConnectionTimeOut"}}]}',
)


@plants(
    Defect(
        "P141",
        mirrors=(),
        oracle="O35",
        symptom="another attributeType",
        witness=(_SET_TARGET,),
    )
)
def always_actual(hooks: Hooks) -> Hooks:
    """Every result of SetVariables says that it is of the attributeType Actual."""

    def handle(call: Call) -> JsonObject:
        answer = hooks.handle(call)
        results = answer.get("setVariableResult")
        if isinstance(results, list):
            changed = [{**r, "attributeType": "Actual"} for r in results if isinstance(r, dict)]
            return {**answer, "setVariableResult": [*changed]}
        return answer

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P150",
        mirrors=("A10",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(ask("DataTransfer", '{"vendorId":"somebody","data":{"a":1}}'),),
    )
)
def data_object_crash(hooks: Hooks) -> Hooks:
    """The process dies of a DataTransfer whose data is an object or an array, and no text."""

    def handle(call: Call) -> JsonObject:
        if call.action == "DataTransfer" and isinstance(call.payload.get("data"), dict | list):
            raise Dying(DEATH)
        return hooks.handle(call)

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P152",
        mirrors=("C4",),
        oracle="O8 O11",
        symptom="Accepted",
        witness=(
            ask(
                "RequestStartTransaction",
                '{"remoteStartId":1,"evseId":-1,'
                '"idToken":{"idToken":"04A1B2C3","type":"ISO14443"}}',
            ),
        ),
    )
)
def negative_evse(hooks: Hooks) -> Hooks:
    """RequestStartTransaction with a negative evseId is accepted, as if it named no EVSE."""

    def without(payload: JsonValue) -> JsonValue:
        evse = payload.get("evseId") if isinstance(payload, dict) else None
        if not isinstance(payload, dict) or not isinstance(evse, int | float) or evse >= 0:
            return payload
        return {name: value for name, value in payload.items() if name != "evseId"}

    def handle(call: Call) -> JsonObject:
        payload = without(call.payload)
        if call.action != "RequestStartTransaction" or not isinstance(payload, dict):
            return hooks.handle(call)
        return hooks.handle(replace(call, payload=payload))

    return replace(hooks, handle=handle)


_FIELD = 255


@plants(
    Defect(
        "P160",
        mirrors=("A7",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            ask(
                "GetLog",
                '{"logType":"DiagnosticsLog","requestId":1,'
                f'"log":{{"remoteLocation":"http://127.0.0.1:9/{"logs/" * 60}"}}}}',
            ),
        ),
    )
)
def long_location_crash(hooks: Hooks) -> Hooks:
    """The process dies of a GetLog whose remoteLocation is longer than 255 characters, although 512 are allowed."""

    def handle(call: Call) -> JsonObject:
        location = str(member(call.payload, "log").get("remoteLocation", ""))
        if call.action == "GetLog" and len(location) > _FIELD:
            raise Dying(DEATH)
        return hooks.handle(call)

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P181",
        mirrors=("A8",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(ask("RequestStopTransaction", f'{{"transactionId":"{"t" * 37}"}}'),),
    )
)
def long_string_crash(hooks: Hooks) -> Hooks:
    """The process dies of a CALL in which a string is longer than its field allows."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if kind is Kind.REQUEST and error is not None and error.text == TOO_LONG:
            raise Dying(DEATH)
        return error

    return replace(hooks, validate=validate)


_SIGNATURE_BUFFER = 512


@plants(
    Defect(
        "P182",
        mirrors=("H6",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            ask(
                "UpdateFirmware",
                '{"requestId":1,"firmware":{"location":"http://127.0.0.1:9/firmware",'
                '"retrieveDateTime":"2026-01-01T00:00:00Z",'
                f'"signingCertificate":"no PEM","signature":"{"A" * 516}"}}}}',
            ),
        ),
    )
)
def long_signature_crash(hooks: Hooks) -> Hooks:
    """The process dies of an UpdateFirmware whose Base64 signature is longer than 512 characters, whatever else is in it."""

    def receive(message: str | bytes) -> list[Command]:
        heard = peek(message)
        if heard.action == "UpdateFirmware" and len(_signature(heard)) > _SIGNATURE_BUFFER:
            raise Dying(DEATH)
        return hooks.receive(message)

    return replace(hooks, receive=receive)


def _signature(heard: Heard) -> str:
    payload = heard.items[3] if len(heard.items) > 3 else None
    firmware = payload.get("firmware") if isinstance(payload, dict) else None
    signature = firmware.get("signature") if isinstance(firmware, dict) else None
    return signature if isinstance(signature, str) else ""


@plants(
    Defect(
        "P183",
        mirrors=("A27",),
        oracle="O4",
        symptom="silence",
        witness=(ask("Reset", '{"type":"Whenever"}'),),
    )
)
def odd_reset_silence(hooks: Hooks) -> Hooks:
    """A Reset of a type that is none of the two is not answered."""

    def receive(message: str | bytes) -> list[Command]:
        heard = peek(message)
        payload = heard.items[3] if heard.action == "Reset" and len(heard.items) == 4 else None
        kind = payload.get("type") if isinstance(payload, dict) else None
        if isinstance(kind, str) and kind not in _RESETS:
            return []
        return hooks.receive(message)

    return replace(hooks, receive=receive)


_RESETS = ("Immediate", "OnIdle")


@plants(
    Defect(
        "P189",
        mirrors=("B20",),
        oracle="O8",
        symptom="Accepted",
        witness=(ask("ChangeAvailability", '{"operationalStatus":"Operative","x":1}'),),
    )
)
def schema_for_show(hooks: Hooks) -> Hooks:
    """A CALL that breaks its schema is handled all the same as far as that goes, RequestStartTransaction apart.

    What that holds is said again in TransactionEvents, which this station would not let itself say.
    """
    refusal: RemoteProtocolError | None = None

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        nonlocal refusal
        if kind is not Kind.REQUEST or action == "RequestStartTransaction":
            return hooks.validate(action, kind, payload, version)
        refusal = validate_schema(action, kind, payload, version)
        return hooks.validate(action, kind, payload, version) if refusal is None else None

    def handle(call: Call) -> JsonObject:
        try:
            return hooks.handle(call)
        except (LookupError, TypeError, ValueError, AttributeError):
            if refusal is None:
                raise
            raise refusal from None

    return replace(hooks, validate=validate, handle=handle)


@plants(
    Defect(
        "P201",
        mirrors=("A4",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(ask("ChangeAvailability", '{"operationalStatus":"Sometimes"}'),),
    )
)
def unlisted_word_crash(hooks: Hooks) -> Hooks:
    """The process dies of a CALL that says a word which its enumeration does not know."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if kind is Kind.REQUEST and error is not None and error.text == NOT_LISTED:
            raise Dying(DEATH)
        return error

    return replace(hooks, validate=validate)


def _evse_numbers(payload: Any) -> list[float]:
    """Every EVSE number in a payload, however deep; customData is not looked into."""
    numbers: list[float] = []
    pending = [payload]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            evse = value.get("evse")
            numbers.extend(
                number
                for number in (value.get("evseId"), evse.get("id") if isinstance(evse, dict) else 0)
                if isinstance(number, int | float)
            )
            pending.extend(part for name, part in value.items() if name != "customData")
    return numbers


@plants(
    Defect(
        "P196",
        mirrors=("matth-x/MicroOcpp#405",),
        oracle="O6",
        symptom="no triggerReason",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"Authorized",'
                '"component":{"name":"TxCtrlr"},"variable":{"name":"TxStartPoint"}}]}',
            ),
            Operator("present-token", "04A1B2C3"),
            Expect("TransactionEvent"),
            Wait(61.0),
        ),
        depth=3,
    )
)
def no_reason_for_timeout(hooks: Hooks) -> Hooks:
    """The end of a transaction for which no EV was plugged in within EVConnectionTimeOut has no triggerReason."""

    def react(event: Event) -> list[Command]:
        return [_without_timeout(command) for command in hooks.react(event)]

    return replace(hooks, react=react)


def _without_timeout(command: Command) -> Command:
    frame: list[Any] = json.loads(command.text) if isinstance(command, SendText) else []
    if frame[2:3] != ["TransactionEvent"] or frame[3]["triggerReason"] != "EVConnectTimeout":
        return command
    del frame[3]["triggerReason"]
    return SendText(json.dumps(frame, separators=(",", ":")))


@plants(
    Defect(
        "P210",
        mirrors=("A15",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            ask(
                "GetLog",
                '{"logType":"DiagnosticsLog","requestId":1,"log":{'
                '"remoteLocation":"http://127.0.0.1:9/","oldestTimestamp":"2026-01-01T00:00:00.Z"}}',
            ),
        ),
    )
)
def short_fraction_crash(hooks: Hooks) -> Hooks:
    """The process dies of a dateTime that ends less than two characters after the point of its seconds.

    The reader wants three digits there and looks for them beyond the end of the text, before any schema is asked.
    """
    peer = hooks.context.peer

    def is_read(heard: Heard) -> bool:
        if heard.kind is FrameKind.CALL:
            return isinstance(heard.action, str) and heard.action in peer._serves
        asked = peer.outstanding
        is_result = heard.kind is FrameKind.CALLRESULT
        return is_result and asked is not None and heard.message_id == asked.id

    def receive(message: str | bytes) -> list[Command]:
        heard = peek(message)
        if is_read(heard) and any(map(_SHORT_FRACTION.fullmatch, _moments(heard.payload))):
            raise Dying(DEATH)
        return hooks.receive(message)

    return replace(hooks, receive=receive)


_SHORT_FRACTION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\..?", re.ASCII | re.DOTALL)
_MOMENTS = frozenset(
    {
        "currentTime",
        "oldestTimestamp",
        "latestTimestamp",
        "retrieveDateTime",
        "installDateTime",
        "cacheExpiryDateTime",
        "validFrom",
        "validTo",
        "startSchedule",
    }
)


def _moments(payload: JsonValue) -> list[str]:
    """The texts of all members of a payload that are dateTimes, however deep."""
    found: list[str] = []
    pending = [payload]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
            named = (value[name] for name in _MOMENTS if name in value)
            found.extend(text for text in named if isinstance(text, str))
    return found


_NEEDED = {
    "DeleteCertificate": "certificateHashData",
    "GetLog": "log",
    "RequestStartTransaction": "idToken",
    "SetNetworkProfile": "connectionData",
    "UpdateFirmware": "firmware",
}
"""The object that a CALL is about, and that its schema requires."""

_AFTERWARDS_S = 0.2


@plants(
    Defect(
        "P214",
        mirrors=("A24",),
        oracle="O1 O2",
        symptom="refused, then exit 70",
        witness=(ask("UpdateFirmware", "{}"), Wait(1.0)),
    )
)
def refused_then_crash(hooks: Hooks) -> Hooks:
    """A CALL without the object that it is about is refused as it should be, and then the process dies of it."""
    context = hooks.context

    def die() -> None:
        raise Dying(DEATH)

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        needed = _NEEDED.get(action) if kind is Kind.REQUEST else None
        if error is not None and needed and isinstance(payload, dict) and needed not in payload:
            context.at("crash", context.now + _AFTERWARDS_S, die)
        return error

    return replace(hooks, validate=validate)


@plants(
    Defect(
        "P215",
        mirrors=("A25",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(ask("RequestStartTransaction", '{"remoteStartId":1,"idToken":null}'),),
    )
)
def odd_token_crash(hooks: Hooks) -> Hooks:
    """The process dies of a RequestStartTransaction whose idToken is null, or holds an array or object for a text."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        is_start = (action, kind) == ("RequestStartTransaction", Kind.REQUEST)
        if is_start and isinstance(payload, dict) and _has_odd_token(payload):
            raise Dying(DEATH)
        return error

    return replace(hooks, validate=validate)


def _has_odd_token(payload: JsonObject) -> bool:
    token = payload.get("idToken", {})
    texts = [token.get("idToken"), token.get("type")] if isinstance(token, dict) else []
    return token is None or any(isinstance(text, list | dict) for text in texts)


@plants(
    Defect(
        "P217",
        mirrors=("C21",),
        oracle="O26 O9",
        symptom="TypeConstraintViolation",
        witness=(ask("ChangeAvailability", '{"operationalStatus":"Operative","evse":{"id":1.0}}'),),
    )
)
def point_zero_refused(hooks: Hooks) -> Hooks:
    """An integer that is written with a fraction of zero, such as 1.0, is refused with TypeConstraintViolation."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if error is not None or (fractions := _as_fractions(payload)) == payload:
            return error
        # Where a number may be, half of one may be, too; where an integer must be, the schema says so.
        odd = validate_schema(action, kind, fractions, version)
        if odd is None or odd.text != WRONG_TYPE:
            return None
        return RemoteProtocolError(ErrorCode.TYPE_CONSTRAINT_VIOLATION, WRONG_TYPE)

    return replace(hooks, validate=validate)


def _as_fractions(value: JsonValue) -> JsonValue:
    """The same with half of one added to every number that is whole, but not written as one."""
    match value:
        case float() if value.is_integer():
            return value + 0.5
        case list():
            return [_as_fractions(item) for item in value]
        case dict():
            return {name: _as_fractions(part) for name, part in value.items()}
        case _:
            return value


@plants(
    Defect(
        "P219",
        mirrors=("H7",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            ask(
                "GetReport",
                '{"requestId":1,"componentCriteria":["Active","Available","Enabled","Problem","Active"]}',
            ),
        ),
    )
)
def long_list_crash(hooks: Hooks) -> Hooks:
    """The process dies of a CALL in which a list has more items than its schema allows."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if kind is Kind.REQUEST and error is not None and error.text == TOO_MANY:
            raise Dying(DEATH)
        return error

    return replace(hooks, validate=validate)


@plants(
    Defect(
        "P220",
        mirrors=("A6",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            ask(
                "UpdateFirmware",
                '{"requestId":1,"firmware":{"location":"http://127.0.0.1:9/firmware",'
                '"retrieveDateTime":"tomorrow"}}',
            ),
        ),
    )
)
def no_time_crash(hooks: Hooks) -> Hooks:
    """The process dies of a dateTime that is none, in a CALL or in an answer to one of its own."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if error is not None and error.text == NO_TIME:
            raise Dying(DEATH)
        return error

    return replace(hooks, validate=validate)


@plants(
    Defect(
        "P223",
        mirrors=("C5",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            ask(
                "GetReport",
                '{"requestId":1,"componentVariable":[{"component":{"name":"ClockCtrlr"}}]}',
            ),
        ),
    )
)
def no_criteria_crash(hooks: Hooks) -> Hooks:
    """The process dies of a GetReport without componentCriteria, which it may well be without."""

    def handle(call: Call) -> JsonObject:
        if call.action == "GetReport" and "componentCriteria" not in call.payload:
            raise Dying(DEATH)
        return hooks.handle(call)

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P224",
        mirrors=("C14",),
        oracle="O9",
        symptom="PropertyConstraintViolation",
        witness=(
            ask(
                "GetTransactionStatus",
                '{"transactionId":"7c9e6679-7425-40de-944b-e07fc1f90ae7"}',
            ),
        ),
    )
)
def hyphen_refused(hooks: Hooks) -> Hooks:
    """An identifierString with a hyphen, such as a UUID, is refused as if the hyphen were not allowed there."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if error is not None:
            return error
        # Which of the texts are identifierStrings is known to whoever objects to a space in them.
        spaced = hooks.validate(action, kind, _with_spaces(payload), version)
        return spaced if spaced is not None and spaced.text == BAD_IDENTIFIER else None

    return replace(hooks, validate=validate)


_IDENTIFIERS = frozenset(
    {
        "name",
        "instance",
        "idToken",
        "additionalIdToken",
        "issuerNameHash",
        "serialNumber",
        "iccid",
        "imsi",
        "preferredNetwork",
        "transactionId",
        "checksum",
    }
)
"""The members that are identifierStrings in some class at least."""


def _with_spaces(value: JsonValue) -> JsonValue:
    """The same with a space for every hyphen in what may be an identifierString."""
    match value:
        case list():
            return [_with_spaces(item) for item in value]
        case dict():
            return {
                name: part.replace("-", " ")
                if isinstance(part, str) and name in _IDENTIFIERS
                else _with_spaces(part)
                for name, part in value.items()
            }
        case _:
            return value


@plants(
    Defect(
        "P225",
        mirrors=("C15",),
        oracle="O9",
        symptom="FormatViolation",
        witness=(
            ask(
                "RequestStartTransaction",
                '{"remoteStartId":1,"idToken":{"idToken":"04A1B2C3","type":"ISO14443"},'
                '"chargingProfile":{"id":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile",'
                '"chargingProfileKind":"Relative","chargingSchedule":[{"id":1,"chargingRateUnit":"A",'
                '"chargingSchedulePeriod":[{"startPeriod":0,"limit":8.1}]}]}}',
            ),
        ),
    )
)
def binary_step_refused(hooks: Hooks) -> Hooks:
    """A limit of a charging schedule is refused when dividing it by 0.1 leaves a rest in binary, as 8.1 does."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if error is not None or all((limit / 0.1).is_integer() for limit in _limits(payload)):
            return error
        return RemoteProtocolError(ErrorCode.FORMAT_VIOLATION, "a limit is no multiple of 0.1")

    return replace(hooks, validate=validate)


def _limits(payload: Any) -> list[float]:
    """The limits of a chargingProfile in a proper payload, those that are written as whole numbers apart."""
    profile = payload.get("chargingProfile")
    schedules = objects(profile.get("chargingSchedule")) if isinstance(profile, dict) else []
    periods = [p for one in schedules for p in objects(one.get("chargingSchedulePeriod"))]
    limits = (period.get("limit") for period in periods)
    return [limit for limit in limits if isinstance(limit, float)]


@plants(
    Defect(
        "P226",
        mirrors=("C17",),
        oracle="O8",
        symptom="CALLRESULT",
        witness=(ask("GetInstalledCertificateIds", '{"certificateKind":["CSMSRootCertificate"]}'),),
    )
)
def extra_members_taken(hooks: Hooks) -> Hooks:
    """A CALL with members that its schema does not define is handled as if they were not there."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if error is None or kind is not Kind.REQUEST:
            return error
        # Whatever else is wrong is told as ever.
        defined = _defined(action, payload, version)
        return error if hooks.validate(action, kind, defined, version) is not None else None

    def handle(call: Call) -> JsonObject:
        defined = _defined(call.action, call.payload, hooks.context.peer._version)
        return hooks.handle(replace(call, payload=defined))

    return replace(hooks, validate=validate, handle=handle)


def _defined(action: str, payload: JsonValue, version: Version) -> Any:
    """The payload of a CALL without the members that its schema does not define."""
    root = version.raw_schema(action, Kind.REQUEST)
    return _pruned(payload, root, root.get("definitions", {}))


def _pruned(value: Any, schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        return [_pruned(item, schema.get("items", {}), definitions) for item in value]
    if not isinstance(value, dict) or schema.get("additionalProperties") is not False:
        return value
    parts = schema["properties"]
    return {n: _pruned(part, parts[n], definitions) for n, part in value.items() if n in parts}
