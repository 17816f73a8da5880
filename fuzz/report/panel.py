"""The panel of a running campaign: a few rows that fit any width, the most needed ones first.

Knows events and figures, and a clock that never jumps, so that time goes on while the engine is busy. Must not know
streams or who redraws it; every string goes through `safe`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from fuzz.records import (
    CampaignEnded,
    CampaignStarted,
    EngineEvent,
    FollowUp,
    Note,
    Progress,
    Pursuit,
)
from fuzz.report.safe import safe
from fuzz.report.summary import answers_line, counted, duration, share
from fuzz.report.words import oracle_words

WIDE = 72
"""From so many columns on there is room for bars and whole names."""

ASKED_STYLE = "bold white on magenta"
_SHORT_NAME = 12
_MAX_ASKED_ROWS = 3


class Panel:
    """What stands below everything else while a campaign runs; a rich renderable."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._phases: tuple[str, ...] = ()
        self._max_time_s: float | None = None
        self._max_cases: int | None = None
        self._progress: Progress | None = None
        self._told_s = 0.0
        self._busy = ""
        self._asked = ""

    @property
    def empty(self) -> bool:
        """True while there is nothing to show."""
        return self._progress is None

    def hear(self, event: EngineEvent) -> None:
        """Take note of an event."""
        match event:
            case CampaignStarted():
                self._phases = event.phases
                self._max_time_s, self._max_cases = event.max_time_s, event.max_cases
            case Progress():
                self._go_on(event)
            case FollowUp(finding, doing):
                busy = doing is not Pursuit.SHRUNK
                self._busy = f"{doing.value} {oracle_words(finding.violation)}" if busy else ""
            case Note(level="action"):
                self._asked = event.text
            case CampaignEnded():
                self._progress = None
            case _:
                pass

    def _go_on(self, progress: Progress) -> None:
        before = self._progress
        if before is None or progress.cases > before.cases:
            self._busy = self._asked = ""
        self._progress, self._told_s = progress, self._monotonic()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The rows, for the width that there is now."""
        yield from self.rows(options.max_width)

    def rows(self, width: int) -> Iterator[Text]:
        """The rows: never wider than `width`, neither wrapped nor padded, so that a resize is calm."""
        progress = self._progress
        if progress is None:
            return
        yield from self._asking(width)
        cells = list(self._cells(progress, wide=width >= WIDE))
        names = max(len(name) for name, _, _ in cells)
        for name, value, style in cells:
            row = Text(no_wrap=True, overflow="ellipsis")
            row.append(f"{name:<{names}}  ", "dim").append(value, style)
            row.truncate(width, overflow="ellipsis")
            yield row

    def _asking(self, width: int) -> Iterator[Text]:
        """What a person must do, until the campaign goes on."""
        if not self._asked:
            return
        room = max(1, width) * _MAX_ASKED_ROWS
        text = Text(f"PLEASE DO: {safe(self._asked, 500)}", ASKED_STYLE)
        text.truncate(room, overflow="ellipsis")
        yield text

    def _cells(self, progress: Progress, *, wide: bool) -> Iterator[tuple[str, str, str]]:
        yield "phase", self._phase(progress), "bold"
        yield "time", self._time(progress), ""
        yield "found", _found(progress), "bold red" if progress.findings else ""
        total = f" of {self._max_cases:,}" if self._max_cases is not None else ""
        yield "cases", f"{progress.cases:,}{total}, {progress.rate:,.0f} a second", ""
        for name, (reached, known) in progress.coverage.items():
            shown = f"{bar(reached, known)} " if wide else ""
            yield _name(name, wide=wide), shown + share(reached, known), ""
        yield "answers", answers_line(progress.answers, 5), ""

    def _phase(self, progress: Progress) -> str:
        shown = safe(progress.phase, 40)
        if progress.phase in self._phases and len(self._phases) > 1:
            shown += f", {self._phases.index(progress.phase) + 1} of {len(self._phases)}"
        doing = self._busy or safe(progress.current, 100)
        return f"{shown}; {doing}" if doing else shown

    def _time(self, progress: Progress) -> str:
        elapsed = progress.elapsed_s + max(0.0, self._monotonic() - self._told_s)
        if self._max_time_s is None:
            return duration(elapsed)
        left = self._max_time_s - elapsed
        # A suspicion of the last second is still looked at.
        rest = f"{duration(left)} left" if left > 0 else "over, finishing what was begun"
        return f"{duration(elapsed)}, {rest}"


def _found(progress: Progress) -> str:
    return (
        f"{counted(progress.findings, 'finding')}, {counted(progress.remarks, 'remark')}, "
        f"{progress.inconclusive:,} inconclusive"
    )


def _name(name: str, *, wide: bool) -> str:
    shown = safe(name, 20)
    return shown if wide or len(shown) <= _SHORT_NAME else f"{shown[: _SHORT_NAME - 1]}\u2026"


def bar(reached: int, total: int, width: int = 20) -> str:
    """A bar of characters that every terminal has."""
    full = width if not total else width * reached // total
    return "[" + "#" * full + "." * (width - full) + "]"
