"""A plan makes all cases and sends none: no target, no listener, no folder."""

from dataclasses import replace
from pathlib import Path

import pytest

from fuzz import app, store
from fuzz.app.planning import left_out
from fuzz.config import PHASES, RunOptions
from fuzz.engine.stage import of_lab
from fuzz.records import Case, Effect, SendText, Side
from strategies.labels import Expectation, Stance, Tier

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
SYSTEMATIC = RunOptions(phases=("systematic",), corpus_dir=CORPUS)


def _case(text: str, action: str = "SetVariables", effect: Effect = Effect.NONE) -> Case:
    accept = Expectation(Stance.ACCEPT, Tier.MODEL)
    return Case("one", Side.STATION, (SendText((text,)),), accept, action=action, effect=effect)


PASSWORD = _case('[2,"1","SetVariables",{"variable":{"name":"BasicAuthPassword"}}]')


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_every_phase_has_a_row_and_the_last_one_runs_until_the_budget_ends(elsewhere: Path) -> None:
    plan = app.plan(RunOptions(corpus_dir=CORPUS))
    assert [row.phase for row in plan.rows] == list(PHASES)
    budgeted = {row.phase for row in plan.rows if row.cases is None}
    assert {"generated", "stateful"} <= budgeted
    assert not budgeted & {"replay", "systematic", "frames", "injection", "twins"}
    assert list(elsewhere.iterdir()) == []


def test_on_our_own_station_everything_but_credentials_is_asked() -> None:
    plan = app.plan(RunOptions(phases=("replay",), corpus_dir=CORPUS))
    assert plan.not_asked == (
        ("would change how we get in; --allow lock-out asks it: SetVariables", 3),
    )
    messages = [c for c in store.corpus_cases(CORPUS) if not of_lab(c)]
    assert plan.rows[0].cases == len(messages) - 3


def test_with_permission_credentials_are_asked_where_they_can_be_set_back() -> None:
    allowed = RunOptions(phases=("replay",), corpus_dir=CORPUS, allow=("lock-out",))
    assert app.plan(replace(allowed, security_profile=1)).not_asked == ()
    ((reason, count),) = app.plan(allowed).not_asked
    assert count == 3
    assert reason.startswith("would change credentials that are not known here")


@pytest.mark.slow
def test_on_a_station_of_somebody_else_only_the_harmless_is_asked() -> None:
    ours = app.plan(SYSTEMATIC)
    theirs = app.plan(replace(SYSTEMATIC, listen="127.0.0.1:9000"))
    assert ours.rows[0].cases is not None
    assert theirs.rows[0].cases is not None
    left = sum(count for _, count in theirs.not_asked)
    assert theirs.rows[0].cases + left == ours.rows[0].cases
    assert left > 5_000
    assert any(r.startswith("effect one-way; --allow one-way asks it") for r, _ in theirs.not_asked)


def test_what_is_allowed_by_name_is_asked_too() -> None:
    theirs = replace(SYSTEMATIC, listen="127.0.0.1:9000", only=("Reset",))
    assert app.plan(theirs).not_asked[0][1] > 50
    assert app.plan(replace(theirs, allow=("persistent",))).not_asked == ()


def test_the_plan_for_a_csms_counts_what_a_station_says() -> None:
    plan = app.plan(replace(SYSTEMATIC, target="ws://127.0.0.1:9000/CS-1", only=("Heartbeat",)))
    assert plan.target == "ws://127.0.0.1:9000/CS-1"
    assert plan.rows[0].cases is not None
    assert plan.rows[0].cases > 200


@pytest.mark.slow
def test_messages_that_end_a_connection_count_as_reconnects() -> None:
    (only_get,) = app.plan(replace(SYSTEMATIC, only=("GetVariables",))).rows
    (with_reset,) = app.plan(replace(SYSTEMATIC, only=("GetVariables", "Reset"))).rows
    assert only_get.reconnects is not None
    assert with_reset.reconnects is not None
    assert 1 < only_get.reconnects < with_reset.reconnects


@pytest.mark.slow
def test_the_phase_in_which_the_budget_ends_is_named() -> None:
    theirs = replace(SYSTEMATIC, listen="127.0.0.1:9000", max_time_s=5.0)
    assert app.plan(theirs).rows[0].note.endswith("; the budget may end here")
    assert "budget" not in app.plan(replace(theirs, max_time_s=None)).rows[0].note


def test_a_csms_is_dialled_again_at_once() -> None:
    plan = app.plan(replace(SYSTEMATIC, target="ws://127.0.0.1:9000/CS-1", only=("Heartbeat",)))
    assert "0.5 s a reconnect, as with a CSMS" in plan.notes[0]


def test_a_station_that_a_command_starts_is_back_within_seconds() -> None:
    theirs = replace(SYSTEMATIC, listen="127.0.0.1:9000", start_cmd="./s", only=("Heartbeat",))
    assert "3 s a reconnect, as with a program" in app.plan(theirs).notes[0]


@pytest.mark.slow
def test_what_is_assumed_is_said() -> None:
    assert "as with our own station" in app.plan(SYSTEMATIC).notes[0]
    theirs = app.plan(replace(SYSTEMATIC, listen="127.0.0.1:9000"))
    assert "0.2 s an answer and 30 s a reconnect" in theirs.notes[0]


def test_a_case_is_left_out_for_its_effect_or_for_the_credentials_it_names() -> None:
    everything = frozenset(Effect)
    assert left_out(_case("x", effect=Effect.ENERGISE), everything, SYSTEMATIC) == ""
    harmless = frozenset({Effect.NONE})
    assert "energise" in left_out(_case("x", effect=Effect.ENERGISE), harmless, SYSTEMATIC)
    assert "lock-out" in left_out(PASSWORD, everything, SYSTEMATIC)
    known = replace(SYSTEMATIC, allow=("lock-out",), security_profile=2)
    assert left_out(PASSWORD, everything, known) == ""
