"""Heartbeats and the clock: when the station was silent for HeartbeatInterval, and what time it is (Part 2, G02, B01).

Knows the variables of ClockCtrlr that need more than the right form; NTP itself is the surroundings' (`ShiftClock`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from fuzz.ocppj.peer import Answered
from fuzz.station.blocks.base import Block
from fuzz.station.context import Context, Outcome, Trigger
from fuzz.station.device_model import Variable
from strategies.labels import JsonObject

_TIMER = "heartbeat"
_DAY_S = 86_400
_SOON_S = 1.0
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z]+(/[A-Z][A-Za-z0-9_+\-]+){1,2}")
_SERVER = re.compile(r"[A-Za-z0-9.:\[\]\-]+")


class HeartbeatBlock(Block):
    """Tells the CSMS that the station is there, and asks it for the time."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._since = self._last = context.now
        self._interval = context.model.named("OCPPCommCtrlr", "HeartbeatInterval")
        context.changed_listeners.append(self._changed)
        for variable in context.model:
            form = _FORMS.get(f"{variable.component}.{variable.name}")
            if form is not None:
                context.value_checks[variable.key] = _judge_with(form)

    def triggers(self) -> Mapping[str, Trigger]:
        """A Heartbeat can be asked for at any time."""
        return {"Heartbeat": lambda _request: self._say(triggered=True)}

    def accepted(self) -> None:
        """The first interval begins; the answer to the boot told the time."""
        self._last = self.context.now
        self._plan()

    def connected(self, offline_s: float) -> None:
        """An interval begins anew."""
        self._plan()

    def _changed(self, variable: Variable) -> None:
        if variable is self._interval:
            self._plan()

    def _plan(self) -> None:
        self._since = self.context.now
        self._wait()

    def _wait(self) -> None:
        soon = self.context.now + _SOON_S
        self.context.at(_TIMER, max(soon, self._moment()), self._due)

    def _moment(self) -> float:
        """When it will have been silent for the interval; once a day the time is asked for all the same (G02.FR.07)."""
        silent_since = max(self._since, self.context.said_at)
        return min(silent_since + int(self.context.model.read(self._interval)), self._last + _DAY_S)

    def _due(self) -> None:
        if self.context.now < self._moment():
            # Something else was said meanwhile (G02).
            self._wait()
            return
        if self._say(triggered=False):
            self._last = self.context.now
        self._plan()

    def _say(self, *, triggered: bool) -> bool:
        return self.context.ask("Heartbeat", {}, triggered=triggered, then=self._hear)

    def _hear(self, outcome: Outcome) -> None:
        if isinstance(outcome, Answered):
            answer: JsonObject = outcome.payload
            self.context.set_clock(answer["currentTime"])


def _judge_with(form: re.Pattern[str]) -> Callable[[str], str]:
    return lambda value: "" if form.fullmatch(value) else "InvalidValue"


_FORMS: Mapping[str, re.Pattern[str]] = {
    "ClockCtrlr.TimeZone": _ZONE,  # C-26
    "ClockCtrlr.NtpServerUri": _SERVER,
}
