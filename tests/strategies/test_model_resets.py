"""A reset that waits until nothing runs, and one that never comes."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Operated, Told

TOO_SOON = "Reset(OnIdle) did not wait for a transaction"
NEVER_CAME = "Reset(OnIdle) agreed to and not carried out"
IGNORED = "Reset accepted and not carried out"
WAITED = (Missed("BootNotification", 30.0),)


def said(model, at_s, action, payload, answer=None):
    called = Called(at_s, action, payload, f"c{at_s}")
    model.saw(called)
    model.saw(Answered(at_s + 0.1, called, answer or {}))


def event(model, at_s, kind, seq, **info):
    transaction = {"transactionId": "t1", **info}
    payload = {"eventType": kind, "seqNo": seq, "evse": {"id": 1}, "transactionInfo": transaction}
    said(model, at_s, "TransactionEvent", payload)


def charging():
    model = Model()
    model.saw(Operated(1.0, "plug-in 1"))
    event(model, 1.1, "Started", 0)
    event(model, 1.5, "Updated", 1, chargingState="Charging")
    return model


def asked(model, at_s, kind="OnIdle", status="Scheduled"):
    reset = Asked(at_s, "Reset", {"type": kind}, f"q{at_s}")
    model.saw(reset)
    model.saw(Told(at_s + 0.1, reset, {"status": status}))
    return model


def boots(model, at_s, reason):
    model.saw(Closed(at_s))
    model.saw(Opened(at_s + 0.5))
    said(model, at_s + 0.6, "BootNotification", {"reason": reason})


def leaves(model, at_s):
    model.saw(Operated(at_s, "unplug 1"))
    event(model, at_s + 0.1, "Ended", 2, stoppedReason="EVDisconnected")


def names(model, missed=WAITED):
    model.over(100.0, missed)
    return [o.name for o in model.objections if o.name in (TOO_SOON, NEVER_CAME, IGNORED)]


@pytest.mark.parametrize("status", ["Scheduled", "Accepted"])
def test_a_boot_in_the_midst_of_a_transaction_is_found(status):
    model = asked(charging(), 2.0, status=status)
    boots(model, 3.0, "ScheduledReset")
    assert names(model) == [TOO_SOON]


def test_a_transaction_that_the_reset_ends_is_found():
    model = asked(charging(), 2.0)
    event(model, 3.0, "Ended", 2, stoppedReason="ImmediateReset")
    assert TOO_SOON in names(model)


def test_a_reset_that_never_comes_is_found():
    model = asked(charging(), 2.0)
    leaves(model, 5.0)
    assert names(model) == [NEVER_CAME]


def test_a_reset_that_comes_when_the_ev_has_gone_is_right():
    model = asked(charging(), 2.0)
    leaves(model, 5.0)
    boots(model, 6.0, "ScheduledReset")
    assert names(model) == []


def _cut(model, at_s, *, network=False):
    if network:
        model.saw(Operated(at_s, "cut-network"))
    model.saw(Closed(at_s + 0.1))
    if network:
        model.saw(Operated(at_s + 0.2, "restore-network"))
    model.saw(Opened(at_s + 0.3))
    return model


def _trigger(model, at_s, message):
    asked = Asked(at_s, "TriggerMessage", {"requestedMessage": message}, f"t{at_s}")
    model.saw(asked)
    model.saw(Told(at_s + 0.1, asked, {"status": "Accepted"}))


@pytest.mark.parametrize("network", [False, True])
def test_a_reset_outlives_a_connection(network):
    model = _cut(asked(charging(), 2.0), 3.0, network=network)
    _trigger(model, 4.0, "StatusNotification")
    leaves(model, 5.0)
    assert names(model) == [NEVER_CAME]
    model = _cut(asked(charging(), 2.0), 3.0, network=network)
    leaves(model, 5.0)
    boots(model, 6.0, "ScheduledReset")
    assert names(model) == []


def test_a_reset_is_not_missed_where_its_boot_may_have_been_or_may_be_another() -> None:
    late = asked(charging(), 2.0)
    leaves(late, 5.0)
    assert names(_cut(late, 6.0)) == []
    triggered = asked(charging(), 2.0)
    _trigger(triggered, 3.0, "BootNotification")
    leaves(triggered, 5.0)
    assert names(triggered) == []


def test_a_loss_of_power_meanwhile_is_none_of_it():
    model = asked(charging(), 2.0)
    model.saw(Operated(3.0, "power-cycle"))
    boots(model, 3.1, "RemoteReset")
    assert names(model) == []


@pytest.mark.parametrize("status", ["Rejected", ""])
def test_nothing_follows_from_a_reset_that_was_refused(status):
    model = asked(charging(), 2.0, status=status)
    leaves(model, 5.0)
    assert names(model) == []


def test_a_station_that_goes_on_as_if_nobody_had_reset_it_is_found():
    assert names(asked(Model(), 2.0, "Immediate", "Accepted")) == [IGNORED]


def test_a_reset_is_not_missed_where_an_answer_holds_it_up_or_a_firmware_or_nobody_waited():
    waiting = asked(Model(), 2.0, "Immediate", "Accepted")
    waiting.saw(Called(3.0, "Heartbeat", {}, "h"))
    updating = Model()
    updating.saw(Asked(1.0, "UpdateFirmware", {}, "u"))
    asked(updating, 2.0, "Immediate", "Accepted")
    assert names(waiting) == names(updating) == []
    assert names(asked(Model(), 2.0, "Immediate", "Accepted"), ()) == []
