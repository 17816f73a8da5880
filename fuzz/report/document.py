"""The whole of a run as JSON, by `data/report.schema.json`, and as NDJSON: the same objects, one a line.

Knows the model of results. Must not know a file. Strings of the target are made visible and cut, so that every JSON
reader takes them: lone surrogates are no text to most.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from fuzz.policy.renaming import FINGERPRINT_VERSION
from fuzz.report.results import RESULTS_FORMAT, Check, Issue, Results, Rule
from fuzz.report.safe import short
from fuzz.report.words import NOT_A_CERTIFICATION

SCHEMA_FILE = Path(__file__).parent / "data" / "report.schema.json"

Json: TypeAlias = dict[str, object]

MAX_DETAIL_BYTES = 16_384
"""A certificate, or what else of one value is kept where only this command knows it."""


def document(results: Results) -> str:
    """One JSON object; `attacked` is its first line."""
    value = {
        **head(results),
        **_tail(results),
        "findings": [issue_json(i) for i in results.issues],
        "checks": [check_json(c) for c in results.checks],
        "rules": [_rule(r) for r in results.rules],
        "details": plain(results.details),
    }
    return json.dumps(value, indent=1, ensure_ascii=True) + "\n"


def lines(results: Results) -> str:
    """One object a line: who was attacked, each finding, each check, and how it ended."""
    return "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in _events(results))


def _events(results: Results) -> Iterator[Json]:
    yield {**head(results), "event": "begin"}
    for issue in results.issues:
        yield {"event": "finding", **issue_json(issue)}
    for check in results.checks:
        yield {"event": "check", **check_json(check)}
    yield {"event": "end", **_tail(results)}


def head(results: Results) -> Json:
    """Who was attacked, by what, as fields."""
    facts = results.facts
    target = {
        "side": facts.side.value,
        "url": facts.url,
        "identity": facts.identity,
        "vendor": facts.vendor,
        "model": facts.model,
        "firmware": facts.firmware,
        "version": facts.version,
        "edition": facts.edition,
    }
    return {
        "attacked": short(results.attacked),
        "certification": NOT_A_CERTIFICATION,
        "format": RESULTS_FORMAT,
        "fingerprints": FINGERPRINT_VERSION,
        "tool": short(results.tool),
        "command": results.command,
        "target": {
            **{name: short(text) for name, text in target.items()},
            "security_profile": facts.security_profile,
        },
        "began": short(results.began),
        "seed": results.seed,
    }


def _tail(results: Results) -> Json:
    return {
        "exit_code": results.exit_code,
        "reason": short(results.reason),
        "seconds": round(results.seconds, 3),
        "counts": {status.value: count for status, count in results.counts.items()},
        "notes": [short(note) for note in results.notes],
        "left_changed": [short(change) for change in results.left_changed],
    }


def issue_json(issue: Issue) -> Json:
    """One finding."""
    return {
        "fingerprint": short(issue.fingerprint),
        "rule": short(issue.rule),
        "title": short(issue.title),
        "text": short(issue.text),
        "symptom": short(issue.symptom),
        "severity": issue.severity.name.lower(),
        "basis": short(issue.basis),
        "clause": short(issue.clause),
        "cwe": short(issue.cwe),
        "attacker": short(issue.attacker),
        "vector": short(issue.vector),
        "score": issue.score,
        "endangers": [short(test) for test in issue.endangers],
        "certainty": short(issue.certainty),
        "case": {"path": short(issue.place.uri), "line": issue.place.line},
        "folder": short(issue.folder),
        "replay": short(issue.replay),
        "accepted": short(issue.accepted),
        "sent": short(issue.sent),
        "wrong": short(issue.wrong),
        "expected": short(issue.expected),
    }


def check_json(check: Check) -> Json:
    """One check; its findings by their fingerprints."""
    return {
        "rule": short(check.rule),
        "group": short(check.group),
        "name": short(check.name),
        "status": check.status.value,
        "action": short(check.action),
        "position": short(check.position),
        "reason": short(check.reason),
        "played": check.played,
        "seconds": round(check.seconds, 3),
        "findings": [short(issue.fingerprint) for issue in check.issues],
    }


def _rule(rule: Rule) -> Json:
    return {
        "id": short(rule.id),
        "name": short(rule.name),
        "text": short(rule.text),
        "help": "\n".join(short(line) for line in rule.help.splitlines()),
        "clause": short(rule.clause),
        "cwe": short(rule.cwe),
    }


def plain(value: object) -> object:
    """Anything made of plain values as JSON that every reader takes; whatever else it holds becomes its text."""
    match value:
        case str() if len(value) > MAX_DETAIL_BYTES:
            # Not line by line: a hundred million of them would take minutes and gigabytes.
            return short(value, MAX_DETAIL_BYTES)
        case str():
            kept = "\n".join(short(line, MAX_DETAIL_BYTES) for line in value.split("\n"))
            return kept if len(kept) <= MAX_DETAIL_BYTES else short(value, MAX_DETAIL_BYTES)
        case bool() | int() | None:
            return value
        case float():
            return value if abs(value) < float("inf") else str(value)
        case Mapping():
            return {short(str(name)): plain(inside) for name, inside in value.items()}
        case Sequence():
            return [plain(inside) for inside in value]
        case _:
            return short(str(value))
