"""What connectors are told to be fits the cable, the fault and the accepted changes of availability, or it is objected to."""

import pytest

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
    Told,
)

PLACE = (("/evseId", "1"), ("/connectorId", "1"))


def status(model, at_s, told, evse=1):
    """A StatusNotification that was asked for, and is answered at once; what is wrong with it."""
    asked = {"requestedMessage": "StatusNotification", "evse": {"id": evse, "connectorId": 1}}
    model.saw(Asked(at_s, "TriggerMessage", asked, f"t{at_s}"))
    payload = {"evseId": evse, "connectorId": 1, "connectorStatus": told}
    called = Called(at_s, "StatusNotification", payload, f"s{at_s}")
    found = model.saw(called)
    model.saw(Answered(at_s + 0.01, called, {}))
    return [o.name for o in found]


def change(model, at_s, status, answer="Accepted", **where):
    """A ChangeAvailability and its answer, "" for a CALLERROR."""
    payload = {"operationalStatus": status, **({"evse": where} if where else {})}
    asked = Asked(at_s, "ChangeAvailability", payload, f"q{at_s}")
    model.saw(asked)
    code = "" if answer else "FormatViolation"
    model.saw(Told(at_s + 0.1, asked, {"status": answer} if answer else {}, code))


def after(*deeds):
    model = Model()
    for at_s, deed in enumerate(deeds, 1):
        model.saw(Operated(float(at_s), deed))
    return model


@pytest.mark.parametrize(
    ("deeds", "told", "wrong"),
    [
        (["plug-in 1"], "Available", "Available although an EV is plugged in"),
        (["plug-in 1"], "Occupied", ""),
        (["plug-in 2"], "Available", ""),
        (["plug-in 1 2"], "Available", ""),
        (["plug-in 1", "unplug 1"], "Occupied", "Occupied although the EV was unplugged"),
        (["plug-in 1", "unplug 1", "present-token A"], "Occupied", ""),
        (["fault 1"], "Occupied", "Occupied although there is a fault"),
        (["fault 1"], "Unavailable", ""),
        (["fault 1", "clear-fault 1"], "Faulted", "Faulted although the fault was mended"),
    ],
)
def test_a_status_that_nothing_bears_out_is_found(deeds, told, wrong):
    assert status(after(*deeds), 9.0, told) == ([wrong] if wrong else [])


def test_a_status_is_not_judged_before_it_could_change_nor_behind_a_call_that_waited():
    model = after("plug-in 1")
    assert status(model, 1.5, "Available") == []
    waiting = Called(2.0, "Heartbeat", {}, "h")
    model.saw(waiting)
    model.saw(Answered(9.0, waiting, {}))
    assert status(model, 9.1, "Available") == []


@pytest.mark.parametrize("where", [{}, {"id": 1}, {"id": 1, "connectorId": 1}], ids=str)
def test_an_accepted_change_of_any_level_shows_in_what_is_told(where):
    model = Model()
    change(model, 1.0, "Inoperative", **where)
    assert status(model, 5.0, "Available") == ["Available although Inoperative"]
    assert status(model, 6.0, "Unavailable") == []


def test_each_level_is_made_available_by_itself():
    model = Model()
    assert status(model, 1.0, "Available") == []
    change(model, 2.0, "Inoperative", id=1)
    change(model, 3.0, "Inoperative")
    change(model, 4.0, "Operative")
    assert status(model, 9.0, "Available") == ["Available although Inoperative"]
    change(model, 10.0, "Operative", id=1)
    assert status(model, 19.0, "Unavailable") == ["Unavailable although Operative"]


@pytest.mark.parametrize("answer", ["Rejected", ""])
def test_what_was_refused_changes_nothing(answer):
    model = Model()
    status(model, 1.0, "Available")
    change(model, 2.0, "Inoperative", answer, id=1)
    assert status(model, 9.0, "Unavailable") == ["Unavailable although Operative"]


def test_what_is_scheduled_or_waits_for_a_firmware_may_be_either():
    model = Model()
    status(model, 1.0, "Available")
    change(model, 2.0, "Inoperative", "Scheduled", id=1)
    assert status(model, 9.0, "Unavailable") == status(model, 19.0, "Available") == []
    model = Model()
    status(model, 1.0, "Available")
    model.saw(Asked(2.0, "UpdateFirmware", {"requestId": 1}, "u"))
    assert status(model, 9.0, "Unavailable") == []


