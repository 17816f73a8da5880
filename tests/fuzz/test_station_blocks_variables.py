import json

import pytest

from fuzz.station.bench import Bench
from fuzz.station.events import CloseConnection, Persist

PASSWORD = ("SecurityCtrlr", "BasicAuthPassword")


@pytest.fixture
def bench():
    return Bench().boot()


def item(component, variable, **more):
    return {"component": {"name": component}, "variable": {"name": variable}, **more}


def get(bench, *names, **more):
    (result,) = bench.ask("GetVariables", {"getVariableData": [item(*names, **more)]})[2][
        "getVariableResult"
    ]
    return result


def set_(bench, *names, value, **more):
    asked = item(*names, attributeValue=value, **more)
    (result,) = bench.ask("SetVariables", {"setVariableData": [asked]})[2]["setVariableResult"]
    return result["attributeStatus"], result.get("attributeStatusInfo", {}).get("reasonCode")


def test_a_value_that_was_set_is_read_back(bench):
    assert set_(bench, "TxCtrlr", "EVConnectionTimeOut", value="90") == ("Accepted", None)
    assert get(bench, "TxCtrlr", "EVConnectionTimeOut")["attributeValue"] == "90"


def test_a_result_repeats_what_was_asked_as_it_was_spelt(bench):
    assert get(bench, "txctrlr", "EVCONNECTIONTIMEOUT") == {
        "attributeStatus": "Accepted",
        "attributeType": "Actual",
        "attributeValue": "60",
        "component": {"name": "txctrlr"},
        "variable": {"name": "EVCONNECTIONTIMEOUT"},
    }


@pytest.mark.parametrize(
    ("names", "value", "expected"),
    [
        (("None", "x"), "1", ("UnknownComponent", None)),
        (("TxCtrlr", "x"), "1", ("UnknownVariable", None)),
        (("TxCtrlr", "StopTxOnEVSideDisconnect"), "false", ("Rejected", "ReadOnly")),
        (("OCPPCommCtrlr", "WebSocketPingInterval"), "-1", ("Rejected", "ValueTooLow")),
        (("OCPPCommCtrlr", "HeartbeatInterval"), "0", ("Rejected", "ValueTooLow")),
        (("OCPPCommCtrlr", "NetworkConfigurationPriority"), "1,0", ("Rejected", "InvalidConfSlot")),
        (("OCPPCommCtrlr", "NetworkConfigurationPriority"), "0", ("RebootRequired", None)),
        (("TxCtrlr", "TxStopPoint"), "EnergyTransfer", ("Rejected", "InvalidValue")),
        (("OCPPCommCtrlr", "OfflineThreshold"), "300", ("Accepted", None)),
        (("OCPPCommCtrlr", "OfflineThreshold"), "300.1", ("Rejected", "InvalidValue")),
        (("OCPPCommCtrlr", "OfflineThreshold"), "true", ("Rejected", "InvalidValue")),
        (("OCPPCommCtrlr", "OfflineThreshold"), "abc", ("Rejected", "InvalidValue")),
        (
            ("OCPPCommCtrlr", "OfflineThreshold"),
            "2026-01-01T00:00:00Z",
            ("Rejected", "InvalidValue"),
        ),
        (("OCPPCommCtrlr", "MessageAttemptInterval"), "60", ("UnknownVariable", None)),
        (("SampledDataCtrlr", "TxUpdatedInterval"), "86401", ("Rejected", "ValueTooHigh")),
        (("AuthCtrlr", "AuthorizeRemoteStart"), "abc", ("Rejected", "ReadOnly")),
        (("AuthCtrlr", "Enabled"), "maybe", ("Rejected", "InvalidValue")),
        (PASSWORD, "short", ("Rejected", "InvalidValue")),
        (PASSWORD, "x" * 41, ("Rejected", "InvalidValue")),
        (PASSWORD, "has spaces in it, many", ("Rejected", "InvalidValue")),
    ],
)
def test_each_reason_not_to_set_has_its_status(bench, names, value, expected):
    assert set_(bench, *names, value=value) == expected


