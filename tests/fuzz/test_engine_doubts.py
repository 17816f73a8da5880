"""A clean campaign that reached nothing says so; one that reached everything is silent."""

from collections import Counter
from dataclasses import replace

import pytest

from fuzz.engine.doubts import ENOUGH, RESTARTS, Doubts, Returns

SOUND = Doubts(
    cases=1_000, valid=400, timed_out=2, scenes=50, transactions=20, answers=Counter(CALLRESULT=300)
)


def test_a_sound_campaign_leaves_no_doubt() -> None:
    assert list(SOUND.words(restarts=RESTARTS)) == []


@pytest.mark.parametrize(
    ("changed", "restarts", "says"),
    [
        (
            {"answers": Counter(NotSupported=1_000, CALLRESULT=3)},
            0,
            "only 3 of 1,000 cases were answered",
        ),
        ({"valid": 10}, 0, "only 10 of 1,000 messages were valid"),
        ({"transactions": 0}, 0, "no transaction was seen"),
        ({"timed_out": 600}, 0, "600 of 1,000 cases ended at the target's time-out"),
        ({}, RESTARTS + 1, f"restarted {RESTARTS + 1} times"),
    ],
)
def test_each_doubt_is_one_sentence_with_its_number(
    changed: dict[str, object], restarts: int, says: str
) -> None:
    (doubt,) = replace(SOUND, **changed).words(restarts=restarts)  # type: ignore[arg-type]
    assert says in doubt


def test_without_scenes_nobody_expects_a_transaction_and_few_cases_say_nothing() -> None:
    assert list(replace(SOUND, scenes=0, transactions=0).words(restarts=0)) == []
    assert list(Doubts(cases=ENOUGH - 1, timed_out=ENOUGH - 1).words(restarts=1_000)) == []


def test_ends_that_nothing_explains_are_told_however_few_cases_were_played() -> None:
    (doubt,) = Doubts(cases=1).words(restarts=0, unexplained=2)
    assert doubt.startswith("2 x the target hung up, restarted or died for no reason")


@pytest.mark.parametrize(("messages", "characters"), [(2_001, 0), (1, 10_000_001)])
def test_a_target_that_talks_without_end_is_told_of(messages: int, characters: int) -> None:
    flooded = Doubts(played=100, unasked=messages, unasked_characters=characters)
    (doubt,) = flooded.words(restarts=0)
    assert doubt.startswith(f"it floods us: {messages:,} messages")
    assert list(Doubts(played=100, unasked=2_000).words(restarts=0)) == []


def test_reconnects_that_take_most_of_the_time_are_told_with_what_shortens_them() -> None:
    (doubt,) = Doubts().words(restarts=0, returns=Returns(3, 48.4, 63.0))
    assert doubt.startswith("3 reconnects took 48 of 63 s")
    assert "RetryBackOffWaitMinimum" in doubt
    assert "OCPPCommCtrlr" in doubt
    assert doubt.endswith("; or give a longer --max-time")
    assert len(doubt) < 300


def test_where_we_dial_nobody_has_to_set_a_back_off() -> None:
    (doubt,) = Doubts().words(restarts=0, returns=Returns(3, 48.4, 63.0, station=False))
    assert "RetryBackOff" not in doubt
    assert doubt.endswith("; give a longer --max-time")


@pytest.mark.parametrize(
    "returns",
    [Returns(), Returns(3, 28.0, 63.0), Returns(2, 9.0, 10.0), Returns(60, 59.0, 63.0)],
    ids=["none", "the smaller part", "short", "many quick ones"],
)
def test_reconnects_that_cost_little_are_no_doubt(returns: Returns) -> None:
    assert list(Doubts().words(restarts=0, returns=returns)) == []
