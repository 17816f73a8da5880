"""What the raw frames of a case hold: the messages that a peer may find in them, the last ping, a close.

Knows steps and frames. Must not know what came of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fuzz.records import Disconnect, RepeatSteps, SendFrames, Step
from strategies.wsframes import FrameReader


@dataclass(frozen=True, slots=True)
class Written:
    """What was written below the WebSocket layer; `ping` and `closing` speak of the last connection."""

    texts: tuple[str, ...] = ()
    ping: bytes | None = None
    closing: bool = False


def writes_frames(steps: Iterable[Step]) -> bool:
    """True when any step writes below the WebSocket layer."""
    return any(
        isinstance(s, SendFrames) or (isinstance(s, RepeatSteps) and writes_frames(s.steps))
        for s in steps
    )


def written(steps: Iterable[Step]) -> Written:
    """What the frames of these steps hold."""
    reader, texts = FrameReader(), []
    for step in _flat(steps):
        if isinstance(step, SendFrames):
            texts += reader.feed(step.data)
        elif isinstance(step, Disconnect):
            reader = FrameReader()
    return Written(tuple(texts), reader.ping, reader.closing)


def _flat(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, RepeatSteps):
            for _ in range(step.times):
                yield from _flat(step.steps)
        else:
            yield step
