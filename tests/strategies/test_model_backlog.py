"""What the station says of its queue and of being offline, against what was seen of both."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Model, Opened, Operated, Told


def event(model, at_s, kind="Started", *, answer=True, **more):
    info = {"transactionId": "t1"}
    payload = {"eventType": kind, "seqNo": 0, "evse": {"id": 1}, "transactionInfo": info, **more}
    called = Called(at_s, "TransactionEvent", payload, f"c{at_s}")
    found = [o.name for o in model.saw(called)]
    if answer:
        model.saw(Answered(at_s + 0.1, called, {}))
    return found


def claim(model, at_s, *, queued=True):
    asked = Asked(at_s, "GetTransactionStatus", {}, f"q{at_s}")
    model.saw(asked)
    model.saw(Told(at_s + 0.1, asked, {"messagesInQueue": queued}))


NEVER_COME = "messages in queue that never come"


def over(model, at_s=30.0):
    return [o.name for o in model.over(at_s)]


@pytest.mark.parametrize(("queued", "wrong"), [(True, [NEVER_COME]), (False, [])])
def test_nothing_waits_when_all_was_acknowledged(queued, wrong):
    model = Model()
    event(model, 1.0)
    claim(model, 5.0, queued=queued)
    assert over(model) == wrong


def test_what_waits_may_come_or_may_be_of_before():
    claimed = Model()
    claim(claimed, 5.0)
    assert over(claimed) == []
    followed = Model()
    event(followed, 1.0)
    claim(followed, 5.0)
    event(followed, 5.5, "Updated")
    assert over(followed) == []
    cut = Model()
    event(cut, 1.0)
    cut.saw(Closed(2.0))
    claim(cut, 5.0)
    assert over(cut) == []


def test_an_event_is_not_offline_when_nothing_was_interrupted():
    model = Model()
    assert event(model, 1.0, offline=True) == ["offline although connected"]
    model = Model()
    model.saw(Closed(0.5))
    assert event(model, 1.0, offline=True) == []


@pytest.mark.parametrize(
    ("offline", "deeds", "wrong"),
    [
        (True, ("cut-network", "plug-in 1", "unplug 1", "restore-network"), False),
        (False, ("cut-network", "plug-in 1", "unplug 1", "restore-network"), True),
        (False, ("cut-network", "plug-in 1", "restore-network"), False),
        (False, ("cut-network", "plug-in 2", "unplug 2", "restore-network"), False),
        (False, ("cut-network", "plug-in 1", "unplug 1", "restore-network", "plug-in 1"), False),
        (
            False,
            ("plug-in 1", "cut-network", "unplug 1", "plug-in 1", "unplug 1", "restore-network"),
            False,
        ),
    ],
)
def test_what_took_place_offline_is_told_as_such(offline, deeds, wrong):
    model = Model()
    for at_s, words in enumerate(deeds):
        model.saw(Operated(float(at_s), words))
    model.saw(Opened(8.0))
    found = event(model, 9.0, offline=offline)
    assert found == (["offline event told as if online"] if wrong else [])


def test_what_comes_over_the_old_connection_was_told_before_that_was_gone():
    model = Model()
    for words in ("cut-network", "plug-in 1", "unplug 1", "restore-network"):
        model.saw(Operated(1.0, words))
    assert event(model, 1.1, offline=False) == []


AS_IF_ONLINE = ["offline event told as if online"]
AS_IF_OFFLINE = ["online event told as if offline"]


def leaves(*, closed_s=2.01, back_s=4.0, unplugged_s=3.0, answered=True, **more):
    """An EV that charges and goes; the network is cut at 2 s, and restored at `back_s`."""
    model = Model()
    model.saw(Operated(0.5, "plug-in 1"))
    event(model, 1.0, answer=answered)
    model.saw(Operated(2.0, "cut-network"))
    later = [
        Operated(back_s, "restore-network"),
        Opened(back_s + 0.1),
        Operated(unplugged_s, "unplug 1"),
    ]
    if closed_s:
        later.append(Closed(closed_s))
    for one in sorted(later, key=lambda e: e.at_s):
        model.saw(one)
    ended = {"seqNo": 1, "triggerReason": "EVCommunicationLost"}
    return event(model, 9.0, "Ended", **ended, **more)


def test_an_ev_that_went_without_a_network_went_offline():
    assert leaves() == AS_IF_ONLINE
    assert leaves(offline=True) == []


def test_an_ev_that_went_long_after_the_network_was_back_did_not():
    assert leaves(unplugged_s=6.0, offline=True) == AS_IF_OFFLINE
    assert leaves(unplugged_s=6.0) == []


@pytest.mark.parametrize(
    "how",
    [
        {"closed_s": 0},
        {"closed_s": 3.0},
        {"answered": False},
        {"unplugged_s": 4.3},
        {"unplugged_s": 4.3, "offline": True},
    ],
    ids=str,
)
def test_an_ev_that_went_while_nobody_can_tell_whether_there_was_a_connection_may_be_either(how):
    assert leaves(**how) == []


DENIED = "messages that wait are denied"


def back(*, queued=False, of=None):
    """A station that was without a network, is back, and was asked about its queue."""
    model = Model()
    for happening in (
        Operated(1.0, "cut-network"),
        Closed(1.1),
        Operated(5.0, "restore-network"),
        Opened(5.5),
    ):
        model.saw(happening)
    asked = Asked(6.0, "GetTransactionStatus", {"transactionId": of} if of else {}, "q")
    model.saw(asked)
    model.saw(Told(6.1, asked, {"messagesInQueue": queued}))
    return model


def of_before(model, *, offline=True, seqs=(0, 1)):
    found = []
    for seq in seqs:
        kind = "Updated" if seq else "Started"
        found += event(model, 7.0 + seq, kind, seqNo=seq, offline=offline)
    return [name for name in found if name == DENIED]


def test_events_that_waited_are_not_denied():
    assert of_before(back()) == [DENIED]
    assert of_before(back(queued=True)) == []
    assert of_before(back(of="t1")) == []
    assert of_before(back(), offline=False) == []
    assert of_before(back(), seqs=(0, 0)) == []
    later = back()
    later.saw(Operated(6.5, "unplug 1"))
    assert of_before(later) == []
