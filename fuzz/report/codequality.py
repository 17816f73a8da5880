"""GitLab's Code Quality report: one entry a finding, in the form that its merge requests read.

Knows the model of results and the form (docs.gitlab.com/ci/testing/code_quality). Must not know a file. The form is a bare
list without a place for who was attacked: each entry says it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from fuzz.records import Severity
from fuzz.report.fitting import fitted
from fuzz.report.results import Issue, Results
from fuzz.report.safe import short
from fuzz.report.words import sentence

MAX_BYTES = 10 * 2**20
MAX_ENTRIES = 5_000
"""No limit is documented; what is longer than this is read by nobody."""

_SEVERITIES: Mapping[Severity, str] = {
    Severity.INFO: "info",
    Severity.LOW: "minor",
    Severity.MEDIUM: "major",
    Severity.HIGH: "critical",
    Severity.CRITICAL: "blocker",
}


def code_quality(results: Results) -> str:
    """The report as text, without findings that are accepted; where there is no room for all, the worst are kept."""
    return fitted(
        lambda issues, left_out: _text(results, issues, left_out),
        [issue for issue in results.issues if not issue.accepted],
        most=MAX_ENTRIES,
        max_bytes=MAX_BYTES,
    )


def _text(results: Results, issues: Sequence[Issue], left_out: int) -> str:
    entries = [_entry(results, issue) for issue in issues]
    if left_out and entries:
        cut = f"{left_out:,} more findings are left out, for this file would be too large"
        entries[-1]["description"] = f"{entries[-1]['description']} ({cut})"
    return json.dumps(entries, indent=1, ensure_ascii=True) + "\n"


def _entry(results: Results, issue: Issue) -> dict[str, object]:
    account = "".join(f" {name}: {text.removesuffix('.')}." for name, text in issue.account)
    told = f"{issue.title}: {sentence(issue.text)} Attacked: {results.attacked}.{account}"
    place = results.place_of(issue)
    return {
        "description": short(told),
        "check_name": short(issue.rule, 200),
        "fingerprint": short(issue.fingerprint, 200),
        "severity": _SEVERITIES[issue.severity],
        "location": {
            "path": short(place.uri),
            "lines": {"begin": max(1, place.line)},
        },
    }
