"""Planted defects: one decorated function each, every one modelled on a bug that was found in the field.

Knows how to wrap the seams of the healthy station so that exactly one trigger shows exactly one symptom. Off unless
named. The first sentence of a docstring is the defect's text in lists and reports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.codec import depth_exceeds
from fuzz.ocppj.frames import Call
from fuzz.ocppj.lenient import hear
from fuzz.ocppj.payloads import BAD_IDENTIFIER, MISSING, TOO_FINE_TIME
from fuzz.records import FrameKind, Heard
from fuzz.station.device_model import Checked, Variable
from fuzz.station.events import CloseConnection, Command, Exit
from fuzz.station.hooks import Dying, Hooks, Plant
from fuzz.station.rewriting import is_error, say_as
from strategies.labels import JsonObject, JsonValue, Kind
from strategies.version import Version

_DEATH = Exit(70)
_BROKEN = CloseConnection(1011)


@dataclass(frozen=True, slots=True)
class Defect:
    """One planted defect and how it should be found.

    `witness` are the shortest messages that show it on a booted station; `symptom` is what is seen then; `oracle` names
    the one that should name it, best first; `mirrors` are the real bugs behind it; `depth` counts the protocol steps needed before.
    """

    number: str
    name: str
    text: str
    side: str
    layer: str
    depth: int
    mirrors: tuple[str, ...]
    oracle: str
    symptom: str
    witness: tuple[str | bytes, ...]
    plant: Plant


_DEFECTS: list[Defect] = []


def defect(
    number: str,
    *,
    layer: str,
    mirrors: tuple[str, ...],
    oracle: str,
    symptom: str,
    witness: tuple[str | bytes, ...],
    side: str = "station",
    depth: int = 0,
) -> Callable[[Plant], Plant]:
    """Puts a function that wraps one seam into the registry, under its own name with hyphens."""

    def register(plant: Plant) -> Plant:
        doc = (plant.__doc__ or "").strip()
        name = plant.__name__.replace("_", "-")
        text = doc.splitlines()[0]
        _DEFECTS.append(
            Defect(number, name, text, side, layer, depth, mirrors, oracle, symptom, witness, plant)
        )
        return plant

    return register


@cache
def defects() -> Mapping[str, Defect]:
    """Every planted defect, by number and by name."""
    known = sorted(_DEFECTS, key=lambda found: found.number)
    by_number = {found.number: found for found in known}
    return MappingProxyType({**by_number, **{found.name: found for found in known}})


# --- framing ----------------------------------------------------------------------------------------------


@defect(
    "P01",
    layer="framing",
    mirrors=("A1",),
    oracle="O1 O2",
    symptom="exit 70",
    witness=('["\\ud800"]',),
)
def error_path_reencode(hooks: Hooks) -> Hooks:
    """The process dies while it builds a CALLERROR for text that has no UTF-8 form."""

    def receive(message: str | bytes) -> list[Command]:
        commands = hooks.receive(message)
        if any(is_error(command) for command in commands) and not _has_utf8_form(message):
            raise Dying(_DEATH)
        return commands

    return replace(hooks, receive=receive)


@defect(
    "P02",
    layer="framing",
    mirrors=("A2",),
    oracle="O1",
    symptom="exit 70",
    witness=('[2,"1","Reset",{"x":"' + "x" * 240 + '"}]',),
)
def error_text_overflow(hooks: Hooks) -> Hooks:
    """The process dies when it refuses a CALL whose text is longer than 255 characters."""

    def receive(message: str | bytes) -> list[Command]:
        commands = hooks.receive(message)
        refused = any(is_error(command) for command in commands)
        if refused and len(message) > 255 and _peek(message).kind is FrameKind.CALL:
            raise Dying(_DEATH)
        return commands

    return replace(hooks, receive=receive)


@defect(
    "P03",
    layer="framing",
    side="both",
    mirrors=("A3", "A33"),
    oracle="O4 O7",
    symptom="silence",
    witness=('[5,"1"]',),
)
def unknown_type_silence(hooks: Hooks) -> Hooks:
    """A message with an unknown MessageTypeId is not answered."""

    def receive(message: str | bytes) -> list[Command]:
        heard = _peek(message)
        has_type = heard.kind is FrameKind.OTHER and len(heard.items) > 1
        return [] if has_type else hooks.receive(message)

    return replace(hooks, receive=receive)


@defect(
    "P04",
    layer="framing",
    mirrors=("A14",),
    oracle="O3",
    symptom="close 1011",
    witness=('[2,"1","Reset"]',),
)
def short_array(hooks: Hooks) -> Hooks:
    """The connection breaks with 1011 on a CALL of three elements or a CALLRESULT of two."""
    return _breaks_on(
        hooks,
        lambda heard: (
            (heard.kind, len(heard.items)) in {(FrameKind.CALL, 3), (FrameKind.CALLRESULT, 2)}
        ),
    )


@defect(
    "P05",
    layer="framing",
    side="both",
    mirrors=("A30",),
    oracle="O3",
    symptom="close 1011",
    witness=('[2,"1",[],{}]',),
)
def unhashable_action(hooks: Hooks) -> Hooks:
    """The connection breaks with 1011 when the action is an array or an object."""
    return _breaks_on(hooks, lambda heard: isinstance(heard.action, list | dict))


@defect(
    "P06",
    layer="framing",
    side="both",
    mirrors=("A31",),
    oracle="O3",
    symptom="close 1011",
    witness=("9" * 4301,),
)
def big_number(hooks: Hooks) -> Hooks:
    """The connection breaks with 1011 on an integer of more than 4300 digits."""
    return _breaks_on_text(hooks, _has_big_integer)


@defect(
    "P07",
    layer="framing",
    side="both",
    mirrors=("A32",),
    oracle="O3 O1",
    symptom="close 1011",
    witness=("[" * 1001,),
)
def nest_bomb(hooks: Hooks) -> Hooks:
    """The connection breaks with 1011 on JSON nested deeper than 1000."""
    return _breaks_on_text(hooks, lambda text: depth_exceeds(text, 1000))


@defect(
    "P08",
    layer="framing",
    side="both",
    mirrors=("A34",),
    oracle="O7",
    symptom="id echoed",
    witness=('[2,null,"ClearCache",{}]',),
)
def id_echo_unbounded(hooks: Hooks) -> Hooks:
    """A messageId that is no string, or too long, is accepted and echoed as it is."""

    def receive(message: str | bytes) -> list[Command]:
        heard = _peek(message)
        if (
            heard.kind is not FrameKind.CALL
            or len(heard.items) != 4
            or _is_proper_id(heard.message_id)
        ):
            return hooks.receive(message)
        return say_as(hooks.receive, heard, "stand-in")

    return replace(hooks, receive=receive)


@defect(
    "P62",
    layer="framing",
    side="both",
    mirrors=("A29",),
    oracle="O7",
    symptom="code OccurenceConstraintViolation",
    witness=('[2,"1","Reset",{}]',),
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


# --- schema -----------------------------------------------------------------------------------------------


@defect(
    "P19",
    layer="schema",
    mirrors=("C1", "C2", "C3"),
    oracle="O1",
    symptom="exit 70",
    witness=('[2,"1","Reset",{"type":"OnIdle","evseId":3}]',),
)
def evse_index(hooks: Hooks) -> Hooks:
    """The process dies on a proper CALL that names an EVSE beyond the last one."""

    def handle(call: Call) -> JsonObject:
        last = len(hooks.context.pics.connectors)
        if any(number > last for number in _evse_numbers(call.payload)):
            raise Dying(_DEATH)
        return hooks.handle(call)

    return replace(hooks, handle=handle)


_SET_MAYBE = (
    '[2,"1","SetVariables",{"setVariableData":[{"attributeValue":"maybe",'
    '"component":{"name":"AuthCtrlr"},"variable":{"name":"Enabled"}}]}]'
)


@defect(
    "P20",
    layer="schema",
    mirrors=("C8",),
    oracle="O8 O12",
    symptom="Accepted",
    witness=(_SET_MAYBE,),
)
def bool_coerce(hooks: Hooks) -> Hooks:
    """SetVariables accepts any text for a boolean and stores false."""

    def check_value(variable: Variable, text: str) -> Checked:
        if variable.data_type == "boolean" and text not in ("true", "false"):
            return Checked("false")
        return hooks.check_value(variable, text)

    return replace(hooks, check_value=check_value)


@defect(
    "P23",
    layer="schema",
    side="both",
    mirrors=("C13", "C20"),
    oracle="O8",
    symptom="CALLRESULT",
    witness=(
        '[2,"1","GetVariables",{"getVariableData":[{"component":{"name":" "},"variable":{"name":"x"}}]}]',
    ),
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


# --- what the triggers look at ----------------------------------------------------------------------------


def _breaks_on(hooks: Hooks, trigger: Callable[[Heard], bool]) -> Hooks:
    return _breaks_on_text(hooks, lambda text: trigger(_peek(text)))


def _breaks_on_text(hooks: Hooks, trigger: Callable[[str], bool]) -> Hooks:
    def receive(message: str | bytes) -> list[Command]:
        if isinstance(message, str) and trigger(message):
            raise Dying(_BROKEN)
        return hooks.receive(message)

    return replace(hooks, receive=receive)


def _peek(message: str | bytes) -> Heard:
    """Text as read by a lenient reader; binary messages show nothing."""
    if isinstance(message, bytes):
        return Heard(0.0, "", FrameKind.GARBAGE, binary=True)
    return hear(message, 0.0)


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
