"""Concurrency defects: two things at once that each work alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call, ErrorCode
from fuzz.ocppj.peer import Unanswered
from fuzz.records import AnswerNext, Disconnect, Expect, FrameKind, Operator, Wait
from fuzz.station.blocks.reports import ReportsBlock
from fuzz.station.context import Outcome
from fuzz.station.defects.reading import DEATH, peek, unanswered
from fuzz.station.defects.registry import Defect, ask, plants, reply
from fuzz.station.device_model import Variable
from fuzz.station.events import (
    BytesReceived,
    Command,
    Connected,
    Disconnected,
    Event,
    PowerOn,
    Reboot,
    SendText,
    TextReceived,
    Unplug,
)
from fuzz.station.hooks import Dying, Hooks
from strategies.labels import JsonObject


@plants(
    Defect(
        "P41",
        side="both",
        mirrors=("D19",),
        oracle="O28",
        symptom="no answer to either",
        witness=(
            reply("Heartbeat", '[2,"crossing","ClearCache",{}]'),
            ask("TriggerMessage", '{"requestedMessage":"Heartbeat"}'),
            Expect("Heartbeat"),
        ),
        depth=1,
    )
)
def call_crossing_deadlock(hooks: Hooks) -> Hooks:
    """A CALL that comes while the station waits for an answer is never answered, and the answer is not seen."""
    stuck: set[str] = set()

    def receive(message: str | bytes) -> list[Command]:
        heard, asked = peek(message), hooks.context.peer.outstanding
        if heard.kind is FrameKind.CALL and asked is not None:
            stuck.add(asked.id)
            return []
        if isinstance(heard.message_id, str) and heard.message_id in stuck:
            return []
        return hooks.receive(message)

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P67",
        mirrors=(),
        oracle="O5 O2",
        symptom="no reboot, no answers",
        witness=(
            ask(
                "GetLog",
                '{"logType":"DiagnosticsLog","requestId":1,"retries":3,"retryInterval":600,'
                '"log":{"remoteLocation":"http://127.0.0.1:9/"}}',
            ),
            ask("Reset", '{"type":"Immediate"}'),
            Expect("BootNotification", 60.0),
        ),
        depth=1,
    )
)
def reset_during_upload(hooks: Hooks) -> Hooks:
    """A Reset during the upload of a log is accepted and never carried out; the station answers nothing any more."""
    uploading = False

    def react(event: Event) -> list[Command]:
        nonlocal uploading
        commands = hooks.react(event)
        for command in commands:
            uploading = _tells_upload(command, uploading)
        if not uploading:
            return commands
        return [command for command in commands if not isinstance(command, Reboot)]

    return replace(hooks, react=react)


@plants(
    Defect(
        "P129",
        mirrors=("D28",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            reply(
                "Authorize",
                '[2,"racing","RequestStartTransaction",{"remoteStartId":1,"evseId":1,'
                '"idToken":{"idToken":"04A1B2C3","type":"ISO14443"}}]',
            ),
            Operator("plug-in", "1"),
            Operator("present-token", "04A1B2C3"),
            Expect("Authorize"),
        ),
        depth=2,
    )
)
def start_race(hooks: Hooks) -> Hooks:
    """The process dies of a RequestStartTransaction that comes while an Authorize of its own is not answered yet."""

    def handle(call: Call) -> JsonObject:
        asked = hooks.context.peer.outstanding
        authorizing = asked is not None and asked.action == "Authorize"
        if call.action == "RequestStartTransaction" and authorizing:
            raise Dying(DEATH)
        return hooks.handle(call)

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P156",
        mirrors=("D27",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            AnswerNext("Authorize"),
            Operator("plug-in", "1"),
            Operator("present-token", "04A1B2C3"),
            Expect("Authorize"),
            Operator("unplug", "1"),
        ),
        depth=2,
    )
)
def unplug_race(hooks: Hooks) -> Hooks:
    """The process dies when a cable is taken out while an Authorize is not answered yet."""

    def react(event: Event) -> list[Command]:
        asked = hooks.context.peer.outstanding
        authorizing = asked is not None and asked.action == "Authorize"
        if isinstance(event, Unplug) and authorizing:
            raise Dying(DEATH)
        return hooks.react(event)

    return replace(hooks, react=react)


@plants(
    Defect(
        "P161",
        mirrors=("D20",),
        oracle="O11",
        symptom="requestId of another report",
        witness=(
            reply(
                "NotifyReport",
                '[2,"crossing","GetBaseReport",{"requestId":2,"reportBase":"SummaryInventory"}]',
            ),
            ask("GetBaseReport", '{"requestId":1,"reportBase":"FullInventory"}'),
            Expect("NotifyReport"),
            Wait(60.0),  # the crossed part is never answered; the rest comes after its time
        ),
        depth=1,
    )
)
def report_under_another_id(hooks: Hooks) -> Hooks:
    """A report that is asked for while another one is still being told carries the requestId of that one."""
    reports = next(block for block in hooks.blocks if isinstance(block, ReportsBlock))
    healthy, current = reports._notify, 0

    def notify(request_id: int, number: int, part: list[Variable], *, more: bool) -> None:
        nonlocal current
        if not unanswered(hooks, "NotifyReport"):
            current = request_id
        healthy(current, number, part, more=more)

    reports._notify = notify  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P162",
        mirrors=("D21",),
        oracle="O28 O10",
        symptom="InternalError",
        witness=(
            reply(
                "StatusNotification",
                '[2,"crossing","ChangeAvailability",{"operationalStatus":"Operative"}]',
            ),
            ask("ChangeAvailability", '{"operationalStatus":"Inoperative"}'),
            Expect("StatusNotification"),
        ),
        depth=1,
    )
)
def availability_locked(hooks: Hooks) -> Hooks:
    """ChangeAvailability is answered with InternalError while two or more StatusNotifications are not answered yet."""

    def handle(call: Call) -> JsonObject:
        if call.action == "ChangeAvailability" and unanswered(hooks, "StatusNotification")[1:]:
            raise RemoteProtocolError(ErrorCode.INTERNAL_ERROR, "the database is locked")
        return hooks.handle(call)

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P185",
        mirrors=("B19",),
        oracle="O29 O11",
        symptom="one Authorize",
        witness=(
            AnswerNext("Authorize"),
            Operator("present-token", "04A1B2C3"),
            Expect("Authorize"),
            Operator("cut-network"),
            Operator("restore-network"),
            Wait(1.0),
            Operator("present-token", "04A1B2C3"),
            Expect("Authorize", 5.0),
        ),
        depth=2,
    )
)
def authorize_never_settled(hooks: Hooks) -> Hooks:
    """An Authorize whose answer was lost with the connection is waited for until a reboot, and no token is asked for meanwhile."""

    def react(event: Event) -> list[Command]:
        if isinstance(event, Disconnected):
            for call in unanswered(hooks, "Authorize"):
                hooks.context._waiting.pop(call.id, None)
        return hooks.react(event)

    return replace(hooks, react=react)


@plants(
    Defect(
        "P186",
        mirrors=("B10",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            Operator("plug-in", "1"),
            Operator("present-token", "04A1B2C3"),
            Expect("TransactionEvent"),
            ask("Reset", '{"type":"OnIdle"}'),
            Operator("cut-network"),
            Wait(1.0),
            Operator("unplug", "1"),
        ),
        depth=4,
    )
)
def unconnected_reset_crash(hooks: Hooks) -> Hooks:
    """The process dies when it restarts by itself while an attempt to connect anew has failed and none has succeeded since."""
    dialling = hooks.context.dialling
    healthy, failing = dialling.failed, False

    def failed() -> float:
        nonlocal failing
        failing = True
        return healthy()

    def react(event: Event) -> list[Command]:
        nonlocal failing
        failing = failing and not isinstance(event, Connected | PowerOn)
        commands = hooks.react(event)
        restarts = any(isinstance(one, Reboot) and not one.abrupt for one in commands)
        if failing and restarts:
            raise Dying(DEATH)
        return commands

    dialling.failed = failed  # type: ignore[method-assign]
    return replace(hooks, react=react)


def _tells_upload(command: Command, before: bool) -> bool:  # noqa: FBT001
    """Whether a log is being uploaded, by what the station says of it."""
    frame: list[Any] = json.loads(command.text) if isinstance(command, SendText) else []
    if frame[2:3] != ["LogStatusNotification"]:
        return before
    return bool(frame[3]["status"] == "Uploading")


@plants(
    Defect(
        "P229",
        mirrors=("D30",),
        oracle="O5 O29",
        symptom="no more answers",
        witness=(
            AnswerNext("Heartbeat"),
            ask("TriggerMessage", '{"requestedMessage":"Heartbeat"}'),
            Expect("Heartbeat"),
            Disconnect(1006),
            Wait(1.0),
            ask("ClearCache", "{}"),
        ),
        depth=1,
    )
)
def hangs_when_left(hooks: Hooks) -> Hooks:
    """A connection that is lost while a CALL waits for its answer is made anew, but nothing is answered or said on it.

    Whoever sends holds the lock on all that is sent, and waits for ever; only a reboot ends that.
    """
    hung = False

    def react(event: Event) -> list[Command]:
        nonlocal hung
        match event:
            case PowerOn():
                hung = False
            case Disconnected():
                hung |= hooks.context.peer.outstanding is not None
            case TextReceived() | BytesReceived() if hung:
                return []
            case _:
                pass
        commands = hooks.react(event)
        return [one for one in commands if not isinstance(one, SendText)] if hung else commands

    return replace(hooks, react=react)


@plants(
    Defect(
        "P240",
        mirrors=("EVerest/libocpp#298",),
        oracle="O7 O14",
        symptom="messageId used again",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"1","component":{"name":"OCPPCommCtrlr"},'
                '"variable":{"name":"MessageAttemptInterval","instance":"TransactionEvent"}}]}',
            ),
            AnswerNext("TransactionEvent"),
            Operator("plug-in", "1"),
            Operator("present-token", "04A1B2C3"),
            Expect("TransactionEvent"),
            Expect("TransactionEvent", 40.0),
        ),
        depth=3,
    )
)
def same_id_again(hooks: Hooks) -> Hooks:
    """A TransactionEvent that was not answered in time is said again under the messageId that it had before."""
    outbox, peer = hooks.context.outboxes["transaction"], hooks.context.peer
    healthy, fresh = outbox.pump, peer._ids
    late: Call | None = None

    def conclude(outcome: Outcome) -> None:
        nonlocal late
        if outcome.call.action == "TransactionEvent":
            late = outcome.call if isinstance(outcome, Unanswered) else None
        hooks.conclude(outcome)

    def pump() -> None:
        again, first = late, next(iter(outbox.waiting), None)
        if again is not None and first is not None and first.payload == again.payload:
            peer._ids = lambda: again.id
        try:
            healthy()
        finally:
            peer._ids = fresh

    outbox.pump = pump  # type: ignore[method-assign]
    return replace(hooks, conclude=conclude)


@plants(
    Defect(
        "P241",
        mirrors=("EVerest/EVerest#1713",),
        oracle="O29 O11",
        symptom="nothing said any more",
        witness=(
            AnswerNext("Heartbeat"),
            ask("TriggerMessage", '{"requestedMessage":"Heartbeat"}'),
            Expect("Heartbeat"),
            Wait(31.0),
            ask("TriggerMessage", '{"requestedMessage":"Heartbeat"}'),
            Expect("Heartbeat", 5.0),
        ),
        depth=2,
    )
)
def paused_for_good(hooks: Hooks) -> Hooks:
    """After one of its CALLs was not answered in time the station answers, but says no CALL until it has a new connection."""
    peer = hooks.context.peer
    healthy, paused = peer.pump, False

    def conclude(outcome: Outcome) -> None:
        nonlocal paused
        paused |= isinstance(outcome, Unanswered)
        hooks.conclude(outcome)

    def pump(now: float) -> str | None:
        return None if paused else healthy(now)

    def react(event: Event) -> list[Command]:
        nonlocal paused
        paused = paused and not isinstance(event, Connected | PowerOn)
        return hooks.react(event)

    peer.pump = pump  # type: ignore[method-assign]
    return replace(hooks, conclude=conclude, react=react)
