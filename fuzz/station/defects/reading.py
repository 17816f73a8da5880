"""What several defects look at, and how they end things.

Knows the outer shape of messages, and which CALLs of the station wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fuzz.ocppj.frames import Call
from fuzz.ocppj.lenient import hear
from fuzz.records import FrameKind, Heard
from fuzz.station.events import CloseConnection, Command, Exit
from fuzz.station.hooks import Dying, Hooks

DEATH = Exit(70)
"""The process is gone."""

BROKEN = CloseConnection(1011)
"""The connection is gone, as after an unexpected condition (RFC 6455 section 7.4.1)."""


def breaks_on(hooks: Hooks, trigger: Callable[[Heard], bool]) -> Hooks:
    """The connection breaks on messages that fit."""
    return breaks_on_text(hooks, lambda text: trigger(peek(text)))


def breaks_on_text(hooks: Hooks, trigger: Callable[[str], bool]) -> Hooks:
    """The connection breaks on texts that fit."""

    def receive(message: str | bytes) -> list[Command]:
        if isinstance(message, str) and trigger(message):
            raise Dying(BROKEN)
        return hooks.receive(message)

    return replace(hooks, receive=receive)


def unanswered(hooks: Hooks, action: str) -> list[Call]:
    """The station's own CALLs of `action` that are not answered yet, be they said or still to be said."""
    peer = hooks.context.peer
    asked = [peer.outstanding] if peer.outstanding else []
    return [call for call in (*asked, *peer._queue) if call.action == action]


def peek(message: str | bytes) -> Heard:
    """Text as read by a lenient reader; binary messages show nothing."""
    if isinstance(message, bytes):
        return Heard(0.0, "", FrameKind.GARBAGE, binary=True)
    return hear(message, 0.0)
