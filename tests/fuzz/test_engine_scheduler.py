"""States are read from what happened, and what leads to rare ones is played more often."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from fuzz.engine.scheduler import MAX_STATES, Scheduler, places, states
from fuzz.ocppj.history import History, history
from fuzz.records import Case, Entry, Wait, Who
from fuzz.testing import case
from strategies.labels import Expectation, Stance, Tier


def _told(*lines: tuple[Who, str, object]) -> History:
    texts = [(w, k, t if isinstance(t, str) else json.dumps(t)) for w, k, t in lines]
    return history([Entry(float(i), w, k, t) for i, (w, k, t) in enumerate(texts)])


def _call(
    action: str, payload: object, answer: object, *, id_: str
) -> list[tuple[Who, str, object]]:
    return [
        (Who.TARGET, "text", [2, id_, action, payload]),
        (Who.HARNESS, "text", [3, id_, answer]),
    ]


def _operator(words: str) -> tuple[Who, str, object]:
    return Who.HARNESS, "operator", words


def _boot(status: str, id_: str) -> list[tuple[Who, str, object]]:
    return _call("BootNotification", {}, {"status": status}, id_=id_)


def _event(state: str, id_: str, kind: str = "Updated") -> list[tuple[Who, str, object]]:
    info = {"transactionInfo": {"transactionId": "t", "chargingState": state}}
    return _call("TransactionEvent", {"eventType": kind, **info}, {}, id_=id_)


def _played(steps: int) -> Case:
    expectation = Expectation(Stance.UNSPECIFIED, Tier.MODEL)
    return case(expectation, action="", steps=(Wait(0.0),) * steps)


def _answered(status: str) -> History:
    asked = '[2,"a","Reset",{"type":"OnIdle"}]'
    return _told((Who.US, "text", asked), (Who.TARGET, "text", [3, "a", {"status": status}]))


def test_a_session_is_followed_from_plug_to_plug() -> None:
    accepted = {"idTokenInfo": {"status": "Accepted"}}
    seen = _told(
        _operator("plug-in 1"),
        *_call("Authorize", {}, accepted, id_="a"),
        *_event("Charging", "b"),
        *_event("EVConnected", "c", "Ended"),
        _operator("unplug 1"),
    )
    assert list(places(seen)) == [
        "accepted/idle",
        "accepted/plugged",
        "accepted/authorised",
        "accepted/charging",
        "accepted/plugged",
        "accepted/idle",
    ]


def test_a_boot_is_followed_through_its_answers() -> None:
    seen = _told(
        _operator("power-cycle"),
        *_boot("Pending", "a"),
        *_boot("Rejected", "b"),
        *_boot("Accepted", "c"),
    )
    assert list(places(seen)) == [
        "accepted/idle",
        "offline/idle",
        "pending/idle",
        "rejected/idle",
        "accepted/idle",
    ]


def test_a_refused_token_changes_nothing() -> None:
    refused = {"idTokenInfo": {"status": "Blocked"}}
    seen = _told(_operator("plug-in 1"), *_call("Authorize", {}, refused, id_="a"))
    assert list(places(seen)) == ["accepted/idle", "accepted/plugged"]


def test_two_cables_are_told_apart() -> None:
    seen = _told(_operator("plug-in 1"), _operator("plug-in 2"), _operator("unplug 1"))
    assert list(places(seen)) == ["accepted/idle", "accepted/plugged"]


def test_a_state_is_where_the_station_was_and_what_was_said_and_answered() -> None:
    assert list(states(_answered("Scheduled"))) == [
        ("accepted/idle", "Reset", "CALLRESULT", "Scheduled")
    ]


def test_silence_and_errors_are_states_of_their_own() -> None:
    silent = _told((Who.US, "text", '[2,"a","Reset",{}]'))
    error = _told(
        (Who.US, "text", '[2,"a","Reset",{}]'),
        (Who.TARGET, "text", '[4,"a","FormatViolation","",{}]'),
    )
    assert [s[2] for h in (silent, error) for s in states(h)] == ["silence", "FormatViolation"]


def test_only_the_first_of_its_kind_is_news() -> None:
    kept: list[Case] = []
    scheduler = Scheduler(keep=kept.append)
    assert scheduler.learn("a", _played(3), _answered("Accepted"))
    assert not scheduler.learn("a", _played(3), _answered("Accepted"))
    assert scheduler.learn("b", _played(3), _answered("Scheduled"))
    assert len(kept) == 2


def test_the_smallest_case_of_a_behaviour_is_kept() -> None:
    scheduler = Scheduler()
    for steps in (5, 2, 4):
        scheduler.learn("a", _played(steps), _answered("Accepted"))
    (kept,) = scheduler.corpus.values()
    assert len(kept.steps) == 2


def test_what_is_rare_weighs_more_than_what_is_common() -> None:
    scheduler = Scheduler()
    for _ in range(30):
        scheduler.learn("common", _played(1), _answered("Accepted"))
    for _ in range(30):
        scheduler.learn("rare", _played(1), _answered("Accepted"))
    scheduler.learn("rare", _played(1), _answered("Rejected"))
    assert scheduler.weight("never") > scheduler.weight("rare") > scheduler.weight("common")


def test_a_choice_is_the_same_for_the_same_seed() -> None:
    def chosen(seed: int) -> Sequence[str]:
        rng = random.Random(seed)
        return [Scheduler().choose(["a", "b", "c"], rng) for _ in range(20)]

    assert chosen(1) == chosen(1) != chosen(2)


def test_a_target_that_makes_up_words_fills_no_memory() -> None:
    scheduler = Scheduler()
    for number in range(MAX_STATES + 50):
        scheduler.learn("a", _played(1), _answered(f"Word{number}"))
    assert len(scheduler.seen) <= MAX_STATES
