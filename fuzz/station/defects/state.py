"""State defects: what is done in a state in which it must not be, or not done in one in which it must."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call, ErrorCode
from fuzz.ocppj.peer import Answered, Refused
from fuzz.records import Expect, FrameKind, Operator, RepeatSteps, Wait
from fuzz.station.blocks.availability import AvailabilityBlock, Place
from fuzz.station.blocks.base import member, objects, status, whole
from fuzz.station.blocks.firmware import FirmwareBlock
from fuzz.station.blocks.metering import MeteringBlock
from fuzz.station.blocks.transactions import TransactionsBlock
from fuzz.station.context import Context, Outcome
from fuzz.station.defects.papers import ROOT, install, update
from fuzz.station.defects.reading import DEATH, peek
from fuzz.station.defects.registry import Defect, ask, plants, reply
from fuzz.station.events import (
    Command,
    Event,
    PlugIn,
    PowerCycle,
    PowerOn,
    PresentToken,
    SendText,
    Unplug,
)
from fuzz.station.hooks import Dying, Hooks
from fuzz.station.metering import Reading
from fuzz.station.states import Registration
from fuzz.station.transaction import Grant, Session
from strategies.labels import JsonObject

_SIGN = ask("TriggerMessage", '{"requestedMessage":"SignChargingStationCertificate"}')
_CHARGE = (
    Operator("plug-in", "1"),
    Operator("present-token", "04A1B2C3"),
    Operator("start-power", "1"),
)
_RESET = ask("Reset", '{"type":"Immediate"}')


@plants(
    Defect(
        "P30",
        mirrors=("D6",),
        oracle="O11",
        symptom="Accepted",
        witness=(
            reply(
                "BootNotification",
                '[3,"{call.id}",{"status":"Pending","interval":300,'
                '"currentTime":"2026-01-01T00:00:00Z"}]',
            ),
            _RESET,
            Expect("BootNotification"),
            ask(
                "RequestStartTransaction",
                '{"remoteStartId":1,"idToken":{"idToken":"04A1B2C3","type":"ISO14443"}}',
            ),
        ),
        depth=1,
    )
)
def pending_start(hooks: Hooks) -> Hooks:
    """RequestStartTransaction is accepted while the boot is Pending."""

    def handle(call: Call) -> JsonObject:
        context = hooks.context
        before = context.registration
        if call.action != "RequestStartTransaction" or before is not Registration.PENDING:
            return hooks.handle(call)
        context.registration = Registration.ACCEPTED
        try:
            return hooks.handle(call)
        finally:
            context.registration = before

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P35",
        mirrors=("D29",),
        oracle="O31 O11",
        symptom="charging without Authorize",
        witness=(
            *_CHARGE[:2],
            Expect("Authorize"),
            Operator("unplug", "1"),
            _CHARGE[0],
            _CHARGE[2],
            Expect("TransactionEvent"),
        ),
        depth=4,
    )
)
def auth_carry_over(hooks: Hooks) -> Hooks:
    """An authorisation that was not used up when the cable was unplugged lets the next EV charge."""
    context = hooks.context
    shown = PresentToken("")
    left: dict[int, PresentToken] = {}

    def react(event: Event) -> list[Command]:
        nonlocal shown
        match event:
            case PresentToken():
                shown = event
            case Unplug(evse) if context.transactions.authorized(evse):
                left[evse] = shown
            case PlugIn(evse) if evse in left:
                grant = Grant({"idToken": left[evse].token, "type": left[evse].kind}, evse=evse)
                del left[evse]
                context.at("carried over", context.now, partial(_admit, context, grant))
            case _:
                pass
        return hooks.react(event)

    return replace(hooks, react=react)


def _admit(context: Context, grant: Grant) -> None:
    context.transactions.admit(grant)


@plants(
    Defect(
        "P36",
        mirrors=("C12",),
        oracle="O11",
        symptom="Accepted, then silence",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"","component":'
                '{"name":"SecurityCtrlr"},"variable":{"name":"OrganizationName"}}]}',
            ),
            _SIGN,
            Expect("SignCertificate", 5.0),
        ),
        depth=1,
    )
)
def trigger_accepted_silence(hooks: Hooks) -> Hooks:
    """TriggerMessage for a certificate that cannot be asked for is accepted, and no later one is followed by anything."""
    jammed = False

    def handle(call: Call) -> JsonObject:
        nonlocal jammed
        if call.payload.get("requestedMessage") != "SignChargingStationCertificate":
            return hooks.handle(call)
        answer = status("Accepted") if jammed else hooks.handle(call)
        jammed |= answer["status"] == "Rejected"
        return status("Accepted") if jammed else answer

    return replace(hooks, handle=handle)


_MANY = 8


@plants(
    Defect(
        "P37",
        mirrors=("D2",),
        oracle="O29",
        symptom="no BootNotification",
        witness=(
            Operator("cut-network"),
            RepeatSteps((*_CHARGE, Operator("unplug", "1")), 5),
            Operator("power-cycle"),
            Operator("restore-network"),
            Expect("BootNotification", 60.0),
        ),
        depth=3,
    )
)
def boot_dropped(hooks: Hooks) -> Hooks:
    """With more than eight transaction events in the queue the station never says BootNotification."""

    def react(event: Event) -> list[Command]:
        commands = hooks.react(event)
        if len(hooks.context.outboxes["transaction"].waiting) <= _MANY:
            return commands
        return [command for command in commands if not _is_boot(command)]

    return replace(hooks, react=react)


def _is_boot(command: Command) -> bool:
    return isinstance(command, SendText) and _asked(command.text)[2:3] == ["BootNotification"]


def _asked(text: str) -> list[Any]:
    frame: list[Any] = json.loads(text)
    return frame if frame[0] == 2 else []


@plants(
    Defect(
        "P63",
        mirrors=(),
        oracle="O14 O11",
        symptom="transactionId used again",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            Operator("unplug", "1"),
            _RESET,
            Expect("BootNotification"),
            *_CHARGE,
            Expect("TransactionEvent"),
        ),
        depth=4,
    )
)
def transaction_id_reuse(hooks: Hooks) -> Hooks:
    """Transactions are counted from the start, so that a reboot brings the first transactionId again."""
    context = hooks.context

    def react(event: Event) -> list[Command]:
        if isinstance(event, PowerOn):
            numbers = itertools.count(1)
            context.settings = replace(context.settings, ids=lambda: f"tx-{next(numbers)}")
        return hooks.react(event)

    return replace(hooks, react=react)


@plants(
    Defect(
        "P125",
        mirrors=("D4",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            reply("BootNotification", '[2,"early","ClearCache",{}]'),
            _RESET,
            Expect("BootNotification"),
        ),
        depth=1,
    )
)
def early_call_crash(hooks: Hooks) -> Hooks:
    """The process dies of a CALL that comes before its BootNotification is answered."""

    def receive(message: str | bytes) -> list[Command]:
        booting = hooks.context.registration is Registration.BOOTING
        if booting and peek(message).kind is FrameKind.CALL:
            raise Dying(DEATH)
        return hooks.receive(message)

    return replace(hooks, receive=receive)


@plants(
    Defect(
        "P126",
        mirrors=("A13",),
        oracle="O29 O11",
        symptom="one BootNotification",
        witness=(
            reply("BootNotification", '[4,"{call.id}","InternalError","",{}]'),
            _RESET,
            Expect("BootNotification"),
            Expect("BootNotification"),
        ),
        depth=1,
    )
)
def boot_given_up(hooks: Hooks) -> Hooks:
    """A BootNotification that is answered with a CALLERROR is never said again."""

    def conclude(outcome: Outcome) -> None:
        refused = isinstance(outcome, Refused) and not outcome.broken
        if not refused or outcome.call.action != "BootNotification":
            hooks.conclude(outcome)

    return replace(hooks, conclude=conclude)


@plants(
    Defect(
        "P130",
        mirrors=("D12",),
        oracle="O11",
        symptom="Accepted",
        witness=(
            *_CHARGE[:2],
            Expect("TransactionEvent"),
            ask(
                "RequestStartTransaction",
                '{"remoteStartId":1,"evseId":1,"idToken":{"idToken":"99","type":"ISO14443"}}',
            ),
        ),
        depth=2,
    )
)
def second_start(hooks: Hooks) -> Hooks:
    """RequestStartTransaction is accepted for an EVSE at which somebody else is charging."""

    def handle(call: Call) -> JsonObject:
        answer = hooks.handle(call)
        if call.action != "RequestStartTransaction":
            return answer
        busy = member(answer, "statusInfo").get("reasonCode") == "TxInProgress"
        return status("Accepted") if busy else answer

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P132",
        mirrors=("B17",),
        oracle="O11 O13 O29",
        symptom="no Ended",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            _RESET,
            Expect("BootNotification", 60.0),
        ),
        depth=3,
    )
)
def last_event_lost(hooks: Hooks) -> Hooks:
    """A Reset ends the transactions that run without ever telling the CSMS."""
    outbox = hooks.context.outboxes["transaction"]
    block = next(block for block in hooks.blocks if isinstance(block, TransactionsBlock))
    healthy = block.end_all

    def end_all(trigger: str, stopped: str) -> None:
        put = outbox.put
        outbox.put = lambda action, payload: None  # type: ignore[method-assign]
        try:
            healthy(trigger, stopped)
        finally:
            outbox.put = put  # type: ignore[method-assign]

    block.end_all = end_all  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P154",
        mirrors=("D26",),
        oracle="O12 O11",
        symptom="still Available",
        witness=(
            ask("ChangeAvailability", '{"operationalStatus":"Inoperative"}'),
            ask(
                "TriggerMessage",
                '{"requestedMessage":"StatusNotification","evse":{"id":1,"connectorId":1}}',
            ),
            Expect("StatusNotification"),
        ),
        depth=1,
    )
)
def connectors_stay_operative(hooks: Hooks) -> Hooks:
    """ChangeAvailability of the whole station is accepted, yet its EVSEs and connectors stay as they were."""
    block = next(block for block in hooks.blocks if isinstance(block, AvailabilityBlock))

    def is_operative(place: Place) -> bool:
        evse, _ = place
        return not {(evse, 0), place} & block._inoperative

    block._is_operative = is_operative  # type: ignore[method-assign]
    return hooks


_CHARGING = (("/transactionInfo/chargingState", "Charging"),)
_REFUSED_AS_SUCH = ("Accepted", "Invalid", "Unknown")


@plants(
    Defect(
        "P157",
        mirrors=("D17",),
        oracle="O31 O11",
        symptom="charging with a blocked token",
        witness=(
            reply("Authorize", '[3,"{call.id}",{"idTokenInfo":{"status":"Blocked"}}]'),
            *_CHARGE,
            Expect("TransactionEvent", 5.0, where=_CHARGING),
        ),
        depth=2,
    )
)
def blocked_token_admitted(hooks: Hooks) -> Hooks:
    """A token may charge whatever AuthorizeResponse says of it, Invalid and Unknown apart; a blocked one, too."""

    def conclude(outcome: Outcome) -> None:
        if isinstance(outcome, Answered) and outcome.call.action == "Authorize":
            info = member(outcome.payload, "idTokenInfo")
            if info["status"] not in _REFUSED_AS_SUCH:
                admitted: JsonObject = {**info, "status": "Accepted"}
                outcome = replace(outcome, payload={**outcome.payload, "idTokenInfo": admitted})
        hooks.conclude(outcome)

    return replace(hooks, conclude=conclude)


@plants(
    Defect(
        "P163",
        mirrors=("D11",),
        oracle="O11 O15",
        symptom="Accepted",
        witness=(
            *_CHARGE[:2],
            Expect("TransactionEvent"),
            ask("RequestStopTransaction", '{"transactionId":"nobody-has-this-one"}'),
        ),
        depth=2,
    )
)
def stops_any_transaction(hooks: Hooks) -> Hooks:
    """RequestStopTransaction with an id that the station does not know stops the transaction that runs."""
    transactions = hooks.context.transactions

    def handle(call: Call) -> JsonObject:
        answer = hooks.handle(call)
        unknown = member(answer, "statusInfo").get("reasonCode") == "TxNotFound"
        running = transactions.on(0)
        if call.action != "RequestStopTransaction" or not unknown or not running:
            return answer
        transactions.stop(running)
        return status("Accepted")

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P166",
        mirrors=("C16",),
        oracle="O11 O9",
        symptom="nobody deauthorized",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"false",'
                '"component":{"name":"AuthCtrlr"},"variable":{"name":"Enabled"}}]}',
            ),
            Operator("plug-in", "1"),
            Operator("start-power", "1"),
            Expect("TransactionEvent", 5.0),
        ),
        depth=2,
    )
)
def nobody_is_unknown(hooks: Hooks) -> Hooks:
    """Without authorization the empty idToken of NoAuthorization is looked up like any other, and the transaction ends."""

    def conclude(outcome: Outcome) -> None:
        token = member(outcome.call.payload, "idToken")
        if isinstance(outcome, Answered) and token.get("type") == "NoAuthorization":
            outcome = replace(outcome, payload={"idTokenInfo": {"status": "Unknown"}})
        hooks.conclude(outcome)

    return replace(hooks, conclude=conclude)


@plants(
    Defect(
        "P169",
        mirrors=("D18",),
        oracle="O11 O14",
        symptom="seqNo used again",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            Operator("unplug", "1"),
            Expect("TransactionEvent"),
            *_CHARGE,
            Expect("TransactionEvent"),
            Operator("unplug", "1"),
            Expect("TransactionEvent"),
        ),
        depth=4,
    )
)
def sequence_stuck(hooks: Hooks) -> Hooks:
    """From the second transaction on, every event of a transaction but its first has the seqNo 1."""
    outbox = hooks.context.outboxes["transaction"]
    healthy, first = outbox.put, ""

    def put(action: str, payload: JsonObject) -> None:
        nonlocal first
        transaction = str(member(payload, "transactionInfo")["transactionId"])
        first = first or transaction
        stuck = min(whole(payload["seqNo"]), 1)
        healthy(action, payload if transaction == first else {**payload, "seqNo": stuck})

    outbox.put = put  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P187",
        mirrors=("D14",),
        oracle="O12 O32 O11",
        symptom="ended twice",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            Operator("unplug", "1"),
            Expect("TransactionEvent", 5.0, where=(("/eventType", "Ended"),)),
            ask("RequestStopTransaction", '{"transactionId":"{tx.id}"}'),
            Wait(1.0),
        ),
        depth=3,
    )
)
def stops_what_has_ended(hooks: Hooks) -> Hooks:
    """RequestStopTransaction for a transaction that has ended is accepted, and its end is told once more, with the next seqNo."""
    context, outbox = hooks.context, hooks.context.outboxes["transaction"]
    healthy, ends = outbox.put, dict[str, JsonObject]()

    def put(action: str, payload: JsonObject) -> None:
        if payload["eventType"] == "Ended":
            ends[str(member(payload, "transactionInfo")["transactionId"]).casefold()] = payload
        healthy(action, payload)

    def end_again(payload: JsonObject) -> None:
        changed: JsonObject = {
            "timestamp": context.timestamp(),
            "triggerReason": "RemoteStop",
            "seqNo": whole(payload["seqNo"]) + 1,
            "transactionInfo": {**member(payload, "transactionInfo"), "stoppedReason": "Remote"},
        }
        put("TransactionEvent", {**payload, **changed})

    def handle(call: Call) -> JsonObject:
        answer = hooks.handle(call)
        asked = str(call.payload.get("transactionId", "")).casefold()
        unknown = member(answer, "statusInfo").get("reasonCode") == "TxNotFound"
        if call.action != "RequestStopTransaction" or not unknown or asked not in ends:
            return answer
        end_again(ends[asked])
        return status("Accepted")

    outbox.put = put  # type: ignore[method-assign]
    return replace(hooks, handle=handle)


_SET_SAMPLED = (
    '{{"setVariableData":[{{"attributeValue":"{0}",'
    '"component":{{"name":"SampledDataCtrlr"}},"variable":{{"name":"{1}"}}}}]}}'
)


@plants(
    Defect(
        "P173",
        mirrors=("D3",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(ask("SetVariables", _SET_SAMPLED.format("false", "Enabled")), *_CHARGE[:2]),
        depth=2,
    )
)
def unmetered_start_crash(hooks: Hooks) -> Hooks:
    """The process dies when a transaction begins at a connector while SampledDataCtrlr is not Enabled."""
    context = hooks.context
    block = next(block for block in hooks.blocks if isinstance(block, MeteringBlock))
    healthy = block.begin

    def begin(evse: int) -> list[JsonObject]:
        if context.value("SampledDataCtrlr", "Enabled", "true") != "true":
            raise Dying(DEATH)
        return healthy(evse)

    block.begin = begin  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P175",
        mirrors=("D8",),
        oracle="O11",
        symptom="Authorize while Pending",
        witness=(
            reply(
                "BootNotification",
                '[3,"{call.id}",{"status":"Pending","interval":300,'
                '"currentTime":"2026-01-01T00:00:00Z"}]',
            ),
            _RESET,
            Expect("BootNotification"),
            *_CHARGE[:2],
            Expect("Authorize", 5.0),
        ),
        depth=2,
    )
)
def asks_while_pending(hooks: Hooks) -> Hooks:
    """A token is asked for while the boot is Pending, when an EV is plugged in already."""
    context = hooks.context

    def react(event: Event) -> list[Command]:
        waits = context.connected and any(evse.plugged for evse in context.evses.values())
        pending = context.registration is Registration.PENDING
        if not (isinstance(event, PresentToken) and waits and pending):
            return hooks.react(event)
        context.registration = Registration.ACCEPTED
        try:
            return hooks.react(event)
        finally:
            context.registration = Registration.PENDING

    return replace(hooks, react=react)


@plants(
    Defect(
        "P176",
        mirrors=("E6",),
        oracle="O2",
        symptom="restart unasked",
        witness=(
            *_CHARGE[:2],
            Expect("TransactionEvent"),
            ask("UnlockConnector", '{"evseId":1,"connectorId":1}'),
            Expect("BootNotification", 10.0),
        ),
        depth=2,
    )
)
def unlock_restart(hooks: Hooks) -> Hooks:
    """UnlockConnector during a transaction is refused as it should be, and then the station restarts."""
    failed = False

    def handle(call: Call) -> JsonObject:
        nonlocal failed
        answer = hooks.handle(call)
        failed = answer.get("status") == "OngoingAuthorizedTransaction"
        return answer

    def receive(message: str | bytes) -> list[Command]:
        nonlocal failed
        commands = hooks.receive(message)
        if not failed:
            return commands
        failed = False
        return [*commands, *hooks.react(PowerCycle())]

    return replace(hooks, handle=handle, receive=receive)


@plants(
    Defect(
        "P177",
        mirrors=("D1",),
        oracle="O5 O4",
        symptom="no more answers",
        witness=(
            *_CHARGE[:2],
            Expect("TransactionEvent"),
            ask("SetVariables", _SET_SAMPLED.format("60", "TxUpdatedInterval")),
            ask("ClearCache", "{}"),
        ),
        depth=3,
    )
)
def deaf_after_setting(hooks: Hooks) -> Hooks:
    """Once a variable of SampledDataCtrlr was set while a transaction is sampled, no CALL is answered until a reboot."""
    context = hooks.context
    deaf = False

    def sampling() -> bool:
        interval_s = context.model.number("SampledDataCtrlr", "TxUpdatedInterval")
        return interval_s > 0 and bool(context.transactions.on(0))

    def handle(call: Call) -> JsonObject:
        nonlocal deaf
        answer = hooks.handle(call)
        if call.action == "SetVariables" and sampling():
            deaf = any(map(_changes_samples, objects(answer["setVariableResult"])))
        return answer

    def receive(message: str | bytes) -> list[Command]:
        if deaf and peek(message).kind is FrameKind.CALL:
            return []
        return hooks.receive(message)

    def react(event: Event) -> list[Command]:
        nonlocal deaf
        deaf = deaf and not isinstance(event, PowerOn)
        return hooks.react(event)

    return replace(hooks, handle=handle, receive=receive, react=react)


def _changes_samples(result: JsonObject) -> bool:
    component = str(member(result, "component")["name"])
    return result["attributeStatus"] == "Accepted" and component.lower() == "sampleddatactrlr"


@plants(
    Defect(
        "P190",
        mirrors=("matth-x/MicroOcpp#353",),
        oracle="O11",
        symptom="told while Pending",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            reply(
                "BootNotification",
                '[3,"{call.id}",{"status":"Pending","interval":300,'
                '"currentTime":"2026-01-01T00:00:00Z"}]',
            ),
            Operator("power-cycle"),
            Expect("BootNotification", 60.0),
            Expect("TransactionEvent", 5.0, where=(("/eventType", "Ended"),)),
        ),
        depth=3,
    )
)
def queue_flushed_while_pending(hooks: Hooks) -> Hooks:
    """Transaction events that waited for the boot are told when it is Pending, not when it is Accepted."""
    context, outbox = hooks.context, hooks.context.outboxes["transaction"]

    @contextlib.contextmanager
    def as_if_accepted() -> Iterator[None]:
        context.registration = Registration.ACCEPTED
        try:
            yield
        finally:
            context.registration = Registration.PENDING

    def conclude(outcome: Outcome) -> None:
        pending = context.registration is Registration.PENDING
        if pending and outcome.call.action == "TransactionEvent":
            with as_if_accepted():
                hooks.conclude(outcome)
            return
        hooks.conclude(outcome)
        if context.registration is Registration.PENDING:
            with as_if_accepted():
                outbox.pump()

    return replace(hooks, conclude=conclude)


_STOP = ask("RequestStopTransaction", '{"transactionId":"{tx.id}"}')


@plants(
    Defect(
        "P193",
        mirrors=("lbbrhzn/ocpp#2075",),
        oracle="O11",
        symptom="told after the end",
        witness=(*_CHARGE, Expect("TransactionEvent"), _STOP, Wait(1.0)),
        depth=3,
    )
)
def values_after_the_end(hooks: Hooks) -> Hooks:
    """The last meter values of a transaction that RequestStopTransaction ended are told in an Updated after its Ended."""
    outbox = hooks.context.outboxes["transaction"]
    healthy = outbox.put

    def put(action: str, payload: JsonObject) -> None:
        kind, reason = payload["eventType"], payload["triggerReason"]
        if (kind, reason) != ("Ended", "RemoteStop") or "meterValue" not in payload:
            healthy(action, payload)
            return
        transaction = member(payload, "transactionInfo")["transactionId"]
        healthy(action, {name: v for name, v in payload.items() if name != "meterValue"})
        late: JsonObject = {
            "eventType": "Updated",
            "timestamp": payload["timestamp"],
            "triggerReason": reason,
            "seqNo": whole(payload["seqNo"]) + 1,
            "transactionInfo": {"transactionId": transaction},
            "meterValue": payload["meterValue"],
        }
        healthy(action, late)

    outbox.put = put  # type: ignore[method-assign]
    return hooks


_AGAIN_S = 1.0


@plants(
    Defect(
        "P195",
        mirrors=("evcc-io/evcc#14804",),
        oracle="O31 O11",
        symptom="begun again",
        witness=(*_CHARGE, Expect("TransactionEvent"), _STOP, Wait(2.0)),
        depth=3,
    )
)
def begins_again(hooks: Hooks) -> Hooks:
    """An EV that stays plugged in after RequestStopTransaction soon charges again, in a new transaction of the same token."""
    context = hooks.context
    block = next(block for block in hooks.blocks if isinstance(block, TransactionsBlock))
    healthy = block.stop

    def stop(transaction: str) -> bool:
        session = block._find(transaction)
        if session is None or not session.authorized:
            return healthy(transaction)
        grant = Grant(session.token, session.group, session.evses, session.evse)
        stopped, left = healthy(transaction), block._sessions.get(grant.evse)

        def again() -> None:
            if left is not None and block._sessions.get(grant.evse) is left and left.connector:
                _admit(context, grant)

        context.at(f"begins again {grant.evse}", context.now + _AGAIN_S, again)
        return stopped

    block.stop = stop  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P198",
        mirrors=("matth-x/MicroOcpp#261",),
        oracle="O11",
        symptom="no Downloading",
        witness=(
            install(ROOT, "Manufacturer"),
            update(),
            Expect("FirmwareStatusNotification", 5.0, where=(("/status", "Downloading"),)),
        ),
        depth=2,
    )
)
def download_untold(hooks: Hooks) -> Hooks:
    """Nobody is told that an update is Downloading, nor that it is Downloaded."""
    block = next(block for block in hooks.blocks if isinstance(block, FirmwareBlock))
    healthy = block._tell

    def tell(word: str, *, reboot: bool = False) -> bool:
        return word not in ("Downloading", "Downloaded") and healthy(word, reboot=reboot)

    block._tell = tell  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P199",
        mirrors=("EVerest/libocpp#813",),
        oracle="O11",
        symptom="Available though plugged in",
        witness=(*_CHARGE, Expect("TransactionEvent"), _STOP, Expect("StatusNotification", 5.0)),
        depth=3,
    )
)
def available_with_an_ev(hooks: Hooks) -> Hooks:
    """After RequestStopTransaction the connector is told to be Available, although the EV is still plugged in."""
    context = hooks.context
    transactions = next(block for block in hooks.blocks if isinstance(block, TransactionsBlock))
    availability = next(block for block in hooks.blocks if isinstance(block, AvailabilityBlock))
    healthy_stop, healthy_state = transactions.stop, availability._state
    left: set[int] = set()

    def stop(transaction: str) -> bool:
        session = transactions._find(transaction)
        left.update([session.evse] if session is not None and session.connector else [])
        return healthy_stop(transaction)

    def state(place: Place) -> str:
        word, (evse, _) = healthy_state(place), place
        idle = evse in left and not context.transactions.on(evse)
        return "Available" if idle and word == "Occupied" else word

    def react(event: Event) -> list[Command]:
        if isinstance(event, PowerOn):
            left.clear()
        commands = hooks.react(event)
        over = {n for n in left if not context.evses[n].plugged or context.transactions.on(n)}
        left.difference_update(over)
        return commands

    transactions.stop = stop  # type: ignore[method-assign]
    availability._state = state  # type: ignore[method-assign]
    return replace(hooks, react=react)


@plants(
    Defect(
        "P203",
        mirrors=("EVerest/libocpp#1006",),
        oracle="O11",
        symptom="unlocked to its end",
        witness=(
            *_CHARGE[:2],
            Expect("TransactionEvent"),
            ask("UnlockConnector", '{"evseId":1,"connectorId":1}'),
            Wait(1.0),
        ),
        depth=2,
    )
)
def unlock_stops(hooks: Hooks) -> Hooks:
    """UnlockConnector stops the authorised transaction of its connector, and only then looks at the lock."""
    block = next(block for block in hooks.blocks if isinstance(block, TransactionsBlock))
    connectors = hooks.context.pics.each_connector()

    def handle(call: Call) -> JsonObject:
        if call.action == "UnlockConnector":
            place = whole(call.payload["evseId"]), whole(call.payload["connectorId"])
            session = block._sessions.get(place[0]) if place in connectors else None
            if session is not None and session.authorized and session.transaction:
                block._deauthorize(session, "UnlockCommand", "Other")
        return hooks.handle(call)

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P205",
        mirrors=("EVerest/libocpp#504",),
        oracle="O11",
        symptom="status while Pending",
        witness=(
            reply(
                "BootNotification",
                '[3,"{call.id}",{"status":"Pending","interval":300,'
                '"currentTime":"2026-01-01T00:00:00Z"}]',
            ),
            _RESET,
            Expect("BootNotification"),
            Operator("plug-in", "1"),
            Expect("StatusNotification", 5.0),
        ),
        depth=2,
    )
)
def status_while_pending(hooks: Hooks) -> Hooks:
    """A connector whose status changes while the boot is Pending is told at once, although nobody asked for it."""
    context = hooks.context
    block = next(block for block in hooks.blocks if isinstance(block, AvailabilityBlock))
    healthy = block._tell_changes
    known = {place: block._state(place) for place in block._connectors}

    def tell_changes() -> None:
        for place in block._connectors:
            before, known[place] = known[place], block._state(place)
            if context.registration is Registration.PENDING and known[place] != before:
                block._tell(place, triggered=True)
        healthy()

    block._tell_changes = tell_changes  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P206",
        mirrors=("dallmann-consulting/OCPP.Core#55",),
        oracle="O11 O32",
        symptom="another transaction ended",
        witness=(
            _CHARGE[0],
            reply("TransactionEvent", '[3,"{call.id}",{"idTokenInfo":{"status":"ConcurrentTx"}}]'),
            _CHARGE[1],
            Expect("TransactionEvent"),
            Wait(1.0),
        ),
        depth=3,
    )
)
def ends_minus_one(hooks: Hooks) -> Hooks:
    """A transaction whose token the answer to a TransactionEvent does not accept is ended under the transactionId -1."""
    outbox = hooks.context.outboxes["transaction"]
    healthy = outbox.put

    def put(action: str, payload: JsonObject) -> None:
        if (payload["eventType"], payload["triggerReason"]) == ("Ended", "Deauthorized"):
            info: JsonObject = {**member(payload, "transactionInfo"), "transactionId": "-1"}
            payload = {**payload, "transactionInfo": info}
        healthy(action, payload)

    outbox.put = put  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P207",
        mirrors=("matth-x/MicroOcpp#215",),
        oracle="O11",
        symptom="failed while downloading",
        witness=(
            install(ROOT, "Manufacturer"),
            update(),
            Expect("FirmwareStatusNotification", 5.0, where=(("/status", "InstallationFailed"),)),
        ),
        depth=2,
    )
)
def download_given_up(hooks: Hooks) -> Hooks:
    """Every update fails as soon as it is Downloading, as InstallationFailed, because the download is not over yet."""
    block = next(block for block in hooks.blocks if isinstance(block, FirmwareBlock))
    healthy = block._fetch

    def fetch() -> None:
        healthy()
        block._stop()
        block._end("InstallationFailed")

    block._fetch = fetch  # type: ignore[method-assign]
    return hooks


_REGISTER = "Energy.Active.Import.Register"


@plants(
    Defect(
        "P209",
        mirrors=("lbbrhzn/ocpp#1810",),
        oracle="O32 O11",
        symptom="less at the end",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            Wait(10.0),
            Operator("unplug", "1"),
            *_CHARGE[:2],
            Operator("unplug", "1"),
            Expect("TransactionEvent", 5.0),
        ),
        depth=4,
    )
)
def last_value_rounded(hooks: Hooks) -> Hooks:
    """A transaction in which no energy has flowed ends with an energy register 1 Wh lower than it began with."""
    evses = hooks.context.evses
    block = next(block for block in hooks.blocks if isinstance(block, MeteringBlock))
    healthy = block._take
    begun: dict[int, float] = {}

    def take(evse: int, controller: str, name: str, context: str) -> list[JsonObject]:
        values = healthy(evse, controller, name, context)
        if context == "Transaction.Begin":
            begun[evse] = evses[evse].register_wh
        elif context == "Transaction.End" and evses[evse].register_wh == begun.get(evse):
            for sample in (sample for value in values for sample in objects(value["sampledValue"])):
                if sample["measurand"] == _REGISTER:
                    sample["value"] = max(0.0, float(str(sample["value"])) - 1.0)
        return values

    block._take = take  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P227",
        mirrors=("D7",),
        oracle="O11",
        symptom="SecurityError",
        witness=(
            reply(
                "BootNotification",
                '[3,"{call.id}",{"status":"Pending","interval":300,'
                '"currentTime":"2026-01-01T00:00:00Z"}]',
            ),
            _RESET,
            Expect("BootNotification"),
            ask("TriggerMessage", '{"requestedMessage":"Heartbeat"}'),
        ),
        depth=1,
    )
)
def no_trigger_while_pending(hooks: Hooks) -> Hooks:
    """While the boot is Pending a TriggerMessage for anything but a BootNotification is refused with SecurityError."""

    def handle(call: Call) -> JsonObject:
        waits = hooks.context.registration is Registration.PENDING
        asked = call.payload.get("requestedMessage")
        if waits and call.action == "TriggerMessage" and asked != "BootNotification":
            raise RemoteProtocolError(ErrorCode.SECURITY_ERROR, "the boot is not accepted yet")
        return hooks.handle(call)

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P228",
        mirrors=("D10",),
        oracle="O32",
        symptom="transactionIds in a row",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            Operator("unplug", "1"),
            *_CHARGE,
            Expect("TransactionEvent", 5.0, where=(("/eventType", "Started"),)),
        ),
        depth=3,
    )
)
def guessable_ids(hooks: Hooks) -> Hooks:
    """Each transactionId is the number that follows that of the transaction before.

    The first is the time in seconds, so that no id comes twice, even after a restart.
    """
    block = next(block for block in hooks.blocks if isinstance(block, TransactionsBlock))
    healthy = block._tell
    last = 0

    def tell(session: Session, kind: str, trigger: str, **details: Any) -> None:
        nonlocal last
        if kind == "Started":
            last = last + 1 if last else int(hooks.context.now)
            session.transaction = str(last)
        healthy(session, kind, trigger, **details)

    block._tell = tell  # type: ignore[method-assign]
    return hooks


_LOST = ("Deauthorized", "RemoteStop", "StopAuthorized")


@plants(
    Defect(
        "P231",
        mirrors=("EVerest/EVerest#704",),
        oracle="O11",
        symptom="Accepted, no RemoteStop",
        witness=(
            ask(
                "SetVariables",
                '{"setVariableData":[{"attributeValue":"EVConnected",'
                '"component":{"name":"TxCtrlr"},"variable":{"name":"TxStopPoint"}}]}',
            ),
            *_CHARGE,
            Expect("TransactionEvent"),
            _STOP,
            Wait(1.0),
        ),
        depth=4,
    )
)
def lost_authorization_untold(hooks: Hooks) -> Hooks:
    """Where TxStopPoint lets a transaction go on without its authorisation, no event tells that the authorisation is gone."""
    block = next(block for block in hooks.blocks if isinstance(block, TransactionsBlock))
    healthy = block._tell

    def tell(session: Session, kind: str, trigger: str, **details: Any) -> None:
        if kind != "Updated" or trigger not in _LOST:
            healthy(session, kind, trigger, **details)

    block._tell = tell  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P232",
        mirrors=("matth-x/MicroOcpp#178",),
        oracle="O11",
        symptom="no StatusNotification",
        witness=(
            Operator("cut-network"),
            Operator("plug-in", "1"),
            Operator("restore-network"),
            Expect("StatusNotification", 10.0),
        ),
        depth=2,
    )
)
def offline_status_untold(hooks: Hooks) -> Hooks:
    """What a connector became while the station was offline is not told on the next connection, nor is any other status."""
    context = hooks.context
    block = next(block for block in hooks.blocks if isinstance(block, AvailabilityBlock))
    healthy = block.connected

    def connected(offline_s: float) -> None:
        if context.registration is Registration.ACCEPTED:
            block._told.update({place: block._state(place) for place in block._connectors})
        else:
            healthy(offline_s)

    block.connected = connected  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P233",
        mirrors=("citrineos/citrineos-core#1060",),
        oracle="O11",
        symptom="less energy than before",
        witness=(
            *_CHARGE,
            Expect("TransactionEvent"),
            Wait(10.0),
            Operator("unplug", "1"),
            Expect("TransactionEvent", 5.0, where=(("/eventType", "Ended"),)),
            Operator("cut-network"),
            *_CHARGE,
            Operator("restore-network"),
            Expect("TransactionEvent", 60.0, where=(("/offline", "true"),)),
        ),
        depth=4,
    )
)
def begins_at_zero(hooks: Hooks) -> Hooks:
    """A transaction that begins while the station is offline begins with an energy register of 0, whatever the meter shows."""
    station = hooks.context
    block = next(block for block in hooks.blocks if isinstance(block, MeteringBlock))
    healthy = block._take

    def take(evse: int, controller: str, name: str, context: str) -> list[JsonObject]:
        values = healthy(evse, controller, name, context)
        if context == "Transaction.Begin" and not station.connected:
            for sample in (sample for value in values for sample in objects(value["sampledValue"])):
                if sample["measurand"] == _REGISTER:
                    sample["value"] = 0.0
        return values

    block._take = take  # type: ignore[method-assign]
    return hooks


_EVERY_MINUTE = ask(
    "SetVariables",
    '{"setVariableData":[{"attributeValue":"60","component":'
    '{"name":"AlignedDataCtrlr"},"variable":{"name":"Interval"}}]}',
)


@plants(
    Defect(
        "P234",
        mirrors=("EVerest/libocpp#1162",),
        oracle="O11",
        symptom="no MeterValues",
        witness=(_EVERY_MINUTE, *_CHARGE, Expect("MeterValues", 65.0)),
        depth=3,
    )
)
def meters_silent_when_busy(hooks: Hooks) -> Hooks:
    """While there is a transaction on any EVSE, clock-aligned MeterValues are told of none, nor of the whole station."""
    context = hooks.context
    block = next(block for block in hooks.blocks if isinstance(block, MeteringBlock))
    healthy = block._tell_aligned

    def tell_aligned() -> None:
        if not context.transactions.on(0):
            healthy()

    block._tell_aligned = tell_aligned  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P235",
        mirrors=("matth-x/MicroOcpp#225",),
        oracle="O11",
        symptom="MeterValues of EVSE 0 alone",
        witness=(_EVERY_MINUTE, Expect("MeterValues", 65.0), Wait(1.0)),
    )
)
def idle_evse_unmetered(hooks: Hooks) -> Hooks:
    """An EVSE without a transaction tells no clock-aligned MeterValues; the whole station, EVSE 0, does."""
    transactions = hooks.context.transactions
    block = next(block for block in hooks.blocks if isinstance(block, MeteringBlock))
    healthy = block._tell

    def tell(evse: int, reading: Reading, context: str, *, triggered: bool) -> bool:
        if context == "Sample.Clock" and evse and not transactions.on(evse):
            return False
        return healthy(evse, reading, context, triggered=triggered)

    block._tell = tell  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P236",
        mirrors=("matth-x/MicroOcpp#202",),
        oracle="O11",
        symptom="a token that nobody showed",
        witness=(*_CHARGE, Expect("TransactionEvent"), _RESET, Wait(1.0)),
        depth=3,
    )
)
def reset_as_token(hooks: Hooks) -> Hooks:
    """The end of a transaction that a Reset ends names an idToken that nobody showed: the stoppedReason, as Local."""
    outbox = hooks.context.outboxes["transaction"]
    healthy = outbox.put

    def put(action: str, payload: JsonObject) -> None:
        if (payload["eventType"], payload["triggerReason"]) == ("Ended", "ResetCommand"):
            reason = member(payload, "transactionInfo")["stoppedReason"]
            payload = {**payload, "idToken": {"idToken": reason, "type": "Local"}}
        healthy(action, payload)

    outbox.put = put  # type: ignore[method-assign]
    return hooks


@plants(
    Defect(
        "P242",
        mirrors=("Lamerat/OCPP-Charge-Point-Simulator#3",),
        oracle="O11 O31",
        symptom="Accepted, still charging",
        witness=(*_CHARGE, Expect("TransactionEvent"), _STOP, Wait(1.0)),
        depth=3,
    )
)
def stop_ignored(hooks: Hooks) -> Hooks:
    """RequestStopTransaction for a transaction that runs is accepted, and charging goes on as if it had not been asked for."""
    block = next(block for block in hooks.blocks if isinstance(block, TransactionsBlock))

    def stop(transaction: str) -> bool:
        return block._find(transaction) is not None

    block.stop = stop  # type: ignore[method-assign]
    return hooks
