"""The last lines that a process wrote, in bounded memory. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

MAX_LINES = 1000
MAX_LINE = 2000


class Ring:
    """Takes output as it comes and keeps the last lines, each cut to a sane length."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._open = b""
        self._count = 0

    def feed(self, data: bytes) -> None:
        """More output; the last line may still be growing."""
        first, *rest = data.split(b"\n")
        self._open = (self._open + first[:MAX_LINE])[:MAX_LINE]
        for line in rest:
            self._lines.append(_text(self._open))
            self._count += 1
            self._open = line[:MAX_LINE]

    def since(self, mark: int) -> tuple[int, Sequence[str]]:
        """How many whole lines there were so far, and those after the first `mark` that are still kept."""
        new = min(self._count - mark, len(self._lines))
        return self._count, tuple(self._lines)[len(self._lines) - new :] if new > 0 else ()

    def lines(self) -> Sequence[str]:
        """What is kept, newest last; an unfinished line counts."""
        return (*self._lines, _text(self._open)) if self._open else tuple(self._lines)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")
