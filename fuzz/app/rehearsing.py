"""Our own station in memory, with somebody who operates it, on a clock that only jumps: whole scenes in milliseconds.

What a campaign's executor plays on, without process and socket; every message, and everything that an operator does, takes a
moment of its own, so that what may cross does. Knows the station and the engine. Must not know what is looked for: tests
of oracles and scenes do, which play thousands.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import selectors
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from fuzz.app.campaign import prepare
from fuzz.csms.voice import CsmsVoice
from fuzz.engine.baseline import learn_volatile
from fuzz.engine.executor import Executor
from fuzz.engine.line import Pace, Wiring
from fuzz.engine.staging import effect
from fuzz.errors import UsageError
from fuzz.oracles.registry import judge
from fuzz.pics.loading import load_pics
from fuzz.records import (
    Ability,
    Case,
    Close,
    LinkClosed,
    Observation,
    ProcessEnd,
    Side,
    Step,
    TargetFacts,
    Violation,
)
from fuzz.station.bench import BENCH_TIME
from fuzz.station.console import check, parse
from fuzz.station.core import Station
from fuzz.station.events import (
    BytesReceived,
    CloseConnection,
    Command,
    Connect,
    Connected,
    CutNetwork,
    Disconnected,
    Download,
    DropConnection,
    Event,
    Failure,
    Later,
    PowerCycle,
    PowerOn,
    Reboot,
    RestoreNetwork,
    SendText,
    TextReceived,
    Tick,
    TransferDone,
    Upload,
)
from fuzz.station.planting import find_plants
from fuzz.station.settings import Settings
from fuzz.target.nothing import NoTarget
from fuzz.transport.memory import MemoryDoor, MemoryLink
from strategies.jobs import jobs
from strategies.labels import Channel, Expectation, Mutation, Position, Stance, Tier
from strategies.meetings import meetings
from strategies.moves import Tell, flat
from strategies.pool import Pool
from strategies.sequences import Place, Scenario, scenarios
from strategies.sessions import sessions
from strategies.version import version

T = TypeVar("T")

SLOWEST_S = 0.003
"""How long a message, or a word of the operator, takes at most."""

_TALK = (SendText, CloseConnection, DropConnection)
_News = Event | tuple[MemoryLink, str | bytes | None]
"""An event, or what came over a link: a message, or None for its end."""


# --- time that only jumps ---------------------------------------------------------------------------------------


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop for work without sockets: when nothing is left to be done, it is the next deadline already."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """Seconds since it was made, however few of them have passed."""
        return self.now


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found and timeout is None:
            raise AssertionError("everybody waits for somebody else, for ever")
        if not found and timeout:
            self._loop.now += timeout
        return found


class LoopClock:
    """The loop's time, and the moment when every bench begins."""

    def monotonic(self) -> float:
        """Seconds of the loop that runs."""
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.fromtimestamp(BENCH_TIME, UTC) + timedelta(seconds=self.monotonic())


# --- the station -------------------------------------------------------------------------------------------------


