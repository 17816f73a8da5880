"""Some requests cannot be carried out by anybody."""

import pytest

from strategies.model import Asked, Model, Told
from strategies.model.requests import NO_VENDOR, NOTHING

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


def written(component, variable, status="Accepted", kind="Set", **more):
    """What is said of one result of SetVariables or GetVariables."""
    named = {"component": {"name": component}, "variable": {"name": variable}, **more}
    asked = Asked(1.0, f"{kind}Variables", {f"{kind.lower()}VariableData": [named]}, "q")
    model = Model()
    model.saw(asked)
    results = {f"{kind.lower()}VariableResult": [{**named, "attributeStatus": status}]}
    return [o.name for o in model.saw(Told(1.1, asked, results))]


@pytest.mark.parametrize("kind", ["Set", "Get"])
@pytest.mark.parametrize(
    ("component", "variable", "more", "what"),
    [
        (NOTHING, "Enabled", {}, "an unknown component"),
        ("OCPPCommCtrlr", NOTHING, {}, "an unknown variable"),
        (
            "TxCtrlr",
            "TxStartPoint",
            {"attributeType": "Target"},
            "an attribute of a controller that is not Actual",
        ),
    ],
)
def test_what_is_not_there_is_neither_written_nor_read(kind, component, variable, more, what):
    found = [f"{kind}Variables of {what} accepted"]
    assert written(component, variable, kind=kind, **more) == found
    assert written(component, variable, "Rejected", kind=kind, **more) == []


def test_what_only_the_station_can_tell_is_not_written_nor_a_password_read():
    assert written("ClockCtrlr", "DateTime") == ["SetVariables of what is ReadOnly accepted"]
    assert written("ClockCtrlr", "DateTime", kind="Get") == []
    secret = "SecurityCtrlr", "BasicAuthPassword"
    assert written(*secret, kind="Get") == ["GetVariables of what is WriteOnly accepted"]
    assert written(*secret) == []
    assert written("EVSE", "Power", kind="Get", attributeType="MaxSet") == []
