"""Security events and the Basic password (Part 2, A01 and A04)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from fuzz.ocppj.peer import Unanswered
from fuzz.station.blocks.base import Block
from fuzz.station.context import Context, Outcome, Trigger
from fuzz.station.device_model import Variable
from fuzz.station.events import CloseConnection, Note
from strategies.labels import JsonObject

_MAX_WAITING = 50
_TIMER = "security"
_RETRY_S = 60.0


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One critical event on its way to the CSMS."""

    type: str
    timestamp: str


class SecurityBlock(Block):
    """Tells critical events until the CSMS has confirmed them (A04.FR.01 to FR.03)."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._waiting: deque[SecurityEvent] = deque(maxlen=_MAX_WAITING)
        self._telling: SecurityEvent | None = None
        context.clock_listeners.append(lambda: self._report("SettingSystemTime"))
        context.changed_listeners.append(self._changed)

    def triggers(self) -> Mapping[str, Trigger]:
        """A certificate renewal can be asked for, but this station makes no request to sign yet: always False."""
        return {"SignChargingStationCertificate": lambda _request: False}

    def power_on(self) -> None:
        """Every start is an event: a reboot that was asked for, or a start of the device."""
        self._telling = None
        started = self.context.boot_reason == "PowerUp"
        self._report("StartupOfTheDevice" if started else "ResetOrReboot")

    def accepted(self) -> None:
        """What had to wait for the CSMS is told now."""
        self._tell()

    def connected(self, offline_s: float) -> None:
        """What had to wait for the connection is told now (A04.FR.02)."""
        self._tell()

    def _report(self, kind: str) -> None:
        self.context.do(Note(f"security event {kind}"))
        self._waiting.append(SecurityEvent(kind, self.context.timestamp()))
        self._tell()

    def _tell(self) -> None:
        if self._telling is not None or not self._waiting:
            return
        event = self._waiting[0]
        payload: JsonObject = {"type": event.type, "timestamp": event.timestamp}
        if self.context.ask("SecurityEventNotification", payload, then=self._hear):
            self._telling = event

    def _hear(self, outcome: Outcome) -> None:
        event, self._telling = self._telling, None
        if isinstance(outcome, Unanswered):
            self.context.at(_TIMER, self.context.now + _RETRY_S, self._tell)
            return
        # A CALLERROR is an answer, too: to say the same again would not change it.
        if self._waiting and self._waiting[0] is event:
            self._waiting.popleft()
        self._tell()

    def _changed(self, variable: Variable) -> None:
        if variable.name != "BasicAuthPassword":
            return
        # A01.FR.11: into the log, without the value. A01: the new password is used at once, on a new connection.
        self.context.do(Note("security event ReconfigurationOfSecurityParameters"))
        if self.context.settings.security_profile < 3:
            self.context.do(CloseConnection())
