"""Findings and what they break, as reports for programs tell them.

Knows findings, the oracles' own texts and the cases of the TLS lab. Must not know where a finding was made.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from fuzz.oracles.registry import Oracle, oracles
from fuzz.records import Case, Finding, TlsStep
from fuzz.report.dossier import dossier_of
from fuzz.report.rating import endangers, rate
from fuzz.report.results import Issue, Place, Rule
from fuzz.report.sent import sent
from fuzz.report.words import alterations, expected, folder_name, oracle_words, repeats
from tlslab.registry import TlsCase, all_cases

_FILES = (".json", ".zip")
"""How the files end that are replayed: stored cases, and packs of findings."""


def issue_of(finding: Finding, place: Place, replay: str, folder: str = "") -> Issue:
    """A finding, where it lies, and the command that plays it again."""
    violation = finding.violation
    rating = rate(violation, finding.case, finding.facts)
    return Issue(
        fingerprint=finding.fingerprint,
        rule=rule_of(finding).id,
        title=_title(finding),
        text=violation.text,
        symptom=violation.symptom,
        severity=violation.severity,
        place=place,
        replay=replay,
        basis=violation.basis.value,
        clause=violation.clause,
        cwe=violation.cwe,
        attacker=rating.attacker.value,
        vector=rating.vector,
        score=rating.score,
        endangers=endangers(finding),
        certainty=repeats(finding),
        folder=folder,
        dossier=dossier_of(finding),
        sent=sent(finding.case),
        wrong="; ".join(alterations(finding.case, values=False)),
        expected=_expected(finding),
    )


def _expected(finding: Finding) -> str:
    """What a correct peer does, in a sentence that stands alone."""
    ids = tls_ids(finding.case)
    if not ids:
        return expected(finding)
    known = all_cases().get(ids[0])
    return f"A correct peer: {known.expects}." if known is not None else ""


def _title(finding: Finding) -> str:
    action = finding.case.action
    return oracle_words(finding.violation) + (f" on {action}" if action else "")


def rule_of(finding: Finding) -> Rule:
    """What a finding breaks: the case of the TLS lab that it is of, else its oracle."""
    violation = finding.violation
    ids = tls_ids(finding.case)
    if ids and ids[0] in all_cases():
        return rule_of_case(all_cases()[ids[0]])
    known = {oracle.id: oracle for oracle in oracles()}.get(violation.oracle)
    if known is not None:
        return rule_of_oracle(known)
    name = violation.name
    return Rule(violation.oracle, name, name, name, violation.clause, violation.cwe)


def tls_ids(case: Case) -> tuple[str, ...]:
    """The cases of the TLS lab that a stored case plays; () when it is one of messages."""
    return tuple(step.id for step in case.steps if isinstance(step, TlsStep))


def rule_of_oracle(oracle: Oracle) -> Rule:
    """An oracle, with all that it says of itself."""
    return Rule(oracle.id, oracle.name, oracle.text, oracle.explain, oracle.clause, oracle.cwe)


def rule_of_case(case: TlsCase) -> Rule:
    """A case of the TLS lab, with all that it says of itself."""
    told = f"{case.text}\n\nA correct peer: {case.expects}. Attacker: {case.attacker}."
    name = f"{case.topic.replace(' ', '-')} {case.id}"
    return Rule(case.id, name, case.title, told, ", ".join(case.requirements), case.cwe)


def case_place(path: Path) -> Place:
    """The case file at `path`, or in the folder of a finding there; a pack stands for what is in it."""
    return Place(relative(path if path.suffix in _FILES else path / "case.json"))


def finding_folder(finding: Finding, root: Path) -> str:
    """The folder of a finding below `root`, relative where that can be."""
    return relative(root / folder_name(finding))


def relative(path: Path) -> str:
    """A path as another machine can use it: relative to the present folder when it lies below it, with slashes."""
    inside = Path(os.path.normpath(path))
    if inside.is_absolute() and inside.is_relative_to(Path.cwd()):
        inside = inside.relative_to(Path.cwd())
    return inside.as_posix()


def replay_command(path: str, *flags: str) -> str:
    """The command that plays a stored case again; `flags` name the target, and what it may be asked, as a shell reads them."""
    return " ".join(filter(None, ("ocppfuzz replay", shlex.quote(path), *flags)))
