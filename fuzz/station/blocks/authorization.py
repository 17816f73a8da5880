"""Authorization at the one reader of the station: Authorize (Part 2, block C).

Knows how a token is judged, online and offline; must not know what a transaction is made of. There is no EVSE to choose
before a token is shown (AQ-8), no cache (C-49) and no list.
"""

from __future__ import annotations

from functools import partial

from fuzz.ocppj.peer import Answered
from fuzz.station.blocks.base import Block, member
from fuzz.station.context import Context, Outcome
from fuzz.station.events import Note, OperatorEvent, PresentToken
from fuzz.station.states import Registration
from fuzz.station.transaction import Grant, group_of, limits_of
from strategies.labels import JsonObject

_OFFLINE = ("OfflineTxForUnknownIdEnabled", "CP_OfflineTxForExternalIdEnabled")
_SHOWN = frozenset({"ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "eMAID", "Central"})
_MAX_TOKEN = 36


class AuthorizationBlock(Block):
    """Judges every token that is shown; one at a time."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._asking = False

    def power_on(self) -> None:
        """Nothing is asked any more."""
        self._asking = False

    def happened(self, event: OperatorEvent) -> None:
        """A token is held before the reader; nobody reads it while the station restarts."""
        if isinstance(event, PresentToken) and not self.context.rebooting:
            self._presented(event)

    def _presented(self, event: PresentToken) -> None:
        token: JsonObject = {"idToken": event.token, "type": event.kind}
        context = self.context
        if event.kind not in _SHOWN or not 0 < len(event.token) <= _MAX_TOKEN:
            self._refuse("not a token")
        elif self._asking:
            self._refuse("one token after the other")
        elif context.transactions.stop_of(token):
            return  # C01.FR.03, E07.FR.01: it ends what it began without asking
        elif context.value("AuthCtrlr", "Enabled", "true") != "true":
            self._refuse("no authorization is needed")
        elif context.registration is not Registration.ACCEPTED:
            self._refuse("not accepted by the CSMS")
        elif not context.connected:
            self._offline(token)
        else:
            self._ask(token)

    def _offline(self, token: JsonObject) -> None:
        """Neither cache nor list knows any token, so that only tokens at large may be let in (C15.FR.08, C-02)."""
        if all(self.context.value("AuthCtrlr", name, "true") == "true" for name in _OFFLINE):
            self._admit(Grant(token))
        else:
            self._refuse("unknown while offline")

    def _ask(self, token: JsonObject) -> None:
        # C01.FR.02: every other token is a question for the CSMS.
        self._asking = self.context.ask(
            "Authorize", {"idToken": token}, then=partial(self._hear, token)
        )

    def _hear(self, token: JsonObject, outcome: Outcome) -> None:
        self._asking = False
        info = member(outcome.payload, "idTokenInfo") if isinstance(outcome, Answered) else {}
        if info.get("status") != "Accepted":
            self._refuse("not accepted")
            return
        transactions = self.context.transactions
        grant = Grant(token, group_of(info), limits_of(info))
        # An EV that waits goes first: then the holder wants to charge, not to stop somebody else of the group (C09).
        if transactions.waiting(grant.evses) or not transactions.stop_group(grant.group, token):
            self._admit(grant)

    def _admit(self, grant: Grant) -> None:
        reason = self.context.transactions.admit(grant)
        if reason:
            self._refuse(reason)

    def _refuse(self, reason: str) -> None:
        self.context.do(Note(f"token refused: {reason}"))
