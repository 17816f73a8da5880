"""What a stored case claims about itself, checked without playing it.

Knows schemas, primitives and the strict reading of messages. Must not know what a target does with the case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from fuzz.engine.validity import MAX_DEPTH, call_parts, class_of
from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.codec import decode, depth_exceeds
from fuzz.ocppj.frames import Call
from fuzz.records import AnswerNext, Case, SendBytes, SendText, Side, Step
from strategies.labels import (
    Channel,
    Fault,
    JsonValue,
    Kind,
    Mutation,
    Position,
    Repeated,
    Sender,
    Stance,
    Tier,
    spell,
)
from strategies.primitives import primitive_faults
from strategies.schema import message_schema
from strategies.text import text_fault
from strategies.version import Version
from strategies.violations import fault_of, sites

_INDEX = re.compile(r"/\d+(?=/|$)")
_NOW, _THEN = "{time.now}", "2026-01-01T00:00:00Z"
_MAX_CHARS = 2**20
_ACTIONS = frozenset(
    {Fault.ACTION_UNKNOWN, Fault.ACTION_UNSUPPORTED, Fault.ACTION_CASE, Fault.ACTION_DIRECTION}
)
_SENDERS = {Side.STATION: Sender.CSMS, Side.CSMS: Sender.STATION}


def broken_claims(case: Case, version: Version) -> Iterator[str]:
    """What does not hold of what the case says about its message and its control; nothing when all does."""
    case = replace(case, steps=tuple(map(_timed, case.steps)))
    parts = call_parts(case)
    if parts is not None and case.action in version.actions:
        yield from _payload_claims(case, parts[0], version)
    yield from _wire_claims(case, version)
    yield from _control_claims(case, version)


def _timed(step: Step) -> Step:
    """The step with some time in the slot for the present one, which is no time by itself."""
    if not isinstance(step, SendText | AnswerNext) or not any(
        isinstance(part, str) and _NOW in part for part in step.text
    ):
        return step
    return replace(
        step, text=tuple(p.replace(_NOW, _THEN) if isinstance(p, str) else p for p in step.text)
    )


def _kind(case: Case) -> Kind:
    return Kind.RESPONSE if case.position is Position.CALLRESULT else Kind.REQUEST


def _payload_claims(case: Case, payload: JsonValue, version: Version) -> Iterator[str]:
    stance, tier = case.expectation.stance, case.expectation.tier
    broken = class_of(version, case.action, payload, _kind(case))
    if stance is Stance.ACCEPT and tier >= Tier.PRIMITIVE and broken:
        yield f"is called valid, but breaks {_listed(broken)}"
    if stance is not Stance.REJECT:
        return
    for mutation in case.mutations:
        if mutation.channel is not Channel.PAYLOAD:
            continue
        if tier is Tier.SCHEMA and fault_of(mutation.keyword) is not None:
            yield from _breaks_schema(case, mutation, payload, version)
        elif tier is Tier.PRIMITIVE:
            yield from _breaks_primitive(case, mutation, payload, version)


def _breaks_schema(
    case: Case, mutation: Mutation, payload: JsonValue, version: Version
) -> Iterator[str]:
    errors = {
        ("".join(f"/{p}" for p in e.instance_path), str(e.schema_path[-1]))
        for e in version.validator(case.action, _kind(case)).iter_errors(payload)
    }
    words = f"{mutation.keyword} at {mutation.pointer or '/'}"
    keywords = {keyword for _, keyword in errors}
    if {pointer for pointer, _ in errors} != {mutation.pointer}:
        yield f"promises to break {words}, but breaks {_listed(errors) or 'nothing'}"
    elif not {mutation.keyword} <= keywords <= {mutation.keyword, *_also(case, mutation, version)}:
        yield f"promises to break {words} alone, but breaks {_listed(errors)}"


def _also(case: Case, mutation: Mutation, version: Version) -> frozenset[str]:
    """The keywords that fail with that one at that place, as the table of violations has it."""
    wanted = _INDEX.sub("/*", mutation.pointer), mutation.keyword
    return frozenset(
        also
        for site in sites(message_schema(case.action, _kind(case), version))
        if (_INDEX.sub("/*", site.pointer), site.keyword) == wanted
        for also in site.also
    )


def _breaks_primitive(
    case: Case, mutation: Mutation, payload: JsonValue, version: Version
) -> Iterator[str]:
    if not version.validator(case.action, _kind(case)).is_valid(payload):
        yield "promises to break a primitive type, but breaks the schema"
        return
    faults = {
        (p, name) for p, name, _ in primitive_faults(case.action, _kind(case), payload, version)
    }
    # One value may break two rules: an integer that is too small for 32 bits is also below zero.
    here = {pointer for pointer, _ in faults} == {mutation.pointer}
    if not here or (mutation.pointer, mutation.keyword) not in faults:
        yield (
            f"promises to break {mutation.keyword} at {mutation.pointer}, but breaks "
            f"{_listed(faults) or 'nothing'}"
        )


def _wire_claims(case: Case, version: Version) -> Iterator[str]:
    """What is broken below the payload is refused by a strict reader; what is valid is not."""
    said = _said(case)
    if said is None or case.position is not Position.CALL:
        return
    if isinstance(said, str) and depth_exceeds(said, MAX_DEPTH):
        # Nobody can tell without reading deeper than readers do.
        return
    expectation = case.expectation
    fault = text_fault(said)
    if expectation.stance is Stance.REJECT and expectation.tier is Tier.JSON:
        if fault is not expectation.fault:
            yield f"promises {_fault(expectation.fault)}, but is {_fault(fault)}"
    elif expectation.stance is Stance.REJECT and expectation.tier is Tier.RPC:
        if fault is None and isinstance(said, str) and not _refused(case, said, version):
            yield f"promises {_fault(expectation.fault)}, but a strict reader takes it"
    elif expectation.stance is Stance.ACCEPT and isinstance(said, str):
        try:
            decode(said.replace("{call.id}", "x"), version)
        except RemoteProtocolError as error:
            yield f"is called valid, but a strict reader says: {error.text}"


def _refused(case: Case, said: str, version: Version) -> bool:
    try:
        frame = decode(_with_ids(said), version)
    except RemoteProtocolError:
        return True
    if case.expectation.fault is Fault.ID_EMPTY:
        return frame.id == ""
    if case.expectation.fault is Fault.ID_IN_USE:
        return True
    if not isinstance(frame, Call):
        return False
    wrong = version.actions.get(frame.action) not in (_SENDERS[case.side], Sender.BOTH)
    return case.expectation.fault in _ACTIONS and wrong


def _with_ids(said: str) -> str:
    return re.sub(
        r"\{call\.id(?::(\d{1,2}))?\}", lambda m: "x" * int(m.group(1) or 1), said
    ).replace("{call.previous}", "x")


def _control_claims(case: Case, version: Version) -> Iterator[str]:
    """A control is the same conversation without the fault."""
    if not case.control or case.action not in version.actions:
        return
    if case.control == case.steps and case.expectation.stance is Stance.REJECT:
        yield "its control is the case itself"
    for step in case.control:
        frame = _frame(spell(step.text)) if isinstance(step, SendText) else None
        if frame is None or len(frame) != 4 or frame[2] not in version.actions:
            continue
        if broken := class_of(version, str(frame[2]), frame[3]):
            yield f"its control breaks {_listed(broken)}"


def _frame(text: str) -> list[JsonValue] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def _said(case: Case) -> str | bytes | None:
    """The case's one hostile message, None when there are more, or when it is too long to look at."""
    found = [s for s in case.steps if isinstance(s, SendText | SendBytes | AnswerNext)]
    if len(found) != 1 or isinstance(found[0], AnswerNext):
        return None
    (step,) = found
    if isinstance(step, SendBytes):
        return None if step.opcode == "binary" else step.data
    length = sum(len(p.unit) * p.times if isinstance(p, Repeated) else len(p) for p in step.text)
    return spell(step.text) if length <= _MAX_CHARS else None


def _fault(fault: Fault | None) -> str:
    return "a proper message" if fault is None else fault.value


def _listed(found: object) -> str:
    pairs = sorted(found) if isinstance(found, set | frozenset) else []
    return ", ".join(f"{keyword} at {pointer or '/'}" for pointer, keyword in pairs[:4])
