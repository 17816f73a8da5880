"""JUnit XML as Jenkins and GitLab read it: a test case is a check at its place, never a wire case.

Knows the model of results and XML. Must not know a file. XML 1.0 cannot hold most control characters, U+FFFE or lone
surrogates, not even escaped: every text goes through `short`, which writes them out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from fuzz.report.fitting import fitted
from fuzz.report.results import WORST_FIRST, Check, Issue, Results, Status
from fuzz.report.safe import short
from fuzz.report.words import NOT_A_CERTIFICATION

MAX_BYTES = 25 * 2**20
"""GitLab takes files below 30 MB (docs.gitlab.com/ci/testing/unit_test_reports)."""

MAX_CASES = 20_000
"""GitLab's XML reader refuses more than 250,000 objects (gitlab-org/gitlab issue 507482); a failed case has about ten."""

VERDICT = "the run came to a verdict"
"""A test case of every run: an error where nothing was proven, so that an empty report is never green."""

_SKIPPED = (Status.NOT_RUN, Status.INCONCLUSIVE)


def junit(results: Results) -> str:
    """The report as text. Where there is no room for all checks those that failed are kept."""
    order = sorted(results.checks, key=lambda c: WORST_FIRST.index(c.status))
    whole = fitted(
        lambda checks, left_out: _document(results, checks, left_out),
        order,
        most=MAX_CASES,
        max_bytes=MAX_BYTES,
    )
    return f'<?xml version="1.0" encoding="utf-8"?>\n{whole}\n'


def _document(results: Results, checks: Sequence[Check], left_out: int) -> str:
    name = f"ocppfuzz {results.command}"
    kept = set(map(id, checks))
    shown = [c for c in results.checks if id(c) in kept]
    found = Counter(check.status for check in shown)
    counts = {
        "tests": str(len(shown) + 1),
        "failures": str(found[Status.FAILED]),
        "errors": str(int(not results.proven)),
        "skipped": str(sum(found[status] for status in _SKIPPED)),
        "time": f"{results.seconds:.3f}",
    }
    root = ET.Element("testsuites", {"name": name, **counts})
    suite = ET.SubElement(root, "testsuite", {"name": name, **counts})
    if results.began:
        suite.set("timestamp", short(results.began, 40))
    properties = ET.SubElement(suite, "properties")
    for key, value in _properties(results, left_out):
        ET.SubElement(properties, "property", {"name": key, "value": short(value)})
    _verdict(suite, results)
    for check in shown:
        _case(suite, results, check)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode")


def _properties(results: Results, left_out: int) -> Iterator[tuple[str, str]]:
    yield "attacked", results.attacked
    yield "certification", NOT_A_CERTIFICATION
    yield "tool", results.tool
    yield "edition", results.facts.edition
    yield "exit code", str(results.exit_code)
    if results.seed is not None:
        yield "seed", str(results.seed)
    if results.reason:
        yield "ended", results.reason
    if left_out:
        yield "cut", f"{left_out:,} test cases are left out, for this file would be too large"


def _verdict(suite: ET.Element, results: Results) -> None:
    case = ET.SubElement(suite, "testcase", _names(results, "run", VERDICT, 0.0))
    if not results.proven:
        why = short(results.reason or f"exit code {results.exit_code}: {results.verdict}")
        ET.SubElement(case, "error", {"message": why, "type": results.verdict}).text = why
    ET.SubElement(case, "system-out").text = "\n".join(
        short(line)
        for line in (f"Attacked: {results.attacked}. {NOT_A_CERTIFICATION}", *results.notes)
    )


def _names(results: Results, group: str, name: str, seconds: float) -> dict[str, str]:
    # Jenkins takes the part before the last dot for a package.
    inside = short(group, 200).replace(".", "_")
    return {
        "classname": f"ocppfuzz.{results.command}.{inside}",
        "name": short(name, 400),
        "time": f"{seconds:.3f}",
    }


def _case(suite: ET.Element, results: Results, check: Check) -> None:
    case = ET.SubElement(suite, "testcase", _names(results, check.group, check.name, check.seconds))
    match check.status:
        case Status.FAILED:
            _failure(case, check)
        case Status.NOT_RUN:
            ET.SubElement(case, "skipped", {"message": short(check.reason or "not run")})
        case Status.INCONCLUSIVE:
            why = f"inconclusive: {check.reason}" if check.reason else "inconclusive"
            ET.SubElement(case, "skipped", {"message": short(why)})
        case Status.REMARK:
            ET.SubElement(case, "system-out").text = short(f"remark: {check.reason}")
        case Status.PASSED:
            pass


def _failure(case: ET.Element, check: Check) -> None:
    """One element for all findings of a check: Jenkins reads no more than one."""
    worst = max(check.issues, key=lambda i: i.severity, default=None)
    title = check.reason if worst is None else _title(worst)
    kind = "failed" if worst is None else worst.severity.name.lower()
    if worst is not None:
        case.set("file", short(worst.place.uri, 400))
    failure = ET.SubElement(case, "failure", {"message": short(title, 500), "type": kind})
    told = ["\n".join(_told(issue)) for issue in check.issues] or [short(check.reason)]
    failure.text = "\n\n".join(told[:MAX_TOLD])
    if len(told) > MAX_TOLD:
        failure.text += f"\n\nand {len(told) - MAX_TOLD} more findings of this check"


def _title(issue: Issue) -> str:
    """What a list of failures shows: GitLab and Jenkins show no more than this until somebody asks."""
    account = "".join(f" {name}: {text.removesuffix('.')}." for name, text in issue.account)
    return f"{issue.title}: {issue.text}.{account}"


MAX_TOLD = 20
"""Findings of one check that are told in full."""


def _told(issue: Issue) -> Iterator[str]:
    yield short(issue.text)
    facts = (
        *issue.account,
        ("Symptom", issue.symptom),
        ("Severity", f"{issue.severity.name.lower()} {issue.basis}".rstrip()),
        ("Certainty", issue.certainty),
        ("Clause", issue.clause),
        ("CWE", issue.cwe),
        ("Attacker", issue.attacker),
        ("Endangers", ", ".join(issue.endangers)),
        ("Fingerprint", issue.fingerprint),
        ("Place", issue.place.uri),
        ("Accepted", issue.accepted),
        ("Replay", issue.replay),
    )
    for name, text in facts:
        if text:
            yield f"{name}: {short(text)}"
