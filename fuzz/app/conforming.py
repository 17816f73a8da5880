"""The conformance suite against a station: which tests apply, playing them, and the abstract.

Knows the PICS file, the catalogue and the arena. Must not know how anything is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fuzz.app.rig import dialled, key_for, lab_in
from fuzz.clock import Clock, SystemClock
from fuzz.config import RunOptions, host_and_port, password_of
from fuzz.conformance.arena import PASSWORD, Arena, EmbeddedArena, StandingArena, Subject
from fuzz.conformance.catalogue import Entry, applicable, catalogue, not_applicable
from fuzz.conformance.measure import LIMITS_S
from fuzz.conformance.registry import StationTest, written_tests
from fuzz.conformance.runner import Result, Verdict, play
from fuzz.errors import UsageError
from fuzz.pics.answers import Pics
from fuzz.pics.loading import load_pics
from fuzz.records import Effect
from fuzz.report.abstract import Abstract, ProfileCount, Row, Timing
from fuzz.station.planting import find_plants
from tlslab.pki import Lab

_PROFILES = {
    "LAL": "Local Authorization List Management",
    "SC": "Smart Charging",
    "ISO": "ISO 15118 Support",
}

Told = Callable[[Result], None]
Operator = Callable[[str, str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be played: tests that run by themselves, by hand, and ids that do not apply with their reasons.

    `unwritten` are those that apply to this station, but not to the reference station, and have no script.
    """

    automatic: tuple[Entry, ...]
    by_hand: tuple[Entry, ...]
    unwritten: tuple[Entry, ...]
    not_applicable: Mapping[str, str]
    asked_for_all: bool

    @property
    def tests(self) -> tuple[Entry, ...]:
        """Everything that is played."""
        return self.automatic + self.by_hand


def plan(pics: Pics, ids: Sequence[str], profile: str = "") -> Planned:
    """What applies to a station of these answers, limited to some ids and a certification profile.

    Raises:
        UsageError: an id is no station test, or does not apply.
    """
    items = answers(pics)
    excluded = not_applicable(items)
    _check(ids, excluded)
    written = written_tests()
    chosen = [
        e
        for e in applicable(items)
        if (not ids or e.id in ids) and (not profile or e.profile == profile)
    ]
    hands = {e.id for e in chosen if e.id in written and written[e.id].by_hand}
    return Planned(
        tuple(e for e in chosen if e.id in written and e.id not in hands),
        tuple(e for e in chosen if e.id in hands),
        tuple(e for e in chosen if e.id not in written),
        excluded,
        asked_for_all=not ids and not profile,
    )


def answers(pics: Pics) -> Mapping[str, bool]:
    """The answers that the catalogue asks for: the items, and what else of the file decides about tests."""
    profiles = {short: name in pics.certification_profiles for short, name in _PROFILES.items()}
    return {**pics.items, **profiles, "EVSES>1": len(pics.connectors) > 1}


def _check(ids: Sequence[str], excluded: Mapping[str, str]) -> None:
    known = {e.id for e in catalogue()}
    for id_ in ids:
        if id_ not in known:
            raise UsageError(f"{id_!r} is no station test; --list shows them all")
        if id_ in excluded:
            raise UsageError(f"{id_} does not apply to this station: {excluded[id_]}")


def conform(
    options: RunOptions,
    pics: str,
    ids: Sequence[str] = (),
    *,
    profile: str = "",
    jobs: int = 2,
    told: Told,
    operator: Operator | None = None,
) -> tuple[Abstract, list[Result]]:
    """Play the tests against the embedded station, or against the one that `options.listen` waits for.

    `operator` has a person do something at a real station; None means that nobody is there.
    Raises `OcppfuzzError` for everything that we could not do.
    """
    _refuse_unused(options)
    declared = load_pics(pics)
    find_plants(options.defects, options.decoys)  # an unknown name is told before a process starts
    planned = plan(declared, ids, profile)
    clock = SystemClock()
    began = clock.monotonic()
    work = _play(options, declared, planned, clock, jobs, told, operator)
    results = [*asyncio.run(work), *(_unwritten(entry) for entry in planned.unwritten)]
    return _abstract(declared, planned, results, clock.monotonic() - began), results


