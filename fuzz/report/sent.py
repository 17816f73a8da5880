"""What a case sent, in one short text for reports that have no room for its steps.

Knows steps and their texts, slots and all. Must not know formats, nor make texts of a target safe: each format does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fuzz.records import AnswerNext, Case, RepeatSteps, SendBytes, SendFrames, SendText, Step
from fuzz.report.markdown import preview

LIMIT = 240
"""Characters of a message that are shown."""


def sent(case: Case) -> str:
    """The last hostile message, cut, and how many came before it; "" for a case that says nothing of its own."""
    said = list(_said(case.steps))
    if not said:
        return ""
    times = sum(n for _, n in said)
    more = f" (the last of {times:,})" if times > 1 else ""
    return said[-1][0] + more


def _said(steps: Sequence[Step], times: int = 1) -> Iterator[tuple[str, int]]:
    """Each message that is no proper question, and how often it is said."""
    for step in steps:
        match step:
            case SendText(text):
                yield preview(text, LIMIT), times
            case SendBytes(data, opcode):
                yield f"{len(data):,} bytes as one {opcode} message: {_hex(data)}", times
            case SendFrames(data):
                yield f"{len(data):,} bytes below WebSocket: {_hex(data)}", times
            case AnswerNext(action, ()):
                yield f"no answer to its {action}", times
            case AnswerNext(action, text):
                yield f"in answer to its {action}: {preview(text, LIMIT)}", times
            case RepeatSteps(inside, again):
                yield from _said(inside, times * again)
            case _:
                pass


def _hex(data: bytes) -> str:
    return data[: LIMIT // 4].hex(" ") + (" ..." if len(data) > LIMIT // 4 else "")
