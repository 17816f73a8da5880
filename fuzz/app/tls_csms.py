"""The TLS lab towards a CSMS: our own reference endpoint, one for each security profile, or somebody's.

Knows which cases are played where. Must not know what a case does.
"""

from __future__ import annotations

from collections.abc import Sequence

from fuzz.app.tlsing import IRREVERSIBLE, Run, allowed_effects, grouped, wanted
from fuzz.lab.csmses import EVERYTHING, CsmsRig, embedded_csms, standing_csms
from tlslab.lab import Played, Terms, agreed, play
from tlslab.registry import Need, Side, TlsCase
from tlslab.suites import suite_name
from tlslab.verdict import Outcome


async def play_csms(run: Run, cases: Sequence[TlsCase]) -> None:
    """Every case, on a CSMS of ours or on the one that the options name."""
    if run.lab.with_secrets:
        run.notes.append("secrets of handshakes are kept of Charging Stations only")
    if run.options.target is None:
        await _play_embedded(run, cases)
        return
    rig = await standing_csms(run.options, run.lab, run.clock)
    run.notes += rig.notes
    profile = run.options.security_profile
    terms = _terms(run, profile, rig.bench.available, own=False)
    await _through(run, rig, wanted(run, cases, terms))


async def _play_embedded(run: Run, cases: Sequence[TlsCase]) -> None:
    for profile, fresh, group in grouped(cases, run.options.security_profile):
        some = wanted(run, group, _terms(run, profile, EVERYTHING, own=True))
        for batch in [[case] for case in some] if fresh else [some] if some else []:
            async with embedded_csms(
                profile, run.clock, edition=run.options.edition, defects=run.options.defects
            ) as rig:
                await _through(run, rig, batch)


def _terms(run: Run, profile: int, available: frozenset[Need], *, own: bool) -> Terms:
    """What is known of the CSMS, and what may be done to it."""
    options = run.options
    return Terms(
        Side.CSMS,
        profile,
        options.edition,
        available=available,
        allowed=allowed_effects(options, own=own),
    )


async def _through(run: Run, rig: CsmsRig, cases: Sequence[TlsCase]) -> None:
    """Every case, one after the other, on one CSMS."""
    run.target = run.target or run.named(rig.facts())
    for case in cases:
        run.over(await _sure(run, rig, case), run.named(rig.facts()))
    run.observed = tuple(map(suite_name, rig.bench.suites_taken)) or run.observed


async def _sure(run: Run, rig: CsmsRig, case: TlsCase) -> Played:
    """The case, played; one that fails is played again, and counts only when it fails again."""
    began = run.clock.monotonic()
    played = await play(case, rig.bench)
    if played.outcome is Outcome.FAILED and case.effect not in IRREVERSIBLE:
        played = agreed(played, await play(case, rig.bench))
    played.seen.seconds = run.clock.monotonic() - began
    return played
