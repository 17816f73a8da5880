"""Where tests are played: a fresh embedded station for each, or one real station for all.

Knows how a station is started, configured for waiting little, and brought to its idle state. Must not know a test.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fuzz.clock import Clock
from fuzz.conformance import states
from fuzz.conformance.ports import Port, Terms
from fuzz.conformance.registry import StationTest
from fuzz.conformance.script import Csms, Failed, NotRun
from fuzz.errors import TargetUnavailable
from fuzz.records import Effect, Link
from fuzz.target.embedded import EmbeddedTarget
from strategies.labels import JsonObject
from tlslab.pki import Lab

IDENTITY = "OCPPFUZZ0001"
PASSWORD = "conformance-password"
BOOT_S = 20.0
BOOT_DELAY_S = 0.1
_SHORT_BACKOFF = {
    "RetryBackOffWaitMinimum": 1,
    "RetryBackOffRandomRange": 0,
    "RetryBackOffRepeatTimes": 0,
}
PATIENCE_S = 15.0
"""How long our own station is waited for: it does at once what it does at all."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is tested: the PICS answers of the station, and how it is to be spoken to."""

    pics: str = "dc-2evse-ccs1"
    items: Mapping[str, bool] = field(default_factory=dict)
    connectors: tuple[int, ...] = (1, 1)
    identity: str = IDENTITY
    edition: str = "ed3"
    defects: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()


class Arena(Protocol):
    """Gives every test its station in the idle state."""

    def station(
        self, test: StationTest, profile: int
    ) -> contextlib.AbstractAsyncContextManager[Csms]:
        """The scripted CSMS of one test, its station connected and booted."""
        ...


class EmbeddedArena:
    """A process of its own for every test, with ports, state and files that nobody shares."""

    def __init__(self, subject: Subject, clock: Clock, lab: Lab) -> None:
        self._subject = subject
        self._clock = clock
        self._lab = lab

    @contextlib.asynccontextmanager
    async def station(self, test: StationTest, profile: int) -> AsyncIterator[Csms]:
        """The scripted CSMS of one test; the process is gone when it is left."""
        with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
            place = _Place(self._lab, Path(folder), self._clock)
            s = place.csms = Csms(
                self._clock,
                place,
                identity=self._subject.identity,
                profile=profile,
                password=PASSWORD if profile < 3 else "",
                items=self._subject.items,
                connectors=self._subject.connectors,
                edition=self._subject.edition,
                patience_s=PATIENCE_S,
            )
            try:
                await self._start(place, s)
                with place.telling_why():
                    await idle(s)
                yield s
            finally:
                await place.aclose()

    async def _start(self, place: _Place, s: Csms) -> None:
        s.port = await place.further_port()
        await s.port.start(terms(s))
        profile = s.profile
        place.target = EmbeddedTarget(
            csms=s.port.url,
            identity=s.identity,
            security_profile=profile,
            ca=self._lab.root.certificate,
            certificate=self._lab.station.certificate,
            key=self._lab.station.key,
            password=PASSWORD if profile < 3 else None,
            defects=self._subject.defects,
            decoys=self._subject.decoys,
            backoff_min_s=None,
            backoff_range_s=None,
            boot_delay_s=BOOT_DELAY_S,
            state=place.folder / "state",
            pics=self._subject.pics,
            edition=self._subject.edition,
        )
        await place.target.start()


def terms(s: Csms, *, profile: int = 0) -> Terms:
    """What the scripted CSMS of this test asks of callers in a security profile, its own when none is named."""
    profile = profile or s.profile
    lab = s.place.lab
    pairs = ((lab.csms.certificate, lab.csms.key), (lab.csms_rsa.certificate, lab.csms_rsa.key))
    return Terms(
        certificates=pairs if profile > 1 else (),
        client_ca=lab.root.certificate if profile == 3 else None,
        passwords=s.passwords if profile < 3 else None,
        identities=frozenset({s.identity}),
    )


async def idle(s: Csms) -> None:
    """The station is booted, waits little before it reconnects, and nothing that it said so far counts."""
    try:
        await s.connected(within=BOOT_S)
        await states.booted(s)
        for name, value in _SHORT_BACKOFF.items():
            await s.set_variable("OCPPCommCtrlr", name, value)
    except Failed as failed:
        raise NotRun(f"the station did not reach its idle state: {failed}") from None
    s.forget()
    s.note_connection()


_DANGEROUS = frozenset({Effect.LOCK_OUT, Effect.ONE_WAY})
"""What no test may do to a station of somebody's without being told that it may."""


