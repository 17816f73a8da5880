"""A report that is complete names what the last one named, unless something in between may have removed it."""

import pytest

from strategies.model import Asked, Called, Model, Operated, Told, inventory

SEEN = [("SecurityCtrlr", "OrganizationName"), ("OCPPCommCtrlr", "HeartbeatInterval")]

MISSING = "variables missing from a later report"


def reported(model, id_, names, *, base="FullInventory", at_s=1.0, parts=1, tbc=False):
    """A base report that names these variables; what is wrong with it."""
    asked = Asked(at_s, "GetBaseReport", {"requestId": id_, "reportBase": base}, f"q{id_}")
    found = [*model.saw(asked), *model.saw(Told(at_s, asked, {"status": "Accepted"}))]
    for seq in range(parts):
        data = [
            {"component": {"name": c}, "variable": {"name": v}, "variableAttribute": [{}]}
            for c, v in names[seq::parts]
        ]
        payload = {
            "requestId": id_,
            "seqNo": seq,
            "tbc": tbc or seq + 1 < parts,
            "reportData": data,
        }
        found += model.saw(Called(at_s, "NotifyReport", payload, f"n{id_}-{seq}"))
    return [o.name for o in found if o.name == MISSING]


def set_variable(name, at_s=2.0):
    item = {"component": {"name": "X"}, "variable": {"name": name}, "attributeValue": ""}
    return Asked(at_s, "SetVariables", {"setVariableData": [item]}, "s")


def test_a_variable_that_vanished_after_another_was_set_is_missed():
    model = Model()
    assert reported(model, 1, SEEN, parts=2) == []
    assert model.saw(set_variable("OrganizationName")) == []
    assert reported(model, 2, SEEN[1:], at_s=3.0) == [MISSING]


def test_the_same_variables_in_other_parts_and_more_of_them_are_fine():
    model = Model()
    assert reported(model, 1, SEEN, parts=2) == []
    assert reported(model, 2, [*SEEN[::-1], ("New", "One")], at_s=3.0) == []


@pytest.mark.parametrize(
    "between",
    [
        set_variable("Enabled"),
        Asked(2.0, "UpdateFirmware", {"requestId": 1}, "u"),
        Operated(2.0, "power-cycle"),
        Called(2.0, "BootNotification", {"reason": "PowerUp"}, "b"),
    ],
    ids=lambda event: getattr(event, "action", "operated"),
)
def test_nothing_is_missed_after_what_may_remove_a_variable(between):
    model = Model()
    assert reported(model, 1, SEEN) == []
    model.saw(between)
    assert MISSING not in reported(model, 2, SEEN[1:], at_s=3.0)


def test_reports_that_are_not_whole_or_of_other_bases_are_not_compared():
    model = Model()
    assert reported(model, 1, SEEN) == []
    assert reported(model, 2, SEEN[1:], base="ConfigurationInventory") == []
    assert reported(model, 3, SEEN[1:], tbc=True) == []
    assert reported(model, 4, SEEN, base="SummaryInventory") == []
    assert reported(model, 5, SEEN[1:], base="SummaryInventory") == []


REQUIRED = "required variable not in FullInventory"


def test_what_every_station_must_have_is_in_the_whole_inventory():
    every = [(c, v) for c, names in inventory._REQUIRED.items() for v in names]
    assert _whole(every) == []
    assert _whole(every[:-1]) == [REQUIRED]
    assert _whole(every[:-1], base="ConfigurationInventory") == []
    assert _whole(every[:-1], tbc=True) == []


def _whole(every, *, base="FullInventory", tbc=False):
    model, names = Model(), [(c, *v.partition("/")[::2]) for c, v in every]
    asked = Asked(1.0, "GetBaseReport", {"requestId": 1, "reportBase": base}, "q")
    model.saw(asked)
    model.saw(Told(1.0, asked, {"status": "Accepted"}))
    data = [
        {"component": {"name": c}, "variable": {"name": v, **({"instance": i} if i else {})}}
        for c, v, i in names
    ]
    told = {"requestId": 1, "seqNo": 0, "tbc": tbc, "reportData": data}
    return [o.name for o in model.saw(Called(1.1, "NotifyReport", told, "n"))]


@pytest.mark.parametrize(
    ("settings", "mutability", "wrong"),
    [
        (SEEN, "ReadWrite", []),
        (SEEN[1:], "ReadOnly", []),
        (SEEN[1:], "ReadWrite", ["ConfigurationInventory"]),
        ([*SEEN, ("New", "One")], "ReadWrite", ["FullInventory"]),
    ],
)
def test_both_inventories_name_the_same_settings(settings, mutability, wrong):
    model, found = Model(), []
    for base, names in (("FullInventory", SEEN), ("ConfigurationInventory", settings)):
        asked = Asked(1.0, "GetBaseReport", {"requestId": len(base), "reportBase": base}, base)
        model.saw(asked)
        model.saw(Told(1.0, asked, {"status": "Accepted"}))
        data = [
            {
                "component": {"name": c},
                "variable": {"name": v},
                "variableAttribute": [{"mutability": mutability}],
            }
            for c, v in names
        ]
        told = {"requestId": len(base), "seqNo": 0, "tbc": False, "reportData": data}
        found += [o.name for o in model.saw(Called(1.1, "NotifyReport", told, base))]
    lacks = [name for name in found if "other inventory" in name]
    assert lacks == [f"{base} lacks what the other inventory names" for base in wrong]
