"""Framing defects: what happens to messages that are no proper OCPP-J frames, or barely."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.codec import depth_exceeds
from fuzz.ocppj.frames import ErrorCode
from fuzz.ocppj.payloads import MISSING
from fuzz.ocppj.peer import Refused, Unanswered
from fuzz.records import Expect, FrameKind, SendText, Wait
from fuzz.station.context import Outcome
from fuzz.station.defects.reading import DEATH, breaks_on, breaks_on_text, peek
from fuzz.station.defects.registry import Defect, ask, plants, reply, say
from fuzz.station.events import Command, SendText as Said
from fuzz.station.hooks import Dying, Hooks
from fuzz.station.rewriting import is_answer, is_error, rewrite_answers, say_as
from fuzz.station.states import Registration
from strategies.labels import JsonValue, Kind, Repeated
from strategies.version import Version


@plants(
    Defect(
        "P01",
        mirrors=("A1",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(say('["\\ud800"]'),),
    )
)
def error_path_reencode(hooks: Hooks) -> Hooks:
    """The process dies while it builds a CALLERROR for text that has no UTF-8 form."""

    def receive(message: str | bytes) -> list[Command]:
        commands = hooks.receive(message)
        if any(is_error(command) for command in commands) and not _has_utf8_form(message):
            raise Dying(DEATH)
        return commands

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P02",
        mirrors=("A2",),
        oracle="O1",
        symptom="exit 70",
        witness=(say('[2,"{call.id}","Reset",{"x":"' + "x" * 240 + '"}]'),),
    )
)
def error_text_overflow(hooks: Hooks) -> Hooks:
    """The process dies when it refuses a CALL whose text is longer than 255 characters."""

    def receive(message: str | bytes) -> list[Command]:
        commands = hooks.receive(message)
        refused = any(is_error(command) for command in commands)
        if refused and len(message) > 255 and peek(message).kind is FrameKind.CALL:
            raise Dying(DEATH)
        return commands

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P03",
        side="both",
        mirrors=("A3", "A33"),
        oracle="O4 O7",
        symptom="silence",
        witness=(say('[5,"{call.id}"]'),),
    )
)
def unknown_type_silence(hooks: Hooks) -> Hooks:
    """A message with an unknown MessageTypeId is not answered."""

    def receive(message: str | bytes) -> list[Command]:
        heard = peek(message)
        has_type = heard.kind is FrameKind.OTHER and len(heard.items) > 1
        return [] if has_type else hooks.receive(message)

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P04",
        mirrors=("A14",),
        oracle="O3",
        symptom="close 1011",
        witness=(say('[2,"{call.id}","Reset"]'),),
    )
)
def short_array(hooks: Hooks) -> Hooks:
    """The connection breaks with 1011 on a CALL of three elements or a CALLRESULT of two."""
    return breaks_on(
        hooks,
        lambda heard: (
            (heard.kind, len(heard.items)) in {(FrameKind.CALL, 3), (FrameKind.CALLRESULT, 2)}
        ),
    )


@plants(
    Defect(
        "P05",
        side="both",
        mirrors=("A30",),
        oracle="O3",
        symptom="close 1011",
        witness=(say('[2,"{call.id}",[],{}]'),),
    )
)
def unhashable_action(hooks: Hooks) -> Hooks:
    """The connection breaks with 1011 when the action is an array or an object."""
    return breaks_on(hooks, lambda heard: isinstance(heard.action, list | dict))


@plants(
    Defect(
        "P06",
        side="both",
        mirrors=("A31",),
        oracle="O3",
        symptom="close 1011",
        witness=(SendText((Repeated("9", 4301),)),),
    )
)
def big_number(hooks: Hooks) -> Hooks:
    """The connection breaks with 1011 on an integer of more than 4300 digits."""
    return breaks_on_text(hooks, _has_big_integer)


@plants(
    Defect(
        "P07",
        side="both",
        mirrors=("A32",),
        oracle="O3 O1",
        symptom="close 1011",
        witness=(SendText((Repeated("[", 1001),)),),
    )
)
def nest_bomb(hooks: Hooks) -> Hooks:
    """The connection breaks with 1011 on JSON nested deeper than 1000."""
    return breaks_on_text(hooks, lambda text: depth_exceeds(text, 1000))


@plants(
    Defect(
        "P08",
        side="both",
        mirrors=("A34",),
        oracle="O7",
        symptom="id echoed",
        witness=(say('[2,null,"ClearCache",{}]'),),
    )
)
def id_echo_unbounded(hooks: Hooks) -> Hooks:
    """A messageId that is no string, or too long, is accepted and echoed as it is."""

    def receive(message: str | bytes) -> list[Command]:
        heard = peek(message)
        if (
            heard.kind is not FrameKind.CALL
            or len(heard.items) != 4
            or _is_proper_id(heard.message_id)
        ):
            return hooks.receive(message)
        return say_as(hooks.receive, heard, "stand-in")

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P09",
        mirrors=("A11", "A12"),
        oracle="O1",
        symptom="exit 70",
        witness=(
            reply("SignCertificate", '[3,"{call.id}",{}]'),
            ask("TriggerMessage", '{"requestedMessage":"SignChargingStationCertificate"}'),
        ),
        depth=1,
    )
)
def bad_response_crash(hooks: Hooks) -> Hooks:
    """The process dies when its Authorize, BootNotification or SignCertificate gets a malformed CALLRESULT."""

    def conclude(outcome: Outcome) -> None:
        malformed = isinstance(outcome, Refused) and outcome.broken
        if malformed and outcome.call.action in _FRAGILE:
            raise Dying(DEATH)
        hooks.conclude(outcome)

    return replace(hooks, conclude=conclude)


_FRAGILE = frozenset({"Authorize", "BootNotification", "SignCertificate"})
_ASK_FOR_HEARTBEAT = ask("TriggerMessage", '{"requestedMessage":"Heartbeat"}')


@plants(
    Defect(
        "P10",
        mirrors=("A20", "A21"),
        oracle="O1",
        symptom="exit 70",
        witness=(
            reply("Heartbeat", '[4,"{call.id}","GenericError",null,{}]'),
            _ASK_FOR_HEARTBEAT,
        ),
        depth=1,
    )
)
def callerror_null_desc(hooks: Hooks) -> Hooks:
    """The process dies when one of its CALLs is answered with a CALLERROR without a description."""

    def receive(message: str | bytes) -> list[Command]:
        heard, asked = peek(message), hooks.context.peer.outstanding
        answers = heard.kind is FrameKind.CALLERROR and asked and heard.message_id == asked.id
        if answers and (len(heard.items) < 4 or heard.items[3] is None):
            raise Dying(DEATH)
        return hooks.receive(message)

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P11",
        mirrors=("A23", "D22"),
        oracle="O11 O28",
        symptom="late answer taken for the next CALL's",
        witness=(
            reply("Heartbeat", '[3,"nothing",{}]'),
            _ASK_FOR_HEARTBEAT,
            Wait(31.0),
            reply("Heartbeat", '[3,"{asked.previous}",{}]'),
            _ASK_FOR_HEARTBEAT,
            _ASK_FOR_HEARTBEAT,
            Expect("Heartbeat", 5.0),
        ),
        depth=2,
    )
)
def late_response(hooks: Hooks) -> Hooks:
    """An answer that comes after its time is taken for the answer to the CALL that waits now."""
    late: set[str] = set()

    def conclude(outcome: Outcome) -> None:
        if isinstance(outcome, Unanswered):
            late.add(outcome.call.id)
        hooks.conclude(outcome)

    def receive(message: str | bytes) -> list[Command]:
        heard, asked = peek(message), hooks.context.peer.outstanding
        if asked is None or heard.kind is not FrameKind.CALLRESULT or heard.message_id not in late:
            return hooks.receive(message)
        return say_as(hooks.receive, heard, asked.id)

    return replace(hooks, conclude=conclude, receive=receive)


@plants(
    Defect(
        "P124",
        mirrors=("A17",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(reply("Heartbeat", "[3,null,{}]"), _ASK_FOR_HEARTBEAT),
        depth=1,
    )
)
def answer_id_crash(hooks: Hooks) -> Hooks:
    """The process dies of an answer whose messageId is no string while one of its CALLs waits for an answer."""

    def receive(message: str | bytes) -> list[Command]:
        heard = peek(message)
        is_answer = heard.kind in (FrameKind.CALLRESULT, FrameKind.CALLERROR)
        compares = is_answer and len(heard.items) > 1 and hooks.context.peer.outstanding is not None
        if compares and not isinstance(heard.items[1], str):
            raise Dying(DEATH)
        return hooks.receive(message)

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P62",
        side="both",
        mirrors=("A29",),
        oracle="O7",
        symptom="code OccurenceConstraintViolation",
        witness=(say('[2,"{call.id}","Reset",{}]'),),
    )
)
def misspelt_code(hooks: Hooks) -> Hooks:
    """A missing member is answered with the misspelt error code of OCPP 1.6."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if error is None or error.text != MISSING:
            return error
        return RemoteProtocolError("OccurenceConstraintViolation", error.text)

    return replace(hooks, validate=validate)


