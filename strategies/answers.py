"""Every hostile answer to a CALL of the target: envelopes and error members bent, payloads at and past their limits.

Knows the shapes of CALLRESULT and CALLERROR (Part 4 sections 4.2.2 and 4.2.3) and the response schemas. Must not know
how the target is made to send a CALL. Hostile numbers are written by hand: an encoder would mend them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from strategies.boundaries import boundaries
from strategies.examples import example
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonObject,
    Kind,
    Mutation,
    Position,
    Stance,
    Tier,
    Utterance,
)
from strategies.schema import message_schema
from strategies.version import Version
from strategies.violations import violations

SLOT = "{call.id}"
"""Stands for the messageId of the CALL that is answered."""

LATEST = "{asked.id}"
"""Stands for the messageId of the target's latest CALL, for an answer that is sent of our own accord."""

NOW = "{time.now}"
"""Stands for the present moment, so that an answer with another fault does not set the target's clock."""

_MAY_ANSWER = 'Part 4 section 4.2.3: the unreadable may be answered with messageId "-1"'
_EXAMPLE_TIME = "2026-01-01T00:00:00Z"
_NOT_STRINGS = (("null", "null"), ("number", "7"), ("object", "{}"), ("array", "[]"), ("true", "true"))  # fmt: skip
_NOT_OBJECTS = (("null", "null"), ("array", "[]"), ("string", '"x"'), ("number", "7"), ("true", "true"))  # fmt: skip
_WRONG_IDS = (
    ("null", "null"),
    ("number", "7"),
    ("object", "{}"),
    ("array", f'["{SLOT}"]'),
    ("true", "true"),
    ("empty", '""'),
    ("padded", f'"{SLOT} "'),
    ("in-braces", f'"{{{SLOT}}}"'),
    ("nul-behind", f'"{SLOT}\\u0000"'),
    ("surrogate", '"\\ud800"'),
    ("too-long", f'"{"m" * 37}"'),
    ("far-too-long", f'"{SLOT}{"m" * 5000}"'),
    ("other", '"ocppfuzz-nobody-asked"'),
    ("unreadable", '"-1"'),
)
_WRONG_TYPES = ("string", "float", "fraction", "null", "array", "unknown", "negative", "huge")
_SPELLED_TYPES: Mapping[str, str] = {
    "string": '"{}"',
    "float": "{}.0",
    "fraction": "{}.5",
    "null": "null",
    "array": "[{}]",
    "unknown": "5",
    "negative": "-{}",
    "huge": "18446744073709551616",
}
_LONGEST_DESCRIPTION = 255


def proper(action: str, version: Version) -> JsonObject:
    """The payload of a plain answer that leaves nothing behind."""
    payload = example(message_schema(action, Kind.RESPONSE, version))
    # Nobody signs here, and A02.FR.18 has a station repeat a request that was accepted.
    return {"status": "Rejected"} if action == "SignCertificate" else payload


def result(payload: JsonObject, id_: str = SLOT) -> str:
    """A well-formed CALLRESULT."""
    return f'[3,"{id_}",{_spelled(payload)}]'


def _spelled(payload: JsonObject) -> str:
    if payload.get("currentTime") == _EXAMPLE_TIME:
        payload = {**payload, "currentTime": NOW}
    return json.dumps(payload, separators=(",", ":"))


def error(id_: str = SLOT) -> str:
    """A well-formed CALLERROR."""
    return f'[4,"{id_}","GenericError","",{{}}]'


# --- envelopes --------------------------------------------------------------------------------------------


def error_shapes(action: str) -> tuple[Utterance, ...]:
    """CALLERRORs, right and every way wrong; those without a description first."""
    bent = _Bent(action, Position.CALLERROR, ("4", f'"{SLOT}"', '"GenericError"', '""', "{}"))
    return tuple(_error_shapes(bent))


def _error_shapes(bent: _Bent) -> Iterator[Utterance]:
    for name, spelled in _NOT_STRINGS:
        yield bent.altered(3, "errorDescription", name, spelled)
    yield bent.spelled("errorDescription", "missing", f'[4,"{SLOT}","GenericError",{{}}]', "/3")
    for name, spelled in (*_NOT_STRINGS, ("empty", '""')):
        yield bent.altered(2, "errorCode", name, spelled)
    for name, spelled in _NOT_OBJECTS:
        yield bent.altered(4, "errorDetails", name, spelled)
    yield from _common(bent, range(1, 7))
    yield bent.altered(2, "errorCode", "unknown", '"FooError"', legal=True)
    yield bent.altered(2, "errorCode", "long", f'"{"E" * 1000}"', legal=True)
    for length in (_LONGEST_DESCRIPTION, _LONGEST_DESCRIPTION + 45, 20_000):
        name = "longest" if length == _LONGEST_DESCRIPTION else f"{length}-characters"
        yield bent.altered(3, "errorDescription", name, f'"{"d" * length}"', legal=length == 255)
    yield bent.altered(3, "errorDescription", "format", '"%s%n%x{0}${x}<b>\\u0000"', legal=True)
    yield bent.altered(4, "errorDetails", "deep", '{"a":' * 60 + "{}" + "}" * 60, legal=True)
    for code in ("GenericError", "InternalError", "NotSupported", "SecurityError"):
        yield bent.altered(2, "errorCode", code, f'"{code}"', legal=True)


