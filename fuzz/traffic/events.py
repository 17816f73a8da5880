"""What a recording tells, one thing after another.

Knows no file format.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from fuzz.records import Side

MAX_MESSAGE = 2 * 2**20
"""Longer messages are passed over, bytes: no OCPP message comes near."""


class Secret(StrEnum):
    """What kind of thing must not leave the recording; its value is how placeholders begin."""

    IDENTITY = "IDENTITY"
    TOKEN = "TOKEN"
    SERIAL = "SERIAL"
    SECRET = "SECRET"
    NAME = "NAME"
    TEXT = "TEXT"
    HASH = "HASH"
    DATA = "DATA"
    CERTIFICATE = "CERTIFICATE"
    REQUEST = "REQUEST"
    HOST = "HOST"


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection was opened; `secrets` are what its opening told."""

    talk: str
    secrets: tuple[tuple[Secret, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a connection: text, or bytes when it was sent as such or is no UTF-8."""

    talk: str
    sender: Side
    data: str | bytes
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Closing:
    """One side says that it closes the connection; code 1005 stands for a close frame without one."""

    talk: str
    sender: Side
    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """Something of the recording that could not be read, or is none of ours, and why."""

    reason: str


Told: TypeAlias = Opened | Said | Closing | Lost


def other(side: Side) -> Side:
    """The side across."""
    return Side.CSMS if side is Side.STATION else Side.STATION