@plants(
    Defect(
        "P151",
        mirrors=("A5",),
        oracle="O4 O7",
        symptom="silence",
        witness=(say('[2,"{call.id}","ClearCache",{}'),),
    )
)
def broken_call_silence(hooks: Hooks) -> Hooks:
    """A CALL whose JSON is broken is not answered."""

    def receive(message: str | bytes) -> list[Command]:
        is_call = isinstance(message, str) and message.startswith("[2,")
        if is_call and peek(message).kind is FrameKind.GARBAGE:
            return []
        return hooks.receive(message)

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P170",
        mirrors=("A36",),
        oracle="O8",
        symptom="CALLRESULT",
        witness=(say('[2,"{call.id}","ClearCache",{"customData":{"vendorId":"v","limit":NaN}}]'),),
    )
)
def no_number_accepted(hooks: Hooks) -> Hooks:
    """NaN and Infinity, which JSON has not, are read as if they were numbers."""

    def receive(message: str | bytes) -> list[Command]:
        return hooks.receive(_finite(message) if isinstance(message, str) else message)

    return replace(hooks, receive=receive)


_SOME_NUMBER = 0.5
"""What a number that is none becomes: a fraction, so that it fits wherever a number may be, and nowhere else."""


def _finite(text: str) -> str:
    """The same with a number for each NaN and Infinity; texts without one, and those that are no JSON, as they are."""
    found: list[str] = []

    def constant(name: str) -> float:
        found.append(name)
        return _SOME_NUMBER

    try:
        read = json.loads(text, parse_constant=constant)
        return json.dumps(read) if found else text
    except (ValueError, RecursionError):
        return text