def result_shapes(action: str, version: Version) -> tuple[Utterance, ...]:
    """CALLRESULTs with a proper payload whose envelope is wrong, or whose payload is no object."""
    payload = _spelled(proper(action, version))
    bent = _Bent(action, Position.CALLRESULT, ("3", f'"{SLOT}"', payload))
    return tuple(_result_shapes(bent))


def _result_shapes(bent: _Bent) -> Iterator[Utterance]:
    for name, spelled in _NOT_OBJECTS:
        yield bent.altered(2, "payload", name, spelled)
    yield from _common(bent, (1, 2, 4, 5))


def _common(bent: _Bent, arities: range | tuple[int, ...]) -> Iterator[Utterance]:
    for name, spelled in _WRONG_IDS:
        yield bent.altered(1, "messageId", name, spelled)
    for name in _WRONG_TYPES:
        spelled = _SPELLED_TYPES[name].format(bent.elements[0])
        yield bent.altered(0, "messageTypeId", name, spelled)
    for arity in arities:
        if arity != len(bent.elements):
            elements = (*bent.elements, "{}", "{}")[:arity]
            name = f"{arity}-elements"
            yield bent.spelled("arity", name, f"[{','.join(elements)}]", "")
    whole = bent.control
    for name, text in (("cut-off", whole[:-2]), ("twice", whole + whole), ("behind", whole + "x")):
        yield bent.spelled("text", name, text, "")


class _Bent:
    """One well-formed answer, spelled in its elements, and the ways to bend it."""

    def __init__(self, action: str, position: Position, elements: tuple[str, ...]) -> None:
        self.elements = elements
        self.control = f"[{','.join(elements)}]"
        self._action = action
        self._position = position

    def altered(
        self, index: int, keyword: str, name: str, spelled: str, *, legal: bool = False
    ) -> Utterance:
        """This answer with another element at `index`."""
        elements = (*self.elements[:index], spelled, *self.elements[index + 1 :])
        text = f"[{','.join(elements)}]"
        return self.spelled(keyword, name, text, f"/{index}", legal=legal)

    def spelled(
        self, keyword: str, name: str, text: str, pointer: str, *, legal: bool = False
    ) -> Utterance:
        """This answer written as `text`."""
        kind = self._position.value.upper()
        return Utterance(
            id=f"{self._action}/{self._position}/{keyword}:{name}",
            action=self._action,
            position=self._position,
            expectation=Expectation(Stance.UNSPECIFIED, Tier.MODEL) if legal else _unreadable(),
            text=(text,),
            control=(self.control,),
            mutation=Mutation(
                Channel.ENVELOPE, pointer, f"{kind}.{keyword}", name, after=_short(text)
            ),
        )


def _unreadable() -> Expectation:
    return Expectation(Stance.REJECT, Tier.RPC, Fault.UNSOLICITED, _MAY_ANSWER)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


# --- payloads ---------------------------------------------------------------------------------------------


def broken_payloads(action: str, version: Version, *, full: bool) -> tuple[Utterance, ...]:
    """CALLRESULTs whose payload breaks one rule of the response schema each."""
    schema = message_schema(action, Kind.RESPONSE, version)
    return tuple(
        _with_payload(action, b.id, b.payload, b.control, b.mutation, b.expectation)
        for b in violations(schema, full=full)
    )


def edges(action: str, version: Version) -> tuple[Utterance, ...]:
    """CALLRESULTs with one value at an edge of what the response schema allows."""
    schema = message_schema(action, Kind.RESPONSE, version)
    # What a station does with an answer that is legal but odd is its own affair.
    odd = Expectation(Stance.UNSPECIFIED, Tier.MODEL)
    return tuple(
        _with_payload(action, b.id, b.payload, b.control, b.mutation, odd, heavy=b.heavy)
        for b in boundaries(schema)
    )


def _with_payload(
    action: str,
    id_: str,
    payload: JsonObject,
    control: JsonObject,
    mutation: Mutation,
    expectation: Expectation,
    *,
    heavy: bool = False,
) -> Utterance:
    return Utterance(
        id=id_,
        action=action,
        position=Position.CALLRESULT,
        expectation=expectation,
        text=(result(payload),),
        control=(result(control),),
        mutation=mutation,
        heavy=heavy,
    )


# --- legal in form, hostile in meaning --------------------------------------------------------------------

