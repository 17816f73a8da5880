"""The sentences that terminal and reports share: who was attacked, what an oracle is called, why it is severe.

Knows the records; must not know where the words are shown. What comes from a target is returned made safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fuzz.records import (
    Basis,
    Case,
    Finding,
    FindingStatus,
    Side,
    TargetFacts,
    TlsStep,
    Violation,
)
from fuzz.report.safe import safe
from strategies.labels import Channel, Fault, Position, Stance

HANDSHAKE = "handshake"
NOT_A_CERTIFICATION = "This is not an OCA certification result."

_SIDES = {Side.STATION: "Charging Station", Side.CSMS: "CSMS"}

_REASONS = {
    Basis.STOPPED_SERVING: "the target stopped serving a peer that did nothing wrong afterwards",
    Basis.LEAK: "the target gave away what it should keep to itself",
    Basis.SHALL: "the specification says SHALL here",
    Basis.SCHEMA: "the message does not fit the published schema",
    Basis.HARDENING: "no rule is broken, but an attacker gains from it",
}

_BASES = {
    Basis.STOPPED_SERVING: "stopped serving",
    Basis.LEAK: "leak",
    Basis.SHALL: "a SHALL of the specification is broken",
    Basis.SCHEMA: "the published schema is broken",
    Basis.HARDENING: "hardening: no rule is broken",
}

_FAULTS = {
    Fault.NOT_JSON: "it is not JSON",
    Fault.NOT_UTF8: "it is not UTF-8",
    Fault.NOT_ARRAY: "it is not a JSON array",
    Fault.ARITY: "the array has the wrong number of elements",
    Fault.ID_TOO_LONG: "the messageId is longer than 36 characters",
    Fault.ID_NOT_STRING: "the messageId is not a string",
    Fault.ID_IN_USE: "the messageId is in use already",
    Fault.ID_EMPTY: "the messageId is empty",
    Fault.TYPE_UNSUPPORTED: "the MessageTypeId is none of OCPP",
    Fault.UNSOLICITED: "nothing was asked that it could answer",
    Fault.ACTION_NOT_STRING: "the action is not a string",
    Fault.ACTION_UNKNOWN: "the action does not exist",
    Fault.ACTION_UNSUPPORTED: "the target does not support the action",
    Fault.ACTION_CASE: "the action is spelt in the wrong case",
    Fault.ACTION_DIRECTION: "the action goes the other way",
    Fault.PAYLOAD_NOT_OBJECT: "the payload is not an object",
    Fault.MISSING: "a required member is missing",
    Fault.EXTRA: "it has a member that the schema does not know",
    Fault.TYPE: "a value has the wrong type",
    Fault.VALUE: "a value is outside of what the schema allows",
    Fault.OCCURRENCE: "a list has too few or too many items",
    Fault.DATE_TIME: "a value is not a date-time",
    Fault.IDENTIFIER: "a value is not an identifierString",
    Fault.PRIMITIVE: "a value breaks the primitive types of Part 2",
    Fault.DEVICE_MODEL: "the device model has no such thing",
    Fault.CERTIFICATE: "the certificate is not one that may be taken",
    Fault.BINARY: "it is a binary WebSocket message",
    Fault.FRAME: "its frames break RFC 6455",
    Fault.HEAVY: "it is very large or deeply nested",
}


def attacked(facts: TargetFacts) -> str:
    """Who was attacked, in one line: the first of every report (design 2.8)."""
    who = " ".join(safe(p, 60) for p in (facts.vendor, facts.model) if p)
    parts = [
        _SIDES[facts.side] + (f" {who}" if who else ""),
        f"firmware {safe(facts.firmware, 60)}" if facts.firmware else "",
        f"identity {safe(facts.identity, 60)}" if facts.identity else "",
        f"at {safe(facts.url, 200)}" if facts.url else "",
        f"security profile {facts.security_profile}",
        f"OCPP {facts.version} edition {facts.edition}",
    ]
    return ", ".join(p for p in parts if p)


def reached_of(only: Sequence[str] = (), exclude: Sequence[str] = ()) -> str:
    """What a campaign's counts are out of: all that the target supports, or what is left of it by `--only` and `--exclude`."""
    limits = (("--only", only), ("--exclude", exclude))
    flags = " ".join(f"{flag} {','.join(actions)}" for flag, actions in limits if actions)
    left = f"{flags} leaves of what " if flags else ""
    return f"Reached of what {left}the target supports"


