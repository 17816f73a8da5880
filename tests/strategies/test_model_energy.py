"""For whom, where and until when an authorization counts, and that its token is told."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Model, Opened, Operated, Told

ELSEWHERE = "Charging on an EVSE that the token is not for"
RUN_OUT = "Charging with an authorization that had run out"
NAMELESS = "transaction without its token"
UNKNOWN = "unknown token charges without a network"
ALL = (UNKNOWN, ELSEWHERE, RUN_OUT, NAMELESS)
TOKEN = {"idToken": {"idToken": "A", "type": "ISO14443"}}
TIME_OUT = {"component": {"name": "TxCtrlr"}, "variable": {"name": "EVConnectionTimeOut"}}


def authorized(model, at_s, **info):
    model.saw(Operated(at_s, "present-token A ISO14443"))
    called = Called(at_s + 0.1, "Authorize", TOKEN, f"a{at_s}")
    model.saw(called)
    answer = {"idTokenInfo": {"status": "Accepted", **info}}
    model.saw(Answered(at_s + 0.2, called, answer))


def event(model, at_s, kind, seq, state, **more):
    info = {"transactionId": "t1", "chargingState": state}
    payload = {"eventType": kind, "seqNo": seq, "evse": {"id": 1}, "transactionInfo": info, **more}
    called = Called(at_s, "TransactionEvent", payload, f"e{seq}")
    model.saw(called)
    model.saw(Answered(at_s + 0.1, called, {}))


def charged(model, at_s, token=TOKEN):
    model.saw(Operated(at_s, "plug-in 1"))
    event(model, at_s + 0.2, "Started", 0, "EVConnected", **token)
    event(model, at_s + 0.4, "Updated", 1, "Charging")
    event(model, at_s + 0.6, "Ended", 2, "Idle")
    return model


def names(model):
    return [o.name for o in model.objections if o.name in ALL]


def test_a_token_that_is_for_another_evse_is_found():
    model = Model()
    authorized(model, 1.0, evseId=[51])
    assert names(charged(model, 1.3)) == [ELSEWHERE]


@pytest.mark.parametrize("evses", [[1, 51], [], ["51"], None])
def test_a_token_for_this_evse_or_for_all_is_right(evses):
    model = Model()
    authorized(model, 1.0, evseId=evses)
    assert names(charged(model, 1.3)) == []


def test_the_last_answer_tells_where_a_token_is_good():
    model = Model()
    authorized(model, 1.0, evseId=[51])
    authorized(model, 2.0)
    assert names(charged(model, 2.3)) == []


def time_out(model, value="1", status="Accepted"):
    asked = Asked(
        0.0, "SetVariables", {"setVariableData": [{**TIME_OUT, "attributeValue": value}]}, "s"
    )
    model.saw(asked)
    model.saw(Told(0.1, asked, {"setVariableResult": [{**TIME_OUT, "attributeStatus": status}]}))
    return model


def test_an_authorization_that_outlives_the_time_out_is_found():
    model = time_out(Model())
    authorized(model, 1.0)
    assert names(charged(model, 4.0)) == [RUN_OUT]


def test_a_remote_start_that_outlives_the_time_out_is_found():
    model = time_out(Model())
    start = Asked(1.0, "RequestStartTransaction", {"remoteStartId": 7, "evseId": 1, **TOKEN}, "r")
    model.saw(start)
    model.saw(Told(1.1, start, {"status": "Accepted"}))
    assert names(charged(model, 4.0)) == [RUN_OUT]


@pytest.mark.parametrize(
    ("value", "status", "at_s"),
    [
        ("1", "Accepted", 2.5),
        ("0", "Accepted", 9.0),
        ("1", "Rejected", 9.0),
        ("60", "Accepted", 9.0),
    ],
    ids=["in time", "none", "not set", "long"],
)
def test_an_authorization_in_time_is_right(value, status, at_s):
    model = time_out(Model(), value, status)
    authorized(model, 1.0)
    assert names(charged(model, at_s)) == []


def test_an_authorization_is_renewed_by_the_same_token():
    model = time_out(Model())
    authorized(model, 1.0)
    authorized(model, 5.0)
    assert names(charged(model, 5.5)) == []


def test_a_transaction_that_never_tells_its_token_is_found():
    model = Model()
    authorized(model, 1.0)
    assert names(charged(model, 1.3, token={})) == [NAMELESS]


def test_a_transaction_of_which_something_was_not_seen_may_have_told_its_token():
    model = Model()
    model.saw(Operated(1.0, "plug-in 1"))
    authorized(model, 1.1)
    event(model, 1.4, "Started", 0, "EVConnected")
    model.saw(Closed(1.6))
    model.saw(Opened(1.8))
    event(model, 2.0, "Updated", 2, "Charging")
    event(model, 2.2, "Ended", 3, "Idle")
    assert names(model) == []


OFFLINE = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "OfflineTxForUnknownIdEnabled"}}


def offline(value="false", *, before=False, offline=True, state="Charging", cut=True):
    model = Model()
    asked = Asked(0.0, "GetVariables", {"getVariableData": [OFFLINE]}, "g")
    model.saw(asked)
    result = {**OFFLINE, "attributeStatus": "Accepted", "attributeValue": value}
    model.saw(Told(0.1, asked, {"getVariableResult": [result]}))
    if before:
        authorized(model, 0.2)
    if cut:
        model.saw(Operated(1.0, "cut-network"))
    model.saw(Operated(2.0, "plug-in 1"))
    model.saw(Operated(2.1, "present-token a ISO14443"))
    model.saw(Operated(3.0, "unplug 1"))
    model.saw(Operated(3.1, "restore-network"))
    more = {"offline": True} if offline else {}
    event(model, 4.0, "Started", 0, "EVConnected", **TOKEN, **more)
    event(model, 4.2, "Updated", 1, state, **more)
    return names(model)


def test_a_token_that_nobody_knows_and_that_charges_offline_is_found():
    assert offline() == [UNKNOWN]


@pytest.mark.parametrize(
    "how",
    [
        {"value": "true"},
        {"before": True},
        {"offline": False},
        {"state": "EVConnected"},
        {"cut": False},
    ],
    ids=str,
)
def test_a_token_that_may_be_known_or_does_not_charge_is_right(how):
    assert offline(**how) == []
