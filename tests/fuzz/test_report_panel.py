"""The panel fits every terminal, shows first what is needed first, and leaves nothing behind."""

import io
import unicodedata
from dataclasses import replace
from pathlib import Path

import pyte
import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len
from rich.console import Console

from fuzz.records import (
    CampaignEnded,
    CampaignStarted,
    FindingReported,
    FollowUp,
    Note,
    Pursuit,
    Severity,
    Side,
    TargetFacts,
)
from fuzz.report.panel import Panel
from fuzz.report.terminal import Context, LiveDisplay
from fuzz.testing import candidate, progress, summary, violation

FACTS = TargetFacts(Side.STATION, vendor="lab")
PHASES = ("replay", "systematic", "stateful")
STARTED = CampaignStarted(FACTS, 7, PHASES, 60, None)
PROGRESS = progress({"actions": (5, 10), "envelopes and texts": (240, 240), "states": (4, 18)})
FOUND = candidate(violation("O1", "exit 70", Severity.CRITICAL), FACTS)
SUMMARY = summary(FACTS)


class Time:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def panel(*events, time=None) -> Panel:
    made = Panel(time or Time())
    for event in events:
        made.hear(event)
    return made


def rows(made: Panel, width: int = 80) -> dict[str, str]:
    """The panel by the names of its rows."""
    text = [row.plain for row in made.rows(width)]
    return dict(row.split("  ", 1) if "  " in row else ("", row) for row in text)


def stripped(made: Panel, width: int = 80) -> dict[str, str]:
    return {name: value.strip() for name, value in rows(made, width).items()}


def test_a_wide_terminal_shows_everything():
    assert stripped(panel(STARTED, PROGRESS)) == {
        "phase": "systematic, 2 of 3",
        "time": "12 s, 48 s left",
        "found": "1 finding, 2 remarks, 3 inconclusive",
        "cases": "1,234, 346 a second",
        "actions": "[##########..........] 5 of 10 (50 %)",
        "envelopes and texts": "[####################] 240 of 240 (100 %)",
        "states": "[####................] 4 of 18 (22 %)",
        "answers": "CALLRESULT 900, silence 4",
    }


def test_a_narrow_one_shows_the_same_without_bars():
    assert stripped(panel(STARTED, PROGRESS), 40) == {
        "phase": "systematic, 2 of 3",
        "time": "12 s, 48 s left",
        "found": "1 finding, 2 remarks, 3 i\u2026",
        "cases": "1,234, 346 a second",
        "actions": "5 of 10 (50 %)",
        "envelopes a\u2026": "240 of 240 (100 %)",
        "states": "4 of 18 (22 %)",
        "answers": "CALLRESULT 900, silence 4",
    }


def test_time_goes_on_while_the_engine_is_busy():
    time = Time()
    made = panel(STARTED, PROGRESS, FollowUp(FOUND, Pursuit.CONFIRMING, 7), time=time)
    time.s += 5
    assert stripped(made)["time"] == "17 s, 43 s left"
    assert stripped(made)["phase"] == "systematic, 2 of 3; making sure of name-of-O1 (O1)"
    time.s += 50
    assert stripped(made)["time"] == "1 min 07 s, over, finishing what was begun"
    made.hear(FollowUp(FOUND, Pursuit.SHRINKING))
    assert stripped(made)["phase"].endswith("; making smaller name-of-O1 (O1)")
    made.hear(FollowUp(FOUND, Pursuit.SHRUNK))
    assert stripped(made)["phase"] == "systematic, 2 of 3"
    made.hear(FollowUp(FOUND, Pursuit.SEARCHING))
    assert stripped(made)["phase"].endswith("; tracing name-of-O1 (O1)")
    made.hear(replace(PROGRESS, cases=1_235))
    assert stripped(made)["phase"] == "systematic, 2 of 3"


def test_a_budget_of_cases_is_told_where_there_is_no_time():
    started = replace(STARTED, max_time_s=None, max_cases=5_000)
    told = stripped(panel(started, PROGRESS))
    assert (told["time"], told["cases"]) == ("12 s", "1,234 of 5,000, 346 a second")


def test_what_a_person_must_do_stays_on_top_until_the_campaign_goes_on():
    made = panel(STARTED, PROGRESS, Note("power-cycle it", "action"), Note("by the way"))
    first, *_ = made.rows(80)
    assert (first.plain, str(first.style)) == ("PLEASE DO: power-cycle it", "bold white on magenta")
    made.hear(PROGRESS)
    assert next(iter(made.rows(80))).plain == "PLEASE DO: power-cycle it"
    made.hear(replace(PROGRESS, cases=1_235))
    assert next(iter(made.rows(80))).plain.startswith("phase")


