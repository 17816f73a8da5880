"""Booting: BootNotification and what its answer means (Part 2, B01 to B04)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.ocppj.peer import Answered
from fuzz.station.blocks.base import Block, whole
from fuzz.station.context import Outcome, Trigger
from fuzz.station.events import Note
from fuzz.station.states import AFTER_BOOT_ANSWER, Registration
from strategies.labels import JsonObject

_TIMER = "boot"


class BootBlock(Block):
    """Registers with the CSMS, again and again until it is accepted."""

    def triggers(self) -> Mapping[str, Trigger]:
        """BootNotification can be asked for until the CSMS accepted one (F06.FR.17)."""
        return {"BootNotification": self._triggered}

    def power_on(self) -> None:
        """Nothing was said to the CSMS yet."""
        self.context.registration = Registration.OFF
        self._due = self.context.now

    def connected(self, offline_s: float) -> None:
        """Says BootNotification when it is due; an accepted station does not repeat it (Part 4 section 5.3)."""
        context = self.context
        match context.registration:
            case Registration.ACCEPTED:
                return
            case Registration.OFF | Registration.BOOTING:
                self._say(context.boot_reason)
            case Registration.PENDING | Registration.REJECTED:
                context.at(_TIMER, max(self._due, context.now), self._again)

    def _triggered(self, request: JsonObject) -> bool:
        if self.context.registration is not Registration.PENDING:
            return False
        return self._say("Triggered")

    def _again(self) -> None:
        if self.context.connected:
            self._say(self.context.boot_reason)

    def _say(self, reason: str) -> bool:
        context = self.context
        context.cancel([_TIMER])
        context.registration = Registration.BOOTING
        pics, model = context.pics, context.model
        station: JsonObject = {
            "vendorName": pics.vendor,
            "model": pics.model,
            "serialNumber": context.serial,
            "firmwareVersion": model.read(model.named("ChargingStation", "FirmwareVersion")),
        }
        payload: JsonObject = {"reason": reason, "chargingStation": station}
        return context.ask("BootNotification", payload, then=self._hear)

    def _hear(self, outcome: Outcome) -> None:
        if not isinstance(outcome, Answered):
            self._wait(0)
            return
        response = outcome.payload
        # Before the new state counts, so that the connectors are told before a jump of the clock is.
        self.context.set_clock(response["currentTime"])
        registration = AFTER_BOOT_ANSWER[str(response["status"])]
        self.context.registration = registration
        self.context.do(Note(f"boot {registration}"))
        interval_s = whole(response["interval"])
        if registration is Registration.ACCEPTED:
            self._accepted(interval_s)
            return
        if registration is Registration.REJECTED:
            self.context.drop_queue()
        self._wait(interval_s)

    def _accepted(self, interval_s: int) -> None:
        # B01.FR.04 and G02.FR.01: the interval is that of heartbeats now.
        variable = self.context.model.named("OCPPCommCtrlr", "HeartbeatInterval")
        if not self.context.check_value(variable, str(interval_s)).reason:
            self.context.set_variable(variable, str(interval_s))

    def _wait(self, interval_s: int) -> None:
        # B02.FR.04, B03.FR.06: an interval of 0 leaves the wait to the station.
        wait_s = interval_s if interval_s > 0 else self.context.settings.boot_retry_s
        self._due = self.context.now + wait_s
        self.context.at(_TIMER, self._due, self._again)
