"""The phase `twins` over real sockets: a healthy station is consistent and left as it was, planted defects show."""

import pytest

BUDGET = ("--phases", "twins", "--seed", 1, "--max-time", 120)


@pytest.mark.parametrize("pics", ["dc-2evse-ccs1", "ac-1evse-type2"])
def test_a_healthy_station_says_the_same_twice_and_is_left_as_it_was(pics, ocppfuzz):
    campaign = ocppfuzz("run", *BUDGET, "--pics", pics, "--json")
    assert campaign.code == 0, campaign.err
    outcome = campaign.json
    assert outcome["findings"] == []
    assert outcome["left_changed"] == []
    assert outcome["coverage"]["twins"]["reached"] == outcome["coverage"]["twins"]["total"] > 150


@pytest.mark.parametrize(("defect", "ways"), [("P20", 1), ("P21", 3)])
def test_a_value_that_is_taken_for_another_is_one_finding_for_each_way(defect, ways, ocppfuzz):
    campaign = ocppfuzz("run", *BUDGET, "--defect", defect, "--json")
    assert campaign.code == 1, campaign.err
    found = [(f["oracle"], f["status"]) for f in campaign.json["findings"]]
    # What was read back and is out of its limits is the state model's to object to as well (O11).
    assert found.count(("O8", "confirmed")) == ways
    assert set(found) <= {("O8", "confirmed"), ("O11", "confirmed")}
    assert campaign.json["left_changed"] == []


def test_a_package_that_we_did_not_write_has_nothing_to_be_reproached_with(
    ocppfuzz, port, ocpp_station
):
    target = ("--listen", f"127.0.0.1:{port}", "--identity", "PLAIN", "--security-profile", 0)
    campaign = ocppfuzz("run", *target, "--start-cmd", ocpp_station, *BUDGET, "--json")
    assert campaign.code == 0, campaign.err
    assert campaign.json["findings"] == []
