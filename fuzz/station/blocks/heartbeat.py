"""Heartbeats: one whenever the station was silent for HeartbeatInterval (Part 2, G02)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.ocppj.peer import Answered
from fuzz.station.blocks.base import Block
from fuzz.station.context import Context, Outcome, Trigger
from fuzz.station.device_model import Variable
from strategies.labels import JsonObject

_TIMER = "heartbeat"


class HeartbeatBlock(Block):
    """Tells the CSMS that the station is there, and asks it for the time."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._interval = context.model.named("OCPPCommCtrlr", "HeartbeatInterval")
        context.changed_listeners.append(self._changed)

    def triggers(self) -> Mapping[str, Trigger]:
        """A Heartbeat can be asked for at any time."""
        return {"Heartbeat": lambda _request: self._say(triggered=True)}

    def accepted(self) -> None:
        """The first interval begins."""
        self._plan()

    def connected(self, offline_s: float) -> None:
        """An interval begins anew."""
        self._plan()

    def _changed(self, variable: Variable) -> None:
        if variable is self._interval:
            self._plan()

    def _plan(self) -> None:
        wait_s = max(1, int(self.context.model.read(self._interval)))
        self.context.at(_TIMER, self.context.now + wait_s, self._due)

    def _due(self) -> None:
        self._say(triggered=False)
        self._plan()

    def _say(self, *, triggered: bool) -> bool:
        return self.context.ask("Heartbeat", {}, triggered=triggered, then=self._hear)

    def _hear(self, outcome: Outcome) -> None:
        if isinstance(outcome, Answered):
            answer: JsonObject = outcome.payload
            self.context.set_clock(answer["currentTime"])
