"""Leaks: what the station tells of its inside, or of its secrets."""

from __future__ import annotations

import traceback
from dataclasses import replace

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call
from fuzz.records import Expect, SendText, Wait
from fuzz.station.defects.registry import Defect, ask, plants
from fuzz.station.device_model import Variable
from fuzz.station.hooks import Hooks
from strategies.labels import JsonObject, Repeated

_ITEM = '{"component":{"name":"C"},"variable":{"name":"V"}}'


@plants(
    Defect(
        "P61",
        side="both",
        mirrors=("A37", "A38"),
        oracle="O23",
        symptom="stack told",
        witness=(
            SendText(
                (
                    '[2,"{call.id}","GetVariables",{"getVariableData":[',
                    Repeated(f"{_ITEM},", 1000),
                    f"{_ITEM}]}}]",
                )
            ),
        ),
    )
)
def trace_in_error(hooks: Hooks) -> Hooks:
    """A CALL that fails while it is handled is answered with the stack of the program in the errorDescription."""

    def handle(call: Call) -> JsonObject:
        try:
            return hooks.handle(call)
        except RemoteProtocolError as error:
            stack = traceback.format_exc().splitlines()
            raise RemoteProtocolError(error.code, "\n".join([stack[0], *stack[-3:]])) from None

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P68",
        mirrors=(),
        oracle="O23",
        symptom="password in the log",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"a-better-password-1","component":'
                '{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}',
            ),
            Wait(20.0),  # the station comes back with the new password
            ask(
                "GetLog",
                '{"logType":"SecurityLog","requestId":1,"log":{"remoteLocation":"{canary.url}"}}',
            ),
            Expect("LogStatusNotification"),
        ),
        depth=1,
        highest_profile=2,
    )
)
def password_in_log(hooks: Hooks) -> Hooks:
    """A new password is written into the security log, which GetLog uploads."""
    context = hooks.context

    def changed(variable: Variable) -> None:
        if variable.name == "BasicAuthPassword":
            line = f"{context.timestamp()} BasicAuthPassword={context.model.read(variable)}"
            context.logbook.security.append(line)

    context.changed_listeners.append(changed)
    return hooks
