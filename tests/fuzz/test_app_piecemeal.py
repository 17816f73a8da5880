import asyncio
import threading
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from fuzz.app import Replayed, piecemeal
from fuzz.app.piecemeal import Desk, Fate, LabRun, Outcome, Piece, Seat
from fuzz.config import RunOptions
from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Basis, Note, ReplayOutcome, Severity, Side, TargetFacts, Violation
from fuzz.report.tls import TlsRow
from fuzz.testing import HOSTILE, case

FACTS = TargetFacts(Side.STATION, vendor="Vendor", identity="CS-1")
MESSAGE = Piece("schema/one", "ocppfuzz replay one.json", "Reset, call", Path("one.json"), case())
HANDSHAKE = Piece("tls/TS-33", "ocppfuzz tls --only TS-33", "another host", handshakes=("TS-33",))


@dataclass
class Seats:
    """Rigs that are none: what each of them replays, and what was opened and closed, in order."""

    replayed: Replayed | Exception
    rows: Mapping[str, TlsRow]
    log: list[str]


@pytest.fixture
def seats(monkeypatch) -> Seats:
    made = Seats(Replayed(Path("one.json"), ReplayOutcome.FIXED, "", facts=FACTS), {}, [])

    class Seat:
        def __init__(self, _options, _say):
            made.log.append("rig")

        def play(self, _path, _case):
            if isinstance(made.replayed, Exception):
                raise made.replayed
            return made.replayed

        def close(self):
            made.log.append("rig closed")

    class LabRun:
        facts = None

        def __init__(self, _options, ids, _say):
            made.log.append(f"lab {' '.join(ids)}")

        def row(self, id_):
            return made.rows.get(id_)

        def wait(self):
            made.log.append("lab over")

        def close(self):
            made.log.append("lab closed")

    monkeypatch.setattr(piecemeal, "Seat", Seat)
    monkeypatch.setattr(piecemeal, "LabRun", LabRun)
    return made


@pytest.fixture
def desk(seats) -> Desk:
    return Desk(RunOptions(), [MESSAGE, HANDSHAKE], print)


def row(outcome: str, *why: str) -> TlsRow:
    return TlsRow("TS-33", "names", "another host", outcome, "high", why=why, symptom="it was open")


def objection(text: str = "silence") -> Violation:
    return Violation("O4", "unanswered-call", Basis.STOPPED_SERVING, Severity.HIGH, text, text)


def test_what_no_oracle_objects_to_has_passed(desk):
    assert desk.play(MESSAGE) == Outcome(Fate.PASSED)
    assert "Vendor" in desk.attacked


def test_what_was_not_run_says_why(desk, seats):
    seats.replayed = Replayed(Path("one.json"), ReplayOutcome.NOT_RUN, "it attacks a csms")
    assert desk.play(MESSAGE) == Outcome(Fate.NOT_PLAYED, "it attacks a csms")


