import pytest

from fuzz.station.events import ClearFault, Fault, PlugIn, StartPower, StopPower, Unplug
from fuzz.station.hardware import Evse, take_place


@pytest.fixture
def evse():
    return Evse(1, 2)


def test_energy_flows_while_plugged_ready_and_closed(evse):
    evse.closed = True
    flowing = []
    for event in (PlugIn(1), StartPower(1), StopPower(1), StartPower(1), Unplug(1)):
        take_place({1: evse}, event)
        flowing.append(evse.flowing)
    assert flowing == [False, True, False, True, False]


def test_a_second_plug_finds_no_place_and_only_the_right_cable_is_taken_out(evse):
    for event in (PlugIn(1, 2), PlugIn(1, 1), Unplug(1, 1)):
        take_place({1: evse}, event)
    assert evse.plugged == 2


def test_a_fault_lasts_until_it_is_mended(evse):
    take_place({1: evse}, Fault(1, 2))
    assert evse.faulted == {2}
    take_place({1: evse}, ClearFault(1, 2))
    assert evse.faulted == set()


@pytest.mark.parametrize("kind", [PlugIn, Unplug, Fault])
@pytest.mark.parametrize("place", [(2, 1), (1, 3), (1, 0), (0, 1)])
def test_an_event_at_a_place_that_does_not_exist_changes_nothing(evse, kind, place):
    take_place({1: evse}, kind(*place))
    assert evse == Evse(1, 2)
