"""Security events and the Basic password (Part 2, A01 and A04).

Knows which events are critical and what the surroundings make of them; certificates are the business of other blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from fuzz.station.blocks.base import Block
from fuzz.station.context import Context
from fuzz.station.device_model import Variable
from fuzz.station.events import (
    CloseConnection,
    Failure,
    MaintenanceLogin,
    Note,
    OperatorEvent,
    Tamper,
)
from fuzz.station.outbox import Outbox
from strategies.labels import JsonObject

CRITICAL = frozenset(
    {
        "FirmwareUpdated",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "MemoryExhaustion",
        "TamperDetectionActivated",
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidCsmsCertificate",
        "InvalidChargingStationCertificate",
        "InvalidTLSVersion",
        "InvalidTLSCipherSuite",
        "MaintenanceLoginAccepted",
        "MaintenanceLoginFailed",
        "DiscardedRenewedClientCertificate",
    }
)
"""The events that the CSMS is told (Part 2 appendix 1; the last one A02.FR.29). All others are only logged."""

_MAX_TECH_INFO = 255
_QUIET_S = 60.0
_QUIET = "InvalidMessages"


class SecurityBlock(Block):
    """Logs every event and tells the critical ones until the CSMS has confirmed them (A04.FR.01 to FR.04)."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        context.security_event = self._report
        context.outboxes["security"] = Outbox(context, lambda _payload, _outcome: None)
        context.clock_listeners.append(lambda: self._report("SettingSystemTime", ""))
        context.changed_listeners.append(self._changed)
        self.failures: set[Failure] = set()
        """What kept the station from connecting since it last did, each told once."""
        self._quiet_until = 0.0

    def power_on(self) -> None:
        """Every start is an event: a reboot that was asked for, or a start of the device."""
        started = self.context.boot_reason == "PowerUp"
        self._report("StartupOfTheDevice" if started else "ResetOrReboot", "")

    def connected(self, offline_s: float) -> None:
        """What failed before may be told again when it fails again."""
        self.failures.clear()

    def failed(self, failure: Failure) -> None:
        """What kept the station from connecting is an event, once for repeated failures (A00.FR.316, FR.419)."""
        kind = _event_of(failure)
        if kind and failure not in self.failures:
            self.failures.add(failure)
            self.context.security_event(kind, "")

    def happened(self, event: OperatorEvent) -> None:
        """Tampering and maintenance are events."""
        match event:
            case Tamper():
                self._report("TamperDetectionActivated", "")
            case MaintenanceLogin(user, accepted):
                kind = "MaintenanceLoginAccepted" if accepted else "MaintenanceLoginFailed"
                self._report(kind, f"{{'user': '{user}', 'origin': 'local'}}")
            case _:
                pass

    def _report(self, kind: str, tech_info: str) -> None:
        if kind == _QUIET and not self._may_repeat():
            return
        info = "".join(c if c.isprintable() else "?" for c in tech_info)[:_MAX_TECH_INFO]
        context = self.context
        timestamp = context.timestamp()
        context.logbook.security.append(" ".join(filter(None, (timestamp, kind, info))))
        if kind != _QUIET:
            context.do(Note(f"security event {kind}"))
        if kind in CRITICAL:
            payload: JsonObject = {"type": kind, "timestamp": timestamp}
            told: Mapping[str, str] = {"techInfo": info} if info else {}
            context.outboxes["security"].put("SecurityEventNotification", {**payload, **told})

    def _may_repeat(self) -> bool:
        # A peer that sends nothing but nonsense must not wash everything else out of the rolling log.
        if self.context.now < self._quiet_until:
            return False
        self._quiet_until = self.context.now + _QUIET_S
        return True

    def _changed(self, variable: Variable) -> None:
        if variable.name != "BasicAuthPassword":
            return
        # A01.FR.11 and FR.12: into the log, without the value. The new one is used at once, on a new connection.
        self._report("ReconfigurationOfSecurityParameters", "BasicAuthPassword")
        if self.context.dialling.choice.profile.security_profile < 3:
            self.context.do(CloseConnection())


def _event_of(failure: Failure) -> str:
    match failure:
        case Failure.CSMS_CERTIFICATE:
            return "InvalidCsmsCertificate"  # A00.FR.310, FR.413
        case Failure.TLS_VERSION:
            return "InvalidTLSVersion"  # A00.FR.316, FR.419
        case Failure.CIPHER_SUITE:
            return "InvalidTLSCipherSuite"  # A00.FR.323, FR.426
        case Failure.REFUSED:
            return "FailedToAuthenticateAtCsms"
        case Failure.UNREACHABLE:
            return ""
        case _:
            assert_never(failure)
