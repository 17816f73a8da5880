"""Faults of the text itself: JSON grammar, character encoding, numbers, depth and size, and WebSocket opcode.

Knows RFC 8259 and how to spell hostile text by hand. Must not know what a payload means: everything hostile that
is still JSON stands in `customData`, which every message may carry and whose content nobody has to understand.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import NoReturn

from strategies.frames import call_text, encoded
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonObject,
    Mutation,
    Position,
    Repeated,
    Stance,
    Text,
    Tier,
    Utterance,
)
from strategies.version import Version

_NOT_JSON = Expectation(Stance.REJECT, Tier.JSON, Fault.NOT_JSON)
_NOT_UTF8 = Expectation(Stance.REJECT, Tier.JSON, Fault.NOT_UTF8)
_NOT_ARRAY = Expectation(Stance.REJECT, Tier.RPC, Fault.NOT_ARRAY)
_ACCEPT = Expectation(Stance.ACCEPT, Tier.MODEL)
_RAW_ID = "ocppfuzz-raw"


def text_fault(text: str | bytes) -> Fault | None:
    """NOT_UTF8, NOT_JSON or NOT_ARRAY when RFC 8259 decides it so, None when an array (or too deep to tell)."""
    try:
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
        plain.encode("utf-8")
    except UnicodeError:
        return Fault.NOT_UTF8
    try:
        # Numbers stay text: the size of an integer is no fault of the JSON.
        value = json.loads(plain, parse_int=str, parse_float=str, parse_constant=_refuse)
    except ValueError:
        return Fault.NOT_JSON
    except RecursionError:
        return None
    return None if isinstance(value, list) else Fault.NOT_ARRAY


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON (RFC 8259 section 6)")


def text_faults(action: str, payload: JsonObject, version: Version) -> tuple[Utterance, ...]:
    """Every text-level fault around one harmless CALL, and valid but unusual spellings of it.

    Args:
        action: an action that the target serves.
        payload: a payload that it accepts; `customData` in it is replaced where a fault stands there.
        version: the version whose actions count.

    Raises:
        KeyError: the version has no such action.
    """
    if action not in version.actions:
        raise KeyError(action)
    call = _Call(action, payload)
    return (
        *_grammar(call),
        *_cuts(call),
        *_tails(call),
        *_not_arrays(call),
        *_numbers(call),
        *_members(call),
        *_strings(call),
        *_depths(call),
        *_sizes(call),
        *_encodings(call),
        *_binaries(call),
        *_spellings(call),
    )


class _Call:
    """One well-formed CALL, and room in its customData for hostile JSON."""

    __slots__ = ("action", "payload", "text")

    def __init__(self, action: str, payload: JsonObject) -> None:
        self.action = action
        self.payload = payload
        self.text = call_text(action, payload)

    def holding(self, *hostile: str | Repeated) -> Text:
        """This CALL with `hostile` spelled after the vendorId of customData, the comma included."""
        rest = {k: v for k, v in self.payload.items() if k != "customData"}
        custom = encoded({**rest, "customData": {"vendorId": "ocppfuzz"}})
        text = call_text(self.action, {}).removesuffix("{}]")
        return (text + custom.removesuffix("}}"), *hostile, "}}]")

    def said(
        self,
        id_: str,
        text: Text | str,
        expectation: Expectation,
        keyword: str,
        operator: str,
        *,
        control: Text | None = None,
        after: str = "",
    ) -> Utterance:
        """`text` in place of this CALL."""
        pieces: Text = (text,) if isinstance(text, str) else text
        return Utterance(
            id=f"text/{id_}",
            action=self.action,
            position=Position.CALL,
            expectation=expectation,
            text=pieces,
            control=control or (self.text,),
            mutation=Mutation(Channel.TEXT, "", keyword, operator, after=after),
            heavy=any(isinstance(p, Repeated) for p in pieces),
        )

    def custom(
        self, id_: str, hostile: Text, expectation: Expectation, keyword: str, operator: str
    ) -> Utterance:
        """This CALL with the member `n` of customData spelled as `hostile`; 0 in the control."""
        return self.said(
            id_,
            self.holding(',"n":', *hostile),
            expectation,
            keyword,
            operator,
            control=self.holding(',"n":0'),
            after=_short(hostile),
        )

    def raw(
        self,
        id_: str,
        data: bytes,
        expectation: Expectation,
        keyword: str,
        operator: str,
        *,
        opcode: str = "text",
    ) -> Utterance:
        """`data` in place of this CALL; bytes hold no slots, so the messageId in them is fixed."""
        return Utterance(
            id=f"text/{id_}",
            action=self.action,
            position=Position.CALL,
            expectation=expectation,
            raw=data,
            raw_opcode=opcode,
            control=(self.text,),
            mutation=Mutation(Channel.TEXT, "", keyword, operator, after=repr(data[-40:])),
        )


def _short(text: Text) -> str:
    whole = "".join(p if isinstance(p, str) else f"({p.unit} * {p.times})" for p in text)
    return whole if len(whole) <= 60 else whole[:57] + "..."


def _unspecified(why: str, fault: Fault | None = None) -> Expectation:
    return Expectation(Stance.UNSPECIFIED, Tier.JSON, fault, why)


def _grammar(call: _Call) -> Iterator[Utterance]:
    text = call.text
    wholes = (
        ("word", "hello"),
        ("empty", ""),
        ("whitespace", " \t\r\n"),
        ("xml", "<?xml version='1.0'?><Heartbeat/>"),
        ("single-quotes", text.replace('"', "'")),
        ("block-comment", f"[/* 2 */{text[1:]}"),
        ("line-comment", f"// CALL\n{text}"),
        ("trailing-comma", text[:-1] + ",]"),
        ("missing-comma", text.replace(",", " ", 1)),
        ("wrong-bracket", text[:-1] + "}"),
        ("bare-word", text.replace(f'"{call.action}"', call.action, 1)),
        ("open-string", text.replace('",', ",", 1)),
    )
    for name, spelled in wholes:
        yield call.said(f"not-json:{name}", spelled, _NOT_JSON, "json", name, after=spelled[:40])
    values = (
        ("python-true", "True"),
        ("undefined", "undefined"),
        ("bare-name", "{a:1}"),
        ("name-alone", '{"a"}'),
        ("no-comma", "[1 2]"),
        ("no-element", "[,]"),
        ("single-quotes", "'a'"),
    )
    for name, spelled in values:
        yield call.custom(f"not-json:value-{name}", (spelled,), _NOT_JSON, "json", "value")


def _cuts(call: _Call) -> Iterator[Utterance]:
    text = call.text
    after_id = text.index(",", 3)
    after_action = text.index(",", after_id + 1)
    cuts = (
        ("bracket", 1),
        ("type", 2),
        ("id-quote", 4),
        ("id", after_id),
        ("action", after_action),
        ("payload", after_action + 2),
        ("payload-end", len(text) - 2),
        ("last", len(text) - 1),
    )
    for name, at in cuts:
        yield call.said(
            f"truncated:{name}", text[:at], _NOT_JSON, "json", "truncated", after=text[:at][-40:]
        )
    surrogate = (*call.holding(',"n":"\\ud800"')[:-1], "")
    yield call.said("truncated:surrogate", surrogate, _NOT_JSON, "json", "truncated-surrogate")
    long = (*call.holding(',"n":"', "x" * 300)[:-1], "")
    yield call.said("truncated:long", long, _NOT_JSON, "json", "truncated-long")


def _tails(call: _Call) -> Iterator[Utterance]:
    tails = (
        ("word", "x"),
        ("bracket", "]"),
        ("comma", ","),
        ("nul", "\0"),
        ("object", "{}"),
        ("same-message", call.text),
        ("next-line", "\n" + call.text),
    )
    for name, tail in tails:
        yield call.said(
            f"trailing:{name}", call.text + tail, _NOT_JSON, "json", "trailing", after=tail[:40]
        )
    disputed = Expectation(
        Stance.REJECT,
        Tier.JSON,
        Fault.NOT_JSON,
        "RFC 8259 section 8.1 lets a reader ignore a byte order mark",
    )
    yield call.said("bom", "\ufeff" + call.text, disputed, "json", "byte-order-mark")


def _not_arrays(call: _Call) -> Iterator[Utterance]:
    values = (
        ("object", "{}"),
        ("named", encoded({"2": call.action})),
        ("string", encoded(call.text)),
        ("number", "2"),
        ("zero", "-0"),
        ("null", "null"),
        ("true", "true"),
        ("batch", f"[{call.text}]"),
    )
    for name, spelled in values:
        yield call.said(f"not-array:{name}", spelled, _NOT_ARRAY, "array", name, after=spelled[:40])


def _numbers(call: _Call) -> Iterator[Utterance]:
    for spelled in ("NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "1e", "0x10", "1_0"):
        yield call.custom(f"number:{spelled}", (spelled,), _NOT_JSON, "number", "not-a-number")
    limits = _unspecified("RFC 8259 section 6 lets a reader limit range and precision")
    for spelled in ("1e999", "-1e999", "1e-999"):
        yield call.custom(f"number:{spelled}", (spelled,), limits, "number", "out-of-range")
    for spelled in ("1e0", "-0", "-0.0", "1E+2", "18446744073709551616", "0.30000000000000004440"):
        yield call.custom(f"number:{spelled}", (spelled,), limits, "number", "unusual")
    digits = (Repeated("9", 5_000),)
    heavy = _unspecified(limits.disputed, Fault.HEAVY)
    yield call.custom("number:5000-digits", digits, heavy, "number", "thousands-of-digits")


def _members(call: _Call) -> Iterator[Utterance]:
    unclear = _unspecified("RFC 8259 section 4: names SHOULD be unique")
    yield call.custom("duplicate:customData", ('0,"n":1',), unclear, "member", "duplicate")
    yield call.said(
        "duplicate:vendorId",
        call.holding(',"vendorId":"other"'),
        unclear,
        "member",
        "duplicate",
        control=call.holding(),
    )
    head = call_text(call.action, {}).removesuffix("}]")
    custom = '"customData":{"vendorId":"a"}'
    rest = call.text.removeprefix(head)
    both = f"{head}{custom},{custom}{',' if call.payload else ''}{rest}"
    control = call.holding()
    yield call.said("duplicate:payload", both, unclear, "member", "duplicate", control=control)
    for name, key in (("empty", '""'), ("proto", '"__proto__"'), ("nul", '"\\u0000"'), ("surrogate", '"\\ud800"')):  # fmt: skip
        open_ = _unspecified("customData is open; names are the vendor's own")
        yield call.custom(f"member:{name}", (f"0,{key}:{{}}",), open_, "member", name)


def _strings(call: _Call) -> Iterator[Utterance]:
    bad = (
        ("newline", '"a\nb"'),
        ("tab", '"a\tb"'),
        ("nul", '"a\0b"'),
        ("unit-separator", '"a\x1fb"'),
        ("bad-escape", '"\\x41"'),
        ("short-escape", '"\\u12"'),
    )
    for name, spelled in bad:
        yield call.custom(f"string:{name}", (spelled,), _NOT_JSON, "string", name)
    lone = _unspecified("RFC 8259 section 8.2: unpaired surrogates are unpredictable")
    for name, spelled in (("high", '"\\ud800"'), ("low", '"\\udc00"'), ("swapped", '"\\udc00\\ud800"')):  # fmt: skip
        yield call.custom(f"surrogate:{name}", (spelled,), lone, "string", "lone-surrogate")
    valid = _unspecified("valid JSON; what a peer does with it is its own affair")
    for name, spelled in (
        ("escaped-nul", '"\\u0000"'),
        ("noncharacter", '"\\uffff"'),
        ("emoji", '"\U0001f50c"'),
        ("right-to-left", '"\u202e"'),
        ("format", '"%s%n{0}${jndi:x}"'),
        ("line-separator", '"\u2028"'),
    ):
        yield call.custom(f"string:{name}", (spelled,), valid, "string", name)


def _depths(call: _Call) -> Iterator[Utterance]:
    limits = _unspecified("RFC 8259 section 9 lets a reader limit depth", Fault.HEAVY)
    for depth in (2_000, 100_000):
        down, up = Repeated("[", depth), Repeated("]", depth)
        yield call.said(f"depth:bare-{depth}", (down, up), _NOT_ARRAY, "depth", "bare-arrays")
        yield call.custom(f"depth:arrays-{depth}", (down, up), limits, "depth", "arrays")
        objects = (Repeated('{"n":', depth), "0", Repeated("}", depth))
        yield call.custom(f"depth:objects-{depth}", objects, limits, "depth", "objects")
        yield call.said(f"depth:unclosed-{depth}", (down,), _NOT_JSON, "depth", "unclosed")


def _sizes(call: _Call) -> Iterator[Utterance]:
    limits = _unspecified("RFC 8259 section 9 lets a reader limit size", Fault.HEAVY)
    for name, size in (("64KiB", 65_536), ("1MiB", 1_048_576)):
        string = ('"', Repeated("x", size), '"')
        yield call.custom(f"size:string-{name}", string, limits, "size", "string")
    many = ",".join(f'"m{i}":{i}' for i in range(1_000))
    plain = _unspecified("customData is open; no number of members is named")
    yield call.custom("size:1000-members", (f"{{{many}}}",), plain, "size", "members")
    same = ("{", Repeated('"m":0,', 100_000), '"m":0}')
    yield call.custom("size:100000-same-members", same, limits, "size", "same-members")
    elements = ("[", Repeated("0,", 100_000), "0]")
    yield call.custom("size:100000-elements", elements, limits, "size", "elements")
    blanks = (call.text[:-1], Repeated(" ", 65_536), "]")
    yield call.said("size:64KiB-blanks", blanks, limits, "size", "blanks")


def _raw_call(call: _Call, inside: bytes = b"x") -> bytes:
    """The CALL with a fixed messageId and `inside` as a string in customData."""
    text = "".join(p for p in call.holding(',"n":"', "@", '"') if isinstance(p, str))
    head, _, tail = text.replace("{call.id}", _RAW_ID).rpartition("@")
    return head.encode() + inside + tail.encode()


def _encodings(call: _Call) -> Iterator[Utterance]:
    bad = (
        ("continuation", b"\x80"),
        ("ff", b"\xff"),
        ("cut-sequence", b"\xc3"),
        ("overlong-slash", b"\xc0\xaf"),
        ("overlong-nul", b"\xc0\x80"),
        ("surrogate", b"\xed\xa0\x80"),
        ("beyond-unicode", b"\xf4\x90\x80\x80"),
        ("latin-1", b"Z\xe4hler"),
    )
    for name, inside in bad:
        yield call.raw(f"utf-8:{name}", _raw_call(call, inside), _NOT_UTF8, "utf-8", name)
    whole = _raw_call(call).decode()
    yield call.raw("utf-8:garbage", b"\xff\xfe\x00\x80", _NOT_UTF8, "utf-8", "garbage")
    utf_16 = b"\xfe\xff" + whole.encode("utf-16-be")
    yield call.raw("utf-8:utf-16", utf_16, _NOT_UTF8, "utf-8", "utf-16")
    yield call.raw("utf-8:cut-end", whole.encode() + b"\xe2\x82", _NOT_UTF8, "utf-8", "cut-end")


def _binaries(call: _Call) -> Iterator[Utterance]:
    unclear = _unspecified("OCPP-J speaks of text messages only", Fault.BINARY)
    messages = (
        ("call", _raw_call(call)),
        ("bad-utf-8", _raw_call(call, b"\xff\xfe")),
        ("empty", b""),
        ("garbage", bytes(range(256))),
        ("nul", b"\0"),
    )
    for name, data in messages:
        yield call.raw(f"binary:{name}", data, unclear, "opcode", f"binary-{name}", opcode="binary")


def _spellings(call: _Call) -> Iterator[Utterance]:
    first, rest = call.action[0], call.action[1:]
    escaped = call.text.replace(f'"{call.action}"', f'"\\u{ord(first):04x}{rest}"', 1)
    yield call.said("spelling:escaped-action", escaped, _ACCEPT, "spelling", "escapes")
    spaced = f" \r\n[ 2\t,{call.text.removeprefix('[2,')[:-1]}\n] \n"
    yield call.said("spelling:whitespace", spaced, _ACCEPT, "spelling", "whitespace")


# --- random text faults -----------------------------------------------------------------------------------

_HOSTILE = (
    "\0", "\ufeff", "\\ud800", "\\u0000", "NaN", "-Infinity", "1e999", "9" * 400, "[" * 200, '{"a":' * 50,
    "null", "true", '"', "'", "\\", "{", "}", "[", "]", ",", ":", "//", "/**/", "\n", "\x1f", "\u202e",
    "%n%s", "${x}", "__proto__", '"vendorId":', "-0", "2.0", "\U0010ffff",
)  # fmt: skip
_BAD_BYTES = (b"\xff", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80")


def garble(text: str, rng: random.Random) -> tuple[str | bytes, Mutation, Fault | None]:
    """`text` with one random alteration, what it was, and the fault that RFC 8259 sees in the outcome.

    A fault means REJECT; None means that the outcome may still be a message, so nothing but safety can be judged.
    """
    operator, alter = rng.choice(_OPERATORS)
    outcome = alter(text, rng)
    mutation = Mutation(Channel.TEXT, "", "garble", operator)
    return outcome, mutation, text_fault(outcome)


def _slice(text: str, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(text) + 1)
    return start, min(len(text), start + rng.randint(1, 16))


def _flip(text: str, rng: random.Random) -> str:
    if not text:
        return "\0"
    at = rng.randrange(len(text))
    flipped = chr((ord(text[at]) ^ (1 << rng.randrange(7))) & 0x7F)
    return text[:at] + flipped + text[at + 1 :]


def _delete(text: str, rng: random.Random) -> str:
    start, end = _slice(text, rng)
    return text[:start] + text[end:]


def _insert(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + chr(rng.randrange(128)) + text[at:]


def _truncate(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _duplicate(text: str, rng: random.Random) -> str:
    start, end = _slice(text, rng)
    return text[:end] + text[start:end] * rng.choice((1, 2, 50)) + text[end:]


def _swap_quotes(text: str, rng: random.Random) -> str:
    return text.replace('"', rng.choice(("'", "`", "\u201c", '\\"')), rng.randint(1, 8))


def _splice(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(_HOSTILE) + text[at:]


def _bad_bytes(text: str, rng: random.Random) -> bytes:
    at = rng.randrange(len(text) + 1)
    return _utf8(text[:at]) + rng.choice(_BAD_BYTES) + _utf8(text[at:])


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


_OPERATORS: tuple[tuple[str, Callable[[str, random.Random], str | bytes]], ...] = (
    ("flip", _flip),
    ("delete", _delete),
    ("insert", _insert),
    ("truncate", _truncate),
    ("duplicate", _duplicate),
    ("quotes", _swap_quotes),
    ("splice", _splice),
    ("bytes", _bad_bytes),
)
