"""OCPP-J envelopes, right and every way wrong: MessageTypeId, messageId, action, payload, number of elements.

Knows the outer shape of CALL, CALLRESULT and CALLERROR (Part 4 section 4.2). Must not look inside a payload, and
writes every hostile number by hand: an encoder would mend it. What is wrong with the text itself is in `text.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonObject,
    JsonValue,
    Mutation,
    Position,
    Repeated,
    Sender,
    Stance,
    Text,
    Tier,
    Utterance,
)
from strategies.version import Version

CALL_ID = "{call.id}"
"""The slot for a messageId that was never used before."""

CALL_ID_36 = "{call.id:36}"
"""The same, padded to 36 characters: the longest messageId allowed (Part 4 section 4.1.4)."""

UNKNOWN_ID = "ocppfuzz-nobody-asked"
"""A messageId that answers nothing."""

_TYPES = (
    ("0", "0", "unknown"),
    ("1", "1", "unknown"),
    ("5", "5", "unknown"),
    ("6", "6", "unknown"),
    ("9", "9", "unknown"),
    ("-1", "-1", "negative"),
    ("string", '"2"', "string"),
    ("fraction", "2.5", "fraction"),
    ("null", "null", "null"),
    ("true", "true", "boolean"),
    ("array", "[]", "array"),
    ("2**64", "18446744073709551616", "huge"),
)
_IDS_NOT_STRING = (
    ("number", "7"),
    ("null", "null"),
    ("object", "{}"),
    ("array", "[]"),
    ("true", "true"),
)
_NOT_OBJECTS = (
    ("null", "null"),
    ("array", "[]"),
    ("string", '"x"'),
    ("number", "7"),
    ("true", "true"),
)


def encoded(value: JsonValue) -> str:
    """Compact ASCII JSON of a harmless value. Raises ValueError for NaN and infinities."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def call_text(action: str, payload: JsonObject) -> str:
    """A well-formed CALL with the slot `{call.id}` as messageId."""
    return f'[2,"{CALL_ID}",{encoded(action)},{encoded(payload)}]'


def envelope_faults(
    action: str, payload: JsonObject, version: Version, *, sender: Sender = Sender.CSMS
) -> tuple[Utterance, ...]:
    """Every way to get the envelope of one harmless CALL wrong, and the valid edges beside them.

    Args:
        action: an action that the target serves.
        payload: a payload that it accepts; it stays the same in every message but those that replace it.
        version: whose actions and limits count.
        sender: which end we play; decides which actions go in the wrong direction.
    """
    call = _Call(action, payload)
    return (
        *_arity(call),
        *_message_types(call),
        *_message_ids(call, version),
        *_actions(call, version, sender),
        *_payloads(call),
    )


def unsolicited(version: Version) -> tuple[Utterance, ...]:
    """CALLRESULTs and CALLERRORs that answer nothing, well-formed and not.

    REJECT means here: no reply at all, and nothing happens (Part 4 section 4.2). A malformed one is `disputed`,
    since its receiver may also take it for an unreadable message and answer with messageId "-1" (section 4.2.3).
    The control of a malformed answer is the well-formed one, so that it isolates the shape; a well-formed one
    has no control, since its only fault is that it was said.
    """
    return (*_results(version), *_errors(version))


class _Call:
    """The four elements of one well-formed CALL, spelled."""

    __slots__ = ("action", "elements", "text")

    def __init__(self, action: str, payload: JsonObject) -> None:
        self.action = action
        self.text = call_text(action, payload)
        self.elements = ("2", f'"{CALL_ID}"', encoded(action), encoded(payload))

    def altered(
        self,
        name: str,
        index: int,
        after: str | Repeated,
        expectation: Expectation,
        keyword: str,
        operator: str,
    ) -> Utterance:
        """This CALL with the element at `index` replaced; a `Repeated` is written as a string."""
        before, behind = self.elements[:index], self.elements[index + 1 :]
        head, tail = "[" + "".join(f"{e}," for e in before), "".join(f",{e}" for e in behind) + "]"
        text: Text = (
            (head + '"', after, '"' + tail)
            if isinstance(after, Repeated)
            else (head + after + tail,)
        )
        mutation = Mutation(
            Channel.ENVELOPE,
            f"/{index}",
            keyword,
            operator,
            _short(self.elements[index]),
            _short(after),
        )
        return self._utterance(f"envelope/{keyword}:{name}", text, expectation, mutation)

    def resized(self, text: str, arity: int, expectation: Expectation) -> Utterance:
        """This CALL with `arity` elements."""
        operator = "too-few" if arity < len(self.elements) else "too-many"
        mutation = Mutation(Channel.ENVELOPE, "", "arity", operator, "4", str(arity))
        return self._utterance(f"envelope/arity:{arity}", (text,), expectation, mutation)

    def _utterance(
        self, id_: str, text: Text, expectation: Expectation, mutation: Mutation
    ) -> Utterance:
        return Utterance(
            id=id_,
            action=self.action,
            position=Position.CALL,
            expectation=expectation,
            text=text,
            control=(self.text,),
            mutation=mutation,
            heavy=any(isinstance(p, Repeated) and p.times > 65_536 for p in text),
        )


