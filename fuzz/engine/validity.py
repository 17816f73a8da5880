"""Tells in which way a payload is valid or broken, so that shrinking never turns one fault into another.

Knows schemas and primitive rules; must not know the target. The lesson is an old one: a shrinker that removes the
only broken part still sees "accepted" and reports nonsense.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeAlias

from fuzz.ocppj.codec import depth_exceeds
from fuzz.records import AnswerNext, Case, SendText
from strategies.labels import (
    Channel,
    Fault,
    JsonValue,
    Kind,
    Position,
    Repeated,
    Stance,
    Tier,
    spell,
)
from strategies.primitives import primitive_faults
from strategies.text import text_fault
from strategies.version import Version

Class: TypeAlias = frozenset[tuple[str, str]]

MAX_DEPTH = 128
"""Payloads nested deeper are text to us: validators and writers of JSON give up a little further down."""

_INDEX = re.compile(r"/\d+(?=/|$)")


def class_of(
    version: Version, action: str, payload: JsonValue, kind: Kind = Kind.REQUEST
) -> Class | None:
    """The rules that a payload breaks, as (pointer without indices, keyword); None for an unknown action."""
    if action not in version.actions:
        return None
    errors = version.validator(action, kind).iter_errors(payload)
    broken = {
        (_pattern("/" + "/".join(map(str, e.instance_path))), _keyword(e.schema_path))
        for e in errors
    }
    if not broken:
        broken = {(_pattern(p), name) for p, name, _ in primitive_faults(action, kind, payload)}
    return frozenset(broken)


def _pattern(pointer: str) -> str:
    return _INDEX.sub("/*", pointer)


def _keyword(schema_path: list[str | int]) -> str:
    return str(schema_path[-1]) if schema_path else ""


def same_class(case: Case, version: Version, original: JsonValue) -> Callable[[JsonValue], bool]:
    """A test whether a smaller payload is still valid or broken in the case's own way."""
    kind = Kind.RESPONSE if case.position is Position.CALLRESULT else Kind.REQUEST
    wanted = class_of(version, case.action, original, kind)
    frozen = (
        [m.pointer for m in case.mutations if m.channel is Channel.PAYLOAD]
        if keeps_value(case)
        else []
    )
    if case.expectation.fault is Fault.DEVICE_MODEL:
        frozen = ["/setVariableData"]
    kept = {p: canonical(at(original, p)) for p in frozen}

    def allowed(candidate: JsonValue) -> bool:
        if any(canonical(at(candidate, p)) != value for p, value in kept.items()):
            return False
        return wanted is None or class_of(version, case.action, candidate, kind) == wanted

    return allowed


def same_text(case: Case, version: Version) -> Callable[[str], bool]:
    """A test whether another text is broken, or valid, as the case's hostile text is.

    A message whose reading is not specified is judged for safety alone, so that any text will do.
    """
    if case.expectation.stance is Stance.UNSPECIFIED:
        return lambda candidate: True
    whole = "".join(spell(s.text) for s in case.steps if isinstance(s, SendText))
    wanted, parts = shape(version, whole), call_parts(case)
    # A fault of the frame leaves the payload without a meaning, so that it may become anything.
    bound = parts is not None and case.expectation.tier >= Tier.SCHEMA
    allowed = same_class(case, version, parts[0]) if parts is not None and bound else None

    def same(candidate: str) -> bool:
        if shape(version, candidate) != wanted:
            return False
        return allowed is None or allowed(json.loads(candidate)[-1])

    return same


def shape(version: Version, text: str) -> tuple[object, ...]:
    """How a text is a frame, or fails to be one, without a look at what its payload holds."""
    fault = text_fault(text)
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return fault, "unreadable"
    if not isinstance(frame, list):
        return fault, type(frame).__name__
    return (
        fault,
        len(frame),
        *(
            part(version, item)
            for part, item in zip((_type, _id, _action, _kind), frame, strict=False)
        ),
    )


def _type(version: Version, item: JsonValue) -> str:
    known = isinstance(item, int) and not isinstance(item, bool) and item in version.message_types
    return str(item) if known else type(item).__name__


def _id(version: Version, item: JsonValue) -> str:
    if not isinstance(item, str):
        return type(item).__name__
    length = len(item) if item else 0
    return "empty" if not length else "long" if length > version.max_message_id else "string"


def _action(version: Version, item: JsonValue) -> str:
    if not isinstance(item, str):
        return type(item).__name__
    return item if item in version.actions else "unknown"


def _kind(version: Version, item: JsonValue) -> str:
    return type(item).__name__


def keeps_value(case: Case) -> bool:
    """True when the value itself is the fault and no schema could tell whether a smaller one still is."""
    return case.expectation.tier >= Tier.PRIMITIVE and case.expectation.fault is not None


def canonical(value: JsonValue) -> str:
    """One text for equal JSON values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def at(value: JsonValue, pointer: str) -> JsonValue:
    """What a JSON pointer names (RFC 6901), None when there is nothing."""
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(token)
        elif isinstance(value, list) and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        else:
            return None
    return value


def hostile_step(case: Case) -> int | None:
    """Where the case's one hostile text is: its only `SendText`, else its only `AnswerNext` with a text."""
    for kind in (SendText, AnswerNext):
        found = [i for i, s in enumerate(case.steps) if isinstance(s, kind) and s.text]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def call_parts(case: Case) -> tuple[JsonValue, list[JsonValue]] | None:
    """The payload and the whole frame of a case's hostile message, when it is a readable CALL or CALLRESULT."""
    index = hostile_step(case)
    step = None if index is None else case.steps[index]
    if not isinstance(step, SendText | AnswerNext):
        return None
    if any(isinstance(p, Repeated) and p.times > 20_000 for p in step.text):
        return None
    text = spell(step.text)
    if depth_exceeds(text, MAX_DEPTH):
        return None
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    answers = isinstance(step, AnswerNext)
    if not isinstance(frame, list) or len(frame) != (3 if answers else 4):
        return None
    return frame[-1], frame
