"""Pairs requests with answers.

Knows the outer shape of OCPP-J messages. Must not know what becomes of a pair.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from fuzz.records import Side
from fuzz.traffic.events import Closing, Lost, Opened, Said, Told, other
from fuzz.traffic.perspective import frame_of
from strategies.labels import JsonValue

MAX_OPEN = 20_000
"""CALLs that wait for their answer, and answers that are remembered because a log may hold them twice."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that can be read: `frame` is its outer array."""

    sender: Side
    text: str
    frame: list[JsonValue]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A CALL and what it was answered with; None when the recording holds no answer."""

    call: Message
    answer: Message | None = None


@dataclass(frozen=True, slots=True)
class Oddity:
    """A message that is no CALL and no answer, whatever it is."""

    said: Said


Paired: TypeAlias = Exchange | Oddity | Opened | Lost
_Key: TypeAlias = tuple[str, Side, str]


@dataclass(slots=True)
class _Open:
    calls: OrderedDict[_Key, Message] = field(default_factory=OrderedDict)
    done: OrderedDict[_Key, tuple[str, str]] = field(default_factory=OrderedDict)


def exchanges(told: Iterable[Told]) -> Iterator[Paired]:
    """Pairs in the order of their answers, then the CALLs that were never answered.

    A log in which both ends write holds each message twice: the second one is passed over.
    """
    state = _Open()
    for event in told:
        if isinstance(event, Said):
            yield from _said(event, state)
        elif not isinstance(event, Closing):
            yield event
    for call in state.calls.values():
        yield Exchange(call)


def _said(said: Said, state: _Open) -> Iterator[Paired]:
    frame = None if isinstance(said.data, bytes) else frame_of(said.data)
    kind = frame[0] if frame else None
    if (
        isinstance(said.data, bytes)
        or frame is None
        or isinstance(kind, bool)
        or kind not in (2, 3, 4)
    ):
        yield Oddity(said)
        return
    message = Message(said.sender, said.data, frame)
    id_ = frame[1] if len(frame) > 1 else None
    if not isinstance(id_, str):
        # Nothing can be paired with it.
        yield Exchange(message) if kind == 2 else Oddity(said)
    elif kind == 2:
        yield from _called((said.talk, said.sender, id_), message, state)
    else:
        yield from _answered((said.talk, other(said.sender), id_), message, state)


def _called(key: _Key, message: Message, state: _Open) -> Iterator[Paired]:
    before = state.calls.get(key)
    if before is not None and before.text == message.text:
        return
    if before is not None:
        yield Exchange(before)
    if key in state.done and state.done[key][0] == message.text:
        return
    state.calls[key] = message
    if len(state.calls) > MAX_OPEN:
        yield Exchange(state.calls.popitem(last=False)[1])


def _answered(key: _Key, message: Message, state: _Open) -> Iterator[Paired]:
    call = state.calls.pop(key, None)
    if call is not None:
        yield Exchange(call, message)
        state.done[key] = call.text, message.text
        if len(state.done) > MAX_OPEN:
            state.done.popitem(last=False)
    elif state.done.get(key, ("", ""))[1] != message.text:
        yield Lost("an answer whose CALL is not in the recording")