def _reject(fault: Fault, disputed: str = "") -> Expectation:
    return Expectation(Stance.REJECT, Tier.RPC, fault, disputed)


def _unspecified(disputed: str, fault: Fault | None = None) -> Expectation:
    return Expectation(Stance.UNSPECIFIED, Tier.RPC, fault, disputed)


def _short(value: str | Repeated) -> str:
    if isinstance(value, Repeated):
        return f"{value.unit!r} * {value.times}"
    return value if len(value) <= 60 else value[:57] + "..."


def _arity(call: _Call) -> Iterator[Utterance]:
    for arity in (0, 1, 2, 3, 5, 6):
        elements = (*call.elements, "{}", "{}")[:arity]
        # An array too short to hold a messageId is answered like something that is no array (digest 1.4).
        fault = Fault.NOT_ARRAY if arity < 2 else Fault.ARITY
        yield call.resized(f"[{','.join(elements)}]", arity, _reject(fault))


def _message_types(call: _Call) -> Iterator[Utterance]:
    keyword = "messageTypeId"
    for name, spelled, operator in _TYPES:
        yield call.altered(name, 0, spelled, _reject(Fault.TYPE_UNSUPPORTED), keyword, operator)
    overflow = _reject(Fault.TYPE_UNSUPPORTED, "number readers differ on what exceeds a double")
    yield call.altered("1e400", 0, "1e400", overflow, keyword, "huge")
    same = _unspecified("2.0 is the integer 2 to draft 6 and to most JSON readers")
    yield call.altered("2.0", 0, "2.0", same, keyword, "float")


def _message_ids(call: _Call, version: Version) -> Iterator[Utterance]:
    keyword = "messageId"
    longest = version.max_message_id
    accept = Expectation(Stance.ACCEPT, Tier.MODEL)
    yield call.altered(str(longest), 1, f'"{CALL_ID_36}"', accept, keyword, "longest")
    too_long = _reject(Fault.ID_TOO_LONG)
    yield call.altered(
        str(longest + 1), 1, f'"{"m" * (longest + 1)}"', too_long, keyword, "too-long"
    )
    yield call.altered("500000", 1, Repeated("m", 500_000), too_long, keyword, "far-too-long")
    for name, spelled in _IDS_NOT_STRING:
        yield call.altered(name, 1, spelled, _reject(Fault.ID_NOT_STRING), keyword, name)
    empty = _unspecified("Part 4 gives a messageId no lower length", Fault.ID_EMPTY)
    yield call.altered("empty", 1, '""', empty, keyword, "empty")
    surrogate = _unspecified("RFC 8259 section 8.2: unpaired surrogates are unpredictable")
    yield call.altered("surrogate", 1, '"\\ud800"', surrogate, keyword, "surrogate")
    reserved = _unspecified('Part 4 keeps "-1" for answers to the unreadable')
    yield call.altered("reserved", 1, f'"{version.unreadable_id}"', reserved, keyword, "reserved")


def _actions(call: _Call, version: Version, sender: Sender) -> Iterator[Utterance]:
    keyword = "action"
    unknown = _reject(Fault.ACTION_UNKNOWN)
    yield call.altered("unknown", 2, '"FooBar"', unknown, keyword, "unknown")
    yield call.altered("empty", 2, '""', unknown, keyword, "empty")
    yield call.altered("padded", 2, encoded(f" {call.action} "), unknown, keyword, "padded")
    yield call.altered("10000", 2, Repeated("A", 10_000), unknown, keyword, "long")
    wrong_case = _reject(Fault.ACTION_CASE)
    yield call.altered("lower", 2, encoded(call.action.lower()), wrong_case, keyword, "case")
    yield call.altered("upper", 2, encoded(call.action.upper()), wrong_case, keyword, "case")
    for name, spelled in (("array", "[]"), ("object", "{}"), ("number", "7"), ("null", "null")):
        yield call.altered(name, 2, spelled, _reject(Fault.ACTION_NOT_STRING), keyword, name)
    surrogate = _reject(Fault.ACTION_UNKNOWN, "RFC 8259 section 8.2: unpaired surrogates")
    yield call.altered("surrogate", 2, '"Foo\\ud800"', surrogate, keyword, "surrogate")
    mine = {*version.sent_by(sender)}
    for other in sorted(set(version.actions) - mine):
        expectation = _reject(Fault.ACTION_DIRECTION)
        yield call.altered(
            f"direction/{other}", 2, encoded(other), expectation, keyword, "direction"
        )


