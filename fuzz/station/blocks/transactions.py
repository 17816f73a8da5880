"""Transactions: TransactionEvent and GetTransactionStatus (Part 2, block E).

Knows how plugs, authorisations and energy become transactions; must not know how a token was judged.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from fuzz.ocppj.peer import Answered
from fuzz.station.blocks.base import Block, Handler, member
from fuzz.station.context import Context, Outcome
from fuzz.station.events import Note, OperatorEvent, PowerCycle
from fuzz.station.outbox import Outbox
from fuzz.station.states import Registration
from fuzz.station.transaction import (
    ENDS_DEAUTHORIZED,
    ENDS_UNPLUGGED,
    Grant,
    Session,
    begins,
    charging_state,
    group_of,
    limits_of,
    restored,
)
from strategies.labels import JsonObject, JsonValue

_NOBODY: JsonObject = {"idToken": "", "type": "NoAuthorization"}


class TransactionsBlock(Block):
    """Keeps one session for each EVSE in use, and those whose EVSE is not known yet."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._serials = itertools.count(1)
        self._sessions: dict[int, Session] = {}
        self._floating: list[Session] = []
        """Authorised at the one reader of the station, to be used at the next plug-in (AQ-8)."""
        self._lost: list[Session] = []
        self._outbox = context.outboxes["transaction"] = Outbox(context, self._heard)
        context.transactions = self

    def handlers(self) -> Mapping[str, Handler]:
        """Answers GetTransactionStatus."""
        return {"GetTransactionStatus": self._status}

    # --- life ---------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """What ran when the power went is ended (E08); a session without a transaction is forgotten."""
        lost = [*self._lost, *(session for session in self._each() if session.transaction)]
        self._lost, self._floating = [], []
        self._sessions.clear()
        self._open_all()
        stopped = "PowerLoss" if self.context.boot_reason == "PowerUp" else "Reboot"
        for session in lost:
            evse = self.context.evses.get(session.evse)
            session.connector = evse.plugged if evse else 0
            session.authorized = False
            self._end(session, "AbnormalCondition", stopped)
        self._look()

    def accepted(self) -> None:
        """Where nobody needs an authorisation, whoever is plugged in may charge now."""
        for session in list(self._sessions.values()):
            if session.connector and not session.authorized and not self._needs_authorization:
                self.admit(Grant(_NOBODY, evse=session.evse))

    def happened(self, event: OperatorEvent) -> None:
        """Follows what the hardware has become; without power nothing is noticed until the next start."""
        if isinstance(event, PowerCycle) or self.context.rebooting:
            self._open_all()
            self.context.dirty = True
        else:
            self._look()

    def lasting(self) -> JsonObject:
        """The transactions that run."""
        running = [session for session in self._each() if session.transaction]
        return {"transactions": [session.lasting() for session in [*self._lost, *running]]}

    def restore(self, lasting: Mapping[str, JsonValue]) -> None:
        """Takes over transactions, to be ended when the power is on."""
        stored = lasting.get("transactions")
        listed = stored if isinstance(stored, list) else []
        sessions = (restored(next(self._serials), item) for item in listed)
        self._lost = [session for session in sessions if session is not None]

    # --- what other blocks ask ----------------------------------------------------------------------------

    def on(self, evse: int) -> str:
        """The id of the transaction on an EVSE, "" when there is none; EVSE 0 asks for any at all."""
        sessions = self._each() if evse == 0 else (s for s in self._each() if s.evse == evse)
        return next((session.transaction for session in sessions if session.transaction), "")

    def authorized(self, evse: int) -> bool:
        """Whether somebody was authorised for an EVSE."""
        return evse in self._sessions and self._sessions[evse].authorized

    def waiting(self, evses: frozenset[int]) -> int:
        """The EVSE among `evses` (empty: all) where an EV waits for an authorisation, 0 for none; the last one wins."""
        waiting = [session for session in self._sessions.values() if self._waits(session, evses)]
        return max(waiting, key=lambda session: session.serial).evse if waiting else 0

    def admit(self, grant: Grant) -> str:
        """Lets somebody charge; the reasonCode when that cannot be, "" when it can."""
        number = grant.evse or self.waiting(grant.evses)
        reason = self._reason_against(number, grant.evses)
        if reason:
            return reason
        session = self._sessions.get(number) or Session(next(self._serials), number)
        if number:
            self._sessions[number] = session
        else:
            self._floating.append(session)
        session.admit(grant)
        if not session.connector:
            self._await_plug(session)
        self._report(session, "Authorized" if grant.remote_start_id is None else "RemoteStart")
        self._settle(session)
        return ""

    def stop_of(self, token: JsonObject) -> bool:
        """Ends the authorisation that `token` began (E07.FR.01); False when there is none."""
        session = next((session for session in self._each() if session.is_of(token)), None)
        if session is None:
            return False
        self._deauthorize(session, "StopAuthorized", "Local", token)
        return True

    def stop_group(self, group: str, token: JsonObject) -> bool:
        """Ends the authorisation of another token of the same group (C09); False when there is none."""
        same = (s for s in self._each() if s.authorized and s.transaction and _same(s.group, group))
        session = next(same, None) if group else None
        if session is None:
            return False
        self._deauthorize(session, "StopAuthorized", "Local", token)
        return True

    def stop(self, transaction: str) -> bool:
        """Ends the authorisation of a transaction because the CSMS asked for it (F03); False when it is unknown."""
        session = self._find(transaction)
        if session is None:
            return False
        self._deauthorize(session, "RemoteStop", "Remote")
        return True

    def end_all(self, trigger: str, stopped: str) -> None:
        """Ends every transaction, energy first, with a triggerReason and a stoppedReason."""
        for session in list(self._each()):
            session.authorized = False
            self._drop(session, trigger, stopped)

    def sampled(self, evse: int, trigger: str, values: list[JsonObject]) -> bool:
        """Tells meter values of the transaction on an EVSE; False when there is none."""
        session = self._sessions.get(evse)
        if session is None or not session.transaction:
            return False
        self._tell(session, "Updated", trigger, values=values)
        return True

    # --- hardware -----------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Compares each session with its EVSE; what differs has just happened."""
        for number, evse in self.context.evses.items():
            session = self._sessions.get(number)
            if session is not None and session.connector not in (0, evse.plugged):
                self._unplugged(session)
            if evse.plugged and (
                number not in self._sessions or not self._sessions[number].connector
            ):
                self._plugged(number, evse.plugged)
            session = self._sessions.get(number)
            if session is not None and session.connector in evse.faulted:
                self._faulted(session)
            elif session is not None:
                self._settle(session)

    def _plugged(self, number: int, connector: int) -> None:
        session = self._sessions.get(number)
        if session is not None and not session.transaction and not self.context.usable(number):
            # Let in before the EVSE was made Inoperative: nothing begins there any more (G03, G04).
            self._drop(session, "EVConnectTimeout", "Timeout")
            session = None
        session = session or self._taken(number)
        self._sessions[number] = session
        session.evse, session.connector = number, connector
        self.context.cancel([_timer(session)])
        if not self._needs_authorization and not session.authorized and self._may_begin(number):
            session.admit(Grant(_NOBODY))
        self._report(session, "CablePluggedIn")

    def _taken(self, number: int) -> Session:
        """The session that waits for a plug-in here, or a new one."""
        fit = [s for s in self._floating if not s.evses or number in s.evses]
        if not fit or not self.context.usable(number):
            return Session(next(self._serials))
        self._floating.remove(fit[0])
        return fit[0]

    def _unplugged(self, session: Session) -> None:
        evse = self.context.evses[session.evse]
        evse.closed, session.connector = False, 0
        if self.context.value("TxCtrlr", "StopTxOnEVSideDisconnect", "true") == "true":
            session.authorized = False  # E09.FR.01
        ended = not session.authorized or bool(ENDS_UNPLUGGED & self._points("TxStopPoint"))
        if ended or not session.transaction:
            self._drop(session, "EVCommunicationLost", "EVDisconnected")
        else:
            self._tell(session, "Updated", "EVCommunicationLost")
            self._await_plug(session)

    def _faulted(self, session: Session) -> None:
        if session.transaction or session.authorized:
            session.authorized = False
            self._drop(session, "AbnormalCondition", "Other")  # E06.FR.16

    def _settle(self, session: Session) -> None:
        """Gives or takes the energy, and tells a charging state that is new (E01.FR.18, E02.FR.13)."""
        evse = self.context.evses.get(session.evse)
        if evse is None:
            return
        evse.advance(self.context.now)
        evse.closed = session.authorized and bool(session.connector) and not session.denied
        session.energised |= evse.flowing
        if self._state(session) != session.state_told:
            self._report(session, "ChargingStateChanged")

    def _open(self, session: Session) -> None:
        evse = self.context.evses.get(session.evse)
        if evse is not None:
            evse.advance(self.context.now)
            evse.closed = False

    def _open_all(self) -> None:
        for evse in self.context.evses.values():
            evse.advance(self.context.now)
            evse.closed = False

    # --- authorisation ------------------------------------------------------------------------------------

    def _deauthorize(
        self, session: Session, trigger: str, stopped: str, token: JsonObject | None = None
    ) -> None:
        was_authorized, session.authorized = session.authorized, False
        self._open(session)
        ends = was_authorized and bool(ENDS_DEAUTHORIZED & self._points("TxStopPoint"))
        if ends or not session.connector or not session.transaction:
            # Neither EV nor authorisation: nothing could ever end it later.
            self._drop(session, trigger, stopped, token)
            return
        self._tell(session, "Updated", trigger, token=token, with_state=trigger == "Deauthorized")
        self._settle(session)

    def _await_plug(self, session: Session) -> None:
        timeout_s = self.context.model.number("TxCtrlr", "EVConnectionTimeOut")
        when = self.context.now + timeout_s
        self.context.at(_timer(session), when, lambda: self._timed_out(session))

    def _timed_out(self, session: Session) -> None:
        session.authorized = False
        self._drop(session, "EVConnectTimeout", "Timeout")  # E03.FR.05, F02.FR.07

    def _heard(self, payload: JsonObject, outcome: Outcome) -> None:
        session = self._find(str(member(payload, "transactionInfo").get("transactionId")))
        if session is None or not isinstance(outcome, Answered):
            return
        info = member(outcome.payload, "idTokenInfo")
        if not info or not session.is_of(member(payload, "idToken")):
            return
        session.group = group_of(info) or session.group
        if info.get("status") != "Accepted" or not self._permits(info, session):
            self._taken_back(session)

    def _taken_back(self, session: Session) -> None:
        """The CSMS does not accept the token of a running transaction (C15, E05)."""
        if self.context.value("TxCtrlr", "StopTxOnInvalidId", "true") == "true":
            self._deauthorize(session, "Deauthorized", "DeAuthorized")
        elif not session.denied:
            session.denied = True
            self._settle(session)

    def _permits(self, info: JsonObject, session: Session) -> bool:
        limits = limits_of(info)
        return not limits or not session.evse or session.evse in limits

    def _waits(self, session: Session, evses: frozenset[int]) -> bool:
        if session.authorized or not session.connector or (evses and session.evse not in evses):
            return False
        return bool(session.transaction) or self._may_begin(session.evse)

    def _reason_against(self, number: int, evses: frozenset[int]) -> str:
        context = self.context
        if context.registration is not Registration.ACCEPTED or context.rebooting:
            return "CSNotAccepted"
        if number == 0:
            return "" if len(self._free(evses)) > len(self._floating) else "NotFound"
        if self.authorized(number):
            return "TxInProgress"
        if self.on(number) or self._may_begin(number):
            return ""
        return "FwUpdateInProgress" if context.withheld else "NotEnabled"

    def _free(self, evses: frozenset[int]) -> list[int]:
        wanted = evses or frozenset(self.context.evses)
        return [n for n in wanted if n in self.context.evses and self._is_free(n)]

    def _is_free(self, number: int) -> bool:
        return number not in self._sessions and self._may_begin(number)

    def _may_begin(self, number: int) -> bool:
        context = self.context
        if context.registration is not Registration.ACCEPTED or context.rebooting:
            return False
        barred = context.withheld or context.resetting or self._outbox.full
        return not barred and context.usable(number)

    @property
    def _needs_authorization(self) -> bool:
        return self.context.value("AuthCtrlr", "Enabled", "true") == "true"  # C01.FR.01

    # --- sessions -----------------------------------------------------------------------------------------

    def _each(self) -> Iterator[Session]:
        yield from (*self._sessions.values(), *self._floating)

    def _find(self, transaction: str) -> Session | None:
        found = (s for s in self._each() if s.transaction and _same(s.transaction, transaction))
        return next(found, None)

    def _drop(
        self, session: Session, trigger: str, stopped: str, token: JsonObject | None = None
    ) -> None:
        """The session is over, with its transaction if it has one; an EV that stays may begin another."""
        self._open(session)
        self.context.cancel([_timer(session)])
        if session in self._floating:
            self._floating.remove(session)
        if self._sessions.get(session.evse) is session:
            del self._sessions[session.evse]
        if session.connector and session.evse in self.context.evses:
            fresh = Session(next(self._serials), session.evse, session.connector)
            fresh.state_told = "EVConnected"
            self._sessions[session.evse] = fresh
        if session.transaction:
            self._end(session, trigger, stopped, token)

    def _end(
        self, session: Session, trigger: str, stopped: str, token: JsonObject | None = None
    ) -> None:
        values: list[JsonObject] = self.context.meter.end(session.evse) if session.evse_told else []
        self._tell(session, "Ended", trigger, stopped=stopped, token=token, values=values)
        for listener in self.context.ended_listeners:
            listener(session.evse)

    # --- telling ------------------------------------------------------------------------------------------

    def _report(self, session: Session, trigger: str) -> None:
        """Tells what has just happened, if it is or begins a transaction."""
        if session.transaction:
            self._tell(session, "Updated", trigger)
        elif self._begins(session):
            session.transaction = self.context.settings.ids()[:36]
            self._tell(session, "Started", trigger)
        else:
            # A state that belonged to no transaction is no change later: an EV that stays plugged in begins nothing.
            session.state_told = self._state(session)

    def _begins(self, session: Session) -> bool:
        points = self._points("TxStartPoint")
        if not begins(points, session, flowing=self._flowing(session)):
            return False
        # A session that was authorised while that was allowed goes on; a plug alone begins nothing new then.
        return session.authorized or self._may_begin(session.evse)

    def _tell(
        self,
        session: Session,
        kind: str,
        trigger: str,
        *,
        stopped: str = "",
        token: JsonObject | None = None,
        values: list[JsonObject] | None = None,
        with_state: bool = True,
    ) -> None:
        info: JsonObject = {"transactionId": session.transaction}
        payload: JsonObject = {
            "eventType": kind,
            "timestamp": self.context.timestamp(),
            "triggerReason": trigger,
            "seqNo": session.seq_no,
            "transactionInfo": info,
        }
        session.seq_no += 1
        meter = [*self._first_evse(session, payload), *(values or [])]
        if meter:
            payload["meterValue"] = [*meter]
        self._add_state(session, info, kind, with_state=with_state)
        self._add_remote_start(session, payload, info)
        if stopped:
            info["stoppedReason"] = stopped
        self._add_token(session, payload, token)
        self.context.do(Note(f"transaction {kind} {trigger}"))
        self._outbox.put("TransactionEvent", payload)

    def _first_evse(self, session: Session, payload: JsonObject) -> list[JsonObject]:
        """The EVSE is named once the EV is connected, and only once (E01.FR.16), with the first values (TC_J_08)."""
        if session.evse_told or not session.connector:
            return []
        session.evse_told = True
        payload["evse"] = {"id": session.evse, "connectorId": session.connector}
        return self.context.meter.begin(session.evse)

    def _add_state(
        self, session: Session, info: JsonObject, kind: str, *, with_state: bool
    ) -> None:
        state = self._state(session)
        wanted = kind == "Ended" or (kind == "Started" and bool(session.connector))
        if with_state and (wanted or state != session.state_told):
            info["chargingState"] = session.state_told = state

    def _add_remote_start(self, session: Session, payload: JsonObject, info: JsonObject) -> None:
        if session.remote_start_id is None:
            return
        info["remoteStartId"], session.remote_start_id = session.remote_start_id, None
        if payload["eventType"] != "Ended":
            payload["triggerReason"] = "RemoteStart"  # F01.FR.19, FR.25, F02.FR.21

    def _add_token(self, session: Session, payload: JsonObject, token: JsonObject | None) -> None:
        if token is not None:
            payload["idToken"] = token
        elif session.authorized and not session.token_told:
            session.token_told = True
            payload["idToken"] = session.token

    def _state(self, session: Session) -> str:
        return charging_state(session, flowing=self._flowing(session))

    def _flowing(self, session: Session) -> bool:
        evse = self.context.evses.get(session.evse)
        return evse is not None and bool(session.connector) and evse.flowing

    def _points(self, name: str) -> frozenset[str]:
        return frozenset(self.context.value("TxCtrlr", name).split(","))

    # --- E14 ----------------------------------------------------------------------------------------------

    def _status(self, request: JsonObject) -> JsonObject:
        """Whether a transaction goes on and whether messages wait; of no transaction in particular the latter only."""
        waiting = [
            str(member(letter.payload, "transactionInfo").get("transactionId"))
            for letter in self._outbox.waiting
        ]
        if "transactionId" not in request:
            return {"messagesInQueue": bool(waiting)}
        wanted = str(request["transactionId"])
        queued = any(_same(transaction, wanted) for transaction in waiting)
        return {"ongoingIndicator": self._find(wanted) is not None, "messagesInQueue": queued}


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _timer(session: Session) -> str:
    return f"ev connection {session.serial}"