def _refuse_unused(options: RunOptions) -> None:
    """What the suite would not heed is refused, not passed over in silence."""
    if options.security_profile == 0:
        raise UsageError("the conformance tests know security profiles 1, 2 and 3; choose one")
    if options.ca or options.cert or options.key:
        raise UsageError(
            "the conformance suite makes its own certificates; leave --ca, --cert and --key away"
        )


def _unwritten(entry: Entry) -> Result:
    return Result(entry.id, Verdict.NOT_RUN, 0, 0.0, "this test has no script yet")


async def _play(
    options: RunOptions,
    pics: Pics,
    planned: Planned,
    clock: Clock,
    jobs: int,
    told: Told,
    operator: Operator | None,
) -> list[Result]:
    written = written_tests()
    tests: list[tuple[StationTest, int]] = [
        (written[e.id], written[e.id].profile(options.security_profile)) for e in planned.tests
    ]
    subject = Subject(
        pics=pics.name,
        items=answers(pics),
        connectors=pics.connectors,
        identity=options.identity or pics.serial,
        edition=options.edition,
        defects=options.defects,
        decoys=options.decoys,
    )
    async with _arena(options, pics, subject, clock, operator) as arena:
        return await play(tests, arena, clock, jobs=1 if options.listen else jobs, told=told)


@contextlib.asynccontextmanager
async def _arena(
    options: RunOptions,
    pics: Pics,
    subject: Subject,
    clock: Clock,
    operator: Operator | None,
) -> AsyncIterator[Arena]:
    if options.listen is None:
        with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
            lab = Lab.create(
                Path(folder), serial=subject.identity, station_key=key_for(pics), now=clock.now()
            )
            yield EmbeddedArena(subject, clock, lab)
        return
    host, port = host_and_port(options.listen)
    lab = lab_in(options.findings_dir / "private" / "pki", host, subject.identity)
    arena = StandingArena(
        subject,
        clock,
        lab,
        host=host,
        port=port,
        name=dialled(host),
        profile=options.security_profile,
        password=password_of(options) or PASSWORD,
        operator=operator,
        wait_s=options.wait_s,
        allowed=[Effect(name) for name in options.allow],
    )
    try:
        yield arena
    finally:
        await arena.aclose()


def _abstract(pics: Pics, planned: Planned, results: Sequence[Result], seconds: float) -> Abstract:
    boot = next((r.boot for r in results if r.boot is not None), None)
    subject = {
        "Product type": "Charging Station",
        "Identity": boot.serial or pics.serial if boot else pics.serial,
        "Vendor": boot.vendor if boot else "",
        "Model": boot.model if boot else "",
        "Firmware": boot.firmware if boot else "",
        "PICS": pics.name,
    }
    return Abstract(
        subject,
        tuple(_counts(name, planned, results) for name in dict.fromkeys(_profiles())),
        tuple(Row(r.id, r.verdict, r.text) for r in results if r.verdict is not Verdict.PASSED),
        tuple(Row(r.id, r.verdict, text) for r in results for text in dict.fromkeys(r.judgements)),
        _timings(results),
        seconds,
        planned.asked_for_all,
    )


def _profiles() -> list[str]:
    return [e.profile for e in catalogue()]


def _counts(name: str, planned: Planned, results: Sequence[Result]) -> ProfileCount:
    of = {e.id for e in catalogue() if e.profile == name}
    found = [r.verdict for r in results if r.id in of]
    return ProfileCount(
        name,
        found.count(Verdict.PASSED),
        found.count(Verdict.FAILED),
        found.count(Verdict.NOT_RUN),
        len(of & set(planned.not_applicable)),
    )


def _timings(results: Sequence[Result]) -> tuple[Timing, ...]:
    return tuple(
        Timing(measure, limit, tuple(s for r in results for s in r.stopwatch.samples[measure]))
        for measure, limit in LIMITS_S.items()
    )
