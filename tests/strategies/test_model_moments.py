"""Timestamps of a transaction run with its numbers, and are of when things happened; an EV that pauses is told of."""

from datetime import UTC, datetime, timedelta

import pytest

from strategies.model import Answered, Asked, Called, Closed, Model, Opened, Operated

BACK = "timestamps of a transaction run backwards"
SENDING = "offline events told with the time of sending"
UNTOLD = "change of chargingState never told"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def stamp(at_s):
    return (BEGIN + timedelta(seconds=at_s)).isoformat()


class Scene:
    """A station whose clock is right."""

    def __init__(self):
        self.model, self.seq = Model(), 0

    def saw(self, event):
        self.model.saw(event)
        return self

    def done(self, at_s, words):
        return self.saw(Operated(at_s, words))

    def called(self, at_s, action, payload, answer):
        called = Called(at_s, action, payload, f"c{at_s}")
        return self.saw(called).saw(Answered(at_s + 0.01, called, answer))

    def event(self, at_s, kind, trigger="Authorized", *, stamped_s=None, state="", **more):
        happened_s = at_s if stamped_s is None else stamped_s
        info = {"transactionId": "t1", **({"chargingState": state} if state else {}), **more}
        payload = {"eventType": kind, "seqNo": self.seq, "triggerReason": trigger}
        self.seq += 1
        whole = {**payload, "timestamp": stamp(happened_s), "evse": {"id": 1}}
        return self.called(at_s, "TransactionEvent", {**whole, "transactionInfo": info}, {})

    def heartbeat(self, at_s, ahead_s=0.0):
        return self.called(at_s, "Heartbeat", {}, {"currentTime": stamp(at_s + ahead_s)})

    def names(self):
        return [o.name for o in self.model.objections if o.name in (BACK, SENDING, UNTOLD)]


def test_an_event_that_happened_before_the_one_that_it_follows_is_found():
    started = Scene().event(1, "Started")
    assert started.event(2, "Updated", stamped_s=-3600).names() == [BACK]
    late = Scene().event(1, "Started", stamped_s=-9).event(9, "Ended", stamped_s=-10)
    assert late.names() == []


@pytest.mark.parametrize(
    "between",
    [
        lambda scene: scene.done(1.5, "shift-clock -3600"),
        lambda scene: scene.done(1.5, "power-cycle"),
        lambda scene: scene.heartbeat(1.5),
        lambda scene: scene.called(1.5, "BootNotification", {"reason": "PowerUp"}, {}),
        lambda scene: scene.saw(
            Asked(1.5, "SetVariables", {"setVariableData": [{"component": {"name": "ClockCtrlr"}}]})
        ),
    ],
)
def test_a_clock_that_may_be_another_one_is_not_compared(between):
    scene = Scene().event(1, "Started")
    between(scene)
    assert scene.event(2, "Updated", stamped_s=-3600).names() == []


def test_the_time_that_is_told_twice_sets_no_clock():
    scene = Scene().heartbeat(0.5).event(1, "Started").heartbeat(1.5)
    assert scene.event(2, "Updated", stamped_s=-3600).names() == [BACK]
    scene = Scene().heartbeat(0.5).event(1, "Started").heartbeat(1.5, ahead_s=-3600)
    assert scene.event(2, "Updated", stamped_s=-3600).names() == []


def test_values_may_be_read_before_something_else_is_told():
    scene = Scene().event(1, "Started")
    assert scene.event(2, "Updated", "MeterValueClock", stamped_s=-60).names() == []


def offline(*deeds, cut_s=1.0):
    scene = Scene().saw(Operated(cut_s, "cut-network")).saw(Closed(cut_s + 0.1))
    for at_s, words in deeds:
        scene.done(at_s, words)
    return scene.done(20, "restore-network").saw(Opened(20.5))


CAME = (2.0, "plug-in 1"), (2.1, "present-token A ISO14443"), (2.2, "start-power 1")
LEFT = {"trigger": "EVCommunicationLost", "stoppedReason": "EVDisconnected"}


def test_a_session_without_a_network_lasts_as_long_as_it_did():
    told = offline(*CAME, (6.0, "unplug 1")).event(21, "Started", "CablePluggedIn")
    assert told.event(21.1, "Ended", **LEFT).names() == [SENDING]
    told = offline(*CAME, (6.0, "unplug 1")).event(21, "Started", "CablePluggedIn", stamped_s=2)
    assert told.event(21.1, "Ended", stamped_s=6, **LEFT).names() == []


@pytest.mark.parametrize(
    ("deeds", "started", "ended"),
    [
        ([*CAME, (3.0, "unplug 1")], "CablePluggedIn", LEFT),
        ([*CAME[:2], (9.0, "start-power 1"), (9.5, "unplug 1")], "CablePluggedIn", LEFT),
        ([*CAME, (4.0, "fault 1"), (6.0, "unplug 1")], "CablePluggedIn", LEFT),
        ([*CAME, (6.0, "unplug 1"), *CAME, (6.5, "unplug 1")], "CablePluggedIn", LEFT),
        ([*CAME, (6.0, "unplug 1")], "ChargingStateChanged", LEFT),
        ([*CAME, (6.0, "unplug 1")], "CablePluggedIn", {"trigger": "AbnormalCondition"}),
    ],
    ids=["short", "late", "fault", "two", "energy", "ended-otherwise"],
)
def test_a_session_that_may_have_been_short_is_none(deeds, started, ended):
    told = offline(*deeds).event(21, "Started", started)
    assert told.event(21.1, "Ended", **ended).names() == []


def pausing():
    scene = Scene().done(1, "plug-in 1").event(3, "Started", state="Charging")
    return scene.done(5, "stop-power 1")


def test_an_ev_that_pauses_for_long_is_told_of():
    assert pausing().done(18, "start-power 1").names() == [UNTOLD]
    told = pausing().event(6, "Updated", "ChargingStateChanged", state="SuspendedEV")
    assert told.done(18, "start-power 1").names() == []


@pytest.mark.parametrize(
    "scene",
    [
        lambda: pausing().done(9, "start-power 1"),
        lambda: pausing().event(6, "Ended").done(18, "unplug 1"),
        lambda: pausing().saw(Closed(7)).saw(Opened(8)).done(18, "unplug 1"),
        lambda: pausing().saw(Asked(6, "Reset", {"type": "Immediate"}, "q")).done(18, "unplug 1"),
        lambda: Scene().done(1, "plug-in 1").done(5, "stop-power 1").done(18, "unplug 1"),
        lambda: pausing().saw(Called(6, "Heartbeat", {}, "h")).done(18, "unplug 1"),
    ],
    ids=["short", "ended", "interrupted", "reset", "none", "held-up"],
)
def test_a_pause_is_not_missed_where_it_may_have_been_told_otherwise(scene):
    assert scene().names() == []
