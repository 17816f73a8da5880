"""A campaign against a CSMS made of a package that we did not write, which we dial as a station."""

import json

IDENTITY = ("--identity", "CS-1")


def test_a_csms_is_dialled_booted_and_attacked_and_only_what_is_true_is_found(ocppfuzz, ocpp_csms):
    target = ("--target", f"{ocpp_csms}/{{identity}}", *IDENTITY)
    budget = ("--phases", "systematic", "--max-cases", 600, "--seed", 1)
    campaign = ocppfuzz("run", *target, *budget, "--json")

    outcome = campaign.json
    assert outcome["attacked"]["side"] == "csms"
    assert outcome["attacked"]["url"] == f"{ocpp_csms}/CS-1"
    assert outcome["cases"] == 600
    # What is found is what its station side shows as well: lost connections, and answers of many times the length.
    assert {f["oracle"] for f in outcome["findings"]} <= {"O3", "O22"}
    assert outcome["answers"]["CALLRESULT"] > 10
    assert outcome["answers"]["TypeConstraintViolation"] > 10
    assert outcome["answers"]["FormatViolation"] > 0


def test_what_costs_a_csms_its_connection_is_found_and_can_be_replayed(ocppfuzz, ocpp_csms):
    target = ("--target", f"{ocpp_csms}/{{identity}}", *IDENTITY)
    budget = ("--phases", "systematic", "--only", "Heartbeat", "--max-time", 45, "--seed", 1)
    campaign = ocppfuzz("run", *target, *budget, "--json")

    assert campaign.code == 1, campaign.err
    assert {f["name"] for f in campaign.json["findings"]} == {"connection-closed"}
    again = ocppfuzz("replay", campaign.json["findings"][0]["folder"], *target, "--json")
    assert again.code == 1, again.err
    assert json.loads(again.out)["outcome"] == "reproduced"