def test_only_the_actual_attribute_exists(bench):
    status, _ = set_(bench, "TxCtrlr", "EVConnectionTimeOut", value="90", attributeType="Target")
    assert status == "NotSupportedAttributeType"
    assert get(bench, "TxCtrlr", "EVConnectionTimeOut", attributeType="MaxSet")[
        "attributeStatus"
    ] == ("NotSupportedAttributeType")


def test_a_password_can_be_set_and_is_never_told(bench):
    secret = "correct-horse-battery"
    assert set_(bench, *PASSWORD, value=secret) == ("Accepted", None)
    result = get(bench, *PASSWORD)
    assert (result["attributeStatus"], "attributeValue" in result) == ("Rejected", False)
    bench.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    assert secret not in json.dumps(bench.settle())
    assert bench.station.password == secret


def test_a_new_password_is_used_on_a_new_connection(bench):
    request = {"setVariableData": [item(*PASSWORD, attributeValue="x" * 16)]}
    commands = bench.hear(json.dumps([2, "q", "SetVariables", request]))
    assert [type(command).__name__ for command in commands] == [
        "Persist",
        "SendText",
        "Note",
        "CloseConnection",
    ]


def test_a_station_with_its_own_certificate_stays_connected_when_the_password_changes():
    bench = Bench(security_profile=3).boot()
    request = {"setVariableData": [item(*PASSWORD, attributeValue="x" * 16)]}
    assert CloseConnection() not in bench.hear(json.dumps([2, "q", "SetVariables", request]))


def test_what_was_set_is_kept_before_the_answer_and_survives_a_new_start(bench):
    request = {"setVariableData": [item("TxCtrlr", "EVConnectionTimeOut", attributeValue="7")]}
    kept = bench.hear(json.dumps([2, "q", "SetVariables", request]))[0]
    assert isinstance(kept, Persist)
    again = Bench(lasting=kept.state).boot()
    assert get(again, "TxCtrlr", "EVConnectionTimeOut")["attributeValue"] == "7"


def test_results_come_in_the_order_and_number_asked(bench):
    asked = [item("TxCtrlr", "a"), item("AuthCtrlr", "Enabled"), item("b", "c")] * 300
    results = bench.ask("GetVariables", {"getVariableData": asked})[2]["getVariableResult"]
    assert [r["component"]["name"] for r in results] == [a["component"]["name"] for a in asked]


@pytest.mark.parametrize(
    ("action", "member"), [("GetVariables", "getVariableData"), ("SetVariables", "setVariableData")]
)
def test_more_items_or_bytes_than_the_device_model_says_are_refused(bench, action, member):
    value = {"attributeValue": "1"} if action == "SetVariables" else {}
    one = item("A", "B", **value)
    assert bench.ask(action, {member: [one] * 1000})[0] == 3
    assert bench.ask(action, {member: [one] * 1001})[2] == "OccurrenceConstraintViolation"
    heavy = {"customData": {"vendorId": "v", "x": "x" * 1_000_000}, member: [one]}
    assert bench.ask(action, heavy)[2] == "FormatViolation"


def test_a_new_heartbeat_interval_holds_at_once(bench):
    set_(bench, "OCPPCommCtrlr", "HeartbeatInterval", value="5")
    bench.wait(5)
    assert bench.asked[2] == "Heartbeat"


def test_live_values_are_those_of_now(bench):
    assert get(bench, "ClockCtrlr", "DateTime")["attributeValue"] == "2026-01-01T00:00:00.000Z"
    bench.ask("ChangeAvailability", {"operationalStatus": "Inoperative"})
    assert get(bench, "ChargingStation", "AvailabilityState")["attributeValue"] == "Unavailable"
