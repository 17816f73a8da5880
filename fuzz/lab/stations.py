"""Charging Stations on the bench: our own as a process, or somebody's that dials in.

Knows how the lab server, the session and the bench are put together. Must not know a case.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fuzz.clock import Clock
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.lab.preparing import Habits, read_habits, refuse_wandering, tune
from fuzz.lab.session import StationSession
from fuzz.pics.answers import Pics
from fuzz.records import Side, Target, TargetFacts
from fuzz.target.embedded import EmbeddedTarget
from tlslab.authority import Authority
from tlslab.bench import FIRST_RECONNECT_S, Station, StationBench
from tlslab.describe import KeyKind
from tlslab.notes import Unfinished
from tlslab.pki import Credential, Lab
from tlslab.registry import Need
from tlslab.server import LabServer
from tlslab.session import SessionError
from tlslab.suites import code_of

PASSWORD = "ocppfuzz-tls-lab-password"
OWNER = "ocppfuzz-lab"
"""The OrganizationName of our own station, as it is made."""
BOOT_S = 20.0
BOOT_DELAY_S = 0.1

EVERYTHING = frozenset({Need.CA_KEY, Need.OPERATOR, Need.OCPP, Need.STATION_CA, Need.CLOCK})
"""What there is around our own station."""


@dataclass(frozen=True, slots=True)
class Material:
    """Whose certificates the lab uses.

    `authority` signs what the lab shows, None when all there is are `finished` certificates. `signer` is the CA of
    stations' certificates, `station_roots` (PEM) those under which the present one hangs.
    """

    lab: Lab
    authority: Authority | None
    signer: Authority | None
    finished: tuple[Credential, ...] = ()
    station_roots: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the lab listens, for whom, and under which name it is dialled."""

    host: str
    port: int
    name: str
    identity: str
    security_profile: int
    edition: str
    password: str | None = None
    wait_s: float = BOOT_S
    pics: Pics | None = None
    items: Mapping[str, bool] = field(default_factory=dict)
    defects: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()
    with_secrets: bool = False


@dataclass(slots=True, eq=False)
class StationRig:
    """A Charging Station that is connected and ready for the lab."""

    bench: StationBench
    session: StationSession
    habits: Habits
    notes: list[str] = field(default_factory=list)

    def facts(self) -> TargetFacts:
        """Who is attacked."""
        boot, station = self.session.csms.voice.facts.boot, self.bench.station
        return TargetFacts(
            side=Side.STATION,
            url=f"{self.bench.server.url}/{self.session.csms.identity}",
            identity=self.session.csms.identity,
            vendor=boot.vendor if boot else "",
            model=boot.model if boot else "",
            firmware=boot.firmware if boot else "",
            serial=boot.serial if boot else "",
            security_profile=station.security_profile,
            edition=station.edition,
        )


@contextlib.asynccontextmanager
async def embedded_station(
    place: Place,
    clock: Clock,
    key: KeyKind,
    *,
    fast: bool = False,
    tuned: bool = True,
    made: Callable[[Place, Lab, str, Path], Target] | None = None,
) -> AsyncIterator[StationRig]:
    """Our own reference station, with a lab of its own; both are gone when it is left.

    It is a process unless `made` makes it otherwise, out of the place, the lab, the URL and a folder for its state.
    """
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
        lab = Lab.create(
            Path(folder) / "pki",
            serial=place.identity,
            owner=OWNER,
            station_key=key,
            now=clock.now(),
        )
        root = lab.root.read()
        authority = Authority(root, now=clock.now)
        material = Material(lab, authority, authority, station_roots=(root.certificate,))
        targets: list[Target] = []

        async def operate(event: str, argument: str) -> bool:
            return bool(targets) and await targets[0].operator(event, argument)

        rig = await _opened(place, clock, material, Path(folder), operate, fast=fast)
        try:
            target = (made or _process)(place, lab, rig.bench.server.url, Path(folder) / "state")
            targets.append(target)
            await target.start()
            with _last_words(target):
                yield await _ready(rig, place, tuned=tuned, own=True)
        finally:
            for target in targets:
                await target.stop()
            await _closed(rig)


def _process(place: Place, lab: Lab, url: str, state: Path) -> Target:
    profile = place.security_profile
    return EmbeddedTarget(
        csms=url,
        identity=place.identity,
        security_profile=profile,
        ca=lab.root.certificate,
        certificate=lab.station.certificate,
        key=lab.station.key,
        password=place.password if profile < 3 else None,
        defects=place.defects,
        decoys=place.decoys,
        backoff_min_s=None,
        backoff_range_s=None,
        boot_delay_s=BOOT_DELAY_S,
        state=state,
        pics=place.pics.name if place.pics else None,
        edition=place.edition,
    )


@contextlib.contextmanager
def _last_words(target: Target) -> Iterator[None]:
    try:
        yield
    except TargetUnavailable as gone:
        last = next(reversed(target.log_lines()), "")
        raise TargetUnavailable(f"{gone}; its last output: {last}") from None


@contextlib.asynccontextmanager
async def standing_station(
    place: Place,
    clock: Clock,
    material: Material,
    *,
    operator: Callable[[str, str], Awaitable[bool]],
    available: frozenset[Need],
    tuned: bool,
    fast: bool,
    target: Target,
) -> AsyncIterator[StationRig]:
    """A station that somebody else runs and that dials in; what was set at it is set back in the end.

    `target` starts it where the user gave a command for that.
    """
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
        rig = await _opened(place, clock, material, Path(folder), operator, fast=fast)
        rig.bench.available = available
        try:
            if target.owned:
                await target.start()
            with _last_words(target):
                yield await _ready(rig, place, tuned=tuned, own=False)
        finally:
            await _closed(rig)
            await target.stop()


