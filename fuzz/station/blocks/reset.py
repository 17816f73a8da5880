"""Reset of the whole station (Part 2, B11 and B12)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block, Handler, status
from fuzz.station.events import Note, Reboot
from strategies.labels import JsonObject


class ResetBlock(Block):
    """Answers, then reboots: there is no transaction that a reset would have to end or wait for."""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers Reset."""
        return {"Reset": self._reset}

    def _reset(self, request: JsonObject) -> JsonObject:
        if "evseId" in request and not self.context.pics.items["C-13"]:
            # B11.FR.09, B12.FR.09: one EVSE alone cannot be reset here.
            return status("Rejected", "UnsupportedRequest")
        self.context.boot_reason = "RemoteReset"
        self.context.do(Note("reset asked for"))
        self.context.do(Reboot())
        return status("Accepted")
