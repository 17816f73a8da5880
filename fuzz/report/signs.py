"""By what plain facts a finding is known again without this tool, for its `repro.py`.

Knows findings, and what each oracle's symptom looks like on the wire; the ways of looking are those of `repro_script`.
Must not know how a script is written. What cannot be told by plain facts is told in one sentence instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from fuzz.ocppj.framed import written
from fuzz.ocppj.lenient import hear
from fuzz.oracles.leaks import FREE_TEXT, pattern_of
from fuzz.records import (
    Finding,
    FrameKind,
    Gauge,
    Heard,
    Operator,
    RepeatSteps,
    SendBytes,
    SendFrames,
    SendText,
    Step,
    TlsStep,
    Who,
)
from fuzz.report.repro_script import KEYWORDS, SHAPES, outcome, statuses
from strategies.labels import Channel, JsonObject, Kind
from strategies.version import version
from strategies.wsfaults import DEFLATE

Sign: TypeAlias = JsonObject

_ANSWERS = (FrameKind.CALLRESULT, FrameKind.CALLERROR)
_FOREIGN = re.compile(r"\{(secret|canary|csms|csr|root)\.")
_SITE = re.compile(r"(\w+) (request|response) (/\S*) (\w+)")

_NO_SCRIPT = {
    "O11": "whether the station's state allows what it did is read by a model of the whole conversation",
    "O13": "what must outlive a restart is read by a model of the whole conversation",
    "O14": "what happened twice is read by a model of the whole conversation",
    "O20": "the target's memory, descriptors and threads are measured from outside",
    "O21": "the target's processor time is measured from outside",
    "O22": "how much a message costs is counted over the whole conversation",
    "O24": "it needs the tool's catcher, to which the target connects",
    "O25": "which security events were due is read by a model of the whole conversation",
    "O27": "two targets are compared",
    "O30": "it stands in the target's own log",
    "O31": "whether energy may flow is read by a model of the whole conversation",
    "O36": "it needs the tool's catcher, to which the target connects",
    "O35": "which result belongs to which item is told by rules of names",
}


def sign_of(finding: Finding) -> Sign | str:
    """How the finding is known again: the members of a judge of `repro_script`, or why it cannot be, as a sentence."""
    why = _unplayable(finding)
    if why:
        return why
    oracle, symptom = finding.violation.oracle, finding.violation.symptom
    if oracle in _NO_SCRIPT:
        return _NO_SCRIPT[oracle]
    return _sign(finding, oracle, symptom) or f"{symptom!r} is judged by more than plain facts"


def _unplayable(finding: Finding) -> str:
    """What a script alone cannot do; "" when it can do everything."""
    case = finding.case
    for step in _flat(case.steps):
        match step:
            case TlsStep():
                return (
                    "it is a case of the TLS lab, which makes its certificates and handshakes anew"
                )
            case Operator():
                return "somebody, or a relay, has to do something at the target"
            case Gauge():
                return "what the target's process uses is measured from outside"
            case _:
                pass
        texts = "".join(p if isinstance(p, str) else p.unit for p in getattr(step, "text", ()))
        if found := _FOREIGN.search(texts):
            return f"its messages hold a {found[1]} that only the tool can fill in"
    if any(m.channel is Channel.FRAME and m.keyword == DEFLATE for m in case.mutations):
        return "its frames are compressed, which the script does not negotiate"
    return ""


def _sign(finding: Finding, oracle: str, symptom: str) -> Sign | None:
    match oracle:
        case "O1":
            return {"see": "died"}
        case "O2":
            return {"see": "reboots"}
        case "O3" | "O5" | "O28" | "O29" | "O33" | "O34":
            return _by_connection(finding, oracle, symptom)
        case "O4":
            return _by_count(finding, symptom)
        case "O6":
            return _site(symptom)
        case "O7":
            return {"see": "shape", "what": symptom} if symptom in SHAPES else None
        case "O8" | "O9" | "O10":
            return _reply(finding)
        case "O12" | "O26":
            outcomes: list[Any] = [outcome(list(h.items)) for h in answers_to_case(finding)]
            return {"see": "trace", "outcomes": outcomes} if outcomes else None
        case "O23":
            pattern = pattern_of(symptom)
            return {
                "see": "text",
                "pattern": pattern,
                "names": [*FREE_TEXT],
                "echo": symptom == "escape sequence echoed" or symptom.startswith("control"),
            } if pattern else None  # fmt: skip
        case _:
            return None


def _by_connection(finding: Finding, oracle: str, symptom: str) -> Sign | None:
    if symptom == "not back":
        return {"see": "away"}
    if oracle == "O34":
        return {"see": "taken", "how": symptom}
    if oracle == "O33":
        return {"see": "served"}
    if found := re.fullmatch(r"close (\d{4})", symptom):
        return {"see": "close", "code": int(found[1])}
    ping = written(finding.case.steps).ping
    if symptom in ("no pong", "pong without its data") and ping is not None:
        return {"see": "no pong", "data": ping.hex()}
    ways = {
        "CALL unserved": "unserved",
        "two CALLs at once": "overlap",
        "crossing CALL unanswered": "unserved",
    }
    return {"see": ways[symptom]} if symptom in ways else None


def _by_count(finding: Finding, symptom: str) -> Sign | None:
    match symptom:
        case "no answer":
            return {"see": "silence"}
        case "answered twice":
            said = [s for s in _flat(finding.case.steps) if _is_said(s)]
            return {"see": "twice", "times": max(1, len(said))}
        case "stray answer":
            return {"see": "stray"}
        case "answer to an answer":
            return {"see": "reply to answer"}
        case _:
            return None


def _is_said(step: Step) -> bool:
    return isinstance(step, SendText | SendBytes | SendFrames)


def _flat(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, RepeatSteps):
            yield from _flat(step.steps)
        else:
            yield step


# --- what the target answered -----------------------------------------------------------------------------


def _reply(finding: Finding) -> Sign | None:
    """The answer that was wrong, as the transcript has it."""
    told = answers_to_case(finding)
    if not told:
        return None
    answer = told[0]
    if answer.kind is FrameKind.CALLERROR:
        return {"see": "reply", "type": 4, "code": answer.error_code}
    return {"see": "reply", "type": 3, "statuses": [*statuses(answer.payload)]}


def answers_to_case(finding: Finding) -> list[Heard]:
    """The target's answers to what the case itself said, in order; those to proper CALLs of ours are left out."""
    proper, told, said = set(), [], False
    for entry in finding.entries:
        if entry.kind not in ("text", "bytes", "frames"):
            continue
        if entry.who is Who.HARNESS:
            heard = hear(entry.text, 0.0)
            proper.add(str(heard.message_id) if heard.kind is FrameKind.CALL else "")
        elif entry.who is Who.US:
            said = True
        elif said and entry.kind == "text":
            heard = hear(entry.text, 0.0)
            # Who echoes a messageId echoes it as it came: it may be a list.
            ours = isinstance(heard.message_id, str) and heard.message_id in proper
            if heard.kind in _ANSWERS and not ours:
                told.append(heard)
    return told


