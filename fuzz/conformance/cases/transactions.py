"""Block E, online: where a transaction starts, how it runs, and what ends it."""

from __future__ import annotations

import itertools

from fuzz.conformance import states
from fuzz.conformance.script import Csms, station_test
from fuzz.conformance.states import Session
from fuzz.conformance.view import View

_CHARGING = ("plug-in", "present-token", "start-power")
_VISIT = (*_CHARGING, "unplug")
_REMOTE = ("plug-in", "start-power", "unplug")


def _require_place(s: Csms, view: View, session: Session) -> None:
    told = (view["evse.id"], view["evse.connectorId"])
    s.require(told == (session.evse, 1), "the event names EVSE and connector", view.payload)


def _require_token(s: Csms, view: View, token: str) -> None:
    s.require(view["idToken.idToken"] == token, "the event carries the idToken", view.payload)


def _require_ended(s: Csms, view: View, *reasons: str | None) -> None:
    s.require(view["eventType"] == "Ended", "the transaction ends", view.payload)
    told = view["transactionInfo.stoppedReason"]
    s.require(told in reasons, f"stoppedReason {' or '.join(map(str, reasons))}", view.payload)


def _require_numbers(s: Csms, session: Session) -> None:
    """One Started, the first; at most one Ended, the last; seqNo grows by one from event to event."""
    mine = [
        h
        for h in s.heard
        if h.action == "TransactionEvent" and h["transactionInfo.transactionId"] == session.id
    ]
    numbers = [h.view.number("seqNo") for h in mine]
    s.require(
        all(b - a == 1 for a, b in itertools.pairwise(numbers)),
        "seqNo has no gap",
        numbers,
    )
    kinds = [h.view.text("eventType") for h in mine]
    s.require(kinds[0] == "Started" and kinds.count("Started") == 1, "one Started, first", kinds)
    s.require("Ended" not in kinds[:-1], "nothing after Ended", kinds)


# --- a whole visit ----------------------------------------------------------------------------------------


@station_test("TC_E_03", needs=_CHARGING)
async def cable_first(s: Csms) -> None:
    """Plugged in first and authorized then, the EV charges."""
    session = await states.charging_session(s)
    _require_numbers(s, session)


@station_test("TC_E_04", needs=_CHARGING)
async def token_first(s: Csms) -> None:
    """Authorized first and plugged in then, the EV charges."""
    session = Session()
    await states.authorized(s, session)
    await states.plugged_in(s, session)
    await states.charging(s, session)
    _require_numbers(s, session)


@station_test("TC_E_06", needs=_VISIT)
async def local_stop(s: Csms) -> None:
    """The token that started the transaction stops it, and the cable is taken out."""
    session = await states.charging_session(s)
    await states.finished(s, session)
    _require_numbers(s, session)


async def _nobody_came(s: Csms) -> Session:
    """Authorized, and no EV is plugged in before the time is over."""
    await s.set_variable("TxCtrlr", "EVConnectionTimeOut", 1)
    await states.points(s, start="Authorized", stop="EVConnected,Authorized")
    session = Session()
    await states.authorized(s, session)
    ended = await states.event(s, session, reason="EVConnectTimeout")
    _require_ended(s, ended, "Timeout")
    await s.set_variable("TxCtrlr", "EVConnectionTimeOut", 60)
    return session


@station_test("TC_E_05", needs=_CHARGING)
async def no_cable_in_time(s: Csms) -> None:
    """An authorization to which no EV comes times out, and the EVSE can be used again."""
    first = await _nobody_came(s)
    second = await states.charging_session(s)
    s.require(first.id != second.id, "the new transaction has an id of its own", second.id)


