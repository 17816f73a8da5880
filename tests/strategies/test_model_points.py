"""Transactions that begin and end at other points than TxStartPoint and TxStopPoint name."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Missed, Model, Opened, Operated, Told

BEFORE_TOKEN = "transaction began before anybody was let in"
BEFORE_EV = "transaction began before the EV came"
BEFORE_ENERGY = "transaction began before energy flowed"
NEVER = "no transaction at its start point"
TOO_EARLY = "transaction ended before its stop point"
NOT_ENDED = "transaction not ended at its stop point"
NOTHING = "own token ends nothing"
GROUP = "token of the group ends nothing"
ALL = (BEFORE_ENERGY, GROUP, BEFORE_TOKEN, BEFORE_EV, NEVER, TOO_EARLY, NOT_ENDED, NOTHING)
TOKEN = {"idToken": {"idToken": "A", "type": "ISO14443"}}


class Scene:
    """A station whose points were set, if they are given; each thing happens a second after the one before."""

    def __init__(self, name="", value=""):
        self.model, self.now, self.seq = Model(), 0.0, 0
        if name:
            self.set(name, value)

    def saw(self, event):
        self.now += 1.0
        self.model.saw(event)
        return self

    def set(self, name, value):
        item = {"component": {"name": "TxCtrlr"}, "variable": {"name": name}}
        payload = {"setVariableData": [{**item, "attributeValue": value}]}
        asked = Asked(self.now, "SetVariables", payload, f"s{self.now}")
        result = {"setVariableResult": [{**item, "attributeStatus": "Accepted"}]}
        return self.saw(asked).saw(Told(self.now, asked, result))

    def done(self, words):
        return self.saw(Operated(self.now, words))

    def called(self, action, payload, answer):
        called = Called(self.now, action, payload, f"c{self.now}")
        return self.saw(called).saw(Answered(self.now, called, answer))

    def token(self, name="A", status="Accepted", group=""):
        self.done(f"present-token {name} ISO14443")
        asked = {"idToken": {"idToken": name, "type": "ISO14443"}}
        more = {"groupIdToken": {"idToken": group, "type": "Central"}} if group else {}
        return self.called("Authorize", asked, {"idTokenInfo": {"status": status, **more}})

    def event(self, kind, trigger="Authorized", **more):
        info = {"transactionId": "t1"}
        payload = {"eventType": kind, "seqNo": self.seq, "triggerReason": trigger}
        self.seq += 1
        whole = {**payload, "evse": {"id": 1}, "transactionInfo": info, **more}
        return self.called("TransactionEvent", whole, {})

    def names(self, *kinds):
        missed = [Missed("TransactionEvent", 12.0, (("/eventType", kind),)) for kind in kinds]
        self.model.over(self.now + 20.0, missed)
        found = [o.name for o in self.model.objections]
        return [name for name in ALL if any(f.startswith(name) for f in found)]


# --- beginning --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["Authorized", "PowerPathClosed", "EnergyTransfer"])
def test_a_transaction_that_begins_as_the_ev_comes_is_found_where_that_is_no_point(value):
    scene = Scene("TxStartPoint", value).done("plug-in 1").event("Started", "CablePluggedIn")
    assert scene.token().names() == [BEFORE_TOKEN]


def test_what_began_as_the_points_were_set_anew_may_be_told_a_moment_later():
    scene = Scene("TxStartPoint", "Authorized").token()
    scene.set("TxStartPoint", "PowerPathClosed")
    assert scene.event("Started").names() == []


@pytest.mark.parametrize("value", ["PowerPathClosed", "EnergyTransfer"])
def test_a_transaction_that_begins_with_the_token_is_found_where_that_is_no_point(value):
    scene = Scene("TxStartPoint", value).token().event("Started")
    assert scene.names() == [BEFORE_EV]


@pytest.mark.parametrize(
    "value", ["EVConnected", "EVConnected,Authorized", "ParkingBayOccupancy", "", None]
)
def test_a_transaction_may_begin_as_the_ev_comes(value):
    scene = Scene() if value is None else Scene("TxStartPoint", value)
    assert scene.done("plug-in 1").event("Started").token().names() == []


def test_an_ev_that_has_gone_is_not_the_one_that_a_transaction_begins_with():
    scene = Scene("TxStartPoint", "EnergyTransfer").done("plug-in 1").token().event("Started")
    scene.done("unplug 1").event("Ended", "EVCommunicationLost")
    other = {"transactionInfo": {"transactionId": "t2"}}
    assert scene.token().event("Started", **other).names() == [BEFORE_EV]


def test_a_transaction_that_is_told_of_late_may_be_of_an_ev_that_has_gone():
    scene = Scene("TxStartPoint", "EnergyTransfer").done("plug-in 1").token().done("unplug 1")
    assert scene.event("Started").names() == []


def test_a_station_that_lets_everybody_in_may_begin_as_the_ev_comes():
    scene = Scene("TxStartPoint", "Authorized").done("plug-in 1").event("Started")
    assert scene.names() == []


def test_a_transaction_that_never_begins_at_its_point_is_found():
    assert Scene("TxStartPoint", "EVConnected").done("plug-in 1").names("Started") == [NEVER]
    assert Scene("TxStartPoint", "Authorized").token().names("Started") == [NEVER]


@pytest.mark.parametrize("value", ["Authorized", "PowerPathClosed", "DataSigned,EVConnected"])
def test_a_transaction_is_not_missed_at_another_point(value):
    assert Scene("TxStartPoint", value).done("plug-in 1").names("Started") == []


def test_a_transaction_is_missed_only_where_it_was_waited_for_and_nothing_came_between():
    assert Scene("TxStartPoint", "EVConnected").done("plug-in 1").names("Ended") == []
    refused = Scene("TxStartPoint", "Authorized").token(status="Invalid")
    assert refused.names("Started") == []
    stays = Scene("TxStartPoint", "EVConnected").done("plug-in 1").event("Started").event("Ended")
    assert stays.done("plug-in 1").names("Started") == []
    cut = Scene("TxStartPoint", "EVConnected").done("plug-in 1").saw(Closed(5.0)).saw(Opened(6.0))
    assert cut.names("Started") == []
    down = Scene("TxStartPoint", "EVConnected").saw(Asked(3.0, "ChangeAvailability", {}, "a"))
    assert down.done("plug-in 1").names("Started") == []


# --- end --------------------------------------------------------------------------------------------------------


def charging(value=None):
    scene = Scene() if value is None else Scene("TxStopPoint", value)
    return scene.done("plug-in 1").token().event("Started", **TOKEN)


def test_a_transaction_that_a_token_ends_is_found_where_the_ev_should():
    scene = charging("EVConnected").done("present-token A ISO14443")
    assert scene.event("Ended", "StopAuthorized").names() == [TOO_EARLY]


@pytest.mark.parametrize("value", ["Authorized", "EVConnected,Authorized", None])
def test_a_token_may_end_a_transaction(value):
    scene = charging(value).done("present-token a ISO14443").event("Ended", "StopAuthorized")
    assert scene.names("Ended") == []


def test_a_transaction_that_goes_on_although_its_own_token_was_shown_is_found():
    shown = "present-token a ISO14443"
    told = charging("Authorized").done(shown).event("Updated", "StopAuthorized")
    assert told.names("Ended") == [NOT_ENDED]
    assert charging().done(shown).names("Ended") == [NOTHING]
    assert charging().done(shown).event("Updated", "StopAuthorized").names("Ended") == []


@pytest.mark.parametrize(
    "words", ["present-token B ISO14443", "present-token A ISO15693", "stop-power 1"]
)
def test_nothing_ends_by_what_is_not_its_own_token(words):
    assert charging("Authorized").done(words).names("Ended") == []


def test_a_card_that_has_just_been_read_is_ignored():
    scene = Scene("TxStopPoint", "Authorized").done("plug-in 1").token()
    scene.model.saw(Operated(scene.now, "present-token A ISO14443"))
    scene.event("Started", **TOKEN)
    scene.model.saw(Operated(scene.now, "present-token A ISO14443"))
    assert scene.names("Ended") == []


def test_that_it_ends_when_the_ev_goes_does_not_make_up_for_it():
    scene = charging("Authorized").done("present-token A ISO14443")
    scene.now += 12.0
    assert scene.done("unplug 1").event("Ended", "EVCommunicationLost").names() == [NOT_ENDED]


def test_a_driver_who_goes_at_once_leaves_no_time_for_it():
    scene = charging("Authorized").done("present-token A ISO14443").done("unplug 1")
    assert scene.event("Ended", "EVCommunicationLost").names("Ended") == []


def test_a_transaction_that_begins_only_with_the_next_deed_is_found():
    scene = Scene("TxStartPoint", "EVConnected").done("plug-in 1")
    scene.now += 12.0
    assert scene.token().event("Started").names() == [NEVER]


def test_what_was_owed_is_owed_though_variables_are_put_back():
    scene = Scene("TxStartPoint", "EVConnected").done("plug-in 1")
    scene.now += 12.0
    assert scene.set("TxStartPoint", "Authorized").names("Started") == [NEVER]


def of_two(first, second, status="Accepted"):
    scene = Scene().done("plug-in 1").token(group=first).event("Started", **TOKEN)
    return scene.token("B", status, second)


def test_a_token_of_the_group_that_ends_nothing_is_found():
    scene = of_two("G", "g")
    scene.now += 12.0
    assert scene.done("unplug 1").event("Ended", "EVCommunicationLost").names() == [GROUP]


def test_a_token_of_the_group_may_end_it_or_say_so():
    assert of_two("G", "G").event("Updated", "StopAuthorized").names("Ended") == []
    assert of_two("G", "G").event("Ended", "StopAuthorized").names("Ended") == []


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [("G", "H", "Accepted"), ("", "", "Accepted"), ("G", "G", "Invalid")],
)
def test_a_token_of_no_group_or_another_one_ends_nothing(first, second, status):
    assert of_two(first, second, status).names("Ended") == []


@pytest.mark.parametrize(
    ("points", "state", "found"),
    [
        ("EnergyTransfer", "EVConnected", [BEFORE_ENERGY]),
        ("EnergyTransfer", "Charging", []),
        ("EnergyTransfer", "SuspendedEV", []),
        ("EnergyTransfer,Authorized", "EVConnected", []),
    ],
)
def test_a_transaction_that_begins_with_energy_has_some(points, state, found):
    scene = Scene("TxStartPoint", points).done("plug-in 1").token()
    info = {"transactionId": "t1", "chargingState": state}
    assert scene.event("Started", transactionInfo=info).names() == found
