"""Strict reading and faithful writing of OCPP-J text (Part 4 sections 4.1 and 4.2).

Knows envelopes and what a reader may refuse in JSON (RFC 8259 sections 6, 8.2 and 9). Must not know actions, schemas or
state. Whatever the text, `decode` gives a frame or raises `RemoteProtocolError`, in time and memory linear in its size.

Duplicate keys: the last one wins, as in most readers; RFC 8259 section 4 leaves it open.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, assert_never

import orjson

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call, CallError, CallResult, ErrorCode, Frame
from strategies.labels import JsonObject
from strategies.version import Version

MAX_DEPTH = 128
"""Deepest nesting that is read; OCPP's own messages need about ten levels, the rest is customData."""

MAX_DIGITS = 1000
"""Longest number that is read; OCPP's integers have 32 bits (Part 2 section 2.1.4)."""

MAX_VALUES = 500_000
"""Most JSON values that are read from one text: bounds memory, since a value costs far more than its characters."""

_BRACKETS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class BrokenAnswer(RemoteProtocolError):
    """The text is a CALLRESULT or CALLERROR, but not a proper one; an answer is never answered."""


class _OddNumber(Exception):
    """Something that JSON has no number for: NaN, Infinity, or beyond the range of a double."""


class _LongInteger(int):
    """Stands for an integer of more than `MAX_DIGITS` digits."""


def decode(text: str, version: Version) -> Frame:
    """The frame that `text` holds.

    Raises:
        RemoteProtocolError: the text is not a proper message; carries the error code to answer with and the
            messageId, "-1" when that cannot be read (Part 4 section 4.2.3).
        BrokenAnswer: as above, but the text claims to be an answer.
    """
    items = _outer_array(text)
    if len(items) < 2:
        raise _unreadable("the array is too short to hold a messageId")
    kind, message_id = items[0], _readable_id(items[1], version)
    if type(kind) is not int or kind not in version.message_types:
        raise RemoteProtocolError(
            ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED,
            "the MessageTypeId is none of 2, 3 and 4",
            message_id=message_id or version.unreadable_id,
        )
    if kind == 2:
        return _call(items, message_id, text)
    try:
        return _answer(items, message_id, text)
    except RemoteProtocolError as error:
        raise BrokenAnswer(error.code, error.text, message_id=error.message_id) from None


def encode(frame: Frame) -> str:
    """The frame as JSON text: whatever `decode` may give, lone surrogates and long integers included."""
    items = _items(frame)
    try:
        return orjson.dumps(items).decode()
    except TypeError:
        # orjson refuses lone surrogates and integers over 64 bits; json escapes the one and writes the other.
        return json.dumps(items, separators=(",", ":"))


def _items(frame: Frame) -> list[Any]:
    match frame:
        case Call():
            return [2, frame.id, frame.action, frame.payload]
        case CallResult():
            return [3, frame.id, frame.payload]
        case CallError():
            return [4, frame.id, str(frame.code), frame.description, frame.details]
        case _:
            assert_never(frame)


def _outer_array(text: str) -> list[Any]:
    if text.count(",") + text.count("[") + text.count("{") > MAX_VALUES:
        raise _unreadable("more values than this reader takes")
    if text.count("[") + text.count("{") > MAX_DEPTH and depth_exceeds(text, MAX_DEPTH):
        raise _unreadable("nested deeper than this reader takes")
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_real, parse_constant=_constant)
    except (ValueError, RecursionError, _OddNumber):
        raise _unreadable("the text is not JSON") from None
    if not isinstance(value, list):
        raise _unreadable("the text is not a JSON array")
    return value


def depth_exceeds(text: str, limit: int) -> bool:
    """Whether arrays and objects are nested deeper than `limit`, without recursion and without reading JSON."""
    depth = 0
    for token in _BRACKETS.finditer(text):
        first = text[token.start()]
        if first in "[{":
            depth += 1
            if depth > limit:
                return True
        elif first in "]}":
            depth -= 1
    return False


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= MAX_DIGITS else _LongInteger(1)


def _real(digits: str) -> float:
    value = float(digits) if len(digits) <= MAX_DIGITS else float("inf")
    if value in (float("inf"), float("-inf")):
        raise _OddNumber
    return value


def _constant(_name: str) -> NoReturn:
    raise _OddNumber


def _readable_id(value: object, version: Version) -> str | None:
    """The messageId when it can be read and repeated in an answer (Part 4 section 4.1.4), else None."""
    if not isinstance(value, str) or len(value) > version.max_message_id:
        return None
    return value if _is_unicode(value) else None


def _call(items: list[Any], message_id: str | None, text: str) -> Call:
    if message_id is None:
        raise _unreadable("the messageId is not a string of at most 36 characters")
    if len(items) != 4:
        raise _framework("a CALL has exactly four elements", message_id)
    if not isinstance(items[2], str):
        raise _framework("the action is not a string", message_id)
    return Call(message_id, items[2], _payload(items[3], message_id, text))


def _answer(items: list[Any], message_id: str | None, text: str) -> CallResult | CallError:
    if message_id is None:
        raise _unreadable("the messageId is not a string of at most 36 characters")
    if items[0] == 3:
        if len(items) != 3:
            raise _framework("a CALLRESULT has exactly three elements", message_id)
        return CallResult(message_id, _payload(items[2], message_id, text))
    if len(items) != 5 or not isinstance(items[2], str) or not isinstance(items[3], str):
        raise _framework("a CALLERROR is code, description and details", message_id)
    return CallError(message_id, items[2], items[3], _payload(items[4], message_id, text))


def _payload(value: object, message_id: str, text: str) -> JsonObject:
    if not isinstance(value, dict):
        raise _format("the payload is not an object", message_id)
    if (not text.isascii() or _SURROGATE.search(text)) and not _is_unicode(
        json.dumps(value, ensure_ascii=False)
    ):
        raise _format("a string is not Unicode", message_id)
    if len(text) > MAX_DIGITS and _holds_long_integer(value):
        raise _format(f"a number has more than {MAX_DIGITS} digits", message_id)
    return value


def _is_unicode(text: str) -> bool:
    # Lone surrogates have no UTF-8 form (RFC 8259 section 8.2).
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _holds_long_integer(value: object) -> bool:
    pending = [value]
    while pending:
        match pending.pop():
            case _LongInteger():
                return True
            case dict() as members:
                pending.extend(members.values())
            case list() as elements:
                pending.extend(elements)
            case _:
                pass
    return False


def _unreadable(text: str) -> RemoteProtocolError:
    return RemoteProtocolError(ErrorCode.RPC_FRAMEWORK_ERROR, text)


def _framework(text: str, message_id: str) -> RemoteProtocolError:
    return RemoteProtocolError(ErrorCode.RPC_FRAMEWORK_ERROR, text, message_id=message_id)


def _format(text: str, message_id: str) -> RemoteProtocolError:
    return RemoteProtocolError(ErrorCode.FORMAT_VIOLATION, text, message_id=message_id)