_NOW = f'"{NOW}"'
_MARKUP = "<script src=//lab.invalid/x></script>&amp;\\u0000\\u001b[2J\\u202e%s%n${7*7}{{7*7}}"
_TOKEN = '{"idTokenInfo":{"status":"Accepted",%s}}'


def _boot(time: str = _NOW, interval: str = "300", status: str = "Accepted") -> str:
    return f'{{"currentTime":{time},"interval":{interval},"status":"{status}"}}'


def _message(content: str, form: str) -> str:
    return f'{{"format":"{form}","language":"en","content":"{content}"}}'


_TIMES = {
    "year-1": '"0001-01-01T00:00:00Z"',
    "year-1970": '"1970-01-01T00:00:00Z"',
    "year-2038": '"2038-01-19T03:14:08Z"',
    "year-9999": '"9999-12-31T23:59:59.999Z"',
    "year-10000": '"10000-01-01T00:00:00Z"',
    "leap-second": '"2026-06-30T23:59:60Z"',
    "number": "1767225600",
}
_NUMBERS = {
    "zero": "0",
    "minus-one": "-1",
    "one": "1",
    "2**31": "2147483648",
    "2**53": "9007199254740992",
    "2**64": "18446744073709551616",
    "1e9": "1e9",
    "text": '"abc"',
    "not-a-number": "NaN",
}
_INFO = {
    "expired-in-1970": '"cacheExpiryDateTime":"1970-01-01T00:00:00Z"',
    "expires-in-9999": '"cacheExpiryDateTime":"9999-12-31T23:59:59Z"',
    "priority-10": '"chargingPriority":10',
    "priority-2**31": '"chargingPriority":-2147483649',
    "no-evse": '"evseId":[]',
    "evse-0": '"evseId":[0]',
    "evse-negative": '"evseId":[-1]',
    "evse-far": '"evseId":[2147483647]',
    "evses-1000": f'"evseId":[{",".join(["1"] * 1000)}]',
    "group-of-itself": '"groupIdToken":{"idToken":"","type":"NoAuthorization"}',
    "language-long": f'"language1":"{"x" * 8}","language2":"{"x" * 8}"',
    "markup": f'"personalMessage":{_message(_MARKUP, "HTML")}',
    "address": f'"personalMessage":{_message("http://lab.invalid/../../etc/passwd", "URI")}',
    "1024-characters": f'"personalMessage":{_message("x" * 1024, "UTF8")}',
}
_COSTS = {
    "minus-one": "-1",
    "not-a-number": "NaN",
    "infinite": "Infinity",
    "1e308": "1e308",
    "1e400": "1e400",
    "300-digits": f"0.{'3' * 300}",
}


def _spelled_payloads(action: str) -> Iterator[tuple[str, str, str]]:
    """Pointer, name and payload text."""
    if action == "BootNotification":
        yield from (("/interval", n, _boot(interval=v)) for n, v in _NUMBERS.items())
        yield from (("/currentTime", n, _boot(v)) for n, v in _TIMES.items())
        for status in ("Pending", "Rejected"):
            for name in ("zero", "minus-one", "one"):
                label = f"{status.lower()}-{name}"
                yield "/interval", label, _boot(interval=_NUMBERS[name], status=status)
    elif action == "Heartbeat":
        yield from (("/currentTime", n, f'{{"currentTime":{v}}}') for n, v in _TIMES.items())
    elif action in ("Authorize", "TransactionEvent"):
        yield from (("/idTokenInfo", n, _TOKEN % v) for n, v in _INFO.items())
    if action == "TransactionEvent":
        yield from (("/totalCost", n, f'{{"totalCost":{v}}}') for n, v in _COSTS.items())
        text = f'{{"updatedPersonalMessage":{_message(_MARKUP * 12, "HTML")}}}'
        yield "/updatedPersonalMessage", "markup", text
        yield "/chargingPriority", "2**31", '{"chargingPriority":2147483648}'
    alien = f'{{"idTokenInfo":{{"status":"Blocked"}},{_boot()[1:]}'
    yield "", "another-action", alien


def oddities(action: str, version: Version) -> tuple[Utterance, ...]:
    """CALLRESULTs that mean something impossible: clocks far off, wild intervals, costs that are no numbers."""
    control = result(proper(action, version))
    return tuple(
        Utterance(
            id=f"{action}/meaning{pointer}:{name}",
            action=action,
            position=Position.CALLRESULT,
            expectation=Expectation(Stance.UNSPECIFIED, Tier.JSON),
            text=(f'[3,"{SLOT}",{payload}]',),
            control=(control,),
            mutation=Mutation(
                Channel.PAYLOAD, pointer, f"meaning{pointer}", name, after=_short(payload)
            ),
        )
        for pointer, name, payload in _spelled_payloads(action)
    )
