"""TriggerMessage: the CSMS asks for a message (Part 2, F06)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block, Handler, status
from strategies.labels import JsonObject


class TriggerBlock(Block):
    """Hands the request to the block that can send what is asked for."""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers TriggerMessage."""
        return {"TriggerMessage": self._trigger}

    def _trigger(self, request: JsonObject) -> JsonObject:
        asked = str(request["requestedMessage"])
        trigger = self.context.triggers.get(asked)
        if trigger is None or asked not in self.context.pics.triggers:
            return status("NotImplemented")  # F06.FR.08
        # F06.FR.04 and FR.05: the answer goes first, and what is accepted is sent.
        return status("Accepted") if trigger(request) else status("Rejected", "UnsupportedRequest")
