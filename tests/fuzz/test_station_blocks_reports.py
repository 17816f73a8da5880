import json
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.station.bench import Bench
from fuzz.station.blocks.reports import PART_ITEMS
from fuzz.station.device_model import load_model

MODEL = load_model("dc-2evse-ccs1")


def break_connector(bench, evse):
    bench.station._context.evses[evse].faulted.add(1)


def report(base, request_id=7, broken=0):
    bench = Bench().boot()
    if broken:
        break_connector(bench, broken)
    bench.said.clear()
    assert bench.ask("GetBaseReport", {"requestId": request_id, "reportBase": base})[2] == {
        "status": "Accepted"
    }
    bench.settle()
    return [frame[3] for frame in bench.said if frame[0] == 2]


def get_report(bench=None, **asked):
    """The status, and the parts of the report."""
    bench = bench or Bench().boot()
    bench.said.clear()
    answer = bench.ask("GetReport", {"requestId": 7, **asked})
    bench.settle()
    return answer[2]["status"], [frame[3] for frame in bench.said if frame[0] == 2]


def named(component, variable=None, **more):
    return {
        "component": {"name": component, **more},
        **({"variable": variable} if variable else {}),
    }


def labels(parts):
    found = []
    for entry in entries(parts):
        variable = MODEL.find(entry["component"], entry["variable"])
        found.append(variable.label)
    return found


def entries(parts):
    return [entry for part in parts for entry in part["reportData"]]


@pytest.mark.parametrize("base", ["FullInventory", "ConfigurationInventory", "SummaryInventory"])
def test_parts_are_numbered_from_zero_and_only_the_last_ends_the_report(base):
    parts = report(base)
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
    assert {part["requestId"] for part in parts} == {7}
    assert max(len(part["reportData"]) for part in parts) <= PART_ITEMS


def test_the_full_inventory_holds_every_variable_once_with_its_characteristics():
    full = entries(report("FullInventory"))
    names = [str((e["component"], e["variable"])) for e in full]
    assert len(names) == len(set(names)) == len(list(MODEL))
    assert all("dataType" in e["variableCharacteristics"] for e in full)


def test_the_configuration_inventory_holds_what_can_be_set_and_never_a_secret():
    found = entries(report("ConfigurationInventory"))
    attributes = [e["variableAttribute"][0] for e in found]
    assert {a["mutability"] for a in attributes} == {"ReadWrite", "WriteOnly"}
    assert [("value" in a) for a in attributes if a["mutability"] == "WriteOnly"] == [False]


def test_the_summary_tells_the_state_of_station_evses_and_connectors():
    found = entries(report("SummaryInventory"))
    assert [e["component"]["name"] for e in found] == [
        "ChargingStation",
        "EVSE",
        "EVSE",
        "Connector",
        "Connector",
    ]


@pytest.mark.parametrize("request_id", [0, -1, -(2**31), 2**31 - 1])
def test_every_request_id_is_repeated(request_id):
    assert {part["requestId"] for part in report("SummaryInventory", request_id)} == {request_id}


def test_a_csms_that_never_answers_cannot_fill_the_memory():
    bench = Bench().boot()
    answers = [
        bench.ask("GetBaseReport", {"requestId": n, "reportBase": "FullInventory"})[2]["status"]
        for n in range(100)
    ]
    assert answers[0] == "Accepted"
    assert answers[-1] == "Rejected"


def test_a_report_cannot_be_made_before_the_boot_is_answered():
    answer = Bench().start().ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    assert answer[2]["status"] == "Rejected"


def test_an_active_problem_is_in_the_summary():
    found = entries(report("SummaryInventory", broken=2))
    problems = [e for e in found if e["variable"]["name"] != "AvailabilityState"]
    (problem,) = problems
    assert problem["component"] == {"name": "Connector", "evse": {"id": 2, "connectorId": 1}}
    assert problem["variableAttribute"][0]["value"] == "true"


def test_every_list_tells_what_may_be_in_it_and_every_value_but_a_secret_is_told():
    for entry in entries(report("FullInventory")):
        (attribute,) = entry["variableAttribute"]
        about = entry["variableCharacteristics"]
        assert ("value" in attribute) == (attribute["mutability"] != "WriteOnly")
        assert attribute.get("persistent", False) == (attribute["mutability"] != "ReadOnly")
        if about["dataType"].endswith("List"):
            assert set(attribute["value"].split(",")) <= set(about["valuesList"].split(","))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (named("TxCtrlr", {"name": "txstartpoint"}), ["TxCtrlr.TxStartPoint"]),
        (
            named("devicedatactrlr", {"name": "BytesPerMessage"}),
            [
                f"DeviceDataCtrlr.BytesPerMessage[{action}]"
                for action in ("GetReport", "GetVariables", "SetVariables")
            ],
        ),
        (
            named("DeviceDataCtrlr", {"name": "BytesPerMessage", "instance": "getreport"}),
            ["DeviceDataCtrlr.BytesPerMessage[GetReport]"],
        ),
        (named("EVSE", {"name": "Power"}), ["EVSE[1/0].Power", "EVSE[2/0].Power"]),
        (named("EVSE", {"name": "Power"}, evse={"id": 2}), ["EVSE[2/0].Power"]),
        (named("Connector", {"name": "Problem"}, evse={"id": 1}), ["Connector[1/1].Problem"]),
        (named("TokenReader"), ["TokenReader.Available", "TokenReader.Enabled"]),
    ],
)
def test_what_a_request_leaves_out_may_be_anything(asked, found):
    status, parts = get_report(componentVariable=[asked])
    assert (status, labels(parts)) == ("Accepted", found)


