"""What is told of work has the requestId of that work, and comes in an order that can be."""

import pytest

from strategies.model import Answered, Asked, Called, Model, Opened, Told


def work(action, *ids, status="Accepted"):
    model = Model()
    for id_ in ids:
        asked = Asked(1.0, action, {"requestId": id_}, f"q{id_}")
        model.saw(asked)
        model.saw(Told(2.0, asked, {"status": status}))
    return model


def told(model, action, id_, *statuses, **more):
    found = []
    for at_s, status in enumerate(statuses, 3):
        payload = {"requestId": id_, "status": status, **more}
        called = Called(float(at_s), action, payload, f"c{at_s}")
        found += model.saw(called)
        model.saw(Answered(at_s + 0.1, called, {}))
    return [o.name for o in found]


LOG, FIRMWARE = "LogStatusNotification", "FirmwareStatusNotification"
GOES_ON = "cancelled upload goes on"


def test_work_from_before_may_still_be_told_of():
    assert told(work("GetLog", 1), LOG, 2, "Uploading") == []
    assert told(work("GetLog", 1), LOG, None, "Idle") == []
    assert told(work("GetLog", 1, status="AcceptedCanceled"), LOG, 2, "AcceptedCanceled") == []
    assert told(work("GetBaseReport", 1), "NotifyReport", 2, "", seqNo=3) == []
    again = work("GetLog", 1)
    again.saw(Opened(2.5))
    assert told(again, LOG, 2, "Uploading") == []


def test_a_report_under_another_id_is_found():
    found = told(work("GetReport", 1), "NotifyReport", 2, "", seqNo=0)
    assert found == ["NotifyReport of a request that was not made"]


@pytest.mark.parametrize(
    ("statuses", "wrong"),
    [
        (["Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed"], 0),
        (["Downloading", "Downloaded", "InvalidSignature"], 0),
        (["Downloading", "SignatureVerified"], 1),
        (["Downloading", "Downloaded", "SignatureVerified", "Installed"], 1),
    ],
)
def test_a_firmware_is_installed_in_order(statuses, wrong):
    found = told(work("UpdateFirmware", 1), FIRMWARE, 1, *statuses)
    assert found == ["firmware status out of order"] * wrong


@pytest.mark.parametrize(
    ("ids", "statuses", "wrong"),
    [
        ([1], ["Uploading", "UploadFailure", "Uploading", "Uploaded"], 0),
        ([1], ["Uploading", "Uploaded", "UploadFailure"], 1),
        ([1, 1], ["Uploading", "Uploaded", "Uploading"], 0),
    ],
)
def test_a_log_that_is_uploaded_is_done(ids, statuses, wrong):
    found = told(work("GetLog", *ids), LOG, 1, *statuses)
    assert found == ["log status out of order"] * wrong


@pytest.mark.parametrize(
    ("action", "message", "status"),
    [("GetLog", LOG, "UploadFailure"), ("UpdateFirmware", FIRMWARE, "Downloading")],
)
def test_work_is_told_of_with_its_id(action, message, status):
    assert told(work(action, 1), message, None, status) == [f"{message} without a requestId"]
    assert told(work(action, 1), message, None, "Idle") == []
    assert told(work(action, 1, status="Rejected"), message, None, status) == []


def test_what_is_told_without_an_id_may_be_what_was_triggered():
    model = work("UpdateFirmware", 1)
    model.saw(Asked(2.5, "TriggerMessage", {"requestedMessage": FIRMWARE}, "t"))
    assert told(model, FIRMWARE, None, "DownloadFailed") == []


def refused(action, status, **more):
    model = Model()
    asked = Asked(1.0, action, {"requestId": 1, **more}, "q")
    model.saw(asked)
    model.saw(Told(2.0, asked, {"status": status}))
    return model


CARRIED_OUT = "refused and carried out"


def test_what_was_refused_is_not_carried_out():
    model = refused("UpdateFirmware", "InvalidCertificate")
    assert told(model, FIRMWARE, 1, "Downloading", "DownloadFailed") == [CARRIED_OUT]
    assert told(refused("GetLog", "Rejected", retries=0), LOG, 1, "Uploading") == [CARRIED_OUT]


def test_what_was_refused_may_be_at_work_from_before():
    assert told(refused("GetLog", "Rejected"), LOG, 1, "Uploading") == []
    assert told(refused("GetLog", "Rejected", retries=0), LOG, 1, "UploadFailure") == []
    again = refused("GetLog", "Rejected", retries=0)
    again.saw(Opened(2.5))
    assert told(again, LOG, 1, "Uploading") == []
    twice = work("UpdateFirmware", 1)
    asked = Asked(2.1, "UpdateFirmware", {"requestId": 1}, "again")
    twice.saw(asked)
    twice.saw(Told(2.2, asked, {"status": "InvalidCertificate"}))
    assert told(twice, FIRMWARE, 1, "Downloading") == []


def test_an_upload_that_was_cancelled_does_not_go_on():
    assert told(work("GetLog", 1), LOG, 1, "Uploading", "AcceptedCanceled", "Uploaded") == [GOES_ON]
    assert told(work("GetLog", 1), LOG, 1, "Uploading", "AcceptedCanceled", "UploadFailure") == []
