"""What an oracle means: read out of its own documentation, so that whoever adds one explains it in the same place.

Knows how such a docstring is built: what holds, why, `Seen:` real bugs of its kind, `Fix:` what to do. Must not know how
it is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import fuzz.oracles
import fuzz.oracles.differential
import tlslab.cases
from fuzz import store
from fuzz.app.packing import load_pack
from fuzz.errors import UsageError
from fuzz.oracles.registry import Oracle, oracle_named, oracles
from fuzz.records import Finding, TlsStep
from fuzz.report.sources import sources
from fuzz.report.words import repeats
from tlslab.registry import TlsCase, all_cases

_ALL = (fuzz.oracles, tlslab.cases)
"""Importing them registers every oracle and every case."""

_PARAGRAPH = re.compile(r"\n\s*\n")
_FOLDER = re.compile(r"O\d{1,3}-[0-9a-f]{8}")
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


def explain(name: str) -> Explanation:
    """The explanation of an oracle by name or id, a case of the TLS lab by id, or a finding's folder or pack.

    Raises:
        UsageError: nothing is called so.
    """
    path = Path(name)
    if path.exists():
        return _of_finding(load_pack(path) if path.suffix == store.SUFFIX else _stored(path))
    if _FOLDER.fullmatch(name):
        raise UsageError(
            f"there is no {name} here; a finding is named by its folder, such as findings/{name}"
        )
    case = all_cases().get(name.upper())
    return _of_case(case) if case is not None else of_oracle(oracle_named(name), "ed3")


def _stored(path: Path) -> Finding:
    if path.is_dir() and not (path / "finding.json").is_file():
        raise UsageError(f"{path} is no folder of a finding; name one such as findings/O4-1a2b3c4d")
    return store.load_finding(path)


def _of_finding(finding: Finding) -> Explanation:
    violation, edition = finding.violation, finding.facts.edition
    step = next((s for s in finding.case.steps if isinstance(s, TlsStep)), None)
    case = all_cases().get(step.id) if step is not None else None
    known = {o.id: o for o in oracles()}.get(violation.oracle)
    if case is not None:
        base = _of_case(case)
    elif known is not None:
        base = of_oracle(known, edition)
    else:
        raise UsageError(f"this version knows no oracle {violation.oracle}; update ocppfuzz")
    told = (f"{violation.text} ({violation.symptom})", repeats(finding))
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


def _one_line(paragraph: str) -> str:
    return " ".join(paragraph.split())


def _paragraph(paragraphs: list[str], begins: str) -> str:
    found = (p.removeprefix(begins).strip() for p in paragraphs if p.startswith(begins))
    return next(found, "")


def _of_case(case: TlsCase) -> Explanation:
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
