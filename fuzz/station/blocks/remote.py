"""Remote control of transactions: RequestStartTransaction and RequestStopTransaction (Part 2, F01 to F03)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block, Handler, member, status, whole
from fuzz.station.states import Registration
from fuzz.station.transaction import Grant, group_of
from strategies.labels import JsonObject


class RemoteBlock(Block):
    """Does what the CSMS asks for, without asking it again: AuthorizeRemoteStart is false (C-48.2, F01.FR.02)."""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers RequestStartTransaction and RequestStopTransaction."""
        return {"RequestStartTransaction": self._start, "RequestStopTransaction": self._stop}

    @property
    def _accepted(self) -> bool:
        return self.context.registration is Registration.ACCEPTED

    def _start(self, request: JsonObject) -> JsonObject:
        """A chargingProfile is ignored, as smart charging is not supported (F01.FR.12, TC_K_38)."""
        if not self._accepted:
            return status("Rejected", "CSNotAccepted")  # B02.FR.05
        number = whole(request["evseId"]) if "evseId" in request else 0
        if "evseId" in request and number not in self.context.evses:
            return status("Rejected", "UnknownEvse")
        token = {name: member(request, "idToken")[name] for name in ("idToken", "type")}
        remote_start_id = whole(request["remoteStartId"])
        grant = Grant(token, group_of(request), evse=number, remote_start_id=remote_start_id)
        running = self._running(number)
        reason = self.context.transactions.admit(grant)
        if reason:
            return status("Rejected", reason)
        # F01.FR.13: the id of a transaction that was there before.
        return {"status": "Accepted", **({"transactionId": running} if running else {})}

    def _running(self, number: int) -> str:
        transactions = self.context.transactions
        number = number or transactions.waiting(frozenset())
        return transactions.on(number) if number else ""

    def _stop(self, request: JsonObject) -> JsonObject:
        if not self._accepted:
            return status("Rejected", "CSNotAccepted")  # B02.FR.05
        known = self.context.transactions.stop(str(request["transactionId"]))
        return status("Accepted") if known else status("Rejected", "TxNotFound")
