"""Is what the target says well-formed? Payloads against their schemas (O6), envelopes against OCPP-J (O7).

Knows frames and validators; must not care whether the answer is the right one. No symptom or text ever holds what the
target said: only names that a published schema or table knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import jsonschema_rs

from fuzz.ocppj.history import Deed, Happening
from fuzz.ocppj.lenient import hear
from fuzz.oracles.reactions import REACTIONS
from fuzz.oracles.reading import ANSWERS, id_in_question, mentioned, scene
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, FrameKind, Heard, Observation, Severity, Side, Violation
from strategies.labels import Fault, JsonValue, Kind, Position, Sender, Stance, Tier
from strategies.version import Version, version

_READABLE = 1_500
"""Longer garbage may be JSON that only our own reader gives up on: depth, numbers of thousands of digits."""

_ACTION_FAULTS = frozenset(
    {
        Fault.ACTION_NOT_STRING,
        Fault.ACTION_UNKNOWN,
        Fault.ACTION_CASE,
        Fault.ACTION_DIRECTION,
    }
)
_UNREADABLE = ("-1", "", None)
_SENDER = {Side.STATION: Sender.STATION, Side.CSMS: Sender.CSMS}


@oracle("O6", name="invalid-payload", clause="Part 3; Part 4 section 4.1.2", cwe="CWE-573")
def invalid_payload(obs: Observation) -> Iterator[Violation]:
    """Every payload that the target sends is valid by the published schema.

    Responses are judged by the schema of the case's action, the target's own CALLs by that of theirs; an action that
    OCPP does not have, or that only the other end may send, is judged here as well. A malformed date-time is a remark,
    since common validators do not check it. Content of customData is free.

    Seen: answers cut off before their last bracket, and empty answers to a request that was too large for a buffer,
    both in stations in the field.

    Fix: validate what is sent, at least in tests; most of these are null for an absent member.
    """
    known = version(obs.case.version)
    for reply in obs.replies:
        if reply.kind is FrameKind.CALLRESULT:
            yield from _response(obs, reply, known)
    for call in obs.calls:
        yield from _request(obs, call, known)
    yield from _told_in_scene(obs, known)


def _told_in_scene(obs: Observation, known: Version) -> Iterator[Violation]:
    """The responses to the other CALLs of a scene, each action and fault once."""
    happenings = scene(obs)
    if happenings is None or obs.case.expectation.fault in _ACTION_FAULTS:
        return
    told: set[str] = set()
    for h in happenings:
        if h.deed is Deed.TOLD and _is_result(h):
            if h.action not in known.actions or h.message_id == obs.call_id:
                continue
            for found in _schema(h.payload, h.action, Kind.RESPONSE, known):
                if found.symptom not in told:
                    told.add(found.symptom)
                    yield found


def _is_result(told: Happening) -> bool:
    if isinstance(told.payload, dict):
        return not told.error_code
    answer = hear(told.text, told.at_s)
    return answer.kind is FrameKind.CALLRESULT and len(answer.items) == 3


def _response(obs: Observation, reply: Heard, known: Version) -> Iterator[Violation]:
    case = obs.case
    if case.position is not Position.CALL or reply.message_id != obs.call_id:
        return
    if len(reply.items) != 3 or case.expectation.fault in _ACTION_FAULTS:
        return
    if case.action in known.actions:
        yield from _schema(reply.items[2], case.action, Kind.RESPONSE, known)


def _request(obs: Observation, call: Heard, known: Version) -> Iterator[Violation]:
    items = call.items
    if len(items) != 4:
        return
    action = items[2]
    if not isinstance(action, str):
        return
    sender = known.actions.get(action)
    if sender is None:
        text = "the target sent a CALL with an action that OCPP 2.0.1 does not have"
        yield violation("O6", Basis.SCHEMA, Severity.LOW, "CALL of unknown action", text)
    elif sender not in (_SENDER[obs.case.side], Sender.BOTH):
        text = f"the target sent {action}, which only the other end sends"
        yield violation("O6", Basis.SCHEMA, Severity.LOW, f"{action} in the wrong direction", text)
    else:
        yield from _schema(items[3], action, Kind.REQUEST, known)


def _schema(payload: JsonValue, action: str, kind: Kind, known: Version) -> Iterator[Violation]:
    validator = known.validator(action, kind)
    try:
        if validator.is_valid(payload):
            return
        errors = sorted(_site(e) for e in validator.iter_errors(payload))
    except (ValueError, TypeError, RecursionError):
        return  # Lone surrogates and great depth: nothing that a JSON Schema speaks about.
    # One site stands for the payload; a finding a payload is enough, and the first by name is always the same.
    format_only = all(keyword == "format" for _, keyword in errors)
    pointer, keyword = next(e for e in errors if format_only or e[1] != "format")
    where = f"{action} {kind} {pointer or '/'} {keyword}"
    yield violation(
        "O6",
        Basis.HARDENING if format_only else Basis.SCHEMA,
        Severity.LOW if format_only else Severity.MEDIUM,
        where,
        f"the {kind} of {action} breaks its schema at {pointer or 'the top'}: {keyword}",
        remark=format_only,
    )


def _site(error: jsonschema_rs.ValidationError) -> tuple[str, str]:
    steps = ("*" if isinstance(step, int) else step for step in error.instance_path)
    return "".join(f"/{s}" for s in steps), error.kind.name


@oracle("O7", name="rpc-shape", clause="Part 4 sections 4.1.4 and 4.2", cwe="CWE-573")
def rpc_shape(obs: Observation) -> Iterator[Violation]:
    """Every message of the target has the shape of OCPP-J, and every answer the messageId of its CALL.

    CALL, CALLRESULT and CALLERROR are arrays of 4, 3 and 5 elements; a messageId is a string of at most 36 characters,
    repeated exactly in the answer and "-1" when it could not be read; no other CALL of one sender has the same, on whatever
    connection, unless it is the same again; the error code is one of twelve, the description at most 255 characters, the
    details an object. Remarks: spellings of OCPP 1.6, repeating a messageId that breaks the rules, null or "" in place of
    "-1", binary messages.

    Seen: error codes with the spelling of another version, details as a string where an object belongs, messageIds
    of any kind repeated; an unreadable message that was answered under no id
    (https://github.com/EVerest/libocpp/commit/fb391b4).

    Fix: build all messages in one place from typed parts, so that no path can forget one.
    """
    for reply in obs.replies:
        yield from _frame(reply, obs)
        if obs.case.position is Position.CALL:
            yield from _echo(reply, obs)
    for call in obs.calls:
        yield from _frame(call, obs)
    for stray in obs.strays:
        yield from _stray(stray, obs)
    # A CSMS may be several senders: one for each station that it talks to.
    if obs.case.side is Side.STATION and _uses_an_id_again(obs.calls):
        yield id_used_again()


def _uses_an_id_again(calls: Iterable[Heard]) -> bool:
    """True when two different CALLs have one messageId, be it on two connections; errata 2024-09 let a retry keep its own."""
    first: dict[str, JsonValue] = {}
    for call in calls:
        id_, said = call.message_id, _as_said(call)
        if isinstance(id_, str) and said is not None and first.setdefault(id_, said) != said:
            return True
    return False


def _as_said(call: Heard) -> JsonValue:
    """What tells a CALL from another; it is the same again when it is made offline or resent. None where it has no shape."""
    if len(call.items) != 4 or not isinstance(call.action, str):
        return None
    payload = call.payload
    if not isinstance(payload, dict):
        return [call.action, payload]
    if call.action == "TransactionEvent":
        # The meter values and the rest of one event may be put together anew.
        return [call.action, payload.get("transactionInfo"), payload.get("seqNo")]
    return [call.action, {k: v for k, v in payload.items() if k != "timestamp"}]


def id_used_again() -> Violation:
    """What is said of a CALL whose messageId an earlier, different one of the same sender had."""
    text = "a CALL has the messageId of an earlier, different CALL of the same sender"
    return _broken("messageId used again", text)


def _frame(heard: Heard, obs: Observation) -> Iterator[Violation]:
    if heard.binary:
        yield _remark("binary message", "a message came as binary; OCPP-J messages are text")
    match heard.kind:
        case FrameKind.CALL:
            yield from _call(heard, obs)
        case FrameKind.CALLRESULT:
            if len(heard.items) != 3:
                yield _broken("CALLRESULT arity", "a CALLRESULT has exactly three elements")
        case FrameKind.CALLERROR:
            yield from _error(heard, obs)
        case _:
            yield from _no_message(heard)


def _call(heard: Heard, obs: Observation) -> Iterator[Violation]:
    if len(heard.items) != 4:
        yield _broken("CALL arity", "a CALL has exactly four elements")
        return
    longest = version(obs.case.version).max_message_id
    if not isinstance(heard.message_id, str):
        yield _broken("CALL messageId type", "the messageId of a CALL is a string")
    elif len(heard.message_id) > longest:
        yield _broken("CALL messageId length", f"a messageId has at most {longest} characters")
    if not isinstance(heard.action, str):
        yield _broken("CALL action type", "the action of a CALL is a string")


def _error(heard: Heard, obs: Observation) -> Iterator[Violation]:
    if len(heard.items) != 5:
        yield _broken("CALLERROR arity", "a CALLERROR has exactly five elements")
        return
    _, _, code, description, details = heard.items
    known = version(obs.case.version)
    if not isinstance(code, str) or code not in known.error_codes:
        yield _wrong_code(code, known)
    if not isinstance(description, str):
        yield _broken("errorDescription type", 'errorDescription is a string, "" when empty')
    elif len(description) > known.max_error_description:
        text = f"errorDescription has at most {known.max_error_description} characters"
        yield _broken("errorDescription length", text)
    if not isinstance(details, dict):
        yield _broken("errorDetails type", "errorDetails is an object, {} when empty")


def _wrong_code(code: JsonValue, known: Version) -> Violation:
    if isinstance(code, str) and code in known.old_error_codes:
        return _remark("1.6 spelling", f"the error code {code} is spelled as in OCPP 1.6")
    return _broken("unknown error code", f"the error code is none of OCPP {known.name}")


def _no_message(heard: Heard) -> Iterator[Violation]:
    if heard.kind is FrameKind.OTHER:
        yield _broken("no OCPP-J message", "JSON that is no CALL, CALLRESULT or CALLERROR")
    elif len(heard.text) <= _READABLE:
        yield _broken("not JSON", "the target sent something that is not JSON")


def _stray(heard: Heard, obs: Observation) -> Iterator[Violation]:
    if heard.kind not in ANSWERS:
        yield from _frame(heard, obs)
    elif id_in_question(obs) and heard.message_id not in _UNREADABLE:
        yield _remark("messageId changed", "the odd messageId came back as another one")


def _echo(reply: Heard, obs: Observation) -> Iterator[Violation]:
    """Whether the answer has the messageId of the CALL, or may have another."""
    got, asked = reply.message_id, obs.call_id
    if isinstance(got, str) and got == asked:
        if (
            len(got) > version(obs.case.version).max_message_id
            and reply.kind is FrameKind.CALLRESULT
        ):
            yield _remark(
                "over-long messageId echoed", "a messageId of over 36 characters is served"
            )
    elif obs.case.expectation.fault is Fault.ID_NOT_STRING and not isinstance(got, str):
        yield _remark("non-string messageId echoed", "a messageId that is no string is repeated")
    elif _may_be_unreadable(obs):
        yield from _unreadable_echo(reply, obs)
    elif not mentioned(obs, got):
        yield _broken("other messageId", "the answer does not have the messageId of its CALL")


def _may_be_unreadable(obs: Observation) -> bool:
    expectation = obs.case.expectation
    if expectation.stance is not Stance.ACCEPT and expectation.tier is Tier.JSON:
        return True
    fault = expectation.fault
    return id_in_question(obs) or (fault is not None and REACTIONS[fault].any_id)


def _unreadable_echo(reply: Heard, obs: Observation) -> Iterator[Violation]:
    got = reply.message_id
    if got == version(obs.case.version).unreadable_id or mentioned(obs, got):
        return
    if got is None or got == "":
        yield _remark("no messageId", 'an unreadable message is answered with messageId "-1"')
    else:
        yield _remark("messageId changed", "the answer has another messageId than its CALL")


def _broken(symptom: str, text: str) -> Violation:
    return violation("O7", Basis.SHALL, Severity.LOW, symptom, text)


def _remark(symptom: str, text: str) -> Violation:
    return violation("O7", Basis.HARDENING, Severity.LOW, symptom, text, remark=True)