def test_a_failure_names_the_oracle_what_was_seen_and_the_command(desk, seats):
    seats.replayed = Replayed(
        Path("one.json"), ReplayOutcome.REPRODUCED, "x", violation=objection(), facts=FACTS
    )
    assert desk.play(MESSAGE) == Outcome(
        Fate.FAILED,
        "unanswered-call (O4): silence\ncase:  Reset, call\nseen:  silence\nagain: ocppfuzz replay one.json",
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_words_of_a_target_stay_on_their_line_and_short(desk, seats, text):
    seats.replayed = Replayed(
        Path("one.json"), ReplayOutcome.CHANGED, text, violation=objection(text), facts=FACTS
    )
    told = desk.play(MESSAGE).text
    assert len(told.split("\n")) == 4
    assert all(line.isprintable() for line in told.split("\n"))
    assert len(told) < 4_000


def test_the_first_that_misses_the_target_fails_and_nothing_is_played_behind_it(desk, seats):
    seats.replayed = TargetUnavailable("nobody called")
    assert desk.play(MESSAGE) == Outcome(
        Fate.FAILED, "target unavailable: nobody called\nagain: ocppfuzz replay one.json"
    )
    assert desk.play(MESSAGE) == Outcome(Fate.NOT_PLAYED, "target unavailable: nobody called")
    assert desk.play(HANDSHAKE) == Outcome(Fate.NOT_PLAYED, "target unavailable: nobody called")
    assert seats.log == ["rig"]


@pytest.mark.parametrize("outcome", ["passed", "passed with a remark", "recorded"])
def test_a_handshake_that_was_seen_to_be_right_has_passed(desk, seats, outcome):
    seats.rows = {"TS-33": row(outcome, "noted")}
    assert desk.play(HANDSHAKE) == Outcome(Fate.PASSED)


@pytest.mark.parametrize("outcome", ["not observed", "not asked", "n/a"])
def test_a_handshake_that_was_not_seen_is_not_played(desk, seats, outcome):
    seats.rows = {"TS-33": row(outcome, "no such suite")}
    assert desk.play(HANDSHAKE) == Outcome(Fate.NOT_PLAYED, f"{outcome}: no such suite")


def test_a_handshake_that_failed_says_how(desk, seats):
    seats.rows = {"TS-33": row("failed", "the WebSocket was open")}
    assert desk.play(HANDSHAKE).text.splitlines() == [
        "handshake failed: it was open",
        "case:  another host",
        "seen:  the WebSocket was open",
        "again: ocppfuzz tls --only TS-33",
    ]


def test_a_handshake_of_the_other_side_is_not_played(desk):
    assert desk.play(HANDSHAKE).fate is Fate.NOT_PLAYED


def test_rig_and_lab_never_have_the_target_at_once(desk, seats):
    seats.rows = {"TS-33": row("passed")}
    for piece in (MESSAGE, HANDSHAKE, MESSAGE, HANDSHAKE):
        desk.play(piece)
    desk.close()
    assert seats.log == [
        *("rig", "rig closed", "lab TS-33", "lab over", "rig", "rig closed", "lab closed")
    ]


# --- what there is to play -----------------------------------------------------------------------------------


def test_our_own_station_is_attacked_only_when_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no target"):
        piecemeal.options_for(config=None, corpus=None, self_test=False, defects=())
    made = piecemeal.options_for(config=None, corpus=None, self_test=True, defects=["P05"])
    assert made.embedded
    assert made.defects == ("P05",)


def test_a_csms_is_played_all_handshakes_of_its_side_that_leave_nothing_behind(tmp_path):
    options = replace(RunOptions(), target="wss://localhost/x")
    names = [piece.name for piece in piecemeal.pieces(options, None, handshakes=True)]
    quick = [name for name in names if name.startswith("tls/")]
    assert quick
    assert not any(name.startswith("tls/TS-") for name in quick)


def test_the_configuration_names_the_target_in_the_command(tmp_path):
    again = {
        p.again for p in piecemeal.pieces(RunOptions(), Path("my target.toml"), handshakes=False)
    }
    assert all(command.endswith(" --config 'my target.toml'") for command in again)


# --- a rig on a thread ---------------------------------------------------------------------------------------


@pytest.fixture
def target(monkeypatch):
    """A target that is none: what it does with a case, and what was done with it, in order."""
    made = SimpleNamespace(log=[], unavailable="", missing=False, stuck=False)
    made.began = threading.Event()

    @asynccontextmanager
    async def rig(_options, sink):
        if made.missing:
            raise TargetUnavailable("nobody called")
        sink(Note("dial wss://here", "action"))
        sink(Note("of no interest"))
        try:
            yield SimpleNamespace(wiring=SimpleNamespace(door=None), pace=None)
        finally:
            made.log.append("stopped")

    class Executor:
        facts = FACTS

        def __init__(self, _wiring, _pace):
            pass

        async def serve(self, _seconds):
            pass

        async def hang_up(self):
            made.log.append("hung up")

    class Player:
        executor = Executor(None, None)

        async def play(self, path, _case):
            made.log.append(str(path))
            made.began.set()
            if made.stuck:
                await asyncio.Event().wait()
            if made.unavailable:
                raise TargetUnavailable(made.unavailable)
            return Replayed(path, ReplayOutcome.FIXED, "")

        async def put_back(self, sink):
            sink(Note("stays changed on the target: x", "warning"))

    async def ready(*_):
        return Player()

    monkeypatch.setattr(piecemeal, "rig", rig)
    monkeypatch.setattr(piecemeal, "Executor", Executor)
    monkeypatch.setattr(piecemeal, "ready", ready)
    return made


def test_cases_are_played_on_one_rig_that_is_left_in_order(target):
    said: list[str] = []
    seat = Seat(RunOptions(), said.append)
    first = seat.play(Path("one"), case())
    assert (first.outcome, first.facts, first.item) == (ReplayOutcome.FIXED, FACTS, case())
    seat.play(Path("two"), case())
    seat.close()
    assert target.log == ["one", "two", "hung up", "stopped"]
    assert said == ["dial wss://here", "stays changed on the target: x"]


def test_a_target_that_never_comes_is_told_to_whoever_asks(target):
    target.missing = True
    seat = Seat(RunOptions(), print)
    with pytest.raises(TargetUnavailable, match="nobody called"):
        seat.play(Path("one"), case())
    with pytest.raises(TargetUnavailable, match="nobody called"):
        seat.play(Path("two"), case())
    seat.close()


def test_a_target_that_goes_away_is_stopped_and_told(target):
    target.unavailable = "it did not come back"
    seat = Seat(RunOptions(), print)
    with pytest.raises(TargetUnavailable, match="it did not come back"):
        seat.play(Path("one"), case())
    seat.close()
    assert target.log == ["one", "stopped"]


def test_a_case_that_nobody_wants_any_more_is_cut_off(target, monkeypatch):
    monkeypatch.setattr(piecemeal, "GRACE_S", 0.0)
    target.stuck = True
    seat = Seat(RunOptions(), print)
    seat._tell((Path("one"), case(), piecemeal.Future()))
    target.began.wait(10)
    seat.close()
    assert target.log == ["one", "stopped"]


# --- a run of the lab on a thread ----------------------------------------------------------------------------


def test_each_row_is_there_for_whoever_waits_and_none_when_the_run_is_over(monkeypatch):
    def tls(_options, lab, *, told, note, keep):
        assert (lab.only, lab.attended, keep) == (("TS-33", "TS-34"), False, False)
        note("2 cases")
        told(row("passed"), 1, 2)
        return SimpleNamespace(facts=FACTS, left_changed=["x"]), []

    said: list[str] = []
    monkeypatch.setattr(piecemeal, "tls", tls)
    run = LabRun(RunOptions(), ["TS-33", "TS-34"], said.append)
    assert run.row("TS-33") == row("passed")
    assert run.row("TS-34") is None
    assert run.facts is FACTS
    assert said == ["2 cases", "stays changed on the peer: x"]


def test_what_the_lab_could_not_do_is_told_behind_what_it_did(monkeypatch):
    def tls(_options, _lab, *, told, **_):
        told(row("failed"), 1, 2)
        raise TargetUnavailable("it did not come back")

    monkeypatch.setattr(piecemeal, "tls", tls)
    run = LabRun(RunOptions(), ["TS-33", "TS-34"], print)
    with pytest.raises(TargetUnavailable, match="it did not come back"):
        run.row("TS-34")
    assert run.row("TS-33") == row("failed")


def test_a_lab_that_nobody_wants_any_more_stops_behind_its_case(monkeypatch):
    begin, played = threading.Event(), []

    def tls(_options, _lab, *, told, **_):
        begin.wait(10)
        for number in range(3):
            played.append(number)
            told(row("passed"), number, 3)

    monkeypatch.setattr(piecemeal, "tls", tls)
    run = LabRun(RunOptions(), ["TS-33"], print)
    run._rows.stopped = True
    begin.set()
    run.close()
    assert played == [0]
    assert run.rows == {}
