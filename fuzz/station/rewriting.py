"""Alters answers on their way out, for defects and decoys.

Knows the outer shape of messages; decides nothing about when to alter.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fuzz.records import Heard
from fuzz.station.events import Command, Later, SendText
from fuzz.station.hooks import Receive

_ANSWERS = ("[3,", "[4,")


def is_answer(command: Command) -> bool:
    """Whether the command sends a CALLRESULT or a CALLERROR."""
    return isinstance(command, SendText) and command.text.startswith(_ANSWERS)


def is_error(command: Command) -> bool:
    """Whether the command sends a CALLERROR."""
    return isinstance(command, SendText) and command.text.startswith("[4,")


def rewrite_answers(
    commands: list[Command], change: Callable[[list[Any]], list[Any]]
) -> list[Command]:
    """The commands with `change` applied to the elements of each answer."""
    return [_rewrite(command, change) for command in commands]


def say_as(receive: Receive, heard: Heard, message_id: str) -> list[Command]:
    """What follows from a CALL when it has another messageId, with the real one put back into the answer."""
    items = list(heard.items)
    items[1] = message_id

    def restore(answer: list[Any]) -> list[Any]:
        return [answer[0], heard.message_id, *answer[2:]] if answer[1] == message_id else answer

    return rewrite_answers(receive(json.dumps(items)), restore)


def _rewrite(command: Command, change: Callable[[list[Any]], list[Any]]) -> Command:
    match command:
        case SendText(text) if is_answer(command):
            return SendText(json.dumps(change(json.loads(text)), separators=(",", ":")))
        case Later(_, commands):
            return replace(command, commands=tuple(_rewrite(one, change) for one in commands))
        case _:
            return command
