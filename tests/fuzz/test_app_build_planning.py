"""A build tells before it begins how much it is, how long it takes, and what it will not ask."""

from dataclasses import replace
from pathlib import Path

import pytest

from fuzz import app
from fuzz.app.build_planning import foretold
from fuzz.config import RegressOptions, RunOptions
from fuzz.errors import UsageError

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
THEIRS = RunOptions(
    listen="127.0.0.1:9000",
    identity="CS-1",
    security_profile=1,
    phases=("systematic",),
    tier="sites",
    only=("ClearCache",),
    corpus_dir=CORPUS,
    max_time_s=1_800.0,
)
FEW = RegressOptions(handshakes=("TS-31", "TS-34"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_handshakes_come_first_and_out_of_the_same_time():
    made = app.plan_build(replace(THEIRS, security_profile=2, max_time_s=1.0), FEW)
    assert [row.phase for row in made.rows] == ["handshakes", "systematic"]
    assert made.rows[0].cases == 2
    assert made.seconds == sum(row.seconds for row in made.rows)
    assert made.rows[0].note.endswith("the budget may end here")
    assert "budget" not in made.rows[1].note


def test_without_tls_there_are_no_handshakes_and_that_is_said():
    made = app.plan_build(THEIRS, RegressOptions())
    assert [row.phase for row in made.rows] == ["systematic"]
    assert "No handshakes: the TLS lab needs security profile 2 or 3." in made.notes
    nobody_asked = app.plan_build(THEIRS, RegressOptions(handshakes=("none",)))
    assert not any("handshakes" in note for note in nobody_asked.notes)


def test_the_handshakes_of_a_csms_alone_are_a_plan_too():
    wanted = RegressOptions(self_test="csms", handshakes=("TC-01",))
    (row,) = app.plan_build(RunOptions(max_time_s=None), wanted).rows
    assert (row.phase, row.cases) == ("handshakes", 1)


def test_what_a_station_declares_is_no_reason_to_refuse_the_list():
    declared = replace(THEIRS, security_profile=2, pics="dc-2evse-ccs1")
    assert app.plan_build(declared, FEW).rows[0].cases == 2


def test_what_cannot_be_meant_has_no_plan():
    with pytest.raises(UsageError, match="regress needs a target"):
        app.plan_build(RunOptions(), RegressOptions())


def test_a_time_that_will_not_do_stands_out_with_what_helps():
    made = app.plan_build(replace(THEIRS, max_time_s=5.0), RegressOptions())
    assert not made.held
    assert made.notes[0].startswith("The time limit of 5 s will not hold it: raise --max-time")
    (size, *_) = foretold(made)
    assert size.level == "warning"
    assert "will not hold it: raise --max-time" in size.text
    assert "--handshakes" not in size.text


def test_the_first_line_tells_how_much_and_how_long():
    made = app.plan_build(THEIRS, RegressOptions())
    (size, *rest) = foretold(made)
    (row,) = made.rows
    assert size.level == "info"
    assert size.text.startswith(f"the list: {row.cases} messages, {row.reconnects - 1} of which")
    assert size.text.endswith("30 s a reconnect; the time limit of 30 min holds it")
    assert [note.text.partition(":")[0] for note in rest] == ["left for --mode nightly"]


def test_what_waits_for_the_night_is_told_with_how_to_play_it_now():
    made = app.plan_build(replace(THEIRS, security_profile=2), RegressOptions())
    assert made.night["handshakes"] > 50
    assert made.night["messages"] > 10
    assert made.rows[0].cases == 14
    (left,) = [note for note in made.notes if "nightly" in note]
    assert left.startswith(f"Left for --mode nightly: {made.night['handshakes']} handshakes and ")
    assert left[1:-1] in [note.text[1:] for note in foretold(made)]


def test_a_whole_list_leaves_nothing_for_the_night():
    short = app.plan_build(THEIRS, RegressOptions())
    whole = app.plan_build(THEIRS, RegressOptions(whole=True))
    assert not any(whole.night.values())
    assert whole.rows[0].cases == short.rows[0].cases + short.night["messages"]
    assert not [note for note in whole.notes if "nightly" in note]


def test_what_is_not_asked_is_told_a_line_each():
    energising = replace(THEIRS, only=("Reset", "UnlockConnector"))
    every = RegressOptions(whole=True)
    (_, *left) = [note.text for note in foretold(app.plan_build(energising, every))]
    assert [line.partition(": ")[2].partition(";")[0] for line in left] == [
        "effect energise",
        "effect persistent",
    ]
    allowed = replace(THEIRS, only=("Reset",), allow=("persistent",))
    assert len(list(foretold(app.plan_build(allowed, every)))) == 1
