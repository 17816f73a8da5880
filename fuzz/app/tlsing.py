"""The TLS lab from the options to the report: which cases, on which bench, what is kept of them.

Knows every seam's implementation. Must not know how anything is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from fuzz import store
from fuzz.app.dossier import files_of, signed
from fuzz.app.elsewhere import naming_of
from fuzz.app.rig import DEFAULT_PICS, dialled, how_to_dial, key_for, lab_in, started_by_user
from fuzz.app.tls_checking import check_options
from fuzz.clock import Clock, SystemClock, rfc3339
from fuzz.config import RunOptions, host_and_port, password_of
from fuzz.csms.defects import rewire
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.lab.findings import evidence_of, finding_of, played_to_json, symptom_of
from fuzz.lab.journal import Journal
from fuzz.lab.options import LabOptions
from fuzz.lab.stations import PASSWORD, Place, StationRig, embedded_station, standing_station
from fuzz.pics.answers import Pics
from fuzz.pics.loading import load_pics
from fuzz.records import TargetFacts
from fuzz.report.tls import TlsReport, TlsRow, duration
from fuzz.report.words import attacked, folder_name
from fuzz.station.planting import find_plants
from strategies.labels import JsonObject
from tlslab.estimate import estimate
from tlslab.lab import HARMLESS, Played, Terms, agreed, play, skipped
from tlslab.offers import ECDSA_SUITES, RSA_SUITES
from tlslab.registry import Effect, Need, Severity, Side, TlsCase, matching
from tlslab.suites import suite_name
from tlslab.verdict import Judged, Outcome

Told = Callable[[TlsRow, int, int], None]
Operator = Callable[[str, str], Awaitable[bool]]
IRREVERSIBLE = frozenset({Effect.LOCK_OUT, Effect.ONE_WAY})


@dataclass(slots=True, eq=False)
class Run:
    """What one run of the lab has gathered so far."""

    options: RunOptions
    lab: LabOptions
    clock: Clock
    told: Told
    note: Callable[[str], None]
    journal: Journal | None
    total: int
    rows: list[TlsRow] = field(default_factory=list)
    facts: list[JsonObject] = field(default_factory=list)
    target: TargetFacts | None = None
    observed: tuple[str, ...] = ()
    left_changed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, row: TlsRow) -> None:
        """A case is over."""
        self.rows.append(row)
        self.told(row, len(self.rows), self.total)

    def skip(self, case: TlsCase, judged: Judged) -> None:
        """A case is not played."""
        self.add(_row(case, judged))

    def named(self, target: TargetFacts) -> TargetFacts:
        """The target with how it was named."""
        naming = naming_of(self.options)
        if self.lab.self_test:
            naming = replace(naming, listen="", target="")
        return replace(target, naming=naming)

    def over(self, played: Played, target: TargetFacts) -> None:
        """A case was played: its finding is on disk before the next one begins."""
        row = _row(played.case, played.judged, played.seen.seconds)
        self.facts.append(played_to_json(played))
        if self.journal is not None:
            row = self._kept(played, target, row)
            self.journal.add(row)
        self.add(row)

    def _kept(self, played: Played, target: TargetFacts, row: TlsRow) -> TlsRow:
        if row.outcome != Outcome.FAILED:
            return row
        finding = finding_of(played, target, first_seen=rfc3339(self.clock.now()))
        root = self.options.findings_dir
        store.save_finding(signed(finding), root, render=files_of, evidence=evidence_of(played))
        return replace(row, folder=str(root / folder_name(finding)))


def tls(
    options: RunOptions,
    lab: LabOptions,
    *,
    told: Told,
    note: Callable[[str], None] = lambda _: None,
    operator: Operator | None = None,
    keep: bool = True,
) -> tuple[TlsReport, list[JsonObject]]:
    """Play the lab's cases against the peer that the options name; the report, and the facts of what was played.

    `note` is told what a person must know before anything is played. `operator` has a person do something at a station;
    None means that nobody is there. With `keep` False nothing is written, as when a finding is replayed. Raises
    `OcppfuzzError` for everything that we could not do.
    """
    check_options(options, lab)
    side = side_of(options, lab)
    cases = chosen(lab, side)
    _check_planted(options, side)
    clock = SystemClock()
    began = clock.monotonic()
    name = _name_of(options, lab)
    # A look at some cases must not cost what is known of a long run.
    journal = (
        Journal(options.findings_dir, name, resume=lab.resume, anew=not lab.only) if keep else None
    )
    run = Run(options, lab, clock, told, note, journal, len(cases))
    asyncio.run(_play(run, cases, side, operator))
    if journal is not None and not lab.only:
        journal.finished()
    return _report(run, clock.monotonic() - began), run.facts


def side_of(options: RunOptions, lab: LabOptions) -> Side:
    """Which end is under test."""
    return Side.CSMS if options.target is not None or lab.self_test == "csms" else Side.STATION


def chosen(lab: LabOptions, side: Side) -> tuple[TlsCase, ...]:
    """The cases of one side that the options ask for. Raises `UsageError` when there are none."""
    least = Severity[lab.severity.upper()]
    fitting = matching(lab.only)
    found = tuple(c for c in fitting if c.side is side and c.severity >= least)
    if not found:
        there = "none of this side" if fitting else "none at all"
        raise UsageError(
            f"no case fits {', '.join(lab.only) or lab.severity}: {there}; `ocppfuzz show tls-cases` lists them"
        )
    return found


def _check_planted(options: RunOptions, side: Side) -> None:
    """An unknown name is told before a process starts. Raises `UsageError`."""
    if side is Side.STATION:
        find_plants(options.defects, options.decoys)
    else:
        rewire(options.defects)
        if options.decoys:
            raise UsageError("decoys are planted in the embedded station only; leave them out")


def _name_of(options: RunOptions, lab: LabOptions) -> str:
    where = options.target or options.listen or lab.self_test or "embedded"
    built = f"{options.pics or ''} {','.join((*options.defects, *options.decoys))}"
    return (
        f"{where} {options.identity} {options.security_profile} {options.edition} {built}".strip()
    )


async def _play(run: Run, cases: Sequence[TlsCase], side: Side, operator: Operator | None) -> None:
    if side is Side.CSMS:
        from fuzz.app.tls_csms import play_csms

        await play_csms(run, cases)
    elif run.options.listen is None:
        await _play_embedded(run, cases)
    else:
        await _play_standing(run, cases, operator)


# --- our own station --------------------------------------------------------------------------------------


async def _play_embedded(run: Run, cases: Sequence[TlsCase]) -> None:
    pics = load_pics(run.options.pics or DEFAULT_PICS)
    turns = asyncio.Semaphore(run.lab.jobs)

    async def one(profile: int, some: Sequence[TlsCase]) -> None:
        place = _place(run.options, pics, profile, with_secrets=run.lab.with_secrets)
        async with (
            turns,
            embedded_station(place, run.clock, key_for(pics), fast=run.lab.fast) as rig,
        ):
            await _through(run, rig, some)

    pieces: list[tuple[int, Sequence[TlsCase]]] = []
    for profile, fresh, group in grouped(cases, run.options.security_profile):
        asked = wanted(run, group, terms_of(run.options, pics, profile, own=True))
        size = 1 if fresh else -(-len(asked) // run.lab.jobs)
        pieces += [(profile, asked[at : at + size]) for at in range(0, len(asked), max(size, 1))]
    await asyncio.gather(*(one(profile, some) for profile, some in pieces))


def grouped(cases: Sequence[TlsCase], profile: int) -> list[tuple[int, bool, tuple[TlsCase, ...]]]:
    """The cases by (security profile, on a station of its own): what cannot be undone is not for others to meet.

    A case is played in `profile` when it makes sense there, else in the highest that it names.
    """
    groups: dict[tuple[int, bool], list[TlsCase]] = {}
    for case in cases:
        where = profile if profile in case.profiles else max(case.profiles)
        groups.setdefault((where, case.effect in IRREVERSIBLE), []).append(case)
    order = sorted(groups.items(), key=lambda item: (item[0][0] != profile, item[0]))
    return [(where, fresh, tuple(found)) for (where, fresh), found in order]


def _place(options: RunOptions, pics: Pics, profile: int, *, with_secrets: bool = False) -> Place:
    return Place(
        host="127.0.0.1",
        port=0,
        name="localhost",
        identity=pics.serial,
        security_profile=profile,
        edition=options.edition,
        password=PASSWORD if profile < 3 else None,
        pics=pics,
        items=dict(pics.items),
        defects=options.defects,
        decoys=options.decoys,
        with_secrets=with_secrets,
    )


def terms_of(options: RunOptions, pics: Pics | None, profile: int, *, own: bool) -> Terms:
    """What is known of the station, and what may be done to it."""
    allowed = allowed_effects(options, own=own)
    pairs = {"ecdsa" if "ECDSA" in suite else "rsa" for suite in pics.cipher_suites} if pics else ()
    return Terms(
        Side.STATION,
        profile,
        options.edition,
        dict(pics.items) if pics else None,
        frozenset(pairs or ("ecdsa", "rsa")),
        frozenset(Need),
        allowed,
    )


def allowed_effects(options: RunOptions, *, own: bool) -> frozenset[Effect]:
    """What may be left behind at the peer; the lab knows no case that energises."""
    named = {Effect(name) for name in options.allow if name in set(Effect)}
    return frozenset(Effect) if own else HARMLESS | named


def wanted(run: Run, cases: Sequence[TlsCase], terms: Terms) -> list[TlsCase]:
    """The cases that are to be played; the others are told at once, finished ones as they were."""
    found = []
    for case in cases:
        finished = run.journal.rows if run.journal else {}
        done, why = finished.get(case.id), skipped(case, terms)
        if why is not None:
            run.skip(case, why)
        elif done is not None:
            run.add(done)
        else:
            found.append(case)
    return found


async def _through(run: Run, rig: StationRig, cases: Sequence[TlsCase]) -> None:
    """Every case, one after the other, on one station."""
    run.target = run.target or run.named(rig.facts())
    for case in cases:
        run.over(await _sure(run, rig, case), run.named(rig.facts()))
    newest = rig.bench.server.newest
    if newest is not None and newest.hello is not None:
        offered = [c for c in newest.hello.cipher_suites if c not in (0x00FF, 0x5600)]
        run.observed = tuple(suite_name(code) for code in offered)


async def _sure(run: Run, rig: StationRig, case: TlsCase) -> Played:
    """The case, played; one that fails is played again, and counts only when it fails again."""
    began = run.clock.monotonic()
    played = await play(case, rig.bench)
    if played.outcome is Outcome.FAILED and case.effect not in IRREVERSIBLE:
        played = agreed(played, await play(case, rig.bench))
    played.seen.seconds = run.clock.monotonic() - began
    return played


# --- somebody's station -----------------------------------------------------------------------------------


async def _play_standing(run: Run, cases: Sequence[TlsCase], operator: Operator | None) -> None:
    if not run.options.identity:
        raise UsageError("name the station with --identity: only who is named is attacked")
    pics = load_pics(run.lab.declared) if run.lab.declared else None
    profile = run.options.security_profile
    if profile not in (2, 3):
        raise UsageError("the TLS lab needs a station in security profile 2 or 3")
    async with _standing(run, pics, operator) as rig:
        terms = replace(
            terms_of(run.options, pics, profile, own=False),
            available=rig.bench.available,
            pairs=_pairs(rig.bench.station.suites),
        )
        run.notes += rig.notes
        if run.options.restart_cmd or run.options.on_stuck:
            run.notes.append(
                "the commands for a station that is stuck were not used: a campaign uses them"
            )
        asked = wanted(run, cases, terms)
        await _tell_time(run, rig, asked)
        await _through(run, rig, asked)
        run.left_changed += await rig.session.restore()


def _pairs(codes: Sequence[int]) -> frozenset[str]:
    """Which of A00.FR.319's pairs a station has; both when nothing is known."""
    found = {"ecdsa" for code in codes if code in ECDSA_SUITES}
    found |= {"rsa" for code in codes if code in RSA_SUITES}
    return frozenset(found or ("ecdsa", "rsa"))