# --- where a payload breaks its schema ----------------------------------------------------------------------


def _site(symptom: str) -> Sign | None:
    """The rule of the published schema at the place that a symptom of O6 names."""
    found = _SITE.fullmatch(symptom)
    if found is None or found[4] not in KEYWORDS:
        return None
    action, kind, pointer, keyword = found.groups()
    pointer = "" if pointer == "/" else pointer
    try:
        schema = version().raw_schema(action, Kind(kind))
    except KeyError:
        return None
    at = _walk(schema, pointer)
    limit = at.get(keyword)
    if keyword == "additionalProperties":
        limit = sorted(at.get("properties", {}))
    if limit is None:
        return None
    return {
        "see": "site",
        "action": action,
        "kind": kind,
        "pointer": pointer,
        "keyword": keyword,
        "limit": limit,
    }


def _walk(schema: dict[str, Any], pointer: str) -> dict[str, Any]:
    """The part of a schema that speaks of what a pointer leads to; {} where it says nothing."""
    at: dict[str, Any] = schema
    for name in pointer.split("/")[1:]:
        at = at.get("items", {}) if name == "*" else at.get("properties", {}).get(name, {})
        reference = at.get("$ref", "")
        if reference:
            at = schema["definitions"][reference.rpartition("/")[2]]
    return at
