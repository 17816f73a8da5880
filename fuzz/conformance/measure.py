"""The performance table of a certificate: how long answers and what they promise took.

Knows which message follows which request, and times that are handed in. Reads no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from fuzz.conformance.view import View


class Measure(StrEnum):
    """The four rows of the table."""

    RESPONSE = "OCPP response time"
    TRIGGERED = "OCPP triggered function response time"
    START = "Transaction authorization time by RequestStartTransactionRequest"
    STOP = "Transaction authorization end time by RequestStopTransactionRequest"


LIMITS_S: Mapping[Measure, float] = MappingProxyType(
    {Measure.RESPONSE: 10, Measure.TRIGGERED: 36, Measure.START: 30, Measure.STOP: 30}
)

_FOLLOWS: Mapping[str, str] = MappingProxyType(
    {
        "GetBaseReport": "NotifyReport",
        "GetReport": "NotifyReport",
        "GetLog": "LogStatusNotification",
        "CustomerInformation": "NotifyCustomerInformation",
        "UpdateFirmware": "FirmwareStatusNotification",
    }
)
_TRIGGERED: Mapping[str, str] = MappingProxyType(
    {
        "BootNotification": "BootNotification",
        "Heartbeat": "Heartbeat",
        "StatusNotification": "StatusNotification",
        "SignChargingStationCertificate": "SignCertificate",
    }
)


@dataclass(slots=True)
class Stopwatch:
    """What was measured so far, in seconds."""

    samples: dict[Measure, list[float]] = field(default_factory=lambda: {m: [] for m in Measure})
    _awaited: dict[str, tuple[Measure, float]] = field(default_factory=dict)

    def asked(self, action: str, payload: View, at: float) -> None:
        """The CSMS asked for something that another message will follow."""
        followed = _FOLLOWS.get(action)
        if action == "TriggerMessage":
            followed = _TRIGGERED.get(payload.text("requestedMessage"))
        if followed is not None:
            self._awaited[followed] = (Measure.TRIGGERED, at)
        elif action == "RequestStartTransaction":
            self._awaited["RemoteStart"] = (Measure.START, at)
        elif action == "RequestStopTransaction":
            self._awaited["RemoteStop"] = (Measure.STOP, at)

    def answered(self, action: str, answer: View, asked_at: float, at: float) -> None:
        """The answer came; nothing follows a refusal."""
        self.samples[Measure.RESPONSE].append(at - asked_at)
        if answer["status"] not in (None, "Accepted"):
            self._awaited = {k: v for k, v in self._awaited.items() if v[1] != asked_at}

    def heard(self, action: str, payload: View, at: float) -> None:
        """The station sent a CALL; an awaited one gives a sample."""
        name = payload.text("triggerReason") if action == "TransactionEvent" else action
        # Table of the certificate: an end whose chargingState is EVConnected needed more than the authorization.
        if name == "RemoteStop" and payload["transactionInfo.chargingState"] == "EVConnected":
            self._awaited.pop(name, None)
        found = self._awaited.pop(name, None)
        if found is not None:
            self.samples[found[0]].append(at - found[1])

    def forget(self) -> None:
        """Whatever was awaited will not come: the connection is gone."""
        self._awaited.clear()
