"""Fakes that ship: small builders of observations and results, so that a test names only what it is about.

Knows the records; every default is a healthy target that answers properly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from fuzz.ocppj.lenient import hear
from fuzz.ocppj.payloads import validate_payload
from fuzz.oracles.registry import judge
from fuzz.policy.baseline import Known, accept
from fuzz.records import (
    Basis,
    Case,
    Close,
    Entry,
    Finding,
    FindingStatus,
    FrameKind,
    Heard,
    Observation,
    Preamble,
    Probes,
    ProcessEnd,
    Progress,
    SendText,
    Settle,
    Settled,
    Severity,
    Side,
    Step,
    Summary,
    TargetFacts,
    Violation,
    Who,
)
from fuzz.report.results import Check, Issue, Place, Results, Rule, Status
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonObject,
    JsonValue,
    Kind,
    Mutation,
    Position,
    Stance,
    Tier,
)
from strategies.moves import Answer, Ask, Move, flat
from strategies.version import version

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

CALL_ID = "c1"
"""The messageId of a built case's CALL."""

VALID = Expectation(Stance.ACCEPT, Tier.MODEL)
"""A message that is right in every respect."""


def rejected(tier: Tier, fault: Fault | None = None, *, disputed: str = "") -> Expectation:
    """A message that is broken at `tier`."""
    return Expectation(Stance.REJECT, tier, fault, disputed)


def mutation(
    pointer: str = "",
    keyword: str = "",
    operator: str = "",
    *,
    channel: Channel = Channel.PAYLOAD,
) -> Mutation:
    """An alteration of the payload, unless `channel` says otherwise."""
    return Mutation(channel, pointer, keyword, operator)


def case(
    expectation: Expectation = VALID,
    *,
    action: str = "ClearCache",
    side: Side = Side.STATION,
    position: Position = Position.CALL,
    preamble: Preamble = Preamble.BOOTED,
    mutations: Iterable[Mutation] = (),
    steps: Iterable[Step] = (),
    heavy: bool = False,
) -> Case:
    """A case of one CALL of `action` with an empty payload, unless `steps` are given."""
    text = f'[2,"{{call.id}}","{action}",{{}}]'
    return Case(
        id="testing",
        side=side,
        steps=tuple(steps) or (SendText((text,)),),
        expectation=expectation,
        action=action,
        position=position,
        preamble=preamble,
        mutations=tuple(mutations),
        heavy=heavy,
    )


def heard(message: JsonValue, *, at_s: float = 0.1) -> Heard:
    """The message as the target would send it: JSON of anything, or a string as the text itself."""
    return hear(message if isinstance(message, str) else json.dumps(message), at_s)


def result(payload: JsonValue = None, *, id_: JsonValue = CALL_ID) -> Heard:
    """A CALLRESULT; its payload is that of an accepted ClearCache unless given."""
    return heard([3, id_, {"status": "Accepted"} if payload is None else payload])


def error(code: JsonValue, *, id_: JsonValue = CALL_ID) -> Heard:
    """A well-formed CALLERROR."""
    return heard([4, id_, code, "", {}])


def observation(
    played: Case | Expectation = VALID,
    *,
    said: Iterable[str] | None = None,
    call_id: str | None = CALL_ID,
    replies: Iterable[Heard] | None = None,
    strays: Iterable[Heard] = (),
    calls: Iterable[Heard] = (),
    settled: Settled | None = None,
    close: Close | None = None,
    process: ProcessEnd | None = None,
    boots: int = 0,
    boot_reasons: Iterable[str] = (),
    restart_asked: bool = False,
    probes: Probes | None = None,
    inconclusive: str = "",
    supported: Iterable[str] | None = None,
    items_per_message: Mapping[str, int] | None = None,
    bytes_per_message: Mapping[str, int] | None = None,
    edition: str = "ed3",
) -> Observation:
    """What was seen of a case; by default one proper answer, or none where `replies` is empty."""
    whole = played if isinstance(played, Case) else case(played)
    answered = (result(),) if replies is None else tuple(replies)
    return Observation(
        case=whole,
        facts=TargetFacts(
            side=whole.side,
            edition=edition,
            supported=None if supported is None else frozenset(supported),
            items_per_message=items_per_message or {},
            bytes_per_message=bytes_per_message or {},
        ),
        said=(f'[2,"{CALL_ID}","{whole.action}",{{}}]',) if said is None else tuple(said),
        call_id=call_id,
        replies=answered,
        strays=tuple(strays),
        calls=tuple(calls),
        settled=settled or (Settled.ANSWERED if answered else Settled.BY_ORDER),
        close=close,
        process=process,
        boots=boots,
        boot_reasons=tuple(boot_reasons),
        restart_asked=restart_asked,
        probes=probes or Probes(),
        inconclusive=inconclusive,
    )


