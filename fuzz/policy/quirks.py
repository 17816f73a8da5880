"""Quirks: one check muted for one target, with a reason.

Knows patterns and facts of a target. What is muted is still listed, never silently dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from fnmatch import fnmatchcase

from fuzz.config import nearest
from fuzz.policy.flaw import Flaw, day, over
from fuzz.records import TargetFacts

WHO = ("vendor", "model", "firmware", "identity")
"""What a target is named by: shell patterns, all of those that are given must fit."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """`check` is the id of an oracle or of a case of the TLS lab, `expires` the last day on which it mutes."""

    check: str
    reason: str
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    identity: str = ""
    expires: str = ""

    def fits(self, facts: TargetFacts) -> bool:
        """True when this target is meant."""
        named = [(getattr(self, who), getattr(facts, who)) for who in WHO]
        return all(fnmatchcase(value, pattern) for pattern, value in named if pattern)

    @property
    def target(self) -> str:
        """Who is meant, in words."""
        return ", ".join(f"{who} {getattr(self, who)}" for who in WHO if getattr(self, who))


def quirks_from(value: Mapping[str, object], checks: Mapping[str, str]) -> tuple[Quirk, ...]:
    """The quirks in a file's tables; `checks` maps every name of a check to its id. Raises `Flaw`."""
    for table in value:
        if table != "quirk":
            raise Flaw(table, f"unknown table {table[:40]!r}; write [[quirk]]")
    entries = value.get("quirk", [])
    if not isinstance(entries, list):
        raise Flaw("quirk", "is not a list of tables; write [[quirk]]")
    return tuple(_quirk(entry, f"quirk {n}", checks) for n, entry in enumerate(entries, 1))


def _quirk(entry: object, place: str, checks: Mapping[str, str]) -> Quirk:
    known = [f.name for f in fields(Quirk)]
    if not isinstance(entry, dict):
        raise Flaw(place, "is not a table; write [[quirk]]")
    for key, value in entry.items():
        if key not in known:
            raise Flaw(place, f"unknown key {key[:40]!r}; {nearest(key, known)}")
        if key != "expires" and not isinstance(value, str):
            raise Flaw(f"{place}, {key}", f"is of type {type(value).__name__}; write a string")
    texts = {key: str(value).strip() for key, value in entry.items()}
    if not texts.get("reason"):
        raise Flaw(place, "has no reason; say why this check does not count here")
    if not any(texts.get(who) for who in WHO):
        raise Flaw(place, f"names no target; give one of {', '.join(WHO)}")
    check = texts.get("check", "")
    if check not in checks:
        raise Flaw(f"{place}, check", f"unknown check {check[:40]!r}; {nearest(check, checks)}")
    if expires := texts.get("expires", ""):
        day(expires, f"{place}, expires")
    return Quirk(**{**texts, "check": checks[check]})


def muting(quirks: Iterable[Quirk], check: str, facts: TargetFacts, today: date) -> Quirk | None:
    """The quirk that mutes a check for a target today, None when nothing does."""
    for quirk in quirks:
        if quirk.check == check and quirk.fits(facts) and not over(quirk.expires, today):
            return quirk
    return None