@pytest.mark.parametrize("evse", [1, 2])
def test_the_status_of_every_connector_follows_an_accepted_boot(evse):
    model = Model()
    boot = Called(0.0, "BootNotification", {"reason": "PowerUp"}, "b")
    model.saw(boot)
    now = "2026-01-01T00:00:00Z"
    model.saw(Answered(0.1, boot, {"status": "Accepted", "interval": 9, "currentTime": now}))
    status(model, 1.0, "Available", evse)
    missed = [o.name for o in model.over(20.0, [Missed("StatusNotification", 12.0, PLACE)])]
    assert missed == ([] if evse == 1 else ["no status of a connector after a boot"])


@pytest.mark.parametrize("told", [True, False])
def test_what_changed_without_a_network_is_told_when_it_is_back(told):
    model = after("cut-network", "plug-in 1", "restore-network")
    model.saw(Opened(4.0))
    if told:
        status(model, 5.0, "Occupied")
    wait = Missed("StatusNotification", 12.0, (*PLACE, ("/connectorStatus", "Occupied")))
    lost = "change of a status while offline never told"
    assert [o.name for o in model.over(20.0, [wait])] == ([] if told else [lost])


@pytest.mark.parametrize("gone_s", [5.0, 17.0])
def test_what_was_undone_before_it_could_be_told_is_not_missed(gone_s):
    model = after("cut-network", "plug-in 1", "restore-network")
    model.saw(Opened(4.0))
    model.saw(Operated(gone_s, "unplug 1"))
    wait = Missed("StatusNotification", 12.0, (*PLACE, ("/connectorStatus", "Occupied")))
    lost = ["change of a status while offline never told"]
    assert [o.name for o in model.over(20.0, [wait])] == (lost if gone_s > 16.0 else [])


def event(model, at_s, kind, seq):
    payload = {
        "eventType": kind,
        "seqNo": seq,
        "triggerReason": "Authorized",
        "transactionInfo": {"transactionId": "t1", "chargingState": "Charging"},
        "evse": {"id": 1, "connectorId": 1},
    }
    called = Called(at_s, "TransactionEvent", payload, f"e{at_s}")
    model.saw(called)
    model.saw(Answered(at_s + 0.01, called, {}))


def scheduled(*, ends=True, leaves=True, again="", meanwhile=()):
    """An EVSE that is to become Inoperative when the EV leaves, as far as it does."""
    model = after("plug-in 1")
    event(model, 2.0, "Started", 0)
    change(model, 3.0, "Inoperative", "Scheduled", id=1)
    if again:
        change(model, 4.0, again, "Accepted", id=1)
    for happened in meanwhile:
        model.saw(happened)
    if leaves:
        model.saw(Operated(5.0, "unplug 1"))
    if ends:
        event(model, 6.0, "Ended", 1)
    return model


def test_a_change_that_was_scheduled_is_made_when_the_ev_has_left():
    assert status(scheduled(), 8.0, "Available") == ["Available although Inoperative"]
    assert status(scheduled(), 8.0, "Unavailable") == []


@pytest.mark.parametrize(
    "made", [{"ends": False}, {"leaves": False}, {"again": "Operative"}], ids=str
)
def test_a_change_that_was_scheduled_may_wait_or_be_taken_back(made):
    assert "Available although Inoperative" not in status(scheduled(**made), 8.0, "Available")


def test_a_change_that_was_scheduled_may_be_soon_or_forgotten_by_what_else_is_asked():
    assert status(scheduled(), 6.5, "Available") == []
    model = scheduled(ends=False)
    model.saw(Asked(5.5, "Reset", {"type": "OnIdle"}, "r"))
    event(model, 6.0, "Ended", 1)
    assert status(model, 8.0, "Available") == []


def told_by_itself(model, at_s, word, connector=1):
    payload = {"evseId": 1, "connectorId": connector, "connectorStatus": word}
    return [o.name for o in model.saw(Called(at_s, "StatusNotification", payload, f"i{at_s}"))]


def under_way(answer="Scheduled", **where):
    model = after("plug-in 1")
    event(model, 2.0, "Started", 0)
    change(model, 3.0, "Inoperative", answer, **(where or {"id": 1}))
    return model


