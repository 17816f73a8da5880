"""The outboxes of all blocks: pumped, kept and restored in one place (Part 2, E13 and A04.FR.02).

Knows when an outbox may have something to do; must not know what is in it. Comes last among the blocks: what is told
on a new connection goes before what waited for it, and every outbox exists before it is restored.
"""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block
from strategies.labels import JsonObject, JsonValue


class OutboxesBlock(Block):
    """Sees to every outbox in `context.outboxes`."""

    def power_on(self) -> None:
        """What waits now was not told before the station went down."""
        self._link_lost()

    def connected(self, offline_s: float) -> None:
        """What waited for the connection goes out, if the station is still accepted."""
        self._pump()

    def accepted(self) -> None:
        """What waited for an accepted boot goes out."""
        self._pump()

    def disconnected(self) -> None:
        """What waits now will go out later."""
        self._link_lost()

    def lasting(self) -> JsonObject:
        """All that waits, one member for each outbox."""
        boxes = self.context.outboxes.items()
        return {_member(name): outbox.lasting() for name, outbox in boxes}

    def restore(self, lasting: Mapping[str, JsonValue]) -> None:
        """Takes over what waited."""
        for name, outbox in self.context.outboxes.items():
            outbox.restore(lasting.get(_member(name)))

    def _pump(self) -> None:
        for outbox in self.context.outboxes.values():
            outbox.pump()

    def _link_lost(self) -> None:
        for outbox in self.context.outboxes.values():
            outbox.link_lost()


def _member(name: str) -> str:
    return f"outbox-{name}"
