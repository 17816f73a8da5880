"""WebSocket defects: what a connection loses, or breaks on, below whole messages (RFC 6455, RFC 7692), and when none is made."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import CONT, CTRL_OPCODES, PING, PONG, TEXT, CloseCode, Frame
from websockets.http11 import Response
from websockets.typing import ExtensionName

from fuzz.records import Disconnect, Expect, Misbehave, Operator, SendFrames, Wait
from fuzz.station.defects.registry import Defect, ask, plants, rewires
from fuzz.station.events import Command, Connected, Event, PowerOn
from fuzz.station.hooks import Hooks
from fuzz.station.wire import Wire

_SHORT = 125
"""Frames up to here have their length in the second byte (RFC 6455 section 5.2)."""

_LONG = "".join(f"{number * 7919 % 65_537:x}" for number in range(1, 61))
"""Text that hardly repeats itself; at most 255 characters go into a vendorId."""

_HALVES = ('[2,"halves","ClearC', 'ache",{}]')


def _frames(first: str, second: str) -> bytes:
    """A text message of two short fragments with a ping between, as a server sends them: not masked."""
    one, two = first.encode(), second.encode()
    return bytes([0x01, len(one), *one, 0x89, 0, 0x80, len(two), *two])


@rewires(
    Defect(
        "P12",
        mirrors=("B1",),
        oracle="O4 O26",
        symptom="no answer",
        witness=(SendFrames(_frames(*_HALVES)),),
    )
)
def fragment_loss(wire: Wire) -> Wire:
    """A message in fragments is dropped when a ping came between them."""

    def of(healthy: type[ClientConnection]) -> type[ClientConnection]:
        class Losing(healthy):  # type: ignore[valid-type, misc]
            def __init__(self, *given: Any, **named: Any) -> None:
                super().__init__(*given, **named)
                self._parts: list[Frame] = []
                self._pinged = False

            def process_event(self, event: Frame | Response) -> None:
                for kept in self._kept(event):
                    super().process_event(kept)

            def _kept(self, event: Frame | Response) -> list[Any]:
                """All that is not a fragment, and fragments once the last one is there, if none is to be lost."""
                if isinstance(event, Response) or event.opcode in CTRL_OPCODES:
                    self._pinged |= isinstance(event, Frame) and event.opcode is PING
                    return [event]
                if event.opcode is not CONT:
                    self._pinged = False
                self._parts.append(event)
                if not event.fin:
                    return []
                parts, self._parts = self._parts, []
                return [] if self._pinged and len(parts) > 1 else parts

        return Losing

    return _with(wire, of)


@rewires(
    Defect(
        "P13",
        side="both",
        mirrors=("B2",),
        oracle="O3 O26",
        symptom="close 1002",
        witness=(ask("ClearCache", f'{{"customData":{{"vendorId":"{_LONG}"}}}}'),),
        depth=1,
    )
)
def deflate_context(wire: Wire) -> Wire:
    """A long compressed message is unpacked as if it were the first, so that the link breaks on what it has in common."""

    class Forgetful(PerMessageDeflate):
        def decode(self, frame: Frame, **options: Any) -> Frame:
            if frame.rsv1 and len(frame.data) > _SHORT:
                self.decoder = zlib.decompressobj(wbits=-self.remote_max_window_bits)
            return super().decode(frame, **options)

    def of(healthy: type[ClientConnection]) -> type[ClientConnection]:
        class Breaking(healthy):  # type: ignore[valid-type, misc]
            async def handshake(self, *headers: Any, **options: Any) -> None:
                await super().handshake(*headers, **options)
                for extension in self.protocol.extensions:
                    if isinstance(extension, PerMessageDeflate):
                        extension.__class__ = Forgetful

        return Breaking

    return _with(wire, of)


@rewires(
    Defect(
        "P15",
        mirrors=("B14",),
        oracle="O3",
        symptom="no pong",
        witness=(SendFrames(b"\x89\x04ping"),),
    )
)
def no_pong(wire: Wire) -> Wire:
    """A ping is not answered."""

    def of(healthy: type[ClientConnection]) -> type[ClientConnection]:
        class Mute(healthy):  # type: ignore[valid-type, misc]
            def __init__(self, protocol: Any, **options: Any) -> None:
                send = protocol.send_frame
                protocol.send_frame = lambda frame: None if frame.opcode is PONG else send(frame)
                super().__init__(protocol, **options)

        return Mute

    return _with(wire, of)


@rewires(
    Defect(
        "P121",
        mirrors=("A39",),
        oracle="O7 O3",
        symptom="pong as text",
        witness=(SendFrames(b"\x89\x04ping"),),
    )
)
def pong_as_text(wire: Wire) -> Wire:
    """A ping is answered with the text message `pong` instead of a pong."""

    def of(healthy: type[ClientConnection]) -> type[ClientConnection]:
        class Wordy(healthy):  # type: ignore[valid-type, misc]
            def __init__(self, protocol: Any, **options: Any) -> None:
                send = protocol.send_frame
                protocol.send_frame = lambda frame: send(
                    Frame(TEXT, b"pong") if frame.opcode is PONG else frame
                )
                super().__init__(protocol, **options)

        return Wordy

    return _with(wire, of)


@rewires(
    Defect(
        "P171",
        mirrors=("B4",),
        oracle="O5 O29",
        symptom="no answer after the reconnect",
        witness=(SendFrames(b"\xa1\x02{}"),),
        depth=1,
    )
)
def deaf_after_bad_frame(wire: Wire) -> Wire:
    """After a frame that breaks the rules of WebSocket the next connection is made, but what comes over it is not heard."""
    last: list[ClientConnection] = []

    def of(healthy: type[ClientConnection]) -> type[ClientConnection]:
        class Deaf(healthy):  # type: ignore[valid-type, misc]
            def __init__(self, *given: Any, **named: Any) -> None:
                super().__init__(*given, **named)
                self._deaf = any(_broke_off(one) for one in last)

            async def handshake(self, *headers: Any, **options: Any) -> None:
                await super().handshake(*headers, **options)
                last[:] = [self]

            def process_event(self, event: Frame | Response) -> None:
                heard = isinstance(event, Response) or event.opcode in CTRL_OPCODES
                if heard or not self._deaf:
                    super().process_event(event)

        return Deaf

    return _with(wire, of)


def _broke_off(connection: ClientConnection) -> bool:
    sent = connection.protocol.close_sent
    return sent is not None and sent.code == CloseCode.PROTOCOL_ERROR


@rewires(
    Defect(
        "P184",
        mirrors=("B8",),
        oracle="O3 O20",
        symptom="a connection left open",
        witness=(Misbehave("101-no-subprotocol"), Disconnect()),
        depth=1,
    )
)
def half_open_handshake(wire: Wire) -> Wire:
    """A connection for which the CSMS chose no subprotocol is neither used nor closed, nor pinged."""
    left: list[ClientConnection] = []

    def of(healthy: type[ClientConnection]) -> type[ClientConnection]:
        class Forgotten(healthy):  # type: ignore[valid-type, misc]
            async def handshake(self, *headers: Any, **options: Any) -> None:
                await super().handshake(*headers, **options)
                if self.subprotocol is None:
                    left.append(self)

            def start_keepalive(self) -> None:
                if self not in left:
                    super().start_keepalive()

            async def close(self, *given: Any, **named: Any) -> None:
                if self not in left:
                    await super().close(*given, **named)

        return Forgotten

    return _with(wire, of)


@rewires(
    Defect(
        "P216",
        mirrors=("B3",),
        oracle="O3",
        symptom="close 1011",
        witness=(Misbehave("uncompressed"), Disconnect(), SendFrames(b"\xc1\x02{}")),
        depth=1,
    )
)
def compressed_unasked(wire: Wire) -> Wire:
    """A compressed frame on a connection without compression breaks it with 1011, as an error of its own."""

    class Unprepared(Extension):
        name = ExtensionName("none")

        def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
            if frame.rsv1:
                raise RuntimeError("a compressed frame, but no compression")
            return frame

        def encode(self, frame: Frame) -> Frame:
            return frame

    def of(healthy: type[ClientConnection]) -> type[ClientConnection]:
        class Raising(healthy):  # type: ignore[valid-type, misc]
            def __init__(self, protocol: ClientProtocol, **options: Any) -> None:
                super().__init__(protocol, **options)
                agree = protocol.process_extensions

                def agreed(headers: Headers) -> list[Extension]:
                    # In place before the first frame, which may come right behind the handshake.
                    return agree(headers) or [Unprepared()]

                protocol.process_extensions = agreed  # type: ignore[method-assign]

        return Raising

    return _with(wire, of)


_PING_S = 10.0


@rewires(
    Defect(
        "P221",
        mirrors=("B11",),
        oracle="O29",
        symptom="never back",
        witness=(Disconnect(0), Wait(60.0), ask("ClearCache", "{}")),
        depth=1,
    )
)
def gone_without_pong(wire: Wire) -> Wire:
    """A connection on which its ping is not answered is given up, and no other one is made until a reboot.

    It pings every ten seconds where the station would not ping: else there would be no pong to miss.
    """

    def of(healthy: type[ClientConnection]) -> type[ClientConnection]:
        class Unnoticed(healthy):  # type: ignore[valid-type, misc]
            def __init__(self, protocol: Any, *, ping_interval: Any = None, **options: Any) -> None:
                super().__init__(protocol, ping_interval=ping_interval or _PING_S, **options)

            async def recv(self, *given: Any, **named: Any) -> Any:
                try:
                    return await super().recv(*given, **named)
                except ConnectionClosed:
                    if _missed_pong(self):
                        await asyncio.get_running_loop().create_future()
                    raise

        return Unnoticed

    return _with(wire, of)


def _missed_pong(connection: ClientConnection) -> bool:
    sent = connection.protocol.close_sent
    return sent is not None and sent.reason == "keepalive ping timeout"


@rewires(
    Defect(
        "P238",
        mirrors=("SAP/e-mobility-charging-stations-simulator#2021",),
        oracle="O29",
        symptom="never back",
        witness=(Disconnect(), Wait(10.0), ask("ClearCache", "{}")),
        depth=1,
    )
)
def gone_when_closed(wire: Wire) -> Wire:
    """A connection that the CSMS closes with 1000, or without a code, is given up, and no other one is made until a reboot."""

    def of(healthy: type[ClientConnection]) -> type[ClientConnection]:
        class Content(healthy):  # type: ignore[valid-type, misc]
            async def recv(self, *given: Any, **named: Any) -> Any:
                try:
                    return await super().recv(*given, **named)
                except ConnectionClosed as closed:
                    if _closed_as_usual(closed):
                        await asyncio.get_running_loop().create_future()
                    raise

        return Content

    return _with(wire, of)


def _closed_as_usual(closed: ConnectionClosed) -> bool:
    """Whether the CSMS closed it, and for no particular reason."""
    usual = (CloseCode.NORMAL_CLOSURE, CloseCode.NO_STATUS_RCVD)
    by_csms = closed.rcvd is not None and bool(closed.rcvd_then_sent)
    return by_csms and closed.rcvd is not None and closed.rcvd.code in usual


@plants(
    Defect(
        "P159",
        mirrors=("B9",),
        oracle="O29",
        symptom="never back",
        witness=(
            Operator("cut-network"),
            Operator("plug-in", "1"),
            Wait(1.0),
            Operator("restore-network"),
            Expect("StatusNotification", 10.0),
        ),
        depth=2,
    )
)
def reconnects_once(hooks: Hooks) -> Hooks:
    """When a lost connection cannot be made anew at the first attempt, there is no second one until a reboot."""
    context = hooks.context
    healthy = context.dialling.failed
    was_connected = stuck = False

    def failed() -> float:
        nonlocal stuck
        stuck = was_connected
        return healthy()

    def react(event: Event) -> list[Command]:
        nonlocal was_connected, stuck
        match event:
            case PowerOn():
                was_connected = stuck = False
            case Connected():
                was_connected = True
            case _:
                pass
        commands = hooks.react(event)
        if stuck:
            context.cancel(["reconnect"])
        return commands

    context.dialling.failed = failed  # type: ignore[method-assign]
    return replace(hooks, react=react)


def _with(wire: Wire, of: Callable[[type[ClientConnection]], type[ClientConnection]]) -> Wire:
    return replace(wire, connection=lambda healthy: of(wire.connection(healthy)))
