"""A transaction whose EV never comes ends by itself; nobody is asked about a token that needs no question."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Operated, Told

GOES_ON = "transaction goes on although nobody plugged in"
OTHERWISE = "transaction without an EV ended for another reason"
REMOTE = "Authorize for a remote start that needs none"
OWN = "Authorize for the token that began the transaction"
ALL = (GOES_ON, OTHERWISE, REMOTE, OWN)
WAITED = (Missed("TransactionEvent", 12.0, (("/eventType", "Ended"),)),)


class Scene:
    """Each thing happens a second after the one before."""

    def __init__(self, **settings):
        self.model, self.now, self.seq = Model(), 0.0, 0
        for name, value in settings.items():
            self.read(name.replace("_", "."), value)

    def saw(self, event):
        self.now += 1.0
        self.model.saw(event)
        return self

    def read(self, name, value):
        component, _, variable = name.partition(".")
        named = {"component": {"name": component}, "variable": {"name": variable}}
        asked = Asked(self.now, "GetVariables", {"getVariableData": [named]}, f"g{self.now}")
        result = {**named, "attributeStatus": "Accepted", "attributeValue": value}
        return self.saw(asked).saw(Told(self.now, asked, {"getVariableResult": [result]}))

    def done(self, words):
        return self.saw(Operated(self.now, words))

    def called(self, action, payload, answer):
        called = Called(self.now, action, payload, f"c{self.now}")
        return self.saw(called).saw(Answered(self.now, called, answer))

    def authorize(self, name="A", status="Accepted"):
        asked = {"idToken": {"idToken": name, "type": "ISO14443"}}
        return self.called("Authorize", asked, {"idTokenInfo": {"status": status}})

    def start(self, kind="ISO14443", status="Accepted"):
        payload = {"remoteStartId": 1, "idToken": {"idToken": "A", "type": kind}}
        asked = Asked(self.now, "RequestStartTransaction", payload, f"q{self.now}")
        return self.saw(asked).saw(Told(self.now, asked, {"status": status}))

    def event(self, kind, trigger="Authorized", **more):
        info = {"transactionId": "t1", "chargingState": "Charging"}
        payload = {"eventType": kind, "seqNo": self.seq, "triggerReason": trigger}
        self.seq += 1
        token = {"idToken": {"idToken": "A", "type": "ISO14443"}, "evse": {"id": 1}}
        whole = {**payload, **token, "transactionInfo": info, **more}
        return self.called("TransactionEvent", whole, {})

    def names(self, missed=WAITED):
        self.model.over(self.now + 30.0, missed)
        return [o.name for o in self.model.objections if o.name in ALL]


def waiting(start="Authorized", limit="1"):
    scene = Scene(TxCtrlr_TxStartPoint=start, TxCtrlr_EVConnectionTimeOut=limit)
    return scene.done("present-token A ISO14443").authorize().event("Started")


def test_a_transaction_without_an_ev_that_goes_on_is_found():
    assert waiting().names() == [GOES_ON]
    assert waiting().event("Ended", "EVConnectTimeout").names() == []


def test_a_transaction_without_an_ev_that_ends_for_what_nobody_did_is_found():
    assert waiting().event("Ended", "EVCommunicationLost").names() == [OTHERWISE]


@pytest.mark.parametrize(
    "scene",
    [
        lambda: waiting("Authorized,EVConnected"),
        lambda: waiting(limit="60"),
        lambda: waiting(limit="0"),
        lambda: waiting().done("plug-in 1"),
        lambda: waiting().saw(Asked(9.0, "RequestStopTransaction", {"transactionId": "t1"}, "q")),
        lambda: waiting().saw(Closed(9.0)),
    ],
    ids=["both", "long", "none", "plugged", "stopped", "away"],
)
def test_a_transaction_may_go_on_where_it_need_not_end_by_itself(scene):
    assert scene().names() == []
    assert waiting().names(()) == []


def test_nobody_is_asked_about_a_token_of_the_csms():
    begun = Scene().done("plug-in 1").start("Central")
    assert begun.authorize().names() == [REMOTE]
    begun = Scene(AuthCtrlr_AuthorizeRemoteStart="false").done("plug-in 1").start()
    assert begun.authorize("a").names() == [REMOTE]


@pytest.mark.parametrize(
    "scene",
    [
        lambda: Scene().done("plug-in 1").start().authorize(),
        lambda: Scene(AuthCtrlr_AuthorizeRemoteStart="true").done("plug-in 1").start().authorize(),
        lambda: Scene().done("plug-in 1").start("Central", "Rejected").authorize(),
        lambda: Scene().done("plug-in 1").start("Central").authorize("B"),
        lambda: Scene().done("present-token A Central").start("Central").authorize(),
        lambda: Scene().start("Central").authorize(),
    ],
    ids=["unknown", "asks", "refused", "other", "shown", "unseen"],
)
def test_a_question_about_a_remote_start_may_be_right(scene):
    assert scene().names() == []


def charging():
    scene = Scene().done("plug-in 1").done("present-token A ISO14443").authorize()
    return scene.event("Started")


def test_nobody_is_asked_about_the_token_that_began_the_transaction():
    assert charging().done("present-token a ISO14443").authorize("a").names() == [OWN]


@pytest.mark.parametrize(
    "scene",
    [
        lambda: charging().authorize(),
        lambda: charging().done("present-token B ISO14443").authorize("B"),
        lambda: charging().event("Ended").done("present-token A ISO14443").authorize(),
        lambda: (
            charging()
            .done("present-token A ISO14443")
            .saw(Asked(9.0, "Reset", {"type": "Immediate"}, "q"))
            .authorize()
        ),
        lambda: charging().done("plug-in 2").done("present-token A ISO14443").authorize(),
        lambda: (
            charging().done("present-token A ISO14443").done("present-token A ISO14443").authorize()
        ),
        lambda: charging().authorize("B", "Blocked").done("present-token A ISO14443").authorize(),
        lambda: (
            charging()
            .done("unplug 1")
            .done("plug-in 1")
            .done("present-token A ISO14443")
            .authorize()
        ),
    ],
    ids=["not-shown", "other", "over", "reset", "two-evs", "thrice", "refused", "came-again"],
)
def test_a_question_about_the_token_of_a_transaction_may_be_right(scene):
    assert scene().names() == []
