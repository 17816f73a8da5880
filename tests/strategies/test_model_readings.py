"""What reports say of variables agrees with GetVariables and with itself, or it is objected to."""

import pytest

from strategies.model import Asked, Called, Model, Operated, Told

COMPONENT, VARIABLE = {"name": "SecurityCtrlr"}, {"name": "OrganizationName"}
NAMED = {"component": COMPONENT, "variable": VARIABLE}
DISAGREE = "report and GetVariables disagree"


def read(model, value, at_s=1.0):
    asked = Asked(at_s, "GetVariables", {"getVariableData": [NAMED]}, f"g{at_s}")
    model.saw(asked)
    result = {**NAMED, "attributeStatus": "Accepted", "attributeValue": value}
    found = model.saw(Told(at_s, asked, {"getVariableResult": [result]}))
    return [o.name for o in found]


def report(model, value, *, base="FullInventory", at_s=2.0, kind=None, wanted=None, **attribute):
    action = "GetReport" if wanted else "GetBaseReport"
    payload = {
        "requestId": 1,
        **({"componentVariable": wanted} if wanted else {"reportBase": base}),
    }
    asked = Asked(at_s, action, payload, f"r{at_s}")
    model.saw(asked)
    model.saw(Told(at_s, asked, {"status": "Accepted"}))
    item = {**NAMED, "variableAttribute": [{"value": value, **attribute}]}
    if kind:
        item["variableCharacteristics"] = kind
    told = {"requestId": 1, "seqNo": 0, "tbc": False, "reportData": [item]}
    found = [o.name for o in model.saw(Called(at_s, "NotifyReport", told, f"n{at_s}"))]
    # An inventory of one variable lacks what every station must have.
    return [name for name in found if name != "required variable not in FullInventory"]


def test_a_report_and_a_reading_tell_one_value():
    model = Model()
    assert read(model, "Acme") == []
    assert report(model, "acme") == []
    assert report(Model(), "Acme") == []
    model = Model()
    read(model, "Acme")
    assert report(model, "Other") == [DISAGREE]
    model = Model()
    report(model, "Acme")
    assert read(model, "Other", 3.0) == [DISAGREE]


@pytest.mark.parametrize(
    "between",
    [
        Asked(1.5, "SetVariables", {}, "s"),
        Operated(1.5, "plug-in 1"),
        Called(1.5, "TransactionEvent", {}, "t"),
    ],
    ids=["set", "operated", "told"],
)
def test_values_may_change_with_what_happens(between):
    model = Model()
    read(model, "Acme")
    model.saw(between)
    assert report(model, "Other") == []


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01.5Z", []),
        ("21.4", "21.6", []),
        ("21", "22", [DISAGREE]),
        ("2026-01-01T00:00:00Z", "never", [DISAGREE]),
        ("127.0.0.1", "127.0.0.2", [DISAGREE]),
    ],
)
def test_times_and_what_is_measured_go_on_by_themselves(before, after, found):
    model = Model()
    report(model, before)
    assert read(model, after, 3.0) == found


@pytest.mark.parametrize("late", [True, False])
def test_what_was_asked_for_before_something_was_set_tells_what_was_so_then(late):
    model = Model()
    before = Asked(1.0, "GetVariables", {"getVariableData": [NAMED]}, "g")
    if late:
        model.saw(before)
    model.saw(Asked(1.1, "SetVariables", {}, "s"))
    if not late:
        model.saw(before)
    result = {**NAMED, "attributeStatus": "Accepted", "attributeValue": "Acme"}
    model.saw(Told(1.2, before, {"getVariableResult": [result]}))
    assert report(model, "Other") == ([] if late else [DISAGREE])


