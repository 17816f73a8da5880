"""The seams of the healthy station at which defects and decoys are put in, and how planted ones end it.

Knows the shapes of the seams; the healthy functions are in the core, the planted ones in `defects` and `decoys.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fuzz.ocppj.frames import Call
from fuzz.ocppj.peer import Validate
from fuzz.station.blocks.base import Block
from fuzz.station.context import Context, Outcome
from fuzz.station.device_model import CheckValue
from fuzz.station.events import Command, Event
from strategies.labels import JsonObject

Receive: TypeAlias = "Callable[[str | bytes], list[Command]]"
Handle: TypeAlias = Callable[[Call], JsonObject]
React: TypeAlias = "Callable[[Event], list[Command]]"
Conclude: TypeAlias = "Callable[[Outcome], None]"


@dataclass(frozen=True, slots=True)
class Hooks:
    """The functions that events and messages pass, outermost first.

    `react` takes any event and gives all that follows from it; `receive` does so for one message; `validate` judges
    payloads; `handle` answers a proper CALL or raises `RemoteProtocolError`; `conclude` takes note of what became of a
    CALL of the station's own; `check_value` judges one value of SetVariables. `context` and `blocks` are the healthy
    state behind them, for defects that sit deeper than a message.
    """

    react: React
    receive: Receive
    validate: Validate
    handle: Handle
    conclude: Conclude
    check_value: CheckValue
    context: Context
    blocks: Sequence[Block]


Plant: TypeAlias = Callable[[Hooks], Hooks]
"""Gives back the hooks with one of them wrapped."""


class Dying(Exception):
    """What a planted defect raises to end the connection or the process; healthy code never does."""

    def __init__(self, command: Command) -> None:
        super().__init__(repr(command))
        self.command = command
