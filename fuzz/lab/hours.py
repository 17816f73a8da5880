"""A loop on which hours pass in seconds: time jumps to the next deadline whenever no byte is on its way.

Knows asyncio and selectors, and how our station lives on such a loop. For the tests of what a real station takes hours
for; both ends must live on the loop.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fuzz.lab.stations import Place
from fuzz.station.options import StationOptions
from fuzz.station.shell import serve_station
from fuzz.target.nothing import NoTarget
from tlslab.pki import Lab

GRACE_S = 0.001
"""Real seconds in which bytes that are on their way may still arrive before time jumps."""

THREAD_S = 0.05
"""The same while a thread is at work, such as one that resolves a name."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits for a deadline: where nothing is to be read, it is the next deadline already."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self.threads = 0
        super().__init__(_Impatient(self))

    def time(self) -> float:
        """Seconds on the loop's own clock, the jumps included."""
        return super().time() + self._ahead

    def jump(self, seconds: float) -> None:
        """It is so much later."""
        self._ahead += seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """As the base class does, counting who is at work."""
        made: asyncio.Future[Any] = super().run_in_executor(executor, func, *args)
        self.threads += 1
        made.add_done_callback(self._done)
        return made

    def _done(self, _work: asyncio.Future[Any]) -> None:
        self.threads -= 1


class _Impatient(selectors.DefaultSelector):
    """Looks for what can be read or written; where there is nothing, the wait is over at once."""

    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        """As the base class does, but a timeout costs a moment at most."""
        grace = THREAD_S if self._loop.threads else GRACE_S
        if timeout is None or timeout <= grace:
            return super().select(timeout)
        found = super().select(grace)
        if not found:
            self._loop.jump(timeout - grace)
        return found


class LoopClock:
    """A clock that measures the loop's time; implements `fuzz.clock.Clock`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def monotonic(self) -> float:
        """Seconds of the loop."""
        return self._loop.time()

    def now(self) -> datetime:
        """The machine's moment: OpenSSL judges certificates by that, and knows of no jump."""
        return datetime.now(UTC)


class StationInLoop(NoTarget):
    """The reference station as a task of the running loop, with the habits of one on a bench; implements `Target`."""

    def __init__(self, place: Place, lab: Lab, url: str, state: Path) -> None:
        self._options = StationOptions(
            csms=url,
            identity=place.identity,
            security_profile=place.security_profile,
            password=place.password,
            ca=lab.root.certificate,
            certificate=lab.station.certificate,
            key=lab.station.key,
            state=state,
            pics=place.pics.name if place.pics else StationOptions(csms=url).pics,
            edition=place.edition,
            defects=place.defects,
            decoys=place.decoys,
            bench=True,
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it."""
        self._task = asyncio.create_task(serve_station(self._options))

    async def stop(self) -> None:
        """Stop it."""
        if self._task is not None:
            self._task.cancel()
            # Unlike `await`, this leaves it to whoever stops us that we were stopped.
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.result()