def oracle_words(violation: Violation) -> str:
    """Words first, id in brackets: `unanswered-call (O4)`."""
    return f"{violation.name} ({violation.oracle})"


def basis_words(violation: Violation) -> str:
    """What a violation rests on."""
    return _BASES[violation.basis]


def sentence(text: str) -> str:
    """A violation's text as a sentence of its own, in the target's strings as they are."""
    first = text.partition(" ")[0]
    # A name of the protocol, such as errorDescription, stays as it is spelt.
    begun = text[:1].upper() + text[1:] if first.islower() else text
    return begun + ("" if begun.endswith(".") else ".")


def severity_reason(violation: Violation) -> str:
    """Why a violation is as severe as it is."""
    return _REASONS[violation.basis]


def expected(finding: Finding) -> str:
    """What a correct peer would have done with the message, or with the handshake."""
    if any(isinstance(step, TlsStep) for step in finding.case.steps):
        return (
            "The first sentence above says what a correct peer does. The control beside it differs in the named fields "
            "alone, and shows that nothing else was in the way."
        )
    expectation = finding.case.expectation
    if finding.case.position in _ANSWERS:
        return _expected_of_answer(finding.case.expectation.stance)
    match expectation.stance:
        case Stance.ACCEPT:
            does = "The message is valid. A correct target serves it"
        case Stance.REJECT if expectation.fault is not None:
            does = (
                f"The message is wrong: {_FAULTS[expectation.fault]}. A correct target refuses it"
            )
        case Stance.REJECT:
            does = "The message is wrong. A correct target refuses it"
        case Stance.UNSPECIFIED:
            does = "No rule says what to do with this message. A correct target copes with it"
    return f"{does}, answers at most once and in the right form, and goes on serving."


_ANSWERS = (Position.CALLRESULT, Position.CALLERROR)


def _expected_of_answer(stance: Stance) -> str:
    """What becomes of an answer to a CALL of the target."""
    does = {
        Stance.ACCEPT: "is valid. A correct target takes it",
        Stance.REJECT: "is wrong. A correct target takes its CALL for failed",
        Stance.UNSPECIFIED: "may be right or wrong. A correct target copes with it",
    }[stance]
    return (
        f"The answer to the target's own CALL {does}, answers nothing itself, and goes on serving."
    )


def position_words(case: Case) -> str:
    """Where the fault stands: in which kind of message, or in the handshake, where nothing is said yet."""
    if any(mutation.channel is Channel.HANDSHAKE for mutation in case.mutations):
        return HANDSHAKE
    return case.position.value.upper()


def alterations(case: Case, *, values: bool = True) -> Iterator[str]:
    """What is wrong with a case's message, one line an alteration, in the target's strings and ours alike."""
    for mutation in case.mutations:
        changed = values and (mutation.before or mutation.after)
        change = f" {mutation.before} became {mutation.after}" if changed else ""
        below = mutation.channel in (Channel.FRAME, Channel.HANDSHAKE)
        place = mutation.pointer or ("" if below else "the whole")
        where = f"{mutation.channel.value} {place}".rstrip()
        yield f"{where}: {mutation.keyword}, {mutation.operator}{change.replace('  ', ' ')}"


def message_words(case: Case) -> str:
    """Which message it is and what is wrong with it, made safe."""
    wrong = "".join(f" ({safe(a, 120)})" for a in alterations(case, values=False))
    return f"{safe(case.action, 50)} {position_words(case)}{wrong}".lstrip()


def repeats(finding: Finding) -> str:
    """How sure we are: k of n, and the control beside it."""
    if finding.status is FindingStatus.CANDIDATE:
        return "seen once, not repeated yet"
    control = (
        f"control {finding.control_hits} of {finding.control_tries}"
        if finding.control_tries
        else "no control"
    )
    seen = f"reproduced {finding.confirmed} of {finding.tries}, {control}"
    return seen if finding.status is FindingStatus.CONFIRMED else f"{seen}: not confirmed"


def goes_on(finding: Finding) -> str:
    """That a case may be made smaller, why, and how; "" when nothing is left to try."""
    if not finding.not_minimal or finding.status is not FindingStatus.CONFIRMED:
        return ""
    return f"not minimal yet: {finding.not_minimal}; `ocppfuzz shrink` goes on"


def folder_name(finding: Finding) -> str:
    """The folder of a finding below `findings/`."""
    return f"{finding.violation.oracle}-{finding.fingerprint[:8]}"
