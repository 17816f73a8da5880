"""Energy that is counted in a transaction is said to be charged, or it is objected to."""

import pytest

from strategies.model import Answered, Called, Closed, Model, Opened

NAME = "energy without Charging"


def event(seq, wh=None, state="", kind="Updated", **more):
    payload = {
        "eventType": kind,
        "seqNo": seq,
        "transactionInfo": {"transactionId": "t", **({"chargingState": state} if state else {})},
        "evse": {"id": 1, "connectorId": 1},
        **more,
    }
    if wh is not None:
        payload["meterValue"] = [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [wh]}]
    called = Called(float(seq + 1), "TransactionEvent", payload, f"e{seq}")
    return called, Answered(seq + 1.1, called, {})


def said(*told):
    model = Model()
    for events in told:
        for one in events if isinstance(events, tuple) else (events,):
            model.saw(one)
    return [o.name for o in model.objections if o.name == NAME]


BEGUN = event(0, {"value": 100.0}, "EVConnected", "Started")


def test_energy_in_a_transaction_that_never_charged_is_found_once():
    ended = event(2, {"value": 110.0}, "Idle", "Ended")
    assert said(BEGUN, event(1, state="SuspendedEV"), ended) == [NAME]
    assert said(BEGUN, event(1, {"value": 105.0}), ended) == [NAME]


@pytest.mark.parametrize(
    "told",
    [
        (BEGUN, event(1, state="Charging"), event(2, {"value": 110.0}, "Idle", "Ended")),
        (BEGUN, event(1, {"value": 110.0}, "Charging")),
        (BEGUN, event(1, {"value": 101.5}, "Idle", "Ended")),
        (BEGUN, event(1, {"value": 9e9, "measurand": "Voltage"})),
        (BEGUN, event(1, {"value": 110.0, "location": "Inlet"})),
        (BEGUN, event(1, {"value": 110.0, "phase": "L1"})),
        (event(0, None, "EVConnected", "Started"), event(1, {"value": 110.0})),
        (event(0, {"value": 100.0}, "", "Started"), event(1, {"value": 110.0})),
        (event(1, {"value": 100.0}), event(2, {"value": 110.0}, "Idle", "Ended")),
        (BEGUN, event(1, {"value": 110.0}, "Idle", "Ended", offline=True)),
        (BEGUN, Closed(1.5), Opened(1.6), event(1, {"value": 110.0}, "Idle", "Ended")),
    ],
    ids=[
        "charged",
        "charges",
        "rounded",
        "voltage",
        "inlet",
        "phase",
        "unread",
        "stateless",
        "unbegun",
        "offline",
        "cut",
    ],
)
def test_nothing_is_said_of_what_charged_or_was_not_seen_whole(told):
    assert said(*told) == []