async def _tell_time(run: Run, rig: StationRig, cases: Sequence[TlsCase]) -> None:
    """What is about to be asked of the station and of whoever stands beside it."""
    habits, bench = rig.habits, rig.bench
    told = await estimate(
        cases,
        bench.station,
        reconnect_s=bench.reconnect_s,
        repeat_times=habits.repeat_times,
        fast=bench.fast,
    )
    for line in habits.lines():
        run.note(f"the station says: {line}")
    run.note(
        f"{len(cases)} cases, about {duration(told.seconds)}, {told.reconnects} connections, {told.operator_actions} "
        f"things to do by hand; it came back after {bench.reconnect_s:.1f} s. Ctrl-C stops, --resume goes on"
    )


@contextlib.asynccontextmanager
async def _standing(
    run: Run, pics: Pics | None, operator: Operator | None
) -> AsyncIterator[StationRig]:
    from fuzz.app.tls_material import material_for

    options = run.options
    host, port = host_and_port(options.listen or "")
    name = run.lab.name or dialled(host)
    kept = lab_in(options.findings_dir / "private" / "pki", name, options.identity)
    material = material_for(options, run.lab, kept, run.clock)
    available = {Need.OCPP}
    available |= {Need.CA_KEY} if material.authority else set()
    available |= {Need.STATION_CA} if material.signer else set()
    available |= {Need.OPERATOR} if operator and run.lab.attended else set()
    place = Place(
        host=host,
        port=port,
        name=name,
        identity=options.identity,
        security_profile=options.security_profile,
        edition=options.edition,
        password=password_of(options) if options.security_profile == 2 else None,
        wait_s=options.wait_s,
        pics=pics,
        items=dict(pics.items) if pics else {},
        with_secrets=run.lab.with_secrets,
    )
    url = f"wss://{name}:{port}/ocpp"
    root = run.lab.root or (kept.root.certificate if material.authority else None)
    for line in how_to_dial(url, options, root):
        run.note(line)
    async with standing_station(
        place,
        run.clock,
        material,
        operator=operator or _nobody,
        available=frozenset(available),
        tuned=run.lab.tune,
        fast=run.lab.fast,
        target=started_by_user(options),
    ) as rig:
        yield rig


