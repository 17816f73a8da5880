"""Heartbeats (G02): one comes whenever nothing was said for HeartbeatInterval, as it was set in the scene.

Knows two settings and silences. Must not know what time a station makes of the answer. Pings of the WebSocket may stand for
most heartbeats (Part 4 section 5.2): judged is only a station that said in this scene that it sends none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strategies.model.events import (
    Asked,
    Closed,
    Died,
    Event,
    Missed,
    Objection,
    Opened,
    Told,
)
from strategies.model.facts import NEVER, Facts, Standing
from strategies.model.rule import Rule

_INTERVAL = "OCPPCommCtrlr.HeartbeatInterval"
_PINGS = "OCPPCommCtrlr.WebSocketPingInterval"
_SLACK_S = 2.0
_HELD = Standing.UNKNOWN, Standing.ACCEPTED


class Heartbeats(Rule):
    """Measures how long nobody said anything while an interval was in force.

    Whatever is said may begin the interval anew (G02), so that silence is what counts, not the time between two of them.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._set_s = self._last_s = NEVER
        self._silences: list[tuple[int, float]] = []
        """Intervals in force, and for how many seconds nothing was said."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """Nothing to object to; takes note of what ends a silence."""
        self._conclude(event.at_s)
        lost = isinstance(event, Opened | Closed | Died)
        self._last_s = NEVER if lost else event.at_s
        if isinstance(event, Told) and event.asked.action == "SetVariables":
            self._set_s = event.at_s
        elif isinstance(event, Asked) and event.action == "Reset":
            self._set_s = NEVER
        yield from ()

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether somebody waited for a Heartbeat in vain, for longer than two intervals in which nothing was said."""
        self._conclude(end_s)
        waits = [m.timeout_s for m in missed if m.action == "Heartbeat"]
        for interval_s, silent_s in self._silences:
            enough_s = 2 * interval_s + _SLACK_S
            if any(silent_s >= max(wait_s, enough_s) for wait_s in waits):
                yield Objection(
                    "G02.FR.01, G02.FR.02",
                    "no Heartbeat at the interval that was set",
                    f"HeartbeatInterval was set to {interval_s}, and nothing at all was said for {silent_s:.0f} s",
                )
                return

    def _conclude(self, at_s: float) -> None:
        """One silence is over: whether the station was free to speak, and had an interval to keep to."""
        facts, settings = self._facts, self._facts.settings
        interval, pings = settings.of(_INTERVAL), settings.of(_PINGS)
        if interval is None or pings is None or pings.value != "0" or self._last_s == NEVER:
            return
        held = facts.standing in _HELD and facts.booted_s < interval.since_s
        calm = facts.outstanding is None and not facts.away and facts.shaken_s < interval.since_s
        known = interval.value.isdecimal() and 0 < int(interval.value[:6]) == int(interval.value)
        if held and calm and known and interval.since_s == self._set_s:
            self._silences.append((int(interval.value), at_s - self._last_s))
