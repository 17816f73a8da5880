"""The model by itself: three-valued, folded event by event; what it objects to is told by scenes in the room of oracles."""

import pytest
from hypothesis import given, strategies as st

from strategies.model import (
    Answered,
    Asked,
    Called,
    Closed,
    Died,
    Missed,
    Model,
    Opened,
    Operated,
    Standing,
    Stray,
    Told,
    Topic,
    Unread,
    Weight,
)

NOW = "2026-01-01T00:00:00Z"
STARTED = {
    "eventType": "Started",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "t1"},
    "evse": {"id": 1, "connectorId": 1},
}


def booted(status, interval=0, *, at_s=0.0, more=(), proper=True):
    """A model of a station whose boot was answered with `status`."""
    model = Model()
    boot = Called(at_s, "BootNotification", {"reason": "PowerUp"}, "b")
    assert model.saw(boot) == []
    answer = {"status": status, "interval": interval, "currentTime": NOW, **dict(more)}
    assert model.saw(Answered(at_s + 0.1, boot, answer, proper=proper)) == []
    return model


def told(action, payload, answer, at_s=1.0):
    """A CALL of the CSMS and its answer."""
    asked = Asked(at_s, action, payload, "q")
    return asked, Told(at_s + 0.1, asked, answer)


def names(model):
    return [objection.name for objection in model.objections]


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("Accepted", Standing.ACCEPTED),
        ("Pending", Standing.PENDING),
        ("Rejected", Standing.REJECTED),
    ],
)
def test_the_three_answers_to_a_boot_lead_to_three_standings(status, standing):
    assert booted(status).standing is standing


@pytest.mark.parametrize(
    "more",
    [
        {"status": "accepted"},
        {"interval": -1},
        {"interval": 2**31},
        {"interval": True},
        {"interval": None},
        {"currentTime": "yesterday"},
        {"statusInfo": {}},
        {"extra": 1},
    ],
    ids=str,
)
def test_an_answer_to_a_boot_that_can_be_read_in_two_ways_leaves_the_standing_unknown(more):
    assert booted("Pending", more=more).standing is Standing.UNKNOWN


def test_a_refused_boot_leaves_the_station_booting():
    model = Model()
    boot = Called(0.0, "BootNotification", {}, "b")
    model.saw(boot)
    model.saw(Answered(0.1, boot, error_code="InternalError"))
    assert model.standing is Standing.BOOTING


def test_an_answer_that_may_have_come_too_late_leaves_the_standing_unknown():
    model = Model()
    boot = Called(0.0, "BootNotification", {}, "b")
    model.saw(boot)
    model.saw(Answered(29.0, boot, {"status": "Rejected", "interval": 5, "currentTime": NOW}))
    assert model.standing is Standing.UNKNOWN


def test_a_new_connection_after_a_loss_of_power_begins_with_a_boot():
    model = Model()
    for event in (Operated(0.0, "power-cycle"), Closed(0.1), Opened(5.0)):
        assert model.saw(event) == []
    assert model.standing is Standing.OFF
    [objection] = model.saw(Called(5.1, "Heartbeat", {}, "h"))
    assert objection.rule == "B01.FR.08"


def test_a_new_connection_alone_needs_no_boot():
    model = booted("Accepted")
    for event in (Closed(1.0), Opened(2.0), Called(2.1, "Heartbeat", {}, "h")):
        assert model.saw(event) == []
    assert model.standing is Standing.ACCEPTED


def test_nothing_is_known_of_a_station_whose_software_ended():
    model = booted("Rejected")
    model.saw(Died(1.0))
    assert model.standing is Standing.UNKNOWN


def test_transactions_are_open_from_started_to_ended():
    model = Model()
    model.saw(Called(0.0, "TransactionEvent", STARTED, "a"))
    assert [t.id for t in model.open_transactions] == ["t1"]
    ended = {**STARTED, "eventType": "Ended", "seqNo": 1}
    model.saw(Called(1.0, "TransactionEvent", ended, "b"))
    assert model.open_transactions == ()


def test_a_transaction_that_was_not_seen_to_begin_is_not_known_to_be_open():
    model = Model()
    model.saw(Called(0.0, "TransactionEvent", {**STARTED, "eventType": "Updated"}, "a"))
    assert model.open_transactions == ()


def test_objections_are_kept_in_order_with_what_the_end_adds():
    model = booted("Pending")
    for event in told("RequestStartTransaction", {}, {"status": "Accepted"}):
        model.saw(event)
    for event in told("TriggerMessage", {"requestedMessage": "Heartbeat"}, {"status": "Accepted"}):
        model.saw(event)
    assert [o.rule for o in model.over(60.0, [Missed("Heartbeat", 10.0)])] == ["F06.FR.04"]
    assert [o.rule for o in model.objections] == ["B02.FR.05", "F06.FR.04"]


@pytest.mark.parametrize(("end_s", "owed"), [(11.0, 0), (11.2, 1)])
def test_a_debt_is_due_when_the_time_that_was_waited_is_over(end_s, owed):
    model = Model()
    for event in told("TriggerMessage", {"requestedMessage": "Heartbeat"}, {"status": "Accepted"}):
        model.saw(event)
    assert len(model.over(end_s, [Missed("Heartbeat", 10.0)])) == owed


