"""Where scenarios are registered, and from which they are told at a place.

Knows that a scenario is a function from a place to moves. Must not know any of them.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from strategies.moves import Ask, Await, Move, flat
from strategies.sequences.place import Place

Script: TypeAlias = Callable[[Place], Iterable[Move]]
Variants: TypeAlias = Callable[[Place], Iterable[tuple[str, Script]]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario at one place. `slow` ones wait for the station's own time-outs; `late` ones let every kind go first."""

    name: str
    text: str
    moves: tuple[Move, ...]
    slow: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    text: str
    variants: Variants
    slow: bool
    late: bool = False


_TOPICS: defaultdict[str, list[_Entry]] = defaultdict(list)
"""What each module registered, in its order."""


def scenario(script: Script) -> Script:
    """Registers a function that tells the moves of one scenario, under its own name with hyphens."""
    _register(script, lambda _place: [("", script)], slow=False)
    return script


def slow_scenario(script: Script) -> Script:
    """Registers a scenario that waits for time-outs of the station itself."""
    _register(script, lambda _place: [("", script)], slow=True)
    return script


def late_scenario(script: Script) -> Script:
    """Registers a scenario that is to come once one of every kind was played: whatever shows early is not to wait for it."""
    _register(script, lambda _place: [("", script)], slow=False, late=True)
    return script


def slow_late_scenario(script: Script) -> Script:
    """Registers a scenario that waits for time-outs, and lets one of every other kind that does go first."""
    _register(script, lambda _place: [("", script)], slow=True, late=True)
    return script


def scenarios_over(variants: Variants) -> Variants:
    """Registers a function that tells several scenarios of one kind, each with what is behind its name."""
    _register(variants, variants, slow=False)
    return variants


def _register(
    told: Callable[..., object], variants: Variants, *, slow: bool, late: bool = False
) -> None:
    text = (inspect.getdoc(told) or "").splitlines()[0]
    name = told.__name__.replace("_", "-")
    _TOPICS[told.__module__].append(_Entry(name, text, variants, slow, late))


def told_at(place: Place, topic: str) -> Iterator[Scenario]:
    """The scenarios of one topic, the full name of its module, that can be played at a place; in the module's order."""
    for entry in _TOPICS.get(topic, ()):
        for behind, script in entry.variants(place):
            moves = _afresh(script(place))
            if moves:
                name = "/".join(filter(None, (entry.name, behind)))
                yield Scenario(name, entry.text, moves, entry.slow, entry.late)


def _afresh(moves: Iterable[Move]) -> tuple[Move, ...]:
    """The moves on a station that asks about each token: what is cached from earlier scenes is not asked about (C10)."""
    told = tuple(moves)
    asks = any(isinstance(m, Await) and m.action == "Authorize" for m in flat(told))
    return (Ask("ClearCache", {}), *told) if asks else told
