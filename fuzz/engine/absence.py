"""Tells of a target that was there and is away: that it is waited for, what a person can do, and that it is back.

Knows times and notes. Must not know connections, nor who waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fuzz.records import EngineEvent, Note

AWAY_S, OWN_AWAY_S = 2.0, 10.0
"""So long a target may be away before that is told; ours come back in less, and nobody can help them."""

ASK_S = 20.0
"""So long it may be away before a person is asked to look at it."""

LONGER = 2.0
"""What took less than so many times the longest return so far is usual, and nothing is said of it."""


@dataclass(slots=True)
class Absence:
    """Says that a target is away when it is for longer than it ever was. `please` is what a person can do, "" for nothing.

    `returns` counts how often it came back, `waited_s` how long that took in all.
    """

    tell: Callable[[EngineEvent], None]
    please: str = ""
    away_s: float = AWAY_S
    ask_s: float = ASK_S
    returns: int = 0
    waited_s: float = 0.0
    _longest_s: float = 0.0

    @contextmanager
    def told(self, within_s: float) -> Iterator[None]:
        """Tell of it while the target is waited for, and learn how long that takes."""
        loop = asyncio.get_running_loop()
        began, said = loop.time(), False

        def say() -> None:
            nonlocal said
            said = True
            self.tell(Note(f"the target is away; it is waited for, {within_s:g} s at most"))

        def ask() -> None:
            away = f"the target is away for {loop.time() - began:.0f} s"
            self.tell(Note(f"{away}; {self.please}", "action"))

        usual_s = LONGER * self._longest_s
        timers = [loop.call_later(max(self.away_s, usual_s), say)]
        if self.please:
            timers.append(loop.call_later(max(self.ask_s, usual_s), ask))
        try:
            yield
            took_s = loop.time() - began
            self._longest_s = max(self._longest_s, took_s)
            self.returns += 1
            self.waited_s += took_s
            if said:
                self.tell(Note(f"the target is back after {took_s:.0f} s"))
        finally:
            for timer in timers:
                timer.cancel()
