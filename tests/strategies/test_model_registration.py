"""A station that is refused with the interval 0 chooses a wait by itself, and floods nobody."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Model, Opened, Told

NAME = "boots again and again without a wait"
REFUSED = ("Pending", 0)


def boots(*answers, gap_s=0.1, reason="PowerUp", between=()):
    """What is said of boots with these answers, `gap_s` apart, with something between the last two."""
    model, at_s = Model(), 0.0
    for n, (status, interval) in enumerate(answers, 1):
        for event in between if n == len(answers) else ():
            model.saw(event(at_s))
        boot = Called(at_s, "BootNotification", {"reason": reason}, f"b{n}")
        model.saw(boot)
        answer = {"status": status, "interval": interval, "currentTime": "2026-01-01T00:00:00Z"}
        model.saw(Answered(at_s + 0.01, boot, answer))
        at_s += gap_s
    return [o.name for o in model.objections if o.name == NAME]


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
@pytest.mark.parametrize("last", ["Pending", "Accepted"])
def test_boots_without_a_wait_are_a_flood(status, last):
    assert boots(*[(status, 0)] * 3, (last, 0)) == [NAME]


@pytest.mark.parametrize("gap_s", [0.5, 3.0])
def test_a_wait_of_its_own_is_a_wait(gap_s):
    assert boots(*[REFUSED] * 9, gap_s=gap_s) == []


@pytest.mark.parametrize(
    "answers",
    [
        [REFUSED] * 3,
        [REFUSED, REFUSED, ("Accepted", 0), REFUSED],
        [REFUSED, REFUSED, ("Pending", 1), REFUSED],
        [REFUSED, ("Pendant", 0), REFUSED, REFUSED],
        [REFUSED, REFUSED, ("Pending", -1), REFUSED],
    ],
)
def test_few_boots_are_none_nor_those_that_follow_another_answer(answers):
    assert boots(*answers) == []


def _trigger(at_s):
    return Asked(at_s, "TriggerMessage", {"requestedMessage": "BootNotification"}, "q")


@pytest.mark.parametrize(
    "between",
    [
        [_trigger, lambda at_s: Told(at_s, _trigger(at_s), {"status": "Accepted"})],
        [lambda at_s: Asked(at_s, "Reset", {"type": "Immediate"}, "q")],
        [Closed, Opened],
    ],
)
def test_a_boot_that_has_another_cause_does_not_count(between):
    assert boots(*[REFUSED] * 4, between=between) == []
    assert boots(*[REFUSED] * 9, reason="Triggered") == []
