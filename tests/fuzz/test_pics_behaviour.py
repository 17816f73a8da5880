"""Each station that comes with this product does what its PICS file says, on the bench."""

import pytest

from fuzz.pics.answers import Cable
from fuzz.pics.checking import TRIGGER_OF
from fuzz.pics.loading import known_pics, load_pics
from fuzz.station.bench import Bench

START = (
    "EVConnected",
    "Authorized",
    "DataSigned",
    "PowerPathClosed",
    "EnergyTransfer",
    "ParkingBayOccupancy",
)
STOP = ("EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer", "ParkingBayOccupancy")


@pytest.fixture(params=known_pics())
def pics(request):
    return load_pics(request.param)


@pytest.fixture
def bench(pics):
    return Bench(pics=pics.name).boot()


def variable(component, name, instance=""):
    return {
        "component": {"name": component},
        "variable": {"name": name} | ({"instance": instance} if instance else {}),
    }


def set_to(bench, value, *path):
    data = variable(*path) | {"attributeValue": value}
    answer = bench.ask("SetVariables", {"setVariableData": [data]})
    return answer[2]["setVariableResult"][0]["attributeStatus"]


def test_points_that_are_not_offered_are_rejected(bench, pics):
    for name, item, points in (("TxStartPoint", "C-09", START), ("TxStopPoint", "C-10", STOP)):
        for number, point in enumerate(points, 1):
            wanted = "Accepted" if pics.items[f"{item}.{number}"] else "Rejected"
            assert set_to(bench, point, "TxCtrlr", name) == wanted


def test_one_evse_is_not_reset(bench, pics):
    assert not pics.items["C-13"]
    for kind in ("Immediate", "OnIdle"):
        assert bench.ask("Reset", {"type": kind, "evseId": 1})[2]["status"] == "Rejected"


def test_no_customer_is_known(bench, pics):
    assert not pics.items["C-14"]
    request = {"requestId": 1, "report": True, "clear": True, "customerIdentifier": "somebody"}
    answer = bench.ask("CustomerInformation", request)
    assert answer[0] == 3
    said = [frame for frame in bench.settle() if frame[2] == "NotifyCustomerInformation"]
    assert all("somebody" not in frame[3]["data"] for frame in said)
    assert (answer[2]["status"] == "Accepted") == bool(
        said or bench.asked[2] == "NotifyCustomerInformation"
    )


def test_the_time_zone_can_be_set(bench, pics):
    assert pics.items["C-26"]
    assert set_to(bench, "Europe/London", "ClockCtrlr", "TimeZone") == "Accepted"


@pytest.mark.parametrize("item", sorted(TRIGGER_OF))
def test_triggers_are_answered_as_declared(bench, pics, item):
    place = {"evse": {"id": 1, "connectorId": 1}} if item == "C-29.5" else {}
    answer = bench.ask("TriggerMessage", {"requestedMessage": TRIGGER_OF[item]} | place)
    # F06.FR.17: a boot is no longer triggered once it was accepted.
    wanted = "Rejected" if item == "C-29.6" else "Accepted"
    assert answer[2]["status"] == (wanted if pics.items[item] else "NotImplemented")


def test_the_summary_is_given_where_declared(bench, pics):
    answer = bench.ask("GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"})
    assert answer[2]["status"] == ("Accepted" if pics.items["C-56"] else "NotSupported")


def test_nothing_is_asked_of_the_number_of_phases(bench, pics):
    assert not pics.items["AQ-4"]
    answers = [
        bench.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": {}}),
        bench.ask("ClearChargingProfile", {"chargingProfileId": 1}),
    ]
    assert [answer[:1] + answer[2:3] for answer in answers] == [[4, "NotSupported"]] * 2


def test_there_are_no_monitors(bench, pics):
    assert not pics.items["AQ-5"]
    assert not pics.items["AQ-6"]
    data = {"type": "UpperThreshold", "severity": 5, "value": 1, **variable("EVSE", "Power")}
    for action, payload in (
        ("SetVariableMonitoring", {"setMonitoringData": [data]}),
        ("GetMonitoringReport", {"requestId": 1}),
        ("ClearVariableMonitoring", {"id": [1]}),
    ):
        assert bench.ask(action, payload)[2] == "NotSupported"


def test_more_items_or_bytes_than_declared_are_refused(bench, pics):
    one = variable("ClockCtrlr", "DateTime")
    fine = bench.ask("GetVariables", {"getVariableData": [one] * min(pics.limits["ORS-2"], 50)})
    assert fine[0] == 3
    many = bench.ask("GetVariables", {"getVariableData": [one] * (pics.limits["ORS-2"] + 1)})
    assert many[:1] + many[2:3] == [4, "OccurrenceConstraintViolation"]
    item = variable("ClockCtrlr", "TimeZone") | {"attributeValue": "x"}
    many = bench.ask("SetVariables", {"setVariableData": [item] * (pics.limits["ORS-3"] + 1)})
    assert many[:1] + many[2:3] == [4, "OccurrenceConstraintViolation"]


def test_a_longer_attempt_interval_is_refused(bench, pics):
    path = ("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent")
    assert set_to(bench, str(pics.limits["ORS-8"]), *path) == "Accepted"
    assert set_to(bench, str(pics.limits["ORS-8"] + 1), *path) == "Rejected"


def test_a_socket_is_unlocked_and_a_fixed_cable_is_not(bench, pics):
    for evse, connector in pics.each_connector():
        answer = bench.ask("UnlockConnector", {"evseId": evse, "connectorId": connector})
        fixed = pics.outlet(evse, connector).cable is Cable.FIXED
        assert answer[2]["status"] == ("UnlockFailed" if fixed else "Unlocked")
