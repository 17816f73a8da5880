"""A phase as a build plays it: what is newer than a lock comes last, and what was given is known afterwards.

Knows phases and ids of cases. Must not know policies: it is told what comes last and what is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from fuzz.engine.phases import Phase
from fuzz.records import Case


@dataclass(slots=True)
class Fixed(Phase):
    """`later` are ids of cases that are played behind all others; `omitted` says why a case is not asked, else "".

    `given` are the ids of the cases that the campaign took, `omissions` counts the others by reason.
    """

    phase: Phase
    later: Container[str] = frozenset()
    omitted: Callable[[Case], str] = lambda _: ""
    given: set[str] = field(default_factory=set)
    omissions: Counter[str] = field(default_factory=Counter)
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.phase.name

    def planned(self) -> int | None:
        """As many as the phase has."""
        return self.phase.planned()

    def unreached(self) -> Iterable[str]:
        """What the phase could not reach, in words."""
        return self.phase.unreached()

    def left_out(self) -> Mapping[str, int]:
        """What was omitted here, and what the phase leaves out by itself."""
        return self.omissions + Counter(self.phase.left_out())

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """The cases of the phase; a new killer must not keep an old case from being played, so new ones wait."""
        waiting: list[Case] = []
        source: Any = self.phase.cases(idle)
        async with aclosing(source):
            async for case in source:
                if why := self.omitted(case):
                    self.omissions[why] += 1
                elif case.id in self.later:
                    waiting.append(case)
                else:
                    self.given.add(case.id)
                    yield case
        for case in waiting:
            self.given.add(case.id)
            yield case
