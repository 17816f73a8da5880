"""Slots that a network profile was accepted for are taken into the order of slots; of any other a station may know better."""

import pytest

from strategies.model import Asked, Called, Model, Told

NAME = "slot of an accepted profile refused"


class Talk:
    """A model that follows what is asked and answered, a second each."""

    def __init__(self, profile=1):
        self.model = Model(profile=profile)
        self.at_s = 0.0

    def ask(self, action, payload, answer):
        self.at_s += 1.0
        asked = Asked(self.at_s, action, payload, f"q{self.at_s}")
        self.model.saw(asked)
        self.model.saw(Told(self.at_s + 0.5, asked, answer))
        return self

    def active(self, value="0", status="Accepted"):
        item = _about("ActiveNetworkProfile")
        result = {**item, "attributeStatus": status, "attributeValue": value}
        return self.ask(
            "GetVariables", {"getVariableData": [item]}, {"getVariableResult": [result]}
        )

    def store(self, slot=1, status="Accepted", *, level=1):
        asked = {"configurationSlot": slot, "connectionData": {"securityProfile": level}}
        return self.ask("SetNetworkProfile", asked, {"status": status})

    def order(self, value, status="Rejected"):
        item = _about("NetworkConfigurationPriority")
        asked = {"setVariableData": [{**item, "attributeValue": value}]}
        return self.ask(
            "SetVariables", asked, {"setVariableResult": [{**item, "attributeStatus": status}]}
        )

    @property
    def names(self):
        return [o.name for o in self.model.objections]


def _about(variable):
    return {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": variable}}


@pytest.mark.parametrize("value", ["1", "1,0", "0,1"])
def test_a_slot_of_an_accepted_profile_is_not_refused(value):
    assert Talk().active().store().order(value).names == [NAME]
    assert Talk(3).active().store(level=3).order(value).names == [NAME]
    for status in ("Accepted", "RebootRequired"):
        assert Talk().active().store().order(value, status).names == []


@pytest.mark.parametrize(
    "talk",
    [
        Talk().active().store().order("1,2"),
        Talk().store().order("1,0"),
        Talk().active("0", "Rejected").store().order("1,0"),
        Talk().active().store().order("1,1"),
        Talk().active().store().order("1,"),
        Talk().active().store().order(""),
        Talk().active().order("0"),
    ],
)
def test_other_slots_may_be_empty(talk):
    assert talk.names == []


@pytest.mark.parametrize(
    "talk",
    [
        Talk().active().store(status="Rejected").order("1,0"),
        Talk().active().store().store(status="Failed").order("1,0"),
        Talk(2).active().store(level=1).order("1,0"),
        Talk(1).active().store(level=2).order("1,0"),
        Talk(0).active().store(level=0).order("1,0"),
    ],
)
def test_a_profile_that_was_refused_or_is_of_another_level_may_be(talk):
    assert NAME not in talk.names


WEAKER = "network profile of lower security accepted"
NOWHERE = "network profile accepted in a slot that is not there"


@pytest.mark.parametrize(
    ("profile", "level", "found"),
    [(1, 0, 1), (2, 1, 1), (3, 1, 1), (3, 2, 0), (1, 1, 0), (1, 2, 0), (0, 0, 0)],
)
def test_no_profile_of_lower_security_is_stored(profile, level, found):
    assert Talk(profile).store(level=level).names == [WEAKER] * found
    assert Talk(profile).store(level=level, status="Rejected").names == []


def told(listed):
    item = {
        **_about("NetworkConfigurationPriority"),
        "variableCharacteristics": {"valuesList": listed},
    }
    return Called(0.1, "NotifyReport", {"requestId": 1, "seqNo": 0, "reportData": [item]}, "n")


@pytest.mark.parametrize("listed", ["0,1", "0, 1 ,2"])
def test_a_profile_is_stored_only_in_a_slot_that_is_there(listed):
    talk = Talk()
    talk.model.saw(told(listed))
    assert talk.store(1).names == []
    assert talk.store(999).names == [NOWHERE]
    talk.model.saw(Called(9.0, "BootNotification", {"reason": "RemoteReset"}, "b"))
    assert talk.store(999).names == [NOWHERE]


@pytest.mark.parametrize("listed", ["", "any", "0,any"])
def test_slots_that_nobody_listed_may_be_there(listed):
    talk = Talk()
    talk.model.saw(told(listed))
    assert talk.store(999).names == []
