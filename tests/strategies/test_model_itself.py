"""A station says in every boot who it is, and says the same, but for a firmware that was replaced."""

import pytest

from strategies.model import Asked, Called, Model, Told

SELF = {
    "vendorName": "nobody",
    "model": "plain",
    "serialNumber": "CS-1",
    "firmwareVersion": "1.0.0",
}
KNOWN = {name: SELF[name] for name in ("vendorName", "model", "serialNumber")}


def boot(at_s, **others):
    station = {name: value for name, value in {**SELF, **others}.items() if value is not None}
    return Called(at_s, "BootNotification", {"reason": "RemoteReset", "chargingStation": station})


def told(*events, known=None):
    model = Model(known=known)
    for event in events:
        model.saw(event)
    return [o.name for o in model.objections if o.name.startswith("another")]


def updated(at_s, status):
    return Called(at_s, "FirmwareStatusNotification", {"status": status, "requestId": 1})


@pytest.mark.parametrize("member", KNOWN)
def test_a_boot_under_another_name_is_found_beside_what_was_known_and_the_boot_before(member):
    wrong = [f"another {member} after a boot"]
    assert told(boot(1.0, **{member: "other"}), known=KNOWN) == wrong
    assert told(boot(1.0), boot(2.0, **{member: "other"})) == wrong


@pytest.mark.parametrize("member", KNOWN)
def test_what_is_not_said_is_nothing_else(member):
    assert told(boot(1.0, **{member: None}), boot(2.0), known=KNOWN) == []
    assert told(boot(1.0, **{member: "other"})) == []


def test_another_version_is_found_where_nothing_was_installed():
    wrong = ["another firmwareVersion after a boot"]
    cut = boot(2.0, firmwareVersion="1.0")
    assert told(boot(1.0), updated(1.5, "DownloadFailed"), cut) == wrong
    assert told(boot(1.0), cut, boot(3.0)) == wrong * 2
    assert told(boot(1.0), boot(2.0, firmwareVersion=None), boot(3.0)) == []


@pytest.mark.parametrize("status", ["Installing", "InstallRebooting", "Installed"])
def test_firmware_that_was_installed_may_have_any_version(status):
    assert told(boot(1.0), updated(1.5, status), boot(2.0, firmwareVersion="2.0")) == []
    assert told(boot(1.0), boot(2.0), updated(2.5, status), boot(3.0, firmwareVersion="2")) == []


def test_who_was_told_to_have_another_name_may_have_it():
    named = {"component": {"name": "ChargingStation"}, "variable": {"name": "Model"}}
    asked = Asked(1.5, "SetVariables", {"setVariableData": [{**named, "attributeValue": "x"}]})
    done = {"setVariableResult": [{**named, "attributeStatus": "Accepted"}]}
    assert told(asked, Told(1.6, asked, done), boot(2.0, model="x"), known=KNOWN) == []