class StandingArena:
    """One real station for all tests, one after the other; `operator` has a person do something there."""

    def __init__(
        self,
        subject: Subject,
        clock: Clock,
        lab: Lab,
        *,
        host: str,
        port: int,
        name: str,
        profile: int,
        password: str,
        operator: Callable[[str, str], Awaitable[bool]] | None,
        wait_s: float,
        allowed: Collection[Effect] = (),
    ) -> None:
        self._allowed = frozenset(allowed)
        self._attended = operator is not None
        self._subject, self._clock, self._profile = subject, clock, profile
        self._password, self._wait_s = password, wait_s
        self._place = _StandingPlace(lab, clock, host, name, operator or _nobody)
        self._passwords: dict[str, str | None] = {subject.identity: password}
        self._number = port
        self._port: Port | None = None
        self._short_backoff: dict[str, tuple[JsonObject, str]] = {}

    @contextlib.asynccontextmanager
    async def station(self, test: StationTest, profile: int) -> AsyncIterator[Csms]:
        """The scripted CSMS of one test; the station is reset before it, and its variables set back behind it."""
        if test.effect in _DANGEROUS - self._allowed:
            raise NotRun(
                f"the station would keep what it does; allow = ['{test.effect}'] permits it"
            )
        if test.by_hand and not self._attended:
            raise NotRun(f"needs somebody at the station: {', '.join(test.needs)}")
        if profile != self._profile:
            raise NotRun(f"needs security profile {profile}; the station is in {self._profile}")
        place, s = self._place, self._new_csms()
        with tempfile.TemporaryDirectory(prefix="ocppfuzz-") as folder:
            place.folder = Path(folder)
            try:
                await self._begin(s)
                yield s
            finally:
                self._password = s.password or self._password
                with contextlib.suppress(Failed):
                    await s.restore()
                await s.aclose()

    async def _begin(self, s: Csms) -> None:
        if self._port is None:
            self._port = await self._place.further_port(self._number)
            await self._port.start(terms(s))
        s.port = self._port
        try:
            await s.connected(within=self._wait_s)
            await states.reset(s)
        except Failed as failed:
            raise NotRun(f"the station did not reach its idle state: {failed}") from None
        await idle(s)
        # The short back-off holds for all tests, or each of them would wait for the long one.
        self._short_backoff = s.before | self._short_backoff
        s.before = {}

    def _new_csms(self) -> Csms:
        made = self._place.csms = Csms(
            self._clock,
            self._place,
            identity=self._subject.identity,
            profile=self._profile,
            password=self._password if self._profile < 3 else "",
            items=self._subject.items,
            connectors=self._subject.connectors,
            edition=self._subject.edition,
        )
        made.passwords = self._passwords
        return made

    async def aclose(self) -> None:
        """The station waits as long as before, and nobody listens any more."""
        if self._short_backoff:
            s = self._new_csms()
            s.before = self._short_backoff
            with contextlib.suppress(Failed):
                await s.connected()
                await s.restore()
            await s.aclose()
        await self._place.aclose()


async def _nobody(_event: str, _argument: str) -> bool:
    return False


class _StandingPlace:
    """What stands around a real station."""

    lasting = True

    def __init__(
        self,
        lab: Lab,
        clock: Clock,
        host: str,
        name: str,
        operator: Callable[[str, str], Awaitable[bool]],
    ) -> None:
        self.lab = lab
        self.folder = Path()
        self.csms: Csms | None = None
        self._clock, self._host, self._name = clock, host, name
        self._operator = operator
        self._ports: list[Port] = []

    async def operator(self, event: str, argument: str) -> bool:
        """A person is asked; False when there is none."""
        return await self._operator(event, argument)

    async def further_port(self, number: int = 0) -> Port:
        """A port of the address that the station dials."""
        port = Port(self._host, number, self._clock, self._arrived, name=self._name)
        self._ports.append(port)
        return port

    async def _arrived(self, link: Link, port: Port) -> None:
        if self.csms is not None:
            await self.csms.arrived(link, port)

    async def aclose(self) -> None:
        """The ports are gone."""
        for port in self._ports:
            await port.aclose()


class _Place:
    """What stands around one embedded station."""

    lasting = False

    def __init__(self, lab: Lab, folder: Path, clock: Clock) -> None:
        self.lab = lab
        self.folder = folder
        self.target: EmbeddedTarget | None = None
        self.csms: Csms | None = None
        self._clock = clock
        self._ports: list[Port] = []

    @contextlib.contextmanager
    def telling_why(self) -> Iterator[None]:
        """A process of ours that never came: its last words are the best explanation."""
        try:
            yield
        except NotRun as reason:
            last = next(reversed(self.target.log_lines()), "") if self.target else ""
            raise NotRun(f"{reason}; its last output: {last}") from None

    async def operator(self, event: str, argument: str) -> bool:
        """A line on the console of the process."""
        return self.target is not None and await self.target.operator(event, argument)

    async def further_port(self, number: int = 0) -> Port:
        """A port of the loopback interface."""
        if self.csms is None:
            raise TargetUnavailable("no scripted CSMS to answer at that port")
        port = Port("127.0.0.1", number, self._clock, self.csms.arrived)
        self._ports.append(port)
        return port

    async def aclose(self) -> None:
        """The process, the ports and the connections are gone."""
        if self.target is not None:
            await self.target.stop()
        if self.csms is not None:
            await self.csms.aclose()
        for port in self._ports:
            await port.aclose()
