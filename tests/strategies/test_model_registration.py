"""A station that was refused boots again, at its time or after a wait of its own, and says why it boots."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Operated, Told

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


# --- the next boot, and why ------------------------------------------------------------------------------------

AGAIN = "no BootNotification after Pending"
REASON = "boot for a reason that was not"
WAITED = (Missed("BootNotification", 30.0),)


class Station:
    """A station that boots; each thing happens when it is said to."""

    def __init__(self):
        self.model = Model()

    def saw(self, event):
        self.model.saw(event)
        return self

    def boot(self, at_s, reason, status="Accepted", interval=60):
        boot = Called(at_s, "BootNotification", {"reason": reason}, f"b{at_s}")
        now = {"currentTime": "2026-01-01T00:00:00Z", "interval": interval}
        return self.saw(boot).saw(Answered(at_s + 0.1, boot, {**now, "status": status}))

    def asked(self, at_s, action, status="Accepted", **payload):
        asked = Asked(at_s, action, payload, f"q{at_s}")
        return self.saw(asked).saw(Told(at_s + 0.1, asked, {"status": status}))

    def trigger(self, at_s, status="Accepted"):
        return self.asked(at_s, "TriggerMessage", status, requestedMessage="BootNotification")

    def cycled(self, at_s):
        self.saw(Operated(at_s, "power-cycle")).saw(Closed(at_s + 0.1))
        return self.saw(Opened(at_s + 0.2))

    def names(self, missed=()):
        self.model.over(60.0, missed)
        return [o.name for o in self.model.objections if o.name in (AGAIN, REASON)]


def test_a_boot_that_was_not_accepted_is_said_again():
    pending = Station().boot(1, "PowerUp", "Pending", 2)
    assert pending.names(WAITED) == [AGAIN]
    assert Station().boot(1, "PowerUp", "Pending", 2).names() == []
    again = Station().boot(1, "PowerUp", "Pending", 2).boot(4, "PowerUp")
    assert again.names(WAITED) == []


@pytest.mark.parametrize(
    "station",
    [
        lambda: Station().boot(1, "PowerUp", "Pending", 0),
        lambda: Station().boot(1, "PowerUp", "Pending", 50),
        lambda: Station().boot(1, "PowerUp", "Pending", 600),
        lambda: Station().boot(1, "PowerUp", "Pendant", 2),
        lambda: Station().boot(1, "PowerUp", "Pending", 2).saw(Closed(2)).saw(Opened(3)),
    ],
    ids=["own-wait", "not-yet", "too-long", "odd", "hung-up"],
)
def test_a_boot_is_not_missed_where_it_need_not_have_come_yet(station):
    assert station().names(WAITED) == []


def test_power_that_was_lost_is_no_reset():
    cycled = Station().asked(1, "Reset", type="Immediate").boot(2, "RemoteReset").cycled(5)
    assert cycled.boot(6, "RemoteReset").names() == [REASON]
    cycled = Station().boot(2, "PowerUp").cycled(5)
    assert cycled.boot(6, "Unknown").names() == []


@pytest.mark.parametrize("action", ["Reset", "UpdateFirmware", "SetNetworkProfile"])
def test_a_reset_that_the_power_forestalled_may_be_the_reason(action):
    station = Station().boot(1, "PowerUp").asked(2, action).cycled(5)
    assert station.boot(6, "RemoteReset").names() == []


def test_a_boot_that_was_triggered_says_so_and_no_other():
    pending = Station().boot(1, "PowerUp", "Pending").trigger(2)
    assert pending.boot(3, "PowerUp").names() == [REASON]
    pending = Station().boot(1, "PowerUp", "Pending").trigger(2)
    assert pending.boot(3, "Triggered").names() == []
    pending = Station().boot(1, "PowerUp", "Pending", 1).trigger(2)
    assert pending.boot(3, "PowerUp").names() == []
    assert Station().boot(1, "PowerUp").boot(3, "Triggered").names() == [REASON]
    assert Station().boot(3, "Triggered").names() == []
    refused = Station().boot(1, "PowerUp", "Pending").trigger(2, "Rejected")
    assert refused.boot(3, "PowerUp", "Pending").names() == []
