"""A campaign's outcome as one JSON object, for programs.

Knows the summary; the folder of a finding holds the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from fuzz.records import Finding, Reach, Summary
from fuzz.report.rating import endangers, rate
from fuzz.report.words import folder_name

SUMMARY_FORMAT = 1


def summary_json(summary: Summary, findings_dir: Path) -> str:
    """One line of ASCII JSON, keys sorted."""
    return json.dumps(summary_value(summary, findings_dir), sort_keys=True, ensure_ascii=True)


def summary_value(summary: Summary, findings_dir: Path) -> Mapping[str, object]:
    """The same as an object."""
    facts = summary.facts
    return {
        "format": SUMMARY_FORMAT,
        "exit_code": summary.exit_code,
        "reason": summary.reason,
        "attacked": {
            "side": facts.side,
            "url": facts.url,
            "identity": facts.identity,
            "vendor": facts.vendor,
            "model": facts.model,
            "firmware": facts.firmware,
            "security_profile": facts.security_profile,
            "version": facts.version,
            "edition": facts.edition,
        },
        "seed": summary.seed,
        "cases": summary.cases,
        "exchanges": summary.exchanges,
        "elapsed_s": round(summary.elapsed_s, 3),
        "inconclusive": summary.inconclusive,
        "disturbed": dict(summary.disturbed),
        "findings": [_finding(f, findings_dir) for f in summary.findings],
        "unconfirmed": [_finding(f, findings_dir) for f in summary.unconfirmed],
        "full_pass": None if summary.full_pass is None else asdict(summary.full_pass),
        "remarks": [
            {"oracle": r.violation.oracle, "name": r.violation.name, "count": r.count}
            for r in summary.remarks
        ],
        "answers": dict(summary.answers),
        "coverage": {n: {"reached": r, "total": t} for n, (r, t) in summary.coverage.items()},
        "not_asked": dict(summary.not_asked),
        "blocked": dict(summary.blocked),
        "left_changed": list(summary.left_changed),
        "warnings": list(summary.warnings),
        "unreached": list(summary.unreached),
        "reach": _reach(summary.reach),
        "answer_times_s": [round(seconds, 6) for seconds in summary.answer_times_s],
    }


def _reach(reach: Reach) -> Mapping[str, object]:
    return {
        "constraints": [
            {
                "action": c.action,
                "position": c.position.value,
                "keyword": c.keyword,
                "reached": c.reached,
                "total": c.total,
            }
            for c in reach.constraints
        ],
        "states": dict(reach.states),
        "changes": [
            {"from": before, "to": after, "reached": reached}
            for (before, after), reached in reach.changes.items()
        ],
    }


def _finding(finding: Finding, root: Path) -> Mapping[str, object]:
    violation = finding.violation
    rating = rate(violation, finding.case, finding.facts)
    return {
        "folder": str(root / folder_name(finding)),
        "fingerprint": finding.fingerprint,
        "exchanges": finding.exchanges,
        "attacker": rating.attacker.value,
        "vector": rating.vector,
        "score": rating.score,
        "endangers": list(endangers(finding)),
        "oracle": violation.oracle,
        "name": violation.name,
        "severity": violation.severity.name.lower(),
        "basis": violation.basis,
        "status": finding.status,
        "not_minimal": finding.not_minimal,
        "text": violation.text,
        "action": finding.case.action,
    }
