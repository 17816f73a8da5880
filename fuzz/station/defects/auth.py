"""Authentication defects: passwords that are shown or lost, security profiles that go down, failures told wrongly."""

from __future__ import annotations

from dataclasses import replace

from fuzz.ocppj.frames import Call
from fuzz.records import Expect, TlsStep
from fuzz.station.blocks.base import member, objects
from fuzz.station.blocks.security import SecurityBlock
from fuzz.station.defects.reading import peek
from fuzz.station.defects.registry import Defect, ask, plants
from fuzz.station.device_model import Checked, Variable
from fuzz.station.events import (
    CloseConnection,
    Command,
    Connect,
    Connected,
    Disconnected,
    Endpoint,
    Event,
    Failure,
    PowerOn,
)
from fuzz.station.hooks import Hooks
from strategies.labels import JsonObject

_OTHER_SLOT = ask(
    "SetNetworkProfile",
    '{"configurationSlot":1,"connectionData":{"ocppVersion":"OCPP20",'
    '"ocppTransport":"JSON","ocppCsmsUrl":"ws://127.0.0.1:9/","messageTimeout":30,'
    '"securityProfile":1,"ocppInterface":"Wired0"}}',
)
_OTHER_FIRST = ask(
    "SetVariables",
    '{"setVariableData":[{"attributeValue":"1,0","component":{"name":"OCPPCommCtrlr"},'
    '"variable":{"name":"NetworkConfigurationPriority"}}]}',
)
_PASSWORD = '"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}'


@plants(
    Defect(
        "P58",
        mirrors=("A23",),
        oracle="O23",
        symptom="password told",
        witness=(ask("GetVariables", f'{{"getVariableData":[{{{_PASSWORD}}}]}}'),),
        caught_by=("TR-41",),
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
        caught_by=("TR-42",),
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
        witness=(_OTHER_SLOT,),
        security_profile=2,
        caught_by=("TP-04", "TP-02"),
    )
)
def profile_downgrade(hooks: Hooks) -> Hooks:
    """SetNetworkProfile and NetworkConfigurationPriority lead to a lower security profile."""
    hooks.context.dialling.reaches = lambda security_profile: True  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P128",
        mirrors=("F12",),
        oracle="O29 O16",
        symptom="another password",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"a-better:password-1",' + _PASSWORD + "}]}",
            ),
        ),
        depth=1,
        highest_profile=2,
    )
)
def password_cut(hooks: Hooks) -> Hooks:
    """A new BasicAuthPassword is used up to its first colon only."""

    def check_value(variable: Variable, text: str) -> Checked:
        checked = hooks.check_value(variable, text)
        if variable.name != "BasicAuthPassword" or checked.reason:
            return checked
        return replace(checked, value=checked.value.partition(":")[0])

    return replace(hooks, check_value=check_value)


@plants(
    Defect(
        "P165",
        mirrors=("G8",),
        oracle="O29 O16",
        symptom="a refused password",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"too-short",' + _PASSWORD + "}]}",
            ),
            ask("Reset", '{"type":"Immediate"}'),
            Expect("BootNotification", 60.0),
        ),
        depth=2,
        highest_profile=2,
    )
)
def refused_password_used(hooks: Hooks) -> Hooks:
    """A new BasicAuthPassword that is Rejected is used all the same, from the next connection on."""
    context = hooks.context

    def check_value(variable: Variable, text: str) -> Checked:
        checked = hooks.check_value(variable, text)
        if variable.name == "BasicAuthPassword" and checked.reason:
            context.model.write(variable, text)
            context.dirty = True
        return checked

    return replace(hooks, check_value=check_value)


