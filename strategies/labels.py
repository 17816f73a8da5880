"""The words used to say what a message is: position, tier, fault, mutation, expectation.

Knows the vocabulary only; it must not know how messages are made, sent or judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]


class Sender(StrEnum):
    """Who sends a CALL of an action."""

    CSMS = "csms"
    STATION = "station"
    BOTH = "both"


class Kind(StrEnum):
    """Which half of an exchange a payload belongs to."""

    REQUEST = "request"
    RESPONSE = "response"


class Position(StrEnum):
    """Where in the conversation the hostile message stands."""

    CALL = "call"
    CALLRESULT = "callresult"
    CALLERROR = "callerror"
    UNSOLICITED = "unsolicited"


class Channel(StrEnum):
    """Which layer a mutation altered."""

    PAYLOAD = "payload"
    ENVELOPE = "envelope"
    TEXT = "text"
    FRAME = "frame"
    HANDSHAKE = "handshake"


class Tier(IntEnum):
    """Layers of validity, lowest first: a message broken at one tier has no meaning at the next."""

    JSON = 1
    RPC = 2
    SCHEMA = 3
    PRIMITIVE = 4
    MODEL = 5


class Stance(StrEnum):
    """What a correct peer does with a message."""

    ACCEPT = "accept"
    REJECT = "reject"
    UNSPECIFIED = "unspecified"


class Fault(StrEnum):
    """The class of a fault: one row of the table of acceptable reactions (OCPP-J, Part 4 section 4.2.3)."""

    NOT_JSON = "not-json"
    NOT_UTF8 = "not-utf8"
    NOT_ARRAY = "not-array"
    ARITY = "arity"
    ID_TOO_LONG = "id-too-long"
    ID_NOT_STRING = "id-not-string"
    ID_IN_USE = "id-in-use"
    ID_EMPTY = "id-empty"
    TYPE_UNSUPPORTED = "type-unsupported"
    UNSOLICITED = "unsolicited"
    ACTION_NOT_STRING = "action-not-string"
    ACTION_UNKNOWN = "action-unknown"
    ACTION_UNSUPPORTED = "action-unsupported"
    ACTION_CASE = "action-case"
    ACTION_DIRECTION = "action-direction"
    PAYLOAD_NOT_OBJECT = "payload-not-object"
    MISSING = "missing"
    EXTRA = "extra"
    TYPE = "type"
    VALUE = "value"
    OCCURRENCE = "occurrence"
    DATE_TIME = "date-time"
    IDENTIFIER = "identifier"
    PRIMITIVE = "primitive"
    DEVICE_MODEL = "device-model"
    CERTIFICATE = "certificate"
    BINARY = "binary"
    HEAVY = "heavy"
    FRAME = "frame"


@dataclass(frozen=True, slots=True)
class Repeated:
    """`unit` written `times` times: keeps heavy texts small on disk and in memory."""

    unit: str
    times: int


Text: TypeAlias = tuple["str | Repeated", ...]


def spell(text: Text) -> str:
    """The text with every repetition written out; slots such as `{call.id}` stay."""
    return "".join(p if isinstance(p, str) else p.unit * p.times for p in text)


@dataclass(frozen=True, slots=True)
class Mutation:
    """One alteration and the rule that it broke or reached.

    `pointer` is a JSON pointer into the payload (RFC 6901), or into the whole frame for the envelope
    (`/0` the MessageTypeId, `/1` the messageId ...); `keyword` the schema keyword or rule;
    `operator` how it was broken. `before` and `after` are short JSON renderings for people.
    """

    channel: Channel
    pointer: str
    keyword: str
    operator: str
    before: str = ""
    after: str = ""

    @property
    def class_(self) -> str:
        """The part that two findings of one cause share: no pointer, no values."""
        return f"{self.channel}:{self.keyword}:{self.operator}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a correct peer may do.

    ACCEPT: valid up to and including `tier`. REJECT: `tier` is the lowest tier that is broken, `fault` its
    class. `disputed` names validators or texts that disagree; such a message is never a conformance finding.
    """

    stance: Stance
    tier: Tier
    fault: Fault | None = None
    disputed: str = ""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message ready to be said, with its label.

    `id` is stable over releases and seeds. Exactly one of `text` and `raw` is set; `raw_opcode` is `text` or
    `binary`. `control` is the same message with only the fault undone. Texts may hold the slot `{call.id}`.
    """

    id: str
    action: str
    position: Position
    expectation: Expectation
    text: Text | None = None
    raw: bytes | None = None
    raw_opcode: str = "text"
    control: Text | None = None
    mutation: Mutation | None = None
    heavy: bool = False
