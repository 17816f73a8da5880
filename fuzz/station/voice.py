"""The proper station voice: keeps a CSMS in conversation while it is attacked, by way of the reference station.

Sans-IO: drives a `Station` core and speaks `Voice`. Must not know links or oracles. What the station would say of
its own accord after an answer is left unsaid: while a CSMS is attacked, the case has the word.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

from fuzz.clock import Clock, rfc3339
from fuzz.ocppj.lenient import hear
from fuzz.pics.loading import load_pics
from fuzz.records import Answer, FrameKind
from fuzz.station.core import Station
from fuzz.station.events import Command, Connected, Disconnected, PowerOn, SendText, TextReceived
from fuzz.station.settings import Settings
from strategies.labels import JsonObject, JsonValue
from strategies.version import Version, version

_ID = "csms-asked"


class StationVoice:
    """A Charging Station that boots, reports its connectors and answers what it is asked; implements `Voice`."""

    def __init__(
        self, clock: Clock, *, pics: str = "dc-2evse-ccs1", protocol: Version | None = None
    ) -> None:
        numbers = itertools.count(1)
        self._clock = clock
        self._pics = load_pics(pics)
        self._booted = False
        self._station = Station(
            protocol or version(),
            self._pics,
            Settings(ids=lambda: f"voice-{next(numbers)}", random=lambda: 0.0),
        )

    def opening(self) -> Sequence[tuple[str, JsonObject]]:
        """A BootNotification (B01.FR.03), then the status of every connector (B01.FR.05)."""
        self._power_cycle()
        status: list[tuple[str, JsonObject]] = [
            (
                "StatusNotification",
                {
                    "timestamp": rfc3339(self._clock.now()),
                    "connectorStatus": "Available",
                    "evseId": evse,
                    "connectorId": connector,
                },
            )
            for evse, connector in self._pics.each_connector()
        ]
        return [("BootNotification", self._boot_notification()), *status]

    def answer(self, action: str, payload: JsonValue) -> Answer:
        """What the reference station answers. Never raises."""
        asked = json.dumps([2, _ID, action, payload])
        for command in self._station.handle(TextReceived(asked), self._now()):
            heard = hear(command.text, 0.0) if isinstance(command, SendText) else None
            if heard is None or heard.message_id != _ID:
                continue
            if heard.kind is FrameKind.CALLRESULT and isinstance(heard.payload, dict):
                return Answer(payload=heard.payload)
            return Answer(error_code=str(heard.error_code), description=str(heard.items[3]))
        return Answer(error_code="InternalError")

    def learned(self, action: str, payload: JsonValue, answer: JsonValue) -> None:
        """Take note of the answer to the boot."""
        if action == "BootNotification" and isinstance(answer, dict):
            self._booted = answer.get("status") == "Accepted"

    @property
    def booted(self) -> bool:
        """True once the CSMS accepted the boot on this connection."""
        return self._booted

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _power_cycle(self) -> None:
        """Put the station core behind an accepted boot, without the CSMS having to repeat anything."""
        self._booted = False
        now = self._now()
        self._station.handle(Disconnected(), now)
        self._station.handle(PowerOn(), now)
        for command in self._station.handle(Connected(), now):
            self._accept(command, now)

    def _accept(self, command: Command, now: float) -> None:
        heard = hear(command.text, 0.0) if isinstance(command, SendText) else None
        if heard is None or heard.kind is not FrameKind.CALL:
            return
        accepted = {
            "currentTime": rfc3339(self._clock.now()),
            "interval": 300,
            "status": "Accepted",
        }
        payload = accepted if heard.action == "BootNotification" else {}
        for further in self._station.handle(
            TextReceived(json.dumps([3, heard.message_id, payload])), now
        ):
            self._accept(further, now)

    def _boot_notification(self) -> JsonObject:
        station: JsonObject = {
            "vendorName": self._pics.vendor,
            "model": self._pics.model,
            "serialNumber": self._pics.serial,
            "firmwareVersion": self._pics.firmware,
        }
        return {"reason": "PowerUp", "chargingStation": station}
