"""What a functional block sees of its station: the model, the time, the conversation, timers.

Knows no message and no block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from fuzz.ocppj.frames import Call
from fuzz.ocppj.peer import Answered, Peer, Refused, Unanswered
from fuzz.pics.answers import Pics
from fuzz.station.device_model import CheckValue, DeviceModel, Key, Variable
from fuzz.station.dialling import Dialling, dialling_of
from fuzz.station.events import CancelTransfer, Command, Download, Note, TransferDone, Upload
from fuzz.station.hardware import Evse
from fuzz.station.keystore import KeyStore, Own
from fuzz.station.logbook import Logbook
from fuzz.station.offers import Meter, NoMeter, NoTransactions, Transactions
from fuzz.station.outbox import Outbox
from fuzz.station.settings import Settings
from fuzz.station.states import Registration, may_say
from strategies.labels import JsonObject

Outcome: TypeAlias = Answered | Refused | Unanswered
Then: TypeAlias = Callable[[Outcome], None]
Trigger: TypeAlias = Callable[[JsonObject], bool]
"""Queues the message that a TriggerMessageRequest asks for; False when it cannot be sent now."""

# A clock set beyond these years by a hostile currentTime could not be written as a dateTime any more.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Context:
    """The present state that all blocks share. Blocks change it only through its methods, `boot_reason` apart.

    What a block offers to the others is a field here, empty until that block has filled it in its constructor:
    `transactions` (TransactionsBlock), `meter` (MeteringBlock), `security_event` (SecurityBlock), `status_changed`
    (AvailabilityBlock). `usable` says whether an EVSE is operative and without a fault (AvailabilityBlock); `resetting` is
    true while a reset is agreed upon and no new session may begin. `withheld` is true while no new session may begin, such
    as before a firmware installation (L01.FR.07).
    """

    pics: Pics
    settings: Settings
    model: DeviceModel
    peer: Peer
    check_value: CheckValue
    evses: Mapping[int, Evse]
    logbook: Logbook = field(default_factory=Logbook)
    outboxes: dict[str, Outbox] = field(default_factory=dict)
    transactions: Transactions = field(default_factory=NoTransactions)
    meter: Meter = field(default_factory=NoMeter)
    security_event: Callable[[str, str], None] = field(default=lambda kind, tech_info: None)
    status_changed: Callable[[], None] = field(default=lambda: None)
    usable: Callable[[int], bool] = field(default=lambda evse: True)
    withheld: bool = False
    resetting: bool = False
    now: float = 0.0
    connected: bool = False
    rebooting: bool = False
    registration: Registration = Registration.OFF
    boot_reason: str = "PowerUp"
    message_size: int = 0
    said_at: float = 0.0
    """When a CALL was queued last."""
    commands: list[Command] = field(default_factory=list)
    dirty: bool = False
    triggers: dict[str, Trigger] = field(default_factory=dict)
    changed_listeners: list[Callable[[Variable], None]] = field(default_factory=list)
    clock_listeners: list[Callable[[], None]] = field(default_factory=list)
    value_checks: dict[Key, Callable[[str], str]] = field(default_factory=dict)
    """For a variable: the reason why a value of the right form cannot be set (A05.FR.02, B10.FR.02), "" when it can."""
    keys: KeyStore = field(init=False)
    dialling: Dialling = field(init=False)
    ended_listeners: list[Callable[[int], None]] = field(default_factory=list)
    """Called with the EVSE, 0 when it never had one, once a transaction has ended."""
    _timers: dict[str, tuple[float, Callable[[], None]]] = field(default_factory=dict)
    _waiting: dict[str, Then] = field(default_factory=dict)
    _transfers: dict[str, Callable[[TransferDone], None]] = field(default_factory=dict)
    _clock_offset_s: float = 0.0

    def __post_init__(self) -> None:
        """The station has what its settings give it; an earlier state may change that later."""
        settings = self.settings
        self.keys = KeyStore(Own(settings.certificate, settings.key), settings.roots)
        self.dialling = dialling_of(settings, self.model)

    @property
    def errata(self) -> bool:
        """Whether the errata of 2025 count, not Edition 3 alone."""
        return self.settings.errata

    def value(self, component: str, name: str, default: str = "") -> str:
        """The present value of a variable; `default` when the model lacks it or it is unset."""
        return self.model.value(component, name) or default

    @property
    def serial(self) -> str:
        """The serial number: the identity, as far as a serialNumber can hold it, so that both agree (B01.FR.11)."""
        return self.settings.identity[:25]

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
        self.said_at = self.now
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

    def log(self, line: str) -> None:
        """Writes one line to the diagnostics log, and to the shell's; holds no bytes of the peer and no secret."""
        self.logbook.diagnostics.append(f"{self.timestamp()} {line}")
        self.do(Note(line))

    # --- files --------------------------------------------------------------------------------------------

    def download(self, transfer: str, url: str, then: Callable[[TransferDone], None]) -> None:
        """Fetches a file; `then` hears how it ended. `transfer` is a name that no other transfer has."""
        self._transfers[transfer] = then
        self.do(Download(transfer, url))

    def upload(
        self,
        transfer: str,
        url: str,
        name: str,
        content: bytes,
        then: Callable[[TransferDone], None],
    ) -> None:
        """Sends a file; `then` hears how it ended. `transfer` is a name that no other transfer has."""
        self._transfers[transfer] = then
        self.do(Upload(transfer, url, name, content))

    def cancel_transfer(self, transfer: str) -> None:
        """Stops a transfer, of which nothing is heard any more."""
        if self._transfers.pop(transfer, None) is not None:
            self.do(CancelTransfer(transfer))

    def transferred(self, done: TransferDone) -> None:
        """Tells whoever began a transfer how it ended."""
        then = self._transfers.pop(done.transfer, None)
        if then is not None:
            then(done)

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
        self.shift_clock(moment.timestamp() - self.now - self._clock_offset_s)

    def shift_clock(self, seconds: float) -> None:
        """Moves the clock, though never out of the years that it can show; a large step is told to the blocks."""
        earliest, latest = _EARLIEST.timestamp() - self.now, _LATEST.timestamp() - self.now
        offset = min(max(self._clock_offset_s + seconds, earliest), latest)
        jump = abs(seconds)
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

    def moment(self) -> datetime:
        """The station's clock as certificates are judged by it."""
        return datetime.fromtimestamp(self.wall(), UTC)

    def wall(self) -> float:
        """The station's clock as seconds since the Unix epoch; `now` never jumps, this does."""
        return self.now + self._clock_offset_s

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
