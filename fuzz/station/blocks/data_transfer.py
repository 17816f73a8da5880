"""DataTransfer: this station knows no vendor's extensions (Part 2, P01)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block, Handler, status


class DataTransferBlock(Block):
    """Knows no vendor."""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers DataTransfer."""
        return {"DataTransfer": lambda _request: status("UnknownVendorId")}
