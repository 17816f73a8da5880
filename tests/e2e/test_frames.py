"""The phase `frames` over real sockets: a healthy station bears all of it, planted defects show."""

BUDGET = ("--phases", "frames", "--seed", 1, "--security-profile", 1, "--max-time", 120)


def test_a_healthy_station_bears_every_frame_and_every_bad_handshake(ocppfuzz):
    campaign = ocppfuzz("run", *BUDGET, "--strict", "--json")
    assert campaign.code == 0, campaign.err
    outcome = campaign.json
    assert outcome["findings"] == []
    assert outcome["inconclusive"] == 0
    assert outcome["coverage"]["frames"]["reached"] == outcome["coverage"]["frames"]["total"] > 90
    assert outcome["answers"]["closed"] > 40


def test_a_link_that_breaks_on_a_compression_context_is_found_by_its_close(ocppfuzz):
    campaign = ocppfuzz("run", *BUDGET, "--defect", "P13", "--fail-fast", "--json")
    assert campaign.code == 1, campaign.err
    (finding,) = campaign.json["findings"]
    assert (finding["name"], finding["status"]) == ("connection-closed", "confirmed")
    again = ocppfuzz(
        "replay", finding["folder"], "--security-profile", 1, "--defect", "P13", "--json"
    )
    assert again.code == 1, again.err


def test_a_package_that_we_did_not_write_has_nothing_to_be_reproached_with(
    ocppfuzz, port, ocpp_station
):
    target = ("--listen", f"127.0.0.1:{port}", "--identity", "PLAIN", "--security-profile", 0)
    budget = ("--phases", "frames", "--seed", 1, "--max-time", 120)
    campaign = ocppfuzz("run", *target, "--start-cmd", ocpp_station, *budget, "--json")
    assert campaign.code == 0, campaign.err
    assert campaign.json["findings"] == []
    table = campaign.json["coverage"]["frames"]
    assert table["reached"] == table["total"] > 90
