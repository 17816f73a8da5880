"""A station core on the bench: powered, connected and answered by hand, in memory and without real time.

For tests, and for trying a defect in a Python prompt. Knows just enough of a CSMS to accept a boot.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from fuzz.station.context import Settings
from fuzz.station.core import Station
from fuzz.station.events import (
    BytesReceived,
    Command,
    Connected,
    Disconnected,
    Event,
    Failure,
    PowerOn,
    SendText,
    TextReceived,
    Tick,
)
from fuzz.station.hooks import Plant
from fuzz.station.pics import load_pics
from strategies.labels import JsonValue
from strategies.version import version

BENCH_TIME = 1_767_225_600.0
"""2026-01-01T00:00:00Z, when every bench begins."""

_NOW = "2026-01-01T00:00:00Z"


class Bench:
    """One station with somebody at the other end of its connection."""

    def __init__(
        self,
        *plants: Plant,
        lasting: Mapping[str, JsonValue] | None = None,
        pics: str = "dc-2evse-ccs1",
        **settings: Any,
    ) -> None:
        """A station that is off; `settings` are members of `Settings`."""
        numbers = itertools.count(1)
        given = Settings(ids=lambda: f"s{next(numbers)}", random=lambda: 0.5, **settings)
        self.now = BENCH_TIME
        self.said: list[list[Any]] = []
        self.station = Station(version(), load_pics(pics), given, plants=plants, lasting=lasting)

    def do(self, event: Event) -> list[Command]:
        """Lets the station handle one event; what it says is kept in `said`."""
        commands = self.station.handle(event, self.now)
        texts = [command.text for command in commands if isinstance(command, SendText)]
        self.said.extend(json.loads(text) for text in texts)
        return commands

    def start(self) -> Bench:
        """Powered and connected; its BootNotification waits for an answer."""
        self.do(PowerOn())
        self.do(Connected())
        return self

    def boot(self, status: str = "Accepted", interval: int = 300) -> Bench:
        """Powered, connected and answered with `status`; what it says then was answered, too."""
        self.start()
        self.answer({"status": status, "currentTime": _NOW, "interval": interval})
        self.settle()
        return self

    def hear(self, message: str | bytes) -> list[Command]:
        """Sends one message to the station."""
        return self.do(
            TextReceived(message) if isinstance(message, str) else BytesReceived(message)
        )

    def ask(self, action: str, payload: JsonValue, message_id: str = "q") -> list[Any]:
        """Sends a CALL; the elements of the answer, [] when there is none."""
        commands = self.hear(json.dumps([2, message_id, action, payload]))
        texts = [command.text for command in commands if isinstance(command, SendText)]
        answers = [frame for text in texts if (frame := json.loads(text))[0] in (3, 4)]
        return answers[0] if answers else []

    @property
    def asked(self) -> list[Any]:
        """The elements of the CALL that the station said last; [] when it said none."""
        calls = [frame for frame in self.said if frame[0] == 2]
        return calls[-1] if calls else []

    def answer(self, payload: JsonValue) -> list[Command]:
        """Answers what the station asked last."""
        return self.hear(json.dumps([3, self.asked[1], payload]))

    def settle(self) -> list[list[Any]]:
        """Answers everything that the station asks until it is silent; what it said meanwhile."""
        begin = len(self.said)
        answered: set[str] = set()
        while self.asked and self.asked[1] not in answered:
            answered.add(self.asked[1])
            heartbeat = self.asked[2] == "Heartbeat"
            self.answer({"currentTime": _NOW} if heartbeat else {})
        return self.said[begin:]

    def wait(self, seconds: float) -> list[Command]:
        """Lets time pass, with every deadline met on the way."""
        until = self.now + seconds
        commands: list[Command] = []
        while (deadline := self.station.deadline) is not None and deadline <= until:
            self.now = max(deadline, self.now)
            commands.extend(self.do(Tick()))
        self.now = until
        return commands

    def lose(self, failure: Failure | None = None) -> list[Command]:
        """The connection is gone, or an attempt to connect failed."""
        return self.do(Disconnected(failure))