@plants(
    Defect(
        "P180",
        mirrors=("A35",),
        oracle="O8 O26",
        symptom="CALLRESULT",
        witness=(say('[2,"{call.id}","ClearCache",{},{}]'),),
    )
)
def further_elements_skipped(hooks: Hooks) -> Hooks:
    """A CALL of more than four elements is handled as if it ended after the fourth."""

    def receive(message: str | bytes) -> list[Command]:
        heard = peek(message)
        if heard.kind is not FrameKind.CALL or len(heard.items) <= _CALL_ELEMENTS:
            return hooks.receive(message)
        return hooks.receive(json.dumps(heard.items[:_CALL_ELEMENTS]))

    return replace(hooks, receive=receive)


_CALL_ELEMENTS = 4


@plants(
    Defect(
        "P188",
        mirrors=("A41",),
        oracle="O8 O26",
        symptom="CALLRESULT",
        witness=(say('[2,"{call.id}","ClearCache",null]'),),
    )
)
def null_as_empty(hooks: Hooks) -> Hooks:
    """A CALL whose payload is null is handled as if the payload were an empty object."""

    def receive(message: str | bytes) -> list[Command]:
        heard = peek(message)
        is_call = heard.kind is FrameKind.CALL and len(heard.items) == _CALL_ELEMENTS
        if not is_call or heard.items[3] is not None:
            return hooks.receive(message)
        return hooks.receive(json.dumps([*heard.items[:3], {}]))

    return replace(hooks, receive=receive)


def _has_utf8_form(message: str | bytes) -> bool:
    try:
        if isinstance(message, bytes):
            message.decode()
        else:
            json.dumps(json.loads(message), ensure_ascii=False).encode()
    except UnicodeError:
        return False
    except (ValueError, RecursionError):
        return True
    return True


_STRING_OR_LONG_NUMBER = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[-+.\deE]{4301,}', re.DOTALL)
_LONG_INTEGER = re.compile(r"-?\d{4301,}")


def _has_big_integer(text: str) -> bool:
    if len(text) <= 4300:
        return False
    found = _STRING_OR_LONG_NUMBER.finditer(text)
    return any(_LONG_INTEGER.fullmatch(match.group()) for match in found)


def _is_proper_id(value: JsonValue) -> bool:
    return isinstance(value, str) and len(value) <= 36


