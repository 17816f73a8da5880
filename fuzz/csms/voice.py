"""The proper CSMS voice: answers a Charging Station's CALLs so that it stays booted while it is attacked.

Sans-IO: knows payloads and a clock that is handed in. Must not know links, messageIds or oracles; whether the
station's payloads are right is for oracles to judge, so the voice answers wrong ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from fuzz.clock import Clock, rfc3339
from fuzz.csms.facts import Facts, member
from fuzz.records import Answer
from strategies.labels import JsonObject, JsonValue, Sender
from strategies.version import Version, version

_FIXED: Mapping[str, JsonObject] = MappingProxyType(
    {
        "Authorize": {"idTokenInfo": {"status": "Accepted"}},
        "ClearedChargingLimit": {},
        "DataTransfer": {"status": "UnknownVendorId"},
        "FirmwareStatusNotification": {},
        "GetCertificateStatus": {"status": "Failed"},
        "LogStatusNotification": {},
        "MeterValues": {},
        "NotifyChargingLimit": {},
        "NotifyCustomerInformation": {},
        "NotifyDisplayMessages": {},
        "NotifyEVChargingNeeds": {"status": "Rejected"},
        "NotifyEVChargingSchedule": {"status": "Accepted"},
        "NotifyEvent": {},
        "NotifyMonitoringReport": {},
        "NotifyReport": {},
        "PublishFirmwareStatusNotification": {},
        "ReportChargingProfiles": {},
        "ReservationStatusUpdate": {},
        "SecurityEventNotification": {},
        # No authority stands behind this voice, and A02 lets a CSMS refuse a request to sign.
        "SignCertificate": {"status": "Rejected"},
        "StatusNotification": {},
    }
)
"""Answers that depend on nothing. Get15118EVCertificate is missing: this CSMS has no ISO 15118 services."""


class CsmsVoice:
    """A CSMS that accepts every boot and every token; implements `Voice`.

    Args:
        clock: tells the time for `currentTime`.
        interval_s: the heartbeat interval given at boot; must be positive (B01.FR.04).
        edition: the edition of the specification that is followed (digest 2.12); both answer alike so far.
        protocol: the version spoken.
        booted: the station was booted before this voice met it, and may not boot again.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        interval_s: int = 300,
        edition: str = "ed3",
        protocol: Version | None = None,
        booted: bool = False,
    ) -> None:
        if interval_s <= 0:
            raise ValueError(f"interval_s is {interval_s}; a heartbeat interval is positive")
        self.facts = Facts()
        self.edition = edition
        self._clock = clock
        self._interval_s = interval_s
        self._version = protocol or version()
        self._booted = booted
        self._answers: Mapping[str, Callable[[JsonValue], JsonObject]] = {
            "BootNotification": self._boot,
            "Heartbeat": self._heartbeat,
            "TransactionEvent": self._transaction,
        }
        self._notes: Mapping[str, Callable[[JsonValue], None]] = {
            "BootNotification": self.facts.note_boot,
            "NotifyReport": self.facts.note_report,
            "SecurityEventNotification": self.facts.note_security_event,
            "StatusNotification": self.facts.note_status,
        }

    def opening(self) -> Sequence[tuple[str, JsonObject]]:
        """Nothing: the station speaks first. It stays booted over a reconnect (T9), so nothing is forgotten."""
        return ()

    def answer(self, action: str, payload: JsonValue) -> Answer:
        """The proper answer to the station's CALL; takes note of what it says. Never raises."""
        note = self._notes.get(action)
        if note is not None:
            note(payload)
        made = self._answers.get(action)
        if made is not None:
            return Answer(payload=made(payload))
        fixed = _FIXED.get(action)
        if fixed is not None:
            return Answer(payload=dict(fixed))
        return self._refuse(action)

    def learned(self, action: str, payload: JsonValue, answer: JsonValue) -> None:
        """Whoever serves a CALL is taken for accepted: a station that others left Pending may serve some too (B02)."""
        self._booted = True

    @property
    def booted(self) -> bool:
        """True once a boot was accepted, here or before, and still after a reconnect without BootNotification (T9)."""
        return self._booted

    # --- answers that depend on something -----------------------------------------------------------------

    def _now(self) -> str:
        return rfc3339(self._clock.now())

    def _boot(self, _payload: JsonValue) -> JsonObject:
        self._booted = True
        return {"currentTime": self._now(), "interval": self._interval_s, "status": "Accepted"}

    def _heartbeat(self, _payload: JsonValue) -> JsonObject:
        return {"currentTime": self._now()}

    def _transaction(self, payload: JsonValue) -> JsonObject:
        # A token in the request wants its status in the response (E01 to E03); without one there is nothing to say.
        if member(payload, "idToken") is None:
            return {}
        return {"idTokenInfo": {"status": "Accepted"}}

    def _refuse(self, action: str) -> Answer:
        """Known but not offered here is NotSupported, unknown is NotImplemented (Part 4 section 4.3)."""
        sender = self._version.actions.get(action)
        if sender is None:
            return Answer(error_code="NotImplemented", description="unknown action")
        if sender is Sender.CSMS:
            return Answer(error_code="NotSupported", description="a CSMS sends this action")
        return Answer(error_code="NotSupported", description="not offered by this CSMS")
