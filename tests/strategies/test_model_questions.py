"""A token whose Authorize was lost with its connection is asked about when it is shown again, twice and in vain else."""

import pytest

from strategies.model import (
    Answered,
    Asked,
    Called,
    Closed,
    Missed,
    Model,
    Opened,
    Operated,
    Told,
)

NEVER_ASKED = "not asked again after a lost question"
AT_LARGE = {
    "component": {"name": "AuthCtrlr"},
    "variable": {"name": "OfflineTxForUnknownIdEnabled"},
}
SHOWN = "present-token A1 ISO14443"
WAITED = (Missed("Authorize", 12.0), Missed("Authorize", 12.0))


def question(at_s, token="A1"):
    return Called(at_s, "Authorize", {"idToken": {"idToken": token, "type": "ISO14443"}}, f"{at_s}")


def read(value, status="Accepted"):
    asked = Asked(0.0, "GetVariables", {"getVariableData": [AT_LARGE]}, "g")
    result = {**AT_LARGE, "attributeStatus": status, "attributeValue": value}
    return asked, Told(0.1, asked, {"getVariableResult": [result]})


LOST = (Operated(1.0, SHOWN), question(1.1), Closed(2.0), Opened(3.0))
AGAIN = (Operated(40.0, SHOWN), Operated(55.0, SHOWN))


def told(*events, known=None, missed=WAITED, end_s=70.0):
    model = Model(timeout_s=30.0)
    for event in (*(known or read("false")), *events):
        model.saw(event)
    model.over(end_s, missed)
    return [o.name for o in model.objections]


@pytest.mark.parametrize("known", [read("false"), read("", "UnknownVariable")])
@pytest.mark.parametrize("later", [(), (Asked(69.0, "SetVariables", {}, "s"),)])
def test_a_station_that_never_asks_again_is_found(known, later):
    assert told(*LOST, *AGAIN, *later, known=known) == [NEVER_ASKED]


@pytest.mark.parametrize("cut", [(Operated(2.0, "cut-network"), Operated(2.5, "restore-network"))])
def test_so_is_one_whose_network_was_cut(cut):
    assert told(*LOST[:2], *cut, *LOST[2:], *AGAIN) == [NEVER_ASKED]


EVENT = {"eventType": "Started", "transactionInfo": {"transactionId": "t"}, "seqNo": 0}


@pytest.mark.parametrize(
    "events",
    [
        (*LOST, *AGAIN, question(55.1)),
        (*LOST, AGAIN[0], question(40.1), AGAIN[1]),
        (*LOST, *AGAIN, Called(56.0, "TransactionEvent", EVENT, "t")),
        (*LOST, Called(5.0, "BootNotification", {"reason": "PowerUp"}, "b"), *AGAIN),
        (*LOST, Operated(35.0, "plug-in 1"), *AGAIN),
        (*LOST, Asked(35.0, "ChangeAvailability", {}, "c"), *AGAIN),
        (*LOST, AGAIN[0]),
        (*LOST, Operated(10.0, SHOWN), AGAIN[1]),
        (*LOST, Operated(54.0, SHOWN), AGAIN[1]),
        (*LOST, Operated(40.0, "present-token B2 ISO14443"), AGAIN[1]),
        (*LOST[:3], *AGAIN),
        (LOST[0], question(1.1, "B2"), *LOST[2:], *AGAIN),
        (question(1.1), *LOST[2:], *AGAIN),
    ],
    ids=[
        "asked",
        "asked-once",
        "transaction",
        "booted",
        "plugged-in",
        "asked-for-more",
        "shown-once",
        "may-still-wait",
        "at-once",
        "another-token",
        "away",
        "asked-about-another",
        "not-shown-before",
    ],
)
def test_who_asks_or_may_have_a_reason_not_to_is_not(events):
    assert NEVER_ASKED not in told(*events)


def test_an_answer_that_came_is_not_lost():
    asked = question(1.1)
    answer = Answered(1.2, asked, {"idTokenInfo": {"status": "Accepted"}})
    assert told(LOST[0], asked, answer, *LOST[2:], *AGAIN) == []


@pytest.mark.parametrize("known", [read("true"), read("", "Rejected"), (Asked(0.0, "ClearCache"),)])
def test_who_may_let_in_strangers_while_offline_has_its_own_answer(known):
    assert told(*LOST, *AGAIN, known=known) == []


@pytest.mark.parametrize("missed", [(), WAITED[:1], (Missed("Heartbeat", 1.0),) * 2])
def test_nothing_is_missed_that_nobody_waited_for(missed):
    assert told(*LOST, *AGAIN, missed=missed) == []
