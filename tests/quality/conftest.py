"""What quality tests share: the reference station behind an in-memory door, attacked as the command line would do it."""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence

import pytest

from fuzz.app.campaign import campaign_on
from fuzz.app.rig import Rig
from fuzz.clock import SystemClock
from fuzz.config import RunOptions
from fuzz.csms.voice import CsmsVoice
from fuzz.engine.line import Pace, Wiring
from fuzz.pics.loading import load_pics
from fuzz.records import Ability, LinkClosed, ProcessEnd, Side, Summary, TargetFacts
from fuzz.station.core import Station
from fuzz.station.events import (
    BytesReceived,
    CloseConnection,
    Command,
    Connect,
    Connected,
    Disconnected,
    Event,
    Exit,
    PowerOn,
    Reboot,
    SendText,
    TextReceived,
    Tick,
)
from fuzz.station.planting import find_plants
from fuzz.station.settings import Settings
from fuzz.transport.memory import MemoryDoor, MemoryLink
from strategies.version import version


class _Dead(Exception):
    """A planted defect ended the process."""


class MemoryStation:
    """The reference station as a target that we own, without process and socket; implements `Target`."""

    name = "station in memory"
    owned = True
    abilities = frozenset({Ability.START, Ability.STOP, Ability.KILL, Ability.ALIVE})

    def __init__(self, door: MemoryDoor, defects: Sequence[str]) -> None:
        self._door = door
        self._plants = find_plants(defects, ())
        self._link: MemoryLink | None = None
        self._life: asyncio.Task[None] | None = None
        self._end: asyncio.Future[ProcessEnd] | None = None

    async def start(self) -> None:
        await self.stop()
        self._end = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(self._end))

    async def stop(self) -> None:
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})

    kill = stop

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        if self._end is None:
            return None
        await asyncio.wait({self._end}, timeout=timeout_s)
        return self._end.result() if self._end.done() else None

    async def operator(self, event: str, argument: str = "") -> bool:
        return False

    def memory(self) -> int | None:
        return None

    def figures(self) -> None:
        return None

    def log_lines(self) -> Sequence[str]:
        return ()

    def log_since(self, mark: int) -> tuple[int, Sequence[str]]:
        return 0, ()

    async def _live(self, end: asyncio.Future[ProcessEnd]) -> None:
        numbers = itertools.count(1)
        settings = Settings(
            ids=lambda: f"s{next(numbers)}",
            random=lambda: 0.5,
            backoff_min_s=0.0,
            backoff_range_s=0.0,
        )
        station = Station(version(), load_pics("dc-2evse-ccs1"), settings, plants=self._plants)
        event: Event = PowerOn()
        try:
            while True:
                for command in station.handle(event, time.monotonic()):
                    await self._do(station, command)
                event = await self._next(station)
        except _Dead:
            if self._link is not None:
                await self._link.abort()
            end.set_result(ProcessEnd(70))

    async def _do(self, station: Station, command: Command) -> None:
        follows: Sequence[Command] = ()
        match command:
            case SendText(text) if self._link is not None and self._link.closed is None:
                await self._link.send_text(text)
            case Connect():
                self._link = self._door.connect()
                follows = station.handle(Connected(), time.monotonic())
            case CloseConnection(code):
                await self._hang_up(code)
                follows = station.handle(Disconnected(), time.monotonic())
            case Reboot():
                await self._hang_up(1001)
                station.handle(Disconnected(), time.monotonic())
                follows = station.handle(PowerOn(), time.monotonic())
            case Exit():
                raise _Dead
            case _:
                pass
        for following in follows:
            await self._do(station, following)

    async def _hang_up(self, code: int) -> None:
        if self._link is not None:
            await self._link.close(code)
        self._link = None

    async def _next(self, station: Station) -> Event:
        wait_s = None if station.deadline is None else station.deadline - time.monotonic()
        if wait_s is not None and wait_s <= 0:
            return Tick()
        try:
            async with asyncio.timeout(wait_s):
                if self._link is None:
                    await asyncio.Event().wait()
                message = await self._link.receive()
        except TimeoutError:
            return Tick()
        except LinkClosed:
            self._link = None
            return Disconnected()
        return TextReceived(message) if isinstance(message, str) else BytesReceived(message)


@pytest.fixture
def attack(tmp_path) -> Callable[..., Summary]:
    """A campaign against the station in memory, with every room of the product but sockets and processes."""

    async def run(defects: Sequence[str], options: RunOptions) -> Summary:
        door = MemoryDoor(Side.STATION)
        target = MemoryStation(door, defects)
        facts = TargetFacts(side=Side.STATION, message_timeout_s=5.0)
        wiring = Wiring(door, CsmsVoice(SystemClock()), target, SystemClock(), facts)
        await target.start()
        try:
            pace = Pace(come_back_s=10.0, boot_s=10.0, linger_s=0.02)
            return await campaign_on(Rig(wiring, pace), options, lambda event: None)
        finally:
            await target.stop()

    def start(*defects: str, **given: object) -> Summary:
        options = {"seed": 1, "phases": ("systematic",), "findings_dir": tmp_path / "findings"}
        return asyncio.run(run(defects, RunOptions(**{**options, **given})))

    return start
