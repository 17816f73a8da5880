"""Was the wrong accepted (O8), or the right refused (O9)?

Knows how bad it is to accept each class of fault; must not judge envelopes (O7), codes (O10) or silence (O4).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from fuzz.ocppj.variables import text_of
from fuzz.oracles.reading import accepts, denied, first_answer, said_items, unsupported
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, FrameKind, Heard, Observation, Severity, Violation
from strategies.labels import Fault, JsonValue, Kind, Position, Stance, Tier
from strategies.version import version

_FORMAT_CODES = frozenset(
    {
        "FormatViolation",
        "TypeConstraintViolation",
        "PropertyConstraintViolation",
        "OccurrenceConstraintViolation",
        "ProtocolError",
        "RpcFrameworkError",
        "MessageTypeNotSupported",
        "FormationViolation",
        "OccurenceConstraintViolation",
    }
)
"""Codes that say: this is not a proper message; the 1.6 spellings included."""


@dataclass(frozen=True, slots=True)
class _Grade:
    """How bad a CALLRESULT is. `needs_status`: only one with an accepting status is; one that refuses is lenience."""

    basis: Basis
    severity: Severity
    clause: str
    remark: bool = field(default=False, kw_only=True)
    needs_status: bool = field(default=False, kw_only=True)


def _lenient(clause: str, *, needs_status: bool = False) -> _Grade:
    return _Grade(Basis.HARDENING, Severity.LOW, clause, remark=True, needs_status=needs_status)


_BROKEN_SCHEMA = _Grade(
    Basis.SCHEMA, Severity.MEDIUM, "Part 4 section 4.1.7; FR.03", needs_status=True
)

_GRADES: Mapping[Fault, _Grade] = {
    Fault.NOT_JSON: _Grade(Basis.SHALL, Severity.LOW, "Part 4 section 4.1.2"),
    Fault.NOT_UTF8: _Grade(Basis.SHALL, Severity.LOW, "Part 4 section 4.1.2; RFC 6455 section 8.1"),
    Fault.NOT_ARRAY: _Grade(Basis.SHALL, Severity.MEDIUM, "Part 4 section 4.2.1"),
    Fault.ARITY: _Grade(Basis.SHALL, Severity.LOW, "Part 4 section 4.2.1"),
    Fault.ID_EMPTY: _lenient("Part 4 section 4.1.4"),
    Fault.ID_IN_USE: replace(_lenient("Part 4 section 4.1.4"), severity=Severity.INFO),
    Fault.TYPE_UNSUPPORTED: _Grade(Basis.SHALL, Severity.LOW, "Part 4 section 4.4"),
    Fault.ACTION_NOT_STRING: _Grade(Basis.SHALL, Severity.MEDIUM, "Part 4 section 4.2.1"),
    Fault.ACTION_UNKNOWN: _Grade(Basis.SHALL, Severity.MEDIUM, "Part 4 sections 4.1.7 and 4.3"),
    Fault.ACTION_UNSUPPORTED: _Grade(
        Basis.SHALL, Severity.LOW, "Part 4 section 4.3", needs_status=True
    ),
    Fault.ACTION_CASE: _Grade(Basis.SHALL, Severity.LOW, "Part 4 section 4.1.6"),
    Fault.ACTION_DIRECTION: _Grade(Basis.SHALL, Severity.MEDIUM, "Part 4 section 4.3"),
    Fault.PAYLOAD_NOT_OBJECT: _BROKEN_SCHEMA,
    Fault.MISSING: _BROKEN_SCHEMA,
    Fault.EXTRA: _lenient("Part 4 section 4.1.2"),
    Fault.TYPE: _BROKEN_SCHEMA,
    Fault.VALUE: _BROKEN_SCHEMA,
    Fault.OCCURRENCE: _BROKEN_SCHEMA,
    Fault.DATE_TIME: _lenient("Part 2 section 2.1.4", needs_status=True),
    Fault.IDENTIFIER: _lenient("Part 2 section 2.1.4", needs_status=True),
    Fault.PRIMITIVE: _lenient("Part 2 section 2.1.4", needs_status=True),
    Fault.DEVICE_MODEL: _Grade(Basis.SHALL, Severity.MEDIUM, "B05; B06", needs_status=True),
    Fault.CERTIFICATE: _Grade(
        Basis.SHALL, Severity.MEDIUM, "A02.FR.07; L01.FR.02; M05.FR.07", needs_status=True
    ),
    Fault.BINARY: _lenient("Part 4 section 4.1.2"),
}
"""What accepting each fault means. Not here: messageIds that break a limit (O7), sizes, and answers to answers (O4)."""

_BY_TIER: Mapping[Tier, _Grade] = {
    Tier.JSON: _GRADES[Fault.NOT_JSON],
    Tier.RPC: _GRADES[Fault.ARITY],
    Tier.SCHEMA: _BROKEN_SCHEMA,
    Tier.PRIMITIVE: _GRADES[Fault.PRIMITIVE],
    Tier.MODEL: _GRADES[Fault.DEVICE_MODEL],
}
"""For rejections that name no fault, and above the schema, where the kind of fault matters less than the tier."""


@oracle("O8", name="accept-invalid", clause="Part 4 section 4.1.7; FR.03", cwe="CWE-20")
def accept_invalid(obs: Observation) -> Iterator[Violation]:
    """What is known to be broken is not accepted.

    A message that breaks its schema, its envelope or the device model must not be acted upon; a status such as
    Accepted, or a CALLRESULT that has no status, says that it was. A CALLRESULT with a refusing status shows a lenient
    parser only, and is a remark, except about a value that no schema forbids, such as an odd identifier or something
    that is no certificate: there it is right. So is all of it about an action that the target's PICS file denies.
    Undefined extra members, odd dates, and rules of Part 2 that no schema
    holds are remarks when they are accepted.

    Seen: a truth value that was no truth value, taken and stored as false
    (https://github.com/EVerest/EVerest/commit/be0dfe4); identifiers with characters that none may have
    (https://github.com/citrineos/citrineos-core/commit/7723334).

    Fix: validate every CALL against the published schema before anything else sees it, then check values against the
    device model.
    """
    expectation = obs.case.expectation
    if expectation.stance is not Stance.REJECT or expectation.disputed:
        return
    reply = first_answer(obs)
    if reply is None or reply.kind is not FrameKind.CALLRESULT:
        return
    fault = expectation.fault
    if fault is None or expectation.tier >= Tier.PRIMITIVE:
        grade: _Grade | None = _BY_TIER[expectation.tier]
    else:
        grade = _GRADES.get(fault)
    if grade is None or _allowed(obs):
        return
    yield from _accepted(obs, reply, grade, fault.value if fault else expectation.tier.name.lower())


def _allowed(obs: Observation) -> bool:
    match obs.case.expectation.fault:
        case Fault.ID_IN_USE:
            return obs.facts.edition != "ed3"  # Errata 2024-09 let a retry repeat its messageId.
        case Fault.ACTION_UNSUPPORTED:
            return not unsupported(obs)
        case _:
            return False


def _accepted(obs: Observation, reply: Heard, grade: _Grade, what: str) -> Iterator[Violation]:
    if grade.needs_status and not _acted_upon(obs, reply):
        # What no schema holds may be refused by status: M05.FR.07 and A02.FR.07 demand it of certificates.
        if obs.case.expectation.tier < Tier.PRIMITIVE and not unsupported(obs):
            text = f"{what}: processed, and refused by status only; a lenient parser"
            yield violation(
                "O8",
                Basis.HARDENING,
                Severity.INFO if grade.remark else Severity.LOW,
                f"{what} refused by status",
                text,
                clause=grade.clause,
                remark=True,
            )
        return
    remark = grade.remark or _usual_lenience(obs) or denied(obs)
    yield violation(
        "O8",
        Basis.HARDENING if remark else grade.basis,
        min(grade.severity, Severity.LOW) if remark else grade.severity,
        f"{what} accepted",
        f"{what}: answered with a CALLRESULT as if it were right",
        clause=grade.clause,
        remark=remark,
    )


def _acted_upon(obs: Observation, reply: Heard) -> bool:
    accepted = accepts(obs, reply.payload)
    if accepted is None:
        # A response without a status shows that a broken message was served; about a bad value it shows nothing.
        return obs.case.expectation.tier is not Tier.MODEL
    return accepted


def _usual_lenience(obs: Observation) -> bool:
    """True for deviations that most implementations share and that do no harm by themselves."""
    match obs.case.expectation.fault:
        case Fault.NOT_JSON:
            return _json_extension(obs)
        case Fault.ARITY:
            return len(said_items(obs)) > 4
        case Fault.TYPE_UNSUPPORTED:
            return _reads_as_two(said_items(obs)[:1])
        case Fault.PAYLOAD_NOT_OBJECT:
            return said_items(obs)[3:4] == (None,) and _may_be_empty(obs)
        case _:
            return False


def _json_extension(obs: Observation) -> bool:
    # RFC 8259 section 9: a parser may accept extensions, such as NaN, odd numbers, or control characters in strings.
    if any(m.keyword in ("number", "string", "member") for m in obs.case.mutations):
        return True
    try:
        json.loads(obs.said[-1] if obs.said else "", strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _reads_as_two(first: tuple[JsonValue, ...]) -> bool:
    match first:
        case ("2",):
            return True
        case (float() as number,):
            return 2 <= number < 3
        case _:
            return False


def _may_be_empty(obs: Observation) -> bool:
    known = version(obs.case.version)
    action = obs.case.action
    return action in known.actions and not known.raw_schema(action, Kind.REQUEST).get("required")


@oracle("O9", name="reject-valid", clause="FR.02; Part 4 sections 4.1.7 and 4.2.3", cwe="CWE-573")
def reject_valid(obs: Observation) -> Iterator[Violation]:
    """What is valid in every respect is not refused as malformed.

    A CALL that the schema, Part 2 and the state model allow, of an action that the target supports and within the
    limits it declares, may be refused by a status but not by a CALLERROR about its form. InternalError is a remark:
    the receiver says itself that something broke. So is a refusal as unsupported of what the target claims to support:
    one of the two is wrong, and it may be the claim. So is a whole number written as 1.0 that is refused: Draft 6, which
    the schemas name, counts it as an integer, and readers of Draft 4 do not. So is a message about which only the state of
    the receiver could have a doubt, and whose form is said to be wrong.

    Seen: identifiers with a hyphen, refused by a pattern that was escaped twice
    (https://github.com/citrineos/citrineos-core/commit/857bf61); limits such as 8.1, refused by arithmetic in
    binary.

    Fix: validate against the published schema rather than a hand-written subset; compare numbers as decimals.
    """
    yield from _whole_refused(obs)
    expectation = obs.case.expectation
    if expectation.stance is not Stance.ACCEPT or obs.case.position is not Position.CALL:
        return
    reply = obs.replies[0] if obs.replies else None
    if reply is None or expectation.disputed or expectation.tier < Tier.PRIMITIVE:
        return
    if expectation.tier is Tier.MODEL:
        yield from _broken_claim(obs, reply)
    if reply.kind is not FrameKind.CALLERROR or unsupported(obs) or _over_limits(obs):
        return
    code = reply.error_code
    if expectation.tier is not Tier.MODEL:
        yield from _form_blamed(code)
    elif code == "InternalError":
        text = "a valid CALL made the target report an internal error"
        yield violation("O9", Basis.HARDENING, Severity.LOW, "InternalError", text, remark=True)
    elif isinstance(code, str) and code in _FORMAT_CODES:
        text = f"a valid CALL was refused as malformed with {code}"
        yield violation("O9", Basis.SHALL, Severity.MEDIUM, f"valid refused with {code}", text)


def _form_blamed(code: JsonValue) -> Iterator[Violation]:
    """Other codes may stand for a rule of Part 2 that couples fields."""
    if code in ("FormatViolation", "TypeConstraintViolation"):
        text = f"a CALL that its schema and data types allow was refused with {code}"
        symptom = f"form blamed with {code}"
        yield violation("O9", Basis.HARDENING, Severity.LOW, symptom, text, remark=True)


def _whole_refused(obs: Observation) -> Iterator[Violation]:
    mutated = [(m.keyword, m.operator) for m in obs.case.mutations]
    if mutated != [("type", "integral-float")] or obs.case.position is not Position.CALL:
        return
    reply = obs.replies[0] if obs.replies else None
    if reply is not None and reply.error_code in _FORMAT_CODES and not unsupported(obs):
        text = (
            f"an integer that is written with a fraction of zero is refused with {reply.error_code}"
        )
        yield violation("O9", Basis.HARDENING, Severity.LOW, "1.0 refused", text, remark=True)


def _broken_claim(obs: Observation, reply: Heard) -> Iterator[Violation]:
    """Whether the target refuses as unsupported what it claims to support."""
    claimed = obs.case.action
    if reply.kind is FrameKind.CALLERROR:
        said = reply.error_code
    else:
        claimed, said = f"{claimed}/{_one_thing(obs)}", text_of(reply.payload, "status")
    if said in ("NotImplemented", "NotSupported") and claimed in obs.facts.declared:
        text = f"{claimed} is claimed to be supported, and refused with {said}"
        symptom = f"claimed, but {said}"
        yield violation("O9", Basis.HARDENING, Severity.LOW, symptom, text, remark=True)


def _one_thing(obs: Observation) -> str:
    """What a TriggerMessage or GetBaseReport asks for; "" for other messages."""
    items = said_items(obs)
    payload = items[3] if len(items) > 3 else None
    return text_of(payload, "requestedMessage") or text_of(payload, "reportBase")


def _over_limits(obs: Observation) -> bool:
    """True when the message exceeds what the target takes at once (B06.FR.16, B06.FR.17) or may be too heavy."""
    action, facts = obs.case.action, obs.facts
    if obs.case.heavy:
        return True
    most_bytes = facts.bytes_per_message.get(action)
    if most_bytes is not None and _said_bytes(obs) > most_bytes:
        return True
    most_items = facts.items_per_message.get(action)
    return most_items is not None and _most_items(said_items(obs)) > most_items


def _said_bytes(obs: Observation) -> int:
    return len(obs.said[-1].encode("utf-8", "surrogatepass")) if obs.said else 0


def _most_items(items: tuple[JsonValue, ...]) -> int:
    payload = items[3] if len(items) > 3 else None
    if not isinstance(payload, dict):
        return 0
    return max((len(v) for v in payload.values() if isinstance(v, list)), default=0)