def test_every_topic_has_a_weight_of_its_own_choice():
    model = Model()
    model.saw(Operated(0.0, "plug-in 1"))
    charging = {"transactionId": "t1", "chargingState": "Charging"}
    token = {"idToken": "A", "type": "ISO14443"}
    model.saw(
        Called(1.0, "TransactionEvent", {**STARTED, "transactionInfo": charging, "idToken": token})
    )
    assert [(o.topic, o.weight) for o in model.objections] == [(Topic.ENERGY, Weight.CRITICAL)]


@pytest.mark.parametrize(
    ("words", "deed", "evse"),
    [("plug-in 2 1", "plug-in", 2), ("power-cycle", "power-cycle", 0), ("unplug x", "unplug", 0)],
)
def test_an_operators_words_name_a_deed_and_an_evse(words, deed, evse):
    event = Operated(0.0, words)
    assert (event.deed, event.evse) == (deed, evse)


# --- hostile stations -------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
WORDS = st.sampled_from(
    ["Started", "Updated", "Ended", "Accepted", "Rejected", "Charging", "t1", "t2", "Inoperative"]
)
MEMBERS = st.sampled_from(
    [
        "eventType", "seqNo", "transactionInfo", "transactionId", "chargingState", "evse", "id",
        "idToken", "requestId", "status", "tbc", "connectorStatus", "evseId", "setVariableData",
        "setVariableResult", "getVariableResult", "component", "variable", "name", "remoteStartId",
        "reason", "interval", "triggerReason", "messagesInQueue", "idTokenInfo",
    ]
)  # fmt: skip
PAYLOADS = st.recursive(
    SCALARS | WORDS | st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=6),
    max_leaves=12,
)
CALLS = st.sampled_from(
    [
        "BootNotification", "TransactionEvent", "StatusNotification", "NotifyReport", "Authorize",
        "LogStatusNotification", "Heartbeat",
    ]
)  # fmt: skip
ASKS = st.sampled_from(
    [
        "GetVariables", "SetVariables", "Reset", "ChangeAvailability", "RequestStartTransaction",
        "RequestStopTransaction", "GetTransactionStatus", "TriggerMessage", "GetReport", "GetLog",
    ]
)  # fmt: skip
IDS = st.sampled_from("abc")
EVENTS = st.one_of(
    st.builds(Asked, st.just(1.0), ASKS, PAYLOADS, IDS),
    st.builds(
        Told, st.just(1.0), st.builds(Asked, st.just(1.0), ASKS, PAYLOADS, IDS), PAYLOADS
    ),
    st.builds(Called, st.just(1.0), CALLS, PAYLOADS, IDS),
    st.builds(
        Answered, st.just(1.0), st.builds(Called, st.just(1.0), CALLS, PAYLOADS, IDS), PAYLOADS
    ),
    st.builds(Stray, st.just(1.0), IDS),
    st.builds(Operated, st.just(1.0), st.sampled_from(["plug-in 1", "unplug 1", "power-cycle", ""])),
    st.sampled_from([Opened(1.0), Closed(1.0), Died(1.0), Unread(1.0)]),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=12))
def test_whatever_is_seen_is_survived_and_every_objection_is_whole(events):
    model = Model()
    for event in events:
        model.saw(event)
    model.over(100.0, [Missed("TransactionEvent", 1.0), Missed("BootNotification", 1.0)])
    assert all(o.rule and o.name and o.text for o in model.objections)
    assert all(len(o.name) < 80 and not any(c.isdigit() for c in o.name) for o in model.objections)


@given(st.lists(EVENTS, max_size=8))
def test_the_same_events_give_the_same_objections(events):
    one, other = Model(), Model()
    for event in events:
        assert one.saw(event) == other.saw(event)


@pytest.mark.parametrize(
    ("error", "again", "waited_s", "missed"),
    [
        ("InternalError", False, 30.0, ["no BootNotification after a CALLERROR"]),
        ("InternalError", True, 30.0, []),
        ("", False, 30.0, []),
        ("InternalError", False, 0.0, []),
    ],
)
def test_a_boot_that_is_not_said_again_after_a_callerror_is_noted(error, again, waited_s, missed):
    model = Model()
    boot = Called(1.0, "BootNotification", {"reason": "PowerUp"}, "b")
    model.saw(boot)
    model.saw(Answered(1.1, boot, {} if not error else None, error_code=error))
    if again:
        model.saw(Called(11.0, "BootNotification", {"reason": "PowerUp"}, "c"))
    waits = [Missed("BootNotification", waited_s)] if waited_s else []
    found = [o for o in model.over(60.0, waits) if "CALLERROR" in o.name]
    assert [o.name for o in found] == missed
    assert all(o.weight is Weight.NOTE for o in found)


@pytest.mark.parametrize(
    ("evse", "status", "found"), [(-1, "Accepted", 1), (-1, "Rejected", 0), (1, "Accepted", 0)]
)
def test_no_transaction_is_started_on_a_negative_evse(evse, status, found):
    model = booted("Accepted")
    payload = {"evseId": evse, "remoteStartId": 1, "idToken": {"idToken": "A", "type": "Central"}}
    for event in told("RequestStartTransaction", payload, {"status": status}):
        model.saw(event)
    assert sum("negative" in name for name in names(model)) == found
