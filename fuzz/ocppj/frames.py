"""The three messages of OCPP-J and the error codes of 2.0.1 (Part 4 sections 4.2 and 4.3).

Knows shapes only; reading and writing them is in `codec.py`, the conversation in `peer.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from strategies.labels import JsonObject


class ErrorCode(StrEnum):
    """The twelve error codes of OCPP-J 2.0.1, exact spelling (Part 4 section 4.3)."""

    FORMAT_VIOLATION = "FormatViolation"
    GENERIC_ERROR = "GenericError"
    INTERNAL_ERROR = "InternalError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurrenceConstraintViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    PROTOCOL_ERROR = "ProtocolError"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
    SECURITY_ERROR = "SecurityError"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `[2, id, action, payload]`."""

    id: str
    action: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class CallResult:
    """A good answer: `[3, id, payload]`; names no action."""

    id: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class CallError:
    """A refusal: `[4, id, code, description, details]`. `code` is the peer's word, maybe none of `ErrorCode`."""

    id: str
    code: str
    description: str = ""
    details: JsonObject = field(default_factory=dict)


Frame: TypeAlias = Call | CallResult | CallError
