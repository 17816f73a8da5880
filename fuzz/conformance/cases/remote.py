"""Block F: remote start and stop, and what TriggerMessage may ask for."""

from __future__ import annotations

from fuzz.conformance import states
from fuzz.conformance.script import Csms, station_test
from fuzz.conformance.states import Session
from strategies.labels import JsonObject

_CHARGING = ("plug-in", "start-power")


@station_test("TC_F_01", needs=_CHARGING)
async def remote_start_of_a_connected_ev(s: Csms) -> None:
    """A remote start at an EVSE whose transaction has begun names that transaction, and the EV charges."""
    # The first event has to come before the authorization, or there would be no transactionId to return (F01.FR.13).
    await states.points(s, start="EVConnected")
    await states.plugged_in(s, session := Session())
    answer = await states.remotely_authorized(s, session, plugged=True)
    s.require(
        answer["transactionId"] == session.id, "the answer names the transaction", answer.payload
    )
    await states.charging(s, session)


@station_test("TC_F_03", needs=_CHARGING)
async def remote_start_without_authorization(s: Csms) -> None:
    """With AuthorizeRemoteStart false a remote start leads to no Authorize, and the EV charges."""
    await s.get_variable("AuthCtrlr", "AuthorizeRemoteStart")
    session = Session()
    await states.remotely_authorized(s, session, plugged=False)
    await states.plugged_in(s, session)
    await states.charging(s, session)
    asked = s.untaken("Authorize")
    s.require(not asked, "no Authorize is sent", [h.view.payload for h in asked])


@station_test("TC_F_04", needs=("plug-in", "start-power"), slow=True)
async def remote_start_without_an_ev(s: Csms) -> None:
    """A remote start to which no EV comes times out, and the EVSE can be used again."""
    await s.set_variable("TxCtrlr", "EVConnectionTimeOut", 1)
    await states.points(s, start="Authorized", stop="Authorized")
    await states.remotely_authorized(s, session := Session(), plugged=False)
    ended = await states.event(s, session, type_="Ended", reason="EVConnectTimeout")
    s.require(
        ended["transactionInfo.stoppedReason"] == "Timeout", "stoppedReason Timeout", ended.payload
    )
    await s.set_variable("TxCtrlr", "EVConnectionTimeOut", 60)
    s.forget()
    await states.remotely_authorized(s, again := Session(), plugged=False)
    await states.plugged_in(s, again)
    await states.charging(s, again)
    s.require(again.id != session.id, "the new transaction has an id of its own", again.id)


@station_test("TC_F_08", needs=_CHARGING)
async def remote_stop(s: Csms) -> None:
    """A remote stop of the running transaction is accepted and told as RemoteStop."""
    session = await states.remote_charging_session(s)
    view = await states.remotely_stopped(s, session)
    if session.ended:
        s.require(
            view["transactionInfo.stoppedReason"] == "Remote", "stoppedReason Remote", view.payload
        )


@station_test("TC_F_09", needs=_CHARGING)
async def remote_stop_of_another_transaction(s: Csms) -> None:
    """A remote stop of a transaction that the station does not have is rejected, and the running one goes on."""
    session = await states.remote_charging_session(s)
    s.forget("TransactionEvent")
    stop: JsonObject = {"transactionId": f"{session.id[:-1]}+"}
    await s.accepted("RequestStopTransaction", stop, status="Rejected")
    await s.silence("TransactionEvent", for_s=0.5, where={"triggerReason": "RemoteStop"})


async def _trigger(s: Csms, message: str, *, status: str = "Accepted", evse: int = 0) -> None:
    s.forget()
    asked: JsonObject = {"requestedMessage": message}
    if evse:
        asked["evse"] = {"id": evse, "connectorId": 1}
    await s.accepted("TriggerMessage", asked, status=status)


@station_test("TC_F_20")
async def trigger_heartbeat(s: Csms) -> None:
    """A Heartbeat that is asked for is sent."""
    await _trigger(s, "Heartbeat")
    await s.expect("Heartbeat")


@station_test("TC_F_23")
async def trigger_status_of_a_free_connector(s: Csms) -> None:
    """The status of a free connector that is asked for is Available."""
    await _trigger(s, "StatusNotification", evse=1)
    await s.expect_status(1, "Available")


@station_test("TC_F_24", needs=("plug-in",))
async def trigger_status_of_an_occupied_connector(s: Csms) -> None:
    """The status of an occupied connector that is asked for is Occupied."""
    await states.plugged_in(s, Session())
    await _trigger(s, "StatusNotification", evse=1)
    await s.expect_status(1, "Occupied")


@station_test("TC_F_26")
async def trigger_a_boot_that_was_accepted(s: Csms) -> None:
    """A BootNotification is not sent again to a CSMS that accepted the last one."""
    await _trigger(s, "BootNotification", status="Rejected")
    await s.silence("BootNotification", for_s=0.5)


@station_test("TC_F_27")
async def trigger_what_is_not_implemented(s: Csms) -> None:
    """A message that the station does not have is NotImplemented."""
    await _trigger(s, "SignCombinedCertificate", status="NotImplemented")
    await s.silence("SignCertificate", for_s=0.5)