@station_test("TC_E_39", needs=("plug-in", "present-token", "start-power"))
async def an_authorization_that_timed_out_is_gone(s: Csms) -> None:
    """After the time is over an EV that is plugged in gets no energy without a new authorization."""
    await _nobody_came(s)
    s.forget()
    await s.operator("plug-in", 1)
    await s.expect_status(1, "Occupied")
    await s.operator("start-power", 1)
    await s.silence(
        "TransactionEvent",
        for_s=0.7,
        where=lambda v: v["transactionInfo.chargingState"] == "Charging",
        what="no energy without an authorization",
    )


# --- where it starts --------------------------------------------------------------------------------------


@station_test("TC_E_09", needs=("plug-in",))
async def starts_with_the_cable(s: Csms) -> None:
    """With TxStartPoint EVConnected the transaction starts when the cable is plugged in."""
    await states.points(s, start="EVConnected")
    session = Session()
    await s.operator("plug-in", session.evse)
    started = await states.event(
        s,
        session,
        type_="Started",
        reason=("CablePluggedIn", "ChargingStateChanged"),
        state="EVConnected",
    )
    _require_place(s, started, session)


@station_test("TC_E_10", needs=("present-token",))
async def starts_with_the_token(s: Csms) -> None:
    """With TxStartPoint Authorized the transaction starts with an accepted token."""
    await states.points(s, start="Authorized")
    session = Session()
    await s.operator("present-token", session.token)
    await s.expect("Authorize", {"idToken.idToken": session.token})
    started = await states.event(s, session, type_="Started", reason="Authorized")
    _require_token(s, started, session.token)


@station_test("TC_E_13")
async def starts_with_a_remote_start(s: Csms) -> None:
    """With TxStartPoint Authorized the transaction starts with a remote start."""
    await states.points(s, start="Authorized")
    session = Session(token=states.REMOTE_TOKEN)
    remote_id = s.request_id()
    token = states.id_token(session.token)
    await s.accepted(
        "RequestStartTransaction",
        {"idToken": token, "evseId": session.evse, "remoteStartId": remote_id},
    )
    started = await states.event(s, session, type_="Started", reason="RemoteStart")
    _require_token(s, started, session.token)
    told = started["transactionInfo.remoteStartId"]
    s.require(told == remote_id, "the event carries the remoteStartId", started.payload)


@station_test("TC_E_01", needs=("plug-in", "present-token"))
async def starts_with_the_power_path(s: Csms) -> None:
    """With TxStartPoint PowerPathClosed the transaction starts when cable and authorization are both there."""
    await states.points(s, start="PowerPathClosed")
    session = Session()
    await states.plugged_in(s, session)
    early = s.untaken("TransactionEvent")
    s.require(not early, "no transaction yet", [h.view.payload for h in early])
    await states.authorized(s, session)
    started = await states.event(s, session, type_="Started")
    _require_token(s, started, session.token)
    _require_place(s, started, session)


@station_test("TC_E_02", needs=_CHARGING)
async def starts_with_the_energy(s: Csms) -> None:
    """With TxStartPoint EnergyTransfer the transaction starts when energy flows."""
    await states.points(s, start="EnergyTransfer")
    session = Session()
    await states.plugged_in(s, session)
    await states.authorized(s, session)
    early = s.untaken("TransactionEvent")
    s.require(not early, "no transaction yet", [h.view.payload for h in early])
    await s.operator("start-power", session.evse)
    reasons = ("ChargingStateChanged", "Authorized", "RemoteStart")
    started = await states.event(s, session, type_="Started", reason=reasons, state="Charging")
    _require_token(s, started, session.token)
    _require_place(s, started, session)


# --- where it ends ----------------------------------------------------------------------------------------


async def _unplugged(s: Csms, session: Session, *reasons: str) -> None:
    """The cable is taken out of the EV: the transaction ends, the connector is free."""
    view = await states.unplugged(s, session)
    s.require(view is not None, "the transaction ran until now")
    if view is not None:
        _require_ended(s, view, *reasons)
    _require_numbers(s, session)


@station_test("TC_E_20", needs=_VISIT)
async def ends_with_the_cable(s: Csms) -> None:
    """With TxStopPoint EVConnected the transaction ends when the EV is unplugged."""
    await states.points(s, stop="EVConnected")
    await _unplugged(s, await states.charging_session(s), "EVDisconnected")


