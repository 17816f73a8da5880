"""The lock: which checks, phases and cases count, so that an upgrade of the tool alone turns no build red.

Knows names only. What is newer than the lock is played and told, and does not count until the lock is updated.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fuzz.policy.flaw import Flaw

_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Lock:
    """What counts.

    `cases` maps a table, such as `systematic/Reset`, to the digests of its cases' ids, sorted and joined by blanks. Only
    cases that follow from the tool alone are in there: what a target's own answers lead to is not pinned. `night` are, in
    the same form, those that a pull request leaves for the night, handshakes among them. `tool` says who wrote it, for
    people.
    """

    tool: str
    checks: tuple[str, ...]
    phases: tuple[str, ...]
    cases: Mapping[str, str] = field(default_factory=dict)
    night: str = ""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What this version has that the lock has not, and how many locked cases it lacks."""

    checks: frozenset[str] = frozenset()
    phases: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()
    gone: int = 0

    def __bool__(self) -> bool:
        return bool(self.checks or self.phases or self.cases or self.gone)


def lock_of(
    tool: str,
    checks: Iterable[str],
    phases: Iterable[str],
    tables: Mapping[str, Iterable[str]],
    night: Iterable[str] = (),
) -> Lock:
    """A lock on everything that this version has; `tables` maps a table to the ids of its cases."""
    cases = {table: _digests(ids) for table, ids in tables.items()}
    return Lock(tool, tuple(sorted(checks)), tuple(sorted(phases)), cases, _digests(night))


def _digests(ids: Iterable[str]) -> str:
    return " ".join(sorted(map(digest, ids)))


def digest(case_id: str) -> str:
    """What stands for a case in a lock."""
    return hashlib.sha256(case_id.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]


def ahead(
    lock: Lock | None,
    checks: Iterable[str],
    phases: Iterable[str],
    tables: Mapping[str, Iterable[str]],
    played: Iterable[str] = (),
) -> Ahead:
    """What is newer than a lock; nothing where there is none.

    `played` are the ids of a short list: what the lock left for the night is new to it. A lock of before there was a
    short list left nothing.
    """
    if lock is None:
        return Ahead()
    locked = {table: set(text.split()) for table, text in lock.cases.items()}
    here: dict[str, set[str]] = defaultdict(set)
    night = set(lock.night.split())
    new = {id_ for id_ in played if digest(id_) in night}
    for table, ids in tables.items():
        for id_ in ids:
            here[table].add(digest(id_))
            if digest(id_) not in locked.get(table, ()):
                new.add(id_)
    return Ahead(
        frozenset(checks) - frozenset(lock.checks),
        frozenset(phases) - frozenset(lock.phases),
        frozenset(new),
        sum(len(digests - here[table]) for table, digests in locked.items()),
    )


def checked(lock: Lock) -> Lock:
    """The lock, when it can be one. Raises `Flaw`."""
    if not lock.checks:
        raise Flaw("/checks", "is empty; remove the file, or write it anew with --update-lock")
    return lock
