"""How many failed attempts to come in are looked at before the next ones have to wait; bounded in memory.

Knows times and keys. Must not know what a failure was.
"""

from __future__ import annotations

from collections import OrderedDict, deque

PAIR_LIMIT = 10
"""Failures of one address with one identity within the window; a success in between forgets them."""

ADDRESS_LIMIT = 100
"""Failures of one address with any identities within the window."""

WINDOW_S = 10.0
MAX_KEYS = 4096
_Key = tuple[str, ...]


class Throttle:
    """Counts failures; the oldest keys are forgotten when there are too many."""

    def __init__(self) -> None:
        self._failures: OrderedDict[_Key, deque[float]] = OrderedDict()

    def wait_s(self, address: str, identity: str, now: float) -> float:
        """How long this caller has to wait; 0.0 when not at all."""
        pair = self._wait((address, identity), PAIR_LIMIT, now)
        return max(pair, self._wait((address,), ADDRESS_LIMIT, now))

    def failed(self, address: str, identity: str, now: float) -> None:
        """One more attempt failed."""
        self._note((address, identity), PAIR_LIMIT, now)
        self._note((address,), ADDRESS_LIMIT, now)

    def succeeded(self, address: str, identity: str) -> None:
        """The caller has proved who it is: what failed before is forgiven."""
        self._failures.pop((address, identity), None)

    def __len__(self) -> int:
        return len(self._failures)

    def _wait(self, key: _Key, limit: int, now: float) -> float:
        times = self._failures.get(key)
        if times is None or len(times) < limit:
            return 0.0
        return max(0.0, times[0] + WINDOW_S - now)

    def _note(self, key: _Key, limit: int, now: float) -> None:
        times = self._failures.setdefault(key, deque(maxlen=limit))
        times.append(now)
        self._failures.move_to_end(key)
        while len(self._failures) > MAX_KEYS:
            self._failures.popitem(last=False)