async def _nobody(_event: str, _argument: str) -> bool:
    return False


# --- the report -------------------------------------------------------------------------------------------


def _row(case: TlsCase, judged: Judged, seconds: float = 0.0) -> TlsRow:
    return TlsRow(
        id=case.id,
        topic=case.topic,
        title=case.title,
        outcome=str(judged.outcome),
        severity=case.severity.name.lower(),
        stage="" if judged.stage is None else f"S{int(judged.stage)}",
        clause=case.requirements,
        endangers=case.endangers,
        why=judged.texts,
        seconds=seconds,
        symptom=symptom_of(case, judged),
    )


def _report(run: Run, seconds: float) -> TlsReport:
    pics = run.options.pics or run.lab.declared or (DEFAULT_PICS if run.options.embedded else "")
    declared = load_pics(pics).cipher_suites if pics and not run.lab.self_test else ()
    if run.target is None and not run.rows:
        raise TargetUnavailable("nothing was played")
    return TlsReport(
        attacked=attacked(run.target) if run.target else "nobody: no case applied",
        rows=tuple(sorted(run.rows, key=lambda r: r.id)),
        declared=tuple(_iana(name) for name in declared),
        observed=run.observed,
        seconds=seconds,
        left_changed=tuple(run.left_changed),
        notes=tuple(run.notes),
        strict=run.options.strict,
        facts=run.target,
    )


def _iana(name: str) -> str:
    from tlslab.suites import code_of

    code = code_of(name)
    return name if code is None else suite_name(code)
