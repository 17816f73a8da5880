"""The Charging Station without I/O: events in, commands out.

Knows how messages, timers and the connection reach the functional blocks; must not know any action. A block never sees
text, a shell never sees a payload.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call, ErrorCode
from fuzz.ocppj.payloads import validate_payload
from fuzz.ocppj.peer import (
    Answered,
    CallReceived,
    Ignored,
    Peer,
    PeerEvent,
    Refused,
    Reply,
    Unanswered,
)
from fuzz.pics.answers import Pics
from fuzz.station.blocks import BLOCKS
from fuzz.station.blocks.base import Block, Handler
from fuzz.station.context import Context
from fuzz.station.device_model import DeviceModel, check_value, load_model
from fuzz.station.events import (
    BytesReceived,
    Command,
    Connect,
    Connected,
    CutNetwork,
    Disconnected,
    DropConnection,
    Event,
    Failure,
    OperatorEvent,
    Persist,
    PowerCycle,
    PowerOn,
    Reboot,
    RestoreNetwork,
    SendText,
    ShiftClock,
    TextReceived,
    Tick,
    TransferDone,
)
from fuzz.station.hardware import evses_of, take_place
from fuzz.station.hooks import Dying, Hooks, Plant
from fuzz.station.keystore import Credentials
from fuzz.station.settings import Settings
from fuzz.station.states import ANSWERS, Registration, Service
from strategies.labels import JsonObject, JsonValue, Kind
from strategies.version import Version

_NO_NETWORK_S = 0.1
"""How soon to look for a network again at the earliest: a back-off of 0 must not keep the station busy with it."""

_RECONNECT = "reconnect"
# Refusals of messages that are in order; all others answer an invalid one (security event InvalidMessages).
_NO_FAULTS = frozenset(
    {
        ErrorCode.NOT_SUPPORTED,
        ErrorCode.NOT_IMPLEMENTED,
        ErrorCode.SECURITY_ERROR,
        ErrorCode.INTERNAL_ERROR,
    }
)


class Station:
    """One Charging Station; exact by the specification unless something is planted in it."""

    def __init__(
        self,
        version: Version,
        pics: Pics,
        settings: Settings,
        *,
        plants: Sequence[Plant] = (),
        blocks: Sequence[type[Block]] = BLOCKS,
        lasting: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """A station that is off.

        Args:
            version: the protocol version that it speaks.
            pics: what it claims to support.
            settings: identity, ids, randomness, waits.
            plants: defects and decoys, put in one after the other.
            blocks: its functional blocks.
            lasting: the state of an earlier `Persist`.
        """
        model = load_model(pics.name)
        if settings.errata:
            _follow_errata(model)
        peer = Peer(version, ids=settings.ids, gate=self._gate)
        self._version = version
        self._context = Context(pics, settings, model, peer, check_value, evses_of(pics))
        self._network = True
        self._blocks = [block(self._context) for block in blocks]
        self._handlers: dict[str, Handler] = {}
        for block in self._blocks:
            self._handlers.update(block.handlers())
            self._context.triggers.update(block.triggers())
        peer.serve(self._handlers)
        self._lost_at: float | None = None
        self._hooks = self._plant(plants)
        self._install_live_values()
        self._restore(lasting or {})
        for action in self._handlers:
            version.validator(action, Kind.REQUEST)

    @property
    def deadline(self) -> float | None:
        """When the next `Tick` is due."""
        moments = (self._context.next_timer(), self._context.peer.deadline)
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def registration(self) -> Registration:
        """How far the station has come with its CSMS."""
        return self._context.registration

    def describe_evses(self) -> list[str]:
        """One line for each EVSE, for an operator: cable, energy, fault, transaction."""
        return [
            f"EVSE {number}: {evse.words}, {self._context.transactions.on(number) or 'no transaction'}"
            for number, evse in self._context.evses.items()
        ]

    @property
    def password(self) -> str:
        """The Basic password that was set by the CSMS, "" while it is the one the station was given."""
        return self._read("SecurityCtrlr", "BasicAuthPassword")

    @property
    def credentials(self) -> Credentials:
        """Who to be, and whom to trust, on the next connection."""
        keys, given = self._context.keys, self._context.settings.password
        return Credentials(self.password or given, keys.own.chain, keys.own.key, keys.trusted())

    @property
    def allows_wildcards(self) -> bool:
        """Whether the CSMS may show a certificate for a wildcard name (AllowCSMSTLSWildcards, errata of 2025)."""
        allowed = self._context.value("SecurityCtrlr", "AllowCSMSTLSWildcards")
        return self._context.errata and allowed == "true"

    @property
    def clock_shift_s(self) -> float:
        """How far the station's clock is ahead of the time that it is told with each event."""
        return self._context.wall() - self._context.now

    @property
    def ping_interval_s(self) -> int:
        """The present WebSocketPingInterval; 0 means no pings (Part 4 section 8.4)."""
        return self._context.model.number("OCPPCommCtrlr", "WebSocketPingInterval")

    def handle(self, event: Event, now: float) -> list[Command]:
        """What is to be done because of `event`; never raises, whatever the peer said."""
        self._context.now = max(now, self._context.now)
        try:
            return self._hooks.react(event)
        except Dying as death:
            return [death.command]

    def _take(self, event: Event) -> list[Command]:
        match event:
            case PowerOn():
                self._power_on()
            case Connected():
                self._connected()
            case Disconnected(failure):
                self._disconnected(failure or Failure.UNREACHABLE)
            case TextReceived(text=message):
                return self._message(message)
            case BytesReceived(data=message):
                return self._message(message)
            case Tick():
                self._tick()
            case TransferDone():
                self._context.transferred(event)
            case _:
                self._happened(event)
        return self._finish([])

    # --- life ---------------------------------------------------------------------------------------------

    def _power_on(self) -> None:
        self._context.cancel()
        self._context.rebooting = self._context.connected = False
        for block in self._blocks:
            block.power_on()
        self._context.dialling.begin()
        self._lost_at = None
        self._dial()

    def _connected(self) -> None:
        context = self._context
        context.connected = True
        if context.dialling.worked():
            # B10.FR.10: another CSMS, or another way to it, is greeted anew.
            context.registration = Registration.OFF
        offline_s = 0.0 if self._lost_at is None else context.now - self._lost_at
        for block in self._blocks:
            block.connected(offline_s)

    def _disconnected(self, failure: Failure) -> None:
        context = self._context
        was_connected, context.connected = context.connected, False
        if was_connected:
            self._lost_at = context.now
        context.drop_queue()
        wait_s = context.dialling.lost() if was_connected else context.dialling.failed()
        for block in self._blocks:
            block.disconnected() if was_connected else block.failed(failure)
        if not self._network:
            wait_s = max(wait_s, _NO_NETWORK_S)
        if not context.rebooting:
            context.at(_RECONNECT, context.now + wait_s, self._dial)

    def _dial(self) -> None:
        if self._network:
            self._context.do(Connect(self._context.dialling.choice.profile.endpoint))
        else:
            self._disconnected(Failure.UNREACHABLE)

    def _happened(self, event: OperatorEvent) -> None:
        context = self._context
        for evse in context.evses.values():
            evse.advance(context.now)
        take_place(context.evses, event)
        for block in self._blocks:
            block.happened(event)
        match event:
            case CutNetwork():
                self._network = False
                if context.connected:
                    context.do(DropConnection())
            case RestoreNetwork():
                self._network = True
            case PowerCycle():
                context.boot_reason = "PowerUp"
                context.do(Reboot(abrupt=True))
            case ShiftClock(seconds):
                context.shift_clock(seconds)
            case _:
                pass

    def _tick(self) -> None:
        expired = self._context.peer.expire(self._context.now)
        if expired is not None:
            self._conclude(expired)
        self._context.run_timers()

    # --- messages -----------------------------------------------------------------------------------------

    def _message(self, message: str | bytes) -> list[Command]:
        if not self._context.connected or self._context.rebooting:
            return []
        return self._hooks.receive(message)

    def _receive(self, message: str | bytes) -> list[Command]:
        peer = self._context.peer
        event = peer.hear(message) if isinstance(message, str) else peer.hear_bytes()
        return self._finish(self._react(event))

    def _react(self, event: PeerEvent) -> list[Command]:
        match event:
            case CallReceived():
                return [SendText(self._answer(event))]
            case Reply():
                self._note_fault(event.error.code)
                return [SendText(event.text)]
            case Answered() | Refused():
                if isinstance(event, Refused) and event.broken:
                    self._note_fault("an answer")
                self._conclude(event)
                return []
            case Ignored():
                return []
            case _:
                assert_never(event)

    def _answer(self, received: CallReceived) -> str:
        self._context.message_size = received.size
        peer = self._context.peer
        try:
            return peer.answer(received.call, self._hooks.handle(received.call))
        except RemoteProtocolError as error:
            self._note_fault(error.code)
            return peer.refuse(received.call, error)

    def _note_fault(self, what: str) -> None:
        if what not in _NO_FAULTS:
            self._context.security_event("InvalidMessages", what)

    def _handle_call(self, call: Call) -> JsonObject:
        return self._handlers[call.action](call.payload)

    def _conclude(self, outcome: Answered | Refused | Unanswered) -> None:
        before = self._context.registration
        self._hooks.conclude(outcome)
        accepted = self._context.registration is Registration.ACCEPTED
        if accepted and before is not Registration.ACCEPTED:
            for block in self._blocks:
                block.accepted()

    def _finish(self, answers: list[Command]) -> list[Command]:
        """All that follows from one event, in order: kept, answered, asked (FR.05), then the rest."""
        context = self._context
        first: list[Command] = [Persist(self._lasting())] if context.dirty else []
        context.dirty = False
        rest, context.commands = context.commands, []
        if any(isinstance(command, Reboot) for command in rest):
            self._go_down()
        asked = context.peer.pump(context.now) if context.connected else None
        questions: list[Command] = [SendText(asked)] if asked is not None else []
        return [*first, *answers, *questions, *rest]

    def _go_down(self) -> None:
        self._context.rebooting = True
        self._context.registration = Registration.OFF
        self._context.drop_queue()
        self._context.cancel()

    def _gate(self) -> RemoteProtocolError | None:
        if ANSWERS[self._context.registration] is Service.SERVE:
            return None
        return RemoteProtocolError(ErrorCode.SECURITY_ERROR, "the station is not accepted")

    # --- setting up ---------------------------------------------------------------------------------------

    def _plant(self, plants: Sequence[Plant]) -> Hooks:
        hooks = Hooks(
            react=self._take,
            receive=self._receive,
            validate=validate_payload,
            handle=self._handle_call,
            conclude=lambda outcome: self._context.conclude(outcome.call, outcome),
            check_value=check_value,
            context=self._context,
            blocks=self._blocks,
        )
        for plant in plants:
            hooks = plant(hooks)
        self._context.peer.validate = hooks.validate
        self._context.check_value = hooks.check_value
        return hooks

    def _install_live_values(self) -> None:
        context = self._context
        pics, settings = context.pics, context.settings
        for component, name, value in (
            ("ChargingStation", "Model", pics.model),
            ("ChargingStation", "VendorName", pics.vendor),
            ("ChargingStation", "SerialNumber", context.serial),
            ("ChargingStation", "FirmwareVersion", pics.firmware),
            ("SecurityCtrlr", "Identity", settings.identity),
        ):
            context.model.write(context.model.named(component, name), value)
        clock = context.model.named("ClockCtrlr", "DateTime")
        context.model.live[clock.key] = context.timestamp

    def _read(self, component: str, name: str) -> str:
        return self._context.model.read(self._context.model.named(component, name))

    def _lasting(self) -> JsonObject:
        lasting: JsonObject = {"variables": {**self._context.model.changed()}}
        for block in self._blocks:
            lasting.update(block.lasting())
        return lasting

    def _restore(self, lasting: Mapping[str, JsonValue]) -> None:
        variables = lasting.get("variables")
        self._context.model.restore(variables if isinstance(variables, dict) else {})
        for block in self._blocks:
            block.restore(lasting)


def _follow_errata(model: DeviceModel) -> None:
    """The errata of 2025 allow any character in a password (A00.FR.205)."""
    password = model.named("SecurityCtrlr", "BasicAuthPassword")
    model.redefine(replace(password, data_type="string"))
