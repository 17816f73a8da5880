"""Persistence defects: what a restart, or a new connection, makes of settings and queues."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from fuzz.ocppj.frames import Call
from fuzz.ocppj.peer import Answered
from fuzz.records import AnswerNext, Expect, Operator, RepeatSteps, Wait
from fuzz.station.blocks.base import member, whole
from fuzz.station.blocks.boot import BootBlock
from fuzz.station.blocks.firmware import FirmwareBlock
from fuzz.station.blocks.metering import MeteringBlock
from fuzz.station.blocks.reset import ResetBlock
from fuzz.station.blocks.transactions import TransactionsBlock
from fuzz.station.context import Outcome
from fuzz.station.defects.papers import ROOT, install, update
from fuzz.station.defects.reading import DEATH, unanswered
from fuzz.station.defects.registry import Defect, ask, plants
from fuzz.station.events import Command, Connected, Disconnected, Event, PowerCycle, PowerOn
from fuzz.station.hooks import Dying, Hooks
from fuzz.station.states import Registration
from strategies.labels import JsonObject


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


_CHARGE = (
    Operator("plug-in", "1"),
    Operator("present-token", "04A1B2C3"),
    Operator("start-power", "1"),
)


@plants(
    Defect(
        "P133",
        mirrors=("D25",),
        oracle="O1 O2 O13 O29",
        symptom="exit 70",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            Operator("cut-network"),
            Operator("unplug", "1"),
            Operator("restore-network"),
            Expect("TransactionEvent", 60.0),
        ),
        depth=3,
    )
)
def replay_crash(hooks: Hooks) -> Hooks:
    """The process dies on a new connection when the end of a transaction waits whose beginning was told on an earlier one."""
    begun: set[str] = set()

    def conclude(outcome: Outcome) -> None:
        payload = outcome.call.payload
        if isinstance(outcome, Answered) and payload.get("eventType") == "Started":
            begun.add(_transaction(payload))
        hooks.conclude(outcome)

    def react(event: Event) -> list[Command]:
        waiting = [letter.payload for letter in hooks.context.outboxes["transaction"].waiting]
        ended = {_transaction(p) for p in waiting if p.get("eventType") == "Ended"}
        if isinstance(event, Connected) and ended & begun:
            raise Dying(DEATH)
        return hooks.react(event)

    return replace(hooks, conclude=conclude, react=react)


def _transaction(payload: JsonObject) -> str:
    return str(member(payload, "transactionInfo").get("transactionId"))


@plants(
    Defect(
        "P134",
        mirrors=("D13",),
        oracle="O32 O13 O11",
        symptom="less energy than before",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            Wait(5.0),
            Operator("unplug", "1"),
            Operator("power-cycle"),
            Expect("BootNotification", 60.0),
            *_CHARGE,
            Expect("TransactionEvent"),
        ),
        depth=4,
    )
)
def register_lost(hooks: Hooks) -> Hooks:
    """The energy registers begin at zero again when the power was cut."""

    def react(event: Event) -> list[Command]:
        if isinstance(event, PowerCycle):
            for evse in hooks.context.evses.values():
                evse.advance(hooks.context.now)
                evse._wh = 0.0
        return hooks.react(event)

    return replace(hooks, react=react)


_CHARGING = (("/transactionInfo/chargingState", "Charging"),)
_ENDED = (("/eventType", "Ended"),)


@plants(
    Defect(
        "P158",
        mirrors=("D15",),
        oracle="O14 O32",
        symptom="ended twice",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent", 5.0, where=_CHARGING),
            AnswerNext("TransactionEvent"),
            Operator("unplug", "1"),
            Expect("TransactionEvent", 5.0, where=_ENDED),
            Operator("cut-network"),
            Operator("restore-network"),
            Expect("TransactionEvent", 10.0, where=_ENDED),
        ),
        depth=4,
    )
)
def lost_answer_renumbered(hooks: Hooks) -> Hooks:
    """An event of a transaction whose answer was lost with the connection is told again as a new one, with the next seqNo."""
    context, outbox = hooks.context, hooks.context.outboxes["transaction"]
    block = next(block for block in hooks.blocks if isinstance(block, TransactionsBlock))

    def renumber(transaction: str) -> None:
        session = block._find(transaction)
        if session is not None:
            session.seq_no += 1
        for letter in outbox.waiting:
            if _transaction(letter.payload) == transaction:
                seq_no = whole(letter.payload["seqNo"]) + 1
                letter.payload = {**letter.payload, "seqNo": seq_no}
        context.dirty = True

    def react(event: Event) -> list[Command]:
        under_way = outbox._under_way
        if isinstance(event, Disconnected) and under_way is not None:
            renumber(_transaction(under_way.payload))
        return hooks.react(event)

    return replace(hooks, react=react)


_SOON_S = 1.0


@plants(
    Defect(
        "P167",
        mirrors=("D24",),
        oracle="O2 O14",
        symptom="two BootNotifications",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            ask("Reset", '{"type":"OnIdle"}'),
            Operator("unplug", "1"),
            Expect("BootNotification", 60.0),
            Expect("BootNotification", 60.0),
        ),
        depth=3,
    )
)
def reset_done_twice(hooks: Hooks) -> Hooks:
    """A Reset that waited for the end of a transaction is carried out once more after the reboot."""
    context = hooks.context
    block = next(block for block in hooks.blocks if isinstance(block, ResetBlock))
    kept = False

    def handle(call: Call) -> JsonObject:
        nonlocal kept
        answer = hooks.handle(call)
        kept |= call.action == "Reset" and answer["status"] == "Scheduled"
        return answer

    def again() -> None:
        block._reset({"type": "OnIdle"})

    def conclude(outcome: Outcome) -> None:
        nonlocal kept
        hooks.conclude(outcome)
        booted = outcome.call.action == "BootNotification"
        if kept and booted and context.registration is Registration.ACCEPTED:
            kept = False
            context.at("reset again", context.now + _SOON_S, again)

    return replace(hooks, handle=handle, conclude=conclude)


_ROOM = 16


@plants(
    Defect(
        "P168",
        mirrors=("D32",),
        oracle="O32 O13 O11",
        symptom="the end is lost",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            Operator("cut-network"),
            RepeatSteps((Operator("stop-power", "1"), Operator("start-power", "1")), 8),
            Operator("unplug", "1"),
            Operator("restore-network"),
            Expect("TransactionEvent", 60.0),
        ),
        depth=3,
    )
)
def newest_dropped(hooks: Hooks) -> Hooks:
    """When sixteen transaction events wait for a connection, those that come then are lost, an end as well."""
    context, outbox = hooks.context, hooks.context.outboxes["transaction"]
    healthy = outbox.put

    def put(action: str, payload: JsonObject) -> None:
        if context.connected or len(outbox.waiting) < _ROOM:
            healthy(action, payload)

    outbox.put = put  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P179",
        mirrors=("D16",),
        oracle="O32 O11 O29",
        symptom="the end is not told again",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent", 5.0, where=_CHARGING),
            AnswerNext("TransactionEvent"),
            Operator("unplug", "1"),
            Expect("TransactionEvent", 5.0, where=_ENDED),
            ask("GetTransactionStatus", "{}"),
            Operator("cut-network"),
            Operator("restore-network"),
            Expect("TransactionEvent", 10.0, where=_ENDED),
        ),
        depth=4,
    )
)
def end_dropped_when_asked(hooks: Hooks) -> Hooks:
    """GetTransactionStatus tells that events of a transaction that is over wait, and then they are dropped."""
    context, outbox = hooks.context, hooks.context.outboxes["transaction"]
    block = next(block for block in hooks.blocks if isinstance(block, TransactionsBlock))

    def drop(asked: str) -> None:
        over = [
            letter
            for letter in outbox.waiting
            if asked in ("", _transaction(letter.payload))
            and block._find(_transaction(letter.payload)) is None
        ]
        outbox._letters = deque(letter for letter in outbox.waiting if letter not in over)
        if outbox._under_way in over:
            outbox._under_way = None
            for call in unanswered(hooks, "TransactionEvent"):
                context._waiting.pop(call.id, None)
        context.dirty = True
        outbox.pump()

    def handle(call: Call) -> JsonObject:
        answer = hooks.handle(call)
        if call.action == "GetTransactionStatus" and answer["messagesInQueue"]:
            drop(str(call.payload.get("transactionId", "")))
        return answer

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P191",
        mirrors=("SAP/e-mobility-charging-stations-simulator#459",),
        oracle="O11 O25",
        symptom="Installed",
        witness=(
            install(ROOT, "Manufacturer"),
            update(retries=3, retryInterval=600),
            Expect("FirmwareStatusNotification", 5.0, where=(("/status", "Downloading"),)),
            ask("Reset", '{"type":"Immediate"}'),
            Expect("BootNotification", 60.0),
            Expect("FirmwareStatusNotification", 5.0),
        ),
        depth=3,
    )
)
def reboot_installs(hooks: Hooks) -> Hooks:
    """A firmware update whose download a reboot interrupted is told to be Installed afterwards, though nothing was."""
    block = next(block for block in hooks.blocks if isinstance(block, FirmwareBlock))
    healthy = block.accepted

    def accepted() -> None:
        if block._update is not None and block._interrupted:
            block._interrupted = False
            block._installed(block._update)
        healthy()

    block.accepted = accepted  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P197",
        mirrors=("c-jimenez/open-ocpp#2",),
        oracle="O11 O12",
        symptom="no MeterValues",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"60","component":'
                '{"name":"AlignedDataCtrlr"},"variable":{"name":"Interval"}}]}',
            ),
            Expect("MeterValues", 65.0),
        ),
        depth=1,
    )
)
def interval_from_next_boot(hooks: Hooks) -> Hooks:
    """A new AlignedDataCtrlr.Interval is Accepted and told when it is asked for, but followed from the next boot on only."""
    context = hooks.context
    model = context.model
    interval = model.named("AlignedDataCtrlr", "Interval")
    block = next(block for block in hooks.blocks if isinstance(block, MeteringBlock))
    healthy, followed = block._each_multiple, model.read(interval)

    def each_multiple(timer: str, name: str, do: Callable[[], None]) -> None:
        stored = model.read(interval)
        model.write(interval, followed)
        try:
            healthy(timer, name, do)
        finally:
            model.write(interval, stored)

    def react(event: Event) -> list[Command]:
        nonlocal followed
        if isinstance(event, PowerOn):
            followed = model.read(interval)
        return hooks.react(event)

    block._each_multiple = each_multiple  # type: ignore[method-assign]
    return replace(hooks, react=react)


@plants(
    Defect(
        "P237",
        mirrors=("developer.easee.com/changelog/ocpp-15",),
        oracle="O12 O13",
        symptom="firmwareVersion cut short",
        witness=(
            install(ROOT, "Manufacturer"),
            update(),
            ask("Reset", '{"type":"Immediate"}'),
            Expect("BootNotification", 60.0),
        ),
        depth=3,
    )
)
def version_cut_short(hooks: Hooks) -> Hooks:
    """The first boot after an UpdateFirmware that was accepted tells the firmwareVersion without its last part."""
    context = hooks.context
    model = context.model
    version = model.named("ChargingStation", "FirmwareVersion")
    block = next(block for block in hooks.blocks if isinstance(block, BootBlock))
    healthy, asked = block._say, False

    def handle(call: Call) -> JsonObject:
        nonlocal asked
        answer = hooks.handle(call)
        asked |= call.action == "UpdateFirmware" and str(answer["status"]).startswith("Accepted")
        return answer

    def say(reason: str) -> bool:
        if not asked:
            return healthy(reason)
        whole_version = model.read(version)
        model.write(version, whole_version.rpartition(".")[0] or whole_version)
        try:
            return healthy(reason)
        finally:
            model.write(version, whole_version)

    def conclude(outcome: Outcome) -> None:
        nonlocal asked
        hooks.conclude(outcome)
        booted = outcome.call.action == "BootNotification"
        asked = asked and not (booted and context.registration is Registration.ACCEPTED)

    block._say = say  # type: ignore[method-assign]
    return replace(hooks, handle=handle, conclude=conclude)


_AS_DELIVERED = "CS-BASIC-00001"


@plants(
    Defect(
        "P239",
        mirrors=("SAP/e-mobility-charging-stations-simulator#2019",),
        oracle="O13 O11",
        symptom="another serialNumber",
        witness=(ask("Reset", '{"type":"Immediate"}'), Expect("BootNotification", 60.0)),
        depth=1,
    )
)
def another_after_reset(hooks: Hooks) -> Hooks:
    """After a Reset the station has the serialNumber of the factory's template, until the power is cut."""
    context = hooks.context
    given = context.settings.identity
    serial = context.model.named("ChargingStation", "SerialNumber")

    def react(event: Event) -> list[Command]:
        if isinstance(event, PowerOn):
            was_reset = context.boot_reason == "RemoteReset"
            identity = _AS_DELIVERED if was_reset else given
            context.settings = replace(context.settings, identity=identity)
            context.model.write(serial, context.serial)
        return hooks.react(event)

    return replace(hooks, react=react)