@station_test("TC_E_54", needs=_VISIT)
async def ends_with_the_cable_of_a_simple_ev(s: Csms) -> None:
    """With TxStopPoint EVConnected the transaction of an EV that only signals as IEC 61851-1 says ends unplugged."""
    await states.points(s, stop="EVConnected")
    session = await states.charging_session(s)
    await states.suspended_by_ev(s, session)
    await _unplugged(s, session, "EVDisconnected")


@station_test("TC_E_15", needs=_CHARGING)
async def ends_with_the_token(s: Csms) -> None:
    """With TxStopPoint Authorized the transaction ends with the token that started it."""
    await states.points(s, stop="Authorized")
    session = await states.charging_session(s)
    await s.operator("present-token", session.token)
    ended = await states.event(s, session, type_="Ended", reason="StopAuthorized")
    _require_ended(s, ended, "Local", None)


@station_test("TC_E_21", needs=_REMOTE)
async def ends_with_a_remote_stop(s: Csms) -> None:
    """With TxStopPoint Authorized the transaction ends with a remote stop."""
    await states.points(s, stop="Authorized")
    session = await states.remote_charging_session(s)
    _require_ended(s, await states.remotely_stopped(s, session), "Remote")


@station_test("TC_E_07", needs=_CHARGING)
async def power_path_opened_locally(s: Csms) -> None:
    """With TxStopPoint PowerPathClosed the transaction ends with the token that started it."""
    await states.points(s, stop="PowerPathClosed")
    session = await states.charging_session(s)
    _require_ended(s, await states.stop_authorized(s, session), "Local", None)


@station_test("TC_E_35", needs=_REMOTE)
async def power_path_opened_remotely(s: Csms) -> None:
    """With TxStopPoint PowerPathClosed the transaction ends with a remote stop."""
    await states.points(s, stop="PowerPathClosed")
    session = await states.remote_charging_session(s)
    _require_ended(s, await states.remotely_stopped(s, session), "Remote")


@station_test("TC_E_37", needs=_VISIT)
async def power_path_opened_by_the_ev(s: Csms) -> None:
    """With TxStopPoint PowerPathClosed the transaction ends when the EV is unplugged."""
    await states.points(s, stop="PowerPathClosed")
    session = await states.charging_session(s)
    await _unplugged(s, session, "EVDisconnected", "StoppedByEV")


@station_test("TC_E_17", needs=_VISIT)
async def unplugging_takes_the_authorization(s: Csms) -> None:
    """Where unplugging at the EV stops a transaction, it needs a new authorization to go on, and the connector is free."""
    stops = await s.get_variable("TxCtrlr", "StopTxOnEVSideDisconnect")
    s.require(stops["attributeValue"] == "true", "StopTxOnEVSideDisconnect", stops.payload)
    session = await states.charging_session(s)
    await _unplugged(s, session, "EVDisconnected")
    s.forget()
    await s.operator("plug-in", session.evse)
    await s.operator("start-power", session.evse)
    await s.silence(
        "TransactionEvent",
        for_s=0.5,
        where=lambda v: v["transactionInfo.chargingState"] == "Charging",
        what="no energy without a new authorization",
    )


@station_test("TC_E_25", needs=_VISIT)
async def unplugging_does_not_unlock(s: Csms) -> None:
    """Where unplugging at the EV stops a transaction and nothing is unlocked, the connector is free afterwards."""
    for component, name, value in (
        ("TxCtrlr", "StopTxOnEVSideDisconnect", "true"),
        ("OCPPCommCtrlr", "UnlockOnEVSideDisconnect", "false"),
    ):
        held = await s.get_variable(component, name)
        s.require(held["attributeValue"] == value, f"{name} is {value}", held.payload)
    await _unplugged(s, await states.charging_session(s), "EVDisconnected")
