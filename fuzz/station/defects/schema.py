"""Schema defects: values that pass, or break something, although the rules are plain."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call
from fuzz.ocppj.payloads import BAD_IDENTIFIER, TOO_FINE_TIME
from fuzz.station.defects.reading import DEATH
from fuzz.station.defects.registry import Defect, ask, plants, say
from fuzz.station.device_model import Checked, Variable
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