def test_there_is_no_panel_before_and_after_a_campaign():
    assert list(panel(STARTED, Note("do it", "action")).rows(80)) == []
    assert list(panel(STARTED, PROGRESS, CampaignEnded(SUMMARY)).rows(80)) == []


HOSTILE = st.text(max_size=60)


@given(HOSTILE, HOSTILE, st.dictionaries(HOSTILE, st.just((1, 2)), max_size=4), st.integers(1, 200))
def test_no_row_is_wider_than_the_terminal_whatever_it_holds(text, other, coverage, width):
    progress = replace(PROGRESS, phase=text, current=other, coverage=coverage, answers={other: 3})
    shown = list(panel(STARTED, progress).rows(width))
    assert max(cell_len(row.plain) for row in shown) <= width
    assert not [c for row in shown for c in row.plain if unicodedata.category(c).startswith("C")]
    asked, *_ = panel(STARTED, progress, Note(text, "action")).rows(width)
    assert cell_len(asked.plain) <= 3 * width


# --- on a terminal ------------------------------------------------------------------------------------------


class Screen:
    """A terminal in memory with a live display on it; `lines` is what a person sees."""

    def __init__(self, columns: int, rows: int = 24) -> None:
        self._stream = io.StringIO()
        self._screen = pyte.HistoryScreen(columns, rows, history=500)
        self._pyte = pyte.Stream(self._screen)
        self._console = Console(
            file=self._stream, force_terminal=True, width=columns, height=rows, markup=False
        )
        self.display = LiveDisplay(self._console, Context(Path("findings")), Time())

    def resize(self, columns: int) -> None:
        self._console.width = columns
        self._screen.resize(columns=columns)

    @property
    def cursor_hidden(self) -> bool:
        self._draw()
        return self._screen.cursor.hidden

    @property
    def lines(self) -> list[str]:
        self._draw()
        return [line.rstrip() for line in self._screen.display if line.strip()]

    def _draw(self) -> None:
        # A terminal's driver makes CR LF of what a program writes as LF.
        self._pyte.feed(self._stream.getvalue().replace("\n", "\r\n"))
        self._stream.seek(0)
        self._stream.truncate()


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_findings_scroll_by_above_a_panel_that_stays(columns):
    screen = Screen(columns)
    with screen.display as show:
        for event in (STARTED, PROGRESS, FindingReported(FOUND), replace(PROGRESS, cases=1_300)):
            show(event)
        show._live.refresh()
        seen = screen.lines
        assert screen.cursor_hidden
        assert [line.split()[0] for line in seen[-8:]] == [
            *("phase", "time", "found", "cases", "actions", "envelopes", "states", "answers")
        ]
        assert sum(line.startswith("phase ") for line in seen) == 1
        assert "candidate CRITICAL name-of-O1 (O1):" in " ".join(seen)
        assert "1,300, 346 a second" in " ".join(seen)


def test_a_resize_in_the_midst_leaves_one_panel():
    screen = Screen(80)
    with screen.display as show:
        show(STARTED)
        show(PROGRESS)
        assert any("[####" in line for line in screen.lines)
        screen.resize(40)
        show._live.refresh()
        seen = screen.lines
        assert [line for line in seen if "[####" in line] == []
        assert sum(line.startswith("time ") for line in seen) == 1
        screen.resize(100)
        show._live.refresh()
        assert sum("[##########.." in line for line in screen.lines) == 1


def test_at_the_end_the_panel_is_gone_and_the_cursor_is_back():
    screen = Screen(80)
    with screen.display as show:
        for event in (STARTED, PROGRESS, CampaignEnded(SUMMARY)):
            show(event)
    assert not screen.cursor_hidden
    assert [line for line in screen.lines if line.startswith(("time ", "answers "))] == []
    assert any(line.startswith("NO FINDING") for line in screen.lines)


def test_what_must_be_done_stands_out_in_colour():
    screen = Screen(40)
    with screen.display as show:
        for event in (
            STARTED,
            PROGRESS,
            Note("unplug the cable of EVSE 1, then press Enter", "action"),
        ):
            show(event)
        show._live.refresh()
        seen = screen.lines
        first = max(n for n, line in enumerate(seen) if line.startswith("PLEASE DO"))
        assert seen[first : first + 2] == [
            "PLEASE DO: unplug the cable of EVSE 1,",
            "then press Enter",
        ]
        assert seen[first + 2].startswith("phase")
        row = screen._screen.display.index(
            next(
                x
                for x in screen._screen.display
                if x.startswith("PLEASE DO: unplug the cable of EVSE 1,")
            )
        )
        assert {screen._screen.buffer[n][0].bg for n in range(row, 24)} >= {"magenta"}
