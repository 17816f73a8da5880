"""The device model of each station that comes with this product agrees with its PICS file."""

import pytest

from fuzz.pics.answers import Cable
from fuzz.pics.form import form
from fuzz.pics.loading import known_pics, load_pics
from fuzz.station.bench import Bench
from fuzz.station.device_model import load_model

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
def model(pics):
    return load_model(pics.name)


def named(model, label):
    """The variable of `Component.Variable[instance]` at the station's own tier; None when there is none."""
    found = {variable.label: variable for variable in model}
    return found.get(label)


def read(model, label):
    return model.read(named(model, label))


def two_ways(model, label, keeps, gives_up, pics):
    """A variable is fixed where one way is denied, and can be set where both are there."""
    variable = named(model, label)
    if pics.items[keeps] and pics.items[gives_up]:
        assert variable.writable
    else:
        assert not variable.writable
        assert model.read(variable) == ("true" if pics.items[gives_up] else "false")


def test_the_evse_table_is_in_the_device_model(pics, model):
    places = {(v.evse, v.connector) for v in model if v.connector is not None}
    assert places == set(pics.each_connector())
    assert {v.evse for v in model if v.evse is not None} == set(pics.evses)
    for row in pics.outlets:
        connector = {"evse": row.evse, "connector": row.connector}
        assert model.read(model.named("Connector", "ConnectorType", **connector)) == row.type
        assert model.read(model.named("Connector", "SupplyPhases", **connector)) == str(row.phases)
        assert model.read(model.named("EVSE", "SupplyPhases", evse=row.evse)) == str(row.phases)
        assert (row.type[0] == "s") == (row.cable is Cable.DETACHABLE)


def test_the_hardware_has_the_phases_of_the_evse_table(pics):
    evses = Bench(pics=pics.name).station._context.evses
    assert {n: evse.phases for n, evse in evses.items()} == {r.evse: r.phases for r in pics.outlets}


def test_start_and_stop_points_are_those_of_the_device_model(pics, model):
    for name, item, points in (("TxStartPoint", "C-09", START), ("TxStopPoint", "C-10", STOP)):
        declared = {p for n, p in enumerate(points, 1) if pics.items[f"{item}.{n}"]}
        assert set(named(model, f"TxCtrlr.{name}").values) == declared


def test_start_and_stop_points_can_be_set_where_declared(pics, model):
    assert named(model, "TxCtrlr.TxStartPoint").writable == pics.items["C-51"]
    assert named(model, "TxCtrlr.TxStopPoint").writable == pics.items["C-52"]


def test_measurands_are_those_of_the_device_model(pics, model):
    for item, line in pics.measurands.items():
        variable = named(model, form()[item].variables[0])
        assert set(variable.values) == set(line.supported)
        assert set(model.read(variable).split(",")) == set(line.tested)


def test_limits_are_those_of_the_device_model(pics, model):
    for item, limit in pics.limits.items():
        variable = named(model, form()[item].variables[0])
        found = variable.maximum if item == "ORS-8" else int(model.read(variable))
        assert found == limit


def test_how_the_cable_is_treated_is_in_the_device_model(pics, model):
    two_ways(model, "TxCtrlr.StopTxOnEVSideDisconnect", "C-06.1", "C-06.2", pics)
    two_ways(model, "OCPPCommCtrlr.UnlockOnEVSideDisconnect", "C-12.2", "C-12.1", pics)


def test_the_authorization_of_remote_starts_is_in_the_device_model(pics, model):
    two_ways(model, "AuthCtrlr.AuthorizeRemoteStart", "C-48.2", "C-48.1", pics)


def test_offline_authorization_is_in_the_device_model(pics, model):
    unknown = named(model, "AuthCtrlr.OfflineTxForUnknownIdEnabled")
    assert pics.items["C-01"]
    assert (unknown is not None) == pics.items["C-02"]


def test_what_is_denied_has_no_variable(pics, model):
    bound = [
        "C-03",
        "C-04",
        "C-07",
        "C-08",
        "C-20",
        "C-21",
        "C-25",
        "C-26",
        "C-28",
        "C-42",
        "C-49",
        "C-53",
        "C-54",
        "C-58",
        "C-59",
        "AS-3",
    ]
    for item in bound:
        for label in form()[item].variables:
            assert (named(model, label) is not None) == pics.items[item], item


def test_time_sources_are_those_of_the_device_model(pics, model):
    assert named(model, "ClockCtrlr.TimeSource").values == pics.words["C-23"]


def test_transfer_protocols_are_those_of_the_device_model(pics, model):
    found = read(model, "OCPPCommCtrlr.FileTransferProtocols")
    assert tuple(found.split(",")) == pics.words["ORS-24"]


def test_advanced_security_is_in_the_device_model(pics, model):
    check = read(model, "SecurityCtrlr.AdditionalRootCertificateCheck")
    assert check == ("true" if pics.items["AS-2"] else "false")
    for name in ("CertSigningWaitMinimum", "CertSigningRepeatTimes"):
        assert (named(model, f"SecurityCtrlr.{name}") is not None) == pics.items["AS-3"]


def test_vendor_settings_are_those_of_the_device_model(pics, model):
    for name, value in pics.vendor_settings.items():
        assert read(model, name.replace("::", ".")) == value
    for label in form()["vendor"].variables:
        assert (named(model, label) is not None) == (
            label.replace(".", "::") in pics.vendor_settings
        )
