"""Reads a report back: the results that `document.py` wrote, by its schema.

Knows the JSON of reports. Must not know a file. Texts come back as the document has them, which is visible and cut.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from fuzz.errors import UsageError
from fuzz.records import Severity, Side, TargetFacts
from fuzz.report.document import SCHEMA_FILE
from fuzz.report.results import Check, Issue, Place, Results, Rule, Status
from fuzz.report.safe import safe


def results_in(value: object, source: str) -> Results:
    """The results in a report's JSON value; `source` names it in errors. Raises `UsageError`."""
    wrong = next(iter(_schema().iter_errors(value)), None)
    if wrong is not None or not isinstance(value, dict):
        why = safe(wrong.message, 160) if wrong is not None else "no JSON object"
        raise UsageError(
            f"{source} is no report of ocppfuzz: {why}; write one with --json FILE, or name a folder of findings"
        )
    return _results(value)


@cache
def _schema() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(SCHEMA_FILE.read_text("utf-8")))


def _results(told: Mapping[str, Any]) -> Results:
    issues = {issue["fingerprint"]: _issue(issue) for issue in told["findings"]}
    target = told["target"]
    return Results(
        command=told["command"],
        tool=told["tool"],
        facts=TargetFacts(**{**target, "side": Side(target["side"])}),
        exit_code=told["exit_code"],
        checks=tuple(_check(check, issues) for check in told["checks"]),
        rules=tuple(Rule(**rule) for rule in told["rules"]),
        reason=told["reason"],
        began=told["began"],
        seconds=told["seconds"],
        seed=told["seed"],
        notes=tuple(told["notes"]),
        left_changed=tuple(told["left_changed"]),
        details=told["details"],
    )


def _check(told: Mapping[str, Any], issues: Mapping[str, Issue]) -> Check:
    found = tuple(issues[mark] for mark in told["findings"] if mark in issues)
    kept = {name: value for name, value in told.items() if name not in ("findings", "status")}
    return Check(**kept, status=Status(told["status"]), issues=found)


def _issue(told: Mapping[str, Any]) -> Issue:
    place = Place(told["case"]["path"], told["case"]["line"])
    kept = {name: value for name, value in told.items() if name != "case"}
    kept |= {
        "severity": Severity[told["severity"].upper()],
        "endangers": tuple(told["endangers"]),
        "place": place,
    }
    return Issue(**kept)
