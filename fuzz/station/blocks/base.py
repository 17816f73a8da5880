"""What a functional block is: handlers for actions, triggers, and reactions to the station's life.

A new block is one module here and one line in `blocks/__init__.py`; the core need not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from fuzz.station.context import Context, Trigger
from fuzz.station.events import Failure, OperatorEvent
from strategies.labels import JsonObject, JsonValue

Handler: TypeAlias = Callable[[JsonObject], JsonObject]
"""Answers the payload of a proper CALL with that of its CALLRESULT; raises RemoteProtocolError for a CALLERROR."""


class Block:
    """One functional block; every method may stay as it is."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def handlers(self) -> Mapping[str, Handler]:
        """The actions of the CSMS that this block answers."""
        return {}

    def triggers(self) -> Mapping[str, Trigger]:
        """The messages that TriggerMessage can ask this block for."""
        return {}

    def power_on(self) -> None:
        """The station starts; whatever does not survive a reboot is forgotten."""

    def connected(self, offline_s: float) -> None:
        """The connection is open, `offline_s` after the last one was lost."""

    def accepted(self) -> None:
        """The CSMS accepted the BootNotification."""

    def disconnected(self) -> None:
        """An open connection is lost."""

    def failed(self, failure: Failure) -> None:
        """An attempt to connect failed."""

    def happened(self, event: OperatorEvent) -> None:
        """An operator, an EV or the surroundings did something; every block hears it, in order."""

    def lasting(self) -> JsonObject:
        """What must survive a reboot, apart from variables."""
        return {}

    def restore(self, lasting: Mapping[str, JsonValue]) -> None:
        """Takes over what `lasting` gave once; what does not fit is left out."""


def status(word: str, reason: str = "") -> JsonObject:
    """A response of a status and, when a reason is given, its StatusInfo."""
    return {"status": word, "statusInfo": {"reasonCode": reason}} if reason else {"status": word}


def whole(value: JsonValue) -> int:
    """An integer that the schema let through, `1.0` included (an integer by draft 6)."""
    return int(value) if isinstance(value, int | float) else 0


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects of a list that the schema let through."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def member(value: JsonObject, name: str) -> JsonObject:
    """An object member that the schema let through, {} when absent."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}
