"""What an oracle means: read out of its own documentation, so that whoever adds one explains it in the same place.

Knows how such a docstring is built: what holds, why, `Seen:` real bugs of its kind, `Fix:` what to do. Must not know how
it is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import fuzz.oracles
import tlslab.cases
from fuzz.errors import UsageError
from fuzz.oracles.registry import Oracle, oracles
from fuzz.records import Finding, TlsStep
from fuzz.report.sources import sources
from fuzz.report.words import message_words, repeats
from tlslab.registry import TlsCase, all_cases

_ALL = (fuzz.oracles, tlslab.cases)
"""Importing them registers every oracle that campaigns ask, and every case."""

_PARAGRAPH = re.compile(r"\n\s*\n")
_SEEN, _FIX = "Seen:", "Fix:"
_AUTHENTICATION = ("basic auth", "client identity")
_TLS_SEEN = {
    True: (
        "CSMSes that let in whoever knew an identity (CVE-2026-26288), without any limit to guessing (CVE-2026-24696); "
        "a station of profile 2 served over a plain connection "
        "(https://github.com/steve-community/steve/commit/0eb814e)."
    ),
    False: (
        "stations that spoke OCPP unencrypted (CVE-2024-26288), so that anybody on the path could speak for the CSMS; "
        "a rejected certificate whose connection went on."
    ),
}
_TLS_FIX = {
    True: (
        "let the identity of the certificate or of Basic authentication decide who it is, never the URL alone, and "
        "refuse before the handshake is over."
    ),
    False: (
        "use the verification of the TLS library as it is, with the versions and suites that the requirement names, "
        "and end the connection when it fails."
    ),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one oracle, or one case of the TLS lab, is about; `found` tells of the finding that was asked about."""

    name: str
    holds: str
    why: str
    sources: tuple[str, ...]
    cwe: str
    seen: str
    fix: str
    found: tuple[str, ...] = ()


def of_finding(finding: Finding) -> Explanation:
    """The explanation of what a finding objects to, with how it was seen. Raises `UsageError` for an oracle of another version."""
    violation, edition = finding.violation, finding.facts.edition
    step = next((s for s in finding.case.steps if isinstance(s, TlsStep)), None)
    case = all_cases().get(step.id) if step is not None else None
    known = {o.id: o for o in oracles()}.get(violation.oracle)
    if case is not None:
        base = of_case(case)
    elif known is not None:
        base = of_oracle(known, edition)
    else:
        raise UsageError(f"this version knows no oracle {violation.oracle}; update ocppfuzz")
    told = (
        f"{violation.text} ({violation.symptom})",
        message_words(finding.case),
        repeats(finding),
    )
    return Explanation(
        base.name,
        base.holds,
        base.why,
        tuple(sources(violation.clause, edition)) or base.sources,
        violation.cwe or base.cwe,
        base.seen,
        base.fix,
        told,
    )


def of_oracle(known: Oracle, edition: str) -> Explanation:
    """The explanation that an oracle's documentation holds."""
    holds, *rest = (_one_line(p) for p in _PARAGRAPH.split(known.explain))
    why = [p for p in rest if not p.startswith((_SEEN, _FIX))]
    return Explanation(
        f"{known.name} ({known.id})",
        holds,
        " ".join(why),
        tuple(sources(known.clause, edition)),
        known.cwe,
        _paragraph(rest, _SEEN),
        _paragraph(rest, _FIX),
    )


def advice(finding: Finding) -> str:
    """How such a thing is mended, in our words; "" for an oracle of another version."""
    try:
        return of_finding(finding).fix
    except UsageError:
        return ""


def _one_line(paragraph: str) -> str:
    return " ".join(paragraph.split())


def _paragraph(paragraphs: list[str], begins: str) -> str:
    found = (p.removeprefix(begins).strip() for p in paragraphs if p.startswith(begins))
    return next(found, "")


def of_case(case: TlsCase) -> Explanation:
    """The explanation of a case of the TLS lab."""
    holds, *rest = (_one_line(p) for p in _PARAGRAPH.split(case.text))
    authentication = case.topic in _AUTHENTICATION
    why = " ".join([*rest, f"Attack position: {case.attacker}. Expected: {case.expects}."])
    return Explanation(
        f"TLS lab, {case.topic} ({case.id})",
        holds,
        why,
        tuple(line for r in case.requirements for line in sources(r, "ed3")),
        case.cwe,
        _TLS_SEEN[authentication],
        _TLS_FIX[authentication],
    )
