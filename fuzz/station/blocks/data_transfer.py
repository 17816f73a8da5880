"""DataTransfer: this station knows no extensions (Part 2, P01)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block, Handler, status
from strategies.labels import JsonObject


class DataTransferBlock(Block):
    """Knows no message of any vendor, its own included."""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers DataTransfer."""
        return {"DataTransfer": self._transfer}

    def _transfer(self, request: JsonObject) -> JsonObject:
        own = request["vendorId"] == self.context.pics.vendor
        return status("UnknownMessageId" if own else "UnknownVendorId")