def spoken(obs: Observation, *, strict: bool = False, edition: str | None = None) -> list[str]:
    """What the oracles say, one line a violation: `O4 no answer`, `(remark)` behind it where it is one."""
    judged = judge(obs, strict=strict, edition=edition)
    return [f"{v.oracle} {v.symptom}{' (remark)' if v.remark else ''}" for v in judged]


# --- scenes -------------------------------------------------------------------------------------------------


def us(at_s: float, message: JsonValue) -> Entry:
    """The case said this: JSON of anything, or a string as the text itself."""
    return Entry(at_s, Who.US, "text", message if isinstance(message, str) else json.dumps(message))


def target(at_s: float, message: JsonValue) -> Entry:
    """The target said this."""
    return replace(us(at_s, message), who=Who.TARGET)


def voice(at_s: float, message: JsonValue) -> Entry:
    """Our proper voice said this."""
    return replace(us(at_s, message), who=Who.HARNESS)


def note(at_s: float, kind: str, text: str = "") -> Entry:
    """What is no message: `open`, `close`, `operator`, `process`, `note`."""
    return Entry(at_s, Who.HARNESS, kind, text)


def scene(
    *entries: Entry, played: Case | None = None, probes: Probes | None = None, **seen: object
) -> Observation:
    """What was seen of a scene with this transcript; what the target called is taken from it."""
    whole = played or case(Expectation(Stance.UNSPECIFIED, Tier.MODEL), action="", steps=[Settle()])
    calls = [hear(e.text, e.at_s) for e in entries if e.who is Who.TARGET and e.kind == "text"]
    made = observation(
        whole,
        said=(),
        call_id=None,
        replies=(),
        calls=[heard for heard in calls if heard.kind is FrameKind.CALL],
        settled=Settled.ANSWERED,
        probes=probes or Probes(same_connection=True),
    )
    return replace(made, entries=entries, **seen)  # type: ignore[arg-type]


# --- results ------------------------------------------------------------------------------------------------

HOSTILE = (
    "]]>",
    "\x00\x01\x1b[2J\x9b31m",
    "\ufffe\uffff",
    "\ud800 \udfff",
    "<script>alert(1)</script><!--",
    "&lt;&#0;&bogus;",
    "@everyone #1 www.example.com http://example.com me@example.com",
    "[x](javascript:alert(1)) ![y](//example.com/z.png) \\[z](//a)",
    "`` ``` `` ` | ~~~ $`x`$ {0}",
    "\u202egnp.exe\u2066 \u200b",
    "\r\n\n# heading\n\n- item\n\n<div>\n",
    "a" * 100_000,
)
"""What a target may say to gain power over whoever reads a report."""


def results(text: str = "it ended", *, accepted: str = "") -> Results:
    """A run with a check of each status, in which everything that a target can choose is `text`."""
    facts = TargetFacts(
        Side.STATION,
        url=text,
        identity=text,
        vendor=text,
        model=text,
        firmware=text,
        security_profile=2,
    )
    issue = Issue(
        fingerprint="1a2b3c4d5e6f7081",
        rule="O1",
        title=f"process-death (O1) on {text}",
        text=text,
        symptom=text,
        severity=Severity.CRITICAL,
        place=Place(f"findings/O1-1a2b3c4d/{text}", 3),
        replay=f"ocppfuzz replay {text}",
        basis="stopped-serving",
        clause="FR.03",
        cwe="CWE-248",
        attacker="reaches the port",
        vector="CVSS:3.1/AV:N",
        score=7.5,
        endangers=("TC_B_20",),
        certainty=text,
        folder=text,
        accepted=accepted,
        sent=text,
        wrong=text,
        expected=text,
    )
    checks = [
        Check("O1", "process-death", f"{status}: {text}", status, text, "call", text, 3, 0.5)
        for status in Status
    ]
    return Results(
        command="run",
        tool="ocppfuzz 0.1.0",
        facts=facts,
        exit_code=1,
        checks=tuple(
            replace(c, issues=(issue,)) if c.status is Status.FAILED else c for c in checks
        ),
        rules=(
            Rule("O1", "process-death", "It lives.", "It lives.\n\nFix it.", "FR.03", "CWE-248"),
        ),
        reason=text,
        began="2026-01-01T00:00:00.000Z",
        seconds=1.5,
        seed=7,
        notes=(text,),
        left_changed=(text,),
        details={"said": [text, {text: 1}]},
    )


