"""UnlockConnector (Part 2, F05)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block, Handler, status, whole
from strategies.labels import JsonObject


class UnlockBlock(Block):
    """Unlocks a connector that has a lock; a fixed cable has none."""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers UnlockConnector."""
        return {"UnlockConnector": self._unlock}

    def _unlock(self, request: JsonObject) -> JsonObject:
        evse, connector = whole(request["evseId"]), whole(request["connectorId"])
        if (evse, connector) not in self.context.pics.each_connector():
            return status("UnknownConnector", "UnknownConnectorId")  # F05.FR.03
        transactions = self.context.transactions
        if transactions.authorized(evse) and transactions.on(evse):
            return status("OngoingAuthorizedTransaction", "TxInProgress")  # F05.FR.02
        if not self.context.pics.items["HFS-1"]:
            return status("UnlockFailed", "FixedCable")
        return status("Unlocked")
