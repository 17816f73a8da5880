"""What happens to the station, and what it wants done: the whole interface of the sans-IO core.

Knows words only. Times are seconds since the Unix epoch on a clock that never goes back; the shell owns that clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from strategies.labels import JsonObject


@dataclass(frozen=True, slots=True)
class PowerOn:
    """The station starts, for the first time or again after `Reboot`."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The WebSocket connection that `Connect` asked for is open."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone, or could not be opened."""


@dataclass(frozen=True, slots=True)
class TextReceived:
    """One whole text message."""

    text: str


@dataclass(frozen=True, slots=True)
class BytesReceived:
    """One whole binary message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; due whenever `Station.deadline` is reached, harmless otherwise."""


Event: TypeAlias = PowerOn | Connected | Disconnected | TextReceived | BytesReceived | Tick


@dataclass(frozen=True, slots=True)
class Connect:
    """Dial the CSMS; answer with `Connected` or `Disconnected`."""


@dataclass(frozen=True, slots=True)
class SendText:
    """Send one text message."""

    text: str


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Close the connection with `code`; answer with `Disconnected`."""

    code: int = 1000


@dataclass(frozen=True, slots=True)
class Reboot:
    """Go down for the boot time and `extra_s` more, then come back with `PowerOn`."""

    extra_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Persist:
    """Keep `state` where a later start of the process finds it; may hold a password."""

    state: JsonObject


@dataclass(frozen=True, slots=True)
class Later:
    """Do `commands` after `delay_s`, unless the connection is lost before."""

    delay_s: float
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Write one line to the log; holds no bytes of the peer."""

    text: str


@dataclass(frozen=True, slots=True)
class Exit:
    """The process is dead, at once and without farewell. Only planted defects say this."""

    code: int


Command: TypeAlias = "Connect | SendText | CloseConnection | Reboot | Persist | Later | Note | Exit"