@pytest.mark.parametrize("late", [True, False])
def test_later_parts_of_a_report_tell_what_was_so_when_it_was_asked_for(late):
    model = Model()
    asked = Asked(1.0, "GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}, "r")
    model.saw(asked)
    model.saw(Told(1.0, asked, {"status": "Accepted"}))
    if late:
        model.saw(Asked(1.1, "SetVariables", {}, "s"))
    item = {**NAMED, "variableAttribute": [{"value": "Acme"}]}
    part = {"requestId": 1, "seqNo": 0, "tbc": False, "reportData": [item]}
    model.saw(Called(1.2, "NotifyReport", part, "n"))
    assert read(model, "Other", 3.0) == ([] if late else [DISAGREE])


def test_values_that_change_by_themselves_are_not_compared():
    model = Model(volatile={"SecurityCtrlr.OrganizationName"})
    read(model, "Acme")
    assert report(model, "Other") == []


@pytest.mark.parametrize(
    ("value", "kind", "wrong"),
    [
        ("true", {"dataType": "boolean"}, False),
        ("maybe", {"dataType": "boolean"}, True),
        ("7", {"dataType": "integer", "minLimit": 1, "maxLimit": 9}, False),
        ("0", {"dataType": "integer", "minLimit": 1}, True),
        ("10", {"dataType": "integer", "maxLimit": 9}, True),
        ("7.5", {"dataType": "integer"}, True),
        ("7.5", {"dataType": "decimal"}, False),
        ("", {"dataType": "integer"}, False),
        ("yesterday", {"dataType": "dateTime"}, True),
        ("A", {"dataType": "OptionList", "valuesList": "A,B"}, False),
        ("C", {"dataType": "OptionList", "valuesList": "A,B"}, True),
        ("B,A", {"dataType": "MemberList", "valuesList": "A,B"}, False),
        ("B,C", {"dataType": "SequenceList", "valuesList": "A,B"}, True),
        ("anything", {"dataType": "string", "maxLimit": 3}, False),
    ],
)
def test_a_value_is_of_the_kind_that_the_report_says(value, kind, wrong):
    found = report(Model(), value, kind=kind)
    assert found == (["reported value is not of its own kind"] if wrong else [])


def test_what_is_write_only_is_not_told():
    assert report(Model(), "secret", mutability="WriteOnly") == ["report tells what is WriteOnly"]
    assert report(Model(), "", mutability="WriteOnly") == []


@pytest.mark.parametrize("base", ["ConfigurationInventory", "FullInventory"])
def test_a_configuration_inventory_names_what_can_be_set(base):
    wrong = ["ConfigurationInventory names what cannot be set"] * (base[0] == "C")
    assert report(Model(), "x", base=base, mutability="ReadOnly") == wrong
    assert report(Model(), "x", base=base, mutability="ReadWrite") == []


@pytest.mark.parametrize(
    ("wanted", "wrong"),
    [
        ([NAMED], False),
        ([{"component": {"name": "securityctrlr"}}], False),
        ([{"component": {"name": "ClockCtrlr"}}], True),
        ([{"component": COMPONENT, "variable": {"name": "Other"}}], True),
        ([{"component": {"name": "ClockCtrlr"}}, NAMED], False),
    ],
)
def test_a_report_of_named_variables_tells_of_no_other(wanted, wrong):
    found = report(Model(), "x", wanted=wanted)
    assert found == (["report of what was not asked for"] if wrong else [])


LACKS = "report without what was asked for"


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({"component": COMPONENT, "variable": {"name": "Other"}}, [LACKS]),
        ({"component": COMPONENT, "variable": VARIABLE}, []),
        ({"component": COMPONENT, "variable": {"name": "Unread"}}, []),
        ({"component": COMPONENT}, []),
    ],
    ids=["lacking", "told", "unread", "component"],
)
def test_a_report_tells_what_was_named_and_is_there(named, found):
    model = Model()
    other = {"component": COMPONENT, "variable": {"name": "Other"}}
    asked = Asked(1.0, "GetVariables", {"getVariableData": [other]}, "g")
    model.saw(asked)
    result = {**other, "attributeStatus": "Accepted", "attributeValue": "x"}
    model.saw(Told(1.1, asked, {"getVariableResult": [result]}))
    assert report(model, "Acme", wanted=[NAMED, named]) == found


UNSAID = "report without a value"


def unsaid(component=COMPONENT, variable=VARIABLE, **attribute):
    item = {"component": component, "variable": variable, "variableAttribute": [attribute]}
    told = {"requestId": 1, "seqNo": 0, "tbc": False, "reportData": [item]}
    return [o.name for o in Model().saw(Called(1.0, "NotifyReport", told, "n")) if o.name == UNSAID]


@pytest.mark.parametrize(
    "mutability", [{}, {"mutability": "ReadOnly"}, {"mutability": "ReadWrite"}]
)
def test_what_can_be_read_is_told_with_its_value(mutability):
    assert unsaid(**mutability) == [UNSAID]
    assert unsaid(**mutability, value="") == []
    assert unsaid(**mutability, type="Target") == []


def test_what_cannot_be_read_and_the_power_of_an_evse_need_no_value():
    assert unsaid(mutability="WriteOnly") == []
    assert unsaid({"name": "EVSE", "evse": {"id": 1}}, {"name": "Power"}) == []
