"""Accepted findings: who accepted what, why, and until when.

Knows entries and cases. An entry carries the case that shows it, and is played: one that passed has to go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fuzz.policy.flaw import Flaw, day, over
from fuzz.policy.renaming import RENAMINGS, Renaming
from fuzz.records import Case, Finding, Violation

ACCEPTED_FOR = timedelta(days=90)
"""How long a finding is accepted where nothing else is said."""

KILLING = frozenset({"O1", "O2", "O5"})
"""Oracles whose finding means: the target ended, restarted, or hears nothing any more."""

_CUT = ("O3", "close 1006")
"""A connection that ends without a close frame is all that is seen of the death of a target that is not ours."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted finding.

    `case` is the file with its case, relative to the baseline. `ids` are the ids of cases that were seen to show it.
    `accepted` and `expires` are days; "" for the latter: until it is mended.
    """

    fingerprint: str
    violation: Violation
    case: str
    reason: str
    accepted: str
    expires: str = ""
    ids: tuple[str, ...] = ()

    @property
    def kills(self) -> bool:
        """True when the target stops serving each time that it is played."""
        violation = self.violation
        return violation.oracle in KILLING or (violation.oracle, violation.symptom) == _CUT

    @property
    def name(self) -> str:
        """As the folder of its finding is called."""
        return f"{self.violation.oracle}-{self.fingerprint[:8]}"

    def expired(self, today: date) -> bool:
        """True when it counts as not accepted any more."""
        return over(self.expires, today)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The file as a whole; `fingerprints` is the version of those inside."""

    fingerprints: int
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """An entry with its case at hand."""

    entry: Entry
    case: Case


Named = Callable[[Violation, Case], str]
"""How a fingerprint is made today."""


def checked(baseline: Baseline) -> Baseline:
    """The baseline, when nothing in it is impossible. Raises `Flaw`."""
    seen: set[str] = set()
    for n, entry in enumerate(baseline.entries):
        place = f"/entries/{n}"
        if not entry.reason.strip():
            raise Flaw(f"{place}/reason", "is empty; say why the finding is accepted")
        day(entry.accepted, f"{place}/accepted")
        if entry.expires:
            day(entry.expires, f"{place}/expires")
        if not entry.case:
            raise Flaw(f"{place}/case", "is empty; an entry carries its case")
        if entry.fingerprint in seen:
            raise Flaw(f"{place}/fingerprint", f"{entry.fingerprint[:40]} is there twice")
        seen.add(entry.fingerprint)
    return baseline


def migrated(
    known: Iterable[Known],
    since: int,
    named: Named,
    renamings: Sequence[Renaming] = RENAMINGS,
) -> tuple[Known, ...]:
    """The entries as today's findings are called. Raises `Flaw` when they are newer than this version knows."""
    newest = 1 + len(renamings)
    if not 1 <= since <= newest:
        raise Flaw("/fingerprints", f"{since} is not 1 to {newest}; update ocppfuzz")
    return tuple(_moved(one, renamings[since - 1 :], named) for one in known)


def _moved(known: Known, steps: Sequence[Renaming], named: Named) -> Known:
    entry = known.entry
    for step in steps:
        violation = entry.violation
        if violation.oracle in step.oracles:
            oracle, name = step.oracles[violation.oracle]
            violation = replace(violation, oracle=oracle, name=name)
        symptom = step.symptoms.get((violation.oracle, violation.symptom), violation.symptom)
        violation = replace(violation, symptom=symptom)
        fingerprint = step.fingerprints.get(entry.fingerprint)
        if fingerprint is None:
            same = violation == entry.violation
            fingerprint = entry.fingerprint if same else named(violation, known.case)
        entry = replace(entry, violation=violation, fingerprint=fingerprint)
    return replace(known, entry=entry)


def match(known: Iterable[Known], finding: Finding) -> Known | None:
    """The entry that a finding is, or adds to; None for what nobody accepted.

    Equal fingerprint, else the same symptom by a case that the entry names, or by the same broken rules. The last is
    how one campaign merges findings; a baseline must not tell them apart either.
    """
    every = tuple(known)
    for one in every:
        if one.entry.fingerprint == finding.fingerprint:
            return one
    violation = finding.violation
    alike = [one for one in every if _same_symptom(one.entry.violation, violation)]
    for one in alike:
        if finding.original.id in one.entry.ids:
            return one
    shown = (_rules(finding.original), _rules(finding.case)) if finding.case.mutations else ()
    return next((one for one in alike if _rules(one.case) in shown), None)


def _same_symptom(one: Violation, other: Violation) -> bool:
    return (one.oracle, one.symptom) == (other.oracle, other.symptom)


def _rules(case: Case) -> frozenset[tuple[str, str]]:
    return frozenset((m.channel.value, m.keyword) for m in case.mutations)


def accept(finding: Finding, *, reason: str, today: date, expires: str | None, case: str) -> Entry:
    """A new entry for a finding; `expires` None means: in a while."""
    until = (today + ACCEPTED_FOR).isoformat() if expires is None else expires
    ids = dict.fromkeys((finding.original.id, finding.case.id, *finding.also))
    return Entry(
        fingerprint=finding.fingerprint,
        violation=finding.violation,
        case=case,
        reason=reason,
        accepted=today.isoformat(),
        expires=until,
        ids=tuple(ids),
    )


def killer_of_the_turn(known: Sequence[Known], turn: int) -> Known | None:
    """Which killer is played where the target cannot be restarted: one a run, each in its turn."""
    killers = sorted((k for k in known if k.entry.kills), key=lambda k: k.entry.fingerprint)
    return killers[turn % len(killers)] if killers else None
