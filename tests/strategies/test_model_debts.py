"""A status that an EV or an accepted change brings about is owed to whoever waited for it; all else forgives it."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Operated, Told

PLUGGED, UNPLUGGED = "EV plugged in, no status follows", "EV unplugged, no status follows"
UNTOLD = "UpdateFirmware accepted, no FirmwareStatusNotification follows"
NOW = "2026-01-01T00:00:00Z"
CHANGED = "ChangeAvailability accepted, no status follows"


class Scene:
    """A station on which each thing happens when it is said to."""

    def __init__(self):
        self.model = Model()

    def told(self, at_s, status, evse=1, action="StatusNotification"):
        payload = {"evseId": evse, "connectorId": 1, "connectorStatus": status}
        called = Called(at_s, action, payload, f"c{at_s}")
        self.model.saw(called)
        self.model.saw(Answered(at_s + 0.01, called, {}))
        return self

    def done(self, at_s, words):
        self.model.saw(Operated(at_s, words))
        return self

    def change(self, at_s, status, answer="Accepted", **where):
        payload = {"operationalStatus": status, **({"evse": where} if where else {})}
        asked = Asked(at_s, "ChangeAvailability", payload, f"q{at_s}")
        self.model.saw(asked)
        self.model.saw(Told(at_s + 0.1, asked, {"status": answer}))
        return self

    def missed(self, end_s, evse=1, status="Occupied", action="StatusNotification"):
        where = (("/evseId", str(evse)), ("/connectorId", "1"))
        where += (("/connectorStatus", status),) if status else ()
        return [o.name for o in self.model.over(end_s, [Missed(action, 12.0, where)])]


def test_an_ev_that_comes_or_goes_untold_is_found():
    assert Scene().told(1, "Available").done(2, "plug-in 1").missed(20) == [PLUGGED]
    gone = Scene().told(1, "Occupied").done(2, "unplug 1")
    assert gone.told(3, "Occupied").missed(20, status="Available") == [UNPLUGGED]


@pytest.mark.parametrize(
    "scene",
    [
        lambda: Scene().told(1, "Available").done(2, "plug-in 1").told(3, "Occupied"),
        lambda: Scene().told(1, "Available").done(2, "plug-in 1").told(3, "", action="NotifyEvent"),
        lambda: Scene().done(2, "plug-in 1"),
        lambda: Scene().told(1, "Unavailable").done(2, "plug-in 1"),
        lambda: Scene().told(1, "Available").done(2, "plug-in 1 2"),
        lambda: Scene().told(1, "Available").done(2, "plug-in 1").done(2.1, "unplug 1"),
        lambda: Scene().told(1, "Available").done(2, "plug-in 1").change(3, "Inoperative", id=2),
        lambda: Scene().told(1, "Available").done(9, "plug-in 1"),
    ],
    ids=["told", "event", "unknown", "unavailable", "other", "gone-again", "changed", "too-early"],
)
def test_an_ev_is_not_missed_where_it_was_told_or_need_not_be(scene):
    assert scene().missed(20) == []


@pytest.mark.parametrize(
    "wait", [{"evse": 2}, {"status": ""}, {"action": "TransactionEvent"}], ids=str
)
def test_an_ev_is_not_missed_where_nobody_waited_for_a_status_of_its_connector(wait):
    assert Scene().told(1, "Available").done(2, "plug-in 1").missed(20, **wait) == []


def test_what_was_owed_is_forgiven_with_the_connection_and_by_an_update():
    scene = Scene().told(1, "Available").done(2, "plug-in 1")
    scene.model.saw(Closed(3))
    scene.model.saw(Opened(4))
    assert scene.missed(20) == []
    scene = Scene().told(1, "Available")
    scene.model.saw(Asked(1.5, "UpdateFirmware", {}, "u"))
    assert scene.done(2, "plug-in 1").missed(20) == []


LEVELS = [{}, {"id": 2}, {"id": 2, "connectorId": 1}]


def both(**where):
    """Two connectors that are Available, of which only the first is told to change when a level is made Inoperative."""
    scene = Scene().told(1, "Available").told(2, "Available", 2)
    return scene.change(3, "Inoperative", **where).told(4, "Unavailable")


@pytest.mark.parametrize("where", LEVELS, ids=str)
def test_each_connector_of_a_level_is_told(where):
    assert both(**where).missed(20, 2, "Unavailable") == [CHANGED]
    assert both(**where).told(5, "Unavailable", 2).missed(20, 2, "Unavailable") == []
    assert both(**where).missed(20, 1, "Unavailable") == []


@pytest.mark.parametrize("where", LEVELS, ids=str)
def test_each_connector_is_told_when_its_level_is_operative_again(where):
    def again():
        return both(**where).told(5, "Unavailable", 2).change(6, "Operative", **where)

    assert again().told(7, "Unavailable", 2).missed(20, 2, "Available") == [CHANGED]
    assert again().told(7, "Occupied", 2).missed(20, 2, "Available") == []


def test_nothing_is_owed_where_another_level_may_keep_a_connector_as_it_is():
    scene = both(id=2).told(5, "Unavailable", 2).change(6, "Inoperative")
    assert scene.change(7, "Operative", id=2).missed(20, 2, "Available") == []


def test_nothing_is_owed_for_a_change_that_waits_or_a_connector_that_was_in_use():
    scene = Scene().told(1, "Available").change(3, "Inoperative", "Scheduled")
    assert scene.missed(20, 1, "Unavailable") == []
    scene = Scene().told(1, "Occupied").change(3, "Inoperative")
    assert scene.missed(20, 1, "Unavailable") == []


FAULT, MENDED = "fault, no status follows", "fault mended, no status follows"


def test_a_fault_that_comes_or_goes_untold_is_found():
    assert Scene().told(1, "Available").done(2, "fault 1").missed(20) == [FAULT]
    mended = (
        Scene().told(1, "Available").done(2, "fault 1").told(3, "Faulted").done(4, "clear-fault 1")
    )
    assert mended.missed(20, status="Available") == [MENDED]


@pytest.mark.parametrize(
    "scene",
    [
        lambda: Scene().told(1, "Available").done(2, "fault 1").told(3, "Faulted"),
        lambda: Scene().told(1, "Available").done(2, "fault 1").told(3, "Unavailable"),
        lambda: Scene().told(1, "Occupied").done(2, "fault 1"),
        lambda: Scene().told(1, "Available").done(2, "fault 1").done(3, "clear-fault 1"),
        lambda: Scene().told(1, "Faulted").done(2, "clear-fault 1").told(3, "Occupied"),
    ],
)
def test_a_fault_is_not_missed_where_it_was_told_or_gone(scene):
    assert scene().missed(20) == []


@pytest.mark.parametrize(
    ("asked", "told", "wrong"), [(2, 1, 1), (2, 2, 0), (None, 1, 0), (2, None, 1)]
)
def test_triggered_meter_values_are_of_the_evse_that_was_asked_for(asked, told, wrong):
    model = Model()
    where = {} if asked is None else {"evse": {"id": asked}}
    call = Asked(1.0, "TriggerMessage", {"requestedMessage": "MeterValues", **where}, "t")
    model.saw(call)
    model.saw(Told(1.1, call, {"status": "Accepted"}))
    if told is not None:
        called = Called(2.0, "MeterValues", {"evseId": told, "meterValue": []}, "m")
        model.saw(called)
        model.saw(Answered(2.1, called, {}))
    missed = Missed("MeterValues", 4.0, (("/evseId", str(asked)),))
    found = [o.name for o in model.over(9.0, [missed])]
    assert found == ["TriggerMessage accepted, nothing follows"] * wrong


@pytest.mark.parametrize("at_s", [0.5, 1.0, 1.1])
def test_what_crosses_a_boot_may_be_answered_by_a_station_that_may_not_speak(at_s):
    model, crosses = (
        Model(),
        at_s > 0.5,
    )  # At 1.0 it is asked in the moment of the boot.
    asked = Asked(1.0, "UpdateFirmware", {"requestId": 1}, "u")
    boot = Called(at_s, "BootNotification", {"reason": "RemoteReset"}, "b")
    pending = {"status": "Pending" if crosses else "Accepted", "interval": 60, "currentTime": NOW}
    booted = [boot, Answered(boot.at_s + 0.1, boot, pending)]
    for event in (asked, *booted) if crosses else (*booted, asked):
        model.saw(event)
    model.saw(Told(1.3, asked, {"status": "Accepted"}))
    wait = Missed("FirmwareStatusNotification", 12.0, (("/requestId", "1"),))
    found = [o.name for o in model.over(20.0, [wait])]
    assert found == ([] if crosses else [UNTOLD])


@pytest.mark.parametrize("status", ["Accepted", "Pending", "Rejected"])
def test_who_was_not_accepted_need_not_tell_of_a_transaction(status):
    model = Model()
    model.saw(Operated(1.0, "plug-in 1"))
    info = {"transactionId": "t1", "chargingState": "Charging"}
    started = {"eventType": "Started", "seqNo": 0, "evse": {"id": 1}, "transactionInfo": info}
    boot = Called(4.0, "BootNotification", {"reason": "PowerUp"}, "b")
    answer = {"status": status, "interval": 60, "currentTime": NOW}
    begun = Called(2.0, "TransactionEvent", started, "e")
    for event in (
        begun,
        Answered(2.1, begun, {}),
        Operated(3.0, "power-cycle"),
        Opened(3.5),
        boot,
        Answered(4.1, boot, answer),
        Operated(5.0, "unplug 1"),
    ):
        model.saw(event)
    wait = Missed("TransactionEvent", 12.0, (("/eventType", "Ended"),))
    found = [o.name for o in model.over(20.0, [wait])]
    assert ("unplugging never told" in found) is (status == "Accepted")


UNSAID = "RequestStopTransaction accepted, nothing follows"


def stopped(*told, answer="Accepted", times=1):
    model = Model()

    def event(at_s, kind, trigger):
        info = {"transactionId": "t1", "chargingState": "Charging"}
        payload = {"eventType": kind, "seqNo": int(at_s), "triggerReason": trigger}
        called = Called(at_s, "TransactionEvent", {**payload, "transactionInfo": info}, f"t{at_s}")
        model.saw(called)
        model.saw(Answered(at_s + 0.1, called, {}))

    event(1.0, "Started", "Authorized")
    for number in range(times):
        asked = Asked(2.0, "RequestStopTransaction", {"transactionId": "t1"}, f"s{number}")
        model.saw(asked)
        model.saw(Told(2.1, asked, {"status": answer}))
        for at_s, kind, trigger in told if not number else ():
            event(at_s, kind, trigger)
    found = model.saw(Operated(16.0, "unplug 1"))
    return [o.name for o in found if o.name == UNSAID]


def test_a_remote_stop_that_does_not_end_a_transaction_is_told():
    assert stopped((3.0, "Updated", "ChargingStateChanged")) == [UNSAID]
    assert stopped((3.0, "Updated", "RemoteStop")) == []
    assert stopped((3.0, "Ended", "ChargingStateChanged")) == []
    assert stopped(answer="Rejected") == []
    assert stopped((3.0, "Updated", "RemoteStop"), times=2) == []
