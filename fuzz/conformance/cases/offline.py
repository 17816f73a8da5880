"""Block E without an answer: retries, what is queued offline, and what GetTransactionStatus tells of it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fuzz.conformance import profiles, states
from fuzz.conformance.script import SILENT, Csms, Heard, error, station_test
from fuzz.conformance.states import Session
from fuzz.conformance.view import View
from fuzz.records import Effect
from strategies.labels import JsonObject

_CHARGING = ("plug-in", "present-token", "start-power")
_VISIT = (*_CHARGING, "unplug")
_ATTEMPTS, _INTERVAL_S = 3, 1


# --- retries ----------------------------------------------------------------------------------------------


async def _few_attempts(s: Csms) -> None:
    await s.set_variable("OCPPCommCtrlr", "MessageAttempts", _ATTEMPTS, instance="TransactionEvent")
    await s.set_variable(
        "OCPPCommCtrlr", "MessageAttemptInterval", _INTERVAL_S, instance="TransactionEvent"
    )


async def _short_timeout(s: Csms) -> None:
    """The station waits one second for an answer: MessageTimeout is read-only, and set by a network profile."""
    known = await profiles.slots(s)
    slot = profiles.free_slot(s, known)
    data = profiles.profile_data(s.port.url, s.profile) | {"messageTimeout": 1}
    request: JsonObject = {"configurationSlot": slot, "connectionData": data}
    await s.accepted("SetNetworkProfile", request)
    await s.set_variable("OCPPCommCtrlr", "NetworkConfigurationPriority", f"{slot},{known.active}")
    await states.rebooted(s)


async def _repeated(s: Csms, times: int) -> None:
    """The first event of a transaction is sent so often, each time after a longer wait, and then the next one is."""
    session = Session()
    await states.plugged_in(s, session)
    await s.operator("present-token", session.token)
    await s.operator("start-power", session.evse)
    sent: list[Heard] = []
    for _ in range(times):
        sent.append(await s.hear("TransactionEvent", {"eventType": "Started"}))
    number = sent[0]["seqNo"]
    same = {(h["seqNo"], h["transactionInfo.transactionId"]) for h in sent}
    s.require(len(same) == 1, "it is the same event each time", same)
    for n, (a, b) in enumerate(itertools.pairwise(sent), 1):
        s.require(b.at - a.at >= _INTERVAL_S * n - 0.05, f"a wait of {n} intervals", b.at - a.at)
    await s.expect("TransactionEvent", lambda v: v.number("seqNo") != number, what="the next event")
    late = s.untaken("TransactionEvent", where={"seqNo": number})
    s.require(not late, "it is not sent again", [h.view.payload for h in late])


@station_test("TC_E_41", effect=Effect.LOCK_OUT, needs=_CHARGING, slow=True)
async def no_answer_at_all(s: Csms) -> None:
    """An event that is never answered is sent as often as MessageAttempts says, and then given up."""
    await _short_timeout(s)
    await _few_attempts(s)
    s.answer("TransactionEvent", SILENT, times=_ATTEMPTS)
    await _repeated(s, _ATTEMPTS)


@station_test("TC_E_42", effect=Effect.LOCK_OUT, needs=_CHARGING, slow=True)
async def an_answer_at_the_second_attempt(s: Csms) -> None:
    """An event that is answered at the second attempt is sent twice."""
    await _short_timeout(s)
    await _few_attempts(s)
    s.answer("TransactionEvent", SILENT, times=1)
    await _repeated(s, 2)


@station_test("TC_E_50", needs=_CHARGING, slow=True)
async def errors_only(s: Csms) -> None:
    """An event that is answered by errors is sent as often as MessageAttempts says, and then given up."""
    await _few_attempts(s)
    s.answer("TransactionEvent", error("InternalError"), times=_ATTEMPTS)
    await _repeated(s, _ATTEMPTS)


@station_test("TC_E_51", needs=_CHARGING, slow=True)
async def an_error_and_then_an_answer(s: Csms) -> None:
    """An event whose first answer is an error is sent twice."""
    await _few_attempts(s)
    s.answer("TransactionEvent", error("InternalError"), times=1)
    await _repeated(s, 2)


# --- queues -----------------------------------------------------------------------------------------------


async def _queued(s: Csms, session: Session) -> list[View]:
    """The events of the session that were delivered after the reconnect, so far as they came within a second."""
    await s.sleep(1.0)
    heard = [h.view for h in s.untaken("TransactionEvent")]
    if not session.id and heard:
        session.id = heard[0].text("transactionInfo.transactionId")
    mine = [v for v in heard if v["transactionInfo.transactionId"] == session.id]
    numbers = [v.number("seqNo") for v in mine]
    s.require(
        numbers and all(b - a == 1 for a, b in itertools.pairwise(numbers)),
        "the events come in order and without a gap",
        numbers,
    )
    return mine


def _require_offline(s: Csms, events: list[View]) -> None:
    online = [v.payload for v in events if v["offline"] is not True]
    s.require(not online, "what happened offline says so", online)


@station_test("TC_E_40", needs=_CHARGING, slow=True)
async def offline_while_charging(s: Csms) -> None:
    """What the station measures of a transaction while offline is delivered afterwards, marked as offline."""
    await s.set_variable("SampledDataCtrlr", "TxUpdatedInterval", 1)
    session = await states.charging_session(s)
    s.forget()
    async with s.offline():
        await s.sleep(2.3)
    events = [v for v in await _queued(s, session) if v["offline"] is True]
    s.require(len(events) >= 2, "two Updated events of the time offline", len(events))
    s.require(
        {v["eventType"] for v in events} == {"Updated"}, "eventType Updated", events[0].payload
    )


@station_test("TC_E_43", needs=_VISIT)
async def a_whole_transaction_offline(s: Csms) -> None:
    """A transaction that began and ended offline is delivered whole, marked as offline."""
    await s.set_variable("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "true")
    session = Session()
    async with s.offline():
        for event, argument in (
            ("plug-in", session.evse),
            ("present-token", session.token),
            ("start-power", session.evse),
            ("present-token", session.token),
            ("unplug", session.evse),
        ):
            await s.operator(event, argument)
        await s.sleep(0.3)
    events = await _queued(s, session)
    _require_offline(s, events)
    kinds = [v["eventType"] for v in events]
    s.require((kinds[0], kinds[-1]) == ("Started", "Ended"), "from Started to Ended", kinds)


@station_test("TC_E_44", needs=_CHARGING)
async def a_transaction_stopped_offline(s: Csms) -> None:
    """A transaction that was stopped offline tells so afterwards, marked as offline."""
    await states.points(s, stop="EVConnected,Authorized")
    session = await states.charging_session(s)
    s.forget()
    async with s.offline():
        await s.operator("present-token", session.token)
        await s.sleep(0.3)
    events = await _queued(s, session)
    _require_offline(s, events)
    s.require(events[-1]["eventType"] == "Ended", "the last event is Ended", events[-1].payload)


@station_test("TC_E_16", needs=_CHARGING)
async def a_token_let_in_offline_turns_out_invalid(s: Csms) -> None:
    """A transaction begun offline with a token that the CSMS calls Invalid is ended."""
    await s.set_variable("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "true")
    await s.set_variable("TxCtrlr", "StopTxOnInvalidId", "true")
    await states.points(s, stop="EVConnected,Authorized")
    session = Session()
    async with s.offline():
        await s.operator("plug-in", session.evse)
        await s.operator("present-token", session.token)
        await s.operator("start-power", session.evse)
        await s.sleep(0.3)
        s.answer("TransactionEvent", lambda v: states.info("Invalid") if "idToken" in v else {})
    ended = await states.event(s, session, type_="Ended", reason="Deauthorized")
    s.require(
        ended["transactionInfo.stoppedReason"] == "DeAuthorized",
        "stoppedReason DeAuthorized",
        ended.payload,
    )


# --- what is known of them --------------------------------------------------------------------------------


async def _status(s: Csms, id_: str, *, ongoing: bool | None, queue: bool) -> None:
    """GetTransactionStatus of a transaction, of none in particular when the id is "", says this."""
    answer = await s.call("GetTransactionStatus", {"transactionId": id_} if id_ else {})
    told = (answer["ongoingIndicator"], answer["messagesInQueue"])
    s.require(told == (ongoing, queue), f"ongoing {ongoing}, queue {queue}", answer.payload)


@asynccontextmanager
async def _held_back(s: Csms) -> AsyncIterator[None]:
    """The station was offline; behind it nothing that it has queued is answered."""
    async with s.offline():
        yield
        s.answer("TransactionEvent", SILENT)


@station_test("TC_E_28")
async def status_of_an_unknown_transaction(s: Csms) -> None:
    """Of a transaction that it never had the station tells that it is not ongoing and nothing is queued."""
    await _status(s, "7b2a4b1c-unknown", ongoing=False, queue=False)


@station_test("TC_E_29", needs=_CHARGING)
async def status_of_an_ongoing_transaction_with_a_queue(s: Csms) -> None:
    """Of a transaction that goes on, with an event on its way, the station tells both."""
    session = await states.charging_session(s)
    async with _held_back(s):
        await s.operator("stop-power", session.evse)
        await s.sleep(0.3)
    await _status(s, session.id, ongoing=True, queue=True)


@station_test("TC_E_30", needs=_CHARGING)
async def status_of_an_ongoing_transaction(s: Csms) -> None:
    """Of a transaction that goes on, all of it told, the station tells that nothing is queued."""
    session = await states.charging_session(s)
    await _status(s, session.id, ongoing=True, queue=False)


@station_test("TC_E_31", needs=_VISIT)
async def status_of_an_ended_transaction_with_a_queue(s: Csms) -> None:
    """Of a transaction that ended offline, with events on their way, the station tells both."""
    session = await states.charging_session(s)
    async with _held_back(s):
        await s.operator("present-token", session.token)
        await s.operator("unplug", session.evse)
        await s.sleep(0.3)
    await _status(s, session.id, ongoing=False, queue=True)


@station_test("TC_E_32", needs=_VISIT)
async def status_of_an_ended_transaction(s: Csms) -> None:
    """Of a transaction that ended, all of it told, the station tells neither."""
    session = await states.charging_session(s)
    await states.finished(s, session)
    await s.sleep(0.2)
    await _status(s, session.id, ongoing=False, queue=False)


@station_test("TC_E_33", needs=_CHARGING)
async def status_without_an_id_with_a_queue(s: Csms) -> None:
    """Asked for no transaction in particular, the station tells only whether anything is queued: something is."""
    session = await states.charging_session(s)
    async with _held_back(s):
        await s.operator("stop-power", session.evse)
        await s.sleep(0.3)
    await _status(s, "", ongoing=None, queue=True)


@station_test("TC_E_34")
async def status_without_an_id(s: Csms) -> None:
    """Asked for no transaction in particular, the station tells only whether anything is queued: nothing is."""
    await _status(s, "", ongoing=None, queue=False)