@pytest.mark.parametrize(
    "asked",
    [
        named("None"),
        named("TxCtrlr", {"name": "None"}),
        named("TxCtrlr", instance="x"),
        named("TxCtrlr", evse={"id": 1}),
        named("EVSE", evse={"id": 3}),
        named("TxCtrlr", {"name": "TxStartPoint", "instance": "x"}),
    ],
)
def test_a_report_of_nothing_is_refused_and_not_sent(asked):
    assert get_report(componentVariable=[asked]) == ("EmptyResultSet", [])


def test_criteria_are_alternatives_and_a_component_without_the_variable_meets_all_but_problem():
    everything = [variable.label for variable in MODEL]
    bench = Bench().boot()
    assert get_report(bench, componentCriteria=["Problem"]) == ("EmptyResultSet", [])
    for criteria in (["Active"], ["Available"], ["Enabled"], ["Problem", "Active"]):
        assert labels(get_report(bench, componentCriteria=criteria)[1]) == everything
    break_connector(bench, 1)
    found = labels(get_report(bench, componentCriteria=["Problem"])[1])
    assert found
    assert {label.split(".")[0] for label in found} == {"Connector[1/1]"}


def test_a_component_that_is_switched_off_is_not_enabled():
    bench = Bench().boot()
    item = {**named("AuthCtrlr", {"name": "Enabled"}), "attributeValue": "false"}
    bench.ask("SetVariables", {"setVariableData": [item]})
    found = labels(get_report(bench, componentCriteria=["Enabled"])[1])
    assert [label for label in found if label.startswith("AuthCtrlr")] == []


component_variables = st.builds(
    named,
    st.sampled_from(sorted({variable.component for variable in MODEL})),
    st.none() | st.builds(dict, name=st.sampled_from(sorted({v.name for v in MODEL}))),
)


@settings(max_examples=30, deadline=None)
@given(
    asked=st.lists(component_variables, min_size=1, max_size=8),
    criteria=st.none() | st.lists(st.sampled_from(["Active", "Problem"]), min_size=1, max_size=4),
)
def test_the_parts_of_a_report_hold_each_selected_variable_once(asked, criteria):
    more = {"componentCriteria": criteria} if criteria else {}
    status, parts = get_report(componentVariable=asked, **more)
    wanted = {(a["component"]["name"], a.get("variable", {}).get("name")) for a in asked}
    expected = [v.label for v in MODEL if {(v.component, None), (v.component, v.name)} & wanted]
    if criteria and "Active" not in criteria:
        expected = []
    assert labels(parts) == expected
    assert (status == "Accepted") == bool(expected)
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part["tbc"] for part in parts] == [True] * max(0, len(parts) - 1) + [False][
        : len(parts)
    ]


def test_a_request_with_more_bytes_than_the_device_model_says_is_refused():
    bench = Bench().boot()
    request = {"requestId": 7, "componentVariable": [named("A" * 50)] * 20}
    assert len(json.dumps(request)) > 1000
    assert bench.ask("GetReport", request)[2] == "FormatViolation"


def test_a_station_without_a_summary_says_so():
    bench = Bench().boot()
    pics = bench.station._context.pics
    bench.station._context.pics = replace(pics, items={**pics.items, "C-56": False})
    bench.said.clear()
    asked = {"requestId": 1, "reportBase": "SummaryInventory"}
    assert bench.ask("GetBaseReport", asked)[2]["status"] == "NotSupported"
    assert [frame for frame in bench.said if frame[0] == 2] == []


def test_a_request_with_more_items_than_the_device_model_says_is_refused():
    bench = Bench(pics="ac-1evse-type2").boot()
    most = bench.station._context.model.number("DeviceDataCtrlr", "ItemsPerMessage", "GetReport")
    for number, kind in ((most, 3), (most + 1, 4)):
        request = {"requestId": 7, "componentVariable": [named("EVSE")] * number}
        answer = bench.ask("GetReport", request, f"q{number}")
        assert answer[0] == kind
    assert answer[2] == "OccurrenceConstraintViolation"


def test_a_request_without_any_wish_gets_everything():
    assert labels(get_report()[1]) == [variable.label for variable in MODEL]
