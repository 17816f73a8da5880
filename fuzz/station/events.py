"""What happens to the station, and what it wants done: the whole interface of the sans-IO core.

Knows words only. Times are seconds since the Unix epoch on a clock that never goes back; the shell owns that clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from strategies.labels import JsonObject


@dataclass(frozen=True, slots=True)
class PowerOn:
    """The station starts, for the first time or again after `Reboot`."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The WebSocket connection that `Connect` asked for is open."""


class Failure(StrEnum):
    """Why a connection could not be opened."""

    UNREACHABLE = "unreachable"
    CSMS_CERTIFICATE = "csms-certificate"
    TLS_VERSION = "tls-version"
    CIPHER_SUITE = "cipher-suite"
    REFUSED = "refused"
    """The CSMS refused our credentials, or our certificate."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone, or could not be opened because of `failure`."""

    failure: Failure | None = None


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


@dataclass(frozen=True, slots=True)
class TransferDone:
    """A `Download` or `Upload` is over. `content` is what was downloaded; `failure` is "" when all went well.

    Failures: `unreachable`, `not-found`, `denied`, `refused` (any other answer of the server), `unsupported` (no
    protocol of ours), `too-large`.
    """

    transfer: str
    content: bytes = b""
    failure: str = ""


# --- what an operator or the surroundings do to the station ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlugIn:
    """The cable is plugged into an EV."""

    evse: int
    connector: int = 1


@dataclass(frozen=True, slots=True)
class Unplug:
    """The cable is taken out of the EV."""

    evse: int
    connector: int = 1


@dataclass(frozen=True, slots=True)
class PresentToken:
    """A token is held before the one reader of the station; `kind` is an IdTokenEnumType."""

    token: str
    kind: str = "ISO14443"


@dataclass(frozen=True, slots=True)
class StartPower:
    """The EV is ready to take energy; it flows as soon as the station may give it."""

    evse: int


@dataclass(frozen=True, slots=True)
class StopPower:
    """The EV takes no energy for the present."""

    evse: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A connector has a fault."""

    evse: int
    connector: int = 1


@dataclass(frozen=True, slots=True)
class ClearFault:
    """The fault is mended."""

    evse: int
    connector: int = 1


@dataclass(frozen=True, slots=True)
class CutNetwork:
    """The network is gone, without a farewell on any connection."""


@dataclass(frozen=True, slots=True)
class RestoreNetwork:
    """The network is back; the station finds out at its next attempt."""


@dataclass(frozen=True, slots=True)
class PowerCycle:
    """The station loses its power and gets it back."""


@dataclass(frozen=True, slots=True)
class ShiftClock:
    """The station's clock is set by its own means, NTP for example, `seconds` forward or back."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Tamper:
    """Somebody opens the housing."""


@dataclass(frozen=True, slots=True)
class MaintenanceLogin:
    """Somebody logs in to the local maintenance interface, or fails to."""

    user: str
    accepted: bool = True


OperatorEvent: TypeAlias = (
    PlugIn
    | Unplug
    | PresentToken
    | StartPower
    | StopPower
    | Fault
    | ClearFault
    | CutNetwork
    | RestoreNetwork
    | PowerCycle
    | ShiftClock
    | Tamper
    | MaintenanceLogin
)

Event: TypeAlias = (
    PowerOn
    | Connected
    | Disconnected
    | TextReceived
    | BytesReceived
    | Tick
    | TransferDone
    | OperatorEvent
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to dial and how: the CSMS URL without the identity, and the security profile.

    An empty `url` is the one that the process was started with, a `security_profile` of 0 likewise.
    """

    url: str = ""
    security_profile: int = 0


@dataclass(frozen=True, slots=True)
class Connect:
    """Dial the CSMS; answer with `Connected` or `Disconnected`. `Station.credentials` says who to be and whom to trust."""

    endpoint: Endpoint = Endpoint()


@dataclass(frozen=True, slots=True)
class DropConnection:
    """Let the connection go without a word, as a cut cable does; answer with `Disconnected`."""


@dataclass(frozen=True, slots=True)
class Download:
    """Fetch `url` (http or https) and answer with `TransferDone`."""

    transfer: str
    url: str


@dataclass(frozen=True, slots=True)
class Upload:
    """Send `content` as a file called `name` to `url` (http or https) and answer with `TransferDone`."""

    transfer: str
    url: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class CancelTransfer:
    """Stop a `Download` or `Upload`; no `TransferDone` follows."""

    transfer: str


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
    """Go down for the boot time and `extra_s` more, then come back with `PowerOn`; `abrupt` leaves no farewell."""

    extra_s: float = 0.0
    abrupt: bool = False


@dataclass(frozen=True, slots=True)
class Persist:
    """Keep `state` where a later start of the process finds it; may hold a password and private keys.

    Each member of `state` is written on its own, at once or not at all.
    """

    state: JsonObject


@dataclass(frozen=True, slots=True)
class Later:
    """Do `commands` after `delay_s`; when the connection is lost before, what was meant for it is left out."""

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


Command: TypeAlias = (
    "Connect | DropConnection | SendText | CloseConnection | Reboot | Persist | Later | Note | Exit"
    " | Download | Upload | CancelTransfer"
)
