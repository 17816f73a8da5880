"""Energy that flows on after its token was refused is found where the station has no allowance for it."""

import pytest

from strategies.model import Answered, Asked, Called, Model, Operated, Told

GOES_ON = "Charging goes on with a token that was refused"
ALLOWANCE = {"component": {"name": "TxCtrlr"}, "variable": {"name": "MaxEnergyOnInvalidId"}}


def read(**values):
    """A model of a station whose TxCtrlr has these variables, None for one that is not there."""
    model = Model()
    for name, value in values.items():
        named = {"component": {"name": "TxCtrlr"}, "variable": {"name": name}}
        asked = Asked(0.0, "GetVariables", {"getVariableData": [named]}, name)
        model.saw(asked)
        status = {"attributeStatus": "UnknownVariable" if value is None else "Accepted"}
        result = {**named, **status, "attributeValue": value or ""}
        model.saw(Told(0.1, asked, {"getVariableResult": [result]}))
    return model


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


STOPPED = "Charging goes on after a remote stop"


def stopped(status="Accepted", *, after_s=3.5, state="Charging", between=None, slow=0.0, watts=()):
    model = Model()
    model.saw(Operated(0.2, "plug-in 1"))
    event(model, 0, "Charging", {}, 1.0)
    asked = Asked(5.0, "RequestStopTransaction", {"transactionId": "t1"}, "s")
    model.saw(asked)
    model.saw(Told(5.1, asked, {"status": status}))
    called = Called(5.2, "Heartbeat", {}, "h")
    model.saw(called)
    model.saw(Answered(5.3 + slow, called, {}))
    if between:
        model.saw(between)
    samples = [{"value": w, "measurand": "Power.Active.Import"} for w in watts]
    event(model, 1, state, {}, 5.1 + after_s, meterValue=[{"sampledValue": samples}])
    return [o.name for o in model.objections if o.name == STOPPED]


def test_energy_that_flows_on_after_a_remote_stop_is_found():
    assert stopped() == [STOPPED]
    assert stopped(state="", watts=[0, 7000]) == [STOPPED]


@pytest.mark.parametrize(
    "more",
    [
        {"status": "Rejected"},
        {"after_s": 2.5},
        {"state": "SuspendedEVSE"},
        {"state": "", "watts": [0]},
        {"state": "SuspendedEVSE", "watts": [7000]},
        {"between": Operated(6.0, "present-token A ISO14443")},
        {"between": Asked(6.0, "RequestStartTransaction", {}, "r")},
        {"slow": 2.0},
    ],
    ids=[
        "refused",
        "soon",
        "suspended",
        "no-power",
        "suspended-late",
        "shown-again",
        "started-again",
        "held-up",
    ],
)
def test_energy_may_flow_on_where_no_stop_took_it_or_something_gave_it_back(more):
    assert stopped(**more) == []


ENDED = "transaction ended by a refusal although StopTxOnInvalidId is false"


def ended(*, stops="false", points="EVConnected", reason="DeAuthorized", deed="", answer=REFUSED):
    """What is said of a transaction that ended after a refusal, by a station with these settings."""
    model = read(MaxEnergyOnInvalidId=None, StopTxOnInvalidId=stops, TxStopPoint=points)
    model.saw(Operated(0.2, "plug-in 1"))
    event(model, 0, "Charging", answer, 1.0, idToken={"idToken": "A", "type": "ISO14443"})
    if deed:
        model.saw(Operated(2.0, deed))
    info = {"transactionId": "t1", "chargingState": "EVConnected", "stoppedReason": reason}
    payload = {"eventType": "Ended", "seqNo": 1, "transactionInfo": info}
    found = model.saw(Called(3.0, "TransactionEvent", payload, "e"))
    return [o.name for o in found if o.name == ENDED]


def test_a_refusal_that_takes_the_energy_alone_ends_no_transaction():
    assert ended() == [ENDED]


@pytest.mark.parametrize(
    "more",
    [
        {"stops": "true"},
        {"points": "EnergyTransfer"},
        {"reason": "EVDisconnected"},
        {"deed": "present-token A ISO14443"},
        {"answer": {}},
    ],
    ids=str,
)
def test_a_transaction_may_have_ended_otherwise(more):
    assert ended(**more) == []


STAYS = "transaction goes on although its token was refused"


def stays(
    *, stops="true", points="Authorized,EVConnected", after_s=14.0, ends=False, answer=REFUSED
):
    """What is said when the EV of a refused token leaves, by a station with these settings."""
    model = read(MaxEnergyOnInvalidId=None, StopTxOnInvalidId=stops, TxStopPoint=points)
    model.saw(Operated(0.2, "plug-in 1"))
    event(model, 0, "EVConnected", answer, 1.0, idToken={"idToken": "A", "type": "ISO14443"})
    if ends:
        info = {"transactionId": "t1", "stoppedReason": "DeAuthorized"}
        payload = {"eventType": "Ended", "seqNo": 1, "transactionInfo": info}
        called = Called(3.0, "TransactionEvent", payload, "e")
        model.saw(called)
        model.saw(Answered(3.1, called, {}))
    return [o.name for o in model.saw(Operated(1.0 + after_s, "unplug 1")) if o.name == STAYS]


def test_a_refusal_that_must_end_a_transaction_does():
    assert stays() == [STAYS]


@pytest.mark.parametrize(
    "more",
    [
        {"stops": "false"},
        {"points": "EVConnected"},
        {"after_s": 5.0},
        {"ends": True},
        {"answer": {}},
    ],
    ids=str,
)
def test_a_transaction_may_go_on_where_a_refusal_need_not_end_it(more):
    assert stays(**more) == []
