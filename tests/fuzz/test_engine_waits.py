"""What a target never sends is waited for three times; after that nobody waits for it, unless it came once."""

from __future__ import annotations

import pytest

from fuzz.engine.stage import IN_VAIN, REFUSED
from fuzz.engine.waits import Waits
from fuzz.records import AnswerNext, Close, Expect, Observation, RepeatSteps, Step
from fuzz.testing import case, note, scene, target
from strategies.labels import Expectation, Stance, Tier

SCENE = Expectation(Stance.UNSPECIFIED, Tier.MODEL)
BEAT = [2, "b", "Heartbeat", {}]
FOR_BEAT = Expect("Heartbeat", 30.0)
ENDED = Expect("TransactionEvent", 30.0, (("/eventType", "Ended"),))


def told(
    *steps: Step, words: str = "", calls: tuple[object, ...] = (), **seen: object
) -> Observation:
    entries = [target(0.1, call) for call in calls]
    notes = [note(30.0, "note", words)] if words else []
    return scene(*entries, *notes, played=case(SCENE, action="", steps=steps), **seen)


def in_vain(**seen: object) -> Observation:
    return told(FOR_BEAT, words=f"{IN_VAIN} Heartbeat", **seen)


def refused() -> Observation:
    return told(FOR_BEAT, words=f"{REFUSED} Heartbeat")


def after(*observations: Observation) -> Waits:
    waits = Waits()
    for observation in observations:
        waits.learn(observation)
    return waits


def test_three_scenes_that_waited_in_vain_are_enough() -> None:
    assert after(in_vain(), in_vain()).hopeless([FOR_BEAT]) == ""
    assert after(in_vain(), in_vain(), in_vain()).hopeless([FOR_BEAT]) == "Heartbeat"


def test_it_is_found_within_repetitions_and_other_calls_are_waited_for() -> None:
    waits = after(in_vain(), in_vain(), in_vain())
    assert waits.hopeless([RepeatSteps((FOR_BEAT,), 2)]) == "Heartbeat"
    assert waits.hopeless([ENDED, Expect("BootNotification")]) == ""


@pytest.mark.parametrize(
    "other",
    [
        told(FOR_BEAT, calls=(BEAT,)),
        in_vain(inconclusive="the network was away"),
        in_vain(close=Close(1011, "")),
    ],
    ids=["came", "proves-nothing", "cut-off"],
)
def test_what_came_once_may_come_again_and_what_proves_nothing_counts_for_nothing(
    other: Observation,
) -> None:
    assert after(in_vain(), in_vain(), other).hopeless([FOR_BEAT]) == ""


def test_a_call_that_ever_came_is_never_given_up() -> None:
    came = told(FOR_BEAT, calls=(BEAT,))
    assert after(came, in_vain(), in_vain(), in_vain()).hopeless([FOR_BEAT]) == ""


def test_whoever_waits_longer_than_anybody_did_may_still_wait() -> None:
    waits = after(in_vain(), in_vain(), in_vain())
    assert waits.hopeless([Expect("Heartbeat", 120.0)]) == ""
    assert waits.hopeless([Expect("Heartbeat", 1.0)]) == "Heartbeat"


def test_a_call_of_which_others_of_its_kind_came_is_given_up_all_the_same() -> None:
    begun = [2, "t", "TransactionEvent", {"eventType": "Started"}]
    vain = [told(ENDED, words=f"{IN_VAIN} TransactionEvent", calls=(begun,)) for _ in range(3)]
    waits = after(*vain)
    assert waits.hopeless([ENDED]) == "TransactionEvent"
    assert waits.hopeless([Expect("TransactionEvent", 30.0)]) == ""


def test_waiting_for_what_was_refused_costs_nothing_but_answers_to_it_are_spared() -> None:
    waits = after(refused(), refused(), refused())
    assert waits.hopeless([FOR_BEAT]) == ""
    assert waits.hopeless([AnswerNext("Heartbeat"), FOR_BEAT]) == "Heartbeat"


def test_answers_to_what_is_sent_unasked_are_not_spared() -> None:
    other = told(Expect("StatusNotification"), calls=([2, "s", "StatusNotification", {}], BEAT))
    waits = after(refused(), other, refused(), refused())
    assert waits.hopeless([AnswerNext("Heartbeat")]) == ""
