"""Plays one case on a bench and judges what was seen of it; says beforehand why a case cannot be played.

Knows cases, benches and outcomes. Must not know how a bench does what it is told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from tlslab.notes import NotAsked, Unfinished
from tlslab.registry import Effect, Need, Side, TlsCase
from tlslab.seen import Seen
from tlslab.session import SessionError
from tlslab.verdict import Judged, Outcome, judge

HARMLESS = frozenset({Effect.NONE, Effect.VOLATILE})
"""What a case may do to a peer of somebody's without being told that it may."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known of the peer, and what may be done to it.

    `items` are its PICS answers, {} when none are known; `pairs` are `ecdsa`, `rsa` or both: the suites that it
    declares (C-41).
    """

    side: Side
    security_profile: int
    edition: str = "ed3"
    items: Mapping[str, bool] | None = None
    pairs: frozenset[str] = frozenset({"ecdsa", "rsa"})
    available: frozenset[Need] = frozenset()
    allowed: Collection[Effect] = HARMLESS


@dataclass(frozen=True, slots=True)
class Played:
    """One case, the facts, and what they mean; `plays` counts how often it was played with this outcome."""

    case: TlsCase
    seen: Seen
    judged: Judged
    plays: int = 1

    @property
    def outcome(self) -> Outcome:
        """What came of it."""
        return self.judged.outcome


class Bench(Protocol):
    """What a bench must let the lab do."""

    seen: Seen


def why_not_applicable(case: TlsCase, terms: Terms) -> str:
    """Why the case says nothing about this peer, with the PICS line; "" when it does."""
    if case.side is not terms.side:
        return f"it is about a {case.side}"
    if terms.security_profile not in case.profiles:
        wanted = " or ".join(map(str, sorted(case.profiles)))
        return f"security profile {wanted} only"
    if terms.edition not in case.editions:
        return f"edition {' or '.join(case.editions)} only"
    if case.suites and case.suites not in terms.pairs:
        return f"C-41: no {case.suites.upper()} suites are declared or offered"
    for item in case.items:
        name, wanted_yes = item.removeprefix("!"), not item.startswith("!")
        if (terms.items or {}).get(name, wanted_yes) is not wanted_yes:
            return f"{name} = {'No' if wanted_yes else 'Yes'}"
    return ""


def why_not_asked(case: TlsCase, terms: Terms) -> str:
    """Why the case cannot be played here although it applies; "" when it can."""
    if case.effect not in terms.allowed:
        return f"it would leave something behind; --allow {case.effect} lets it"
    missing = [need for need in case.needs if need not in terms.available]
    return f"needs {' and '.join(sorted(missing))}" if missing else ""


def skipped(case: TlsCase, terms: Terms) -> Judged | None:
    """The outcome of a case that is not played; None when it is to be played."""
    if reason := why_not_applicable(case, terms):
        return Judged(Outcome.NOT_APPLICABLE, texts=(reason,))
    if reason := why_not_asked(case, terms):
        return Judged(Outcome.NOT_ASKED, texts=(reason,))
    return None


async def play(case: TlsCase, bench: Bench) -> Played:
    """The case, played. Only what our own code does wrong is raised."""
    seen = bench.seen = Seen()
    try:
        await case.play(bench)
    except NotAsked as reason:
        return Played(case, seen, Judged(Outcome.NOT_ASKED, texts=(str(reason),)))
    except (Unfinished, SessionError) as why:
        seen.unfinished = str(why)
    return Played(case, seen, judge(seen, csms=case.side is Side.CSMS))


def agreed(first: Played, second: Played) -> Played:
    """What two plays of one case show together: a failure that does not repeat is none, and no success either."""
    if second.outcome is first.outcome:
        return replace(first, plays=first.plays + second.plays)
    text = f"{first.outcome} once, {second.outcome} when it was repeated"
    return Played(first.case, first.seen, Judged(Outcome.NOT_OBSERVED, first.judged.stage, (text,)))
