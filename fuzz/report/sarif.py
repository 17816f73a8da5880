"""SARIF 2.1.0, as GitHub code scanning reads it: one rule for each oracle or case that spoke, one result a finding.

Knows the model of results and the format. Must not know a file. Remarks are no results: an alert asks for something to be
done, and a tolerated deviation does not (with `--strict` it is a finding, and therefore here). A result lies in the case
that shows it, since a target has no source code here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote

from fuzz.policy.renaming import FINGERPRINT_VERSION
from fuzz.records import Severity
from fuzz.report.fitting import fitted
from fuzz.report.results import Issue, Place, Results, Rule
from fuzz.report.safe import short
from fuzz.report.words import NOT_A_CERTIFICATION, sentence

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_BYTES = 10 * 10**6
"""GitHub takes 10 MB, compressed; this much uncompressed is always less (docs.github.com, SARIF uploads)."""

MAX_RESULTS = 5_000
"""GitHub refuses more than 25,000 results a run and shows the worst 5,000 (docs.github.com, "results exceed limit")."""

MAX_TAGS = 10
"""GitHub refuses more than 20 tags a rule and shows 10."""

MAX_PATH = 4_096

FINGERPRINT = f"ocppfuzz/v{FINGERPRINT_VERSION}"

_LEVELS: Mapping[Severity, str] = {
    Severity.INFO: "note",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}

_SECURITY_SEVERITY: Mapping[Severity, str] = {
    Severity.INFO: "0.1",
    Severity.LOW: "2.0",
    Severity.MEDIUM: "5.0",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}
"""Chosen so that GitHub shows our severity: critical above 9.0, high from 7.0, medium from 4.0."""

_BRACKET = re.compile(r"(\\*)([\[\]])")

Json: TypeAlias = dict[str, object]


def sarif(results: Results) -> str:
    """The report as text; where there is no room for all findings the worst are kept, and the run says so."""
    return fitted(
        lambda issues, left_out: _text(_log(results, issues, left_out)),
        results.issues,
        most=MAX_RESULTS,
        max_bytes=MAX_BYTES,
    )


def _text(log: Json) -> str:
    return json.dumps(log, indent=1, ensure_ascii=True) + "\n"


def _log(results: Results, issues: Sequence[Issue], left_out: int) -> Json:
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(results, issues, left_out)]}


def _run(results: Results, issues: Sequence[Issue], left_out: int) -> Json:
    worst: dict[str, Severity] = {}
    for issue in issues:
        worst[issue.rule] = max(worst.get(issue.rule, Severity.INFO), issue.severity)
    spoke = {issue.rule: results.rule(issue) for issue in issues}
    index = {id_: number for number, id_ in enumerate(spoke)}
    return {
        "properties": {
            "attacked": short(results.attacked),
            "certification": NOT_A_CERTIFICATION,
            "edition": short(results.facts.edition),
            "checks": {status.value: count for status, count in results.counts.items()},
            **({"seed": results.seed} if results.seed is not None else {}),
        },
        "automationDetails": {
            "id": f"ocppfuzz/{results.command}/",
            "description": _message(f"{results.attacked}. {NOT_A_CERTIFICATION}"),
        },
        "tool": {"driver": _driver(results, spoke, worst)},
        "invocations": [_invocation(results, left_out)],
        "results": [_result(results, issue, index[issue.rule]) for issue in issues],
        "columnKind": "unicodeCodePoints",
    }


def _driver(results: Results, spoke: Mapping[str, Rule], worst: Mapping[str, Severity]) -> Json:
    name, _, version = results.tool.partition(" ")
    return {
        "name": name,
        **({"version": version} if version else {}),
        "rules": [_rule(id_, rule, worst[id_]) for id_, rule in spoke.items()],
    }


def _rule(id_: str, rule: Rule, severity: Severity) -> Json:
    cwe = rule.cwe.lower()
    tags = ["security", "ocpp", *([f"external/cwe/{cwe}"] if cwe.startswith("cwe-") else [])]
    clause = f"\n\nRests on: {short(rule.clause, 500)}." if rule.clause else ""
    return {
        "id": short(id_, 200),
        "name": short(rule.name, 200),
        "shortDescription": _message(rule.text),
        "fullDescription": _message(rule.text),
        "help": {"text": _lines(rule.help) + clause, "markdown": _lines(rule.help) + clause},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "tags": tags[:MAX_TAGS],
            "precision": "very-high",
            "security-severity": _SECURITY_SEVERITY[severity],
        },
    }


def _lines(text: str) -> str:
    """A text of several lines, of ours."""
    return "\n".join(short(line) for line in text.splitlines())


def _invocation(results: Results, left_out: int) -> Json:
    told = [*([results.reason] if results.reason else []), *results.notes]
    if left_out:
        told.insert(0, f"{left_out:,} findings are left out, for this file would be too large")
    notifications = [{"level": "note", "message": _message(text)} for text in told[:100]]
    return {
        "executionSuccessful": results.exit_code in (0, 1),
        "exitCode": results.exit_code,
        "toolExecutionNotifications": notifications,
    }


def _result(results: Results, issue: Issue, index: int) -> Json:
    told = f"{issue.title}: {sentence(issue.text)} Symptom: {issue.symptom}."
    account = [f" {name}: {text.removesuffix('.')}." for name, text in issue.account]
    replay = f" Replay: {issue.replay}" if issue.replay else ""
    facts: Mapping[str, object] = {
        "severity": issue.severity.name.lower(),
        "basis": issue.basis,
        "clause": issue.clause,
        "attacker": issue.attacker,
        "cvss": issue.vector,
        "certainty": issue.certainty,
        "endangers": ", ".join(issue.endangers),
        "replay": issue.replay,
    }
    result: Json = {
        "ruleId": short(issue.rule, 200),
        "ruleIndex": index,
        "level": _LEVELS[issue.severity],
        "message": {"text": "".join(_message(part)["text"] for part in (told, *account, replay))},
        "locations": [_location(results.place_of(issue))],
        "partialFingerprints": {FINGERPRINT: short(issue.fingerprint, 200)},
        "properties": {name: short(str(text)) for name, text in facts.items() if text},
    }
    if issue.accepted:
        # No status: the one that is missing counts as accepted (section 3.35.3).
        result["suppressions"] = [{"kind": "external", "justification": short(issue.accepted)}]
    return result


def _message(text: str) -> dict[str, str]:
    """A plain text message: brackets are escaped, or they would make an embedded link (section 3.11.6)."""
    return {"text": _BRACKET.sub(lambda m: f"{m[1] * 2}\\{m[2]}", short(text))}


def _location(place: Place) -> Json:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri(place)},
            "region": {"startLine": max(1, place.line)},
        }
    }


def uri(place: Place) -> str:
    """A valid relative or file URI for a place, whatever its folder is called."""
    # A colon before the first slash would be a scheme, and two slashes a host (RFC 3986 section 4.2).
    path = quote(place.uri[:MAX_PATH].encode("utf-8", "replace"), safe="/")
    return "file://" + path if path.startswith("/") else path or "."
