import json

import pytest

from fuzz.ocppj.payloads import validate_payload
from fuzz.station.bench import Bench
from fuzz.station.decoys import decoys
from fuzz.station.events import CloseConnection, Later, Reboot, SendText
from strategies.labels import Kind
from strategies.version import version

NUMBERS = ["D-1", "D-2", "D-3", "D-4", "D-5", "D-6", "D-8", "D-10"]


def bench(name):
    return Bench(decoys()[name].plant).boot()


def test_the_registry_holds_these_and_every_one_is_found_by_its_name_too():
    assert [key for key, found in decoys().items() if key == found.number] == NUMBERS
    assert all(decoys()[found.name].number == found.number for found in decoys().values())


@pytest.mark.parametrize("name", NUMBERS)
def test_a_station_with_a_decoy_boots_and_serves(name):
    answer = bench(name).ask("ClearCache", {})
    assert answer[:2] == [3, "q"]
    assert validate_payload("ClearCache", Kind.RESPONSE, answer[2], version()) is None


def test_d1_does_not_know_unknown_from_unsupported():
    assert bench("D-1").ask("FooBar", {})[2] == "NotSupported"


def test_d2_closes_on_binary():
    assert bench("D-2").hear(b"x") == [CloseConnection(1003)]


def test_d3_processes_the_same_id_again_and_again():
    station = bench("D-3")
    assert [station.ask("ClearCache", {}, "same")[:2] for _ in range(3)] == [[3, "same"]] * 3


def test_d4_adds_custom_data_that_is_valid():
    answer = bench("D-4").ask("GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"})[
        2
    ]
    assert answer["customData"]["vendorId"] == "ocppfuzz-lab"
    assert validate_payload("GetBaseReport", Kind.RESPONSE, answer, version()) is None


def test_d5_delays_some_answers_and_none_of_them_beyond_what_is_legal():
    station = Bench(decoys(delay_s=25)["D-5"].plant).boot()
    commands = [c for _ in range(80) for c in station.hear('[2,"q","ClearCache",{}]')]
    late = [c for c in commands if isinstance(c, Later)]
    assert [c.delay_s for c in late] == [25, 25]
    assert all(isinstance(one, SendText) for c in late for one in c.commands)


def test_d5_never_delays_a_reboot():
    for _ in range(50):
        station = bench("D-5")
        for _ in range(39):
            station.ask("ClearCache", {})
        commands = station.hear('[2,"q","Reset",{"type":"Immediate"}]')
        assert not any(isinstance(c, Later) for c in commands)
        break


def test_d6_reboots_slowly():
    commands = bench("D-6").hear('[2,"q","Reset",{"type":"Immediate"}]')
    assert [c.extra_s for c in commands if isinstance(c, Reboot)] == [3.0]


def test_d8_calls_a_long_string_a_wrong_type():
    assert bench("D-8").ask("DataTransfer", {"vendorId": "v" * 256})[2] == "TypeConstraintViolation"


def test_d10_rejects_with_a_reason_and_nothing_else():
    answer = bench("D-10").ask("Reset", {"type": "Immediate"})
    assert answer == [3, "q", {"status": "Rejected", "statusInfo": {"reasonCode": "Unspecified"}}]
    assert json.dumps(answer)
