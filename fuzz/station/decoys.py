"""Decoys: legal oddities that no oracle may report; they measure false alarms.

Knows how to wrap the seams of the healthy station. The first sentence of a docstring is the decoy's text.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call, ErrorCode
from fuzz.ocppj.lenient import hear
from fuzz.ocppj.payloads import TOO_LONG
from fuzz.records import FrameKind
from fuzz.station.blocks.base import status
from fuzz.station.events import CloseConnection, Command, Later, Reboot, SendText
from fuzz.station.hooks import Hooks, Plant
from fuzz.station.rewriting import is_answer, rewrite_answers, say_as
from strategies.labels import JsonObject, JsonValue, Kind
from strategies.version import Version

_SLOW_EVERY = 40
_BUSY_WITH = frozenset(
    {"ChangeAvailability", "ClearCache", "GetBaseReport", "Reset", "TriggerMessage"}
)


@dataclass(frozen=True, slots=True)
class Decoy:
    """One legal oddity."""

    number: str
    name: str
    text: str
    plant: Plant


def decoys(*, delay_s: float = 3.0) -> Mapping[str, Decoy]:
    """Every decoy, by number and by name. `delay_s` is how slow slow answers are; up to 30 is legal."""
    known = [
        _decoy("D-1", not_supported_for_unknown),
        _decoy("D-2", closes_on_binary),
        _decoy("D-3", reused_id_processed),
        _decoy("D-4", custom_data_in_answers),
        _decoy("D-5", slow_answers, slow_answers_by(delay_s)),
        _decoy("D-6", slow_reboot),
        _decoy("D-8", type_error_for_length),
        _decoy("D-10", always_rejected),
    ]
    by_number = {found.number: found for found in known}
    return MappingProxyType({**by_number, **{found.name: found for found in known}})


def _decoy(number: str, named: Plant, plant: Plant | None = None) -> Decoy:
    text = (named.__doc__ or "").strip().splitlines()[0]
    return Decoy(number, named.__name__.replace("_", "-"), text, plant or named)


def not_supported_for_unknown(hooks: Hooks) -> Hooks:
    """An unknown action is answered NotSupported."""

    def change(answer: list[Any]) -> list[Any]:
        unknown = answer[0] == 4 and answer[2] == ErrorCode.NOT_IMPLEMENTED
        return [*answer[:2], ErrorCode.NOT_SUPPORTED, *answer[3:]] if unknown else answer

    return _rewriting(hooks, change)


def closes_on_binary(hooks: Hooks) -> Hooks:
    """A binary message closes the connection with 1003 (RFC 6455 section 7.4.1)."""

    def receive(message: str | bytes) -> list[Command]:
        return [CloseConnection(1003)] if isinstance(message, bytes) else hooks.receive(message)

    return replace(hooks, receive=receive)


def reused_id_processed(hooks: Hooks) -> Hooks:
    """A CALL is processed whether or not its messageId was used before."""
    numbers = itertools.count()

    def receive(message: str | bytes) -> list[Command]:
        heard = hear(message, 0.0)
        proper = isinstance(heard.message_id, str) and len(heard.message_id) <= 36
        if heard.binary or heard.kind is not FrameKind.CALL or len(heard.items) != 4 or not proper:
            return hooks.receive(message)
        return say_as(hooks.receive, heard, f"reuse-{next(numbers)}")

    return replace(hooks, receive=receive)


def custom_data_in_answers(hooks: Hooks) -> Hooks:
    """Every CALLRESULT carries customData of the vendor."""
    extra = {"vendorId": "ocppfuzz-lab", "load": {"percent": 12, "tags": ["a", "b"]}}

    def change(answer: list[Any]) -> list[Any]:
        return [*answer[:2], {**answer[2], "customData": extra}] if answer[0] == 3 else answer

    return _rewriting(hooks, change)


def slow_answers(hooks: Hooks) -> Hooks:
    """Some answers take seconds, within the MessageTimeout."""
    return slow_answers_by(3.0)(hooks)


def slow_answers_by(delay_s: float) -> Plant:
    """The decoy D-5 with this delay."""

    def plant(hooks: Hooks) -> Hooks:
        numbers = itertools.count(1)

        def receive(message: str | bytes) -> list[Command]:
            commands = hooks.receive(message)
            # Answers alone: a lost connection forgets what is late, and a reboot must not be forgotten.
            answers = any(is_answer(command) for command in commands)
            only_says = all(isinstance(command, SendText) for command in commands)
            slow = answers and only_says and next(numbers) % _SLOW_EVERY == 0
            return [Later(delay_s, tuple(commands))] if slow else commands

        return replace(hooks, receive=receive)

    return plant


def slow_reboot(hooks: Hooks) -> Hooks:
    """A reboot after Reset takes three seconds longer."""

    def receive(message: str | bytes) -> list[Command]:
        return [
            Reboot(extra_s=3.0) if isinstance(command, Reboot) else command
            for command in hooks.receive(message)
        ]

    return replace(hooks, receive=receive)


def type_error_for_length(hooks: Hooks) -> Hooks:
    """A string that is too long is answered TypeConstraintViolation."""

    def validate(
        action: str, kind: Kind, payload: JsonValue, version: Version
    ) -> RemoteProtocolError | None:
        error = hooks.validate(action, kind, payload, version)
        if error is None or error.text != TOO_LONG:
            return error
        return RemoteProtocolError(ErrorCode.TYPE_CONSTRAINT_VIOLATION, error.text)

    return replace(hooks, validate=validate)


def always_rejected(hooks: Hooks) -> Hooks:
    """Whatever can be rejected is, with nothing but a statusInfo to say why."""

    def handle(call: Call) -> JsonObject:
        busy = call.action in _BUSY_WITH
        return status("Rejected", "Unspecified") if busy else hooks.handle(call)

    return replace(hooks, handle=handle)


def _rewriting(hooks: Hooks, change: Callable[[list[Any]], list[Any]]) -> Hooks:
    def receive(message: str | bytes) -> list[Command]:
        return rewrite_answers(hooks.receive(message), change)

    return replace(hooks, receive=receive)