@plants(
    Defect(
        "P178",
        mirrors=("B16",),
        oracle="O29 O16 O12",
        symptom="the old URL dialled",
        witness=(
            _OTHER_SLOT,
            _OTHER_FIRST,
            ask("Reset", '{"type":"Immediate"}'),
            Expect("BootNotification", 60.0),
        ),
        depth=3,
        highest_profile=1,
    )
)
def old_options_kept(hooks: Hooks) -> Hooks:
    """URL and security profile of the first connection are used for all later ones, whatever slot the station says it uses."""
    dialled, kept = Endpoint(), list[Endpoint]()

    def react(event: Event) -> list[Command]:
        nonlocal dialled
        if isinstance(event, Connected) and not kept:
            kept.append(dialled)
        commands = [
            Connect(kept[0]) if kept and isinstance(command, Connect) else command
            for command in hooks.react(event)
        ]
        for command in commands:
            dialled = command.endpoint if isinstance(command, Connect) else dialled
        return commands

    return replace(hooks, react=react)


@plants(
    Defect(
        "P194",
        mirrors=("EVerest/libocpp#866",),
        oracle="O11",
        symptom="Rejected",
        witness=(_OTHER_SLOT, _OTHER_FIRST),
        depth=1,
        highest_profile=1,
    )
)
def slots_as_of_the_start(hooks: Hooks) -> Hooks:
    """NetworkConfigurationPriority is Rejected when it names a slot that was empty when the station started."""
    context = hooks.context
    priority = context.model.named("OCPPCommCtrlr", "NetworkConfigurationPriority")
    healthy, known = context.value_checks[priority.key], set[int]()

    def check(value: str) -> str:
        unknown = any(int(slot) not in known for slot in value.split(","))
        return healthy(value) or ("InvalidConfSlot" if unknown else "")

    def react(event: Event) -> list[Command]:
        if isinstance(event, PowerOn):
            known.update(context.dialling.profiles)
        return hooks.react(event)

    context.value_checks[priority.key] = check
    return replace(hooks, react=react)


# --- what follows from failures ---------------------------------------------------------------------------

_AT_ONCE_S = 0.05
_BY_TLS = (Failure.CSMS_CERTIFICATE, Failure.TLS_VERSION, Failure.CIPHER_SUITE)


def _event(number: str, *caught_by: str, mirrors: tuple[str, ...] = (), symptom: str) -> Defect:
    return Defect(
        number,
        mirrors=mirrors,
        oracle="O25",
        symptom=symptom,
        witness=(TlsStep(caught_by[0]),),
        security_profile=2,
        caught_by=caught_by,
    )


@plants(
    _event(
        "P93",
        "TS-31",
        "TS-32",
        "TS-33",
        "TS-39",
        "TS-40",
        "TS-67",
        symptom="no InvalidCsmsCertificate",
    )
)
def no_certificate_event(hooks: Hooks) -> Hooks:
    """No security event tells of a CSMS whose certificate was refused."""
    healthy = hooks.context.security_event

    def security_event(kind: str, tech_info: str) -> None:
        if kind != "InvalidCsmsCertificate":
            healthy(kind, tech_info)

    hooks.context.security_event = security_event
    return hooks


@plants(_event("P94", "TS-84", symptom="an event for every attempt"))
def event_for_every_failure(hooks: Hooks) -> Hooks:
    """Every attempt that fails for the same reason is a security event of its own."""
    security = next(block for block in hooks.blocks if isinstance(block, SecurityBlock))

    def react(event: Event) -> list[Command]:
        if isinstance(event, Disconnected):
            security.failures.clear()
        return hooks.react(event)

    return replace(hooks, react=react)


@plants(_event("P96", "TS-67", symptom="dialled at once"))
def no_back_off(hooks: Hooks) -> Hooks:
    """After a failure of TLS the next attempt follows at once, whatever RetryBackOffWaitMinimum says."""
    dialling = hooks.context.dialling
    healthy, failures = dialling.failed, list[Failure]()

    def failed() -> float:
        wait_s = healthy()
        return _AT_ONCE_S if failures else wait_s

    def react(event: Event) -> list[Command]:
        failures[:] = [f for f in _BY_TLS if isinstance(event, Disconnected) and event.failure is f]
        return hooks.react(event)

    dialling.failed = failed  # type: ignore[method-assign]
    return replace(hooks, react=react)
