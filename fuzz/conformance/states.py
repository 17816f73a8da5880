"""The states that tests share: booted, authorized, EV connected, energy flowing, and the way out again.

Knows which messages a station sends on the way, whatever its TxStartPoint and TxStopPoint are. Must not know a test.
"""

from __future__ import annotations

from dataclasses import dataclass

from fuzz.conformance.papers import new_root
from fuzz.conformance.script import Csms
from fuzz.conformance.view import View
from strategies.labels import JsonObject
from tlslab.pki import Credential

TOKEN = "0404A1B2C3D4"
OTHER_TOKEN = "0404FFEEDDCC"
REMOTE_TOKEN = "0404C0FFEE01"
TOKEN_TYPE = "ISO14443"


@dataclass(slots=True)
class Session:
    """One EV's visit at one EVSE; `id` is the transactionId, "" before there is one."""

    evse: int = 1
    token: str = TOKEN
    id: str = ""
    ended: bool = False


def id_token(token: str = TOKEN) -> JsonObject:
    """An IdTokenType of a card."""
    return {"idToken": token, "type": TOKEN_TYPE}


def info(status: str = "Accepted", group: str = "") -> JsonObject:
    """A payload that answers Authorize or a TransactionEvent with this status, and a group token if one is named."""
    told: JsonObject = {"status": status}
    if group:
        told["groupIdToken"] = {"idToken": group, "type": "Central"}
    return {"idTokenInfo": told}


# --- booting ----------------------------------------------------------------------------------------------


async def reset(s: Csms, kind: str = "Immediate", *, status: str = "Accepted") -> None:
    """A Reset is accepted (or Scheduled); the station will come back by itself."""
    s.note_connection()
    s.forget()
    await s.accepted("Reset", {"type": kind}, status=status)


async def booted(s: Csms, *, reason: str = "", statuses: bool = True) -> View:
    """The station says BootNotification, reports every connector Available, and tells that it started."""
    where = {"reason": reason} if reason else None
    boot = await s.expect("BootNotification", where, within=90.0)
    if statuses:
        await s.expect_statuses()
    await s.expect_security_event("StartupOfTheDevice", "ResetOrReboot")
    return boot


async def rebooted(s: Csms, kind: str = "Immediate") -> View:
    """A reset, and the station is back in its idle state."""
    await reset(s, kind)
    return await booted(s)


# --- settings ---------------------------------------------------------------------------------------------


async def start_points(s: Csms) -> set[str]:
    """The points of TxStartPoint as they are set."""
    return set((await s.get_variable("TxCtrlr", "TxStartPoint")).text("attributeValue").split(","))


async def stop_points(s: Csms) -> set[str]:
    """The points of TxStopPoint as they are set."""
    return set((await s.get_variable("TxCtrlr", "TxStopPoint")).text("attributeValue").split(","))


async def points(s: Csms, start: str = "", stop: str = "") -> None:
    """TxStartPoint and TxStopPoint are set to these lists, where given."""
    if start:
        await s.set_variable("TxCtrlr", "TxStartPoint", start)
    if stop:
        await s.set_variable("TxCtrlr", "TxStopPoint", stop)


# --- certificates -----------------------------------------------------------------------------------------


def csms_root(s: Csms, name: str) -> Credential:
    """A further CSMS root that this station may take: with AS-2 the installed one must vouch for it (M05.FR.10)."""
    vouching = s.place.lab.root.read() if s.items.get("AS-2") else None
    return new_root(name, s.clock.now(), vouching)


# --- a visit ----------------------------------------------------------------------------------------------


async def event(
    s: Csms,
    session: Session,
    *,
    type_: str | tuple[str, ...] = ("Started", "Updated", "Ended"),
    reason: str | tuple[str, ...] = (),
    state: str | tuple[str, ...] = (),
    within: float | None = None,
    what: str = "",
) -> View:
    """The next TransactionEvent of the session with one of these types, trigger reasons and charging states."""
    types, reasons, states = _many(type_), _many(reason), _many(state)

    def fits(v: View) -> bool:
        mine = not session.id or v["transactionInfo.transactionId"] == session.id
        right = v["eventType"] in types and (not reasons or v["triggerReason"] in reasons)
        return mine and right and (not states or v["transactionInfo.chargingState"] in states)

    wish = what or (
        f"a TransactionEvent {'/'.join(types)}"
        + (f" because of {'/'.join(reasons)}" if reasons else "")
        + (f" in chargingState {'/'.join(states)}" if states else "")
    )
    view = await s.expect("TransactionEvent", fits, within=within, what=wish)
    session.id = view.text("transactionInfo.transactionId")
    session.ended = view["eventType"] == "Ended"
    return view


