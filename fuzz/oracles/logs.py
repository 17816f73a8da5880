"""Does the target's own log tell of something that the wire does not show (O30)?

Knows what runtimes and sanitizers write when a program goes wrong. Must not know who wrote the program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, Observation, Severity, Violation, Who

_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class _Sign:
    """What one kind of trouble looks like in a log, and how bad it is."""

    symptom: str
    severity: Severity
    cwe: str
    pattern: str
    remark: bool = False


_SIGNS = (
    _Sign(
        "memory error reported",
        Severity.HIGH,
        "CWE-119",
        r"(?:Address|Leak|Memory|HWAddress)Sanitizer:"
        r"|==\d+==\s*(?:Invalid (?:read|write|free)|Conditional jump or move depends|Use of uninitialised|Mismatched free)"
        r"|\*\*\* stack smashing detected"
        r"|double free or corruption|free\(\): invalid|malloc\(\): |malloc_consolidate\(\): |corrupted (?:size|double-linked list|unsorted)",
    ),
    _Sign("data race reported", Severity.HIGH, "CWE-362", r"ThreadSanitizer:|WARNING: DATA RACE"),
    _Sign(
        "undefined behaviour reported",
        Severity.MEDIUM,
        "CWE-758",
        r"UndefinedBehaviorSanitizer|:\d+:\d+: runtime error: ",
    ),
    _Sign(
        "uncaught failure",
        Severity.MEDIUM,
        "CWE-248",
        r"\bterminate called (?:after|without|recursively)"
        r"|^panic: |^fatal error: |^goroutine \d+ \[running\]"
        r"|\bthread '[^']{0,100}' panicked at"
        r"|Segmentation fault|\bcore dumped\b|\bAssertion [`'].{0,300} failed"
        r"|[Uu]nhandled ?[Pp]romise ?[Rr]ejection|\bunhandledRejection\b|\buncaughtException\b"
        r"|Unhandled exception\.|Exception in thread \""
        r"|Task exception was never retrieved",
    ),
    _Sign(
        "stack trace in the log",
        Severity.LOW,
        "CWE-755",
        r"Traceback \(most recent call last\)",
        remark=True,
    ),
)
_FINDERS = tuple((sign, re.compile(sign.pattern)) for sign in _SIGNS)
_ANY = re.compile("|".join(sign.pattern for sign in _SIGNS))


@oracle("O30", name="log-patterns", clause="Part 4 section 3.1", cwe="CWE-248")
def log_patterns(obs: Observation) -> Iterator[Violation]:
    """The target's own log tells of no memory error, no race and no uncaught failure.

    Sanitizers, Valgrind and the runtimes of most languages write words of their own when something went wrong that
    the wire need not show; seen where the target's output is ours to read. A stack trace alone is a remark, since
    some write one for every refusal. Lines that repeat what we said count for nothing.

    Seen: memory used after it was freed, when an authorisation met an unplugged cable (CVE-2026-27813).

    Fix: read the log at that line; what a sanitizer reports is a defect wherever it is reported.
    """
    spoken: set[str] = set()
    for line in obs.log:
        found = _sign(obs, line[:_LONGEST])
        if found is not None and found.symptom not in spoken:
            spoken.add(found.symptom)
            yield violation(
                "O30",
                Basis.HARDENING,
                found.severity,
                found.symptom,
                f"the target's log: {found.symptom}",
                cwe=found.cwe,
                remark=found.remark,
            )


def _sign(obs: Observation, line: str) -> _Sign | None:
    if not _ANY.search(line):
        return None
    for sign, finder in _FINDERS:
        if any(not _said(obs, m.group()) for m in finder.finditer(line)):
            return sign
    return None


def _said(obs: Observation, words: str) -> bool:
    """True when these words stood in a message of ours."""
    ours = (e.text for e in obs.entries if e.who is not Who.TARGET)
    return any(words.strip() in text for text in (*obs.said, *ours))
