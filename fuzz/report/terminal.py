"""Shows a running campaign: a calm live panel on a terminal, plain lines anywhere else.

Consumes engine events; must not know who sends them. Nothing of the target is interpreted: rich's markup, emoji and
highlighting are off, and every string goes through `safe`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TextIO, assert_never

from rich.console import Console
from rich.live import Live
from rich.text import Text

from fuzz.records import (
    CampaignEnded,
    CampaignStarted,
    EngineEvent,
    FindingReported,
    FindingStatus,
    FollowUp,
    Note,
    PhaseEnded,
    PhaseStarted,
    Progress,
    Pursuit,
    RemarkReported,
)
from fuzz.report.panel import Panel
from fuzz.report.safe import safe
from fuzz.report.summary import (
    EVERYTHING,
    SEVERITY_STYLES,
    Line,
    counted,
    duration,
    share,
    summary_lines,
)
from fuzz.report.words import attacked, folder_name, goes_on, oracle_words, position_words

PROGRESS_EVERY_S = 10.0
MAX_REASONS = 4


@dataclass(frozen=True, slots=True)
class Context:
    """What commands that are shown to a person need: where findings lie, which target, which cases, and out of which."""

    findings_dir: Path
    target_flags: str = ""
    campaign_flags: str = ""
    out_of: str = EVERYTHING


class Display(Protocol):
    """Something that engine events can be given to while it is open."""

    def __enter__(self) -> Self:
        """Open it."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        ...

    def __call__(self, event: EngineEvent) -> None:
        """Show one event; never raises because of what is in it."""
        ...


def make_display(stream: TextIO, context: Context, *, quiet: bool, color: bool | None) -> Display:
    """The live panel when `stream` is a terminal, plain lines otherwise; `color` None means: where it can."""
    console = plain_console(stream, color=color)
    if console.is_terminal and not console.is_dumb_terminal and not quiet:
        return LiveDisplay(console, context)
    return PlainDisplay(console, context, quiet=quiet)


class SteadyConsole(Console):
    """A console that falls silent when its reader goes away; rich would end the process, and with it the campaign."""

    def on_broken_pipe(self) -> None:
        """Print nothing from here on."""
        self.quiet = True


def plain_console(stream: TextIO, *, color: bool | None) -> Console:
    """A console that interprets nothing; rich itself honours NO_COLOR and TERM."""
    return SteadyConsole(
        file=stream,
        markup=False,
        emoji=False,
        highlight=False,
        no_color=None if color is None else not color,
        color_system="standard" if color else "auto",
    )


def print_lines(console: Console, lines: Iterable[Line], *, wrap: bool = False) -> None:
    """Print lines in their styles, with `wrap` between words; a reader who went away is no error.

    What holds a command is never wrapped: a line break in the midst of it would be copied, too.
    """
    with suppress(OSError):
        for line in lines:
            whole = not wrap or "ocppfuzz " in line.text
            console.print(Text(line.text, style=line.style), soft_wrap=whole)


class EventLines:
    """Turns events into lines; remembers what was told already, so that nothing is told twice."""

    def __init__(self, context: Context, *, quiet: bool) -> None:
        self._context = context
        self._quiet = quiet
        self._told: set[tuple[str, FindingStatus]] = set()

    def lines(self, event: EngineEvent) -> Iterator[Line]:
        """What to print for an event; nothing for `Progress`."""
        match event:
            case CampaignStarted() if not self._quiet:
                yield from _started(event)
            case PhaseStarted() if not self._quiet:
                planned = "" if event.planned is None else f", at most {event.planned:,} cases"
                yield Line(f"phase {safe(event.phase, 40)}{planned}", "bold")
            case PhaseEnded() if not self._quiet:
                end = "complete" if event.complete else "not complete"
                text = f"phase {safe(event.phase, 40)} {end}: {event.cases:,} cases"
                yield Line(text + _left_out(event), "dim")
            case FindingReported():
                yield from self._finding(event)
            case FollowUp() if not self._quiet:
                yield _followed_up(event)
            case RemarkReported() if not self._quiet:
                text = safe(event.violation.text, 200)
                yield Line(f"remark {oracle_words(event.violation)}: {text}", "dim")
            case Note():
                yield from self._note(event)
            case CampaignEnded():
                yield Line("")
                context = self._context
                yield from summary_lines(
                    event.summary,
                    context.findings_dir,
                    context.target_flags,
                    context.campaign_flags,
                    out_of=context.out_of,
                )
            case (
                Progress()
                | CampaignStarted()
                | PhaseStarted()
                | PhaseEnded()
                | FollowUp()
                | RemarkReported()
            ):
                return
            case _:
                assert_never(event)

    def _finding(self, event: FindingReported) -> Iterator[Line]:
        finding = event.finding
        key = (finding.fingerprint, finding.status)
        if key in self._told:
            return
        self._told.add(key)
        if self._quiet and finding.status is not FindingStatus.CONFIRMED:
            return
        violation = finding.violation
        where = f" {self._context.findings_dir / folder_name(finding)}"
        yield Line(
            f"{finding.status.value} {violation.severity.name} {oracle_words(violation)}: "
            f"{safe(violation.text, 200)}{where}",
            SEVERITY_STYLES[violation.severity],
        )

    def _note(self, note: Note) -> Iterator[Line]:
        if note.level == "info" and self._quiet:
            return
        style = {"action": "bold magenta", "warning": "yellow", "target": "bold"}.get(
            note.level, ""
        )
        prefix = {"action": "PLEASE DO: ", "warning": "warning: "}.get(note.level, "")
        yield Line(prefix + safe(note.text, 500), style)


