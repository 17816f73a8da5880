"""A station core on the bench: powered, connected and answered by hand, in memory and without real time.

For tests, and for trying a defect in a Python prompt. Knows just enough of a CSMS to accept a boot.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from fuzz.pics.loading import load_pics
from fuzz.station.console import Ask, Wait, parse_script
from fuzz.station.core import Station
from fuzz.station.events import (
    BytesReceived,
    CancelTransfer,
    Command,
    Connect,
    Connected,
    Disconnected,
    Download,
    Endpoint,
    Event,
    Failure,
    Later,
    Persist,
    PowerOn,
    SendText,
    TextReceived,
    Tick,
    TransferDone,
    Upload,
)
from fuzz.station.hooks import Plant
from fuzz.station.settings import Settings
from fuzz.station.timing import Manner
from strategies.labels import JsonObject, JsonValue
from strategies.version import version

BENCH_TIME = 1_767_225_600.0
"""2026-01-01T00:00:00Z, when every bench begins."""

_NOW = "2026-01-01T00:00:00Z"


class Bench:
    """One station with somebody at the other end of its connection.

    Attributes:
        now: the time on the bench.
        said: the elements of every message that the station sent.
        endpoint: where it dialled last, None before it did.
        transfers: the downloads and uploads that it asked for and that are not over, by name.
        kept: the state that it kept last, for the `lasting` of another bench.
    """

    def __init__(
        self,
        *plants: Plant,
        lasting: Mapping[str, JsonValue] | None = None,
        pics: str = "dc-2evse-ccs1",
        manners: Sequence[Manner] = (),
        **settings: Any,
    ) -> None:
        """A station that is off; `manners` make it slow or stubborn, `settings` are members of `Settings`."""
        numbers = itertools.count(1)
        settings.setdefault("ids", lambda: f"s{next(numbers)}")
        given = Settings(random=lambda: 0.5, **settings)
        self.now = BENCH_TIME
        self.said: list[list[Any]] = []
        self.endpoint: Endpoint | None = None
        self.transfers: dict[str, Download | Upload] = {}
        self.kept: JsonObject = {}
        self._manners = tuple(manners)
        self._later: list[tuple[float, Sequence[Command]]] = []
        self._pics = load_pics(pics)
        self.station = Station(version(), self._pics, given, plants=plants, lasting=lasting)

    def do(self, event: Event) -> list[Command]:
        """Lets the station handle one event, such as `PlugIn(1)`; what it says is kept in `said`."""
        commands = self.station.handle(event, self.now)
        for manner in self._manners:
            commands = manner(commands, self.now)
        self._note(commands)
        return commands

    def play(self, script: str) -> list[Command]:
        """Does what an operator's lines say, `wait` included; all that follows."""
        commands: list[Command] = []
        for line in parse_script(script, "script", self._pics):
            match line:
                case Wait(seconds):
                    commands += self.wait(seconds)
                case Ask():
                    pass
                case _:
                    commands += self.do(line)
        return commands

    def finish(self, content: bytes = b"", failure: str = "", transfer: str = "") -> list[Command]:
        """Ends a download or an upload, the one that began last unless it is named."""
        name = transfer or next(reversed(self.transfers))
        del self.transfers[name]
        return self.do(TransferDone(name, content, failure))

    def _note(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case SendText(text):
                    self.said.append(_elements(text))
                case Connect(endpoint):
                    self.endpoint = endpoint
                case Download(transfer) | Upload(transfer):
                    self.transfers[transfer] = command
                case CancelTransfer(transfer):
                    self.transfers.pop(transfer, None)
                case Persist(state):
                    self.kept = state
                case Later(delay_s, later):
                    self._later.append((self.now + delay_s, later))
                case _:
                    pass

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
        answers = [frame for text in texts if (frame := _elements(text))[0] in (3, 4)]
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
        while (deadline := self._deadline()) is not None and deadline <= until:
            self.now = max(deadline, self.now)
            commands += self._due()
            commands += self.do(Tick())
        self.now = until
        return commands

    def _deadline(self) -> float | None:
        moments = [when for when, _ in self._later]
        if self.station.deadline is not None:
            moments.append(self.station.deadline)
        return min(moments, default=None)

    def _due(self) -> list[Command]:
        """What was put off until now, noted as done."""
        due = [
            command for when, commands in self._later if when <= self.now for command in commands
        ]
        self._later = [entry for entry in self._later if entry[0] > self.now]
        self._note(due)
        return due

    def lose(self, failure: Failure | None = None) -> list[Command]:
        """The connection is gone, or an attempt to connect failed; nothing that was put off is said."""
        self._later.clear()
        return self.do(Disconnected(failure))


def _elements(text: str) -> list[Any]:
    """What was said; only planted defects say what is no JSON, which is one element then."""
    try:
        frame: list[Any] = json.loads(text)
    except ValueError:
        return [text]
    return frame
