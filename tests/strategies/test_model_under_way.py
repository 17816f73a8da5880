"""An event that a lost connection took along comes again."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Operated, Told

LOST = "unanswered TransactionEvent lost with its connection"
WAITED = (Missed("TransactionEvent", 12.0, (("/eventType", "Ended"),)),)


def station(attempts="2", interval="1"):
    model = Model()
    for name, value in (("MessageAttempts", attempts), ("MessageAttemptInterval", interval)):
        variable = {"name": name, "instance": "TransactionEvent"}
        item = {"component": {"name": "OCPPCommCtrlr"}, "variable": variable}
        asked = Asked(0.0, "GetVariables", {"getVariableData": [item]}, name)
        result = {**item, "attributeStatus": "Accepted", "attributeValue": value}
        model.saw(asked)
        model.saw(Told(0.1, asked, {"getVariableResult": [result]}))
    return model


def event(model, at_s, kind, *, answered=True, **more):
    seq = ("Started", "Updated", "Ended").index(kind)
    info = {"transactionId": "T1" if more else "t1"}
    payload = {"eventType": kind, "seqNo": seq, "evse": {"id": 1}, "transactionInfo": info, **more}
    called = Called(at_s, "TransactionEvent", payload, f"e{at_s}")
    model.saw(called)
    if answered:
        model.saw(Answered(at_s + 0.1, called, {}))


def cut(kind="Ended", *, answered=False, again=False, **known):
    model = station(**known)
    event(model, 1.0, "Started")
    event(model, 2.0, kind, answered=answered)
    model.saw(Closed(3.0))
    model.saw(Opened(4.0))
    if again:
        event(model, 5.0, kind, offline=True)
    model.over(60.0, WAITED)
    return [o.name for o in model.objections if o.name == LOST]


def test_an_end_that_never_comes_again_is_found():
    assert cut() == [LOST]


@pytest.mark.parametrize(
    "how",
    [
        {"again": True},
        {"answered": True},
        {"kind": "Updated"},
        {"attempts": "1"},
        {"interval": "60"},
    ],
    ids=str,
)
def test_an_end_that_comes_again_or_need_not_is_right(how):
    assert cut(**how) == []


@pytest.mark.parametrize(
    ("seq", "kind", "found"), [(9, "Ended", []), (9, "Updated", [LOST]), (2, "Ended", [])]
)
def test_what_the_power_took_may_be_ended_anew(seq, kind, found):
    model = station()
    event(model, 1.0, "Started")
    event(model, 2.0, "Ended", answered=False)
    for happening in (Operated(3.0, "power-cycle"), Closed(3.1), Opened(4.0)):
        model.saw(happening)
    boot = Called(4.1, "BootNotification", {"reason": "PowerUp"}, "b")
    accepted = {"status": "Accepted", "interval": 60, "currentTime": "2026-01-01T00:00:00Z"}
    model.saw(boot)
    model.saw(Answered(4.2, boot, accepted))
    event(model, 5.0, kind, seqNo=seq)
    model.over(60.0, WAITED)
    assert [o.name for o in model.objections if o.name == LOST] == found