def _many(words: str | tuple[str, ...]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else words


async def plugged_in(s: Csms, session: Session) -> None:
    """EVConnectedPreSession: the cable is in, the connector Occupied; a TransactionEvent where one is due."""
    due = bool(session.id) or "EVConnected" in await start_points(s)
    await s.operator("plug-in", session.evse)
    await s.expect_status(session.evse, "Occupied")
    if due:
        reasons = ("CablePluggedIn", "ChargingStateChanged", "RemoteStart")
        view = await event(s, session, type_=("Started", "Updated"), reason=reasons)
        s.require(view["evse.id"] == session.evse, "the event names the EVSE", view.payload)


async def authorized(s: Csms, session: Session) -> None:
    """Authorized locally: a token is presented and Authorize asked; a TransactionEvent where one is due."""
    due = bool(session.id) or "Authorized" in await start_points(s)
    await s.operator("present-token", session.token)
    await s.expect("Authorize", {"idToken.idToken": session.token})
    if due:
        view = await event(s, session, type_=("Started", "Updated"), reason="Authorized")
        s.require(
            view["idToken.idToken"] == session.token, "the event carries the idToken", view.payload
        )


async def remotely_authorized(s: Csms, session: Session, *, plugged: bool) -> View:
    """Authorized remotely: RequestStartTransaction is accepted; a TransactionEvent RemoteStart where one is due."""
    session.token = REMOTE_TOKEN
    starts = await start_points(s)
    due = bool(session.id) or "Authorized" in starts or (plugged and "PowerPathClosed" in starts)
    remote_id = s.request_id()
    answer = await s.accepted(
        "RequestStartTransaction",
        {"idToken": id_token(REMOTE_TOKEN), "evseId": session.evse, "remoteStartId": remote_id},
    )
    if due:
        view = await event(s, session, type_=("Started", "Updated"), reason="RemoteStart")
        s.require(
            view["transactionInfo.remoteStartId"] == remote_id,
            "the event carries the remoteStartId",
            view.payload,
        )
    return answer


async def charging(s: Csms, session: Session) -> View:
    """EnergyTransferStarted: the EV takes energy, and a TransactionEvent says Charging."""
    await s.operator("start-power", session.evse)
    return await event(s, session, type_=("Started", "Updated"), state="Charging")


async def charging_session(s: Csms, evse: int = 1, token: str = TOKEN) -> Session:
    """A session that charges, plugged in first and authorized locally."""
    session = Session(evse, token)
    await plugged_in(s, session)
    await authorized(s, session)
    await charging(s, session)
    return session


async def remote_charging_session(s: Csms, evse: int = 1) -> Session:
    """A session that charges, plugged in first and authorized remotely."""
    session = Session(evse, REMOTE_TOKEN)
    await plugged_in(s, session)
    await remotely_authorized(s, session, plugged=True)
    await charging(s, session)
    return session


async def suspended_by_ev(s: Csms, session: Session) -> View:
    """EnergyTransferSuspended: the EV pauses."""
    await s.operator("stop-power", session.evse)
    return await event(s, session, state=("SuspendedEV", "EVConnected"))


async def stop_authorized(s: Csms, session: Session) -> View:
    """StopAuthorized locally: the same token again; Ended where the TxStopPoint says so, by the last of two events."""
    ends = await stop_points(s) & {"Authorized", "PowerPathClosed", "EnergyTransfer"}
    await s.operator("present-token", session.token)
    view = await event(s, session, type_=("Updated", "Ended"), reason="StopAuthorized")
    if ends and not session.ended:
        view = await event(s, session, type_="Ended")
    s.require(
        view["transactionInfo.stoppedReason"] in (None, "Local") or not session.ended,
        "stoppedReason is Local or absent",
        view.payload,
    )
    return view


async def remotely_stopped(s: Csms, session: Session) -> View:
    """StopAuthorized remotely: RequestStopTransaction is accepted and a TransactionEvent RemoteStop follows."""
    await s.accepted("RequestStopTransaction", {"transactionId": session.id})
    return await event(s, session, type_=("Updated", "Ended"), reason="RemoteStop")


async def unplugged(s: Csms, session: Session, *, status: str = "Available") -> View | None:
    """EVDisconnected: the connector is Available; a running transaction tells that the EV is gone."""
    running = bool(session.id) and not session.ended
    await s.operator("unplug", session.evse)
    view = None
    if running:
        view = await event(s, session, reason="EVCommunicationLost", state="Idle")
    await s.expect_status(session.evse, status)
    return view


async def finished(s: Csms, session: Session) -> None:
    """The session is over in the ordinary way: stopped with its token, unplugged."""
    if not session.ended:
        await stop_authorized(s, session)
    await unplugged(s, session)
