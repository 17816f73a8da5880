"""Slots that a network profile was accepted for are taken into the order of slots; of any other a station may know better."""

import pytest

from strategies.model import Asked, Model, Told

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
    assert talk.names == []
