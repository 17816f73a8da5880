"""ClearCache on a station without an authorization cache (Part 2, C11)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block, Handler, status


class CacheBlock(Block):
    """There is no cache to clear (C11.FR.04)."""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers ClearCache."""
        return {"ClearCache": lambda _request: status("Rejected", "NotEnabled")}
