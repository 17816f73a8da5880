"""Authentication defects: passwords that are shown or lost, and security profiles that go down."""

from __future__ import annotations

from dataclasses import replace

from fuzz.ocppj.frames import Call
from fuzz.station.blocks.base import member, objects
from fuzz.station.defects.reading import peek
from fuzz.station.defects.registry import Defect, ask, plants
from fuzz.station.events import CloseConnection, Command
from fuzz.station.hooks import Hooks
from strategies.labels import JsonObject

_PASSWORD = '"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}'


@plants(
    Defect(
        "P58",
        mirrors=("A23",),
        oracle="O23",
        symptom="password told",
        witness=(ask("GetVariables", f'{{"getVariableData":[{{{_PASSWORD}}}]}}'),),
    )
)
def password_readback(hooks: Hooks) -> Hooks:
    """GetVariables tells BasicAuthPassword, which is write-only."""
    context = hooks.context
    password = context.model.named("SecurityCtrlr", "BasicAuthPassword")

    def told(result: JsonObject) -> JsonObject:
        asked = context.model.find(member(result, "component"), member(result, "variable"))
        if asked is not password:
            return result
        value = context.model.read(password) or context.settings.password
        kept = {name: v for name, v in result.items() if name != "attributeStatusInfo"}
        return {**kept, "attributeStatus": "Accepted", "attributeValue": value}

    def handle(call: Call) -> JsonObject:
        answer = hooks.handle(call)
        if call.action != "GetVariables":
            return answer
        return {"getVariableResult": [told(one) for one in objects(answer["getVariableResult"])]}

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P59",
        mirrors=("B15",),
        oracle="O4 O29",
        symptom="close 1000",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"a-better-password-1",' + _PASSWORD + "}]}",
            ),
        ),
    )
)
def password_change_mute(hooks: Hooks) -> Hooks:
    """SetVariables of BasicAuthPassword is not answered, and the station comes back with the old password."""

    def receive(message: str | bytes) -> list[Command]:
        heard = peek(message)
        if heard.action == "SetVariables" and '"BasicAuthPassword"' in heard.text:
            return [CloseConnection()]
        return hooks.receive(message)

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P66",
        mirrors=(),
        oracle="O16 O11",
        symptom="Accepted",
        witness=(
            ask(
                "SetNetworkProfile",
                '{"configurationSlot":1,"connectionData":{"ocppVersion":"OCPP20",'
                '"ocppTransport":"JSON","ocppCsmsUrl":"ws://127.0.0.1:9/","messageTimeout":30,'
                '"securityProfile":1,"ocppInterface":"Wired0"}}',
            ),
        ),
        security_profile=2,
    )
)
def profile_downgrade(hooks: Hooks) -> Hooks:
    """SetNetworkProfile and NetworkConfigurationPriority lead to a lower security profile."""
    hooks.context.dialling.reaches = lambda security_profile: True  # type: ignore[method-assign]
    return hooks
