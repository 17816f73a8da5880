"""Why a transaction is said to have ended, and for whom it began (E06 to E09, F01 to F03, B12): as it happened.

Knows what somebody did at the station and what the CSMS asked of it. Must not know who may charge (`energy` does). Only what
contradicts all that was seen is objected to: of several causes any one is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from strategies.labels import JsonValue
from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Event,
    Objection,
    Operated,
    Told,
    Weight,
    member,
    number,
    text,
)
from strategies.model.facts import NEVER, REFUSALS, Facts, Transaction
from strategies.model.rule import Rule

_BY_RESTART = frozenset({"ImmediateReset", "ResetCommand", "Reboot", "PowerLoss"})
_GONE = frozenset({"EVDisconnected", "EVCommunicationLost", "EVDeparted"})
_CROSSING_S = 2.0
"""How long after an EV left its transaction may be told to begin."""

_PROMPT_S = 0.3
_ALONE_S = 1.0
"""How long after anything else was done a fault is the only cause."""

_HARMLESS = frozenset({"GetTransactionStatus", "GetVariables"})
_BY_SOMEBODY = frozenset(
    {"EVCommunicationLost", "EVConnectTimeout", "RemoteStop", "StopAuthorized"}
)
"""Reasons of an end that take somebody who does something."""

_LATE = frozenset({"EVConnectTimeout"})
"""Not `Timeout`: stations say so as well when nobody shows a token in time."""
_REMOTE = frozenset({"Remote", "RemoteStop"})
_BY_TOKEN = frozenset({"StopAuthorized"})
_ABOUT_TOKENS = frozenset(
    {"Authorized", "Deauthorized", "RemoteStart", "RemoteStop", "StopAuthorized"}
)
"""Reasons that take a token, which somebody may show who is not the one that the scene means."""

_OTHER_CAUSES = frozenset(
    {"UpdateFirmware", "SetVariables", "UnlockConnector", "ChangeAvailability", "SetNetworkProfile"}
)
"""CALLs that may end a transaction, or make it end for another reason."""


@dataclass(slots=True)
class _Shown:
    """One token held before the reader."""

    at_s: float
    token: str


@dataclass(slots=True)
class _Remote:
    """One RequestStartTransaction that was accepted."""

    at_s: float
    id: int
    evse: int
    token: str
    named: str
    """The transactionId in the answer, "" where there is none."""


@dataclass(slots=True)
class _Causes:
    """What was seen so far that may be a reason."""

    unplugged: dict[int, float] = field(default_factory=dict)
    plugged: dict[int, float] = field(default_factory=dict)
    shown: list[_Shown] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    """The tokens that RequestStartTransaction named."""
    groups: dict[str, str] = field(default_factory=dict)
    """The groupIdToken that the CSMS gave a token last, "" where it gave none or refused it."""
    stopping: set[str] = field(default_factory=set)
    """The transactions that are to be stopped, as long as nobody knows whether they are."""
    stopped: set[str] = field(default_factory=set)
    stopped_s: float = NEVER
    told_stopped: set[str] = field(default_factory=set)
    """The transactions of which an event said RemoteStop."""
    done_s: float = NEVER
    """When anything was last done at the station."""
    restarts: bool = False
    reset_s: list[float] = field(default_factory=list)
    """When a Reset was asked for; infinity stands for one that was not agreed to, or is not to happen at once."""
    cycled_s: list[float] = field(default_factory=list)
    """When the power was lost."""
    refused: set[str] = field(default_factory=set)
    """The transactions whose token was refused when it was told."""
    other_s: float = NEVER
    """When anything last happened that may end a transaction for a reason of its own."""
    quiet: bool = True
    """False from when an answer about a token was none that says so."""


class Reasons(Rule):
    """Follows causes, and what transactions give as theirs."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._causes = _Causes()
        self._asked: dict[int, int] = {}
        self._remote: list[_Remote] = []
        self._held_s = NEVER
        """When an answer came so late that what is told next may be of before."""
        self._fault: tuple[int, float] | None = None
        """Where there was a fault, and when, as long as nothing else was done or asked since."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with the reasons of an event, after the transaction took note of it."""
        if isinstance(event, Answered) and event.at_s - event.called.at_s > _PROMPT_S:
            self._held_s = event.at_s
        match event:
            case Operated():
                self._operated(event)
            case Asked():
                self._was_asked(event)
            case Told(asked=Asked(action="RequestStopTransaction")):
                id_ = text(event.asked.payload, "transactionId").casefold()
                self._causes.stopping.discard(id_)
                if event.status == "Accepted":
                    self._causes.stopped.add(id_)
                    self._causes.stopped_s = event.at_s
            case Told(asked=Asked(action="RequestStartTransaction")):
                self._started(event)
            case Told(asked=Asked(action="Reset")):
                at_once = text(event.asked.payload, "type") == "Immediate"
                agreed = event.status == "Accepted" and at_once
                self._causes.reset_s.append(event.at_s if agreed else float("inf"))
            case Answered(called=Called(action="TransactionEvent")):
                self._refused(event)
            case Answered(called=Called(action="Authorize")):
                self._authorized(event)
            case Called(action="TransactionEvent"):
                yield from self._transaction(event)
            case _:
                pass

    # --- causes -------------------------------------------------------------------------------------------

    def _operated(self, event: Operated) -> None:
        causes = self._causes
        alone = event.at_s - max(causes.done_s, self._held_s) >= _ALONE_S and len(causes.shown) < 2
        alone &= not (causes.stopping or causes.stopped) and self._facts.outstanding is None
        self._fault = (event.evse, event.at_s) if event.deed == "fault" and alone else None
        causes.done_s = event.at_s
        match event.deed:
            case "plug-in":
                causes.plugged.setdefault(event.evse, event.at_s)
            case "unplug":
                causes.unplugged[event.evse] = event.at_s
                causes.plugged.pop(event.evse, None)
            case "present-token":
                causes.shown.append(_Shown(event.at_s, event.token))
            case "power-cycle":
                causes.restarts = True
                causes.cycled_s.append(event.at_s)
            case "fault" | "clear-fault" | "shift-clock":
                causes.other_s = event.at_s
            case _:
                pass

    def _was_asked(self, event: Asked) -> None:
        causes = self._causes
        self._fault = self._fault if event.action in _HARMLESS else None
        match event.action:
            case "Reset":
                causes.restarts = True
            case "RequestStopTransaction":
                # Until it is answered, and for ever if it never is, it may be carried out.
                causes.stopping.add(text(event.payload, "transactionId").casefold())
            case "RequestStartTransaction":
                for name in ("idToken", "groupIdToken"):
                    causes.named.add(text(event.payload, name, "idToken").casefold())
                id_ = number(event.payload, "remoteStartId")
                if id_ is not None:
                    self._asked[id_] = self._asked.get(id_, 0) + 1
            case action if action in _OTHER_CAUSES:
                causes.other_s = event.at_s
            case _:
                pass

    def _started(self, event: Told) -> None:
        asked = event.asked.payload
        id_, evse = number(asked, "remoteStartId"), number(asked, "evseId")
        if event.status == "Accepted" and id_ is not None:
            named = text(event.payload, "transactionId").casefold()
            token = text(asked, "idToken", "idToken").casefold()
            self._remote.append(_Remote(event.at_s, id_, evse or 0, token, named))

    def _authorized(self, event: Answered) -> None:
        token = text(event.called.payload, "idToken", "idToken").casefold()
        info = member(event.payload, "idTokenInfo")
        group = text(info, "groupIdToken", "idToken").casefold()
        self._causes.groups[token] = group if text(info, "status") == "Accepted" else ""
        self._causes.quiet &= bool(text(info, "status")) and event.prompt and not event.error_code

    def _refused(self, event: Answered) -> None:
        payload, status = event.called.payload, text(event.payload, "idTokenInfo", "status")
        told = member(payload, "idToken") is not None
        if told and status in REFUSALS and event.prompt and not event.error_code:
            id_ = text(payload, "transactionInfo", "transactionId")
            self._causes.refused.add(id_.casefold())

    # --- what is told -------------------------------------------------------------------------------------

    def _transaction(self, event: Called) -> Iterator[Objection]:
        found = self._facts.transaction(text(event.payload, "transactionInfo", "transactionId"))
        if found is None:
            return
        reasons = {
            text(event.payload, "triggerReason"),
            text(event.payload, "transactionInfo", "stoppedReason"),
        }
        if "RemoteStop" in reasons:
            self._causes.told_stopped.add(found.id.casefold())
        yield from self._by_other_token(found, reasons)
        ended = text(event.payload, "eventType") == "Ended"
        if ended:
            yield from self._not_so(event, found)
            yield from self._not_by_fault(event, found)
        if not self._seen(found):
            return
        yield from self._by_nobody(found, reasons)
        yield from self._of_nobody(event, found)
        yield from self._remotely(event, found, ended=ended)

    def _seen(self, found: Transaction) -> bool:
        """Whether all that could have brought about an event of this transaction was seen."""
        return self._seen_since(found, self._facts.failed_s, self._facts.interrupted_s)

    def _seen_since(self, found: Transaction, *shaken_s: float) -> bool:
        whole = found.begun and not found.offline and found.era >= 0
        calm = max(self._facts.unread_s, *shaken_s) < found.first_s
        return self._facts.operated and whole and calm

    def _by_nobody(self, found: Transaction, reasons: set[str]) -> Iterator[Objection]:
        causes, evse = self._causes, found.evse
        # Implementation's choice: what a station calls the end of whatever it was told to be otherwise.
        if causes.other_s > found.first_s:
            return
        left = evse not in causes.plugged or evse in causes.unplugged
        came = causes.plugged.get(evse, float("inf")) <= found.first_s and not left
        for words, cause, evident in (
            (_BY_RESTART, "a restart", causes.restarts),
            (_GONE, "the EV that left", left),
            (_LATE, "an EV that did not come", not came),
            (_REMOTE, "RequestStopTransaction", bool(causes.stopping or causes.stopped)),
        ):
            if reasons & words and not evident:
                yield Objection(
                    "E06",
                    f"transaction ended by {cause}, which was not",
                    f"a transaction event says {' and '.join(sorted(reasons & words))}, and nothing of it was seen",
                )

    def _of_nobody(self, event: Called, found: Transaction) -> Iterator[Objection]:
        """E07.FR.02: the idToken of an event is that of somebody who was there."""
        causes, token = self._causes, text(event.payload, "idToken", "idToken").casefold()
        if not token or text(event.payload, "triggerReason") in _ABOUT_TOKENS:
            return
        own = "" if found.token is None else found.token[0].casefold()
        groups = {*causes.groups, *causes.groups.values()}
        if token not in {own, *(s.token for s in causes.shown), *causes.named, *groups}:
            yield Objection(
                "E07.FR.02",
                "token of an event that nobody showed",
                "an event of a transaction names a token that neither somebody showed nor a request named",
            )

    def _by_other_token(self, found: Transaction, reasons: set[str]) -> Iterator[Objection]:
        """E07.FR.01, C09: whoever began it, or another token of the same group that is accepted, may end it."""
        causes, token = self._causes, found.token
        if not reasons & _BY_TOKEN or token is None or found.remote_starts or not causes.quiet:
            return
        if found.offline or max(self._facts.unread_s, self._facts.interrupted_s) > NEVER:
            return
        own, shown = token[0].casefold(), [s.token for s in causes.shown]
        group = causes.groups.get(own)
        # What the station knows of a token by itself, it was not asked about here.
        unasked = group is None or any(t not in causes.groups for t in shown)
        same_group = any(t != own and group and causes.groups.get(t) == group for t in shown)
        if shown.count(own) == 1 and not unasked and not same_group:
            yield Objection(
                "E07.FR.01, C09",
                "transaction ended by a token of somebody else",
                "a transaction was stopped by a token that did not begin it and is not of its group",
                weight=Weight.HIGH,
            )

    def _not_by_fault(self, event: Called, found: Transaction) -> Iterator[Objection]:
        """E06.FR.16: a fault alone ends a transaction, and somebody is said to have done so."""
        evse, fault_s = self._fault or (-1, NEVER)
        reason = text(event.payload, "triggerReason")
        at_once = found.evse == evse and event.at_s - fault_s <= _CROSSING_S
        if at_once and reason in _BY_SOMEBODY and self._seen(found):
            yield Objection(
                "E06.FR.16",
                "transaction ended by a fault, which it does not say",
                f"a connector failed, nothing else happened, and the transaction says that it ended by {reason}",
                weight=Weight.LOW,
            )

    def _not_so(self, event: Called, found: Transaction) -> Iterator[Objection]:
        """One cause alone was seen, and another reason is given; Local where none is (ReasonEnumType)."""
        causes, likely = self._causes, self._likely(found)
        # Whoever began it may end it; a transaction that was begun from afar takes no showing of a token.
        stopped_here = len(causes.shown) > (not found.remote_starts)
        others = stopped_here or causes.other_s > found.first_s or not causes.quiet
        if len(likely) != 1 or others:
            return
        [(what, rule, wrong)] = likely
        said = text(event.payload, "transactionInfo", "stoppedReason") or "Local"
        stopped = found.id.casefold() in causes.stopped
        untold = found.id.casefold() not in causes.told_stopped
        if stopped and untold and causes.done_s < causes.stopped_s:
            yield Objection(
                "F03.FR.02, F03.FR.03",
                "remote stop never told",
                "RequestStopTransaction was accepted, nothing else happened, and the transaction ended without an event"
                " that says RemoteStop",
                weight=Weight.LOW,
            )
        if said in wrong:
            yield Objection(
                rule,
                "transaction ended for another reason than it says",
                f"{what}, nothing else happened, and the transaction says that it ended by {said}",
                weight=Weight.LOW,
            )

    def _likely(self, found: Transaction) -> list[tuple[str, str, frozenset[str]]]:
        """The causes that were seen since a transaction began: in words, by which rule, and reasons that they are not.

        None where something may have happened beside them unseen.
        """
        causes, facts, id_ = self._causes, self._facts, found.id.casefold()
        left_s = causes.unplugged.get(found.evse, NEVER)
        if found.first_s - _CROSSING_S < left_s <= found.first_s:
            # Whose EV left before it was told that it came.
            return []
        unplugged = left_s > found.first_s
        restarts_s = [*causes.reset_s, *causes.cycled_s]
        restarted = restarts_s[0] if len(restarts_s) == 1 else float("inf")
        # The restart itself takes the connection away, and so nothing else.
        cut_s = NEVER if restarted <= facts.interrupted_s else facts.interrupted_s
        restart = causes.restarts and found.first_s < restarted < float("inf")
        seen, f03 = self._seen(found), "E06, F03"
        found_: list[tuple[str, str, frozenset[str]]] = []
        if unplugged:
            found_.append(("the EV was unplugged", f03, _PLAIN - _UNPLUGGED))
        if id_ in causes.stopped:
            found_.append(("RequestStopTransaction was accepted", f03, _PLAIN - _REMOTE))
        if restart and self._seen_since(found, facts.failed_s, cut_s):
            what = "Reset was accepted" if causes.reset_s else "the power was lost"
            found_.append((what, "B12.FR.04" if causes.reset_s else "E08", _NO_RESTART))
            seen = True
        elif causes.restarts:
            return []
        if id_ in causes.refused and self._seen_since(found, facts.interrupted_s):
            found_.append(("the CSMS refused the token", "E05", _PLAIN))
            seen = True
        return found_ if seen else []

    # --- remote starts ------------------------------------------------------------------------------------

    def _remotely(self, event: Called, found: Transaction, *, ended: bool) -> Iterator[Objection]:
        told = number(event.payload, "transactionInfo", "remoteStartId")
        mine = [r for r in self._remote if r.id == told]
        if told is not None and self._asked and told not in self._asked:
            yield Objection(
                "F01.FR.25",
                "remoteStartId that nobody gave",
                f"a transaction names the remoteStartId {told}, which no request had",
            )
        # F01.FR.13: a transaction that runs already is named in the answer.
        one = mine[0] if len(mine) == 1 and self._asked.get(mine[0].id) == 1 else None
        if one is not None and one.named not in ("", found.id.casefold()):
            yield Objection(
                "F01.FR.13",
                "remote start answered with another transactionId",
                "RequestStartTransaction was answered with one transactionId, and another transaction names it",
            )
        if one is not None:
            yield from self._as_asked(event, found, one)
        if ended and self._forgotten(found):
            yield Objection(
                "F01.FR.25",
                "remote start never named",
                "a transaction that was started remotely ended without ever naming its remoteStartId",
            )

    def _as_asked(self, event: Called, found: Transaction, one: _Remote) -> Iterator[Objection]:
        """Whether it is for whom it was asked for, and says at first that it was (F01.FR.04, F01.FR.19, F02.FR.21)."""
        token = found.token[0].casefold() if found.token else ""
        if token and one.token and token != one.token and not self._causes.shown:
            yield Objection(
                "F01.FR.04, F02",
                "remote start for somebody else",
                "a transaction names a remoteStartId, and another idToken than the request had",
                weight=Weight.HIGH,
            )
        if one.evse and found.evse and one.evse != found.evse:
            yield Objection(
                "F01, F02",
                "remote start carried out on another EVSE",
                f"a transaction names a remoteStartId whose request was for EVSE {one.evse}, and is on EVSE {found.evse}",
                weight=Weight.HIGH,
            )
        # Implementation's choice: what comes first where energy flows at once (TC_E_02), or where the EV comes or goes.
        state = text(event.payload, "transactionInfo", "chargingState")
        plain = state in ("", "Idle", "EVConnected") and self._causes.done_s < one.at_s
        earlier = [
            told for seq, told in found.told.items() if seq != number(event.payload, "seqNo")
        ]
        first = one.id not in [number(told, "transactionInfo", "remoteStartId") for told in earlier]
        if first and plain and text(event.payload, "triggerReason") != "RemoteStart":
            yield Objection(
                "F01.FR.19, F02.FR.21",
                "remote start told as something else",
                f"the first event with the remoteStartId says {text(event.payload, 'triggerReason')}",
                weight=Weight.LOW,
            )

    def _forgotten(self, found: Transaction) -> bool:
        """Whether this can only be the transaction of a remote start that it never named."""
        only = self._remote[0] if len(self._remote) == 1 else None
        if (
            only is None
            or found.remote_starts
            or self._causes.shown
            or self._causes.other_s > NEVER
        ):
            return False
        charged = any(_charges(payload) for payload in found.told.values())
        return charged and only.evse == found.evse and len(self._facts.transactions) == 1


_UNPLUGGED = frozenset({"EVDisconnected", "StoppedByEV"})
_PLAIN = frozenset({"Local", "Remote", "EVDisconnected", "ImmediateReset", "PowerLoss", "Timeout"})
"""Reasons that are as plain as what was seen; of any other, such as EmergencyStop, nobody can say more."""


_NO_RESTART = frozenset({"Local", "Remote", "EVDisconnected", "Timeout", "DeAuthorized"})
"""What a restart is not, whatever its words are."""


def _charges(payload: JsonValue) -> bool:
    return text(payload, "transactionInfo", "chargingState") == "Charging"
