"""What a functional block sees of its station: the model, the time, the conversation, timers.

Knows no message and no block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from fuzz.ocppj.frames import Call
from fuzz.ocppj.peer import Answered, Peer, Refused, Unanswered
from fuzz.station.device_model import CheckValue, DeviceModel, Variable
from fuzz.station.events import Command
from fuzz.station.pics import Pics
from fuzz.station.states import Registration, may_say
from strategies.labels import JsonObject

Outcome: TypeAlias = Answered | Refused | Unanswered
Then: TypeAlias = Callable[[Outcome], None]
Trigger: TypeAlias = Callable[[JsonObject], bool]
"""Queues the message that a TriggerMessageRequest asks for; False when it cannot be sent now."""

# A clock set beyond these years by a hostile currentTime could not be written as a dateTime any more.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """What one station is configured with, apart from its PICS file.

    `ids` gives message ids that were never used before, `random` numbers from 0 up to 1. The back-off values replace
    the variables of the device model when given. `boot_retry_s` is the self-chosen wait when the CSMS names none.
    """

    ids: Callable[[], str]
    random: Callable[[], float]
    identity: str = "OCPPFUZZ0001"
    security_profile: int = 1
    backoff_min_s: float | None = None
    backoff_range_s: float | None = None
    boot_retry_s: float = 10.0


@dataclass(slots=True)
class Context:
    """The present state that all blocks share. Blocks change it only through its methods, `boot_reason` apart."""

    pics: Pics
    settings: Settings
    model: DeviceModel
    peer: Peer
    check_value: CheckValue
    now: float = 0.0
    connected: bool = False
    rebooting: bool = False
    registration: Registration = Registration.OFF
    boot_reason: str = "PowerUp"
    message_size: int = 0
    commands: list[Command] = field(default_factory=list)
    dirty: bool = False
    triggers: dict[str, Trigger] = field(default_factory=dict)
    changed_listeners: list[Callable[[Variable], None]] = field(default_factory=list)
    clock_listeners: list[Callable[[], None]] = field(default_factory=list)
    _timers: dict[str, tuple[float, Callable[[], None]]] = field(default_factory=dict)
    _waiting: dict[str, Then] = field(default_factory=dict)
    _clock_offset_s: float = 0.0

    # --- talking ------------------------------------------------------------------------------------------

    def may_ask(self, action: str, *, triggered: bool = False) -> bool:
        """Whether a CALL of `action` would be sent, not dropped."""
        if not self.connected or self.peer.room <= 0:
            return False
        return may_say(self.registration, action, triggered=triggered)

    def ask(
        self,
        action: str,
        payload: JsonObject,
        *,
        triggered: bool = False,
        then: Then | None = None,
    ) -> bool:
        """Queues a CALL if it may be sent now; `then` hears what became of it. False when it is dropped."""
        if not self.may_ask(action, triggered=triggered):
            return False
        call = self.peer.call(action, payload)
        if then is not None:
            self._waiting[call.id] = then
        return True

    def conclude(self, call: Call, outcome: Outcome) -> None:
        """Tells whoever asked what became of a CALL of ours."""
        then = self._waiting.pop(call.id, None)
        if then is not None:
            then(outcome)

    def drop_queue(self) -> None:
        """Forgets every CALL that is not answered yet."""
        for call in self.peer.forget():
            self.conclude(call, Unanswered(call))

    def do(self, command: Command) -> None:
        """Has a command carried out after the answer to the present message."""
        self.commands.append(command)

    # --- time ---------------------------------------------------------------------------------------------

    def timestamp(self) -> str:
        """The station's clock as OCPP writes it (Part 2 section 2.1.4)."""
        moment = datetime.fromtimestamp(self.now + self._clock_offset_s, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"

    def set_clock(self, current_time: object) -> None:
        """Follows the CSMS's time if Heartbeat is a time source (B01.FR.06); nonsense is left alone."""
        source = self.model.read(self.model.named("ClockCtrlr", "TimeSource"))
        moment = _moment(current_time)
        if moment is None or "Heartbeat" not in source.split(","):
            return
        offset = moment.timestamp() - self.now
        jump = abs(offset - self._clock_offset_s)
        self._clock_offset_s = offset
        if jump > self.model.number("ClockCtrlr", "TimeAdjustmentReportingThreshold"):
            for listener in self.clock_listeners:
                listener()

    def at(self, name: str, when: float, do: Callable[[], None]) -> None:
        """Has `do` called at `when`; replaces the timer of the same name."""
        self._timers[name] = (when, do)

    def cancel(self, names: Iterable[str] | None = None) -> None:
        """Forgets the named timers, all of them by default."""
        for name in list(self._timers) if names is None else names:
            self._timers.pop(name, None)

    def next_timer(self) -> float | None:
        """When the first timer is due."""
        return min((when for when, _ in self._timers.values()), default=None)

    def run_timers(self) -> None:
        """Calls what is due, earliest first, each once."""
        due = [(when, name) for name, (when, _) in self._timers.items() if when <= self.now]
        for _, name in sorted(due):
            timer = self._timers.pop(name, None)
            if timer is not None:
                timer[1]()

    # --- lasting state ------------------------------------------------------------------------------------

    def set_variable(self, variable: Variable, value: str) -> None:
        """Stores a checked value for good and tells the blocks."""
        self.dirty |= self.model.read(variable) != value
        self.model.write(variable, value)
        for listener in self.changed_listeners:
            listener(variable)


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        return moment if moment and _EARLIEST <= moment <= _LATEST else None
    except (ValueError, TypeError, OverflowError):
        return None
