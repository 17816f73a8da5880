"""The boot machine (B01 to B03): what may be said and served while a Charging Station is not accepted.

Knows the three answers to a BootNotification and what follows from each. Must not know transactions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from strategies.labels import JsonValue
from strategies.model.events import (
    Answered,
    Asked,
    Called,
    Closed,
    Died,
    Event,
    Objection,
    Opened,
    Operated,
    Told,
    Weight,
    member,
    number,
    text,
)
from strategies.model.facts import NEVER, Facts, Standing
from strategies.model.rule import Rule

_STANDINGS: Mapping[str, Standing] = {
    "Accepted": Standing.ACCEPTED,
    "Pending": Standing.PENDING,
    "Rejected": Standing.REJECTED,
}
_ANSWER = frozenset({"currentTime", "interval", "status", "statusInfo", "customData"})
_REMOTE = frozenset({"RequestStartTransaction", "RequestStopTransaction"})
_SERVED_PENDING = frozenset(
    {"SetVariables", "GetVariables", "GetBaseReport", "GetReport", "TriggerMessage"}
)
"""What B02.FR.01 names as useful while Pending."""

_FOLLOWS: Mapping[str, frozenset[str]] = {
    "NotifyReport": frozenset({"GetBaseReport", "GetReport"}),
    "NotifyMonitoringReport": frozenset({"GetMonitoringReport"}),
    "NotifyCustomerInformation": frozenset({"CustomerInformation"}),
    "LogStatusNotification": frozenset({"GetLog"}),
    "FirmwareStatusNotification": frozenset({"UpdateFirmware"}),
}
"""Messages that the CSMS brought about by itself. The specification names reports alone; the rest is tolerated."""

SENDS: Mapping[str, frozenset[str]] = {
    "SignChargingStationCertificate": frozenset({"SignCertificate"}),
    "SignV2GCertificate": frozenset({"SignCertificate"}),
    "SignCombinedCertificate": frozenset({"SignCertificate"}),
    # Implementation's choice: status by either message, meter values of a transaction by either (J02, G01).
    "StatusNotification": frozenset({"StatusNotification", "NotifyEvent"}),
    "MeterValues": frozenset({"MeterValues", "TransactionEvent"}),
}
"""What a triggered message may be; itself where nothing stands here."""

_HURRIED, _HURRY_S = 4, 1.0
"""So many boots in so many seconds are a flood, whatever wait a station may choose by itself."""

# Implementation's choice: what a station calls a start that a Reset brought about, as long as it is no other cause.
_NOT_BY_RESET = frozenset({"PowerUp", "LocalReset", "FirmwareUpdate"})
_BOOTS = frozenset({"Reset", "UpdateFirmware", "SetNetworkProfile"})
"""CALLs that may end in a boot."""

_BY_NOBODY = frozenset({"RemoteReset", "ScheduledReset", "Triggered"})
"""What only the CSMS can bring about; firmware may be of long before."""


class Registration(Rule):
    """Follows boots and their answers; sets `Facts.standing`."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._not_before = NEVER
        self._asked_in: dict[str, Standing] = {}
        self._brought_about: set[str] = set()
        self._powered_off = self._cycled = False
        self._leaving = self._reset = self._went = False
        """Whether a Reset was accepted and not done yet, whether its boot can be for nothing else, and whether it may be done."""
        self._lone_cycle = False
        """Whether the power was lost, and nothing else since the last boot was accepted can be why it boots."""
        self._settled = self._triggers = False
        """Whether a boot was accepted and nothing asked since that ends in another one; whether one was triggered ever."""
        self._pending: set[str] = set()
        """What was asked on this connection that may end in a boot, and is not answered."""
        self._asked_for = False
        """Whether a trigger of a boot was accepted, and that boot has not come."""
        self._own_wait = False
        """Whether the last answer to a boot refused it, and left the wait to the station."""
        self._boots_s: list[float] = []
        """When it booted in a row with such waits, and nothing else happened between."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with an event, by the boot machine."""
        if not isinstance(event, Called | Answered | Told):
            self._boots_s.clear()
        match event:
            case Called(action="BootNotification"):
                yield from self._boots(event)
            case Called():
                yield from self._speaks(event)
            case Answered(called=Called(action="BootNotification")):
                self._answered(event)
            case Asked():
                self._asked(event)
            case Told():
                yield from self._told(event)
            case Operated():
                self._powered_off |= event.deed == "power-cycle"
                self._cycled |= event.deed == "power-cycle"
                self._reset &= event.deed not in ("power-cycle", "fault", "tamper")
                self._lone_cycle |= event.deed == "power-cycle" and self._settled
            case Opened():
                self._asked_for = False
                self._pending.clear()
                # Implementation's choice: whether the wait for the next boot outlives a connection.
                self._not_before = NEVER
                if self._powered_off:
                    self._facts.standing, self._powered_off = Standing.OFF, False
                elif self._went:
                    # What it was answered before its restart holds no more; whether it has restarted, it will tell.
                    self._facts.standing = Standing.UNKNOWN
            case Died():
                self._facts.standing, self._leaving, self._reset = Standing.UNKNOWN, False, False
                self._settled = self._lone_cycle = False
                self._not_before = NEVER
            case Closed():
                self._went = self._leaving
            case _:
                pass

    # --- what the station says ----------------------------------------------------------------------------

    def _boots(self, event: Called) -> Iterator[Objection]:
        standing, reason = self._facts.standing, text(event.payload, "reason")
        triggered = reason == "Triggered" or "BootNotification" in self._brought_about
        if event.at_s < self._not_before and not triggered:
            rule = "B02.FR.04" if standing is Standing.PENDING else "B03.FR.02"
            yield Objection(
                rule,
                "BootNotification before the interval was over",
                f"BootNotification {self._not_before - event.at_s:.1f} s too early: the CSMS had given an interval",
            )
        yield from self._hurries(event.at_s, triggered=triggered)
        if self._reset and self._went and reason in _NOT_BY_RESET:
            yield Objection(
                "B01.FR.09",
                "boot after Reset for another reason",
                f"after an accepted Reset the BootNotification says {reason}",
                weight=Weight.LOW,
            )
        yield from self._reason(event, reason)
        self._facts.standing, self._not_before = Standing.BOOTING, NEVER
        # Power that was cut meanwhile may be missed only after this boot.
        self._cycled &= reason in ("RemoteReset", "ScheduledReset")
        self._powered_off = False
        self._leaving = self._reset = self._went = False
        self._brought_about.discard("BootNotification")

    def _reason(self, event: Called, reason: str) -> Iterator[Objection]:
        """B01.FR.09: what brought a boot about, where only one thing can have done so."""
        wrong = ""
        if self._lone_cycle and reason in _BY_NOBODY:
            wrong = f"the power was lost, nobody asked for a boot, and the BootNotification says {reason}"
        elif self._asked_for and event.at_s < self._not_before and reason != "Triggered":
            wrong = f"a BootNotification that was triggered before its time says {reason or 'no reason'}"
        elif reason == "Triggered" and self._facts.boots > 0 and not self._triggers:
            wrong = "a BootNotification says Triggered, and nobody had asked for one"
        if wrong:
            yield Objection("B01.FR.09", "boot for a reason that was not", wrong, weight=Weight.LOW)
        self._lone_cycle = self._settled = self._asked_for = False

    def _hurries(self, at_s: float, *, triggered: bool) -> Iterator[Objection]:
        """B02.FR.07, B03.FR.05: whoever chooses the wait chooses one that floods nobody."""
        goes_on = self._own_wait and not triggered
        self._boots_s = [*self._boots_s, at_s] if goes_on else [at_s]
        self._own_wait = False
        last = self._boots_s[-_HURRIED:]
        if len(last) == _HURRIED and last[-1] - last[0] <= _HURRY_S:
            yield Objection(
                "B02.FR.07, B03.FR.05",
                "boots again and again without a wait",
                f"{_HURRIED} BootNotifications within {last[-1] - last[0]:.1f} s, each but the last refused with the"
                " interval 0, which leaves the wait to the station so that it floods nobody",
            )

    def _speaks(self, event: Called) -> Iterator[Objection]:
        match self._facts.standing:
            case Standing.OFF | Standing.BOOTING:
                rule, when = "B01.FR.08", "before the boot was answered"
            case Standing.REJECTED:
                rule, when = "B03.FR.02", "while Rejected"
            case Standing.PENDING if event.action not in self._brought_about:
                rule, when = "B02.FR.02", "while Pending, not asked for"
            case _:
                return
        yield Objection(rule, f"CALL {when}", f"{event.action} {when}")

    # --- what the CSMS says -------------------------------------------------------------------------------

    def _answered(self, event: Answered) -> None:
        if self._facts.standing is not Standing.BOOTING or event.error_code:
            return
        if not proper_boot_answer(event.payload) or not event.prompt:
            self._facts.standing = Standing.UNKNOWN
            return
        standing = _STANDINGS[text(event.payload, "status")]
        interval = number(event.payload, "interval") or 0
        self._facts.standing = standing
        self._settled = standing is Standing.ACCEPTED and not self._pending
        self._own_wait = standing is not Standing.ACCEPTED and interval == 0
        if standing is not Standing.ACCEPTED and interval > 0:
            # Jumps differ, and so does what the interval is counted from.
            self._not_before = event.at_s + interval * 0.8 - 0.5

    def _asked(self, event: Asked) -> None:
        self._asked_in[event.id] = self._facts.standing
        for message, requests in _FOLLOWS.items():
            if event.action in requests:
                self._brought_about.add(message)
        if event.action in _BOOTS:
            self._settled = self._lone_cycle = False
            self._pending.add(event.id)
        if event.action == "TriggerMessage":
            wanted = text(event.payload, "requestedMessage")
            self._triggers = True
            self._brought_about |= SENDS.get(wanted, {wanted})

    def _told(self, event: Told) -> Iterator[Objection]:
        self._pending.discard(event.asked.id)
        if event.asked.action in _BOOTS:
            self._settled = self._lone_cycle = False
        if event.asked.action == "TriggerMessage" and event.status == "Accepted":
            wanted = text(event.asked.payload, "requestedMessage")
            self._asked_for |= wanted == "BootNotification" and self._not_before > NEVER
        action, standing = event.asked.action, self._facts.standing
        before = self._asked_in.get(event.asked.id, Standing.UNKNOWN)
        if before is Standing.REJECTED and standing is before and not event.error_code:
            yield Objection(
                "B03.FR.08",
                "CALL served while Rejected",
                f"{action} was answered with a CALLRESULT while the station was Rejected; SecurityError is due",
            )
        if before is Standing.PENDING and standing in (Standing.PENDING, Standing.BOOTING):
            yield from self._told_pending(event)
        if before is Standing.ACCEPTED and standing is before:
            yield from self._told_accepted(event)
        if action in ("Reset", "UpdateFirmware") and event.status in ("Accepted", "Scheduled"):
            self._not_before = NEVER
            # Power that went before may take a while to be missed, and is as good a cause. Who was not accepted yet may
            # say that boot again before the Reset is done, as the end of a transaction is told first (B12.FR.04).
            again = standing in (Standing.BOOTING, Standing.PENDING, Standing.REJECTED)
            self._leaving = action == "Reset"
            self._reset = self._leaving and not (self._cycled or again)

    def _told_pending(self, event: Told) -> Iterator[Objection]:
        action = event.asked.action
        if action in _REMOTE and event.status == "Accepted":
            yield Objection(
                "B02.FR.05",
                f"{action} accepted while Pending",
                f"{action} was accepted although the CSMS had not accepted the station",
                weight=Weight.HIGH,
            )
        if action in _SERVED_PENDING and event.error_code == "SecurityError":
            yield Objection(
                "B02.FR.01",
                "CALL refused while Pending",
                f"{action} got SecurityError; a station that is Pending must serve it",
            )

    def _told_accepted(self, event: Told) -> Iterator[Objection]:
        wanted = text(event.asked.payload, "requestedMessage")
        boot = event.asked.action == "TriggerMessage" and wanted == "BootNotification"
        if boot and event.status == "Accepted":
            yield Objection(
                "F06.FR.17",
                "BootNotification triggered although accepted",
                "TriggerMessage(BootNotification) was accepted although the last boot had been",
                weight=Weight.LOW,
            )


def proper_boot_answer(payload: JsonValue) -> bool:
    """True for a BootNotificationResponse that no reader could understand otherwise."""
    if not isinstance(payload, dict) or not payload.keys() <= _ANSWER:
        return False
    info, interval = member(payload, "statusInfo"), number(payload, "interval")
    if info is not None and not text(info, "reasonCode"):
        return False
    if text(payload, "status") not in _STANDINGS or interval is None or not 0 <= interval < 2**31:
        return False
    try:
        datetime.fromisoformat(text(payload, "currentTime"))
    except ValueError:
        return False
    return True