# --- campaigns as they are shown --------------------------------------------------------------------------


def progress(coverage: Mapping[str, tuple[int, int]], *, current: str = "") -> Progress:
    """How far a campaign came after 12 seconds."""
    return Progress(
        phase="systematic",
        cases=1_234,
        elapsed_s=12.0,
        rate=345.6,
        findings=1,
        remarks=2,
        inconclusive=3,
        answers={"CALLRESULT": 900, "silence": 4},
        coverage=coverage,
        current=current,
    )


def summary(facts: TargetFacts) -> Summary:
    """A campaign of one case that found nothing."""
    return Summary(facts, 7, 1, 1.0, (), (), 0, {}, {}, (), (), 0)


def candidate(objection: Violation, facts: TargetFacts) -> Finding:
    """A finding that was seen once."""
    shown = case(rejected(Tier.SCHEMA), action="")
    return Finding("1a2b3c4d5e6f7081", objection, shown, shown, facts)


# --- findings and what a project accepts --------------------------------------------------------------------


def violation(
    oracle: str = "O4", symptom: str = "silence", severity: Severity = Severity.HIGH
) -> Violation:
    """An objection of an oracle; its name and text are made up."""
    name = f"name-of-{oracle}"
    return Violation(oracle, name, Basis.STOPPED_SERVING, severity, symptom, f"{symptom} was seen")


def finding(
    objection: Violation | None = None, shown: Case | None = None, *, fingerprint: str = "f" * 16
) -> Finding:
    """A confirmed finding, three of three."""
    shown = shown or case(mutations=[mutation("/a", "type", "null")])
    return Finding(
        fingerprint,
        objection or violation(),
        shown,
        shown,
        TargetFacts(Side.STATION, vendor="Vendor", model="Model", firmware="1.2", identity="CS-1"),
        FindingStatus.CONFIRMED,
        confirmed=3,
        tries=3,
    )


def accepted(found: Finding, *, expires: str = "", reason: str = "ticket 12") -> Known:
    """The entry of a baseline that accepts a finding since 2026-01-01."""
    entry = accept(
        found, reason=reason, today=date(2026, 1, 1), expires=expires, case="known/one.json"
    )
    return Known(entry, found.case)


# --- properties of your own ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """One CALL of a station, as `received` of a stand-in lists it."""

    action: str
    payload: JsonObject


class CallRefused(Exception):
    """A CALL was answered with a CALLERROR, or with something that is no answer (then `broken`)."""

    def __init__(self, action: str, code: str, *, broken: bool = False) -> None:
        how = "no proper answer" if broken else "refused"
        super().__init__(f"{action}: {how}, {code}")
        self.action, self.code, self.broken = action, code, broken


class CallUnanswered(Exception):
    """Nothing answered a CALL, or nothing was said that was waited for."""


def payloads(action: str, kind: Kind | str = Kind.REQUEST) -> SearchStrategy[JsonObject]:
    """Hypothesis strategy of payloads of one message that are right in every respect; `kind` is request or response.

    Raises:
        KeyError: OCPP 2.0.1 has no such action.
        ValueError: `kind` is neither.
    """
    from strategies.payloads import payloads as payloads_

    return payloads_(action, Kind(kind))


_SLOTS = {
    "time.now": "2026-01-01T00:00:00Z",
    "tx.id": "tx-1",
    "root.serial": "c990002",
    "csms.url": "ws://csms.test/ocpp",
    "canary.url": "http://127.0.0.1:1/ok/qwertz",
}


def malformed(moves: Sequence[Move]) -> list[str]:
    """The actions of the CALLs and answers among moves whose payloads break their schemas, once their slots are filled."""
    told: list[str] = []
    for move in flat(moves):
        if isinstance(move, Ask | Answer) and move.payload is not None:
            kind = Kind.REQUEST if isinstance(move, Ask) else Kind.RESPONSE
            text = json.dumps(move.payload)
            for slot, value in _SLOTS.items():
                text = text.replace(f"{{{slot}}}", value)
            if validate_payload(move.action, kind, json.loads(text), version()) is not None:
                told.append(move.action)
    return told