@contextlib.asynccontextmanager
async def connected_station(
    place: Place, clock: Clock, material: Material
) -> AsyncIterator[StationRig]:
    """A station that somebody else runs, connected as it is now and asked nothing yet; security profile 1 too."""
    with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
        rig = await _opened(place, clock, material, Path(folder), _nobody_there, fast=False)
        try:
            session = rig.session
            if not await rig.bench.server.until(lambda: session.connected, within=place.wait_s):
                raise TargetUnavailable(_nobody(rig.bench.server, place))
            yield rig
        finally:
            await _closed(rig)


async def _nobody_there(_event: str, _argument: str) -> bool:
    return False


async def _opened(
    place: Place,
    clock: Clock,
    material: Material,
    folder: Path,
    operator: Callable[[str, str], Awaitable[bool]],
    *,
    fast: bool,
) -> StationRig:
    """The lab listens with a good offer; nobody has called yet."""
    session = StationSession(
        clock,
        material.lab,
        folder,
        identity=place.identity,
        security_profile=place.security_profile,
        password=place.password,
        operator=operator,
        edition=place.edition,
    )
    await session.start()
    server = LabServer(
        place.host,
        place.port,
        session=session,
        name=place.name,
        monotonic=clock.monotonic,
        now=clock.now,
        keep_secrets=place.with_secrets,
    )
    bench = StationBench(
        _known(place, material),
        session,
        server,
        material.authority,
        clock.now,
        clock.monotonic,
        signer=material.signer,
        finished=material.finished,
        available=EVERYTHING,
        fast=fast,
    )
    server.offer = bench.offer()
    try:
        await server.start()
    except OSError as error:
        await session.aclose()
        raise UsageError(
            f"cannot listen on {place.host}:{place.port}: {error.strerror}; choose another --listen"
        ) from None
    return StationRig(bench, session, Habits())


def _known(place: Place, material: Material) -> Station:
    """What is known of the station before it has called."""
    return Station(
        host=place.name,
        serial=place.identity,
        organization="",
        security_profile=place.security_profile,
        edition=place.edition,
        suites=_codes(place.pics.cipher_suites) if place.pics else (),
        items=place.items,
        own_roots=material.station_roots,
    )


def _codes(names: tuple[str, ...]) -> tuple[int, ...]:
    found = [code_of(name) for name in names]
    return tuple(code for code in found if code is not None)


async def _ready(rig: StationRig, place: Place, *, tuned: bool, own: bool) -> StationRig:
    """The station has called, answers, and stays here. Raises `TargetUnavailable`, `UsageError`."""
    bench, session = rig.bench, rig.session
    if own:
        # It takes our first offer, and can be told to come back sooner before it has to come back at all. One with a
        # planted defect may want another form of the name.
        if not await bench.server.until(lambda: session.connected, within=place.wait_s):
            await _prepared(rig, place)
    else:
        if not await bench.server.until(lambda: bench.server.newest, within=place.wait_s):
            raise TargetUnavailable(_nobody(bench.server, place))
        await _prepared(rig, place, within=place.wait_s)
    try:
        habits = await read_habits(session)
        refuse_wandering(habits)
        rig.habits = await tune(session, habits) if tuned else habits
        organization = await session.get_variable("SecurityCtrlr", "OrganizationName")
    except SessionError as error:
        if own:
            raise TargetUnavailable(f"our station connected but does not answer: {error}") from None
        _without_ocpp(rig, error)
        organization = None
    if own or rig.habits.tuned:
        # It comes back sooner now than what was measured before, if anything was.
        bench.reconnect_s = FIRST_RECONNECT_S
        await _prepared(rig, place)
    boot = session.csms.voice.facts.boot
    bench.station = replace(
        bench.station,
        organization=organization or "",
        serial=(boot.serial if boot else "") or bench.station.serial,
    )
    return rig


def _without_ocpp(rig: StationRig, error: SessionError) -> None:
    """A client that speaks TLS but does not answer can still be shown certificates."""
    rig.bench.available -= {Need.OCPP, Need.STATION_CA}
    rig.notes.append(
        f"the station does not answer OCPP ({error}): only handshakes were judged, no security event could be seen, "
        "and nobody knows where else it would dial"
    )


async def _prepared(rig: StationRig, place: Place, *, within: float = 0.0) -> None:
    try:
        await rig.bench.prepare(within=within)
    except Unfinished:
        raise TargetUnavailable(_nobody(rig.bench.server, place)) from None


def _nobody(server: LabServer, place: Place) -> str:
    seen = server.newest
    what = (
        "nobody called; check that the station's CSMS URL is this one and that it can reach this machine"
        if seen is None
        else f"the last caller's connection came no further than S{int(seen.stage)}: {seen.error or 'no error told'}"
    )
    return f"no station connected to {server.url} within {place.wait_s:g} s: {what}"


async def _closed(rig: StationRig) -> None:
    with contextlib.suppress(SessionError):
        await rig.session.restore()
    await rig.session.drop()
    await rig.session.aclose()
    await rig.bench.server.aclose()
