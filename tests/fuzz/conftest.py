"""A scripted Charging Station in memory, for rooms that need one to talk to: no process, no socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from fuzz.clock import SystemClock
from fuzz.csms.voice import CsmsVoice
from fuzz.engine.executor import Executor
from fuzz.engine.line import Pace, Wiring
from fuzz.records import Ability, LinkClosed, ProcessEnd, Side, TargetFacts
from fuzz.target.nothing import NoTarget
from fuzz.transport.memory import MemoryDoor, MemoryLink

BOOT = '[2,"boot","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}]'

Behaviour = Callable[[MemoryLink, str], Awaitable[None]]


class OwnStation(NoTarget):
    """A station that counts as started by us, though it is only a task: every effect is allowed."""

    name = "scripted station"
    owned = True
    abilities: frozenset[Ability] = frozenset()

    async def ended(self, timeout_s: float) -> ProcessEnd | None:
        return None

    def log_lines(self) -> Sequence[str]:
        return ()


@pytest.fixture
def scripted() -> Callable[..., AbstractAsyncContextManager[Executor]]:
    """An executor on a station that treats each message as `behaviour` says and dials again when it is cut off."""

    @asynccontextmanager
    async def station(
        behaviour: Behaviour, *, owned: bool = True, lives: int = 1_000, patience_s: float = 0.2
    ) -> AsyncIterator[Executor]:
        door = MemoryDoor(Side.STATION)

        async def live() -> None:
            for _ in range(lives):
                link = door.connect()
                try:
                    await link.send_text(BOOT)
                    await link.receive()
                    while True:
                        await behaviour(link, str(await link.receive()))
                except LinkClosed:
                    continue

        task = asyncio.create_task(live())
        pace = Pace(soft_s=0.02, linger_s=0.005, death_s=0.01, come_back_s=0.3, boot_s=0.3)
        facts = TargetFacts(side=Side.STATION, message_timeout_s=patience_s)
        target = OwnStation() if owned else NoTarget()
        try:
            yield Executor(
                Wiring(door, CsmsVoice(SystemClock()), target, SystemClock(), facts), pace
            )
        finally:
            task.cancel()
            await asyncio.wait({task})

    return station
