"""Who was let in with an EV that wants energy gets a transaction, or it is objected to where somebody waited for it."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Operated, Told

NAME = "no transaction begins"
PLUGGED, WANTS = Operated(1.0, "plug-in 1"), Operated(4.0, "start-power 1")
SHOWN = Operated(2.0, "present-token A ISO14443")
WAITED = Missed("TransactionEvent", 12.0)


def authorized(at_s=3.0, status="Accepted", error="", **info):
    called = Called(at_s, "Authorize", {"idToken": {"idToken": "A", "type": "ISO14443"}}, "a")
    answer = {"idTokenInfo": {"status": status, **info}}
    return called, Answered(at_s + 0.1, called, answer, error)


def remote(at_s=3.0, status="Accepted", **where):
    asked = Asked(at_s, "RequestStartTransaction", {"remoteStartId": 1, **where}, f"r{at_s}")
    return asked, Told(at_s + 0.1, asked, {"status": status})


def said(*told, wait=WAITED, end_s=20.0):
    model = Model()
    for events in told:
        for one in events if isinstance(events, tuple) else (events,):
            model.saw(one)
    return [o.name for o in model.over(end_s, [wait]) if o.name == NAME]


def test_a_token_that_was_accepted_and_an_ev_that_wants_energy_are_a_transaction():
    assert said(PLUGGED, SHOWN, authorized(), WANTS) == [NAME]
    assert said(PLUGGED, SHOWN, WANTS, authorized(5.0)) == [NAME]
    assert said(PLUGGED, SHOWN, authorized(), WANTS, Operated(17.0, "unplug 1")) == [NAME]


def test_a_remote_start_is_one_as_well():
    assert said(remote(0.5, evseId=1), PLUGGED, WANTS) == [NAME]
    assert said(PLUGGED, WANTS, remote(5.0, evseId=1)) == [NAME]


HELD = Called(4.5, "StatusNotification", {}, "held")
"""What holds up whatever else the station has to say, until it is answered."""

EVENT = Called(6.0, "TransactionEvent", {"eventType": "Started"}, "t")


@pytest.mark.parametrize(
    "told",
    [
        (PLUGGED, SHOWN, authorized(), WANTS, EVENT),
        (PLUGGED, SHOWN, authorized(), WANTS, HELD),
        (PLUGGED, SHOWN, authorized(), WANTS, HELD, Operated(17.0, "unplug 1")),
        (PLUGGED, SHOWN, authorized(), WANTS, HELD, Answered(11.0, HELD, {})),
        (PLUGGED, SHOWN, authorized()),
        (PLUGGED, SHOWN, WANTS),
        (SHOWN, authorized(), WANTS),
        (PLUGGED, SHOWN, authorized(status="Blocked"), WANTS),
        (PLUGGED, SHOWN, authorized(error="InternalError"), WANTS),
        (PLUGGED, SHOWN, authorized(evseId=[2]), WANTS),
        (PLUGGED, SHOWN, authorized(), WANTS, Operated(9.0, "unplug 1")),
        (PLUGGED, SHOWN, authorized(), WANTS, Closed(5.0), Opened(6.0)),
        (Operated(0.5, "fault 1"), PLUGGED, SHOWN, authorized(), WANTS),
        (Operated(0.5, "plug-in 2"), PLUGGED, SHOWN, authorized(), WANTS),
        (Asked(0.5, "ChangeAvailability", {}, "q"), PLUGGED, SHOWN, authorized(), WANTS),
        (Called(0.5, "BootNotification", {}, "b"), PLUGGED, SHOWN, authorized(), WANTS),
        (remote(0.5, evseId=2), PLUGGED, WANTS),
        (remote(0.5), PLUGGED, WANTS),
        (remote(0.5, "Rejected", evseId=1), PLUGGED, WANTS),
    ],
    ids=str,
)
def test_nothing_is_missed_where_it_came_or_anything_may_be_in_the_way(told):
    assert said(*told) == []


def test_nobody_misses_what_he_did_not_wait_for_long_enough():
    whole = (PLUGGED, SHOWN, authorized(), WANTS)
    assert said(*whole, end_s=13.0) == []
    assert said(*whole, wait=Missed("TransactionEvent", 17.0)) == []
    assert said(*whole, wait=Missed("Heartbeat", 1.0)) == []