def _left_out(event: PhaseEnded) -> str:
    """How many of the planned cases were not played, and why; "" where there are none."""
    most = sorted(event.left_out.items(), key=lambda item: -item[1])
    told = [f"{count:,} left out, {safe(why, 120)}" for why, count in most[:MAX_REASONS]]
    rest = sum(count for _, count in most[MAX_REASONS:])
    told += [f"{rest:,} left out for other reasons"] if rest else []
    return "".join(f"; {one}" for one in told)


def _followed_up(event: FollowUp) -> Line:
    """What is being made of a suspicion, and of which."""
    finding = event.finding
    name, case = oracle_words(finding.violation), finding.case
    if event.doing is Pursuit.SHRUNK:
        left = goes_on(finding)
        return Line(f"{name} {safe(left, 200) if left else event.doing.value}", "dim")
    which = " ".join(filter(None, (safe(case.action, 50), position_words(case))))
    most = f"; {counted(event.plays, 'play')} at most" if event.plays else ""
    why = "; alone it did not show again" if event.doing is Pursuit.SEARCHING else ""
    return Line(f"{event.doing.value} {name}, {which}{most}{why}", "dim")


def _started(event: CampaignStarted) -> Iterator[Line]:
    yield Line(f"Attacking: {attacked(event.facts)}", "bold")
    budget = [
        f"seed {event.seed}",
        f"phases {', '.join(event.phases)}",
        f"at most {duration(event.max_time_s)}"
        if event.max_time_s is not None
        else "no time limit",
        *([f"at most {event.max_cases:,} cases"] if event.max_cases is not None else []),
    ]
    yield Line("; ".join(budget))


class PlainDisplay:
    """Plain lines, one an event, and the counters now and then: for logs and pipes."""

    def __init__(self, console: Console, context: Context, *, quiet: bool = False) -> None:
        self._console = console
        self._lines = EventLines(context, quiet=quiet)
        self._quiet = quiet
        self._last_progress_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def __call__(self, event: EngineEvent) -> None:
        """Print the event's lines."""
        print_lines(self._console, self._lines.lines(event))
        if isinstance(event, Progress) and not self._quiet:
            self._progress(event)

    def _progress(self, event: Progress) -> None:
        if event.elapsed_s - self._last_progress_s < PROGRESS_EVERY_S:
            return
        self._last_progress_s = event.elapsed_s
        print_lines(self._console, [Line(progress_line(event))])


def progress_line(event: Progress) -> str:
    """The counters in one line."""
    reached = ", ".join(f"{safe(n, 20)} {share(*c)}" for n, c in event.coverage.items())
    return (
        f"{duration(event.elapsed_s)}: {safe(event.phase, 40)}, {event.cases:,} cases, "
        f"{event.rate:,.0f}/s, {counted(event.findings, 'finding')}, {counted(event.remarks, 'remark')}"
        + (f"; {reached}" if reached else "")
    )


class LiveDisplay:
    """A small panel that stays in place, with findings and notes scrolling above it."""

    def __init__(
        self, console: Console, context: Context, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._lines = EventLines(context, quiet=False)
        self._panel = Panel(monotonic)
        self._live = Live(
            console=console,
            get_renderable=lambda: self._panel,
            refresh_per_second=4,
            transient=True,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._live.stop()

    def __call__(self, event: EngineEvent) -> None:
        """Keep the counters for the panel, print the rest above it."""
        first = self._panel.empty
        self._panel.hear(event)
        match event:
            case Progress():
                if first:
                    self._live.refresh()
                return
            case CampaignEnded():
                self._live.stop()
            case RemarkReported() | FollowUp():
                return  # in the panel; remarks are grouped in the summary
            case _:
                pass
        print_lines(self._console, self._lines.lines(event), wrap=True)
