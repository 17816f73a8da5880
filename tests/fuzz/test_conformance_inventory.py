"""Reports are put together from their parts, and held against what every device model needs."""

import pytest

from fuzz.clock import SystemClock
from fuzz.conformance import inventory
from fuzz.conformance.profiles import Known, free_slot, profile_data
from fuzz.conformance.script import Csms, Failed, Heard
from fuzz.conformance.view import View
from fuzz.ocppj.payloads import validate_payload
from strategies.labels import Kind
from strategies.version import version


@pytest.fixture
def s():
    return Csms(SystemClock(), None, identity="CS-1", profile=1, patience_s=0.01)


def row(component, variable, *, instance="", evse=None, connector=None, **attribute):
    where = {} if evse is None else {"evse": {"id": evse}}
    if connector is not None:
        where["evse"]["connectorId"] = connector
    named = {"name": variable} | ({"instance": instance} if instance else {})
    characteristics = {
        name: attribute.pop(name) for name in ("dataType", "valuesList") if name in attribute
    }
    return View(
        {
            "component": {"name": component} | where,
            "variable": named,
            "variableAttribute": [attribute],
            "variableCharacteristics": characteristics,
        }
    )


def say(s, number, *, tbc, rows=(), request=7):
    payload = {"requestId": request, "seqNo": number, "tbc": tbc, "reportData": list(rows)}
    s.heard.append(Heard("NotifyReport", View(payload), 0.0, 1))


async def test_the_parts_of_a_report_are_put_together_in_order(s):
    say(s, 0, tbc=True, rows=[row("A", "x").payload])
    say(s, 0, tbc=False, rows=[row("Z", "z").payload], request=8)
    say(s, 1, tbc=False, rows=[row("B", "y").payload])
    assert [inventory.name(r) for r in await inventory.parts(s, 7)] == ["A.x", "B.y"]


async def test_a_part_out_of_order_fails(s):
    say(s, 1, tbc=False)
    with pytest.raises(Failed, match="NotifyReport 0 has this seqNo; came: 1"):
        await inventory.parts(s, 7)


async def test_a_report_whose_last_part_never_comes_fails(s):
    say(s, 0, tbc=True)
    with pytest.raises(Failed, match="NotifyReport"):
        await inventory.parts(s, 7)


def test_a_required_variable_is_found_at_its_tier_and_without_regard_to_case():
    required = {str(r): r for r in inventory.required()}
    timeout = required["OCPPCommCtrlr.MessageTimeout[Default]"]
    assert timeout.is_in([row("ocppcommctrlr", "MessageTimeout", instance="default")])
    assert not timeout.is_in([row("OCPPCommCtrlr", "MessageTimeout")])
    power = required["EVSE.Power"]
    assert power.is_in([row("EVSE", "Power", evse=1)])
    assert not power.is_in([row("EVSE", "Power"), row("EVSE", "Power", evse=1, connector=1)])


def test_the_table_of_required_variables_names_each_once():
    names = [str(r) for r in inventory.required()]
    assert len(names) == len(set(names)) > 40


def test_a_list_must_name_its_values_and_hold_only_such(s):
    good = row("A", "x", dataType="MemberList", valuesList="a,b", value="b")
    inventory.check_lists(s, [good, row("A", "y", dataType="string", value="anything")])
    with pytest.raises(Failed, match=r"A\.x has a valuesList"):
        inventory.check_lists(s, [row("A", "x", dataType="OptionList", value="a")])
    with pytest.raises(Failed, match=r"A\.x holds values of its list"):
        inventory.check_lists(s, [row("A", "x", dataType="OptionList", valuesList="a", value="c")])


def test_a_value_that_can_only_be_written_is_not_shown(s):
    inventory.check_write_only(s, [row("A", "x", mutability="WriteOnly")])
    with pytest.raises(Failed, match=r"the value of A\.x is not shown"):
        inventory.check_write_only(s, [row("A", "x", mutability="WriteOnly", value="secret")])


def test_what_says_nothing_about_its_mutability_can_be_set():
    assert inventory.mutable(row("A", "x"))
    assert inventory.mutable(row("A", "x", mutability="WriteOnly"))
    assert not inventory.mutable(row("A", "x", mutability="ReadOnly"))


def test_a_free_slot_is_another_than_the_one_in_use(s):
    assert free_slot(s, Known(0, (0, 1))) == 1
    with pytest.raises(Failed, match="a slot that is not in use"):
        free_slot(s, Known(0, (0,)))


def test_a_network_profile_is_one_by_the_schema():
    request = {"configurationSlot": 1, "connectionData": profile_data("wss://localhost/ocpp", 3)}
    assert validate_payload("SetNetworkProfile", Kind.REQUEST, request, version()) is None
