"""What happens to the CSMS, and what it wants done: the words between its core and whoever owns the sockets.

Knows shapes only. A connection is a number that its owner chose.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


class BootStatus(StrEnum):
    """RegistrationStatusEnumType: what a station is told when it boots (B01 to B03)."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A request to become a WebSocket connection.

    `chain` is what the caller proved in TLS to be its own, DER, its certificate first; `security_profile` is that of the
    port it came to; `headers` are as they came, so that one may be there twice.
    """

    path: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    address: str = ""
    security_profile: int = 3
    chain: tuple[bytes, ...] = field(default=(), repr=False)

    def header(self, name: str) -> str | None:
        """The only value of a header; None when it is absent or there more than once."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Admitted:
    """The caller is that station."""

    identity: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The caller is turned away with an HTTP status; `reason` is for our own log."""

    status: int
    reason: str
    identity: str = ""


# --- what happens -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """An admitted station has its connection; `chain` and `security_profile` as in its `Upgrade`."""

    connection: int
    identity: str
    security_profile: int
    chain: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class TextReceived:
    """One text message."""

    connection: int
    text: str


@dataclass(frozen=True, slots=True)
class BytesReceived:
    """One binary message; what is in it does not matter."""

    connection: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is gone, whoever ended it."""

    connection: int


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline has come."""


@dataclass(frozen=True, slots=True)
class Revoke:
    """The certificate with this serial number, or every one of this station, is not accepted any more."""

    what: str


@dataclass(frozen=True, slots=True)
class Restore:
    """Takes a `Revoke` back."""

    what: str


@dataclass(frozen=True, slots=True)
class SetBootStatus:
    """What the station is told from its next BootNotification on."""

    identity: str
    status: BootStatus


@dataclass(frozen=True, slots=True)
class Trigger:
    """The station is asked for a message (F06)."""

    identity: str
    message: str


@dataclass(frozen=True, slots=True)
class TellStations:
    """The operator wants to know the stations."""


@dataclass(frozen=True, slots=True)
class TellEvents:
    """The operator wants to know the security events, of one station or of all."""

    identity: str = ""


OperatorEvent: TypeAlias = Revoke | Restore | SetBootStatus | Trigger | TellStations | TellEvents
Event: TypeAlias = Opened | TextReceived | BytesReceived | Lost | Tick | OperatorEvent


# --- what is to be done -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SendText:
    """Send this text message."""

    connection: int
    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection."""

    connection: int
    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """One line for people."""

    text: str


Command: TypeAlias = SendText | Close | Note
