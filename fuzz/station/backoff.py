"""How long to wait before the next attempt to connect (Part 4 section 5.3).

Knows the arithmetic only; randomness and limits come in as arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_LONGEST_S = 2.0**31


@dataclass(frozen=True, slots=True)
class Limits:
    """The three RetryBackOff variables."""

    wait_minimum_s: float
    random_range_s: float
    repeat_times: int


class Backoff:
    """Waits that double until they have doubled often enough, each with a fresh random part."""

    def __init__(self, limits: Callable[[], Limits], random: Callable[[], float]) -> None:
        """Waits that begin at the minimum.

        Args:
            limits: gives the present limits; read whenever a wait is asked for.
            random: gives a number from 0 up to 1.
        """
        self._limits = limits
        self._random = random
        self._doublings = 0

    def next_wait_s(self) -> float:
        """The wait before the next attempt; the one after that will be longer."""
        limits = self._limits()
        base: float = min(limits.wait_minimum_s * 2.0**self._doublings, _LONGEST_S)
        if self._doublings < limits.repeat_times:
            self._doublings += 1
        return base + self._random() * limits.random_range_s

    def reset(self) -> None:
        """The next wait is the shortest again, since a connection was made."""
        self._doublings = 0