def _payloads(call: _Call) -> Iterator[Utterance]:
    for name, spelled in _NOT_OBJECTS:
        expectation = _reject(Fault.PAYLOAD_NOT_OBJECT)
        yield call.altered(name, 3, spelled, expectation, "payload", name)


_RESULT = f'[3,"{UNKNOWN_ID}",{{}}]'
_ERROR = f'[4,"{UNKNOWN_ID}","GenericError","",{{}}]'
_MAY_ANSWER = 'Part 4 section 4.2.3: the unreadable may be answered with messageId "-1"'


def _results(version: Version) -> Iterator[Utterance]:
    u, kind = UNKNOWN_ID, "CALLRESULT"
    yield _answer(kind, "unknown-id", _RESULT, "/1", "messageId", "unknown")
    yield _answer(kind, "reserved-id", f'[3,"{version.unreadable_id}",{{}}]', "/1", "messageId", "reserved")  # fmt: skip
    for count, text in ((1, "[3]"), (2, f'[3,"{u}"]')):
        yield _answer(kind, f"arity:{count}", text, "", "arity", "too-few", _RESULT)
    yield _answer(kind, "arity:4", f'[3,"{u}",{{}},{{}}]', "", "arity", "too-many", _RESULT)
    yield from _wrong_ids(kind, "[3,", ",{}]", _RESULT)
    for name, spelled in _NOT_OBJECTS:
        text = f'[3,"{u}",{spelled}]'
        yield _answer(kind, f"payload:{name}", text, "/2", "payload", name, _RESULT)


def _errors(version: Version) -> Iterator[Utterance]:
    u, kind = UNKNOWN_ID, "CALLERROR"
    rest = ',"GenericError","",{}]'
    yield _answer(kind, "unknown-id", _ERROR, "/1", "messageId", "unknown")
    yield _answer(kind, "reserved-id", f'[4,"{version.unreadable_id}"{rest}', "/1", "messageId", "reserved")  # fmt: skip
    short = ("[4]", f'[4,"{u}"]', f'[4,"{u}","GenericError"]', f'[4,"{u}","GenericError",""]')
    for count, text in enumerate(short, start=1):
        yield _answer(kind, f"arity:{count}", text, "", "arity", "too-few", _ERROR)
    yield _answer(kind, "arity:6", f'[4,"{u}","GenericError","",{{}},{{}}]', "", "arity", "too-many", _ERROR)  # fmt: skip
    yield _answer(kind, "no-description", f'[4,"{u}","GenericError",{{}}]', "/3", "errorDescription", "missing", _ERROR)  # fmt: skip
    yield from _wrong_ids(kind, "[4,", rest, _ERROR)
    yield from _wrong_error_members()


def _wrong_ids(kind: str, head: str, tail: str, control: str) -> Iterator[Utterance]:
    for name, spelled in (*_IDS_NOT_STRING, ("empty", '""'), ("surrogate", '"\\ud800"')):
        yield _answer(kind, f"id:{name}", head + spelled + tail, "/1", "messageId", name, control)
    long = f'{head}"{"m" * 37}"{tail}'
    yield _answer(kind, "id:37", long, "/1", "messageId", "too-long", control)


def _wrong_error_members() -> Iterator[Utterance]:
    members = (
        ("code", 2, "errorCode", (*_NOT_STRINGS, ("unknown", '"FooError"'), ("empty", '""'))),
        ("description", 3, "errorDescription", (*_NOT_STRINGS, ("256", f'"{"d" * 256}"'))),
        ("details", 4, "errorDetails", _NOT_OBJECTS),
    )
    for member, index, keyword, spellings in members:
        for name, spelled in spellings:
            elements = ["4", f'"{UNKNOWN_ID}"', '"GenericError"', '""', "{}"]
            elements[index] = spelled
            text = f"[{','.join(elements)}]"
            yield _answer("CALLERROR", f"{member}:{name}", text, f"/{index}", keyword, name, _ERROR)


_NOT_STRINGS = (("number", "7"), ("null", "null"), ("object", "{}"), ("array", "[]"))


def _answer(
    kind: str,
    name: str,
    text: str,
    pointer: str,
    keyword: str,
    operator: str,
    control: str | None = None,
) -> Utterance:
    mutation = Mutation(
        Channel.ENVELOPE,
        pointer,
        f"{kind}.{keyword}",
        operator,
        _short(control or ""),
        _short(text),
    )
    return Utterance(
        id=f"unsolicited/{kind.lower()}/{name}",
        action="",
        position=Position.UNSOLICITED,
        expectation=_reject(Fault.UNSOLICITED, _MAY_ANSWER if control else ""),
        text=(text,),
        control=(control,) if control else None,
        mutation=mutation,
    )