def test_a_change_that_was_scheduled_and_is_made_at_once_is_found():
    assert told_by_itself(under_way(), 4.0, "Unavailable") == [
        "Unavailable although only Scheduled"
    ]


def test_a_change_may_be_made_at_once_where_it_is_not_of_a_running_transaction():
    assert told_by_itself(under_way(), 4.0, "Occupied") == []
    assert told_by_itself(under_way(), 4.0, "Unavailable", connector=2) == []
    assert told_by_itself(under_way("Accepted"), 4.0, "Unavailable") == []
    assert told_by_itself(under_way(id=2), 4.0, "Unavailable") == []
    for deed in (
        Operated(3.5, "unplug 1"),
        Operated(3.5, "present-token A"),
        Asked(3.5, "RequestStopTransaction", {"transactionId": "t"}, "s"),
        Asked(3.5, "UpdateFirmware", {}, "u"),
        Opened(3.5),
    ):
        model = under_way()
        model.saw(deed)
        assert told_by_itself(model, 4.0, "Unavailable") == []
    ended = under_way()
    event(ended, 3.5, "Ended", 1)
    assert told_by_itself(ended, 4.0, "Unavailable") == []


def test_a_change_that_was_scheduled_outlives_a_connection_and_perhaps_no_loss_of_power():
    lost = scheduled(meanwhile=[Closed(4.0), Opened(4.5)])
    assert status(lost, 8.0, "Available") == ["Available although Inoperative"]
    lost = scheduled(meanwhile=[Closed(4.0), Opened(4.5)])
    assert status(lost, 8.0, "Unavailable") == []
    for ending in (Operated(4.0, "power-cycle"), Died(4.0)):
        model = scheduled(meanwhile=[ending, Opened(4.5)])
        assert "Available although Inoperative" not in status(model, 8.0, "Available")
    boot = Called(4.6, "BootNotification", {"reason": "ScheduledReset"}, "b")
    booted = [Closed(4.0), Opened(4.5), boot, Answered(4.7, boot, {"status": "Accepted"})]
    assert status(scheduled(meanwhile=booted), 8.0, "Available") == []


ALREADY = ["ChangeAvailability to what it is already not Accepted"]


def repeated(first, second, answer, *, agreed="Accepted", where=None):
    model = Model()
    change(model, 1.0, first, agreed, id=1)
    payload = {"operationalStatus": second, "evse": where or {"id": 1}}
    asked = Asked(2.0, "ChangeAvailability", payload, "again")
    model.saw(asked)
    return [o.name for o in model.saw(Told(2.1, asked, {"status": answer}))]


@pytest.mark.parametrize("status", ["Operative", "Inoperative"])
def test_what_is_so_already_is_accepted(status):
    assert repeated(status, status, "Scheduled") == ALREADY
    assert repeated(status, status, "Rejected") == ALREADY
    assert repeated(status, status, "Accepted") == []


def test_a_change_of_what_is_not_so_or_not_known_to_be_may_wait():
    assert repeated("Operative", "Inoperative", "Scheduled") == []
    assert repeated("Operative", "Operative", "Scheduled", agreed="Rejected") == []
    assert repeated("Operative", "Operative", "Scheduled", where={"id": 1, "connectorId": 1}) == []


# --- after a late acceptance, and in the device model ------------------------------

NO_STATUS = "no status of a connector after a boot"
OTHER_STATE = "AvailabilityState of a connector is not what was told"
WAITED = (Missed("StatusNotification", 12.0, PLACE),)


def over(model, *, missed=WAITED):
    return [o.name for o in model.over(60.0, missed)]


def booted(*answers):
    model, now = Model(), {"interval": 60, "currentTime": "2026-01-01T00:00:00Z"}
    for at_s, answer in enumerate(answers):
        boot = Called(float(at_s), "BootNotification", {"reason": ("PowerUp", "Triggered")[at_s]})
        model.saw(boot)
        model.saw(Answered(at_s + 0.1, boot, {**now, "status": answer}))
    return model


def test_the_status_of_every_connector_follows_the_boot_that_is_accepted_at_last():
    assert over(booted("Pending", "Accepted")) == [NO_STATUS]
    told = booted("Pending", "Accepted")
    status(told, 2.0, "Available")
    assert over(told) == []
    assert over(booted("Pending", "Pending")) == []


