import pytest
from hypothesis import given, strategies as st

from fuzz.errors import UsageError
from fuzz.pics.loading import load_pics
from fuzz.station.bench import Bench
from fuzz.station.console import HELP, MAX_LINE, Ask, Wait, check, parse, parse_script, told
from fuzz.station.events import (
    ClearFault,
    CutNetwork,
    Fault,
    MaintenanceLogin,
    PlugIn,
    PowerCycle,
    PresentToken,
    RestoreNetwork,
    ShiftClock,
    StartPower,
    StopPower,
    Tamper,
    Unplug,
)

DC = load_pics("dc-2evse-ccs1")
LINES = [
    ("plug-in 1", PlugIn(1)),
    ("plug-in 2 1", PlugIn(2, 1)),
    ("unplug 1", Unplug(1)),
    ("present-token ABC", PresentToken("ABC")),
    ("present-token ABC eMAID", PresentToken("ABC", "eMAID")),
    ("start-power 1", StartPower(1)),
    ("stop-power 1", StopPower(1)),
    ("fault 2", Fault(2)),
    ("clear-fault 2", ClearFault(2)),
    ("cut-network", CutNetwork()),
    ("restore-network", RestoreNetwork()),
    ("power-cycle", PowerCycle()),
    ("shift-clock -90.5", ShiftClock(-90.5)),
    ("tamper", Tamper()),
    ("login Alice", MaintenanceLogin("Alice")),
    ("failed-login Alice", MaintenanceLogin("Alice", accepted=False)),
    ("wait 1.5", Wait(1.5)),
    ("status", Ask.STATUS),
    ("  help  \n", Ask.HELP),
    ("", None),
    ("   \t", None),
    ("# plug-in 1", None),
]


@pytest.mark.parametrize(("line", "meaning"), LINES)
def test_one_line_is_one_event(line, meaning):
    assert parse(line) == meaning


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("plugin 1", "unknown word 'plugin'; did you mean 'plug-in'?"),
        ("xyzzy", "unknown word 'xyzzy'; 'help' tells the known ones"),
        ("plug-in", "'plug-in' does not fit; write: plug-in EVSE [CONNECTOR]"),
        ("plug-in 1 1 1", "'plug-in 1 1 1' does not fit; write: plug-in EVSE [CONNECTOR]"),
        ("tamper now", "'tamper now' does not fit; write: tamper"),
        ("fault one", "'one' is no number of an EVSE or connector; write such as 1"),
        ("fault -1", "'-1' is no number of an EVSE or connector; write such as 1"),
        ("shift-clock nan", "'nan' is no number of seconds; write such as 30"),
        ("shift-clock 1e300", "'1e300' is no number of seconds; write such as 30"),
        (
            f"present-token {'A' * 37}",
            f"'{'A' * 37}' is no token; write at most 36 plain characters",
        ),
        ("present-token ü", "'ü' is no token; write at most 36 plain characters"),
        (f"login {'A' * 101}", "a user of 101 characters is too long; at most 100"),
        ("wait -1", "cannot wait -1 seconds; write such as 30"),
        ("x" * (MAX_LINE + 1), f"a line of {MAX_LINE + 1} characters is too long; at most 1000"),
    ],
)
def test_a_line_that_does_not_fit_is_refused_in_one_line(line, complaint):
    with pytest.raises(UsageError) as refused:
        parse(line)
    assert str(refused.value) == complaint


def test_a_type_of_token_is_one_of_ocpp():
    with pytest.raises(UsageError, match="'Card' is no type of token; known: Central, eMAID"):
        parse("present-token A Card")


@given(
    st.text() | st.builds(" ".join, st.lists(st.sampled_from(["plug-in", "wait", "1", "٣", "inf"])))
)
def test_whatever_is_typed_is_understood_or_refused_in_one_line(line):
    complaint = ""
    try:
        parse(line)
    except UsageError as refused:
        complaint = str(refused)
    assert len(complaint.splitlines()) <= 1


def test_help_names_every_word_once():
    words = {line.split()[0] for line, _ in LINES if line.strip() and not line.startswith("#")}
    assert sorted(words) == sorted(line.split()[0] for line in HELP)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("plug-in 3", "no EVSE 3; this station has EVSE 1, 2"),
        ("stop-power 0", "no EVSE 0; this station has EVSE 1, 2"),
        ("fault 1 2", "no connector 2; EVSE 1 has 1"),
        ("plug-in 1 0", "no connector 0; EVSE 1 has 1"),
    ],
)
def test_only_what_the_station_has_can_be_touched(line, complaint):
    with pytest.raises(UsageError) as refused:
        check(parse(line), DC)
    assert str(refused.value) == complaint


def test_a_script_is_its_lines_without_comments():
    assert parse_script("# a day\nplug-in 1\n\nwait 2\n", "day", DC) == [PlugIn(1), Wait(2.0)]


@pytest.mark.parametrize("second", ["plugin 1", "plug-in 9"])
def test_a_script_that_does_not_fit_is_refused_with_its_name_and_line(second):
    with pytest.raises(UsageError, match="day line 2: "):
        parse_script(f"tamper\n{second}\n", "day", DC)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("plug-in 1", "EVSE 1: plugged in"),
        ("unplug 2", "EVSE 2: unplugged"),
        ("start-power 1", "EVSE 1: the EV is ready to take energy"),
        ("stop-power 1", "EVSE 1: the EV takes no energy"),
        ("fault 1", "EVSE 1: has a fault"),
        ("clear-fault 1", "EVSE 1: has no fault any more"),
        ("present-token A", "token A (ISO14443) presented"),
        ("shift-clock -5", "clock shifted by -5 s"),
        ("login A", "A logged in"),
        ("failed-login A", "A failed to log in"),
        ("cut-network", "network cut"),
        ("restore-network", "network restored"),
        ("power-cycle", "power lost and back"),
        ("tamper", "housing opened"),
    ],
)
def test_what_was_done_is_told_in_one_calm_line(line, words):
    assert told(parse(line)) == words


@given(st.lists(st.sampled_from([line for line, _ in LINES if "power-cycle" not in line])))
def test_the_station_survives_every_script(lines):
    bench = Bench().boot()
    bench.play("\n".join(line.strip() for line in lines))
    assert bench.ask("ClearCache", {}, message_id="last")[:2] in ([3, "last"], [])


@pytest.mark.parametrize(("sign", "year"), [("", "2100"), ("-", "2000")])
def test_no_shift_of_the_clock_leads_out_of_the_years_that_it_can_show(sign, year):
    bench = Bench().boot()
    bench.play(f"shift-clock {sign}300000000\n" * 50)
    bench.settle()
    bench.play("tamper")
    assert bench.asked[3]["timestamp"].startswith(year)