@plants(
    Defect(
        "P200",
        mirrors=("A28",),
        oracle="O7",
        symptom="code FormationViolation",
        witness=(ask("ClearCache", '{"x":1}'),),
    )
)
def formation_violation(hooks: Hooks) -> Hooks:
    """What would be answered with FormatViolation is answered with FormationViolation, its name in OCPP 1.6."""

    def rename(answer: list[Any]) -> list[Any]:
        code = "FormationViolation" if answer[2] == ErrorCode.FORMAT_VIOLATION else answer[2]
        return [*answer[:2], code, *answer[3:]]

    def receive(message: str | bytes) -> list[Command]:
        commands = hooks.receive(message)
        refused = any(is_error(command) for command in commands)
        return rewrite_answers(commands, rename) if refused else commands

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P204",
        mirrors=("EVerest/libocpp#565",),
        oracle="O4 O7 O11",
        symptom="an answer refused",
        witness=(
            reply(
                "BootNotification",
                '[3,"{call.id}",{"status":"Pending","interval":300,'
                '"currentTime":"2026-01-01T00:00:00Z"}]',
            ),
            ask("Reset", '{"type":"Immediate"}'),
            Expect("BootNotification"),
            ask("GetBaseReport", '{"requestId":1,"reportBase":"ConfigurationInventory"}'),
            Expect("NotifyReport", 5.0),
        ),
        depth=2,
    )
)
def report_answer_refused(hooks: Hooks) -> Hooks:
    """While the boot is Pending, the CSMS's answer to a NotifyReport is itself answered, with SecurityError."""
    context = hooks.context

    def receive(message: str | bytes) -> list[Command]:
        asked, heard = context.peer.outstanding, peek(message)
        pending = context.registration is Registration.PENDING
        commands = hooks.receive(message)
        if not pending or asked is None or asked.action != "NotifyReport":
            return commands
        if heard.kind is not FrameKind.CALLRESULT or heard.message_id != asked.id:
            return commands
        error = RemoteProtocolError(ErrorCode.SECURITY_ERROR, "not allowed while Pending")
        return [Said(context.peer.refuse(asked, error)), *commands]

    return replace(hooks, receive=receive)


_UNKNOWN = ('"attributeStatus":"UnknownComponent"', '"attributeStatus":"UnknownVariable"')


@plants(
    Defect(
        "P208",
        mirrors=("A40",),
        oracle="O7 O6 O4",
        symptom="an answer without its end",
        witness=(
            ask(
                "GetVariables",
                '{"getVariableData":[{"component":{"name":"ClockCtrlr"},"variable":{"name":"Nothing"}}]}',
            ),
        ),
    )
)
def answer_cut_short(hooks: Hooks) -> Hooks:
    """The answer to GetVariables lacks its last two brackets when the station does not know one of the variables."""

    def cut(command: Command) -> Command:
        if isinstance(command, Said) and is_answer(command):
            unknown = any(mark in command.text for mark in _UNKNOWN)
            return Said(command.text[:-2]) if unknown else command
        return command

    def receive(message: str | bytes) -> list[Command]:
        commands = hooks.receive(message)
        if peek(message).action != "GetVariables":
            return commands
        return [cut(command) for command in commands]

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P211",
        mirrors=("A19",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(say(""),),
    )
)
def empty_message_crash(hooks: Hooks) -> Hooks:
    """The process dies of a message without a single byte in it."""

    def receive(message: str | bytes) -> list[Command]:
        if not message:
            raise Dying(DEATH)
        return hooks.receive(message)

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P212",
        mirrors=("lorenzodonini/ocpp-go@c38d419",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(reply("Heartbeat", '[4,"{call.id}",7,"",{}]'), _ASK_FOR_HEARTBEAT),
        depth=1,
    )
)
def odd_code_crash(hooks: Hooks) -> Hooks:
    """The process dies when one of its CALLs is answered with a CALLERROR whose errorCode is no string."""

    def receive(message: str | bytes) -> list[Command]:
        heard, asked = peek(message), hooks.context.peer.outstanding
        answers = heard.kind is FrameKind.CALLERROR and asked and heard.message_id == asked.id
        if answers and len(heard.items) > _CODE and not isinstance(heard.items[_CODE], str):
            raise Dying(DEATH)
        return hooks.receive(message)

    return replace(hooks, receive=receive)


_CODE = 2


@plants(
    Defect(
        "P213",
        mirrors=("lorenzodonini/ocpp-go@fae9726",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(say('[3,"nobody-asked",{}]'),),
    )
)
def stray_answer_crash(hooks: Hooks) -> Hooks:
    """The process dies of a CALLRESULT to a CALL that it never said, or no longer waits for."""

    def receive(message: str | bytes) -> list[Command]:
        heard, asked = peek(message), hooks.context.peer.outstanding
        is_result = heard.kind is FrameKind.CALLRESULT and isinstance(heard.message_id, str)
        if is_result and (asked is None or heard.message_id != asked.id):
            raise Dying(DEATH)
        return hooks.receive(message)

    return replace(hooks, receive=receive)
