"""Block C: who may charge, and who may stop."""

from __future__ import annotations

from fuzz.conformance import states
from fuzz.conformance.script import Csms, station_test
from fuzz.conformance.states import Session

_TOKEN = ("plug-in", "present-token")
_CHARGING = (*_TOKEN, "start-power")
_GROUP = "OCPPFUZZ-GROUP"


async def _is_not_let_in(s: Csms, status: str) -> None:
    """A token of which the CSMS says `status` begins nothing, although an EV waits."""
    s.answer("Authorize", states.info(status))
    await states.plugged_in(s, Session())
    s.forget("TransactionEvent")
    await s.operator("present-token", states.TOKEN)
    await s.expect("Authorize", {"idToken.idToken": states.TOKEN})
    await s.silence("TransactionEvent", for_s=0.7)


@station_test("TC_C_02", needs=_TOKEN)
async def an_invalid_token(s: Csms) -> None:
    """A token that the CSMS calls Invalid begins no transaction."""
    await _is_not_let_in(s, "Invalid")


@station_test("TC_C_06", needs=_TOKEN)
async def a_blocked_token(s: Csms) -> None:
    """A token that the CSMS calls Blocked begins no transaction."""
    await _is_not_let_in(s, "Blocked")


@station_test("TC_C_07", needs=_TOKEN)
async def an_expired_token(s: Csms) -> None:
    """A token that the CSMS calls Expired begins no transaction."""
    await _is_not_let_in(s, "Expired")


@station_test("TC_C_56", needs=_TOKEN)
async def an_unknown_token(s: Csms) -> None:
    """A token that the CSMS calls Unknown begins no transaction."""
    await _is_not_let_in(s, "Unknown")


@station_test("TC_C_04", needs=_CHARGING)
async def another_token_during_a_transaction(s: Csms) -> None:
    """Another token, even an accepted one, does not touch the running transaction."""
    session = await states.charging_session(s)
    await _another_token(s, session)


async def _another_token(s: Csms, session: Session) -> None:
    """A second token is shown, asked for, and changes nothing of the transaction."""
    s.forget()
    await s.operator("present-token", states.OTHER_TOKEN)
    await s.expect("Authorize", {"idToken.idToken": states.OTHER_TOKEN})
    await s.silence(
        "TransactionEvent",
        for_s=0.7,
        where=lambda v: v["idToken"] is not None or v["eventType"] == "Ended",
        what="no TransactionEvent tells of the other token",
    )
    status = await s.call("GetTransactionStatus", {"transactionId": session.id})
    s.require(status["ongoingIndicator"] is True, "the transaction goes on", status.payload)


@station_test("TC_C_39", needs=_CHARGING)
async def a_token_of_the_same_group_stops(s: Csms) -> None:
    """A second token of the group that started the transaction stops it."""
    s.answer("Authorize", states.info("Accepted", _GROUP))
    s.answer(
        "TransactionEvent", lambda v: states.info("Accepted", _GROUP) if "idToken" in v else {}
    )
    session = await states.charging_session(s)
    await s.operator("present-token", states.OTHER_TOKEN)
    await s.expect("Authorize", {"idToken.idToken": states.OTHER_TOKEN})
    ends = await states.stop_points(s) & {"Authorized", "PowerPathClosed", "EnergyTransfer"}
    await states.event(s, session, type_=("Updated", "Ended"), reason="StopAuthorized")
    if ends and not session.ended:
        await states.event(s, session, type_="Ended")


@station_test("TC_C_42", needs=_CHARGING)
async def an_invalid_token_of_the_same_group(s: Csms) -> None:
    """A second token of the group that is not accepted itself stops nothing."""
    s.answer("Authorize", states.info("Accepted", _GROUP), times=1)
    s.answer("Authorize", states.info("Invalid", _GROUP))
    s.answer(
        "TransactionEvent", lambda v: states.info("Accepted", _GROUP) if "idToken" in v else {}
    )
    session = await states.charging_session(s)
    await _another_token(s, session)


@station_test("TC_C_26", needs=(*_CHARGING, "unplug"))
async def an_unknown_token_offline_turns_out_invalid(s: Csms) -> None:
    """A token let in offline that the CSMS then calls Invalid gets no energy, where it may not end the transaction."""
    await s.set_variable("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "true")
    await s.set_variable("TxCtrlr", "StopTxOnInvalidId", "false")
    session = Session()
    async with s.offline():
        await s.operator("plug-in", session.evse)
        await s.operator("present-token", session.token)
        await s.operator("start-power", session.evse)
        await s.sleep(0.3)
        s.answer("TransactionEvent", lambda v: states.info("Invalid") if "idToken" in v else {})
    started = await states.event(s, session, type_="Started")
    s.require(started["offline"] is True, "what happened offline says so", started.payload)
    await states.event(
        s, session, type_="Updated", reason="ChargingStateChanged", state="SuspendedEVSE"
    )
