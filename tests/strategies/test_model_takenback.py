"""Energy that flows on after its token was refused is found where the station has no allowance for it."""

import pytest

from strategies.model import Answered, Asked, Called, Model, Operated, Told

GOES_ON = "Charging goes on with a token that was refused"
ALLOWANCE = {"component": {"name": "TxCtrlr"}, "variable": {"name": "MaxEnergyOnInvalidId"}}


def scene(answer, *, told=None, allowance="UnknownVariable", seconds=5.0, **more):
    model = Model()
    asked = Asked(0.0, "GetVariables", {"getVariableData": [ALLOWANCE]}, "g")
    model.saw(asked)
    result = {**ALLOWANCE, "attributeStatus": allowance, "attributeValue": "500"}
    model.saw(Told(0.1, asked, {"getVariableResult": [result]}))
    model.saw(Operated(0.2, "plug-in 1"))
    event(model, 0, "Charging", answer, 1.0, idToken={"idToken": "A", "type": "ISO14443"}, **more)
    if told:
        event(model, 1, told, {}, 1.5)
    found = model.saw(Operated(1.0 + seconds, "unplug 1"))
    return [o.name for o in found]


def event(model, seq, state, answer, at_s, **more):
    info = {"transactionId": "t1", "chargingState": state}
    kind = "Updated" if seq else "Started"
    payload = {"eventType": kind, "seqNo": seq, "evse": {"id": 1}, "transactionInfo": info, **more}
    called = Called(at_s, "TransactionEvent", payload, f"c{seq}")
    model.saw(called)
    model.saw(Answered(at_s + 0.1, called, answer))


REFUSED = {"idTokenInfo": {"status": "Expired"}}


def test_energy_that_flows_on_is_found():
    assert scene(REFUSED) == [GOES_ON]


def test_energy_that_flows_on_is_found_in_a_transaction_that_began_offline():
    assert scene(REFUSED, offline=True) == [GOES_ON]


@pytest.mark.parametrize(
    ("answer", "more"),
    [
        ({"idTokenInfo": {"status": "Accepted"}}, {}),
        ({}, {}),
        (REFUSED, {"told": "SuspendedEVSE"}),
        (REFUSED, {"allowance": "Accepted"}),
        (REFUSED, {"seconds": 1.0}),
    ],
    ids=["accepted", "not-said", "suspended", "allowed", "soon"],
)
def test_energy_that_may_flow_is_not(answer, more):
    assert GOES_ON not in scene(answer, **more)
