"""Reset of the whole station (Part 2, B11 and B12)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block, Handler, status
from fuzz.station.context import Context
from fuzz.station.events import Note, Reboot
from strategies.labels import JsonObject

_TIMER = "reset"
_LOOK_S = 0.5
_PATIENCE_S = 10.0


class ResetBlock(Block):
    """Answers, then reboots: at once, or when every transaction has ended."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._scheduled = False
        context.ended_listeners.append(lambda _evse: self._ended())

    def handlers(self) -> Mapping[str, Handler]:
        """Answers Reset."""
        return {"Reset": self._reset}

    def power_on(self) -> None:
        """Whatever was to be reset has been."""
        self._scheduled = self.context.resetting = False

    def _reset(self, request: JsonObject) -> JsonObject:
        context = self.context
        if "evseId" in request:
            # B11.FR.09, B12.FR.09: whatever the PICS file says, no station of ours resets one EVSE alone (C-13).
            return status("Rejected", "UnsupportedRequest")
        # No new session begins any more, or an idle station would never come.
        context.resetting = True
        context.do(Note("reset asked for"))
        if request["type"] == "OnIdle" and context.transactions.on(0):
            self._scheduled = True
            return status("Scheduled")  # B12.FR.01
        self._scheduled = False
        context.transactions.end_all("ResetCommand", "ImmediateReset")  # B12.FR.04
        self._reboot_when_told(context.now + _PATIENCE_S)
        return status("Accepted")

    def _ended(self) -> None:
        if self._scheduled and not self.context.transactions.on(0):
            self._scheduled = False
            self._reboot_when_told(self.context.now + _PATIENCE_S)

    def _reboot_when_told(self, latest: float) -> None:
        """Lets the CSMS hear of the end first, for a while; what it has not heard waits for the next start (B12.FR.05)."""
        context = self.context
        outbox = context.outboxes["transaction"]
        if outbox.waiting and context.connected and context.now < latest:
            context.at(_TIMER, context.now + _LOOK_S, lambda: self._reboot_when_told(latest))
            return
        context.boot_reason = "RemoteReset"
        context.do(Reboot())
