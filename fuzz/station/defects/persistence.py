"""Persistence defects: what a restart makes of settings and queues."""

from __future__ import annotations

from dataclasses import replace

from fuzz.records import Expect, Operator
from fuzz.station.defects.registry import Defect, ask, plants
from fuzz.station.events import Command, Event, PowerCycle, PowerOn
from fuzz.station.hooks import Hooks


@plants(
    Defect(
        "P40",
        mirrors=("C10",),
        oracle="O13",
        symptom="no BootNotification",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"1","component":{"name":"OCPPCommCtrlr"},'
                '"variable":{"name":"NetworkConfigurationPriority"}}]}',
            ),
            ask("Reset", '{"type":"Immediate"}'),
            Expect("BootNotification", 60.0),
        ),
        depth=2,
    )
)
def config_brick(hooks: Hooks) -> Hooks:
    """NetworkConfigurationPriority is accepted with a slot that is empty, and the station never dials again after a reboot."""
    context = hooks.context
    priority = context.model.named("OCPPCommCtrlr", "NetworkConfigurationPriority")
    context.value_checks[priority.key] = lambda value: ""

    def react(event: Event) -> list[Command]:
        dialling = context.dialling
        if isinstance(event, PowerOn) and any(s not in dialling.profiles for s in dialling.slots()):
            return []
        return hooks.react(event)

    return replace(hooks, react=react)


@plants(
    Defect(
        "P64",
        mirrors=(),
        oracle="O14 O13",
        symptom="first TransactionEvent lost",
        witness=(
            Operator("cut-network"),
            Operator("plug-in", "1"),
            Operator("present-token", "04A1B2C3"),
            Operator("start-power", "1"),
            Operator("power-cycle"),
            Operator("restore-network"),
            Expect("TransactionEvent", 60.0),
        ),
        depth=3,
    )
)
def queue_truncated(hooks: Hooks) -> Hooks:
    """The queue of transaction events loses its oldest one when the power is cut."""

    def react(event: Event) -> list[Command]:
        if isinstance(event, PowerCycle):
            outbox = hooks.context.outboxes["transaction"]
            outbox.restore(outbox.lasting()[1:])
        return hooks.react(event)

    return replace(hooks, react=react)
