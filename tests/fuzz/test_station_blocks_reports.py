import pytest

from fuzz.station.bench import Bench
from fuzz.station.blocks.reports import PART_ITEMS


def report(base, request_id=7):
    bench = Bench().boot()
    bench.said.clear()
    assert bench.ask("GetBaseReport", {"requestId": request_id, "reportBase": base})[2] == {
        "status": "Accepted"
    }
    bench.settle()
    return [frame[3] for frame in bench.said if frame[0] == 2]


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
    assert len(names) == len(set(names)) == 86
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
