"""What a station agreed to follows its answer."""

import pytest

from strategies.model import Answered, Asked, Called, Model, Told

LOG, FIRMWARE = "LogStatusNotification", "FirmwareStatusNotification"


def around(action, payload, message, told, *, early, model=None, status="Accepted"):
    """One request, and a CALL of the station before or after its answer."""
    model = model or Model()
    asked = Asked(1.0, action, payload, f"q{len(model.objections)}")
    called = Called(1.5, message, told, "c")
    moves = [called, Answered(1.6, called, {})]
    answer = Told(1.7, asked, {"status": status})
    for event in (asked, *moves, answer) if early else (asked, answer, *moves):
        model.saw(event)
    return [o.name for o in model.objections]


@pytest.mark.parametrize(
    ("action", "message", "status"),
    [("GetLog", LOG, "Uploading"), ("UpdateFirmware", FIRMWARE, "Downloading")],
)
def test_work_is_told_of_after_it_was_agreed_to(action, message, status):
    asked, told = {"requestId": 1}, {"requestId": 1, "status": status}
    assert around(action, asked, message, told, early=True) == [f"{message} before the answer"]
    assert around(action, asked, message, told, early=False) == []


def test_the_rest_of_earlier_work_may_come_at_any_time():
    told = {"requestId": 1, "status": "UploadFailure"}
    assert around("GetLog", {"requestId": 1}, LOG, told, early=True) == []
    other = {"requestId": 2, "status": "Uploading"}
    assert around("GetLog", {"requestId": 1}, LOG, other, early=True) == []


@pytest.mark.parametrize("times", [1, 3])
def test_a_certificate_may_be_asked_for_of_its_own_accord(times):
    model = Model()
    for _ in range(times):
        trigger = {"requestedMessage": "SignChargingStationCertificate"}
        around("TriggerMessage", trigger, "SignCertificate", {}, early=True, model=model)
    assert model.objections == []
