"""The seams of the healthy station at which defects and decoys are put in, and how planted ones end it.

Knows the shapes of the seams; the healthy functions are in the core, the planted ones in `defects.py` and `decoys.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fuzz.ocppj.frames import Call
from fuzz.ocppj.peer import Validate
from fuzz.station.device_model import CheckValue
from fuzz.station.events import Command
from strategies.labels import JsonObject

Receive: TypeAlias = "Callable[[str | bytes], list[Command]]"
Handle: TypeAlias = Callable[[Call], JsonObject]


@dataclass(frozen=True, slots=True)
class Hooks:
    """The functions that one message passes, outermost first.

    `receive` takes a message and gives all that follows from it at once; `validate` judges payloads; `handle` answers a
    proper CALL or raises `RemoteProtocolError`; `check_value` judges one value of SetVariables.
    """

    receive: Receive
    validate: Validate
    handle: Handle
    check_value: CheckValue


Plant: TypeAlias = Callable[[Hooks], Hooks]
"""Gives back the hooks with one of them wrapped."""


class Dying(Exception):
    """What a planted defect raises to end the connection or the process; healthy code never does."""

    def __init__(self, command: Command) -> None:
        super().__init__(repr(command))
        self.command = command
