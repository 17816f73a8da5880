import pytest

from fuzz.station.bench import Bench


@pytest.fixture
def bench():
    return Bench().boot()


@pytest.mark.parametrize(
    "message",
    [
        "MeterValues",
        "TransactionEvent",
        "LogStatusNotification",
        "FirmwareStatusNotification",
        "SignV2GCertificate",
        "SignCombinedCertificate",
        "PublishFirmwareStatusNotification",
    ],
)
def test_what_the_pics_file_does_not_offer_is_not_implemented(bench, message):
    assert bench.ask("TriggerMessage", {"requestedMessage": message})[2] == {
        "status": "NotImplemented"
    }


def test_the_answer_goes_before_what_was_asked_for(bench):
    bench.said.clear()
    bench.ask("TriggerMessage", {"requestedMessage": "Heartbeat", "evse": {"id": 99}})
    assert [frame[0] for frame in bench.said] == [3, 2]
    assert bench.asked[2] == "Heartbeat"


def test_a_certificate_request_that_cannot_be_made_is_not_promised(bench):
    organization = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "OrganizationName"},
    }
    bench.ask("SetVariables", {"setVariableData": [{**organization, "attributeValue": ""}]})
    answer = bench.ask("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})
    assert answer[2]["status"] == "Rejected"


def test_a_csms_that_never_answers_gets_no_more_promises(bench):
    answers = [
        bench.ask("TriggerMessage", {"requestedMessage": "Heartbeat"})[2]["status"]
        for _ in range(400)
    ]
    assert answers.count("Accepted") == 257
    assert answers[-1] == "Rejected"
