"""Tells who said a message of a log that only knows "sent" and "received".

Knows which side makes which CALL. Must not know where the lines come from.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from fuzz.ocppj.codec import MAX_DEPTH, MAX_VALUES, depth_exceeds
from fuzz.records import Side
from fuzz.traffic.events import other
from strategies.labels import JsonValue, Sender
from strategies.version import Version

MAX_OPEN = 10_000
"""CALLs and logs that are remembered; the oldest are forgotten first."""

K = TypeVar("K")
V = TypeVar("V")

_SIDES = {Sender.STATION: Side.STATION, Sender.CSMS: Side.CSMS}


def frame_of(text: str) -> list[JsonValue] | None:
    """The outer array of a message, None when it is none that a reader takes."""
    values = text.count(",") + text.count("[") + text.count("{")
    if values > MAX_VALUES or depth_exceeds(text, MAX_DEPTH):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


@dataclass(slots=True)
class Perspective:
    """Remembers whose log it is, and who asked what; `owner` is the side that wrote it where that is known."""

    version: Version
    owner: Side | None = None
    _owners: OrderedDict[str, Side] = field(default_factory=OrderedDict)
    _callers: OrderedDict[tuple[str, str], Side] = field(default_factory=OrderedDict)

    def sender(self, talk: str, text: str, *, sent: bool) -> Side | None:
        """Who said it, None when nobody can tell."""
        frame = frame_of(text) or []
        kind = frame[0] if frame else None
        id_ = frame[1] if len(frame) > 1 and isinstance(frame[1], str) else None
        found = self._told(talk, sent=sent)
        if kind == 2 and found is None:
            found = self._by_action(frame)
        if kind == 2 and found is not None and id_ is not None:
            _keep(self._callers, (talk, id_), found)
        if found is None and id_ is not None and kind in (3, 4):
            caller = self._callers.get((talk, id_))
            found = None if caller is None else other(caller)
        if found is None:
            owner = self._owners.get(talk)
            return None if owner is None else owner if sent else other(owner)
        _keep(self._owners, talk, found if sent else other(found))
        return found

    def _told(self, talk: str, *, sent: bool) -> Side | None:
        if self.owner is None:
            return None
        return self.owner if sent else other(self.owner)

    def _by_action(self, frame: list[JsonValue]) -> Side | None:
        action = frame[2] if len(frame) > 2 else None
        sender = self.version.actions.get(action) if isinstance(action, str) else None
        return None if sender is None else _SIDES.get(sender)


def _keep(known: OrderedDict[K, V], key: K, value: V) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > MAX_OPEN:
        known.popitem(last=False)
