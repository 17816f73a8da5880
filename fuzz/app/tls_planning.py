"""What a run of the TLS lab would ask for, before it begins: cases, reconnects, hands and time. Nothing is sent.

Knows the estimate of the lab. What is not known of a station yet is assumed, and said so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fuzz.app.rig import DEFAULT_PICS
from fuzz.app.tls_checking import check_options
from fuzz.app.tlsing import chosen, grouped, side_of, terms_of
from fuzz.config import RunOptions
from fuzz.lab.options import LabOptions
from fuzz.pics.answers import Pics
from fuzz.pics.loading import load_pics
from fuzz.report.tls import duration
from tlslab.bench import Station
from tlslab.estimate import Estimate, estimate
from tlslab.lab import skipped
from tlslab.registry import Side, TlsCase
from tlslab.suites import code_of

OWN_RECONNECT_S = 1.0
TUNED_RECONNECT_S = 2.0
USUAL_RECONNECT_S = 30.0
USUAL_DOUBLINGS = 3
VISIT_S = 0.05
VISITS = 6
"""A CSMS is visited about so often by a case, and answers at once."""


@dataclass(frozen=True, slots=True)
class LabPlan:
    """What would be played: `not_played` counts the others by reason; `assumed` says what the time rests on."""

    cases: tuple[str, ...]
    not_played: tuple[tuple[str, int], ...]
    estimate: Estimate
    assumed: str


def plan_tls(options: RunOptions, lab: LabOptions) -> LabPlan:
    """The plan of a run. Raises `UsageError` when no case fits."""
    check_options(options, lab)
    side = side_of(options, lab)
    cases = chosen(lab, side)
    if side is Side.CSMS:
        return _for_csms(cases)
    return asyncio.run(_for_station(options, lab, cases))


def _for_csms(cases: Sequence[TlsCase]) -> LabPlan:
    seconds = len(cases) * VISITS * VISIT_S
    told = Estimate(seconds, len(cases) * VISITS, 0)
    return LabPlan(tuple(c.id for c in cases), (), told, "a CSMS that answers at once")


async def _for_station(options: RunOptions, lab: LabOptions, cases: Sequence[TlsCase]) -> LabPlan:
    own, pics = options.listen is None, _pics_of(options, lab)
    wanted, left = _asked(options, pics, cases)
    reconnect_s, doublings, assumed = _assumed(own=own, tuned=lab.tune)
    total = Estimate()
    for profile in sorted({profile for profile, _ in wanted}):
        some = [case for where, case in wanted if where == profile]
        total += await estimate(
            some,
            station_for(pics, profile, options.edition),
            reconnect_s=reconnect_s,
            repeat_times=doublings,
            fast=lab.fast,
        )
    return LabPlan(tuple(c.id for _, c in wanted), tuple(left.most_common()), total, assumed)


def _pics_of(options: RunOptions, lab: LabOptions) -> Pics | None:
    name = lab.declared if options.listen is not None else options.pics or DEFAULT_PICS
    return load_pics(name) if name else None


def _asked(
    options: RunOptions, pics: Pics | None, cases: Sequence[TlsCase]
) -> tuple[list[tuple[int, TlsCase]], Counter[str]]:
    """What is played of a station, with its security profile, and how much is not, by reason."""
    wanted: list[tuple[int, TlsCase]] = []
    left: Counter[str] = Counter()
    for profile, _, group in grouped(cases, options.security_profile):
        for case in group:
            why = skipped(case, terms_of(options, pics, profile, own=options.listen is None))
            if why is None:
                wanted.append((profile, case))
            else:
                left[f"{why.outcome}: {'; '.join(why.texts)}"] += 1
    return wanted, left


def asked(options: RunOptions, lab: LabOptions, cases: Sequence[TlsCase]) -> int:
    """How many of the cases would be played; of a CSMS it is not known before."""
    if side_of(options, lab) is Side.CSMS:
        return len(cases)
    return len(_asked(options, _pics_of(options, lab), cases)[0])


def cheapest_first(cases: Sequence[TlsCase]) -> list[TlsCase]:
    """Cases for a station in the order of the time that each takes alone, so that a short time shows the most."""
    return [case for _, _, case in sorted(asyncio.run(_priced(cases)))]


async def _priced(cases: Sequence[TlsCase]) -> list[tuple[float, int, TlsCase]]:
    priced = []
    for place, case in enumerate(cases):
        station = station_for(None, min(case.profiles), case.editions[0])
        cost = await estimate([case], station, reconnect_s=USUAL_RECONNECT_S, fast=True)
        priced.append((cost.seconds, place, case))
    return priced


def _assumed(*, own: bool, tuned: bool) -> tuple[float, int, str]:
    if own:
        return OWN_RECONNECT_S, 0, "our station comes back after 1 s"
    if tuned:
        return TUNED_RECONNECT_S, 0, "the station takes a back-off of 1 s and is back after 2 s"
    return (
        USUAL_RECONNECT_S,
        USUAL_DOUBLINGS,
        "the station is back after 30 s, and waits twice as long after each failure, three times",
    )


def station_for(pics: Pics | None, profile: int, edition: str) -> Station:
    """What is known of a station before it has called."""
    codes = [code_of(name) for name in pics.cipher_suites] if pics else []
    return Station(
        host="localhost",
        serial=pics.serial if pics else "CS",
        organization="",
        security_profile=profile,
        edition=edition,
        suites=tuple(code for code in codes if code is not None),
        items=dict(pics.items) if pics else {},
    )


def plan_lines(options: RunOptions, lab: LabOptions) -> list[str]:
    """The plan for people."""
    plan = plan_tls(options, lab)
    told = plan.estimate
    lines = [
        f"{len(plan.cases)} cases would be played: {', '.join(plan.cases)}",
        f"about {duration(told.seconds)}, {told.reconnects} connections, {told.operator_actions} things to do by hand",
        f"assumed: {plan.assumed}",
    ]
    lines += [f"{count} not played: {why}" for why, count in plan.not_played]
    return [*lines, "nothing was sent"]
