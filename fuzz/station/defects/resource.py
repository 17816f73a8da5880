"""Resource defects: memory, file descriptors, time and traffic that a peer can make the station spend."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame
from websockets.http11 import Response

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call
from fuzz.ocppj.peer import Answered, Refused, Unanswered
from fuzz.records import (
    Disconnect,
    Expect,
    FrameKind,
    Operator,
    RepeatSteps,
    SendText,
    TlsStep,
    Wait,
)
from fuzz.station.blocks.base import objects, whole
from fuzz.station.blocks.boot import BootBlock
from fuzz.station.blocks.logs import LogsBlock
from fuzz.station.context import Outcome
from fuzz.station.defects.reading import peek, unanswered
from fuzz.station.defects.registry import Defect, ask, plants, reply, rewires
from fuzz.station.events import Command, Connected, Event, Failure, PowerCycle, SendText as Said
from fuzz.station.hooks import Hooks
from fuzz.station.rewriting import is_answer, rewrite_answers
from fuzz.station.wire import Wire
from strategies.labels import JsonObject, JsonValue, Kind, Repeated
from strategies.version import Version

_BIG = 10_000
_VERY_BIG = 16 * 2**20


@rewires(
    Defect(
        "P18",
        mirrors=("B21",),
        oracle="O20",
        symptom="memory held",
        witness=(SendText((Repeated("x", 20 * 2**20),)),),
    )
)
def big_frame(wire: Wire) -> Wire:
    """A frame of more than 16 MB stays in memory for ever."""
    held: list[Any] = []

    def connection(healthy: type[ClientConnection]) -> type[ClientConnection]:
        class Holding(wire.connection(healthy)):  # type: ignore[misc]
            def process_event(self, event: Frame | Response) -> None:
                if isinstance(event, Frame) and len(event.data) > _VERY_BIG:
                    held.append(event.data)
                super().process_event(event)

        return Holding

    return replace(wire, connection=connection)


@plants(
    Defect(
        "P42",
        side="both",
        mirrors=("E1",),
        oracle="O20",
        symptom="memory slope",
        witness=(
            RepeatSteps((SendText(('[3,"{call.id}",{"x":"', Repeated("x", 100_000), '"}]')),), 100),
        ),
    )
)
def unsolicited_queue(hooks: Hooks) -> Hooks:
    """Answers to nothing that was asked are queued, and never looked at."""
    queue: list[str | bytes] = []

    def receive(message: str | bytes) -> list[Command]:
        asked, heard = hooks.context.peer.outstanding, peek(message)
        is_answer = heard.kind in (FrameKind.CALLRESULT, FrameKind.CALLERROR)
        if is_answer and (asked is None or heard.message_id != asked.id):
            queue.append(message)
        return hooks.receive(message)

    return replace(hooks, receive=receive)


@rewires(
    Defect(
        "P43",
        mirrors=("B12",),
        oracle="O20",
        symptom="descriptor slope",
        witness=(RepeatSteps((TlsStep("TS-39"),), 20),),
        security_profile=2,
    )
)
def reconnect_leak(wire: Wire) -> Wire:
    """Every failed attempt to connect over TLS leaves a socket open."""
    left: list[socket.socket] = []

    def failed(failure: Failure) -> None:
        if failure is not Failure.UNREACHABLE:
            left.append(socket.socket())
        wire.failed(failure)

    return replace(wire, failed=failed)


@plants(
    Defect(
        "P44",
        side="both",
        mirrors=("E2",),
        oracle="O22",
        symptom="answer 4x the request",
        witness=(
            SendText(
                ('[2,"{call.id}","ClearCache",{"x":"', Repeated("x", 100_000), '"}]'),
            ),
        ),
    )
)
def error_amplifier(hooks: Hooks) -> Hooks:
    """A CALLERROR for a long message tells all of it, four times over."""

    def receive(message: str | bytes) -> list[Command]:
        commands = hooks.receive(message)
        if len(message) < _BIG or isinstance(message, bytes):
            return commands
        return rewrite_answers(
            commands,
            lambda answer: [*answer[:4], {"received": [message] * 4}] if answer[0] == 4 else answer,
        )

    return replace(hooks, receive=receive)


_REFUSED = reply("TransactionEvent", '[4,"{call.id}","InternalError","",{}]')


@plants(
    Defect(
        "P45",
        mirrors=("D23",),
        oracle="O22",
        symptom="sent again at once",
        witness=(
            _REFUSED,
            Operator("plug-in", "1"),
            Operator("present-token", "04A1B2C3"),
            Operator("start-power", "1"),
        ),
        depth=2,
    )
)
def callerror_retry_storm(hooks: Hooks) -> Hooks:
    """A TransactionEvent that is answered with a CALLERROR is sent again at once, for ever."""

    def conclude(outcome: Outcome) -> None:
        call = outcome.call
        if isinstance(outcome, Refused) and call.action == "TransactionEvent":
            hooks.context.ask(call.action, call.payload, then=_as_if_first(call, hooks.conclude))
        else:
            hooks.conclude(outcome)

    return replace(hooks, conclude=conclude)


def _as_if_first(call: Call, conclude: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
    """What became of a repetition, told to whoever waits for the first."""

    def then(outcome: Outcome) -> None:
        match outcome:
            case Answered(_, payload):
                conclude(Answered(call, payload))
            case _:
                conclude(Unanswered(call))

    return then


def _item(number: int) -> str:
    return f'{{"component":{{"name":"C{number}"}},"variable":{{"name":"V"}}}}'


@plants(
    Defect(
        "P71",
        mirrors=("E3",),
        oracle="O21",
        symptom="quadratic time",
        witness=(
            SendText(
                (
                    '[2,"{call.id}","GetVariables",{"getVariableData":[',
                    Repeated(f"{_item(1)},", 999),
                    f"{_item(1)}]}}]",
                )
            ),
        ),
    )
)
def quadratic_reading(hooks: Hooks) -> Hooks:
    """GetVariables is worked out anew for each of its items, so that its time grows with their square."""

    def handle(call: Call) -> JsonObject:
        if call.action == "GetVariables":
            for _ in objects(call.payload["getVariableData"])[1:]:
                hooks.handle(call)
        return hooks.handle(call)

    return replace(hooks, handle=handle)


_STORE = 2**18


@plants(
    Defect(
        "P123",
        mirrors=("E5",),
        oracle="O20",
        symptom="memory slope",
        witness=(
            RepeatSteps(
                (
                    ask(
                        "InstallCertificate",
                        '{"certificateType":"CSMSRootCertificate","certificate":"no PEM"}',
                    ),
                ),
                100,
            ),
        ),
    )
)
def certificate_leak(hooks: Hooks) -> Hooks:
    """Every InstallCertificate leaves the 256 kB behind that it was worked on in."""
    left: list[bytes] = []

    def handle(call: Call) -> JsonObject:
        if call.action == "InstallCertificate":
            left.append(b"\x5a" * _STORE)
        return hooks.handle(call)

    return replace(hooks, handle=handle)


_GET_LOG = (
    '"retries":3,"retryInterval":600,"log":{"remoteLocation":"http://127.0.0.1:9/"},'
    '"logType":"DiagnosticsLog"'
)


@plants(
    Defect(
        "P153",
        mirrors=("B22",),
        oracle="O2 O4",
        symptom="restart unasked",
        witness=(
            ask("GetLog", f'{{"requestId":1,{_GET_LOG}}}'),
            ask("GetLog", f'{{"requestId":2,{_GET_LOG}}}'),
            Expect("BootNotification", 10.0),
        ),
        depth=1,
    )
)
def second_log_restart(hooks: Hooks) -> Hooks:
    """The station restarts when a log is asked for while another one is being uploaded."""
    logs = next(block for block in hooks.blocks if isinstance(block, LogsBlock))
    exhausted = False

    def handle(call: Call) -> JsonObject:
        nonlocal exhausted
        exhausted = call.action == "GetLog" and logs._upload is not None
        return hooks.handle(call)

    def receive(message: str | bytes) -> list[Command]:
        nonlocal exhausted
        commands = hooks.receive(message)
        if not exhausted:
            return commands
        exhausted = False
        return hooks.react(PowerCycle())

    return replace(hooks, handle=handle, receive=receive)


_AT_ONCE_S = 0.05


@plants(
    Defect(
        "P192",
        mirrors=("kubarskii/OCPP-J-CP-Simulator#14",),
        oracle="O22 O11",
        symptom="two BootNotifications",
        witness=(
            reply(
                "BootNotification",
                '[3,"{call.id}",{"status":"Pending","interval":0,'
                '"currentTime":"2026-01-01T00:00:00Z"}]',
            ),
            ask("Reset", '{"type":"Immediate"}'),
            Expect("BootNotification"),
            Expect("BootNotification", 5.0),
        ),
        depth=1,
    )
)
def boots_without_a_pause(hooks: Hooks) -> Hooks:
    """A boot that is Pending or Rejected with the interval 0 is tried again twenty times a second."""
    context = hooks.context
    block = next(block for block in hooks.blocks if isinstance(block, BootBlock))

    def conclude(outcome: Outcome) -> None:
        hooks.conclude(outcome)
        if not isinstance(outcome, Answered) or outcome.call.action != "BootNotification":
            return
        if outcome.payload["status"] != "Accepted" and whole(outcome.payload["interval"]) <= 0:
            block._due = context.now + _AT_ONCE_S
            context.at("boot", block._due, block._again)

    return replace(hooks, conclude=conclude)


_AGAIN_S = 10.0


@plants(
    Defect(
        "P202",
        mirrors=("dallmann-consulting/OCPP.Core#31",),
        oracle="O11 O22 O7",
        symptom="booted again and again",
        witness=(
            Operator("plug-in", "1"),
            Operator("present-token", "04A1B2C3"),
            Operator("start-power", "1"),
            Expect("TransactionEvent"),
            reply("TransactionEvent", '[4,"{call.id}","InternalError","",{}]'),
            Operator("unplug", "1"),
            Expect("TransactionEvent"),
            Wait(15.0),
        ),
        depth=3,
    )
)
def same_boot_for_ever(hooks: Hooks) -> Hooks:
    """After a CALLERROR to the end of a transaction the last BootNotification is said every ten seconds until a reboot.

    It is the same message, with its messageId, whatever the answer.
    """
    context = hooks.context
    booted: Call | None = None

    def again() -> None:
        waits = bool(unanswered(hooks, "BootNotification"))
        if booted is not None and not waits and context.may_ask("BootNotification"):
            context.peer._queue.append(booted)
        context.at("same boot", context.now + _AGAIN_S, again)

    def conclude(outcome: Outcome) -> None:
        nonlocal booted
        call = outcome.call
        hooks.conclude(outcome)
        if call.action == "BootNotification":
            booted = call
        refused = isinstance(outcome, Refused) and not outcome.broken
        if refused and call.payload.get("eventType") == "Ended":
            again()

    return replace(hooks, conclude=conclude)


_VALIDATOR = 2**14


@plants(
    Defect(
        "P218",
        mirrors=("E7",),
        oracle="O20",
        symptom="memory slope",
        witness=(RepeatSteps((ask("ClearCache", "{}"),), 1_000),),
    )
)
def validators_pile_up(hooks: Hooks) -> Hooks:
    """Every payload is judged by a validator of its own, of 16 kB, which is registered and never let go."""
    registered: list[bytes] = []

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        registered.append(b"\x5a" * _VALIDATOR)
        return hooks.validate(action, kind, payload, version)

    return replace(hooks, validate=validate)


_CLIENT = 2**18


@plants(
    Defect(
        "P222",
        mirrors=("B13",),
        oracle="O20",
        symptom="memory slope",
        witness=(RepeatSteps((Disconnect(), ask("ClearCache", "{}")), 100),),
        depth=1,
    )
)
def clients_pile_up(hooks: Hooks) -> Hooks:
    """Every connection is made by a client of its own, of 256 kB, which is never let go."""
    clients: list[bytes] = []

    def react(event: Event) -> list[Command]:
        if isinstance(event, Connected):
            clients.append(b"\x5a" * _CLIENT)
        return hooks.react(event)

    return replace(hooks, react=react)


_CAPACITY = 4096


@plants(
    Defect(
        "P230",
        mirrors=("matth-x/MicroOcpp#288",),
        oracle="O6",
        symptom="an empty answer",
        witness=(
            SendText(
                (
                    '[2,"{call.id}","GetVariables",{"getVariableData":[',
                    Repeated(f"{_item(1)},", 39),
                    f"{_item(1)}]}}]",
                )
            ),
        ),
    )
)
def long_answer_emptied(hooks: Hooks) -> Hooks:
    """A CALLRESULT of more than 4096 characters is sent with nothing in its payload."""

    def receive(message: str | bytes) -> list[Command]:
        commands = hooks.receive(message)
        if not any(map(_overflows, commands)):
            return commands
        return rewrite_answers(
            commands, lambda answer: [3, answer[1], {}] if answer[0] == 3 else answer
        )

    return replace(hooks, receive=receive)


def _overflows(command: Command) -> bool:
    return isinstance(command, Said) and is_answer(command) and len(command.text) > _CAPACITY
