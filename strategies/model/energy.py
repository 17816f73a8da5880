"""Who may charge (block C, F01, F02): energy only for somebody who was let in, and once for each time.

Knows grants - a token shown, an Authorize accepted, a remote start accepted - and which transaction used one up. Must not
know how transactions are told beyond that. Every way in which a station might rightly know a token counts in its favour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strategies.labels import JsonValue
from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Event,
    Objection,
    Operated,
    Told,
    Topic,
    Weight,
    member,
    number,
    objects,
    text,
)
from strategies.model.facts import REFUSALS, Facts, Transaction
from strategies.model.rule import Rule

_SHOWN_BY_NOBODY = frozenset({"Central", "Local", "MacAddress", "NoAuthorization", "eMAID"})
"""Kinds of token that nobody holds before a reader, so that nothing is known of how they were let in."""


_OFFLINE_UNKNOWN = "AuthCtrlr.OfflineTxForUnknownIdEnabled"
_GONE_S = 0.1
"""How long after a cut nothing is under way any more."""

_LATE_S = 2.0

_CROSS_S = 0.5
"""An answer to Authorize this little before an EV is unplugged may reach the station after that."""


@dataclass(slots=True)
class _Grant:
    """One time that somebody was, or may have been, let in."""

    at_s: float
    token: str
    shown: bool = False
    evse: int = 0
    remote_start_id: int | None = None
    plugged: frozenset[int] = frozenset()
    refused: bool = False
    used_by: str = ""
    let_in_s: float = float("-inf")
    """When its Authorize was last answered without a refusal."""
    void_s: float = float("inf")
    """When the EV that it was meant for went."""
    expired: bool = False
    """Whether nobody plugged in for so long that it does not count any more (E03.FR.05, F02.FR.07)."""
    evses: frozenset[int] = frozenset()
    """Where it is good for, as its Authorize was last answered; everywhere if empty (C01.FR.19 to FR.21)."""


class Energy(Rule):
    """Follows who was let in, and who charges."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._grants: list[_Grant] = []
        self._free_for_all = False
        self._asks_csms = False
        self._doubted = False
        """Whether anybody's token was refused, or may have been."""
        self._cut_s = float("inf")
        self._tokens: set[str] = set()
        """Every token that was shown, or named by the CSMS."""
        self._strangers: set[str] = set()
        """Those that were shown for the first time without a network, to a station that lets nobody in then (C15.FR.08)."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether an event tells of energy for somebody who was not let in; after the transaction took note of it."""
        self._doubted |= _doubts(event)
        match event:
            case Operated(deed="cut-network" | "restore-network"):
                self._cut_s = event.at_s if event.deed == "cut-network" else float("inf")
            case Operated(deed="present-token"):
                self._stranger(event)
                self._grant(event.at_s, event.token, shown=True)
            case Operated(deed="unplug"):
                self._unplugged(event.at_s, event.evse)
            case Operated(deed="plug-in"):
                self._expire(event.at_s)
            case Called(action="Authorize"):
                self._asks_csms = True
            case Asked(action="SendLocalList" | "RequestStartTransaction"):
                self._known_to_csms(event.payload)
            case Answered(called=Called(action="Authorize")):
                self._authorized(event)
            case Told(asked=Asked(action="RequestStartTransaction"), status="Accepted"):
                self._remote(event)
            case Asked(action="SetVariables"):
                self._configured(event.payload)
            case Called(action="TransactionEvent"):
                yield from self._transaction(event)
            case _:
                pass

    # --- grants -------------------------------------------------------------------------------------------

    def _grant(self, at_s: float, token: str, *, shown: bool) -> None:
        plugged = frozenset(self._facts.plugged)
        self._grants.append(_Grant(at_s, token.casefold(), shown, plugged=plugged))

    def _stranger(self, event: Operated) -> None:
        words, token, facts = event.words.split(), event.token, self._facts
        rule, enabled = facts.settings.of(_OFFLINE_UNKNOWN), facts.settings.of("AuthCtrlr.Enabled")
        kept_out = rule is not None and rule.value == "false" and rule.since_s < self._cut_s
        open_to_all = enabled is not None and enabled.value == "false"
        held = words[2:3] != [] and words[2] not in _SHOWN_BY_NOBODY
        gone = event.at_s - self._cut_s >= _GONE_S
        if kept_out and held and gone and not open_to_all and token not in self._tokens:
            self._strangers.add(token)
        self._tokens.add(token)

    def _known_to_csms(self, payload: JsonValue) -> None:
        """What the CSMS names may be let in; a whole list is not looked through."""
        token = text(payload, "idToken", "idToken").casefold()
        self._tokens.add(token)
        self._strangers = self._strangers - {token} if token else set()

    def _let_in_unknown(self, event: Called, found: Transaction) -> Iterator[Objection]:
        token = "" if found.token is None else found.token[0].casefold()
        if member(event.payload, "offline") is True and token in self._strangers:
            yield Objection(
                "C15.FR.08",
                "unknown token charges without a network",
                "OfflineTxForUnknownIdEnabled is false, and energy flowed for a token that was first shown offline",
                Topic.ENERGY,
                Weight.HIGH,
            )

    def _authorized(self, event: Answered) -> None:
        token = text(event.called.payload, "idToken", "idToken").casefold()
        status = text(event.payload, "idTokenInfo", "status")
        waiting = [g for g in self._grants if g.token == token and not g.used_by]
        if event.error_code or status not in REFUSALS:
            # Implementation's choice: whether a CSMS that cannot answer counts as being offline (C15), and whether one
            # who was let in after his EV had gone was let in for the next (C01, EVConnectionTimeOut).
            valid = [g for g in waiting if not g.refused and g.void_s > event.at_s]
            if not valid:
                self._grant(event.at_s, token, shown=False)
                valid = self._grants[-1:]
            for grant in valid:
                grant.let_in_s, grant.evses = event.at_s, _evses(event)
            return
        shown = any(g.shown for g in waiting)
        for grant in waiting:
            grant.refused |= grant.shown or not shown

    def _remote(self, event: Told) -> None:
        asked = event.asked.payload
        self._grants.append(
            _Grant(
                event.at_s,
                text(asked, "idToken", "idToken").casefold(),
                evse=number(asked, "evseId") or 0,
                remote_start_id=number(asked, "remoteStartId"),
                plugged=frozenset(self._facts.plugged),
            )
        )

    def _unplugged(self, at_s: float, evse: int) -> None:
        """E09.FR.01: whoever was let in for an EV that is gone must be let in again."""
        for grant in self._grants:
            crossing = at_s - grant.let_in_s < _CROSS_S
            if grant.plugged == {evse} and grant.evse in (0, evse) and not crossing:
                grant.void_s = min(grant.void_s, at_s)

    def _expire(self, at_s: float) -> None:
        """An authorization ends with EVConnectionTimeOut; a tenth of it and a second more are granted."""
        known = self._facts.settings.of("TxCtrlr.EVConnectionTimeOut")
        if known is None or not known.value.isdecimal() or known.value.strip("0") == "":
            return
        for grant in self._grants:
            let_in_s = grant.let_in_s if grant.remote_start_id is None else grant.at_s
            late = at_s - let_in_s > int(known.value[:9]) * 1.1 + 1.0
            calm = self._facts.interrupted_s < grant.at_s and known.since_s < grant.at_s
            if late and calm and let_in_s > float("-inf") and not (grant.plugged or grant.used_by):
                grant.expired = True

    def _configured(self, payload: JsonValue) -> None:
        for item in objects(payload, "setVariableData"):
            if text(item, "component", "name").casefold() == "authctrlr":
                # Enabled, or what is let in without asking: nothing can be told apart any more.
                self._free_for_all = True

    # --- use ----------------------------------------------------------------------------------------------

    def _transaction(self, event: Called) -> Iterator[Objection]:
        found = self._facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        if found is None:
            return
        yield from self._deauthorized(event, found)
        if text(event.payload, "eventType") == "Ended":
            yield from self._nameless(found)
        token = text(event.payload, "idToken", "idToken").casefold()
        charging = text(event.payload, "transactionInfo", "chargingState") == "Charging"
        if charging:
            yield from self._let_in_unknown(event, found)
        if text(event.payload, "eventType") != "Ended" and (token or charging):
            grant = self._used(found, token)
            if charging and grant is None and self._judged(found):
                yield self._objection(found)

    def _deauthorized(self, event: Called, found: Transaction) -> Iterator[Objection]:
        """The CSMS takes an authorization away, by the status in an answer; nobody else does (E05, ReasonEnumType)."""
        reasons = (
            text(event.payload, "triggerReason"),
            text(event.payload, "transactionInfo", "stoppedReason"),
        )
        shaken = max(self._facts.unread_s, self._facts.failed_s, self._facts.interrupted_s)
        unseen = not found.begun or found.offline or shaken >= found.first_s
        if "deauthorized" not in map(str.casefold, reasons) or self._doubted or unseen:
            return
        yield Objection(
            "E05",
            "deauthorized by nobody",
            "a transaction is said to be deauthorized, and no token was refused",
        )

    def _nameless(self, found: Transaction) -> Iterator[Objection]:
        """The token is told once, in the first event after it was let in (E03, F01)."""
        facts, told = self._facts, found.told
        shaken = max(facts.unread_s, facts.failed_s, facts.interrupted_s)
        whole = len(told) == max(told) - min(told) + 1 and facts.operated
        charged = any(
            text(p, "transactionInfo", "chargingState") == "Charging" for p in told.values()
        )
        unseen = not found.begun or found.offline or shaken >= found.first_s or found.era < 0
        mine = [g for g in self._grants if g.used_by == found.id.casefold()]
        let_in = any(g.let_in_s > float("-inf") or g.remote_start_id is not None for g in mine)
        if found.token or unseen or not (whole and charged and let_in) or self._free_for_all:
            return
        yield Objection(
            "E03, F01",
            "transaction without its token",
            "somebody was let in and charged, and no event of the transaction tells whose token it was",
        )

    def _used(self, found: Transaction, token: str) -> _Grant | None:
        key = found.id.casefold()
        mine = [g for g in self._grants if g.used_by == key]
        if mine:
            return mine[0]
        free = [g for g in self._grants if not (g.used_by or g.refused) and self._fits(g, found)]
        free.sort(key=lambda g: (not found.remote_starts & {g.remote_start_id}, g.token != token))
        if free:
            free[0].used_by = key
            return free[0]
        return None

    def _fits(self, grant: _Grant, found: Transaction) -> bool:
        if grant.expired or (found.evse and grant.evses and found.evse not in grant.evses):
            return False
        # What was told late may be of the EV that has gone.
        in_time = found.first_s <= grant.void_s + _LATE_S
        return in_time or self._facts.shaken_s > grant.at_s

    def _judged(self, found: Transaction) -> bool:
        """True when all of this transaction was seen, and everybody who could have been let in for it, too."""
        facts = self._facts
        if not found.begun or found.offline or self._free_for_all or found.era < 0:
            return False
        if found.evse not in facts.plugged or facts.plugged[found.evse] > found.last_s:
            return False
        if max(facts.unread_s, facts.interrupted_s) > facts.plugged[found.evse]:
            return False
        if found.token is None:
            return self._asks_csms
        return found.token[1] not in _SHOWN_BY_NOBODY

    def _objection(self, found: Transaction) -> Objection:
        token = found.token[0].casefold() if found.token else ""
        rule = "C01.FR.01"
        if any(g.refused and g.token == token for g in self._grants):
            name = "Charging with a token that was refused"
        elif any(g.expired for g in self._grants):
            rule, name = "C01.FR.26, E03.FR.05", "Charging with an authorization that had run out"
        elif any(g.evses and found.evse not in g.evses for g in self._grants):
            rule, name = "C01.FR.19 to FR.21", "Charging on an EVSE that the token is not for"
        else:
            name = "Charging without an authorization"
        return Objection(
            rule,
            name,
            f"energy flows on EVSE {found.evse} although nobody was let in for this transaction",
            Topic.ENERGY,
            Weight.CRITICAL,
        )


def _evses(answer: Answered) -> frozenset[int]:
    """The EVSEs that an Authorize was answered for; none, which means all, where the list is no list of numbers."""
    told = member(answer.payload, "idTokenInfo", "evseId")
    listed = told if isinstance(told, list) else []
    numbers = frozenset(n for n in listed if isinstance(n, int) and not isinstance(n, bool))
    return numbers if len(numbers) == len(listed) else frozenset()


def _doubts(event: Event) -> bool:
    """Whether a token may be refused from now on: by an answer that says so or is none, or by a list of the station's."""
    match event:
        case Answered(called=Called(action="Authorize" | "TransactionEvent")):
            status = text(event.payload, "idTokenInfo", "status")
            return status in REFUSALS or bool(event.error_code) or not event.proper
        case Asked(action="SendLocalList" | "CustomerInformation" | "RequestStopTransaction"):
            return True
        case _:
            return False
