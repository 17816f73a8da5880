"""Some requests cannot be carried out by anybody."""

import pytest

from strategies.model import Asked, Model, Told
from strategies.model.requests import NO_VENDOR

TOKEN = {"idToken": {"idToken": "04A1", "type": "ISO14443"}}
REPORT, CLEAR = {"report": True, "clear": False}, {"report": False, "clear": True}


def answered(action, payload, status="Accepted", code=""):
    model, asked = Model(), Asked(1.0, action, payload, "q")
    model.saw(asked)
    model.saw(Told(1.1, asked, {"status": status}, code))
    return [o.name for o in model.objections]


@pytest.mark.parametrize("flags", [REPORT, CLEAR])
def test_a_customer_is_named_once(flags):
    asked = {"requestId": 1, **flags}
    both = {**asked, **TOKEN, "customerIdentifier": "somebody"}
    none = "CustomerInformation of no customer accepted"
    assert answered("CustomerInformation", asked) == [none]
    several = "CustomerInformation of several customers at once accepted"
    assert answered("CustomerInformation", both) == [several]
    for status in ("Invalid", "Rejected"):
        assert answered("CustomerInformation", both, status) == []
    assert answered("CustomerInformation", both, code="FormatViolation") == []
    assert answered("CustomerInformation", {**asked, **TOKEN}) == []


def test_a_request_that_wants_nothing_needs_no_customer():
    asked = {"requestId": 1, "report": False, "clear": False}
    assert answered("CustomerInformation", asked) == []


def test_a_vendor_that_nobody_is_has_no_data():
    found = ["DataTransfer of an unknown vendor accepted"]
    assert answered("DataTransfer", {"vendorId": NO_VENDOR}) == found
    assert answered("DataTransfer", {"vendorId": NO_VENDOR}, "UnknownVendorId") == []
    assert answered("DataTransfer", {"vendorId": NO_VENDOR}, code="NotSupported") == []
    assert answered("DataTransfer", {"vendorId": "com.example"}) == []
