"""Displays are calm, complete, and without a mind for what a target wants to draw."""

import io
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from fuzz.records import (
    Basis,
    CampaignEnded,
    CampaignStarted,
    FindingReported,
    FindingStatus,
    FollowUp,
    Note,
    PhaseEnded,
    PhaseStarted,
    Pursuit,
    RemarkReported,
    Severity,
    Side,
    TargetFacts,
    Violation,
)
from fuzz.report.terminal import Context, LiveDisplay, make_display
from fuzz.testing import candidate, progress, summary

FACTS = TargetFacts(Side.STATION, vendor="[bold]lab\x1b[0m", security_profile=3)
VIOLATION = Violation(
    "O4", "unanswered-call", Basis.SHALL, Severity.HIGH, "silence", "[red]no answer\x07"
)

CANDIDATE = candidate(VIOLATION, FACTS)
CANDIDATE = replace(CANDIDATE, case=replace(CANDIDATE.case, action="Reset\x07"))
CONFIRMED = replace(CANDIDATE, status=FindingStatus.CONFIRMED, confirmed=3, tries=3)
PROGRESS = progress({"sites": (5, 10)}, current="Reset\x1b")
SUMMARY = summary(FACTS)
EVENTS = (
    CampaignStarted(FACTS, 7, ("replay", "systematic"), 60, 500),
    PhaseStarted("systematic", 9_187),
    Note("something", "info"),
    Note("careful", "warning"),
    Note("power-cycle it", "action"),
    FindingReported(CANDIDATE),
    FindingReported(CANDIDATE),
    FollowUp(CANDIDATE, Pursuit.CONFIRMING, 7),
    FollowUp(CANDIDATE, Pursuit.SEARCHING),
    FindingReported(CONFIRMED),
    FollowUp(CONFIRMED, Pursuit.SHRINKING),
    FollowUp(CONFIRMED, Pursuit.SHRUNK),
    FollowUp(replace(CONFIRMED, not_minimal="time is up\x07"), Pursuit.SHRUNK),
    RemarkReported(VIOLATION, "x"),
    PROGRESS,
    replace(PROGRESS, elapsed_s=13.0),
    PhaseEnded("systematic", 1_234, False, {"effect \x1b is not allowed": 616, "rare": 2}),
    CampaignEnded(SUMMARY),
)
CONTEXT = Context(Path("findings"), "--defect P01")


def shown(display_on, events=EVENTS) -> str:
    stream = io.StringIO()
    with display_on(stream) as display:
        for event in events:
            display(event)
    return stream.getvalue()


def test_plain_lines_tell_the_campaign_in_order():
    text = shown(lambda s: make_display(s, CONTEXT, quiet=False, color=None))
    assert text == (
        "Attacking: Charging Station [bold]lab\\x1b[0m, security profile 3, OCPP 2.0.1 edition ed3\n"
        "seed 7; phases replay, systematic; at most 1 min 00 s; at most 500 cases\n"
        "phase systematic, at most 9,187 cases\n"
        "something\n"
        "warning: careful\n"
        "PLEASE DO: power-cycle it\n"
        "candidate HIGH unanswered-call (O4): [red]no answer\\x07 findings/O4-1a2b3c4d\n"
        "making sure of unanswered-call (O4), Reset\\x07 CALL; 7 plays at most\n"
        "tracing unanswered-call (O4), Reset\\x07 CALL; alone it did not show again\n"
        "confirmed HIGH unanswered-call (O4): [red]no answer\\x07 findings/O4-1a2b3c4d\n"
        "making smaller unanswered-call (O4), Reset\\x07 CALL\n"
        "unanswered-call (O4) is as small as it gets\n"
        "unanswered-call (O4) not minimal yet: time is up\\x07; `ocppfuzz shrink` goes on\n"
        "remark unanswered-call (O4): [red]no answer\\x07\n"
        "12 s: systematic, 1,234 cases, 346/s, 1 finding, 2 remarks; sites 5 of 10 (50 %)\n"
        "phase systematic not complete: 1,234 cases; 616 left out, effect \\x1b is not allowed; 2 left out, rare\n"
        "\n"
        "NO FINDING: 1 case in 1 s, seed 7.\n"
        "Attacked: Charging Station [bold]lab\\x1b[0m, security profile 3, OCPP 2.0.1 edition ed3\n"
        "This is not an OCA certification result.\n"
        "\n"
        "Next: ocppfuzz run --max-time 600 --seed 8 --defect P01\n"
    )


def test_quiet_keeps_to_what_matters():
    text = shown(lambda s: make_display(s, CONTEXT, quiet=True, color=None))
    assert text.startswith(
        "warning: careful\nPLEASE DO: power-cycle it\nconfirmed HIGH unanswered-call (O4): "
    )
    assert text.count("\n") == 9


def test_colour_is_used_when_asked_for_and_only_ours():
    text = shown(lambda s: make_display(s, CONTEXT, quiet=False, color=True))
    assert "\x1b[31mconfirmed HIGH" in text
    assert "lab\\x1b[0m, security profile" in text


def test_lines_of_a_terminal_are_wrapped_between_words_but_commands_never_are():
    shown_ = shown(
        lambda s: LiveDisplay(terminal(s, 40), CONTEXT), (Note("word " * 12), EVENTS[-1])
    )
    assert "word word word word word word word word\nword" in shown_.replace(" \n", "\n")
    assert "Next: ocppfuzz run --max-time 600 --seed 8 --defect P01" in shown_


def terminal(stream: io.StringIO, width: int = 100) -> Console:
    return Console(
        file=stream, force_terminal=True, width=width, height=20, markup=False, emoji=False
    )


def test_a_terminal_shows_the_panel_and_then_the_summary():
    text = shown(lambda s: LiveDisplay(terminal(s), CONTEXT, lambda: 0.0))
    assert "[##########..........] 5 of 10 (50 %)" in text
    assert "1,234 of 500, 346 a second" in text
    assert "12 s, 48 s left" in text
    assert "remark unanswered-call" not in text
    assert "plays at most" not in text
    assert text.index("NO FINDING") > text.rindex("a second")
    assert text.endswith("\x1b[0m\n")


def test_the_terminal_is_left_with_its_cursor_when_a_campaign_breaks_off():
    stream = io.StringIO()
    with suppress(KeyboardInterrupt), LiveDisplay(terminal(stream), CONTEXT) as display:
        display(PROGRESS)
        raise KeyboardInterrupt
    text = stream.getvalue()
    assert text.index("\x1b[?25l") < text.index("a second") < text.index("\x1b[?25h")


def test_a_reader_who_went_away_does_not_stop_the_campaign():
    class Gone(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    display = make_display(Gone(), CONTEXT, quiet=False, color=None)
    assert [display(event) for event in EVENTS] == [None] * len(EVENTS)
