"""A CALL that was answered has arrived: it is not sent again under its messageId; one without an answer may be."""

import pytest

from strategies.model import Answered, Called, Closed, Model, Opened

AGAIN = "answered CALL sent again"


def boot(at_s, id_="b", reason="PowerUp"):
    return Called(at_s, "BootNotification", {"reason": reason}, id_)


def accepted(call, after_s=0.1, **odd):
    return Answered(call.at_s + after_s, call, {"status": "Accepted", "interval": 300}, **odd)


def told(*events):
    model = Model(timeout_s=30.0)
    for event in (Opened(0.0), *events):
        model.saw(event)
    return [o.name for o in model.objections if o.name == AGAIN]


FIRST = boot(1.0)


def test_an_answered_call_that_comes_again_is_found():
    assert told(FIRST, accepted(FIRST), boot(11.0)) == [AGAIN]


@pytest.mark.parametrize(
    "events",
    [
        (FIRST, boot(31.5)),
        (FIRST, Answered(1.1, FIRST, None, "InternalError"), boot(11.0)),
        (FIRST, accepted(FIRST, proper=False), boot(11.0)),
        (FIRST, accepted(FIRST, after_s=20.0), boot(31.0)),
        (FIRST, accepted(FIRST), boot(2.0)),
        (FIRST, accepted(FIRST), Closed(5.0), Opened(6.0), boot(11.0)),
        (FIRST, accepted(FIRST), boot(11.0, "c")),
        (FIRST, accepted(FIRST), boot(11.0, reason="Triggered")),
    ],
    ids=["no-answer", "error", "odd", "late", "crossed", "cut", "other-id", "other-call"],
)
def test_whatever_may_be_a_retry_is_none(events):
    assert told(*events) == []
