"""How fast, and how stubborn, a real station is: manners that change what the core wants done, not what it says.

Knows commands and moments; reads no clock. A manner is given the commands of one event and when it happened.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from fuzz.ocppj.lenient import hear
from fuzz.records import FrameKind
from fuzz.station.events import (
    CloseConnection,
    Command,
    Exit,
    Later,
    Note,
    Persist,
    Reboot,
    SendText,
)
from fuzz.station.hooks import Hooks
from fuzz.station.rewriting import is_answer

Manner: TypeAlias = Callable[[Sequence[Command], float], list[Command]]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a test laboratory measured of one kind of message, in seconds."""

    least_s: float
    average_s: float
    most_s: float

    def draw(self, share: float) -> float:
        """One such time; `share` is from 0 up to 1. Most are short, few are long, as measured ones are."""
        tail = -math.log(1.0 - share) * (self.average_s - self.least_s)
        return min(self.least_s + tail, self.most_s)


RESPONSE = Measured(0.15, 0.18, 1.02)
"""OCPP response time, as in the certificate."""

TRIGGERED = Measured(0.19, 1.0, 5.0)
"""OCPP triggered function response time; measured were 0.19 to 34.06 s, too slow to fuzz with."""

BENCH_BACKOFF_S = 30.0
"""A station on a test bench dials again after so long, then twice as long, and so on."""

BENCH_BOOT_S = 90.0


def realistic_timing(random: Callable[[], float]) -> Manner:
    """Answers, and what a CSMS triggered, take as long as the certificate measured; their order stays.

    Args:
        random: gives numbers from 0 up to 1.
    """
    free_at = 0.0

    def take_time(commands: Sequence[Command], now: float) -> list[Command]:
        nonlocal free_at
        done: list[Command] = []
        answered = False
        for command in commands:
            if isinstance(command, Persist | Note) or not (answered or _says(command)):
                done.append(command)
                continue
            delay_s = 0.0
            if is_answer(command):
                delay_s, answered = RESPONSE.draw(random()), True
            elif answered and isinstance(command, SendText):
                delay_s = TRIGGERED.draw(random())
            free_at = max(free_at, now) + delay_s
            done.append(Later(free_at - now, (command,)) if free_at > now else command)
        return done

    return take_time


def stays_dead(commands: Sequence[Command], now: float) -> list[Command]:
    """A planted death is for good: nothing restarts the station until its power is cycled."""
    return [
        Reboot(extra_s=math.inf, abrupt=True) if isinstance(command, Exit) else command
        for command in commands
    ]


def closes_on_unparsable(hooks: Hooks) -> Hooks:
    """A text that is no OCPP-J message ends the connection, without an answer."""

    def receive(message: str | bytes) -> list[Command]:
        if isinstance(message, bytes) or hear(message, 0.0).kind is FrameKind.GARBAGE:
            return [CloseConnection(1002)]
        return hooks.receive(message)

    return replace(hooks, receive=receive)


def _says(command: Command) -> bool:
    return isinstance(command, SendText)