def reading(model, at_s, value, name="AvailabilityState"):
    component = {"name": "Connector", "evse": {"id": 1, "connectorId": 1}}
    named = {"component": component, "variable": {"name": name}}
    asked = Asked(at_s, "GetVariables", {"getVariableData": [named]}, f"g{at_s}")
    model.saw(asked)
    result = {**named, "attributeStatus": "Accepted", "attributeValue": value}
    found = model.saw(Told(at_s + 0.1, asked, {"getVariableResult": [result]}))
    return [o.name for o in found if o.name == OTHER_STATE]


def test_the_device_model_knows_what_was_told():
    model = after("plug-in 1")
    status(model, 5.0, "Occupied")
    assert reading(model, 6.0, "Available") == [OTHER_STATE]
    assert reading(model, 7.0, "Occupied") == []
    assert reading(model, 7.0, "Preparing") == []
    assert reading(model, 7.0, "Available", "Other") == []


@pytest.mark.parametrize(
    "between",
    [
        Operated(5.5, "unplug 1"),
        Closed(5.5),
        Called(5.5, "TransactionEvent", {}, "t"),
        Asked(5.5, "ChangeAvailability", {"operationalStatus": "Inoperative"}, "q"),
    ],
    ids=["deed", "closed", "event", "asked"],
)
def test_what_may_have_changed_since_it_was_told_is_not_compared(between):
    model = after("plug-in 1")
    status(model, 5.0, "Occupied")
    model.saw(between)
    assert reading(model, 6.0, "Available") == []
    assert reading(after("plug-in 1"), 6.0, "Available") == []


# --- energy at a place that is closed -----------------------------------------------------------------------------

CLOSED = "Charging although Inoperative"


def told_event(model, at_s, kind, seq, state, **more):
    info = {"transactionId": "t", "chargingState": state}
    payload = {"eventType": kind, "seqNo": seq, "transactionInfo": info, "triggerReason": "Trigger"}
    called = Called(
        at_s,
        "TransactionEvent",
        {**payload, "evse": {"id": 1, "connectorId": 1}, **more},
        f"e{at_s}",
    )
    found = [o.name for o in model.saw(called)]
    model.saw(Answered(at_s + 0.01, called, {}))
    return found


def charged(model, at_s=5.0, **more):
    """An EV comes, and charges; whether anything is said of where it does."""
    model.saw(Operated(at_s, "plug-in 1"))
    told_event(model, at_s + 0.1, "Started", 0, "EVConnected", **more)
    return CLOSED in told_event(model, at_s + 0.2, "Updated", 1, "Charging", **more)


@pytest.mark.parametrize("where", [{}, {"id": 1}, {"id": 1, "connectorId": 1}])
def test_energy_at_an_inoperative_place_is_found(where):
    model = Model()
    change(model, 1.0, "Inoperative", **where)
    assert charged(model)


@pytest.mark.parametrize(
    ("status", "answer", "where"),
    [
        ("Operative", "Accepted", {"id": 1}),
        ("Inoperative", "Rejected", {"id": 1}),
        ("Inoperative", "Scheduled", {"id": 1}),
        ("Inoperative", "", {"id": 1}),
        ("Inoperative", "Accepted", {"id": 2}),
        ("Inoperative", "Accepted", {"id": 1, "connectorId": 2}),
    ],
)
def test_energy_is_not_objected_to_where_the_place_may_be_used(status, answer, where):
    model = Model()
    change(model, 1.0, status, answer, **where)
    assert not charged(model)


def test_energy_is_not_objected_to_where_the_place_was_closed_late_or_opened_since():
    late = Model()
    change(late, 4.5, "Inoperative", id=1)
    assert not charged(late)
    opened = Model()
    change(opened, 1.0, "Inoperative", id=1)
    opened.saw(Asked(5.15, "ChangeAvailability", {"operationalStatus": "Operative"}, "q"))
    again = Asked(
        4.9, "ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 1}}, "p"
    )
    opened.saw(again)
    assert not charged(opened)
    offline = Model()
    change(offline, 1.0, "Inoperative", id=1)
    assert not charged(offline, offline=True)
    cut = Model()
    change(cut, 1.0, "Inoperative", id=1)
    cut.saw(Opened(3.0))
    assert not charged(cut)
