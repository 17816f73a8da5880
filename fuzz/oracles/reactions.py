"""What a correct peer may do with each class of fault: which error codes, with which messageId, which close codes.

Literal data, the only place where the table of acceptable reactions stands (Part 4 sections 4.2.3 and 4.3, RFC 6455
section 7.4). Knows nothing of observations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from strategies.labels import Fault

ORDERLY_CLOSES = frozenset({1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009})
"""Close codes of a peer that hung up on purpose; 1005 is a close frame without a code."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """The reactions to one fault that nobody would call wrong.

    Attributes:
        best: the error code nearest to the words of Part 4 section 4.3.
        also: codes that can be defended just as well.
        any_code: every error code is right.
        any_id: the messageId may be taken for unreadable and answered with "-1".
        must_answer: silence is wrong; elsewhere Part 4 section 4.2.3 lets the receiver drop the message.
        closes: close codes that RFC 6455 names for this fault.
        may_hang_up: any orderly close is tolerated.
    """

    best: str = ""
    also: tuple[str, ...] = ()
    any_code: bool = False
    any_id: bool = False
    must_answer: bool = False
    closes: tuple[int, ...] = ()
    may_hang_up: bool = False

    def fits(self, code: str) -> bool:
        """True when the error code is the best one or as good."""
        return self.any_code or code == self.best or code in self.also


_FRAMEWORK, _FORMAT, _PROTOCOL = "RpcFrameworkError", "FormatViolation", "ProtocolError"
_PROPERTY, _TYPE = "PropertyConstraintViolation", "TypeConstraintViolation"
_OCCURRENCE, _GENERIC = "OccurrenceConstraintViolation", "GenericError"
_NO_TYPE, _UNKNOWN, _UNSUPPORTED = "MessageTypeNotSupported", "NotImplemented", "NotSupported"

_NO_MESSAGE = Reaction(
    _FRAMEWORK, (_FORMAT, _PROTOCOL, _GENERIC), any_id=True, closes=(1007,), may_hang_up=True
)

REACTIONS: Mapping[Fault, Reaction] = {
    Fault.NOT_JSON: _NO_MESSAGE,
    Fault.NOT_UTF8: _NO_MESSAGE,
    Fault.NOT_ARRAY: _NO_MESSAGE,
    Fault.ARITY: Reaction(_FRAMEWORK, (_PROTOCOL, _FORMAT), any_id=True, may_hang_up=True),
    Fault.ID_TOO_LONG: Reaction(_FRAMEWORK, (_FORMAT, _PROPERTY), any_id=True, may_hang_up=True),
    Fault.ID_NOT_STRING: Reaction(_FRAMEWORK, (_PROTOCOL, _FORMAT), any_id=True, may_hang_up=True),
    Fault.ID_IN_USE: Reaction(any_code=True, may_hang_up=True),
    Fault.ID_EMPTY: Reaction(
        _FRAMEWORK, (_PROTOCOL, _FORMAT, _PROPERTY), any_id=True, may_hang_up=True
    ),
    Fault.TYPE_UNSUPPORTED: Reaction(_NO_TYPE, (_FRAMEWORK,), any_id=True, may_hang_up=True),
    Fault.UNSOLICITED: Reaction(any_code=True, any_id=True, may_hang_up=True),
    Fault.ACTION_NOT_STRING: Reaction(
        _FRAMEWORK,
        (_FORMAT, _PROTOCOL, _TYPE, _UNKNOWN, _UNSUPPORTED),
        any_id=True,
        may_hang_up=True,
    ),
    Fault.ACTION_UNKNOWN: Reaction(_UNKNOWN, (_UNSUPPORTED,), must_answer=True),
    Fault.ACTION_UNSUPPORTED: Reaction(_UNSUPPORTED, (_UNKNOWN,), must_answer=True),
    Fault.ACTION_CASE: Reaction(_UNKNOWN, (_UNSUPPORTED,), must_answer=True),
    Fault.ACTION_DIRECTION: Reaction(_UNSUPPORTED, (_UNKNOWN,), must_answer=True),
    Fault.PAYLOAD_NOT_OBJECT: Reaction(_FORMAT, (_TYPE, _PROTOCOL, _FRAMEWORK)),
    Fault.MISSING: Reaction(_OCCURRENCE, (_PROTOCOL, _FORMAT, _PROPERTY)),
    Fault.EXTRA: Reaction(_FORMAT, (_PROPERTY, _PROTOCOL, _OCCURRENCE, _GENERIC)),
    Fault.TYPE: Reaction(_TYPE, (_FORMAT, _PROPERTY)),
    Fault.VALUE: Reaction(_PROPERTY, (_FORMAT, _TYPE)),
    Fault.OCCURRENCE: Reaction(_OCCURRENCE, (_PROPERTY, _FORMAT)),
    Fault.DATE_TIME: Reaction(_PROPERTY, (_FORMAT, _TYPE)),
    Fault.IDENTIFIER: Reaction(_PROPERTY, (_FORMAT,)),
    Fault.PRIMITIVE: Reaction(_PROPERTY, (_FORMAT, _TYPE)),
    Fault.DEVICE_MODEL: Reaction(_PROPERTY, (_FORMAT, _TYPE, _OCCURRENCE)),
    Fault.CERTIFICATE: Reaction(_PROPERTY, (_FORMAT, _TYPE)),
    Fault.BINARY: Reaction(any_code=True, any_id=True, closes=(1003,), may_hang_up=True),
    Fault.HEAVY: Reaction(any_code=True, any_id=True, closes=(1009,), may_hang_up=True),
    Fault.FRAME: Reaction(any_code=True, any_id=True, closes=(1002,), may_hang_up=True),
}
"""One row for every fault."""

LENIENT = Reaction(any_code=True, any_id=True, may_hang_up=True)
"""For messages about which the specification says nothing."""

PROPER = Reaction(must_answer=True)
"""For messages that are as they should be."""
