"""What a model sees of a conversation, and what it may object to.

Knows words of OCPP and JSON values. Must not know how a conversation was recorded, nor what the specification says of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import TypeAlias

from strategies.labels import JsonObject, JsonValue

PROMPT_S = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """The CSMS made a CALL."""

    at_s: float
    action: str
    payload: JsonValue = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The Charging Station answered one; `error_code` is there when it was a CALLERROR."""

    at_s: float
    asked: Asked
    payload: JsonValue = None
    error_code: str = ""

    @property
    def status(self) -> str:
        """The status of the response, "" when it has none."""
        return "" if self.error_code else text(self.payload, "status")


@dataclass(frozen=True, slots=True)
class Called:
    """The Charging Station made a CALL."""

    at_s: float
    action: str
    payload: JsonValue = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The CSMS answered one. `proper` is false when the answer is an attack rather than what a CSMS would say."""

    at_s: float
    called: Called
    payload: JsonValue = None
    error_code: str = ""
    proper: bool = True

    @property
    def prompt(self) -> bool:
        """True when no station can have given up waiting: how long it waits is its own choice."""
        return self.at_s - self.called.at_s < PROMPT_S


@dataclass(frozen=True, slots=True)
class Stray:
    """The CSMS sent an answer that no CALL waits for; `id` is the messageId in it."""

    at_s: float
    id: str


@dataclass(frozen=True, slots=True)
class Unread:
    """The Charging Station sent something that cannot be read, or of which only a part was kept."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Operated:
    """Somebody did something at the Charging Station: `plug-in 1`, `power-cycle`."""

    at_s: float
    words: str

    @property
    def deed(self) -> str:
        """The first word."""
        return self.words.partition(" ")[0]

    @property
    def evse(self) -> int:
        """The EVSE that is named, 0 when there is none."""
        rest = self.words.split()[1:]
        return int(rest[0]) if rest and rest[0].isdecimal() and len(rest[0]) < 6 else 0

    @property
    def token(self) -> str:
        """What is shown to a reader, in lower case, "" when nothing is."""
        return "".join(self.words.split()[1:2]).casefold() if self.deed == "present-token" else ""


@dataclass(frozen=True, slots=True)
class Opened:
    """There is a new connection."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Closed:
    """A connection ended."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Died:
    """The Charging Station's software ended."""

    at_s: float


Event: TypeAlias = (
    Asked | Told | Called | Answered | Stray | Unread | Operated | Opened | Closed | Died
)


@dataclass(frozen=True, slots=True)
class Missed:
    """Somebody waited for a CALL of `action` for `timeout_s` seconds, and none came in which `where` holds."""

    action: str
    timeout_s: float
    where: tuple[tuple[str, str], ...] = ()


class Topic(StrEnum):
    """What kind of rule is broken; each is judged by an oracle of its own."""

    STATE = "state"
    ENERGY = "energy"
    AGAIN = "again"
    """Something happened twice that may happen once."""
    LOST = "lost"
    """Something was forgotten that must last."""


class Weight(IntEnum):
    """How bad it is."""

    NOTE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


@dataclass(frozen=True, slots=True)
class Objection:
    """One rule that the Charging Station broke.

    `rule` is the requirement or use case, `name` a short text without values that is the same in every run, `text`
    the whole of it.
    """

    rule: str
    name: str
    text: str
    topic: Topic = Topic.STATE
    weight: Weight = Weight.MEDIUM


# --- reading payloads whatever they hold ------------------------------------------------------------------------


def member(value: JsonValue, *path: str) -> JsonValue:
    """What a path of member names leads to, None when it leads nowhere."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text(value: JsonValue, *path: str) -> str:
    """The string at a path, "" when there is none."""
    found = member(value, *path)
    return found if isinstance(found, str) else ""


def number(value: JsonValue, *path: str) -> int | None:
    """The integer at a path, None when there is none."""
    found = member(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def moment(value: JsonValue, *path: str) -> datetime | None:
    """The instant at a path, None when there is none, or one without an offset: nobody knows when that is."""
    try:
        found = datetime.fromisoformat(text(value, *path))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def objects(value: JsonValue, *path: str) -> list[JsonObject]:
    """The objects of the array at a path."""
    found = member(value, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