class _Way:
    """What is put in at one end comes out at the other, in its order, after a moment that differs each time."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._last = 0.0

    def send(self, act: Callable[..., object], *words: object) -> None:
        loop = asyncio.get_running_loop()
        self._last = max(loop.time() + self._rng.uniform(0.0, SLOWEST_S), self._last + 1e-6)
        loop.call_at(self._last, act, *words)


class OperatedStation(NoTarget):
    """The reference station as a target that we own, with an operator, without process and socket."""

    name = "station in memory"
    owned = True
    abilities = frozenset(
        {Ability.START, Ability.STOP, Ability.KILL, Ability.ALIVE, Ability.OPERATOR}
    )

    def __init__(
        self, door: MemoryDoor, pics: str, rng: random.Random, defects: Sequence[str] = ()
    ) -> None:
        self._door = door
        self._pics = load_pics(pics)
        self._rng = rng
        self._plants = find_plants(defects, ())
        self._ids = itertools.count(1)
        self._life: asyncio.Task[None] | None = None
        self._readers: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Switch it on, as it came out of the factory."""
        await self.stop()
        settings = Settings(
            ids=lambda: f"s{next(self._ids)}",
            random=lambda: 0.5,
            backoff_min_s=0.0,
            backoff_range_s=0.0,
            csms="ws://localhost:1/ocpp",
            password="ocppfuzz-embedded-password",
        )
        self._station = Station(version(), self._pics, settings, plants=self._plants)
        self._news: asyncio.Queue[_News] = asyncio.Queue()
        self._link: MemoryLink | None = None
        self._console = _Way(self._rng)
        self._network = True
        self._up_at: float | None = None
        self._missed: list[Event] = []
        self._later: list[tuple[float, Sequence[Command]]] = []
        self._life = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Switch it off for good. Raises what the station died of, which nothing may make it do."""
        if self._life is None:
            return
        tasks = {self._life, *self._readers}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if not self._life.cancelled():
            self._life.result()
        if self._link is not None:
            await self._link.abort()

    kill = stop

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        """How it ended, None while it lives. Raises what it died of."""
        if timeout_s:
            await asyncio.sleep(timeout_s)
        if self._life is None or not self._life.done():
            return None
        if not self._life.cancelled():
            self._life.result()
        return ProcessEnd(-15)

    async def operator(self, event: str, argument: str = "") -> bool:
        """True for what can be done at it, which happens a moment later."""
        try:
            happening = parse(f"{event} {argument}".strip())
            assert happening is not None
            check(happening, self._pics)
        except UsageError:
            return False
        self._console.send(self._news.put_nowait, happening)
        return True

    # --- one event after the other ---

    def _now(self) -> float:
        return BENCH_TIME + asyncio.get_running_loop().time()

    async def _live(self) -> None:
        self._do_all(self._handle(PowerOn()))
        while True:
            self._do_all(await self._next())

    def _handle(self, event: Event) -> Sequence[Command]:
        return self._station.handle(event, self._now())

    async def _next(self) -> Sequence[Command]:
        moments = [when for when, _ in self._later]
        if self._up_at is not None:
            moments = [self._up_at]
        elif self._station.deadline is not None:
            moments.append(self._station.deadline)
        wait_s = min(moments) - self._now() if moments else None
        if wait_s is not None and wait_s <= 1e-6:
            return self._tick()
        try:
            async with asyncio.timeout(wait_s):
                return self._hear(await self._news.get())
        except TimeoutError:
            return ()

    def _tick(self) -> Sequence[Command]:
        if self._up_at is not None:
            self._up_at = None
            commands = list(self._handle(PowerOn()))
            while self._missed:
                commands += self._happened(self._missed.pop(0))
            return commands
        now = self._now() + 1e-6
        due = [command for when, commands in self._later if when <= now for command in commands]
        self._later = [entry for entry in self._later if entry[0] > now]
        return [*due, *self._station.handle(Tick(), now)]

    def _hear(self, news: _News) -> Sequence[Command]:
        if not isinstance(news, tuple):
            return self._happened(news)
        link, message = news
        if link is not self._link:
            return ()
        if message is None:
            return self._lost()
        return self._handle(
            TextReceived(message) if isinstance(message, str) else BytesReceived(message)
        )

    def _happened(self, event: Event) -> Sequence[Command]:
        if isinstance(event, TransferDone | Connected | Disconnected):
            if self._up_at is not None:
                return ()
            if isinstance(event, Connected):
                return self._dialled()
            return self._handle(event)
        if self._up_at is not None and not isinstance(event, PowerCycle):
            self._missed.append(event)
            return ()
        if isinstance(event, CutNetwork | RestoreNetwork):
            self._network = isinstance(event, RestoreNetwork)
        return self._handle(event)

    def _dialled(self) -> Sequence[Command]:
        if not self._network:
            return self._handle(Disconnected(Failure.UNREACHABLE))
        if self._link is not None:
            return ()
        self._link = self._door.connect()
        self._out = _Way(self._rng)
        reader = asyncio.create_task(self._read(self._link))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        return self._handle(Connected())

    async def _read(self, link: MemoryLink) -> None:
        way = _Way(self._rng)
        with contextlib.suppress(LinkClosed):
            while True:
                way.send(self._news.put_nowait, (link, await link.receive()))
        way.send(self._news.put_nowait, (link, None))

    def _do_all(self, commands: Sequence[Command]) -> None:
        pending = deque(commands)
        while pending:
            pending.extendleft(reversed(self._do(pending.popleft())))

    def _do(self, command: Command) -> Sequence[Command]:
        match command:
            case SendText(text) if self._link is not None:
                self._out.send(_say, self._link, text)
            case Connect():
                self._console.send(self._news.put_nowait, Connected())
            case CloseConnection(code) if self._link is not None:
                return self._hang_up(code)
            case DropConnection() if self._link is not None:
                return self._hang_up(1006)
            case Reboot(extra_s, abrupt):
                self._later.clear()
                self._up_at = self._now() + extra_s
                return self._hang_up(1006 if abrupt else 1001) if self._link is not None else ()
            case Later(delay_s, commands):
                self._later.append((self._now() + delay_s, commands))
            case Download(transfer) | Upload(transfer):
                done = TransferDone(transfer, failure="unreachable")
                self._console.send(self._news.put_nowait, done)
            case _:
                pass
        return ()

    def _hang_up(self, code: int) -> Sequence[Command]:
        assert self._link is not None
        self._out.send(_close, self._link, code)
        return self._lost()

    def _lost(self) -> Sequence[Command]:
        self._link = None
        self._later = [
            (when, [c for c in commands if not isinstance(c, _TALK)])
            for when, commands in self._later
        ]
        return self._handle(Disconnected())


def _say(link: MemoryLink, text: str) -> None:
    if link.closed is None:
        link._peer._arrive(text)


def _close(link: MemoryLink, code: int) -> None:
    link._end(Close(code, "", by_target=False))
    link._peer._end(Close(code, "", by_target=True))


# --- playing them -------------------------------------------------------------------------------------------------


def case_of(told: Scenario, played: Sequence[Step]) -> Case:
    """The case that a campaign makes of a scenario, with these steps instead of its own."""
    answers = any(isinstance(m, Tell) and m.text[:2] != "[2" for m in flat(told.moves))
    return Case(
        id=f"rehearsal/{told.name}",
        side=Side.STATION,
        steps=tuple(played),
        expectation=Expectation(Stance.UNSPECIFIED, Tier.MODEL),
        effect=effect(told.moves),
        position=Position.CALLRESULT if answers else Position.CALL,
        mutations=(Mutation(Channel.PAYLOAD, "", "scenario", told.name),),
    )


@contextlib.asynccontextmanager
async def station(
    pics: str, seed: int, defects: Sequence[str] = ()
) -> AsyncIterator[tuple[Executor, Pool]]:
    """An executor on a station in memory that was made ready as a campaign does it, and what the station named."""
    rng = random.Random(f"{seed}/way")
    door = MemoryDoor(Side.STATION)
    target = OperatedStation(door, pics, rng, defects)
    clock = LoopClock()
    facts = TargetFacts(side=Side.STATION, identity="OCPPFUZZ0001")
    wiring = Wiring(door, CsmsVoice(clock), target, clock, facts)
    await target.start()
    try:
        executor = Executor(wiring, Pace(come_back_s=30.0, boot_s=20.0))
        inventory = await prepare(executor, lambda event: None)
        volatile = await learn_volatile(executor, inventory.pool)
        executor.facts = replace(executor.facts, volatile=volatile)
        yield executor, inventory.pool
    finally:
        await target.stop()


def run(work: Coroutine[Any, Any, T]) -> T:
    """What comes of the work, on a loop of its own whose time jumps."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def told_at(pool: Pool) -> list[Scenario]:
    """Every scenario that a campaign plays at a station that named this."""
    place = Place(pool)
    scenes = (*scenarios(place), *meetings(place, changes=True))
    return [*scenes, *jobs(place, changes=True), *sessions(place)]


async def play(executor: Executor, case: Case) -> tuple[Observation, Sequence[Violation]]:
    """What a station that was just started shows of a case, and what is said of it."""
    await executor.restart()
    seen = await executor.play(case, linger=True)
    return seen, judge(seen, strict=True)
