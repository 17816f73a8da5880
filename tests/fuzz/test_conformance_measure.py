"""The stopwatch measures what the performance table of a certificate asks for, and nothing else."""

from fuzz.conformance.measure import Measure, Stopwatch
from fuzz.conformance.view import View

ACCEPTED = View({"status": "Accepted"})


def event(reason, state=None):
    return View({"triggerReason": reason, "transactionInfo": {"chargingState": state}})


def test_every_answer_is_a_response_time():
    watch = Stopwatch()
    watch.answered("Reset", ACCEPTED, 1.0, 1.5)
    watch.answered("GetVariables", View({}), 2.0, 2.25)
    assert watch.samples[Measure.RESPONSE] == [0.5, 0.25]


def test_a_triggered_message_is_measured_from_the_request():
    watch = Stopwatch()
    watch.asked("TriggerMessage", View({"requestedMessage": "Heartbeat"}), 1.0)
    watch.answered("TriggerMessage", ACCEPTED, 1.0, 1.1)
    watch.heard("StatusNotification", View({}), 2.0)
    watch.heard("Heartbeat", View({}), 3.0)
    watch.heard("Heartbeat", View({}), 9.0)
    assert watch.samples[Measure.TRIGGERED] == [2.0]


def test_nothing_follows_a_refusal():
    watch = Stopwatch()
    watch.asked("GetBaseReport", View({}), 1.0)
    watch.answered("GetBaseReport", View({"status": "NotSupported"}), 1.0, 1.1)
    watch.heard("NotifyReport", View({}), 3.0)
    assert watch.samples[Measure.TRIGGERED] == []


def test_a_remote_start_is_measured_to_its_event():
    watch = Stopwatch()
    watch.asked("RequestStartTransaction", View({}), 1.0)
    watch.heard("TransactionEvent", event("CablePluggedIn"), 1.5)
    watch.heard("TransactionEvent", event("RemoteStart"), 2.0)
    assert watch.samples[Measure.START] == [1.0]


def test_a_remote_stop_whose_energy_still_has_to_end_is_not_measured():
    watch = Stopwatch()
    watch.asked("RequestStopTransaction", View({}), 1.0)
    watch.heard("TransactionEvent", event("RemoteStop", "EVConnected"), 2.0)
    watch.heard("TransactionEvent", event("RemoteStop", "Idle"), 3.0)
    assert watch.samples[Measure.STOP] == []
    watch.asked("RequestStopTransaction", View({}), 4.0)
    watch.heard("TransactionEvent", event("RemoteStop"), 4.5)
    assert watch.samples[Measure.STOP] == [0.5]


def test_what_was_awaited_on_a_lost_connection_is_not_measured():
    watch = Stopwatch()
    watch.asked("GetLog", View({}), 1.0)
    watch.forget()
    watch.heard("LogStatusNotification", View({}), 2.0)
    assert watch.samples[Measure.TRIGGERED] == []
