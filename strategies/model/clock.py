"""The station's clock (B01.FR.06): where Heartbeat is its only source, it follows what an accepted boot is answered.

Knows TimeSource, where this scene has shown it, and the time that the CSMS told last. Must not know transactions, whose
moments `moments` compares with one another.
"""

from __future__ import annotations

from collections.abc import Iterator

from strategies.model.events import Answered, Asked, Called, Event, Objection, Operated, Told, text
from strategies.model.facts import NEVER, Facts
from strategies.model.moments import seconds
from strategies.model.rule import Rule

_OFF_S = 60.0
"""So far off is no matter of a slow connection or of rounding."""

_SETTLED_S = 1.0


class Clock(Rule):
    """Follows the last boot that was accepted, and statuses that are asked for after it."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._ahead_s: float | None = None
        """How far the time of the last accepted boot was ahead of ours."""
        self._since_s = NEVER
        self._asked_s = NEVER
        self._moved_s: float | None = None
        """When somebody moved the clock, which takes a moment: until a request that was made later is answered."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """Whether a status that was asked for has the time that the station was told."""
        match event:
            case Answered(called=Called(action="BootNotification")):
                self._booted(event)
            case Operated(deed="shift-clock"):
                self._ahead_s, self._moved_s = None, event.at_s
            case Operated(deed="power-cycle") | Asked(action="SetVariables"):
                self._ahead_s = None
            case Answered(called=Called(action="Heartbeat")) | Called(action="BootNotification"):
                self._ahead_s = None
            case Told():
                self._answered(event)
            case Called(action="StatusNotification"):
                yield from self._told(event)
            case _:
                pass

    def _answered(self, event: Told) -> None:
        if self._moved_s is not None and event.asked.at_s > self._moved_s:
            self._moved_s = None
        if event.asked.action == "TriggerMessage" and event.status == "Accepted":
            wanted = text(event.asked.payload, "requestedMessage")
            self._asked_s = event.asked.at_s if wanted == "StatusNotification" else NEVER

    def _booted(self, event: Answered) -> None:
        told = seconds(event.payload, "currentTime")
        accepted = text(event.payload, "status") == "Accepted" and event.prompt and event.proper
        sure = accepted and self._moved_s is None
        self._ahead_s = told - event.at_s if told is not None and sure else None
        self._since_s = event.at_s

    def _told(self, event: Called) -> Iterator[Objection]:
        source = self._facts.settings.of("ClockCtrlr.TimeSource")
        said, ahead_s = seconds(event.payload, "timestamp"), self._ahead_s
        late = self._asked_s - self._since_s >= _SETTLED_S
        if source is None or source.value.strip() != "Heartbeat" or said is None or not late:
            return
        if ahead_s is not None and abs(said - event.at_s - ahead_s) > _OFF_S:
            yield Objection(
                "B01.FR.06",
                "clock does not follow the CSMS",
                f"TimeSource is Heartbeat, and a status is {said - event.at_s - ahead_s:+.0f} s away from the time that the"
                " accepted boot was answered with",
            )
