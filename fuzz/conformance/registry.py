"""Which conformance tests are written: one decorated function each, found by its id.

Knows what a test says about itself. Must not know how a test is run, nor which ones apply to a station.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from fuzz.records import Effect

if TYPE_CHECKING:
    from fuzz.conformance.script import Csms

Script: TypeAlias = "Callable[[Csms], Awaitable[None]]"


@dataclass(frozen=True, slots=True)
class StationTest:
    """One scripted conversation; `needs` are the operator's words that it uses, `slow` ones are started first.

    `effect` is the worst that it may leave behind at a real station: lock-out and one-way are played only where allowed.
    """

    id: str
    text: str
    script: Script
    needs: tuple[str, ...] = ()
    security_profiles: tuple[int, ...] = (1, 2, 3)
    slow: bool = False
    effect: Effect = Effect.PERSISTENT

    @property
    def by_hand(self) -> bool:
        """Whether somebody must act at the station."""
        return bool(self.needs)

    def profile(self, wanted: int) -> int:
        """The security profile to play it in: the wanted one, else the highest that the test allows."""
        return wanted if wanted in self.security_profiles else max(self.security_profiles)


_TESTS: dict[str, StationTest] = {}


def station_test(
    id_: str,
    *,
    needs: tuple[str, ...] = (),
    security_profiles: tuple[int, ...] = (1, 2, 3),
    slow: bool = False,
    effect: Effect = Effect.PERSISTENT,
) -> Callable[[Script], Script]:
    """The decorated function is the conformance test `id_`; its docstring's first sentence says what must happen."""

    def register(script: Script) -> Script:
        if id_ in _TESTS:
            raise ValueError(f"{id_} is written twice")
        text = (script.__doc__ or "").strip().partition("\n")[0]
        if not text:
            raise ValueError(f"{id_} has no docstring")
        _TESTS[id_] = StationTest(id_, text, script, needs, security_profiles, slow, effect)
        return script

    return register


def written_tests() -> Mapping[str, StationTest]:
    """Every test by its id; imports the modules of `fuzz.conformance.cases`."""
    from fuzz.conformance import cases

    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    return _TESTS
