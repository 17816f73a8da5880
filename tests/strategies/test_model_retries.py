"""TransactionEvents that are refused are sent as often as MessageAttempts says, where the scene has shown it."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Told

TOO_OFTEN = "TransactionEvent sent more often than MessageAttempts"
GIVEN_UP = "TransactionEvent given up too soon"
WAITED = (Missed("TransactionEvent", 6.0, (("/eventType", "Started"),)),)


def station(attempts="2", status="Accepted"):
    """A station that was told how often it sends an event, and a second as the first pause."""
    model = Model()
    for at_s, name, value in (
        (0.0, "MessageAttempts", attempts),
        (0.2, "MessageAttemptInterval", "1"),
    ):
        variable = {"name": name, "instance": "TransactionEvent"}
        item = {"component": {"name": "OCPPCommCtrlr"}, "variable": variable}
        asked = Asked(
            at_s, "SetVariables", {"setVariableData": [{**item, "attributeValue": value}]}, name
        )
        model.saw(asked)
        model.saw(
            Told(at_s + 0.1, asked, {"setVariableResult": [{**item, "attributeStatus": status}]})
        )
    return model


def sent(model, at_s, error="InternalError", seq=0):
    info = {"transactionId": "t1"}
    payload = {"eventType": "Started", "seqNo": seq, "transactionInfo": info}
    called = Called(at_s, "TransactionEvent", payload, f"c{at_s}")
    model.saw(called)
    model.saw(Answered(at_s + 0.1, called, {}, error))


def names(model, missed=WAITED):
    model.over(60.0, missed)
    return [o.name for o in model.objections if o.name in (TOO_OFTEN, GIVEN_UP)]


def test_one_transmission_too_many_is_found():
    model = station()
    for at_s in (1.0, 2.2, 4.4):
        sent(model, at_s)
    assert names(model) == [TOO_OFTEN]


def test_an_event_that_is_given_up_too_soon_is_found():
    model = station()
    sent(model, 1.0)
    assert names(model) == [GIVEN_UP]


def test_an_event_that_is_sent_as_often_as_it_may_is_right():
    model = station()
    sent(model, 1.0)
    sent(model, 2.2)
    sent(model, 2.4, seq=1, error="")
    assert names(model) == []


@pytest.mark.parametrize(
    ("attempts", "status"), [("2", "Rejected"), ("two", "Accepted"), ("0", "Accepted")]
)
def test_how_often_it_may_be_sent_is_not_guessed(attempts, status):
    model = station(attempts, status)
    for at_s in (1.0, 2.2, 4.4):
        sent(model, at_s)
    assert names(model) == []


def test_a_new_connection_begins_anew():
    model = station()
    sent(model, 1.0)
    sent(model, 2.2)
    model.saw(Closed(3.0))
    model.saw(Opened(3.5))
    sent(model, 4.0, error="")
    assert names(model) == []


def test_an_event_is_not_missed_where_nobody_waited_for_it():
    model = station()
    sent(model, 1.0)
    assert names(model, (Missed("TransactionEvent", 6.0, (("/eventType", "Ended"),)),)) == []


@pytest.mark.parametrize(("at_s", "found"), [(30.0, [GIVEN_UP]), (2.0, [])])
def test_what_is_overdue_stays_so_when_variables_are_put_back(at_s, found):
    model = station()
    sent(model, 1.0)
    model.saw(Asked(at_s, "SetVariables", {}, "s"))
    assert names(model) == found
