"""An event that tells of a change of chargingState tells what it changed to."""

import pytest

from strategies.model import Called, Model

NAME = "ChargingStateChanged without a chargingState"


@pytest.mark.parametrize(
    ("trigger", "info", "wrong"),
    [
        ("ChargingStateChanged", {}, [NAME]),
        ("ChargingStateChanged", {"chargingState": "Charging"}, []),
        ("MeterValuePeriodic", {}, []),
    ],
)
def test_a_change_of_the_state_says_the_state(trigger, info, wrong):
    payload = {"triggerReason": trigger, "transactionInfo": {"transactionId": "t", **info}}
    found = Model().saw(Called(1.0, "TransactionEvent", payload, "t"))
    assert [o.name for o in found if o.name == NAME] == wrong
