"""What is told after a long time offline (B04.FR.01): the status of every connector, changed or not.

Knows OfflineThreshold, where this scene has shown it, and how long there was no connection. Must not know what a status is
(`places` does), nor what changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strategies.model.events import (
    Called,
    Closed,
    Died,
    Event,
    Missed,
    Objection,
    Opened,
    Operated,
    number,
)
from strategies.model.facts import NEVER, Facts, Standing
from strategies.model.rule import Rule

_THRESHOLD = "OCPPCommCtrlr.OfflineThreshold"
_HELD = Standing.UNKNOWN, Standing.ACCEPTED
_NOTICED_S = 2.0
"""How long a station takes at most to notice that a connection was closed."""


class Absences(Rule):
    """Follows the last time without a connection, and which connectors were told of since."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._gone_s = self._due_s = NEVER
        """Since when there was no connection, and since when all is to be told for that."""
        self._told: set[tuple[str, str]] = set()

    def saw(self, event: Event) -> Iterator[Objection]:
        """Nothing to object to; takes note of absences and of what is told."""
        match event:
            case Opened():
                self._due_s = event.at_s if self._was_long(event.at_s) else NEVER
                self._told.clear()
            case Closed():
                # What was lost on the way may be sent again first, nobody knows when.
                self._gone_s = event.at_s if self._facts.outstanding is None else NEVER
                self._due_s = NEVER
            case Called(action="StatusNotification", payload=told):
                place = number(told, "evseId"), number(told, "connectorId")
                self._told.add((str(place[0]), str(place[1])))
            case Died() | Operated(deed="power-cycle"):
                self._gone_s = self._due_s = NEVER
            case Called(action="NotifyEvent" | "BootNotification"):
                # By the first a station may tell statuses, too; the second makes another duty of it.
                self._gone_s = self._due_s = NEVER
            case _:
                pass
        yield from ()

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """Whether somebody waited in vain for the status of a connector that was not told of since."""
        facts = self._facts
        steady = facts.outstanding is None and max(facts.failed_s, facts.unread_s) < self._due_s
        if self._due_s == NEVER or facts.away or not steady:
            return
        for wait in missed:
            where = dict(wait.where)
            place = where.get("/evseId", ""), where.get("/connectorId", "")
            waited = wait.action == "StatusNotification" and end_s - self._due_s >= wait.timeout_s
            if waited and all(place) and place not in self._told:
                yield Objection(
                    "B04.FR.01",
                    "no status of a connector after a long time offline",
                    "there was no connection for longer than OfflineThreshold, and the status of a connector that was"
                    " waited for never came",
                )

    def _was_long(self, at_s: float) -> bool:
        threshold = self._facts.settings.of(_THRESHOLD)
        if threshold is None or not threshold.value.isdecimal():
            return False
        held = self._facts.standing in _HELD and threshold.since_s < self._gone_s
        return held and at_s - self._gone_s > int(threshold.value[:9]) + _NOTICED_S
